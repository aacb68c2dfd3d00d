"""Nexthop objects by the program itself: made, shared by routes, changed in place, mended, taken out."""

from __future__ import annotations

import pytest

from tests.netns.objects import assert_same, objects
from tests.netns.test_routes import LINES

pytestmark = pytest.mark.needs("ifb", "ipv6")

OBJECTS = """
nexthops:
  one: {id: 1, via: 192.0.2.1, dev: e0}
  two: {id: 2, via: 198.51.100.1, dev: e1}
  both: {id: 3, group: [one, {nexthop: two, weight: 5}]}
  none: {id: 4, blackhole: true}
  six: {id: 5, via: "fe80::1", dev: e0}
  link: {id: 6, dev: e1}
  far: {id: 7, via: 203.0.113.1, dev: e0, onlink: true}
"""
ROUTES = """
tables:
  wan2:
    id: 100
    routes:
      - {to: 10.1.0.0/16, nexthop: one}
      - {to: 10.2.0.0/16, nexthop: both, src: 192.0.2.2}
      - {to: 10.3.0.0/16, nexthop: none}
      - {to: 10.4.0.0/16, nexthop: six}
      - {to: 10.5.0.0/16, nexthop: 6, mtu: 1400}
      - {to: "2001:db8:7::/48", nexthop: six}
"""
MADE = [
    "id 1 via 192.0.2.1 dev e0 scope link proto 94",
    "id 2 via 198.51.100.1 dev e1 scope link proto 94",
    "id 3 group 1/2,5 proto 94",
    "id 4 blackhole proto 94",
    "id 5 via fe80::1 dev e0 scope link proto 94",
    "id 6 dev e1 scope host proto 94",
    "id 7 via 203.0.113.1 dev e0 scope link proto 94 onlink",
]


@pytest.fixture
def host(lab):
    made = lab.namespace("host")
    for line in LINES.strip().splitlines():
        made.run(*line.split())
    return made


def shown(host, *what):
    return [" ".join(line.split()) for line in host.output("ip", *(what or ("nexthop",))).splitlines()]


def routes(host):
    return [line for family in ("-4", "-6") for line in shown(host, family, "-o", "route", "show", "table", "100")]


@pytest.fixture
def reconciler(host, program):
    return program(host, text=OBJECTS + ROUTES)


def test_objects_and_their_routes_are_made_kept_and_taken_out(host, reconciler):
    before = objects(host, ("e0", "e1"))
    assert len(reconciler("apply").changes) == 13
    assert shown(host) == MADE
    assert len(routes(host)) == 6
    assert reconciler.converged()
    reconciler("teardown")
    assert shown(host) == []
    assert_same(before, objects(host, ("e0", "e1")))


@pytest.mark.parametrize("story", ["nexthop del id 1", "nexthop flush", "link set e0 down", "link set e1 down"])
def test_what_is_lost_comes_back(host, reconciler, story):
    reconciler("apply")
    before = routes(host)
    host.run("ip", *story.split())
    assert not reconciler.converged() or "down" in story  # then it waits
    for device in ("e0", "e1"):
        host.run("ip", "link", "set", device, "up")
    for dev, address in (("e0", "2001:db8::2/64"), ("e1", "2001:db8:1::2/64")):
        host.run("ip", "address", "replace", address, "dev", dev, "nodad")
    reconciler("apply")
    assert shown(host) == MADE
    assert sorted(routes(host)) == sorted(before)
    assert reconciler.converged()


def test_one_that_begins_to_drop_is_made_anew_so_that_what_others_built_on_it_is_shown(host, reconciler):
    text = "nexthops: {a: {id: 1, via: 192.0.2.9, dev: e0}}\n"
    reconciler.write(text)("apply")
    host.run("ip", "route", "add", "10.99.0.0/16", "nhid", "1", "table", "77")
    refused = reconciler.write(text.replace("via: 192.0.2.9, dev: e0", "blackhole: true"))("apply", status=7)
    assert any("10.99.0.0/16" in line for line in refused.along)
    assert "10.99.0.0/16" in host.output("ip", "route", "show", "table", "77")


