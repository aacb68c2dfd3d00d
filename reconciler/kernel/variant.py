"""Which iptables a host uses, nft or legacy, and what its programs are called.

Never both: rules in the other one would be seen by nobody who looks. The order is that of kubernetes-sigs
iptables-wrappers: a chain that tells (ours, then the kubelet's), else the one with more rules, else nft if it
works. Finding out makes no table and loads no module: iptables-legacy-save is run only where a legacy table
exists, iptables-nft-save only where nf_tables is there already.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from reconciler.errors import UnavailableError
from reconciler.kernel.modules import available, can_load_modules, present
from reconciler.kernel.namespace import Namespace
from reconciler.kernel.process import find, run

if TYPE_CHECKING:
    from collections.abc import Sequence

FAMILIES = {4: "iptables", 6: "ip6tables"}
KUBERNETES = (":KUBE-IPTABLES-HINT", ":KUBE-KUBELET-CANARY")
OTHER = {"nft": "legacy", "legacy": "nft"}


def program(variant: str, family: int, verb: str = "") -> str | None:
    """The name of a program: ``program("nft", 6, "save")`` is ip6tables-nft-save; None where there is none.

    ``verb`` is "save", "restore" or "". Where no program bears the variant in its name, the plain one is
    taken if it is of that variant.
    """
    suffix = f"-{verb}" if verb else ""
    name = f"{FAMILIES[family]}-{variant}{suffix}"
    if find(name):
        return name
    plain = f"{FAMILIES[family]}{suffix}"
    path = find(plain)
    return plain if path and _variant_of(path) == variant else None


def find_variant(
    namespace: Namespace, *, asked: str | None = None, ours: str = "", nft_works: bool | None = None
) -> tuple[str, str]:
    """The variant ("nft", "legacy", "none") and why, in words.

    ``asked`` is what the user wants; ``ours`` the start of the names of our chains, so that a host where we
    have some stays with their variant; ``nft_works`` what is known of nf_tables (None: nobody can tell).
    Raises UnavailableError where what was asked for is not installed.
    """
    if asked:
        if program(asked, 4, "restore") is None:
            raise UnavailableError(
                f"iptables variant {asked} was asked for, but iptables-{asked}-restore is not installed:"
                " it is part of the package iptables"
            )
        return asked, "asked for"
    installed = [variant for variant in ("nft", "legacy") if program(variant, 4, "restore")]
    if not installed:
        return "none", "iptables is not installed"
    if installed == ["nft"] and nft_works is False:
        return "none", "only iptables-nft is installed, and the kernel has no nf_tables for IPv4"
    if len(installed) == 1:
        return installed[0], "the only one installed"
    if nft_works is False:
        if available("ip_tables") is False:
            return "none", "the kernel has neither nf_tables for IPv4 nor ip_tables"
        return "legacy", "the kernel has no nf_tables for IPv4"
    return _in_use(namespace, ours, nft_works)


def _in_use(namespace: Namespace, ours: str, nft_works: bool | None) -> tuple[str, str]:
    """The choice where both are installed and nothing speaks against nft."""
    legacy = _saved(namespace, "legacy") if _legacy_tables(namespace) else ()
    nft = _saved(namespace, "nft") if legacy and _may_read_nft() else ()  # else it is nft anyway
    hints = [(f":{ours}", "our chains are there")] if ours else []
    hints += [(start, f"Kubernetes uses it ({start[1:]})") for start in KUBERNETES]
    for start, why in hints:
        for variant, lines in (("nft", nft), ("legacy", legacy)):
            if any(line.startswith(start) for line in lines):
                return variant, why
    count = {"nft": _rules(nft), "legacy": _rules(legacy)}
    for variant, other in OTHER.items():
        if count[variant] > count[other]:
            return variant, f"it has the rules that are there ({count[variant]}; {other}: {count[other]})"
    if any(count.values()):
        return "nft", f"both have rules ({count['nft']} each)"
    if nft_works is None and present("nf_tables") is not True and present("ip_tables") is True:
        return "legacy", "the kernel has loaded ip_tables and not nf_tables"
    return "nft", "legacy has no rules" + ("" if nft_works else "; that nft works is assumed")


def _may_read_nft() -> bool:
    """Whether iptables-nft-save would load nothing: nf_tables is there, or nothing can be loaded."""
    return present("nf_tables") is True or not can_load_modules()


def _legacy_tables(namespace: Namespace) -> bool:
    """Whether a legacy table exists in the namespace (who may not look here could not read it either)."""

    def look() -> bool:
        for name in ("ip_tables_names", "ip6_tables_names"):
            try:
                with open(f"/proc/thread-self/net/{name}", encoding="ascii") as file:
                    if file.read().strip():
                        return True
            except OSError:
                continue
        return False

    return namespace.run(look)


def _saved(namespace: Namespace, variant: str) -> Sequence[str]:
    """The lines that a variant saves, of both families; what cannot be read counts as nothing."""
    lines: list[str] = []
    for family in FAMILIES:
        name = program(variant, family, "save")
        if name is None:
            continue
        try:
            completed = run(namespace, [name])
        except UnavailableError:
            continue
        if completed.status == 0:
            lines += completed.stdout.splitlines()
    return lines


def _rules(lines: Sequence[str]) -> int:
    return sum(line.startswith("-") for line in lines)


def _variant_of(path: str) -> str:
    """The variant of a program with a plain name: by what it links to, else by what it says of itself."""
    target = os.path.basename(os.path.realpath(path))
    for variant in OTHER:
        if variant in target:
            return variant
    said = run(Namespace(), [path, "--version"]).stdout
    return "nft" if "nf_tables" in said else "legacy"
