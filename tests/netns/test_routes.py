"""Routes of every sort by the program itself: made, left alone, mended, changed, taken out."""

from __future__ import annotations

import pytest

from tests.netns.objects import assert_same, objects

pytestmark = pytest.mark.needs("ifb", "ipv6")

LINES = """
ip link add name e0 type ifb
ip link add name e1 type ifb
ip link set e0 up
ip link set e1 up
ip address add 192.0.2.2/24 dev e0
ip address add 198.51.100.2/24 dev e1
ip address add 2001:db8::2/64 dev e0 nodad
ip address add 2001:db8:1::2/64 dev e1 nodad
"""


@pytest.fixture
def host(lab):
    made = lab.namespace("host")
    for line in LINES.strip().splitlines():
        made.run(*line.split())
    return made


def text(*routes, **sections):
    listed = "".join(f"      - {{{route}}}\n" for route in routes)
    others = "".join(f"{name}: {content}\n" for name, content in sections.items())
    return f"{others}tables:\n  wan2:\n    id: 100\n    routes:\n{listed}" if routes else f"{others}tables: {{}}\n"


def shown(host, family=4):
    """The routes of the table, as ip shows them, without what everybody's routes have in common."""
    lines = host.output("ip", f"-{family}", "-o", "route", "show", "table", "100").splitlines()
    return [" ".join(line.replace("proto 94", "").replace("pref medium", "").split()) for line in lines]


STORIES = {
    "onlink": ("to: 10.0.0.0/8, via: 203.0.113.1, dev: e0, onlink: true", "10.0.0.0/8 via 203.0.113.1 dev e0 onlink"),
    "mtu": ("to: 10.0.0.0/8, via: 192.0.2.1, mtu: 1400", "10.0.0.0/8 via 192.0.2.1 dev e0 mtu 1400"),
    "locked mtu": (
        "to: 10.0.0.0/8, via: 192.0.2.1, mtu: 1400, mtu-lock: true",
        "10.0.0.0/8 via 192.0.2.1 dev e0 mtu lock 1400",
    ),
    "metrics": (
        "to: 10.0.0.0/8, dev: e0, advmss: 1360, initcwnd: 20, initrwnd: 30, hoplimit: 9",
        "10.0.0.0/8 dev e0 scope link advmss 1360 hoplimit 9 initcwnd 20 initrwnd 30",
    ),
    "scope": ("to: 10.0.0.0/8, dev: e0, scope: global", "10.0.0.0/8 dev e0"),
    "tos": ("to: 10.0.0.0/8, dev: e0, tos: 16", "10.0.0.0/8 tos 0x10 dev e0 scope link"),
    "preference": (
        'to: "2001:db8:7::/48", dev: e0, pref: high',
        "2001:db8:7::/48 dev e0 metric 1024 pref high",
    ),
    "throw": ("to: 10.0.0.0/8, type: throw", "throw 10.0.0.0/8"),
    "local": ("to: 10.0.0.0/8, type: local, dev: lo", "local 10.0.0.0/8 dev lo scope host"),
    "several next hops": (
        "to: 10.0.0.0/8, nexthops: [{via: 192.0.2.1}, {via: 198.51.100.1, dev: e1, weight: 3}]",
        "10.0.0.0/8 \\ nexthop via 192.0.2.1 dev e0 weight 1 \\ nexthop via 198.51.100.1 dev e1 weight 3",
    ),
    "several next hops of IPv6": (
        'to: "2001:db8:7::/48", nexthops: [{via: "fe80::1", dev: e0}, {via: "2001:db8:1::1", weight: 256}]',
        "2001:db8:7::/48 metric 1024 \\ nexthop via fe80::1 dev e0 weight 1 \\ nexthop via 2001:db8:1::1 dev e1 weight 256",
    ),
    "a gateway of IPv6": (
        'to: 10.0.0.0/8, via: "2001:db8::1", dev: e0',
        "10.0.0.0/8 via inet6 2001:db8::1 dev e0",
    ),
}