@pytest.mark.parametrize(("before", "after"), [
    ("via: 192.0.2.1, dev: e0", "via: 192.0.2.9, dev: e0"),
    ("via: 192.0.2.1, dev: e0", 'via: "fe80::7", dev: e0'),
    ("weight: 5", "weight: 9"),
    ("[one, {nexthop: two, weight: 5}]", "[two]"),
    ("onlink: true", "onlink: true, comment: far"),
])  # fmt: skip
def test_an_object_changes_in_place_without_its_routes(host, reconciler, before, after):
    reconciler("apply")
    there = routes(host)
    changes = reconciler.write((OBJECTS + ROUTES).replace(before, after))("apply").changes
    assert len(changes) == ("comment" not in after)
    assert all(change.startswith("~") for change in changes)
    assert reconciler.converged()
    reconciler.write(OBJECTS + ROUTES)("apply")
    assert sorted(routes(host)) == sorted(there)
    assert shown(host) == MADE


@pytest.mark.parametrize(("before", "after"), [
    ("two: {id: 2, via: 198.51.100.1, dev: e1}", "two: {id: 2, via: 198.51.100.1, dev: e1}\n  new: {id: 9, dev: e0}"),
    ("far: {id: 7, via: 203.0.113.1, dev: e0, onlink: true}", "far: {id: 7, group: [two]}"),
    ("six: {id: 5, via: \"fe80::1\", dev: e0}", "six: {id: 5, via: \"2001:db8::1\", dev: e0}"),
    ("both: {id: 3, group: [one, {nexthop: two, weight: 5}]}", "both: {id: 3, via: 192.0.2.5, dev: e0}"),
])  # fmt: skip
def test_what_the_kernel_cannot_change_is_made_anew_with_its_routes(host, reconciler, before, after):
    reconciler("apply")
    there = routes(host)
    reconciler.write((OBJECTS + ROUTES).replace(before, after))("apply")
    assert len(routes(host)) == len(there)
    assert reconciler.converged()
    reconciler.write(OBJECTS + ROUTES)("apply")
    assert shown(host) == MADE
    assert sorted(routes(host)) == sorted(there)


def test_a_foreign_object_is_a_conflict_and_stays(host, program):
    host.run(*"ip nexthop add id 1 via 192.0.2.50 dev e0 proto 77".split())
    reconciler = program(host, text="nexthops: {one: {id: 1, via: 192.0.2.1, dev: e0}}\n")
    assert reconciler("apply", status=None).conflicts
    assert shown(host) == ["id 1 via 192.0.2.50 dev e0 scope link proto 77"]
    reconciler("apply", "--adopt")
    assert shown(host) == [MADE[0]]
    reconciler("teardown")
    assert shown(host) == []


def test_foreign_routes_that_would_go_along_are_named(host, program):
    reconciler = program(host, text="nexthops: {one: {id: 1, via: 192.0.2.1, dev: e0}}\n")
    reconciler("apply")
    host.run(*"ip route add 10.9.0.0/16 nhid 1 proto 77".split())
    reconciler.write("nexthops: {}\n")
    ran = reconciler("apply", status=None)
    assert ran.status != 0
    assert any("10.9.0.0/16" in line for line in ran.along)
    assert shown(host) == [MADE[0]]


def test_what_a_nexthop_stands_on_is_waited_for(host, program):
    host.run("ip", "link", "set", "e0", "down")
    text = "nexthops: {one: {id: 1, via: 192.0.2.1, dev: e0}, g: {id: 2, group: [one]}}\n"
    text += "tables: {main: {routes: [{to: 10.0.0.0/8, nexthop: g}]}}\n"
    reconciler = program(host, text=text)
    pending = reconciler("apply", status=None).pending
    assert len(pending) == 3
    assert any("e0 is down" in line for line in pending)
    host.run("ip", "link", "set", "e0", "up")
    reconciler("apply")
    assert reconciler.converged()


def test_a_default_route_whose_object_would_drop_is_not_lost_without_a_word(host, reconciler):
    text = "nexthops: {a: {id: 1, via: 192.0.2.9, dev: e0}}\ntables: {main: {routes: [{to: default, nexthop: a}]}}\n"
    reconciler.write(text)("apply")
    ended = reconciler.write(text.replace("via: 192.0.2.9, dev: e0", "blackhole: true"))("apply", status=7)
    assert "the IPv4 default route of the main table would be gone" in ended.err
    assert "via 192.0.2.9" in host.output("ip", "nexthop")
