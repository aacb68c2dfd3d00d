"""The sysctls that the language names: the word, the files of each family, and the values that it takes.

A list, not free paths: each of them is one that routing by mark needs, and is its namespace's own.
Sources: Documentation/networking/ip-sysctl.rst, net/ipv4/devinet.c, net/ipv6/addrconf.c.
"""

from __future__ import annotations

from typing import NamedTuple

Path = tuple[str, ...]
"""The parts of a file's path below /proc/sys/net; the name of an interface is one part, dots and all."""

V4, V6 = "ipv4", "ipv6"
ALL, DEFAULT = "all", "default"


class Setting(NamedTuple):
    """One key of the language."""

    families: tuple[str, ...]
    file: str
    """The last part of the path, in each family."""
    description: str
    words: tuple[str, ...] = ()
    """Words for 0, 1, 2, …; without any, and without ``most``, it is true or false."""
    most: int = 0
    """The largest number."""
    all: tuple[str, ...] = ()
    """Families in which ``conf.all`` has an effect on every interface."""


BOTH, FOUR, SIX = (V4, V6), (V4,), (V6,)

INTERFACE = {
    "accept-dad": Setting(
        SIX, "accept_dad", "Duplicate address detection: 0 off, 1 on, 2 also switch IPv6 off where the "
        "link-local address is a duplicate.", most=2, all=SIX,
    ),
    "accept-local": Setting(FOUR, "accept_local", "Accept packets whose source is an address of this host.", all=FOUR),
    "accept-ra": Setting(
        SIX, "accept_ra", "Accept router advertisements: off; on, unless the interface forwards; always.",
        ("off", "on", "always"),
    ),
    "accept-redirects": Setting(BOTH, "accept_redirects", "Accept ICMP redirects.", all=FOUR),
    "addr-gen-mode": Setting(
        SIX, "addr_gen_mode", "How the interface makes its own IPv6 addresses.",
        ("eui64", "none", "stable-secret", "random"), all=SIX,
    ),
    "arp-accept": Setting(
        FOUR, "arp_accept", "Learn neighbours from gratuitous ARP: 0 never, 1 always, 2 in an own subnet.",
        most=2, all=FOUR,
    ),
    "arp-announce": Setting(
        FOUR, "arp_announce", "Which address ARP requests carry: 0 any, 1 rather one of the target's subnet, "
        "2 the best one for the target.", most=2, all=FOUR,
    ),
    "arp-filter": Setting(
        FOUR, "arp_filter", "Answer ARP only where the way back to the asker leaves by this interface.", all=FOUR
    ),
    "arp-ignore": Setting(
        FOUR, "arp_ignore", "Which ARP requests are answered: 0 for any address of the host, 1 for one of this "
        "interface, 2 also only from its subnet; 3 to 8 as in ip-sysctl.", most=8, all=FOUR,
    ),
    "arp-notify": Setting(FOUR, "arp_notify", "Announce addresses by ARP when the interface comes up.", all=FOUR),
    "autoconf": Setting(SIX, "autoconf", "Make addresses from the prefixes of router advertisements."),
    "dad-transmits": Setting(SIX, "dad_transmits", "How many probes duplicate address detection sends.", most=255),
    "disable-ipv6": Setting(
        SIX, "disable_ipv6", "Switch IPv6 off on the interface: its IPv6 addresses and routes go.", all=SIX
    ),
    "forwarding": Setting(BOTH, "forwarding", "Forward packets that come in by the interface."),
    "ignore-routes-with-linkdown": Setting(
        BOTH, "ignore_routes_with_linkdown", "Do not use routes through the interface while it has no carrier.", all=SIX
    ),
    "keep-addr-on-down": Setting(
        SIX, "keep_addr_on_down", "Keep global IPv6 addresses when the interface goes down.", all=SIX
    ),
    "log-martians": Setting(FOUR, "log_martians", "Log packets with impossible addresses.", all=FOUR),
    "promote-secondaries": Setting(
        FOUR, "promote_secondaries", "When a primary address goes, a secondary takes its place.", all=FOUR
    ),
    "proxy-arp": Setting(FOUR, "proxy_arp", "Answer ARP for what other interfaces reach.", all=FOUR),
    "proxy-ndp": Setting(SIX, "proxy_ndp", "Answer neighbour discovery for proxy entries.", all=SIX),
    "route-localnet": Setting(FOUR, "route_localnet", "Route 127.0.0.0/8 as any other address.", all=FOUR),
    "rp-filter": Setting(
        FOUR, "rp_filter", "Check the way back to the source of a packet: off; strict: it must leave by this "
        "interface; loose: there must be one. The larger one of this and of sysctls.all counts.",
        ("off", "strict", "loose"), all=FOUR,
    ),
    "send-redirects": Setting(FOUR, "send_redirects", "Send ICMP redirects.", all=FOUR),
    "src-valid-mark": Setting(
        FOUR, "src_valid_mark", "Use the packet's mark in the check of rp-filter.", all=FOUR
    ),
    "use-tempaddr": Setting(
        SIX, "use_tempaddr", "Temporary addresses: 0 none, 1 make them, 2 prefer them.", most=2
    ),
}  # fmt: skip
"""Those of an interface, below net.FAMILY.conf.DEVICE."""

