"""What the kinds read: recorded dumps of two kernels, this kernel's own dumps, and what pyroute2 makes in it.

``record.py`` built the recorded network and wrote the dumps; what it must mean stands here, in plain words.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.resources.address import Address
from reconciler.resources.base import Sight
from reconciler.resources.link.device import Device
from reconciler.resources.link.link import Link
from reconciler.resources.registry import KINDS
from reconciler.resources.route import Hop, Route
from reconciler.resources.rule import Rule
from reconciler.resources.tc.class_ import Class
from reconciler.resources.tc.filter import Filter
from reconciler.resources.tc.qdisc import Qdisc
from tests.netns.probes import lacks
from tests.resources import strategies
from tests.resources.host import ORDER, OWNER, Host, create, delete, kind_of, ready
from tests.resources.record import OURS, WITH_FW, build

DUMPS = sorted((Path(__file__).parent / "dumps").glob("*.json"))
KERNEL = 2

LINKS = [
    (Link("lo", "hardware"), KERNEL),
    (Link("e0", "ifb"), 0),
    (Link("e1", "ifb"), 0),
    (Link("b0", "bridge"), 0),
    (Link("v1", "veth", (("peer", "v0"),)), 0),
]
DEVICES = [
    (Device("lo", "up", 65536, "", False), KERNEL),
    (Device("e0", "up", 1500, "", False), KERNEL),
    (Device("e1", "down", 1400, "b0", False), KERNEL),
    (Device("b0", "down", 1400, "", False), KERNEL),
    (Device("v0", "down", 1500, "", False), KERNEL),
    (Device("v1", "down", 1500, "", False), KERNEL),
]
ADDRESSES = [
    (Address("lo", 4, "127.0.0.1/8", "", False, False), KERNEL),
    (Address("lo", 6, "::1/128", "", False, False), KERNEL),
    (Address("e0", 4, "192.0.2.9/24", "", False, False), 0),
    (Address("e0", 4, "192.0.2.10/24", "", True, False), 0),
    (Address("e0", 4, "198.51.100.1/32", "198.51.100.2/32", False, False), 0),
    (Address("e0", 6, "2001:db8::9/64", "", False, False, nodad=True), 0),
    (  # it has a lifetime, as from an advertisement
        Address("e0", 6, "2001:db8:0:1::9/64", "", False, False, nodad=True, valid=9999, preferred=999),
        KERNEL,
    ),
    (Address("e0", 6, "fe80::ff:fe00:10/64", "", False, False), KERNEL),
]
HOPS4 = (Hop("192.0.2.1", "e0"), Hop("192.0.2.3", "e0", 5))
HOPS6 = (Hop("fe80::1", "e0"), Hop("fe80::2", "e0"))
ROUTES = [
    (Route(4, 254, "192.0.2.0/24", 0, dev="e0", src="192.0.2.9"), KERNEL),
    (Route(4, 254, "198.51.100.2/32", 0, dev="e0", src="198.51.100.1"), KERNEL),
    (Route(4, 254, "10.1.0.0/16", 0, options=(("nexthops", HOPS4),)), 3),
    (Route(4, 254, "10.2.0.0/16", 0, via="203.0.113.1", dev="e0", options=(("onlink", True),)), 77),
    (Route(4, 254, "10.3.0.0/16", 0, via="192.0.2.1", dev="e0", options=(("mtu", 1300), ("mtu-lock", True), ("advmss", 1200))), 3),
    (Route(4, 254, "10.4.0.0/16", 0, via="2001:db8::1", dev="e0"), 3),
    (Route(4, 254, "10.5.0.0/16", 0, dev="e0", options=(("tos", 16), ("scope", "global"))), 3),
    (Route(4, 300, "10.6.0.0/16", 0, "throw"), 3),
    (Route(4, 300, "10.7.0.0/16", 0, "local", dev="lo"), 3),
    (Route(4, 254, "10.8.0.0/16", 0, via="192.0.2.1", dev="e0"), 77),
    (Route(4, 254, "10.8.0.0/16", 0, via="192.0.2.3", dev="e0"), 78),
    (Route(6, 254, "2001:db8::/64", 256, dev="e0"), KERNEL),
    (Route(6, 254, "2001:db8:0:1::/64", 256, dev="e0"), KERNEL),
    (Route(6, 254, "fe80::/64", 256, dev="e0"), KERNEL),
    (Route(6, 254, "2001:db8:4::/48", 1024, options=(("nexthops", HOPS6),)), 3),
    (Route(6, 254, "2001:db8:5::/48", 1024, via="fe80::1", dev="e0", options=(("pref", "high"),)), 3),
]  # fmt: skip
RULES = [
    (Rule(4, 0, table=255), KERNEL),
    (Rule(4, 32766, table=254), KERNEL),
    (Rule(4, 32767, table=253), KERNEL),
    (Rule(6, 0, table=255), KERNEL),
    (Rule(6, 32766, table=254), KERNEL),
    (Rule(4, 50, 3, 0xFFFFFFFF, from_="10.1.0.2/24", table=9), 0),
    (Rule(4, 51, to="10.9.0.0/16", iif="lo", oif="eth9", table=300, invert=True, suppress_prefixlength=1), 77),
    (Rule(6, 53, from_="2001:db8::/32", action="goto", goto=60), 0),
    (Rule(4, 52, uid=(0, 0), ip_protocol=17, dport=(53, 53), action="unreachable"), 0),
]
QUEUES = [
    (Qdisc("e1", "7:", "tbf"), 0),
    (Filter("e0", 9, 0x80000800, "u32", 0x80000800, 0xFFFFFFFF, "", "u32 protocol 0x8"), 0),
]
FOREIGN = [*LINKS, *DEVICES, *ADDRESSES, *ROUTES, *RULES, *QUEUES]


def steady(found):
    """What was found, with lifetimes that have not run down yet."""
    value, mark = found
    runs = isinstance(value, Address) and 9900 < value.valid < 9999
    return (value._replace(valid=9999, preferred=999) if runs else value, mark)


def landed(value):
    """A value of ours with what the kernel decides about it here."""
    if isinstance(value, Address):
        return value._replace(secondary=value.family == 4, tentative=False)
    return value


def narrowed(found):
    """What was found, without the settings and options that tests of their own look at."""
    for value, mark in found:
        if isinstance(value, Device):
            yield Device(*value[:5]), mark
        elif isinstance(value, Link) and value.type == "bridge":
            yield value._replace(options=()), mark
        else:
            yield value, mark


@pytest.mark.parametrize("path", DUMPS, ids=lambda path: path.stem)
def test_recorded_dumps(path):
    recorded = json.loads(path.read_text())
    sight, found = Sight(OWNER), []
    for name in ORDER:
        bodies = [(kind, bytes.fromhex(body)) for kind, body in recorded.get(name, [])]
        KINDS[name].survey((body for _, body in bodies), sight)
        found += [steady(f) for kind, body in bodies for f in KINDS[name].decode(kind, body, sight)]
    old = path.stem == "6.1"
    expected = [*FOREIGN, *[(landed(value), None) for value in (*OURS, *(WITH_FW if old else ()))]]
    assert sorted(narrowed(found), key=repr) == sorted(expected, key=repr)


@pytest.mark.needs("veth", "ifb", "bridge", "htb", "bpf", "u32")
def test_what_is_made_is_read_as_what_it_is(lab):
    host = Host.of(lab)
    ours = build(host)
    groups = host.found().values()
    assert {f.value for group in groups for f in group if f.mark is None} == {landed(value) for value in ours}


@pytest.mark.needs("veth", "ifb", "bridge", "htb", "bpf", "u32")
@pytest.mark.parametrize("kind", ["route", "rule"])
def test_what_is_foreign_is_taken_away_and_put_back_as_it_was(lab, kind):
    host = Host.of(lab)
    build(host)
    before = host.found()[kind]
    foreign = [f for f in before if f.mark not in (None, KERNEL)]
    assert len(foreign) > 3
    for value, mark in foreign:
        host.ask(delete(value, mark))
    assert host.found()[kind] == [f for f in before if f not in foreign]
    for value, mark in foreign:
        host.ask(create(value, mark))
    assert sorted(host.found()[kind], key=repr) == sorted(before, key=repr)


@pytest.mark.needs("ifb")
@pytest.mark.parametrize("nexthop", ["via 192.0.2.1 dev e0", "via 2001:db8::1 dev e0", "group 1/3", "blackhole"])
def test_a_route_with_a_nexthop_object_is_taken_away_and_put_back(lab, nexthop):
    host = Host.of(lab, "host", "ip link add e0 type ifb", "ip link set e0 up", "ip address add 192.0.2.2/24 dev e0")
    host.prepare(["ip address add 2001:db8::2/64 dev e0 nodad"])
    host.prepare(f"ip nexthop add id {n} via 192.0.2.{n} dev e0" for n in (1, 3))
    host.prepare([f"ip nexthop add id 5 {nexthop}", "ip route add 10.0.0.0/8 nhid 5 proto 77"])
    (value,) = [f.value for f in host.found()["route"] if f.mark == 77]
    assert value.options == (("nexthop", 5),)
    shown = host.namespace.output("ip", "route")
    host.ask(delete(value, 77))
    assert host.namespace.output("ip", "route") != shown
    host.ask(create(value, 77))
    assert host.namespace.output("ip", "route") == shown


@pytest.fixture
def host(lab):
    """Two devices that reach every gateway: each family's default is connected."""
    lines = ["ip link add e0 address 02:00:00:00:00:10 type ifb", "ip link add e1 address 02:00:00:00:00:11 type ifb"]
    lines += ["ip link set e0 up", "ip link set e1 up"]
    made = Host.of(lab, "host", *lines)
    for dev in ("e0", "e1"):
        made.namespace.sysctl(f"net.ipv6.conf.{dev}.accept_dad", 0)
    return made


