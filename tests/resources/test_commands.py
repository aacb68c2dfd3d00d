"""The command lines that a kind gives do the same as the requests that it packs.

The lines run in one namespace by the real tools, without a shell; the requests go to another; after each
change the tools show both alike. The protocol of an address is left out: iproute2 knows it since 6.3 only.
"""

from __future__ import annotations

import itertools

import pytest

from reconciler.resources.address import Address
from reconciler.resources.link.device import Device
from reconciler.resources.link.link import Link
from reconciler.resources.route import Route
from reconciler.resources.rule import Rule
from reconciler.resources.tc.class_ import Class
from reconciler.resources.tc.filter import Filter
from reconciler.resources.tc.qdisc import Qdisc
from tests.resources.host import Host, create, delete, ready, replace, update
from tests.resources.shown import EVERYTHING, LINKS, ROUTES, RULES, queues, shown

# ifb, because with veth IPv6 starts when the carrier is noticed, which is later.
PAIR = tuple(
    line.format(number)
    for number in (0, 1)
    for line in ("ip link add name e{0} address 02:00:00:00:00:1{0} type ifb", "ip link set e{0} up")
)
READY = (*PAIR, "ip address add 192.0.2.2/24 dev e0", "ip address add 2001:db8::2/64 dev e0 nodad")
BRIDGE = (*PAIR, "ip link add name br0 address 02:00:00:00:00:20 type bridge")
HTB = (*PAIR, "tc qdisc add dev e0 root handle 1: htb default 20")
TREE = (*HTB, "tc class add dev e0 parent 1: classid 1:1 htb rate 10mbit", "tc class add dev e0 parent 1:1 classid 1:10 htb rate 1mbit")  # fmt: skip


def life(first, *others):
    """Create an object, change it in place to one value after another, delete it."""
    values = [first, *others]
    changes = [update(*pair) for pair in zip(values, others, strict=False)]
    return [create(first), *changes, delete(values[-1])]


def alike(lab, prepared, changes, watched, *, without=None, every=1):
    """Make the changes in both ways; what is watched is compared after ``every`` few, everything at the end."""
    told, asked = (Host.of(lab, name, *prepared) for name in ("told", "asked"))
    ready(told)
    ready(asked)
    before = shown(asked.namespace, watched, without)
    assert before == shown(told.namespace, watched, without)
    for number, change in enumerate(changes, 1):
        told.tell(change)
        asked.ask(change)
        if number % every:
            continue
        ready(told)
        ready(asked)
        by_tools, by_us = (shown(host.namespace, watched, without) for host in (told, asked))
        assert by_us == by_tools, change
        assert by_us != before, f"nothing is seen of {change}"
        before = by_us
    assert shown(asked.namespace, EVERYTHING, without) == shown(told.namespace, EVERYTHING, without)


@pytest.mark.parametrize("link", [
    pytest.param(Link("v0", "veth", (("peer", "v1"),)), marks=pytest.mark.needs("veth")),
    pytest.param(Link("b0", "bridge"), marks=pytest.mark.needs("bridge")),
])  # fmt: skip
def test_links(lab, link):
    alike(lab, [], life(link), LINKS)


@pytest.mark.needs("veth", "bridge")
def test_a_link_becomes_another(lab):
    one, other = Link("v0", "veth", (("peer", "v1"),)), Link("v0", "veth", (("peer", "v2"),))
    bridge = Link("v0", "bridge")
    alike(lab, [], [create(one), replace(one, other), replace(other, bridge), delete(bridge)], LINKS)


@pytest.mark.needs("ifb", "bridge")
def test_devices(lab):
    first = Device("e0", "up", 1500, "")
    steps = [
        first,
        first._replace(mtu=1400),
        first._replace(mtu=1400, state="down"),
        first._replace(mtu=1280, state="up"),
        first._replace(mtu=1280, master="br0"),
        first._replace(master="", mtu=9000, state="down"),
        first._replace(master="br0", mtu=68, state="up"),
        first._replace(mtu=65535),
    ]
    alike(lab, BRIDGE, [update(*pair) for pair in itertools.pairwise(steps)], LINKS)


@pytest.mark.needs("ifb")
def test_addresses(lab):
    words = ["192.0.2.2/24", "192.0.2.3/24", "192.0.2.2/25", "192.0.2.2/32", "10.0.0.1/8", "198.51.100.4/31"]
    words += ["2001:db8::2/64", "2001:db8::3/128", "fd00::1/48"]
    values = [Address("e0", 6 if ":" in word else 4, word) for word in words]
    values += [
        Address("e0", 4, "192.0.2.7/32", "192.0.2.8/32"),
        Address("e0", 4, "192.0.2.7/32", "203.0.113.0/24"),
        Address("e0", 6, "2001:db8::7/128", "2001:db8::8/128"),
        Address("lo", 4, "127.0.0.2/8"),
        Address("lo", 4, "192.0.2.77/32"),
        Address("lo", 6, "2001:db8::77/128"),
    ]
    alike(lab, PAIR, [*map(create, values), *map(delete, reversed(values))], ("ip address show", *ROUTES), every=4)


