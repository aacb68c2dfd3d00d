"""The objects that the properties of planning are tried on. Few names and prefixes, so that all collides."""

from __future__ import annotations

from itertools import product
from random import Random
from typing import TYPE_CHECKING, Any

from reconciler.resources.address import Address
from reconciler.resources.iptables.chain import Chain
from reconciler.resources.iptables.jump import Jump
from reconciler.resources.iptables.lines import Line
from reconciler.resources.iptables.policy import Policy
from reconciler.resources.link.device import Device
from reconciler.resources.link.link import Link
from reconciler.resources.link.port_value import Port
from reconciler.resources.nexthop_config import Nexthop
from reconciler.resources.route import Hop, Route
from reconciler.resources.route.value import with_hops, with_options
from reconciler.resources.rule import Rule
from reconciler.resources.sysctl import Sysctl
from reconciler.resources.tc.class_ import Class
from reconciler.resources.tc.filter import Filter
from reconciler.resources.tc.qdisc import Qdisc
from reconciler.resources.wireguard.device import Wireguard
from reconciler.resources.wireguard.peer import Peer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.core.state import Value

ON = ("eth0", "eth0", "eth0", "eth1", "eth1", "v0", "p0", "br0", "wg0")
"""Interfaces, the likely ones more often; wg0 is never there."""


def device(name: str, state: str | None = None, mtu: int | None = None, master: str | None = None) -> Device:
    return Device(name, state, mtu, master)


VETH, OTHER_VETH = Link("v0", "veth", (("peer", "p0"),)), Link("v0", "veth", (("peer", "p1"),))
BRIDGE = Link("br0", "bridge")
LINKS = (BRIDGE, VETH, OTHER_VETH, Link("p0", "bridge"), Link("v1", "veth", (("peer", "p1"),)), Link("eth1", "bridge"))
TUNNEL = Link("wg1", "wireguard")
PUBLIC = tuple(letter * 42 + "A=" for letter in "abcd")
TUNNELS = tuple(
    Wireguard("wg1", public_key, port, mark)
    for public_key, port, mark in product((None, PUBLIC[0], PUBLIC[3]), (None, 51820, 51821), (None, 0, 16))
    if (public_key, port, mark) != (None, None, None)
)
PEERS = tuple(
    Peer("wg1", key, endpoint, prefixes, keepalive, psk)
    for key, endpoint, prefixes, keepalive, psk in product(
        PUBLIC, (None, "192.0.2.1:51820"), ((), ("10.9.0.0/24",), ("10.9.0.0/24", "10.9.1.0/24"), ("fd00:9::/64",)),
        (0, 25), ("", "f1"),
    )
)  # fmt: skip
SETTINGS = tuple(
    device(name, state, mtu, master)
    for name, state, mtu, master in product(
        ("eth0", "eth1", "v0", "p0", "br0", "wg0", "lo"),
        ("up", "down", None), (None, 1500, 1400, 1000), (None, "", "br0", "br9"),
    )
    if (state, mtu, master).count(None) in (1, 2) and not (name == "lo" and (mtu or master or state == "up"))
)  # fmt: skip
PORTS = tuple(
    Port(name, cost, priority, isolated=isolated)
    for name, cost, priority, isolated in product(("eth0", "p0", "v0"), (None, 10), (None, 8, 32), (None, True, False))
    if (cost, priority, isolated) != (None, None, None)
)
SYSCTLS = (
    *(Sysctl(("ipv4", leaf), value) for leaf, value in product(("ip_forward", "tcp_fwmark_accept"), (0, 1))),
    *(
        Sysctl((family, "conf", dev, leaf), value)
        for (family, leaf), dev, value in product(
            (("ipv4", "forwarding"), ("ipv4", "rp_filter"), ("ipv6", "forwarding"), ("ipv6", "accept_ra")),
            ("all", "default", "eth0", "eth1", "v0", "p0", "wg0"), (0, 1, 2),
        )
        if (value < 2 or leaf != "forwarding") and (family, dev, leaf) != ("ipv4", "all", "forwarding")
    ),
    *(Sysctl(("ipv4", "conf", "all", "accept_redirects"), value) for value in (0, 1)),
)  # fmt: skip
FURNITURE: tuple[tuple[Value, ...], ...] = (
    (),
    (device("eth0", "up"), device("eth1", "up")),
    (device("eth0", "up"), device("eth1", "up"), VETH, device("v0", "up"), device("p0", "up")),
    (device("eth0", "up"), device("eth1", "up"), TUNNEL, device("wg1", "up")),
    (
        device("eth0", "up"),
        VETH,
        device("v0", "up", 1400),
        device("p0", "up", None, "br0"),
        BRIDGE,
        device("br0", "up"),
    ),
    (device("eth0", "up"), device("eth1", "up", 1400, "br0"), BRIDGE, device("br0", "up", 1500)),
    (
        device("eth0", "up"),
        device("eth1", "down"),
        OTHER_VETH,
        device("v0", "up"),
        Link("p0", "bridge"),
        device("p0", "up"),
    ),
)
"""Interfaces that belong together; they come with most wishes, since little happens on what is down."""

