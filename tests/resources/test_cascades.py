"""What the kernel takes along by itself is what the kinds say: each story is told to the kernel, then compared."""

from __future__ import annotations

import os

import pytest

from reconciler.core.world import World
from reconciler.resources.address import Address
from reconciler.resources.link.device import Device
from reconciler.resources.link.link import Link
from reconciler.resources.link.port_value import Port
from reconciler.resources.registry import KINDS
from reconciler.resources.tc.class_ import Class
from reconciler.resources.tc.filter import Filter
from reconciler.resources.tc.qdisc import Qdisc
from tests.resources.host import Host, create, delete, kind_of, ready, update

KERNEL = 2
sources_of_other_devices = pytest.mark.skipif(
    [int(word) for word in os.uname().release.split(".")[:2]] < [6, 6],
    reason="this kernel takes the source from IPv6 routes of the same device only (what newer ones do is foretold)",
)


def foretold(state, change):
    """What a change takes along, and the state that it leads to, as its kind says."""
    world = World(KINDS, state)
    kind = KINDS[change.key[0]]
    effects = list(kind.takes(change.before, change.after, world)) if change.before is not None else []
    assert len(effects) == len(set(effects)), "an effect is named twice"
    mark = change.mark
    if change.before is not None:
        before, mark = next(held for held in world.holders(change.key) if plain(held[0]) == plain(change.before))
        world.drop(change.key, before, mark)
    for effect in effects:
        assert (effect.before, effect.mark) in list(world.holders(effect.key)), f"{effect} is about nothing"
        world.drop(effect.key, effect.before, effect.mark)
        if effect.after is not None:
            world.put(effect.key, effect.after, effect.mark)
    for effect in effects:
        if effect.after is not None:
            for value, maker in list(kind_of(effect.after).brings(effect.before, effect.after, effect.mark, world)):
                world.put(kind_of(value).key(value), value, maker)
    if change.after is not None:
        after = kind.lands(change.after, world) if change.before is None else change.after
        world.put(change.key, after, mark)
        for value, maker in list(kind.brings(change.before, after, mark, world)):
            world.put(kind_of(value).key(value), value, maker)
    return effects, world.state()


def objects(state):
    """All objects of a state, as a set that can be compared and shown."""
    ours = {(plain(value), None) for value in state.ours.values()}
    return ours | {(plain(held.value), held.mark) for group in state.foreign.values() for held in group}


def plain(value):
    """A value without what changes by itself later, or is read and never written."""
    if isinstance(value, Address):
        return value._replace(tentative=None, nodad=None)
    if isinstance(value, Port):
        return value._replace(cost=None)
    if isinstance(value, Link) and value.type == "bridge":
        return value._replace(options=())
    if isinstance(value, Port):
        return value._replace(cost=None)  # Depends on the interface's speed, and is not foretold.
    return Device(*value[:4]) if isinstance(value, Device) else value


def happens(host, change):
    """Make the change; what the kernel does must be what was foretold. Returns what was foretold to go or become."""
    ready(host)
    before = host.state()
    effects, after = foretold(before, change)
    host.ask(change)
    ready(host)
    seen, expected = objects(host.state()), objects(after)
    missing, surplus = sorted(map(str, expected - seen)), sorted(map(str, seen - expected))
    assert (missing, surplus) == ([], []), "foretold but not so, and seen but not foretold"
    return {(effect.before, effect.after) for effect in effects}


def two(lab, *lines):
    """A host with two devices; all of it foreign, but for what a test makes."""
    made = Host.of(lab, "host")
    for number, dev in enumerate(("e0", "e1")):
        made.prepare([f"ip link add {dev} address 02:00:00:00:00:1{number} type ifb", f"ip link set {dev} up"])
    made.prepare(lines)
    return made


ROUTES4 = (
    "ip address add 192.0.2.2/24 dev e0",
    "ip address add 198.51.100.2/24 dev e1",
    "ip route add 10.1.0.0/16 via 192.0.2.1 dev e0",
    "ip route add 10.1.0.0/16 via 192.0.2.1 dev e0 table 100",
    "ip route add 10.2.0.0/16 dev e0 table 300",
    "ip route add 10.3.0.0/16 via 198.51.100.1 dev e1 src 192.0.2.2",
    "ip route add 10.3.0.0/16 via 198.51.100.1 dev e1 src 192.0.2.2 table 100",
    "ip route add 10.4.0.0/16 via 198.51.100.1 dev e1",
    "ip route add unreachable default metric 4294967295 table 100",
)
ROUTES6 = (
    "ip address add 2001:db8:1::2/64 dev e0 nodad",
    "ip address add 2001:db8:2::2/64 dev e1 nodad",
    "ip route add 2001:db8:a::/48 via 2001:db8:1::1 dev e0",
    "ip route add 2001:db8:a::/48 via 2001:db8:1::1 dev e0 table 100",
    "ip route add 2001:db8:b::/48 via 2001:db8:2::1 dev e1 src 2001:db8:1::2",
    "ip route add 2001:db8:b::/48 via 2001:db8:2::1 dev e1 src 2001:db8:1::2 table 100",
    "ip route add 2001:db8:c::/48 dev e0 src 2001:db8:1::2 table 300",
    "ip route add unreachable 2001:db8:d::/48 table 300",
    "ip route add 2001:db8:e::/48 dev lo table 300",
)