@pytest.mark.needs("ifb")
@pytest.mark.parametrize("routes", [
    [Route(4, 254, "198.51.100.0/24", 0, via="192.0.2.1", dev="e0")],
    [Route(4, 254, "198.51.100.0/24", 0, via="192.0.2.1", dev="e0"),
     Route(4, 254, "198.51.100.0/24", 0, via="192.0.2.9", dev="e0"),
     Route(4, 254, "198.51.100.0/24", 0, dev="e0"),
     Route(4, 254, "198.51.100.0/24", 0, dev="e1"),
     Route(4, 254, "198.51.100.0/24", 0, "unreachable"),
     Route(4, 254, "198.51.100.0/24", 0, "blackhole"),
     Route(4, 254, "198.51.100.0/24", 0, via="192.0.2.1", dev="e0", src="192.0.2.2")],
    [Route(4, 100, "0.0.0.0/0", 0, via="192.0.2.1", dev="e0"), Route(4, 100, "0.0.0.0/0", 0, dev="e1")],
    [Route(4, 300, "0.0.0.0/0", 7, via="192.0.2.1", dev="e0"), Route(4, 300, "0.0.0.0/0", 7, dev="e1")],
    [Route(4, 4294967295, "203.0.113.7/32", 4294967295, dev="e0", src="192.0.2.2")],
    [Route(4, 300, "0.0.0.0/0", 4294967295, "unreachable"), Route(4, 300, "0.0.0.0/0", 4294967295, "prohibit")],
    [Route(4, 1, "10.0.0.0/8", 0, "blackhole")],
    [Route(4, 255, "10.0.0.0/8", 0, "prohibit")],
    [Route(6, 254, "2001:db8:51::/48", 1024, via="2001:db8::1", dev="e0"),
     Route(6, 254, "2001:db8:51::/48", 1024, via="fe80::1", dev="e0"),
     Route(6, 254, "2001:db8:51::/48", 1024, dev="e1"),
     Route(6, 254, "2001:db8:51::/48", 1024, "blackhole"),
     Route(6, 254, "2001:db8:51::/48", 1024, dev="e0", src="2001:db8::2")],
    [Route(6, 100, "::/0", 1024, via="2001:db8::1", dev="e0", src="2001:db8::2")],
    [Route(6, 300, "::/0", 7, via="fe80::1", dev="e0"), Route(6, 300, "::/0", 7, via="fe80::2", dev="e1")],
    [Route(6, 300, "::/0", 4294967295, "unreachable")],
    [Route(6, 300, "2001:db8:51::/48", 1024, "prohibit"), Route(6, 300, "2001:db8:51::/48", 1024, "unreachable")],
    [Route(6, 4294967295, "2001:db8::7/128", 5, dev="e0")],
])  # fmt: skip
def test_routes(lab, routes):
    alike(lab, READY, life(*routes), ROUTES)


@pytest.mark.needs("ifb")
def test_a_route_is_taken_over_and_given_back(lab):
    ours = Route(4, 254, "198.51.100.0/24", 0, via="192.0.2.1", dev="e0")
    theirs = ours._replace(via="192.0.2.9")
    prepared = [*READY, "ip route add 198.51.100.0/24 via 192.0.2.9 dev e0 proto 77"]
    alike(lab, prepared, [update(theirs, ours, adopts=77), delete(ours), create(theirs, 77)], ROUTES)
    alike(lab, prepared, [update(theirs, theirs, adopts=77)], ROUTES)


@pytest.mark.needs("ifb")
def test_of_routes_with_one_key_only_ours_changes(lab):
    ours = Route(4, 254, "198.51.100.0/24", 0, via="192.0.2.1", dev="e0")
    with_source = ours._replace(src="192.0.2.2")
    lines = [
        f"ip route append 198.51.100.0/24 via 192.0.2.{n} dev e0 proto {p}" for n, p in ((9, 77), (1, 94), (8, 78))
    ]
    alike(lab, [*READY, *lines], [update(ours, with_source), delete(with_source)], ROUTES)


