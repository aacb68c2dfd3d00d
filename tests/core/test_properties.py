"""What planning promises, tried on a fake kernel with random states, wishes and foreign deeds."""

from __future__ import annotations

import os
import random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from reconciler.core.change import Plan
from reconciler.core.desired import Desired
from reconciler.core.plan import plan, plan_back
from reconciler.core.state import PROTECTED, State
from reconciler.kernel.fake import FakeKernel
from reconciler.resources.registry import KINDS
from tests.core.compare import difference, essence, without_kernels
from tests.core.strategies import FOREIGN, act, deeds, key_of, leaves, perform, scenes, wishes

pytestmark = pytest.mark.timeout(1200)
EXAMPLES = int(os.environ.get("HYPOTHESIS_EXAMPLES", "60"))
ROUNDS = 3
trying = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize="HYPOTHESIS_EXAMPLES" not in os.environ,  # the same examples each time, unless more are asked for
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
)


def planned(kernel: FakeKernel, wish: Desired, **how) -> Plan:
    return plan(KINDS, wish, kernel.state(), **how)


def unsaid(wish: Desired) -> set:
    """Bridges take their mtu from their ports, unless the file says it."""
    named = {key for key, value in wish.values.items() if key[0] == "device" and value.mtu is not None}
    return {("device", name) for name in ("br0", "p0", "eth1")} - named


def settled(kernel: FakeKernel, wish: Desired) -> Plan:
    """Apply as often as it takes, as the program does; return the last plan, which must be empty."""
    for _ in range(ROUNDS):
        found = planned(kernel, wish)
        if not found.changes:
            return found
        perform(kernel, found.changes)
    found = planned(kernel, wish)
    assert not found.changes, found.changes
    return found


def stale(key, kernel: FakeKernel) -> bool:
    """Tell whether the kernel would not make something again that is there, since its ground has gone."""
    for other, value, mark in leaves(kernel.state()):
        if other == key and key[0] == "route":
            kernel.remove(value, mark)
            if not kernel.make(value, mark):
                return True
    return False


@trying
@given(scenes())
def test_no_change_of_a_plan_is_refused_by_the_kernel(scene):
    kernel, wish = scene
    perform(kernel, planned(kernel, wish).changes)


@trying
@given(scenes(strict=True), st.booleans())
def test_no_change_is_refused_where_the_file_takes_over_or_excludes(scene, adopt):
    kernel, wish = scene
    perform(kernel, planned(kernel, wish, adopt=adopt).changes)


@trying
@given(scenes(strict=True))
def test_the_kernel_ends_in_the_state_that_the_plan_predicts(scene):
    kernel, wish = scene
    found = planned(kernel, wish)
    perform(kernel, found.changes)
    predicted, reached = (essence(s, unsaid(wish)) for s in (found.predicted, kernel.state()))
    assert difference(predicted, reached) == []


@trying
@given(scenes(strict=True))
def test_a_second_plan_is_empty(scene):
    kernel, wish = scene
    found = planned(kernel, wish)
    perform(kernel, found.changes)
    again = planned(kernel, wish)
    assert again.changes == ()
    assert {p.key for p in found.pending} <= {one.key for one in (*again.pending, *again.conflicts)}


@trying
@given(scenes())
def test_what_had_to_wait_for_address_detection_is_made_afterwards_and_then_all_is_quiet(scene):
    kernel, wish = scene
    perform(kernel, planned(kernel, wish).changes)
    kernel.finish_detection()
    settled(kernel, wish)


@trying
@given(scenes(strict=True), st.floats(0, 1), st.booleans())
def test_the_way_back_leads_to_the_state_before_from_any_point_of_a_plan(scene, share, adopt):
    kernel, wish = scene
    before, untouched = kernel.state(), kernel.copy()
    found = planned(kernel, wish, adopt=adopt)
    perform(kernel, found.changes[: round(share * len(found.changes))])
    kernel.finish_detection()
    for _ in range(ROUNDS):
        back = plan_back(KINDS, before, kernel.state(), found.touched())
        perform(kernel, back.changes)
        kernel.finish_detection()
        if not back.changes:
            break
    old, new = (without_kernels(essence(s)) for s in (before, kernel.state()))
    assert [one for one in difference(old, new) if not stale(one[0], untouched)] == []


@trying
@given(scenes())
def test_foreign_objects_stay_as_they_are_unless_they_are_named_as_collateral(scene):
    kernel, wish = scene
    before = kernel.state()
    found = planned(kernel, wish)
    perform(kernel, found.changes)
    harmed = {effect.key for effect in found.collateral}
    after = list(leaves(kernel.state()))
    for key, value, mark in leaves(before):
        if mark in FOREIGN and key not in harmed:
            kind = KINDS[key[0]]
            again = key in wish.values
            assert any(
                k == key and kind.same(v, value) and (m == mark or (again and m is None)) for k, v, m in after
            ), (key, value, mark)


@trying
@given(scenes())
def test_no_change_is_made_to_a_foreign_object_without_leave(scene):
    kernel, wish = scene
    for change in planned(kernel, wish).changes:
        assert change.adopts is None
        assert change.mark is None or KINDS[change.kind].shared or change.mark < 0


