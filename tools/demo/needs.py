"""Where the demo may run, and what it needs: found out before anything is made."""

from __future__ import annotations

import os
import shutil
import socket

from tests.netns.probes import lacks, why_no_namespaces

TUNNEL_ENDS = frozenset({"tunl0", "gre0", "gretap0", "erspan0", "ip_vti0", "ip6_vti0", "sit0", "ip6tnl0", "ip6gre0"})
"""What some kernels put into every new namespace (net.core.fb_tunnels_only_for_init_net = 0)."""

PROGRAMS = {"ip": "iproute2", "tc": "iproute2"}
"""Each program with the package that has it."""
VARIANTS = ("nft", "legacy")


class MissingError(Exception):
    """The kernel or the tools lack something, or it is not permitted; one line each."""


def why_not_throw_away() -> str:
    """Return why this is no fresh network namespace, which the demo will not run in; empty if it is one."""
    devices = [name for _, name in socket.if_nameindex()]
    strange = [name for name in devices if name != "lo" and name not in TUNNEL_ENDS]
    if strange:
        return f"this network namespace has the device {', '.join(strange)}: it is not a throw-away one"
    with open("/proc/thread-self/net/route", encoding="ascii") as file:
        routes = file.read().splitlines()[1:]
    if routes:
        return f"this network namespace has {len(routes)} routes: it is not a throw-away one"
    return ""


def check() -> None:
    """Raise ``MissingError`` with all that the machine lacks for the demo, in words, one line each."""
    if lacking := _missing():
        raise MissingError("\n".join(lacking))


def _missing() -> list[str]:
    if why := why_no_namespaces():
        return [why]
    absent = [f"{why} (package {package})" for name, package in PROGRAMS.items() if (why := lacks(name))]
    if absent:
        return absent
    found = [why for kind in ("veth", "htb") if (why := lacks(kind))]
    # Each variant has what the example says, or it says why not; one that has it is enough.
    whys = [_iptables(variant) for variant in VARIANTS]
    return found + (whys if all(whys) else [])


def _iptables(variant: str) -> str:
    """Return why a variant of iptables cannot be used."""
    tools = [f"iptables-{variant}"] + ([] if lacks("ipv6") else [f"ip6tables-{variant}"])
    for tool in tools:
        for program in (tool, f"{tool}-save", f"{tool}-restore"):
            if _absent(program):
                return f"{program} is not installed (package iptables)"
        if why := lacks(tool):
            return why
    return ""


def _absent(program: str) -> bool:
    """Tell whether a program is not installed, which the probes take for granted."""
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is None
