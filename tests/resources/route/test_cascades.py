"""What the kernel does by itself to routes of several next hops is what the kinds say."""

from __future__ import annotations

import pytest

from reconciler.resources.link.device import Device
from reconciler.resources.link.link import Link
from reconciler.resources.route import Hop, Route
from reconciler.resources.route.value import with_hops
from tests.resources.host import Host, create, delete, update
from tests.resources.route.test_multipath import MORE, ONE, THREE, TWO, WAY
from tests.resources.test_cascades import happens
from tests.resources.test_commands import READY

pytestmark = pytest.mark.needs("ifb", "ipv6")
UP = Device("e0", "up", 1500, "")
THEIRS6 = "ip -6 route add 2001:db8:51::/48 table 300 nexthop via fe80::1 dev e0 nexthop via fe80::2 dev e1 weight 3"


def route_of(effects, to):
    return next(after for before, after in effects if isinstance(before, Route) and before.to == to)


@pytest.fixture
def host(lab):
    made = Host.of(lab, "host", *READY, *MORE)
    made.ask(create(with_hops(WAY, (ONE, TWO))))
    return made


def test_link_down_puts_a_next_hop_out_of_use(host):
    effects = happens(host, update(UP, UP._replace(state="down")))
    assert route_of(effects, WAY.to).options[0][1][0] == ONE._replace(dead=True)


def test_the_last_next_hop_takes_the_route_along(host):
    happens(host, update(UP, UP._replace(state="down")))
    other = UP._replace(name="e1")
    assert route_of(happens(host, update(other, other._replace(state="down"))), WAY.to) is None


def test_all_next_hops_through_one_link_go_together(host):
    host.ask(create(with_hops(WAY._replace(to="203.0.114.0/24"), (ONE, THREE))))
    assert route_of(happens(host, update(UP, UP._replace(state="down"))), "203.0.114.0/24") is None


def test_the_last_address_of_a_link_puts_its_next_hops_out_of_use(host):
    address = next(value for value in host.values("address") if value.address == "192.0.2.2/24")
    effects = happens(host, delete(address, 0))
    assert route_of(effects, WAY.to).options[0][1][0].dead


def test_a_next_hop_is_in_use_again_with_an_address(host):
    host.prepare(["ip address del 192.0.2.2/24 dev e0", "ip address add 192.0.2.2/24 dev e0"])
    other = UP._replace(name="e1")
    effects = happens(host, update(other, other._replace(state="down")))
    assert route_of(effects, WAY.to) is not None


def test_a_link_that_is_deleted_takes_the_whole_ipv4_route(host):
    lines = ["ip link add name b9 type bridge", "ip link set b9 up", "ip address add 203.0.113.65/26 dev b9"]
    host.prepare(lines)
    host.ask(create(with_hops(WAY._replace(to="10.0.0.0/8"), (TWO, Hop("203.0.113.66", "b9")))))
    link = next(value for value in host.values("link") if isinstance(value, Link) and value.name == "b9")
    assert route_of(happens(host, delete(link, 0)), "10.0.0.0/8") is None


@pytest.mark.parametrize("mark", ["", " proto 77"])
def test_ipv6_link_down_puts_a_next_hop_out_of_use(host, mark):
    host.prepare([f"{THEIRS6.replace(' nexthop', f'{mark} nexthop', 1)}"])
    effects = happens(host, update(UP, UP._replace(state="down")))
    assert [hop.dead for hop in route_of(effects, "2001:db8:51::/48").options[0][1]] == [True, False]


def test_an_mtu_too_small_for_ipv6_takes_the_next_hop_away(host):
    host.prepare([THEIRS6])
    effects = happens(host, update(UP, UP._replace(mtu=1000)))
    left = route_of(effects, "2001:db8:51::/48")
    assert (left.via, left.dev) == ("fe80::2", "e1")