@trying
@given(scenes())
def test_what_is_as_desired_is_not_touched(scene):
    kernel, wish = scene
    before = kernel.generations()
    found = planned(kernel, wish)
    perform(kernel, found.changes)
    after = kernel.generations()
    touched = found.touched()
    for (key, value, mark), generation in before.items():
        if mark is None and key not in touched and key in wish.values:
            assert after.get((key, value, mark)) == generation, key


@trying
@given(scenes())
def test_an_unchanged_file_changes_nothing(scene):
    kernel, wish = scene
    perform(kernel, planned(kernel, wish).changes)
    kernel.finish_detection()
    settled(kernel, wish)
    before = kernel.generations()
    perform(kernel, planned(kernel, wish).changes)
    assert kernel.generations() == before


@trying
@given(scenes(strict=True), st.booleans())
def test_what_is_pending_is_neither_made_nor_deleted_and_says_why(scene, adopt):
    kernel, wish = scene
    found = planned(kernel, wish, adopt=adopt)
    waiting = {p.key for p in found.pending}
    assert all(p.reason for p in found.pending)
    assert not waiting & {change.key for change in found.changes}


@trying
@given(scenes(strict=True))
def test_what_is_in_conflict_is_not_touched(scene):
    kernel, wish = scene
    found = planned(kernel, wish)
    assert not {c.key for c in found.conflicts} & {change.key for change in found.changes}


@trying
@given(scenes(strict=True), st.booleans())
def test_every_wish_is_fulfilled_pending_or_in_conflict(scene, adopt):
    kernel, wish = scene
    found = planned(kernel, wish, adopt=adopt)
    perform(kernel, found.changes)
    kernel.finish_detection()
    left = {p.key for p in found.pending} | {c.key for c in found.conflicts}
    again = planned(kernel, wish, adopt=adopt)
    missing = {change.key for change in again.changes} - left
    assert not missing


@trying
@given(scenes(strict=True))
def test_what_nobody_asked_for_any_more_is_gone(scene):
    kernel, wish = scene
    found = planned(kernel, wish)
    perform(kernel, found.changes)
    waiting = {p.key for p in found.pending}
    assert set(kernel.state().ours) <= set(wish.values) | waiting


@trying
@given(scenes())
def test_adopting_takes_over_every_foreign_object_that_is_in_the_way(scene):
    kernel, wish = scene
    found = planned(kernel, wish, adopt=True)
    for conflict in found.conflicts:
        assert conflict.mark in PROTECTED
    perform(kernel, found.changes)
    state = kernel.state()
    for change in found.changes:
        if change.adopts is not None:
            assert change.key in state.ours


@trying
@given(scenes(strict=True))
def test_an_exclusive_scope_holds_what_the_file_says_and_what_is_protected(scene):
    kernel, wish = scene
    found = planned(kernel, wish)
    for change in found.changes:
        if change.after is None and change.mark is not None and change.mark >= 0:
            assert change.mark not in PROTECTED
    perform(kernel, found.changes)
    excused = {p.key for p in found.pending} | {c.key for c in found.conflicts}
    for key, value, mark in leaves(kernel.state()):
        kind = KINDS[key[0]]
        if mark is not None and mark not in PROTECTED and kind.scope(value) in wish.exclusive:
            assert key in wish.values, (key, value, mark)
            assert key in excused or kind.same(wish.values[key], value) or kind.open


@trying
@given(scenes(strict=True), st.randoms(use_true_random=False))
def test_planning_does_not_depend_on_the_order_of_anything(scene, chance: random.Random):
    kernel, wish = scene
    state = kernel.state()
    shuffled = State(_shuffled(state.ours, chance), _shuffled(state.foreign, chance), state.unknown)
    other = wish._replace(values=_shuffled(wish.values, chance))
    one, two = plan(KINDS, wish, state), plan(KINDS, other, shuffled)
    assert one == two
    assert one.steps(KINDS) == two.steps(KINDS)


def _shuffled(found, chance):
    keys = list(found)
    chance.shuffle(keys)
    return {key: found[key] for key in keys}


@trying
@given(scenes(strict=True), wishes(), st.booleans())
def test_planning_never_fails(scene, other, adopt):
    kernel, wish = scene
    state = kernel.state()
    found = plan(KINDS, wish, state, adopt=adopt)
    perform(kernel, found.changes)
    plan(KINDS, other, found.predicted, adopt=adopt)
    plan_back(KINDS, state, kernel.state(), found.touched())


@trying
@given(scenes(), deeds)
def test_the_way_back_leaves_alone_what_others_did_meanwhile(scene, later):
    kernel, wish = scene
    before = kernel.state()
    found = planned(kernel, wish)
    perform(kernel, found.changes)
    middle = {(k, m) for k, v, m in leaves(kernel.state()) if m in FOREIGN}
    for deed in later:
        act(kernel, deed)
    theirs = {(k, v, m) for k, v, m in leaves(kernel.state()) if m in FOREIGN and (k, m) not in middle}
    back = plan_back(KINDS, before, kernel.state(), found.touched())
    for change in back.changes:
        assert (change.key, change.before, change.mark) not in theirs or key_of(change.before) in found.touched()