@pytest.mark.parametrize("name", STORIES)
def test_a_route_is_made_kept_mended_and_taken_out(host, program, name):
    entry, expected = STORIES[name]
    family = 6 if "2001" in entry.partition(",")[0] else 4
    before = objects(host, ("e0", "e1"))
    reconciler = program(host, text=text(entry))
    assert len(reconciler("apply").changes) == 1
    assert shown(host, family) == [expected]
    assert reconciler.converged()
    host.run("ip", f"-{family}", "route", "flush", "table", "100")
    assert len(reconciler("apply").changes) == 1
    assert shown(host, family) == [expected]
    reconciler.write(text())
    reconciler("apply")
    assert_same(before, objects(host, ("e0", "e1")))


CHANGES = [
    (["to: 10.0.0.0/8, dev: e0"], ["to: 10.0.0.0/8, dev: e0, mtu: 1400"], "10.0.0.0/8 dev e0 → dev e0 mtu 1400"),
    (
        ["to: 10.0.0.0/8, dev: e0, mtu: 1400"],
        ["to: 10.0.0.0/8, type: throw"],
        "10.0.0.0/8 dev e0 mtu 1400 → throw",
    ),
    (
        ['to: "2001:db8:7::/48", dev: e0, mtu: 1400'],
        ['to: "2001:db8:7::/48", via: "fe80::1", dev: e0, pref: low'],
        "2001:db8:7::/48 dev e0 mtu 1400 → via fe80::1 dev e0 pref low",
    ),
    (
        ['to: 10.0.0.0/8, via: "fe80::1", dev: e0'],
        ["to: 10.0.0.0/8, via: 192.0.2.1"],
        "10.0.0.0/8 via fe80::1 dev e0 → via 192.0.2.1 dev e0",
    ),
]


@pytest.mark.parametrize(("before", "after", "line"), CHANGES)
def test_a_route_changes_in_place_and_back(host, program, before, after, line):
    reconciler = program(host, text=text(*before))
    reconciler("apply")
    there = objects(host, ("e0", "e1"))
    (change,) = reconciler.write(text(*after))("apply").changes
    assert change.replace(":", "").endswith(line.replace(":", ""))
    assert change.startswith("~")
    assert reconciler.converged()
    reconciler.write(text(*before))("apply")
    assert_same(there, objects(host, ("e0", "e1")))


def test_a_change_by_hand_is_mended(host, program):
    reconciler = program(host, text=text("to: 10.0.0.0/8, via: 192.0.2.1, mtu: 1400"))
    reconciler("apply")
    host.run("ip", "route", "change", "10.0.0.0/8", "via", "192.0.2.1", "mtu", "1300", "table", "100", "proto", "94")
    reconciler("apply")
    assert shown(host) == ["10.0.0.0/8 via 192.0.2.1 dev e0 mtu 1400"]


def test_a_scope_that_the_file_does_not_name_is_left_alone(host, program):
    reconciler = program(host, text=text("to: 10.0.0.0/8, dev: e0"))
    host.run(*"ip route add 10.0.0.0/8 dev e0 table 100 scope global proto 94".split())
    assert reconciler.converged()
    reconciler.write(text("to: 10.0.0.0/8, dev: e0, scope: link"))
    assert len(reconciler("apply").changes) == 1
    assert shown(host) == ["10.0.0.0/8 dev e0 scope link"]


def test_a_foreign_route_of_another_tos_is_no_conflict(host, program):
    host.run(*"ip route add 10.0.0.0/8 dev e1 tos 0x10 table 100".split())
    reconciler = program(host, text=text("to: 10.0.0.0/8, dev: e0", "to: 10.0.0.0/8, dev: e0, tos: 8"))
    assert len(reconciler("apply").changes) == 2
    reconciler.write(text())("apply")
    assert shown(host) == ["10.0.0.0/8 tos 0x10 dev e1 scope link"]


