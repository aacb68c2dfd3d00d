"""Set apart what has to wait.

Pending is whatever stands on something that neither exists nor is made by the file. It is worked out
from the observed state before anything is applied, not from a refusal: the whole is planned, what cannot
be made in the end is left out, and the rest is planned again, until nothing new has to wait. What waited only
for something that in the end is not done gets a second chance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.core.change import Pending
from reconciler.core.planner import Planner
from reconciler.core.simulate import PlanError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.core.change import Conflict
    from reconciler.core.goal import Goal
    from reconciler.core.kind import Kind
    from reconciler.core.state import Key, State, Value

    Kinds = Mapping[str, Kind[Any]]


def split(kinds: Kinds, goal: Goal, observed: State) -> tuple[Planner, tuple[Pending, ...]]:
    """Plan what can be made now; return the finished planner, and what waits, each with its reason.

    An object that stands on a waiting one waits as well. What is pending, or in conflict with what somebody
    else has, is neither made nor deleted.
    """
    reasons: dict[Key, str] = {}
    conflicts: dict[Key, Conflict] = {}
    released: set[Key] = set()
    while True:
        left = reasons.keys() | conflicts.keys()
        ready = {key: value for key, value in goal.wanted.items() if key not in left} if left else goal.wanted
        planner = Planner(kinds, goal._replace(wanted=ready, held=frozenset(left)), observed)
        try:
            planner.run()
        except PlanError as error:
            if error.key in left:
                raise
            reasons[error.key] = str(error)
            released.add(error.key)
            continue
        if planner.waiting or planner.conflicts:
            conflicts.update(planner.conflicts)
            reasons.update((key, why) for key, why in planner.waiting.items() if key not in conflicts)
            continue
        # The next plan would find these in conflict, not waiting; then this one is refused already.
        held = [found for key in reasons if (found := planner.holder(key, goal.wanted[key])) is not None]
        if held:
            conflicts.update((conflict.key, conflict) for conflict in held)
            reasons = {key: why for key, why in reasons.items() if key not in conflicts}
            continue
        again = [key for key in reasons if key not in released and planner.could_make(key, goal.wanted[key])]
        if not again:
            planner.conflicts.update(conflicts)
            return planner, tuple(_pending(kinds, goal.wanted, reasons, observed, planner))
        released.update(again)
        for key in again:
            del reasons[key]


def _pending(
    kinds: Kinds, wanted: Mapping[Key, Value], reasons: Mapping[Key, str], observed: State, planner: Planner
) -> Iterator[Pending]:
    """Yield what cannot be made, then what cannot go."""
    for key in sorted(reasons.keys() & wanted.keys()):
        value = wanted[key]
        kind = kinds[key[0]]
        yield Pending(key, kind.fill(value, seen(observed, key), {}) if kind.open else value, reasons[key])
    for key in sorted(planner.stuck):
        if key not in wanted and key in planner.world.ours:
            yield Pending(key, planner.world.ours[key], planner.stuck[key])


def seen(observed: State, key: Key) -> Value | None:
    """Return the observed value under a key, ours before foreign."""
    value = observed.ours.get(key)
    if value is None and (held := observed.foreign.get(key)):
        value = held[0].value
    return value
