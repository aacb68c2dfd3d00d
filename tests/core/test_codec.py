"""States and values go through JSON and come back equal."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.core.codec import dump_state, dump_value, load_state, load_value
from reconciler.core.state import Held, State, nothing
from reconciler.resources.address import Address
from reconciler.resources.iptables.chain import Chain
from reconciler.resources.iptables.lines import Line
from reconciler.resources.nexthop_config import Nexthop
from reconciler.resources.registry import KINDS
from reconciler.resources.route import Hop, Route
from reconciler.resources.rule import Rule
from tests.core import pools
from tests.core.strategies import key_of, leaves, scenes

SAMPLES = [
    *pools.LINKS, *pools.SETTINGS[:20], *pools.PORTS, *pools.ADDRESSES[:20], *pools.ROUTES_4[:20], *pools.ROUTES_6[:20], *pools.RULES,
    *pools.CHAINS, *pools.JUMPS, *pools.POLICIES, *pools.SYSCTLS, *pools.TUNNELS, *pools.PEERS[:40], *(value for tree in pools.TREES[:40] for value in tree),
    Address("ppp0", 4, "10.0.0.1/32", "10.9.9.9/32", secondary=False, tentative=True),
    Nexthop(3, 0, group=((1, 1), (2, 5))),
    Route(4, 4294967295, "0.0.0.0/0", 0, options=(("tos", 16), ("nexthops", (Hop("10.0.0.1", "eth0"), Hop("", "eth1", 5))))),
    Rule(6, 1, 0, 0, "2001:db8::/32", "", "eth0", "lo", 254, invert=True, more=("action:6", "23:0001")),
    Chain(4, "filter", "rc.default.Ä", (Line("a1", '-m comment --comment "say \\"hi\\" ✓" -j ACCEPT'), Line("", "-j DROP"))),
]  # fmt: skip


def through_json(data):
    return json.loads(json.dumps(data))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_among_the_samples(kind):
    assert any(key_of(value)[0] == kind for value in SAMPLES)


@pytest.mark.parametrize("value", SAMPLES, ids=repr)
def test_a_value_comes_back_equal_and_of_its_own_type(value):
    key, back = load_value(KINDS, through_json(dump_value(key_of(value), value)))
    assert (key, back) == (key_of(value), value)
    assert repr(back) == repr(value), "equal tuples may be of different types"


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(scenes())
def test_a_state_comes_back_equal(scene):
    state = scene.kernel.state()
    back = load_state(KINDS, through_json(dump_state(state)))
    assert back == state
    assert sorted(map(repr, leaves(back))) == sorted(map(repr, leaves(state)))


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(scenes(), st.randoms(use_true_random=False))
def test_the_text_does_not_depend_on_the_order_in_which_objects_were_found(scene, chance):
    state = scene.kernel.state()
    maps = []
    for one in (state.ours, state.foreign):
        keys = list(one)
        chance.shuffle(keys)
        maps.append({key: one[key] for key in keys})
    assert json.dumps(dump_state(State(*maps))) == json.dumps(dump_state(state))


def test_several_holders_of_a_key_keep_their_order():
    one, two = Route(4, 100, "10.0.0.0/8", 0, dev="eth0"), Route(4, 100, "10.0.0.0/8", 0, dev="eth1")
    state = State({}, {key_of(one): (Held(two, 3), Held(one, 4))})
    assert load_state(KINDS, through_json(dump_state(state))) == state


def test_what_could_not_be_read_stays_unknown():
    state = State({}, {}, {"chain": "not permitted"})
    assert load_state(KINDS, through_json(dump_state(state))) == state


def test_an_empty_state_says_its_format():
    assert dump_state(nothing()) == {"format": 1, "ours": [], "foreign": [], "unknown": {}}


@pytest.mark.parametrize("found", [0, 2, "1", None])
def test_another_format_is_refused(found):
    with pytest.raises(ValueError, match="format 1"):
        load_state(KINDS, {**dump_state(nothing()), "format": found})


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"kind": "wormhole"}, "no kind 'wormhole'"),
        ({}, "no kind None"),
        ({"kind": ["link"]}, "no kind"),
        ({"kind": "policy", "family": 4}, "a policy has the fields family, table, chain, policy, not family"),
        (
            {"kind": "policy", "family": 4, "table": "filter", "chain": "INPUT", "policy": "DROP", "mood": "good"},
            "not family, table, chain, policy, mood",
        ),
    ],
)
def test_what_no_kind_knows_is_refused(data, words):
    with pytest.raises(ValueError, match=words):
        load_value(KINDS, data)
