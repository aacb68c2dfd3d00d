"""Attributes that few routes have: our requests do what ``ip route`` does, and what is made is read as it was said."""

from __future__ import annotations

import pytest

from reconciler.resources.route import Route
from tests.resources.host import Host, create, delete, update
from tests.resources.shown import ROUTES
from tests.resources.test_commands import READY, alike, life

NEAR = Route(4, 300, "198.51.100.0/24", 0, via="192.0.2.1", dev="e0")
NEAR6 = Route(6, 300, "2001:db8:51::/48", 1024, via="2001:db8::1", dev="e0")

LIVES = {
    "onlink": [NEAR._replace(via="203.0.113.1", options=(("onlink", True),)), NEAR],
    "onlink of IPv6": [NEAR6._replace(via="2001:db8:99::1", options=(("onlink", True),)), NEAR6],
    "mtu": [NEAR._replace(options=(("mtu", 1400),)), NEAR._replace(options=(("mtu", 1300),)), NEAR],
    "locked mtu": [NEAR._replace(options=(("mtu", 1400), ("mtu-lock", True))), NEAR._replace(options=(("mtu", 1400),))],
    "metrics": [
        NEAR._replace(options=(("advmss", 1360), ("initcwnd", 20), ("initrwnd", 30), ("hoplimit", 9))),
        NEAR._replace(options=(("initcwnd", 40),)),
    ],
    "metrics of IPv6": [
        NEAR6._replace(options=(("mtu", 1400), ("mtu-lock", True), ("advmss", 1360), ("hoplimit", 9))),
        NEAR6._replace(options=(("initcwnd", 20), ("initrwnd", 30))),
        NEAR6,
    ],
    "limits": [NEAR._replace(options=(("mtu", 65520), ("advmss", 65495), ("initcwnd", 65535), ("hoplimit", 255)))],
    "scope": [
        NEAR._replace(via="", options=(("scope", "global"),)),
        NEAR._replace(via="", options=(("scope", "host"),)),
        NEAR._replace(via="", options=(("scope", 77),)),
        NEAR._replace(via="", type="blackhole", dev="", options=(("scope", "link"),)),
    ],
    "tos": [NEAR._replace(options=(("tos", 16),)), NEAR._replace(via="192.0.2.9", options=(("tos", 16),))],
    "largest tos": [NEAR._replace(options=(("tos", 252),))],
    "preference": [
        NEAR6._replace(options=(("pref", "high"),)),
        NEAR6._replace(options=(("pref", "low"),)),
        NEAR6,
    ],
    "throw": [NEAR._replace(type="throw", via="", dev=""), NEAR],
    "throw of IPv6": [NEAR6._replace(type="throw", via="", dev=""), NEAR6._replace(type="prohibit", via="", dev="")],
    "local": [NEAR._replace(type="local", via="", dev="lo"), NEAR._replace(type="local", via="", dev="e0")],
    "a gateway of IPv6": [NEAR._replace(via="2001:db8::1"), NEAR._replace(via="fe80::1"), NEAR],
}


@pytest.mark.needs("ifb", "ipv6")
@pytest.mark.parametrize("routes", LIVES.values(), ids=LIVES)
def test_the_tool_does_the_same(lab, routes):
    alike(lab, READY, life(*routes), ROUTES)


@pytest.mark.needs("ifb", "ipv6")
def test_what_is_made_is_read_as_it_was_said(lab):
    host = Host.of(lab, "host", *READY)
    for routes in (*LIVES.values(), [NEAR6._replace(type="local", via="", dev="lo")]):
        for before, after in zip((None, *routes), (*routes, None), strict=True):
            if before is None:
                host.ask(create(after))
            else:
                host.ask(delete(before) if after is None else update(before, after))
            assert host.ours("route") == ([after] if after else [])


@pytest.mark.needs("ifb")
def test_routes_that_differ_in_tos_stand_side_by_side(lab):
    host = Host.of(lab, "host", *READY)
    routes = [NEAR, NEAR._replace(options=(("tos", 8),)), NEAR._replace(options=(("tos", 16),))]
    for route in routes:
        host.ask(create(route))
    host.ask(delete(routes[1]))
    assert sorted(host.ours("route")) == sorted([routes[0], routes[2]])


@pytest.mark.needs("ifb")
def test_what_has_no_word_is_kept_as_it_is(lab):
    host = Host.of(lab, "host", *READY)
    lines = ["ip route add 10.0.0.0/8 via 192.0.2.1 rto_min 300ms window 5000 mtu lock 1400 realm 7 proto 77"]
    lines += ["ip -6 route add 2001:db8:7::/48 from 2001:db8:8::/48 dev e0 proto 77"]
    lines += ["ip route add 11.0.0.0/8 encap ip id 5 dst 192.0.2.1 dev e0 proto 77"]
    host.prepare(lines[:1])
    for line in lines[1:]:  # where the kernel has source routes and lightweight tunnels
        host.namespace.run(*line.split(), check=False)
    before = host.namespace.output("ip", "route"), host.namespace.output("ip", "-6", "route")
    values = [found.value for found in host.found()["route"] if found.mark == 77]
    for value in values:
        host.ask(delete(value, 77))
    assert not [found for found in host.found()["route"] if found.mark == 77]
    for value in values:
        host.ask(create(value, 77))
    assert (host.namespace.output("ip", "route"), host.namespace.output("ip", "-6", "route")) == before