FEW = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


def reach(host, route):
    """Give a route what it stands on: its source, and a way to its gateway."""
    made = []
    if route.src:
        address = Address(route.dev, route.family, f"{route.src}/{32 if route.family == 4 else 128}")
        made.append(create(address, 77))
    if route.via:
        family, length = (6, 128) if ":" in route.via else (4, 32)
        made.append(create(Route(family, 254, f"{route.via}/{length}", 9, dev=route.dev), 77))
    for change in made:
        host.ask(change)
    ready(host)
    return [delete(change.after, 77) for change in reversed(made)]


@pytest.mark.needs("ifb", "ipv6")
@FEW
@given(st.data())
def test_a_route_comes_back_as_it_was_sent(host, data):
    route = data.draw(strategies.routes().filter(lambda r: r.via != r.src or not r.via))
    if route.via and route.family == 6 and route.to == f"{route.via}/128":
        return
    undo = reach(host, route)
    host.ask(create(route))
    found = host.ours("route")
    host.ask(delete(route))
    left = host.ours("route")
    for change in undo:
        host.ask(change)
    assert (found, left) == ([route], [])


@FEW
@given(st.data())
def test_a_rule_comes_back_as_it_was_sent(host, data):
    rule = data.draw(strategies.rules(users=not lacks("uidrange")))
    host.ask(create(rule))
    found = host.ours("rule")
    host.ask(delete(rule))
    assert (found, host.ours("rule")) == ([rule], [])


