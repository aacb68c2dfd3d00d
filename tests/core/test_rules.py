"""What planning promises, for rules alone: the kernel takes many of them for one another."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from reconciler.core.desired import Desired
from reconciler.core.plan import plan, plan_back
from reconciler.kernel.fake import FakeKernel
from reconciler.resources.registry import KINDS
from tests.core import pools
from tests.core.compare import difference, essence
from tests.core.strategies import keyed, perform

EXAMPLES = int(os.environ.get("HYPOTHESIS_EXAMPLES", "300"))
trying = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize="HYPOTHESIS_EXAMPLES" not in os.environ,
    suppress_health_check=list(HealthCheck),
)
near = st.sampled_from(pools.NEAR_RULES)
wishes = st.lists(near, max_size=4).map(lambda rules: Desired(keyed(rules)))
others = st.lists(st.tuples(near, st.sampled_from((0, 3, 77)), st.booleans()), max_size=4)


class Scene(NamedTuple):
    kernel: FakeKernel
    wish: Desired


@st.composite
def scenes(draw: Any) -> Scene:
    """A kernel in which one file after another was applied, some only in part, and in which others made rules."""
    kernel = FakeKernel()
    for _ in range(draw(st.integers(1, 3))):
        for rule, mark, gone in draw(others):
            (kernel.remove if gone and mark else kernel.make)(rule, mark)
        changes = plan(KINDS, draw(wishes), kernel.state()).changes
        perform(kernel, changes[: draw(st.integers(0, 8))])
    return Scene(kernel, draw(wishes))


@trying
@given(scenes())
def test_a_plan_is_carried_out_ends_as_predicted_and_leaves_nothing(scene):
    kernel, wish = scene
    found = plan(KINDS, wish, kernel.state())
    assert not found.pending
    perform(kernel, found.changes)
    assert difference(essence(found.predicted), essence(kernel.state())) == []
    assert plan(KINDS, wish, kernel.state()).changes == ()


@trying
@given(scenes(), st.integers(0, 8))
def test_the_way_back_leads_to_where_it_began(scene, done):
    """From any point; unless it began between two files, with rules side by side that neither asks for."""
    kernel, wish = scene
    before = kernel.state()
    assume(keyed(before.ours.values()) == before.ours)
    found = plan(KINDS, wish, before)
    perform(kernel, found.changes[:done])
    perform(kernel, plan_back(KINDS, before, kernel.state(), found.touched()).changes)
    assert difference(essence(before), essence(kernel.state())) == []


@trying
@given(scenes())
def test_what_others_made_stays(scene):
    kernel, wish = scene
    before = kernel.state().foreign
    perform(kernel, plan(KINDS, wish, kernel.state()).changes)
    assert kernel.state().foreign == before
