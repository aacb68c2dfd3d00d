"""Finding out what kernel and tools can do: from the record, else from lists, else by trying, else assumed.

Nothing is loaded, and nothing is made but in a throw-away namespace, where trying can load nothing.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from reconciler.kernel.modules import available, can_load_modules, present, source
from reconciler.kernel.rt_tables import host_tables
from reconciler.kernel.variant import find_variant, program
from reconciler.resources.facts import Facts

if TYPE_CHECKING:
    from reconciler.kernel.namespace import Namespace


def find_facts(
    namespace: Namespace, *, cached: dict[str, Any] | None = None, iptables: str | None = None, ours: str = ""
) -> Facts:
    """The facts of the kernel and of ``namespace``.

    ``cached`` is what an earlier run found (``Facts.to_json``): it holds as long as the kernel and the tools
    are the same, so that a host that begins to use the other iptables does not get our rules twice.
    ``iptables`` is the variant that the user asks for, ``ours`` the start of the names of our chains.
    Raises UnavailableError where the variant asked for is not installed.
    """
    kernel = os.uname().release
    known = Facts.from_json(cached)
    if known is not None and known.kernel != kernel:
        known = None
    tried: dict[str, bool | None] = {}
    classifier = (known.classifier, known.classifier_source) if known else _classifier(tried)
    if known and iptables in (None, known.iptables) and program(known.iptables, 4, "restore"):
        variant = known.iptables, known.iptables_source
    else:
        works = None if iptables else _nft_works(tried)
        variant = find_variant(namespace, asked=iptables, ours=ours, nft_works=works)
    return Facts(*classifier, *variant, ipv6=namespace.run(_has_ipv6), kernel=kernel, tables=host_tables())


def _classifier(tried: dict[str, bool | None]) -> tuple[str, str]:
    """The way from a mark to a class that the kernel has, and where that is known from."""
    fw = source("cls_fw")
    if fw:
        return "fw", fw
    if not can_load_modules():
        for name in ("fw", "bpf"):
            if _works(name, tried):
                return name, "probed"
        if tried["fw"] is False and tried["bpf"] is False:
            return "classify", "probed"
    if fw is None:
        return "fw", "assumed"
    bpf = source("cls_bpf")
    if bpf is None:
        return "bpf", "assumed"
    return ("bpf", bpf) if bpf else ("classify", "the kernel has neither cls_fw nor cls_bpf")


def _nft_works(tried: dict[str, bool | None]) -> bool | None:
    """Whether iptables-nft can make tables here; None where nobody can tell.

    A kernel may have nf_tables without its IPv4 part: reading then gives empty tables and status 0, and only
    writing fails. nft_reject_ipv4 is built exactly when both nft_reject and that part are.
    """
    if available("nf_tables") is False:
        return False
    if available("nft_reject"):
        with_ipv4 = available("nft_reject_ipv4")
        if with_ipv4 is not None:
            return with_ipv4
    if present("nf_tables") or not can_load_modules():
        return _works("nft", tried)
    return None


def _works(name: str, tried: dict[str, bool | None]) -> bool | None:
    """Whether the kernel takes it; all that loads nothing is tried at once, and kept in ``tried``."""
    if name not in tried:
        from reconciler.kernel.probe import NAMES, probe

        tried.update(probe((name,) if can_load_modules() else NAMES))
    return tried[name]


def _has_ipv6() -> bool:
    """Whether the kernel runs with IPv6; both are missing with ``ipv6.disable=1`` and in a kernel without."""
    return os.path.exists("/proc/thread-self/net/if_inet6") and os.path.exists("/proc/sys/net/ipv6")