GLOBAL = {
    "fib-multipath-hash-policy": Setting(
        BOTH, "fib_multipath_hash_policy", "What chooses among the next hops of a multipath route: 0 addresses, "
        "1 addresses and ports, 2 inner addresses of a tunnel, 3 as fib_multipath_hash_fields says.", most=3,
    ),
    "fib-multipath-use-neigh": Setting(
        FOUR, "fib_multipath_use_neigh", "Leave out next hops whose neighbour does not answer."
    ),
    "fwmark-reflect": Setting(
        BOTH, "fwmark_reflect", "Answers that the kernel makes by itself (echo replies, resets) carry the mark "
        "of the packet that they answer.",
    ),
    "ip-forward": Setting(
        FOUR, "ip_forward", "Forward IPv4 packets: on all interfaces, and on those that come later. Interfaces "
        "for which forwarding is said keep that.",
    ),
    "ip-nonlocal-bind": Setting(BOTH, "ip_nonlocal_bind", "Allow sockets to bind to addresses that the host lacks."),
    "raw-l3mdev-accept": Setting(FOUR, "raw_l3mdev_accept", "Raw sockets without a device receive from every VRF."),
    "tcp-fwmark-accept": Setting(
        FOUR, "tcp_fwmark_accept", "The sockets of accepted connections carry the mark of the first packet."
    ),
    "tcp-l3mdev-accept": Setting(FOUR, "tcp_l3mdev_accept", "TCP sockets without a device accept from every VRF."),
    "udp-l3mdev-accept": Setting(FOUR, "udp_l3mdev_accept", "UDP sockets without a device receive from every VRF."),
}  # fmt: skip
"""Those of the namespace, below net.FAMILY; tcp_… and udp_… hold for IPv6 as well."""

IPV6_FORWARD: Path = (V6, "conf", ALL, "forwarding")
IP_FORWARD: Path = (V4, "ip_forward")
"""The same variable as net.ipv4.conf.all.forwarding, which is never used here."""


def number(setting: Setting, said: object) -> int:
    """Return the kernel's number for what a file says: true or false, a word or a number."""
    return setting.words.index(said) if isinstance(said, str) else int(said)  # type: ignore[call-overload]


def name(path: Path) -> str:
    """Return the name of a sysctl as ``sysctl`` reads it: with slashes where a part has a dot in it."""
    return ("/" if any("." in part for part in path) else ".").join(("net", *path))


def device(path: Path) -> str:
    """Return the interface that a file belongs to, ``all``, or ``default``; empty for one of the namespace."""
    return path[2] if len(path) == 4 else ""


def own(path: Path) -> str:
    """Return the name of the interface that a file belongs to; empty if it belongs to none."""
    dev = device(path)
    return "" if dev in (ALL, DEFAULT) else dev