@pytest.mark.needs("ifb")
def test_the_last_address_of_a_device_takes_its_routes(lab):
    host = two(lab, *ROUTES4)
    happens(host, delete(Address("e0", 4, "192.0.2.2/24", "", False, False)))


@pytest.mark.needs("ifb")
@pytest.mark.parametrize("other", ["203.0.113.2/24", "192.0.2.2/25", "192.0.2.2/32", "192.0.3.1/23"])
def test_an_address_that_is_not_the_last_takes_less(lab, other):
    host = two(lab, *ROUTES4, f"ip address add {other} dev e0")
    happens(host, delete(Address("e0", 4, "192.0.2.2/24", "", False, False)))


@pytest.mark.needs("ifb")
def test_an_address_that_is_on_another_device_as_well_goes_on_being_a_source(lab):
    host = two(lab, *ROUTES4, "ip address add 192.0.2.2/24 dev e1", "ip address add 203.0.113.2/24 dev e0")
    happens(host, delete(Address("e0", 4, "192.0.2.2/24", "", False, False)))


@pytest.mark.needs("ifb")
@pytest.mark.parametrize("promote", [0, 1])
def test_a_primary_takes_or_promotes_its_secondaries(lab, promote):
    host = two(lab, *ROUTES4, "ip address add 192.0.2.3/24 dev e0", "ip address add 192.0.2.4/24 dev e0")
    host.prepare(
        ["ip route add 10.5.0.0/16 via 192.0.2.1 src 192.0.2.3", "ip route add 10.6.0.0/16 via 192.0.2.1 src 192.0.2.4"]
    )
    host.namespace.sysctl("net.ipv4.conf.e0.promote_secondaries", promote)
    happens(host, delete(Address("e0", 4, "192.0.2.2/24", "", False, False)))


@pytest.mark.needs("ifb")
def test_which_secondary_is_promoted_is_not_foretold_but_all_else_is(lab):
    """The kernel takes the oldest; a plan must not depend on the order in which objects were read."""
    host = two(lab, *(f"ip address add 192.0.2.{number}/24 dev e0" for number in (2, 9, 3, 7)))
    host.namespace.sysctl("net.ipv4.conf.e0.promote_secondaries", 1)
    gone = delete(Address("e0", 4, "192.0.2.2/24", "", False, False))
    _, after = foretold(host.state(), gone)
    host.ask(gone)
    seen = host.state()
    assert seen.foreign.keys() == after.foreign.keys()
    assert [v.host for v in host.values("address") if v.dev == "e0" and v.family == 4 and not v.secondary] == [
        "192.0.2.9"
    ]


@pytest.mark.needs("ifb")
@pytest.mark.parametrize("promote", [0, 1])
def test_a_primary_beside_another_subnet_takes_or_promotes_its_secondaries(lab, promote):
    host = two(lab, *ROUTES4, "ip address add 192.0.2.3/24 dev e0", "ip address add 203.0.113.3/24 dev e0")
    host.prepare(
        [
            "ip route add 10.5.0.0/16 via 192.0.2.1 src 192.0.2.3",
            "ip route add 10.6.0.0/16 via 203.0.113.1 src 192.0.2.3",
        ]
    )
    host.namespace.sysctl("net.ipv4.conf.e0.promote_secondaries", promote)
    happens(host, delete(Address("e0", 4, "192.0.2.2/24", "", False, False)))


@pytest.mark.needs("ifb")
def test_a_secondary_takes_nothing_but_its_source(lab):
    host = two(
        lab, *ROUTES4, "ip address add 192.0.2.3/24 dev e0", "ip route add 10.5.0.0/16 via 192.0.2.1 src 192.0.2.3"
    )
    happens(host, delete(Address("e0", 4, "192.0.2.3/24", "", True, False)))