@pytest.mark.needs("ifb", "ipv6")
@FEW
@given(st.data())
def test_an_address_comes_back_as_it_was_sent(host, data):
    address = data.draw(strategies.addresses())
    host.ask(create(address))
    ready(host)
    found = host.ours("address")
    host.ask(delete(address))
    assert found == [address]
    assert host.ours("address") == []


def by_pyroute2(build):
    """Call a function with an ``IPRoute`` of the namespace that the calling thread is in."""
    from pyroute2 import IPRoute

    with IPRoute() as ip:
        build(ip)


@pytest.mark.needs("veth", "bridge", "ifb", "htb")
def test_what_pyroute2_makes_is_read_as_what_it_is(lab):
    host = Host.of(lab)

    def links(ip):
        ip.link("add", ifname="v0", kind="veth", peer={"ifname": "v1"})
        ip.link("add", ifname="b0", kind="bridge")
        ip.link("add", ifname="e0", kind="ifb")
        index = {name: ip.link_lookup(ifname=name)[0] for name in ("v0", "b0", "e0")}
        ip.link("set", index=index["v0"], master=index["b0"], mtu=1400)
        ip.link("set", index=index["e0"], state="up")
        ip.addr("add", index=index["e0"], address="192.0.2.2", prefixlen=24)
        ip.addr("add", index=index["e0"], address="2001:db8::2", prefixlen=64)

    def routes(ip):
        ip.route("add", dst="10.0.0.0/8", gateway="192.0.2.1", table=300, priority=7, proto=94)
        ip.route("add", dst="10.1.0.0/16", type="unreachable", table=300, proto=77)
        ip.route("add", dst="2001:db8:1::/48", gateway="2001:db8::1", table=100, prefsrc="2001:db8::2")
        ip.rule("add", priority=17000, fwmark=0x10, fwmask=0xFF, table=300, protocol=94)
        ip.rule("add", priority=17001, src="10.0.0.0", src_len=8, iifname="lo", table=9)
        index = {"e0": ip.link_lookup(ifname="e0")[0]}
        ip.tc("add", "htb", index["e0"], 0x10000, default=0x20)
        ip.tc("add-class", "htb", index["e0"], "1:20", parent="1:0", rate="1mbit", ceil="40gbit", prio=3)

    host.namespace.call(by_pyroute2, links)
    ready(host)
    host.namespace.call(by_pyroute2, routes)
    found = {tuple(f) for group in host.found().values() for f in group}
    expected = {
        (Link("v0", "veth", (("peer", "v1"),)), 0),
        (Link("b0", "bridge"), 0),
        (Device("v0", "down", 1400, "b0", False), KERNEL),
        (Address("e0", 4, "192.0.2.2/24", "", False, False), 0),
        (Route(4, 300, "10.0.0.0/8", 7, via="192.0.2.1", dev="e0"), None),
        (Route(4, 300, "10.1.0.0/16", 0, "unreachable"), 77),
        (Route(6, 100, "2001:db8:1::/48", 1024, via="2001:db8::1", dev="e0", src="2001:db8::2"), 4),
        (Rule(4, 17000, 0x10, 0xFF, table=300), None),
        (Rule(4, 17001, from_="10.0.0.0/8", iif="lo", table=9), 0),
        (Qdisc("e0", "1:", "htb", "1:20", 10), 0),
    }
    assert expected <= set(narrowed(found))
    (made,) = [value for value, _ in found if isinstance(value, Class)]
    assert made[:5] == Class("e0", "1:20", "1:", 10**6, 4 * 10**10)[:5]
    assert made.prio == 3


def test_other_messages_are_nobodys_business():
    sight = Sight(OWNER)
    for name in ORDER:
        assert [list(KINDS[name].decode(kind, bytes(64), sight)) for kind in (0, 3, 99, 4000)] == [[]] * 4


def test_each_kind_has_a_value_of_its_own():
    assert all(kind_of(value).value is type(value) for value in (*OURS, *WITH_FW))
    assert not lacks("ip")
