"""What the kernel and tools of this machine have: tried for real in a throw-away namespace, once a run.

A name is what tests ask for: ``@pytest.mark.needs("fw", "iptables-nft")``. To add one, add it to ``PROBES``.
"""

from __future__ import annotations

import functools
import os
import shlex
import shutil

from tests.netns.lab import CommandError, Lab, NotPermittedError

PROBES: dict[str, tuple[str, ...]] = {}
"""For each name: what it stands for, in words; then the commands that must all succeed, in an empty namespace."""


def _link(kind: str, options: str = "") -> None:
    PROBES[kind] = (f"the link type {kind}", f"ip link add name probe type {kind} {options}")


def _qdisc(kind: str, options: str = "") -> None:
    PROBES[kind] = (f"the qdisc {kind}", f"tc qdisc add dev lo root handle 1: {kind} {options}")


def _classifier(kind: str, options: str) -> None:
    PROBES[kind] = (
        f"the classifier {kind}",
        "tc qdisc add dev lo root handle 1: htb",
        f"tc filter add dev lo parent 1: protocol all prio 1 {options} classid 1:1",
    )


def _action(kind: str, options: str) -> None:
    PROBES[kind] = (
        f"the action {kind}",
        "tc qdisc add dev lo clsact",
        f"tc filter add dev lo ingress protocol all prio 1 u32 match u32 0 0 action {kind} {options}",
    )


def _iptables(tool: str) -> None:
    PROBES[tool] = (
        f"{tool} with mark, connmark, comment, conntrack and LOG",
        f"{tool} -t mangle -A OUTPUT -m mark ! --mark 0x0/0xff -m comment --comment a -j CONNMARK --save-mark",
        f"{tool} -t mangle -A OUTPUT -j MARK --set-mark 0x10",
        f"{tool} -t filter -A INPUT -m conntrack --ctstate NEW -m connmark --mark 0x10 -j ACCEPT",
        f"{tool} -t filter -A OUTPUT -j LOG",
    )


_link("bond")
_link("bridge")
_link("dummy")
_link("gre", "remote 192.0.2.1 local 192.0.2.2")
_link("ifb")
_link("vrf", "table 10")
_link("veth", "peer name other")
_link("vxlan", "id 5 dstport 4789")
for _kind in ("gre", "gretap", "ipip", "sit"):
    _link(_kind, "local 192.0.2.1 remote 192.0.2.2")
PROBES["bridge-vlans"] = ("VLANs of a bridge's ports", "ip link add name probe type bridge vlan_filtering 1")
PROBES["tun"] = ("the link type tun", "ip tuntap add dev probe mode tun")
_link("wireguard")
for _kind, _options in (("ipvlan", ""), ("macvlan", ""), ("vlan", "id 5")):
    PROBES[_kind] = (
        f"the link type {_kind}",
        "ip link add name lower type veth peer name other",
        f"ip link add link lower name probe type {_kind} {_options}",
    )
PROBES["tun"] = ("tun and tap", "ip tuntap add dev probe mode tun")
PROBES["ipv6"] = ("IPv6", "ip -6 route add 2001:db8::/64 dev lo", "ip -6 rule add fwmark 1 table 10")
PROBES["uidrange"] = ("rules by user", "ip rule add uidrange 1000-2000 table 10")
_qdisc("htb")
_qdisc("tbf", "rate 1mbit burst 10kb latency 50ms")
_qdisc("prio")
_qdisc("sfq")
_qdisc("fq_codel")
_qdisc("netem", "delay 1ms")
_qdisc("cake")
PROBES["clsact"] = ("the qdisc clsact", "tc qdisc add dev lo clsact")
_classifier("fw", "handle 0x10/0xff fw")
_classifier("bpf", "bpf bytecode '1,6 0 0 4294967295'")
_classifier("u32", "u32 match u32 0 0")
_classifier("flower", "flower")
_classifier("matchall", "matchall")
_classifier("basic", "basic")
_action("mirred", "egress redirect dev lo")
_action("police", "rate 1mbit burst 10k")
_iptables("iptables-nft")
_iptables("iptables-legacy")
_iptables("ip6tables-nft")
_iptables("ip6tables-legacy")


@functools.cache
def why_no_namespaces() -> str:
    """Return why this process cannot make network namespaces; empty where it can."""
    try:
        with Lab() as lab:
            lab.namespace("probe")
    except NotPermittedError as error:
        return f"no network namespaces here ({error}): use `make test` or tools/in-namespace"
    return ""


@functools.cache
def lacks(name: str) -> str:
    """Return why what the name stands for cannot be used here, in words; empty where it can.

    Other names than those of ``PROBES`` are programs that must be installed: ``lacks("nft")``.
    """
    if name not in PROBES:
        path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
        return "" if shutil.which(name, path=path) else f"{name} is not installed"
    if why := why_no_namespaces():
        return why
    words, *commands = PROBES[name]
    with Lab() as lab:
        namespace = lab.namespace("probe")
        for command in commands:
            try:
                namespace.run(*shlex.split(command))
            except CommandError as error:
                return f"kernel or tools here lack {words} ({error.said.splitlines()[0]})"
    return ""


def older_than(*version: int) -> bool:
    """Tell whether the running kernel is older than Linux of this version."""
    return tuple(map(int, os.uname().release.split(".")[: len(version)])) < version


def on_user_mode_kernel() -> bool:
    """Tell whether the running kernel is the one of ``tests/uml``."""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        return "User Mode Linux" in file.read()


def on_slow_kernel() -> bool:
    """Tell whether the running kernel is one where everything takes ten times as long: in user mode, or emulated."""
    return on_user_mode_kernel() or on_emulated_kernel()


def on_emulated_kernel() -> bool:
    """Tell whether the running kernel is the one of ``tests/qemu``."""
    with open("/proc/cmdline", encoding="utf-8") as file:
        return "reconciler-qemu" in file.read()