@pytest.mark.needs("ifb")
def test_an_address_with_a_peer(lab):
    host = two(
        lab,
        *ROUTES4,
        "ip address add 203.0.113.1 peer 203.0.113.2/32 dev e0",
        "ip route add 10.5.0.0/16 via 203.0.113.2",
    )
    happens(host, delete(Address("e0", 4, "203.0.113.1/32", "203.0.113.2/32", False, False)))


@sources_of_other_devices
@pytest.mark.needs("ifb", "ipv6")
def test_an_ipv6_address(lab):
    host = two(lab, *ROUTES6)
    happens(host, delete(Address("e0", 6, "2001:db8:1::2/64", "", False, False)))


@sources_of_other_devices
@pytest.mark.needs("ifb", "ipv6")
@pytest.mark.parametrize("other", ["2001:db8:1::3/64", "2001:db8:1::3/128", "2001:db8:1::3/48"])
def test_an_ipv6_address_beside_another(lab, other):
    host = two(lab, *ROUTES6, f"ip address add {other} dev e0 nodad")
    happens(host, delete(Address("e0", 6, "2001:db8:1::2/64", "", False, False)))


@sources_of_other_devices
@pytest.mark.needs("ifb", "ipv6")
def test_an_ipv6_address_that_is_on_another_device_as_well(lab):
    host = two(lab, *ROUTES6, "ip address add 2001:db8:1::2/64 dev e1 nodad")
    happens(host, delete(Address("e0", 6, "2001:db8:1::2/64", "", False, False)))


@pytest.mark.needs("ifb", "ipv6")
def test_an_ipv6_address_of_its_own(lab):
    host = two(
        lab,
        *ROUTES6,
        "ip address add 2001:db8:9::9/128 dev e0 nodad",
        "ip address add 2001:db8:9::7 peer 2001:db8:9::8 dev e0 nodad",
    )
    happens(host, delete(Address("e0", 6, "2001:db8:9::9/128", "", False, False)))
    happens(host, delete(Address("e0", 6, "2001:db8:9::7/128", "2001:db8:9::8/128", False, False)))
    host.prepare(
        [
            "ip address add 2001:db8:8::7 peer 2001:db8:7::8/64 dev e0 nodad",
            "ip address add 2001:db8:8::9/64 dev e0 nodad",
        ]
    )
    happens(host, delete(Address("e0", 6, "2001:db8:8::7/128", "2001:db8:7::8/64", False, False)))


@pytest.mark.needs("ifb")
def test_link_down_ipv4(lab):
    host = two(lab, *ROUTES4)
    up = Device("e0", "up", 1500, "", False)
    happens(host, update(up, up._replace(state="down")))


@pytest.mark.needs("ifb", "ipv6")
def test_link_down_ipv6(lab):
    host = two(lab, *ROUTES6)
    up = Device("e0", "up", 1500, "", False)
    happens(host, update(up, up._replace(state="down")))


@pytest.mark.needs("ifb", "ipv6")
def test_lo_down(lab):
    host = two(lab, *ROUTES4, *ROUTES6)
    up = Device("lo", "up", 65536, "", False)
    happens(host, update(up, up._replace(state="down")))


@pytest.mark.needs("ifb", "ipv6")
def test_a_small_mtu_ends_ipv6(lab):
    host = two(lab, *ROUTES4, *ROUTES6)
    up = Device("e0", "up", 1500, "", False)
    happens(host, update(up, up._replace(mtu=1279)))


QUEUES = (
    "tc qdisc add dev e0 root handle 1: htb default 10",
    "tc class add dev e0 parent 1: classid 1:1 htb rate 10mbit",
    "tc class add dev e0 parent 1:1 classid 1:10 htb rate 1mbit",
)


@pytest.mark.needs("ifb", "htb", "ipv6")
def test_link_deletion(lab):
    host = two(lab, *ROUTES4, *ROUTES6, *QUEUES)
    happens(host, delete(Link("e0", "ifb")))


@pytest.mark.needs("veth", "ipv6", "htb")
@pytest.mark.parametrize(("name", "ours"), [("v0", True), ("v0", False), ("v1", False)])
def test_a_veth_takes_its_other_end_and_all_on_it(lab, name, ours):
    host = two(lab)
    pair = Link("v0", "veth", (("peer", "v1"),))
    if ours:
        host.ask(create(pair))
    else:
        host.prepare(["ip link add v0 type veth peer name v1"])
    host.prepare(["ip link set v0 up", "ip address add 192.0.2.2/24 dev v0", "ip address add 198.51.100.2/24 dev v1"])
    host.prepare(["ip address add 2001:db8:1::2/64 dev v1 nodad", "tc qdisc add dev v1 root handle 1: htb"])
    host.prepare(["ip route add 10.0.0.0/8 via 192.0.2.1"])
    happens(host, delete(pair if name == "v0" else Link("v1", "veth", (("peer", "v0"),)), None if ours else 0))


