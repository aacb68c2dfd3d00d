"""When an address is as wanted, and what a change of it is called."""

from __future__ import annotations

import pytest

from reconciler.core.state import Held, State
from reconciler.core.world import World
from reconciler.resources.address import Address
from reconciler.resources.address_value import FOREVER
from reconciler.resources.names import Names
from reconciler.resources.registry import KINDS
from tests.resources.wanted import wanted

KIND = KINDS["address"]
NAMES = Names({}, {}, {})
PLAIN = Address("eth0", 4, "192.0.2.1/24")
KEY = KIND.key(PLAIN)


def said(entry):
    (value,) = wanted(f"interfaces: {{eth0: {{addresses: [{entry}]}}}}").values()
    return value


def decided(entry, seen, *, ours):
    world = World(KINDS, State({KEY: seen}, {}) if ours else State({}, {KEY: (Held(seen, 0),)}))
    return KIND.decide(said(entry), seen, world)


@pytest.mark.parametrize(
    ("want", "seen", "good"),
    [
        (FOREVER, FOREVER, True), (FOREVER, 100, False), (100, FOREVER, False),
        (100, 100, True), (100, 51, True), (100, 50, False), (100, 101, False), (100, 0, False),
        (0, 0, True), (0, 1, False), (0, FOREVER, False), (1, 1, True), (None, 7, True),
    ],
)  # fmt: skip
def test_a_lifetime_is_good_until_half_of_it_is_over(want, seen, good):
    assert KIND.same(PLAIN._replace(preferred=want), PLAIN._replace(preferred=seen)) is good


@pytest.mark.parametrize("ours", [True, False])
@pytest.mark.parametrize("more", [{"label": "eth0:1"}, {"metric": 5}, {"preferred": 0}, {"noprefixroute": True}])
def test_what_is_not_said_matters_of_ours_only(ours, more):
    seen = PLAIN._replace(**more)
    assert KIND.same(decided("192.0.2.1/24", seen, ours=ours), seen) is not ours


def test_what_is_not_said_does_not_matter_of_what_somebody_replaced():
    seen = PLAIN._replace(metric=5, overwritten=True)
    assert KIND.same(decided("192.0.2.1/24", seen, ours=True), seen)
    assert not KIND.same(decided("{address: 192.0.2.1/24, metric: 6}", seen, ours=True), seen)


@pytest.mark.parametrize(
    ("entry", "fields"),
    [
        ("192.0.2.1/24", {}),
        ("{address: 192.0.2.1/24, broadcast: auto}", {"broadcast": "192.0.2.255"}),
        ("{address: 192.0.2.1/30, broadcast: auto}", {"address": "192.0.2.1/30", "broadcast": "192.0.2.3"}),
        ("{address: 192.0.2.1/31, broadcast: auto}", {"address": "192.0.2.1/31", "broadcast": ""}),
        ("{address: 192.0.2.1, peer: 10.0.0.1/24, broadcast: auto}",
         {"address": "192.0.2.1/32", "peer": "10.0.0.1/24", "broadcast": "10.0.0.255"}),
        ("{address: 192.0.2.1/32, peer: 10.0.0.1}", {"address": "192.0.2.1/32", "peer": "10.0.0.1/32"}),
        ("{address: 192.0.2.1/24, label: eth0}", {"label": ""}),
        ("{address: 192.0.2.1/24, scope: 0}", {"scope": ""}),
        ("{address: 192.0.2.1/24, scope: 253}", {"scope": "link"}),
        ("{address: 127.0.0.1/8, scope: host}", {"address": "127.0.0.1/8", "scope": ""}),
        ("{address: 127.0.0.1/8, scope: global}", {"address": "127.0.0.1/8", "scope": "global"}),
        ("{address: '2001:db8::1/64', metric: 256}", {"family": 6, "address": "2001:db8::1/64", "metric": 0}),
        ("{address: 192.0.2.1/24, metric: 256}", {"metric": 256}),
        ("{address: 192.0.2.1/24, valid-lifetime: 60}", {"valid": 60, "preferred": 60}),
        ("{address: 192.0.2.1/24, valid-lifetime: 60, preferred-lifetime: 0}", {"valid": 60, "preferred": 0}),
        ("{address: 192.0.2.1/24, preferred-lifetime: forever}", {}),
    ],
)  # fmt: skip
def test_what_an_entry_means(entry, fields):
    world = World(KINDS, State({}, {}))
    landed = KIND.lands(said(entry), world)
    assert landed == PLAIN._replace(**fields, secondary=False, tentative=landed.tentative)


def test_an_entry_has_a_name_and_can_be_taken_over():
    entry = "{address: 192.0.2.1/24, name: front, adopt: true}"
    from reconciler.config.load import loads
    from reconciler.resources.desired import ANYWHERE, desire

    desired, _ = desire(loads(f"interfaces: {{eth0: {{addresses: [{entry}]}}}}", "f.yaml", {}), ANYWHERE)
    assert desired.adopt == {KEY}
    assert desired.origins[KEY].label == "front"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"label": "eth0:1"}, "192.0.2.1/24 dev eth0: label eth0 → eth0:1"),
        ({"broadcast": "192.0.2.7"}, "192.0.2.1/24 dev eth0: broadcast none → 192.0.2.7"),
        ({"scope": "link", "metric": 5}, "192.0.2.1/24 dev eth0: scope global → link, metric 0 → 5"),
        ({"noprefixroute": True}, "192.0.2.1/24 dev eth0: noprefixroute no → yes"),
        ({"preferred": 0}, "192.0.2.1/24 dev eth0: preferred-lifetime forever → 0"),
        ({}, "192.0.2.1/24 dev eth0: taken over"),
    ],
)
def test_a_change_in_words(change, words):
    assert KIND.describe_change(PLAIN, PLAIN._replace(**change), NAMES) == words


def test_an_address_in_words():
    value = PLAIN._replace(label="eth0:1", noprefixroute=True, valid=60, preferred=0)
    words = "192.0.2.1/24 dev eth0 label eth0:1 noprefixroute valid-lifetime 60 preferred-lifetime 0"
    assert KIND.describe(value, NAMES) == words
    assert KIND.describe(PLAIN._replace(peer="10.0.0.1/32"), NAMES) == "192.0.2.1/24 peer 10.0.0.1/32 dev eth0"
