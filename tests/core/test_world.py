"""The simulated state: its look-ups follow every change."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.kind import Kind
from reconciler.core.state import Held, State, nothing
from reconciler.core.world import World
from reconciler.resources.address import Address
from reconciler.resources.link.device import Device
from reconciler.resources.link.link import Link
from reconciler.resources.registry import KINDS
from reconciler.resources.route import Route
from tests.core import pools
from tests.core.strategies import key_of, leaves

ONE, TWO = Address("eth0", 4, "10.0.0.1/24"), Address("eth0", 4, "10.0.0.2/24")
SIX, SIX_AGAIN = Address("eth0", 6, "2001:db8::1/64"), Address("eth0", 6, "2001:db8::1/80")
VETH = Link("v0", "veth", (("peer", "p0"),))
NEAR = Route(4, 100, "10.0.0.0/24", 0, "unicast", "", "eth0")


def world(*values, foreign=()):
    ours = {key_of(value): value for value in values}
    return World(KINDS, State(ours, {key_of(value): (Held(value, 3),) for value in foreign}))


def test_a_group_holds_what_belongs_to_it_ours_and_foreign():
    here = world(ONE, Address("eth1", 4, "10.0.0.1/24"), foreign=[TWO])
    assert list(here.within(("address", "eth0"))) == [(key_of(ONE), ONE, None), (key_of(TWO), TWO, 3)]


def test_a_group_is_empty_where_nothing_belongs_to_it():
    assert list(world(ONE).within(("address", "eth7"))) == []


def test_an_object_is_found_by_each_of_its_groups():
    here = world(ONE, NEAR)
    assert [v for _, v, _ in here.within(("address", "host", "10.0.0.1"))] == [ONE]
    assert [v for _, v, _ in here.within(("route", "on-link", 100, "eth0"))] == [NEAR]


def test_what_is_put_in_its_own_place_leaves_the_groups_it_no_longer_belongs_to():
    here = world(NEAR)
    assert list(here.within(("route", "on-link", 100, "eth0")))
    here.put(key_of(NEAR), NEAR._replace(via="10.0.0.9"))
    assert list(here.within(("route", "on-link", 100, "eth0"))) == []
    assert [v.via for _, v, _ in here.within(("route", 100))] == ["10.0.0.9"]


def test_one_of_several_holders_of_a_key_leaves_the_others_where_they_are():
    other = NEAR._replace(dev="eth1")
    here = world(NEAR, foreign=[other])
    here.drop(key_of(NEAR), NEAR)
    assert list(here.holders(key_of(NEAR))) == [(other, 3)]
    assert list(here.within(("route", "on-link", 100, "eth0"))) == []
    assert [v for _, v, _ in here.within(("route", "on-link", 100, "eth1"))] == [other]


def test_ours_comes_before_foreign_ones_under_one_key():
    here = world(NEAR, foreign=[NEAR._replace(dev="eth1")])
    assert here.get(key_of(NEAR)) == NEAR
    here.drop(key_of(NEAR), NEAR)
    assert here.get(key_of(NEAR)).dev == "eth1"
    here.drop(key_of(NEAR), NEAR._replace(dev="eth1"), 3)
    assert here.get(key_of(NEAR)) is None
    assert not here.has(key_of(NEAR))


def test_a_claim_leads_to_whoever_holds_it():
    here = world(SIX)
    (claim,) = KINDS["address"].claims(SIX_AGAIN)
    assert here.claimants(claim) == [key_of(SIX)]
    here.drop(key_of(SIX), SIX)
    assert here.claimants(claim) == []
    here.put(key_of(SIX_AGAIN), SIX_AGAIN, 3)
    assert here.claimants(claim) == [key_of(SIX_AGAIN)]


def test_a_link_claims_the_name_of_its_other_end():
    assert world(VETH).claimants(("link", "name", "p0")) == [("link", "v0")]


def test_the_state_that_a_world_is_made_of_stays_as_it_is():
    before = State({key_of(ONE): ONE}, {})
    here = World(KINDS, before)
    here.drop(key_of(ONE), ONE)
    here.put(key_of(TWO), TWO, 0)
    assert before == State({key_of(ONE): ONE}, {})
    assert here.state() == State({}, {key_of(TWO): (Held(TWO, 0),)})


def test_an_empty_world_knows_nothing():
    here = World(KINDS, nothing())
    assert not here.has(("link", "x"))
    assert list(here.every("route")) == []
    assert here.claimants(("link", "name", "x")) == []


everything = st.sampled_from(
    [*pools.ADDRESSES, *pools.NEAR_4, *pools.LINKS, *pools.CHAINS, Device("eth0", "up", 1500, "")]
)
moves = st.lists(st.tuples(st.booleans(), everything, st.sampled_from((None, None, 3, 4))), max_size=30)


@settings(max_examples=100, deadline=None)
@given(moves, moves)
def test_look_ups_are_the_same_whether_they_were_made_before_or_after_the_changes(first, then):
    early = World(KINDS, nothing())
    for kind in KINDS.values():
        list(early.within((kind.name,)))
    early.claimants(())
    for put, value, mark in [*first, *then]:
        if put:
            early.put(key_of(value), value, mark)
        else:
            early.drop(key_of(value), value, mark)
    late = World(KINDS, early.state())
    for key, value, _ in leaves(early.state()):
        kind = KINDS[key[0]]
        for group in kind.groups(value):
            assert sorted(early.within(group), key=repr) == sorted(late.within(group), key=repr)
        for claim in kind.claims(value):
            assert sorted(early.claimants(claim)) == sorted(late.claimants(claim))
    for name in KINDS:
        assert sorted(early.every(name), key=repr) == sorted(late.every(name), key=repr)


def test_kinds_without_claims_are_not_searched_for_any():
    assert type(KINDS["route"]).claims is Kind.claims