SELECTORS = [
    {},
    {"mark": 0x10, "mask": 0xFF},
    {"mark": 0, "mask": 0xFF},
    {"mark": 0x10, "mask": 0xFFFFFFFF},
    {"mark": 0xFFFFFFFF, "mask": 0xFFFFFFFF},
    {"from_": "a/net"},
    {"from_": "a/host"},
    {"to": "a/net"},
    {"iif": "lo"},
    {"iif": "eth99"},
    {"oif": "eth99"},
    {"oif": "fifteen-letters"},
    {"mark": 0x10, "mask": 0xFF, "from_": "a/host", "to": "a/net", "iif": "lo", "oif": "eth99"},
    {"table": 254},
    {"table": 255},
    {"table": 256},
    {"table": 4294967295},
    {"priority": 1},
    {"priority": 4294967295},
]


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("invert", [False, True])
def test_rules(lab, family, invert):
    words = {
        "a/net": {4: "10.1.0.0/16", 6: "2001:db8:1::/48"}[family],
        "a/host": {4: "10.1.0.2/32", 6: "2001:db8:1::2/128"}[family],
    }
    rules = []
    for number, selectors in enumerate(SELECTORS[::3] if invert else SELECTORS):
        fields = {name: words.get(word, word) if isinstance(word, str) else word for name, word in selectors.items()}
        rules.append(
            Rule(**{"family": family, "priority": 17000 + number // 2, "table": 100, "invert": invert, **fields})
        )
    alike(lab, [], [*map(create, rules), *map(delete, rules)], RULES, every=6)


@pytest.mark.parametrize("family", [4, 6])
def test_of_equal_rules_only_ours_goes(lab, family):
    lines = [f"ip -{family} rule add priority 50 fwmark 3/0xff table 9 protocol {p}" for p in (77, 94, 3)]
    alike(lab, lines, [delete(Rule(family, 50, 3, 0xFF, table=9))], RULES)


@pytest.mark.needs("ifb", "htb")
def test_root_qdiscs(lab):
    plain = Qdisc("e0", "5ec0:", "htb")
    named = Qdisc("e0", "1:", "htb", "1:20")
    other = Qdisc("e0", "1:", "htb", "1:fffe", 1)
    alike(lab, PAIR, [create(plain), replace(plain, named), replace(named, other), delete(other)], queues("e0"))


@pytest.mark.needs("ifb", "htb")
def test_classes(lab):
    whole = Class("e0", "1:1", "1:", 10**7, 10**7)
    inner = Class("e0", "1:10", "1:1", 10**6, 10**7)
    other = inner._replace(parent="1:")
    changes = [
        create(whole),
        create(inner),
        update(inner, inner._replace(rate=2 * 10**6)),
        update(inner, inner._replace(ceil=10**6, prio=3)),
        update(inner, inner._replace(quantum=3000)),
        replace(inner, other),
        delete(other),
        delete(whole),
    ]
    alike(lab, HTB, changes, queues("e0"))


@pytest.mark.needs("ifb", "htb")
@pytest.mark.parametrize("rate", [8 * 10**3, 10**6, 3 * 10**6, 7777 * 8, 10**8, 10**9, 10**10, 34 * 10**9, 35 * 10**9, 4 * 10**10, 10**11])  # fmt: skip
def test_classes_of_all_rates(lab, rate):
    first = Class("e0", "1:10", "1:", rate, rate)
    second = first._replace(ceil=2 * rate)
    # tc 6.1 loses what is below a microsecond of a burst: that is the business of tc/test_rates.py.
    alike(lab, HTB, life(first, second), queues("e0"), without=r" c?burst [0-9.]+[KMG]?b/\d+")


@pytest.mark.needs("ifb", "htb")
@pytest.mark.parametrize("rate", [8 * 10**3, 10**6, 8 * 10**6, 10**8])
def test_bursts_that_are_not_what_tc_would_choose(lab, rate):
    first = Class("e0", "1:10", "1:", rate, rate, burst=15625 * 8, cburst=15625 * 16)
    alike(lab, HTB, life(first, first._replace(prio=1), first._replace(prio=2, cburst=15625 * 4)), queues("e0"))


@pytest.mark.needs("ifb", "htb")
@pytest.mark.parametrize("type", [
    pytest.param("bpf", marks=pytest.mark.needs("bpf")),
    pytest.param("fw", marks=pytest.mark.needs("fw")),
])  # fmt: skip
def test_filters(lab, type):
    filters = [
        Filter("e0", prio, value & 0x7FFFFFFF if type == "bpf" else value, type, value, mask, "1:10")
        for prio, value, mask in ((1000, 0x10, 0xFFFFFFFF), (3400, 0x10, 0xFF), (3400, 0x20, 0xFF), (7, 0x90000000, 0xF0000000))
    ]  # fmt: skip
    moved = [update(f, f._replace(flowid="1:1")) for f in filters]
    alike(lab, TREE, [*map(create, filters), *moved, *(delete(change.after) for change in moved)], queues("e0"))