HOSTS = (
    "10.0.0.1/24", "10.0.0.2/24", "10.0.0.3/24", "10.0.1.1/24", "10.0.0.1/16", "10.9.0.9/32",
    "2001:db8::1/64", "2001:db8::2/64", "2001:db8:1::1/64", "2001:db8::1/80",
)  # fmt: skip
SAID: tuple[dict[str, Any], ...] = (
    *({} for _ in range(12)),
    {"metric": 100},
    {"noprefixroute": True},
    {"nodad": True},
    {"preferred": 0},
    {"valid": 3600, "preferred": 600},
    {"label": "eth0:1"},
    {"broadcast": "10.0.0.255"},
    {"scope": "link"},
    dict.fromkeys(("metric", "noprefixroute", "label", "broadcast", "scope", "valid", "preferred")),
)
"""What is said of an address, most often nothing; None is left open."""
OLD_WORDS = {"label", "broadcast", "scope"}


def _addresses() -> Iterator[Address]:
    """Yield each address on each interface as often as it may differ; IPv6 has no word for some of it."""
    for word, dev, said in product(HOSTS, dict.fromkeys(ON), SAID):
        family = 6 if ":" in word else 4
        if not (("nodad" in said and family == 4) or (len(said) == 1 and family == 6 and OLD_WORDS & said.keys())):
            yield from [Address(dev, family, word)._replace(**said)] * ON.count(dev)


ADDRESSES = tuple(_addresses())


def _routes(family: int) -> Iterator[Route]:
    to, metrics, ways, sources = (
        (
            ("0.0.0.0/0", "172.16.0.0/16", "10.0.0.0/24", "192.168.1.1/32"), (0, 100),
            ("", "10.0.0.254", "10.0.0.1", "10.0.1.254", "192.168.1.1"), ("", "", "10.0.0.1", "10.0.0.2", "10.0.1.1"),
        )
        if family == 4
        else (
            ("::/0", "2001:db8:5::/64", "2001:db8::/64"), (1024, 100, 256),
            ("", "fe80::1", "2001:db8::fe", "2001:db8:1::fe", "2001:db8::1"), ("", "", "2001:db8::1", "2001:db8::2"),
        )
    )  # fmt: skip
    for table, prefix, metric in product((100, 101, 254), to, metrics):
        yield Route(family, table, prefix, metric, "unreachable")
        yield Route(family, table, prefix, metric, "blackhole")
        for via, dev, src in product(ways, ("eth0", "eth1", "v0", None), sources):
            if dev is not None or via:
                yield Route(family, table, prefix, metric, "unicast", via, dev, src)
        yield from _rare(Route(family, table, prefix, metric), ways)


def _rare(route: Route, gateways: tuple[str, ...]) -> Iterator[Route]:
    """Yield routes with what few have, among them several next hops."""
    near = route._replace(via=gateways[1], dev="eth0")
    yield with_options(near, mtu=1400)
    yield with_options(near, tos=16 if route.family == 4 else None, advmss=1300)
    yield with_options(near._replace(via=gateways[4]), onlink=True)
    yield route._replace(type="throw")
    yield route._replace(type="local", dev="lo")
    if route.family == 4:
        yield near._replace(via="fe80::1")
    for one, other in (("eth0", "eth1"), ("eth1", "eth0"), ("eth0", "v0"), ("eth0", "eth0"), ("eth0", None)):
        for first, second in ((1, 3), (2, 1), (2, 3)):
            yield with_hops(route, (Hop(gateways[first], one), Hop(gateways[second], other, 2)))
    yield with_hops(route, tuple(Hop(gateways[1], dev) for dev in ("eth0", "eth1", "v0")))


NEXTHOPS = (
    Nexthop(1, 4, "10.0.0.254", "eth0"), Nexthop(1, 4, "10.0.1.254", "eth1"), Nexthop(1, 6, "fe80::1", "eth0"),
    Nexthop(2, 4, "", "eth1"), Nexthop(2, 4, "10.0.0.1", "v0"), Nexthop(2, 4, blackhole=True),
    Nexthop(3, 0, group=((1, 1), (4, 5))), Nexthop(3, 0, group=((4, 1),)), Nexthop(3, 4, "10.9.0.9", "eth0", onlink=True),
    Nexthop(4, 6, "fe80::2", "eth0"), Nexthop(4, 6, "2001:db8::fe", "eth1"), Nexthop(4, 4, "", "eth0"),
)  # fmt: skip
"""4 may be of IPv6 and is no group; 3 is a group or not."""
SHARING = tuple(
    with_options(Route(family, table, to, metric), nexthop=number)
    for (family, to, metric), table, number in product(
        ((4, "0.0.0.0/0", 0), (4, "172.16.0.0/16", 0)), (100, 254), (1, 2, 3, 4)
    )
)
ROUTES_4, ROUTES_6 = tuple(_routes(4)), tuple(_routes(6))
NEAR_4 = tuple(r for r in ROUTES_4 if r.table == 100 and r.metric == 0 and r.to != "10.0.0.0/24")
NEAR_6 = tuple(r for r in ROUTES_6 if r.table == 100 and r.metric == 1024 and r.to != "2001:db8::/64")
"""Routes that are likely to have one key, or to stand on one another."""


