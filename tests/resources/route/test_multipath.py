"""Routes of several next hops: our requests do what ``ip route`` does, and what is made is read as it was said."""

from __future__ import annotations

import pytest

from reconciler.core.change import CREATE, Change
from reconciler.core.state import Held
from reconciler.resources.base import Sight
from reconciler.resources.registry import KINDS
from reconciler.resources.route import Hop, Route
from reconciler.resources.route.value import with_hops
from tests.resources.host import OWNER, Host, create, delete, kind_of, update
from tests.resources.shown import ROUTES
from tests.resources.test_commands import READY, alike, life

MORE = ("ip address add 198.51.100.2/24 dev e1", "ip address add 2001:db8:1::2/64 dev e1 nodad")
WAY = Route(4, 300, "203.0.113.0/24", 0)
WAY6 = Route(6, 300, "2001:db8:51::/48", 1024)
ONE, TWO, THREE = Hop("192.0.2.1", "e0"), Hop("198.51.100.1", "e1", 256), Hop("192.0.2.9", "e0", 7)
FAR = Hop("203.0.113.9", "e0", 2, onlink=True)
LINK = Hop("", "e1", 3)
ONE6, TWO6, THREE6 = Hop("2001:db8::1", "e0"), Hop("2001:db8:1::1", "e1", 9), Hop("fe80::1", "e0", 256)
LIVES = {
    "two": [with_hops(WAY, (ONE, TWO)), with_hops(WAY, (ONE, THREE)), with_hops(WAY, (ONE, TWO, THREE))],
    "one and two": [with_hops(WAY, (ONE,)), with_hops(WAY, (ONE, TWO)), with_hops(WAY, (TWO,))],
    "weights": [with_hops(WAY, (ONE, TWO)), with_hops(WAY, (ONE._replace(weight=5), TWO))],
    "a link and onlink": [with_hops(WAY, (LINK, FAR)), with_hops(WAY, (LINK, FAR._replace(onlink=True, weight=1)))],
    "of both families": [with_hops(WAY, (ONE, Hop("fe80::1", "e1"))), with_hops(WAY, (ONE, Hop("2001:db8::1", "e0")))],
    "with more": [with_hops(WAY._replace(src="192.0.2.2", options=(("tos", 16), ("mtu", 1400))), (ONE, TWO))],
    "IPv6": [with_hops(WAY6, (ONE6, TWO6)), with_hops(WAY6, (ONE6, THREE6)), with_hops(WAY6, (TWO6, ONE6, THREE6))],
    "IPv6 one and two": [with_hops(WAY6, (ONE6,)), with_hops(WAY6, (ONE6, TWO6)), with_hops(WAY6, (TWO6,))],
    "IPv6 with more": [with_hops(WAY6._replace(src="2001:db8::2", options=(("mtu", 1400),)), (ONE6, TWO6))],
}


def read(host, *wanted):
    """Our routes, read with the file at hand, which says what next hops are ours."""
    sight = Sight(OWNER)
    ours, foreign = {}, {}
    for found in host.found(sight=sight)["route"]:
        key = kind_of(found.value).key(found.value)
        if found.mark is None:
            ours[key] = found.value
        else:
            foreign[key] = (*foreign.get(key, ()), Held(found.value, found.mark))
    state = type(host.state())(ours, foreign)
    return KINDS["route"].claim_ours(state, {kind_of(v).key(v): v for v in wanted}, sight)


@pytest.mark.needs("ifb", "ipv6")
@pytest.mark.parametrize("routes", LIVES.values(), ids=LIVES)
def test_the_tool_does_the_same(lab, routes):
    alike(lab, (*READY, *MORE), life(*routes), ROUTES)


@pytest.mark.needs("ifb", "ipv6")
def test_what_is_made_is_read_as_it_was_said(lab):
    host = Host.of(lab, "host", *READY, *MORE)
    for routes in LIVES.values():
        for before, after in zip((None, *routes), (*routes, None), strict=True):
            if before is None:
                host.ask(create(after))
            else:
                host.ask(delete(before) if after is None else update(before, after))
            found = list(read(host, *([after] if after else [])).ours.values())
            assert len(found) == (after is not None)
            assert not found or KINDS["route"].same(found[0], after)


@pytest.mark.needs("ifb", "ipv6")
def test_next_hops_that_others_append_to_ours_stay_theirs(lab):
    host = Host.of(lab, "host", *READY, *MORE)
    ours = with_hops(WAY6, (ONE6, TWO6))
    host.ask(create(ours))
    host.prepare(["ip route append 2001:db8:51::/48 via fe80::9 dev e0 table 300 proto 77"])
    state = read(host, ours)
    key = kind_of(ours).key(ours)
    assert KINDS["route"].same(state.ours[key], ours)
    assert [held.value.via for held in state.foreign[key]] == ["fe80::9"]
    host.ask(delete(ours))
    left = host.namespace.output("ip", "-6", "route", "show", "table", "300")
    assert "fe80::9" in left
    assert "2001:db8::1" not in left
    assert "2001:db8:1::1" not in left


@pytest.mark.needs("ifb", "ipv6")
def test_what_the_record_knows_is_ours_when_the_file_does_not_name_it(lab):
    host = Host.of(lab, "host", *READY, *MORE)
    ours = with_hops(WAY6, (ONE6, TWO6))
    host.ask(create(ours))
    sight = Sight(OWNER, [kind_of(ours).recorded(ours)])
    found = host.found(sight=sight)["route"]
    values = {kind_of(f.value).key(f.value): f.value for f in found if f.mark is None}
    state = KINDS["route"].claim_ours(type(host.state())(values, {}), {}, sight)
    assert KINDS["route"].same(state.ours[kind_of(ours).key(ours)], ours)


def test_a_route_of_several_next_hops_comes_back_from_json():
    route = with_hops(WAY, (ONE, TWO))
    kind = KINDS["route"]
    told = {**route._asdict(), "options": [["nexthops", [list(ONE), list(TWO)]]]}
    assert kind.revive(told) == route
    assert kind.revive(told).options[0][1][0].via == "192.0.2.1"


def test_the_order_of_next_hops_and_their_health_do_not_count():
    kind = KINDS["route"]
    one = with_hops(WAY, (ONE, TWO))
    assert kind.same(one, with_hops(WAY, (TWO, ONE._replace(dead=True))))
    assert not kind.same(one, with_hops(WAY, (TWO, ONE._replace(weight=2))))


@pytest.mark.needs("ifb", "ipv6")
def test_what_is_out_of_use_is_seen_as_that(lab):
    host = Host.of(lab, "host", *READY, *MORE)
    host.ask(create(with_hops(WAY, (ONE, TWO))))
    host.prepare(["ip link set e0 down"])
    (route,) = host.ours("route")
    assert [hop.dead for hop in dict(route.options)["nexthops"]] == [True, False]
    assert [m.body for m in KINDS["route"].encode(Change(CREATE, (), None, route), OWNER)] == [
        m.body for m in KINDS["route"].encode(Change(CREATE, (), None, with_hops(WAY, (ONE, TWO))), OWNER)
    ]