@pytest.mark.needs("bridge", "ifb")
def test_a_bridge_leaves_its_port_alone(lab):
    host = two(
        lab,
        "ip link add b0 type bridge",
        "ip link set e1 master b0",
        "ip address add 192.0.2.2/24 dev b0",
        "ip address add 198.51.100.2/24 dev e1",
    )
    happens(host, delete(Link("b0", "bridge")))


@pytest.mark.needs("ifb", "htb", "bpf")
def test_a_root_takes_its_classes_and_filters(lab):
    host = two(lab)
    tree = [
        Qdisc("e0", "5ec0:", "htb", "5ec0:10", 10),
        Class("e0", "5ec0:1", "5ec0:", 10**7, 10**7),
        Class("e0", "5ec0:10", "5ec0:1", 10**6, 10**7),
        Filter("e0", 3400, 0x10, "bpf", 0x10, 0xFF, "5ec0:10"),
    ]
    for value in tree:
        host.ask(create(value))
    host.prepare(["tc filter add dev e0 parent 5ec0: protocol ip prio 9 u32 match ip dst 10.0.0.0/8 flowid 5ec0:10"])
    taken = happens(host, delete(tree[0]))
    assert len(taken) == 4


@pytest.mark.needs("ifb")
@pytest.mark.parametrize("family", [4, 6])
def test_a_route_takes_nothing(lab, family):
    host = two(lab, *ROUTES4, *ROUTES6)
    value = next(f.value for f in host.found()["route"] if f.value.table == 100 and f.value.family == family)
    mark = next(f.mark for f in host.found()["route"] if f.value == value)
    assert happens(host, delete(value, mark)) == set()


@pytest.mark.needs("ifb")
@pytest.mark.parametrize(
    "word", ["192.0.2.2/24", "192.0.2.2/32", "192.0.2.2/25", "198.51.100.77/24", "10.0.0.1/8", "198.51.100.4/31"]
)
def test_an_address_brings_the_route_to_its_subnet(lab, word):
    host = two(lab, "ip address add 198.51.100.2/24 dev e0", "ip address add 192.0.2.2/24 dev e1")
    happens(host, create(Address("e0", 4, word)))
    happens(host, create(Address("lo", 4, word)))


@pytest.mark.needs("ifb")
def test_an_address_with_a_peer_brings_the_route_to_it(lab):
    host = two(lab)
    happens(host, create(Address("e0", 4, "192.0.2.2/32", "198.51.100.7/32")))
    happens(host, create(Address("e0", 4, "192.0.2.3/32", "203.0.113.0/24")))


@pytest.mark.needs("ifb", "ipv6")
def test_an_ipv6_address_brings_the_route_to_its_prefix(lab):
    host = two(lab, "ip address add 2001:db8:1::1/64 dev e0 nodad")
    for word in ("2001:db8:1::2/64", "2001:db8:2::2/64", "2001:db8:3::3/128", "2001:db8:4::4/48"):
        happens(host, create(Address("e0", 6, word)))
    happens(host, create(Address("e0", 6, "2001:db8:5::5/128", "2001:db8:6::6/128")))
    happens(host, create(Address("e0", 6, "2001:db8:7::7/128", "2001:db8:8::8/64")))
    happens(host, create(Address("lo", 6, "2001:db8:9::9/128")))


@pytest.mark.needs("ifb", "ipv6")
def test_an_address_on_a_device_that_is_down_brings_its_route_when_it_comes_up(lab):
    host = two(lab, "ip link set e0 down", "ip link set e1 down")
    host.namespace.sysctl("net.ipv6.conf.e0.addr_gen_mode", 1)  # no fe80:: address, which nobody foretells
    happens(host, create(Address("e0", 4, "192.0.2.2/24")))
    happens(host, create(Address("e0", 4, "192.0.2.3/24")))
    happens(host, create(Address("e0", 4, "203.0.113.3/32")))
    down = Device("e0", "down", 1500, "", False)
    happens(host, update(down, down._replace(state="up")))


@pytest.mark.needs("veth", "bridge")
def test_a_link_brings_its_device_and_its_other_end(lab):
    host = two(lab)
    happens(host, create(Link("v0", "veth", (("peer", "v1"),))))
    happens(host, create(Link("b0", "bridge")))
    v0 = Device("v0", "down", 1500, "", False)
    joined = v0._replace(master="b0", mtu=1400, slave="bridge")
    happens(host, update(v0, joined))
    happens(host, update(joined, v0._replace(slave="")))
