"""A step is what goes to the kernel at once."""

from __future__ import annotations

from reconciler.core.change import CREATE, DELETE, Change, Plan
from reconciler.core.kind import Effect
from reconciler.resources.iptables.chain import Chain
from reconciler.resources.iptables.jump import Jump
from reconciler.resources.registry import KINDS
from reconciler.resources.rule import Rule
from reconciler.resources.tc.qdisc import Qdisc


def change(value, action=CREATE):
    kind = next(kind for kind in KINDS.values() if isinstance(value, kind.value))
    before, after = (None, value) if action == CREATE else (value, None)
    return Change(action, kind.key(value), before, after)


RULE = change(Rule(4, 17000, table=100))
QDISC = change(Qdisc("eth0", "1:", "htb"))
CHAIN4, CHAIN6 = (change(Chain(family, "filter", "rc.a.INPUT")) for family in (4, 6))
JUMP4, JUMP6 = (change(Jump(family, "filter", "INPUT", "rc.a.INPUT")) for family in (4, 6))


def steps(*changes):
    return [(step.channel, step.changes) for step in Plan(changes).steps(KINDS)]


def test_consecutive_netlink_changes_of_all_kinds_are_one_step():
    assert steps(RULE, QDISC) == [("netlink", (RULE, QDISC))]


def test_chains_jumps_and_deletions_of_a_family_are_one_step():
    gone = change(Chain(4, "mangle", "rc.a.OUTPUT"), DELETE)
    assert steps(CHAIN4, CHAIN6, JUMP4, JUMP6, gone) == [
        ("iptables4", (CHAIN4, JUMP4, gone)),
        ("iptables6", (CHAIN6, JUMP6)),
    ]


def test_what_comes_before_iptables_is_not_sent_after_it():
    assert [channel for channel, _ in steps(RULE, CHAIN4, QDISC)] == ["netlink", "iptables4", "netlink"]


def test_a_plan_touches_what_it_changes_and_what_the_kernel_takes_along():
    lost = Effect(("rule", 4), RULE.after, None)
    plan = Plan((QDISC._replace(takes=(lost,)),))
    assert plan.touched() == {QDISC.key, ("rule", 4)}


def test_a_plan_without_changes_is_empty_and_one_with_a_conflict_is_not():
    assert Plan().empty
    assert not Plan((RULE,)).empty