@pytest.mark.parametrize(("entry", "reason"), [
    ("to: 10.0.0.0/8, via: 203.0.113.1, dev: e2, onlink: true", "e2 does not exist yet"),
    ("to: 10.0.0.0/8, via: 192.0.2.2, dev: e0, onlink: true", "192.0.2.2 is an address of this host"),
    ('to: 10.0.0.0/8, via: "2001:db8:9::1", dev: e0', "no address on e0 reaches 2001:db8:9::1"),
    ('to: "2001:db8:7::/48", via: "2001:db8:1::1", dev: e0, onlink: true', "is on the link of another device"),
])  # fmt: skip
def test_what_cannot_be_made_yet_waits_with_a_reason(host, program, entry, reason):
    reconciler = program(host, text=text(entry))
    (pending,) = reconciler("apply", status=None).pending
    assert reason in pending


BOTH = "to: 10.0.0.0/8, nexthops: [{via: 192.0.2.1, dev: e0}, {via: 198.51.100.1, dev: e1, weight: 3}]"
BOTH6 = 'to: "2001:db8:7::/48", nexthops: [{via: "fe80::1", dev: e0}, {via: "fe80::2", dev: e1, weight: 3}]'
MENDED = [BOTH.replace("weight: 3", "weight: 2"), BOTH.replace("192.0.2.1", "192.0.2.7")]
MENDED += [BOTH6.replace("weight: 3", "weight: 2"), BOTH6.replace("fe80::2", "fe80::7")]
MENDED += ["to: 10.0.0.0/8, dev: e0", 'to: "2001:db8:7::/48", via: "fe80::1", dev: e0']


@pytest.mark.parametrize("after", MENDED)
def test_next_hops_change_in_place_and_back_and_go(host, program, after):
    before = objects(host, ("e0", "e1"))
    reconciler = program(host, text=text(BOTH, BOTH6))
    reconciler("apply")
    there = objects(host, ("e0", "e1"))
    kept = BOTH if "2001" in after else BOTH6
    (change,) = reconciler.write(text(kept, after))("apply").changes
    assert change.startswith("~")
    assert reconciler.converged()
    reconciler.write(text(BOTH, BOTH6))("apply")
    assert_same(there, objects(host, ("e0", "e1")))
    reconciler.write(text())("apply")
    assert_same(before, objects(host, ("e0", "e1")))


def test_a_next_hop_that_is_out_of_use_is_no_difference(host, program):
    reconciler = program(host, text=text(BOTH, BOTH6))
    reconciler("apply")
    host.run("ip", "link", "set", "e0", "down")
    assert "dead" in shown(host)[0]
    assert "dead" in shown(host, 6)[0]
    assert reconciler.converged()
    host.run("ip", "link", "set", "e0", "up")
    assert "dead" not in shown(host)[0]
    assert "dead" not in shown(host, 6)[0]
    assert reconciler.converged()


def test_all_next_hops_must_be_reachable_at_first(host, program):
    host.run("ip", "link", "set", "e1", "down")
    reconciler = program(host, text=text(BOTH))
    (pending,) = reconciler("apply", status=None).pending
    assert "e1 is down" in pending
    host.run("ip", "link", "set", "e1", "up")
    assert len(reconciler("apply").changes) == 1
    assert reconciler.converged()


def test_next_hops_that_others_append_to_ours_are_left_alone(host, program):
    reconciler = program(host, text=text(BOTH6))
    reconciler("apply")
    host.run(*"ip -6 route append 2001:db8:7::/48 via fe80::9 dev e1 table 100 proto 77".split())
    assert reconciler.converged()
    reconciler.write(text())("apply")
    assert shown(host, 6) == ["2001:db8:7::/48 via fe80::9 dev e1 proto 77 metric 1024"]
