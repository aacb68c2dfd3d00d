"""Nexthop objects: our requests do what ``ip nexthop`` does, what is made is read as it was said, what goes along."""

from __future__ import annotations

import pytest

from reconciler.resources.link.device import Device
from reconciler.resources.nexthop_config import Nexthop
from reconciler.resources.route import Route
from tests.resources.host import Host, create, delete, replace, update
from tests.resources.shown import ROUTES
from tests.resources.test_cascades import happens
from tests.resources.test_commands import READY, alike

pytestmark = pytest.mark.needs("ifb", "ipv6")

MORE = (*READY, "ip address add 198.51.100.2/24 dev e1")
ONE = Nexthop(1, 4, "192.0.2.1", "e0")
TWO = Nexthop(2, 4, "198.51.100.1", "e1")
GROUP = Nexthop(3, 0, group=((1, 1), (2, 255)))
NONE = Nexthop(4, 4, blackhole=True)
SIX = Nexthop(5, 6, "fe80::1", "e0")
LINK = Nexthop(4294967295, 6, "", "e1")
FAR = Nexthop(7, 4, "203.0.113.1", "e0", onlink=True)
ALL = (ONE, TWO, GROUP, NONE, SIX, LINK, FAR)
OPTION = (("nexthop", 3),)
SHARED = Route(4, 300, "10.0.0.0/8", 0, src="192.0.2.2", options=OPTION)
SHARED6 = Route(6, 300, "2001:db8:51::/48", 1024, options=(("nexthop", 5),))
WATCHED = ("ip nexthop show", *ROUTES)
UP = Device("e0", "up", 1500, "")


def test_the_tool_does_the_same(lab):
    changes = [*map(create, (*ALL, SHARED, SHARED6))]
    changes += [
        update(ONE, ONE._replace(via="192.0.2.9")),
        update(GROUP, GROUP._replace(group=((2, 3),))),
        update(NONE, NONE._replace(via="192.0.2.3", dev="e0", blackhole=False)),
        update(SIX, SIX._replace(via="2001:db8::1")),
        replace(FAR, FAR._replace(family=0, via="", dev="", onlink=False, group=((2, 1),))),
        delete(SHARED6),
        delete(SHARED),
        delete(GROUP),
        delete(LINK),
    ]
    alike(lab, MORE, changes, WATCHED)


def test_what_is_made_is_read_as_it_was_said(lab):
    host = Host.of(lab, "host", *MORE)
    for value in (*ALL, SHARED, SHARED6):
        host.ask(create(value))
    assert sorted(host.ours("nexthop")) == sorted(ALL)
    assert sorted(host.ours("route")) == sorted((SHARED, SHARED6))


@pytest.fixture
def host(lab):
    made = Host.of(lab, "host", *MORE)
    for value in (*ALL, SHARED, SHARED6):
        made.ask(create(value))
    made.prepare(["ip route add 11.0.0.0/8 nhid 1 proto 77", "ip nexthop add id 20 group 1 proto 77"])
    made.prepare(["ip route add 12.0.0.0/8 nhid 20 table 7 proto 77"])
    return made


def gone(effects):
    return {
        before[0] if isinstance(before, Nexthop) else before.to
        for before, after in effects
        if after is None and isinstance(before, (Nexthop, Route))
    }


def test_with_an_object_go_its_routes_and_its_places_in_groups(host):
    effects = happens(host, delete(ONE))
    assert gone(effects) == {"11.0.0.0/8", "12.0.0.0/8", 20}
    assert (GROUP, GROUP._replace(group=((2, 255),))) in effects


def test_with_its_last_member_goes_a_group_and_its_routes(host):
    host.ask(delete(ONE))
    assert gone(happens(host, delete(TWO))) == {3, "10.0.0.0/8"}


def test_link_down_takes_the_objects_of_the_link(host):
    found = gone(happens(host, update(UP, UP._replace(state="down"))))
    assert found >= {1, 5, 7, 20, "11.0.0.0/8", "12.0.0.0/8", SHARED6.to}
    assert not found & {2, 3, 4, SHARED.to}


def test_the_last_address_of_a_link_takes_none_of_its_objects(host):
    address = next(value for value in host.values("address") if value.address == "192.0.2.2/24")
    assert not gone(happens(host, delete(address, 0))) & {1, 5, 7, SHARED.to}


def test_an_mtu_too_small_for_ipv6_takes_none_of_them(host):
    assert not gone(happens(host, update(UP, UP._replace(mtu=1000)))) & {1, 5, 7, SHARED6.to}
