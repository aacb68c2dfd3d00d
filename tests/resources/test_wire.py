"""The bytes with which the kernel dumps a route are foretold, so that an unchanged one is never decoded."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.core.settle import settle
from reconciler.resources.address import Address
from reconciler.resources.base import Resource, Sight
from reconciler.resources.registry import KINDS
from reconciler.resources.route import Route
from tests.resources import strategies
from tests.resources.host import OWNER, Host, create, delete, ready

ROUTE = KINDS["route"]
PLAIN = [
    Route(4, 254, "198.51.100.0/24", 0, via="192.0.2.1", dev="e0"),
    Route(4, 254, "198.51.100.0/24", 5, dev="e0"),
    Route(4, 254, "198.51.101.0/24", 0, dev="e0", src="192.0.2.2"),
    Route(4, 100, "0.0.0.0/0", 0, via="192.0.2.1", dev="e0", src="192.0.2.2"),
    Route(4, 100, "0.0.0.0/0", 4294967295, "unreachable"),
    Route(4, 255, "203.0.113.7/32", 0, "prohibit"),
    Route(4, 256, "203.0.113.7/32", 0, "blackhole"),
    Route(4, 4294967295, "203.0.113.7/32", 7, dev="e0"),
    Route(4, 300, "128.0.0.0/1", 4294967295, via="192.0.2.254", dev="e0"),
]


@pytest.fixture
def host(lab):
    lines = [f"ip link add {dev} type ifb" for dev in ("e0", "e1")] + ["ip link set e0 up", "ip link set e1 up"]
    return Host.of(lab, "host", *lines, "ip address add 192.0.2.2/24 dev e0")


def known(host, values):
    """What the kind foretells of some routes, as ``settle`` takes it."""
    indexes = {name: index for name in ("lo", "e0", "e1") if (index := host.netlink.index(name))}
    predicted = {ROUTE.wire(value, indexes, OWNER): value for value in values}
    predicted.pop(None, None)
    return predicted


def dumped(host):
    return [body for _, body in host.bodies("route", Sight(OWNER))]


def decoded(host, bodies):
    """The routes of ours that are left to decode."""
    sight = Sight(OWNER)
    host.found(sight=sight)
    return [f.value for body in bodies for f in ROUTE.decode(24, body, sight) if f.mark is None]


@pytest.mark.needs("ifb")
def test_all_plain_routes_are_recognised(host):
    for route in PLAIN:
        host.ask(create(route))
    settled, rest = settle(known(host, PLAIN), dumped(host))
    assert sorted(settled) == sorted(PLAIN)
    assert decoded(host, rest) == []
    assert len(rest) == len(dumped(host)) - len(PLAIN)


plain_routes = strategies.routes(st.just(4)).map(lambda r: r._replace(via="", src="", options=()))


@pytest.mark.needs("ifb")
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(plain_routes, min_size=20, max_size=60, unique_by=ROUTE.key))
def test_any_plain_routes_are_recognised(host, routes):
    for route in routes:
        host.ask(create(route))
    settled, rest = settle(known(host, routes), dumped(host))
    left = decoded(host, rest)
    for route in routes:
        host.ask(delete(route))
    assert sorted(settled) == sorted(routes)
    assert left == []


@pytest.mark.needs("ifb")
@pytest.mark.parametrize("change", [
    {"via": "192.0.2.9"}, {"dev": "e1"}, {"src": ""}, {"metric": 1}, {"table": 101}, {"to": "0.0.0.0/1"}, {"via": ""},
    {"type": "unreachable"},
])  # fmt: skip
def test_a_route_that_differs_is_not_recognised_but_decoded(host, change):
    route = PLAIN[3]
    host.ask(create(route))
    settled, rest = settle(known(host, [route._replace(**change)]), dumped(host))
    assert settled == []
    assert decoded(host, rest) == [route]


@pytest.mark.needs("ifb")
def test_a_foreign_route_is_not_recognised(host):
    host.ask(create(PLAIN[0], 77))
    settled, rest = settle(known(host, PLAIN), dumped(host))
    assert (settled, decoded(host, rest)) == ([], [])


@pytest.mark.needs("veth")
def test_a_wrong_prediction_only_misses(lab):
    """Without a carrier the kernel shows a flag that nobody can foretell."""
    lines = ["ip link add e0 type veth peer name e1", "ip link set e0 up", "ip address add 192.0.2.2/24 dev e0"]
    host = Host.of(lab, "host", *lines)
    route = Route(4, 100, "198.51.100.0/24", 0, via="192.0.2.1", dev="e0")
    host.ask(create(route))
    settled, rest = settle(known(host, [route]), dumped(host))
    assert settled == []
    assert decoded(host, rest) == [route]


@pytest.mark.needs("ifb", "ipv6")
def test_what_cannot_be_foretold_goes_the_plain_way(host):
    host.ask(create(Address("e0", 6, "2001:db8::2/64")))
    ready(host)
    routes = [
        Route(6, 100, "::/0", 1024, via="2001:db8::1", dev="e0"),
        Route(4, 100, "10.0.0.0/8", 0, dev="e0", options=(("tos", 16),)),
    ]
    for route in routes:
        host.ask(create(route))
    assert (
        known(
            host,
            [
                *routes,
                Route(4, 100, "10.0.0.0/8", 0, dev="eth9"),
                Route(4, 1, "10.0.0.0/8", 0, via="10.0.0.1", dev=None),
            ],
        )
        == {}
    )
    assert sorted(decoded(host, dumped(host))) == sorted(routes)


def test_only_routes_are_foretold():
    assert [name for name, kind in KINDS.items() if type(kind).wire is not Resource.wire] == ["route"]
