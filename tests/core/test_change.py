"""Changes become steps: what goes to the kernel at once."""

from __future__ import annotations

from reconciler.core.change import CREATE, DELETE, Change, Plan
from reconciler.core.kind import Effect
from reconciler.resources.address import Address
from reconciler.resources.iptables.chain import Chain
from reconciler.resources.iptables.jump import Jump
from reconciler.resources.registry import KINDS
from reconciler.resources.rule import Rule
from reconciler.resources.tc.qdisc import Qdisc
from tests.core.strategies import key_of


def make(value):
    return Change(CREATE, key_of(value), None, value)


ADDRESS, RULE, QDISC = (
    make(Address("eth0", 4, "10.0.0.1/24")),
    make(Rule(4, 100, table=7)),
    make(Qdisc("eth0", "1:", "htb")),
)
CHAIN_4, CHAIN_6 = make(Chain(4, "filter", "rc.default.INPUT")), make(Chain(6, "filter", "rc.default.INPUT"))
JUMP_4, JUMP_6 = (make(Jump(family, "filter", "INPUT", "rc.default.INPUT")) for family in (4, 6))


def steps(*changes):
    return [(step.channel, list(step.changes)) for step in Plan(changes).steps(KINDS)]


def test_a_plan_without_changes_has_no_steps():
    assert steps() == []


def test_consecutive_netlink_changes_of_whatever_kind_are_one_step():
    assert steps(ADDRESS, RULE, QDISC) == [("netlink", [ADDRESS, RULE, QDISC])]


def test_the_chains_of_both_families_become_one_step_a_family_however_they_are_interleaved():
    assert steps(CHAIN_4, CHAIN_6, JUMP_4, JUMP_6) == [
        ("iptables4", [CHAIN_4, JUMP_4]),
        ("iptables6", [CHAIN_6, JUMP_6]),
    ]


def test_iptables_between_netlink_changes_splits_them_so_that_the_order_is_kept():
    assert steps(RULE, CHAIN_4, CHAIN_6, QDISC) == [
        ("netlink", [RULE]),
        ("iptables4", [CHAIN_4]),
        ("iptables6", [CHAIN_6]),
        ("netlink", [QDISC]),
    ]


def test_iptables_changes_that_something_else_parts_are_not_thrown_together():
    assert [channel for channel, _ in steps(CHAIN_4, QDISC, JUMP_4)] == ["iptables4", "netlink", "iptables4"]


def test_every_change_is_in_exactly_one_step():
    changes = (ADDRESS, CHAIN_6, JUMP_6, QDISC, CHAIN_4, RULE, JUMP_4)
    assert sorted(c.key for _, part in steps(*changes) for c in part) == sorted(c.key for c in changes)


def test_what_a_plan_touches_is_what_it_changes_and_what_that_takes_along():
    lost = Effect(("route", 4, 254, "0.0.0.0/0", 0), (), 3)
    change = Change(DELETE, ADDRESS.key, ADDRESS.after, None, takes=(lost,))
    assert Plan((change, RULE)).touched() == {ADDRESS.key, RULE.key, lost.key}


def test_a_plan_is_empty_only_without_conflicts():
    assert Plan().empty
    assert not Plan((RULE,)).empty
