"""States and values are read back exactly as they were written."""

from __future__ import annotations

import json

import pytest

from reconciler.core.codec import dump_state, dump_value, load_state, load_value
from reconciler.core.state import Held, State
from reconciler.resources.address import Address
from reconciler.resources.iptables.chain import Chain
from reconciler.resources.iptables.jump import Jump
from reconciler.resources.iptables.lines import Line
from reconciler.resources.iptables.policy import Policy
from reconciler.resources.link.device import Device
from reconciler.resources.link.link import Link
from reconciler.resources.registry import KINDS
from reconciler.resources.route import Route
from reconciler.resources.rule import Rule
from reconciler.resources.tc.class_ import Class
from reconciler.resources.tc.filter import Filter
from reconciler.resources.tc.qdisc import Qdisc

VALUES = (
    Link("v0", "veth", (("peer", "v1"),)),
    Device("eth0", "up", 1500, "", promote=True),
    Address("eth0", 4, "192.0.2.1/24", "", secondary=False, tentative=False),
    Route(6, 100, "::/0", 1024, "unicast", "fe80::1", "eth0", "", ("onlink",)),
    Rule(4, 17000, 0x10, 0xFF, "10.0.0.0/8", "", "eth0", "", 100, invert=True),
    Chain(4, "filter", "rc.default.INPUT", (Line("a1", '-m comment --comment "x" -j ACCEPT'),)),
    Jump(4, "filter", "INPUT", "rc.default.INPUT"),
    Policy(6, "filter", "INPUT", "DROP"),
    Qdisc("eth0", "1:", "htb", "1:20", 10),
    Class("eth0", "1:10", "1:1", 5_000_000, 10_000_000, 40000, None, 0, 7),
    Filter("eth0", 3445, 0x10, "fw", 0x10, 0xFF, "1:10"),
)


def key_of(value):
    return next(kind.key(value) for kind in KINDS.values() if isinstance(value, kind.value))


def through_text(data):
    return json.loads(json.dumps(data))


def test_every_kind_is_here():
    assert {key_of(value)[0] for value in VALUES} == set(KINDS)


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_value_is_read_back_as_what_it_was(value):
    key, again = load_value(KINDS, through_text(dump_value(key_of(value), value)))
    assert (key, again) == (key_of(value), value)
    assert type(again) is type(value)


def test_the_rules_of_a_chain_are_lines_again():
    chain = VALUES[5]
    _, again = load_value(KINDS, through_text(dump_value(key_of(chain), chain)))
    assert again.rules[0].hash == "a1"


def test_a_state_is_read_back_as_what_it_was():
    route = VALUES[3]
    two = (Held(route, 3), Held(route._replace(via="fe80::2"), 4))
    state = State({key_of(v): v for v in VALUES[4:]}, {key_of(route): two}, {"chain": "needs CAP_NET_ADMIN"})
    assert load_state(KINDS, through_text(dump_state(state))) == state


def test_another_format_is_refused_and_so_is_an_unknown_kind_or_field():
    data = dump_state(State({key_of(VALUES[4]): VALUES[4]}, {}))
    with pytest.raises(ValueError, match="format"):
        load_state(KINDS, {**data, "format": 2})
    with pytest.raises(ValueError, match="kind"):
        load_value(KINDS, {"kind": "unicorn"})
    with pytest.raises(ValueError, match="fields"):
        load_value(KINDS, {"kind": "rule", "family": 4})