def _rules() -> Iterator[Rule]:
    """Rules of two places, of which the kernel takes many for one another: some say more than others."""
    selectors: tuple[dict[str, Any], ...] = (
        {}, {"mark": 0x10, "mask": 0xFF}, {"mark": 0x20, "mask": 0xFF}, {"uid": (5, 9)}, {"uid": (10, 10)},
        {"ip_protocol": 17, "dport": (53, 53)}, {"ip_protocol": 17, "dport": (54, 99)}, {"ip_protocol": 6},
        {"tos": 8}, {"tos": 16}, {"iif": "lo"}, {"mark": 0x10, "mask": 0xFF, "invert": True},
    )  # fmt: skip
    ways: tuple[dict[str, Any], ...] = (
        {"table": 100}, {"table": 101}, {"table": 100, "suppress_prefixlength": 0}, {"action": "unreachable"},
        {"action": "goto", "goto": 300}, {"action": "goto", "goto": 400}, {"l3mdev": True},
    )  # fmt: skip
    for family, priority, selected, way in product((4, 6), (100, 200), selectors, ways):
        yield Rule(family, priority, **selected, **way)
    for family, word in ((4, "10.0.0.0/24"), (4, "10.0.1.0/24"), (6, "2001:db8::/64"), (6, "2001:db8:1::/64")):
        yield Rule(family, 100, from_=word, table=100)


RULES = tuple(_rules())
NEAR_RULES = tuple(r for r in RULES if (r.family, r.priority) == (4, 100))
"""Rules that are likely to be taken for one another."""

TEXTS = {
    "rc.default.INPUT": ("-j ACCEPT", "-j DROP", "-j rc.default.A", "-g rc.default.B"),
    "rc.default.A": ("-j ACCEPT", "-j DROP", "-j rc.default.B"),
    "rc.default.B": ("-j ACCEPT", "-j LOG"),
}
PLACES = ((4, "filter"), (4, "filter"), (6, "filter"), (4, "mangle"))


def _chains() -> Iterator[Chain]:
    for place, (name, texts) in product(PLACES, TEXTS.items()):
        for size in range(len(texts) + 1):
            for start in range(len(texts)):
                chosen = (texts[start:] + texts[:start])[:size]
                yield Chain(*place, name, tuple(Line(f"a{text}", text) for text in chosen))


CHAINS = tuple(dict.fromkeys(_chains()))
JUMPS = tuple(Jump(*place, "INPUT", name) for place, name in product(PLACES, TEXTS) if name != "rc.default.B")
POLICIES = tuple(Policy(family, "filter", "INPUT", word) for family, word in product((4, 6), ("ACCEPT", "DROP")))
FOREIGN_CHAINS = tuple(
    Chain(4, "filter", name, tuple(Line("", text) for text in texts))
    for name, texts in product(("INPUT", "DOCKER"), (("-j ACCEPT",), ("-j rc.default.A",)))
)


def _tree(chance: Random) -> tuple[Value, ...]:
    """A root qdisc with classes and filters; some of them stand on what is not there."""
    dev = chance.choice(("eth0", "eth0", "v0"))
    major = chance.choice(("1", "1", "5ec0"))
    kind, shift = chance.choice(("fw", "bpf")), chance.choice((1000, 1001))
    found: list[Value] = [Qdisc(dev, f"{major}:", "htb", chance.choice(("", f"{major}:10")))]
    minors = chance.sample(("1", "10", "11", "2"), chance.randint(0, 4))
    for at, minor in enumerate(minors):
        parent = chance.choice(("", *minors[:at], *minors[:at], *(("2", "10") if chance.random() < 0.1 else ())))
        rate = chance.choice((8000, 16000))
        found.append(Class(dev, f"{major}:{minor}", f"{major}:{'' if parent == minor else parent}", rate, rate))
    for value, mask in chance.sample(((1, 0xFF), (2, 0xFF), (1, 0xF)), chance.randint(0, 3)):
        flowid = f"{major}:{chance.choice((*minors, *minors, '2'))}"
        prio = shift + (0 if kind == "fw" and mask == 0xFF else 1)
        found.append(Filter(dev, prio, value if kind == "fw" else value + mask, kind, value, mask, flowid))
    return tuple(found)


_CHANCE = Random(5)
TREES = tuple(sorted((_tree(_CHANCE) for _ in range(300)), key=len))
