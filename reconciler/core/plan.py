"""From two states to the changes between them: the preview, the verification, the way back.

    desired ─► asked ─┐
                      ├─► pending.split ─► planner ─► Plan: changes in order, and the state they lead to
    observed ─────────┘

There is no code for going back: that is a plan like any other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.core.change import Conflict, Pending, Plan
from reconciler.core.collateral import collateral
from reconciler.core.goal import Goal
from reconciler.core.pending import seen, split
from reconciler.core.simulate import PlanError
from reconciler.core.state import PROTECTED, SELF_MADE, Key, State, Value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.core.desired import Desired
    from reconciler.core.kind import Kind
    from reconciler.core.planner import Planner

    Kinds = Mapping[str, Kind[Any]]

__all__ = ["PROTECTED", "SELF_MADE", "PlanError", "plan", "plan_back"]


def plan(kinds: Kinds, desired: Desired, observed: State, *, adopt: bool = False) -> Plan:
    """Return what turns ``observed`` into ``desired``; empty when nothing is to be done.

    :param adopt: take over every foreign object that holds a desired key.
    """
    wanted = asked(kinds, desired, observed)
    hidden = {key for key in desired.values if key[0] in observed.unknown} if observed.unknown else ()
    if hidden:
        wanted = {key: value for key, value in wanted.items() if key[0] not in observed.unknown}
    goal = Goal(wanted, adopt=desired.adopt, adopt_all=adopt, exclusive=desired.exclusive, beside=_both(observed))
    planner, pending = split(kinds, goal, observed)
    # What only has to be given back, and is gone, waits for nothing.
    pending = tuple(one for one in pending if one.key in desired.values or planner.world.has(one.key))
    waiting = sum(1 for one in pending if one.key in desired.values)
    satisfied = len(desired.values) - len(hidden) - planner.differing - waiting - len(planner.conflicts)
    return _finished(planner, observed, pending, max(0, satisfied))


def plan_back(kinds: Kinds, before: State, now: State, touched: set[Key]) -> Plan:
    """Return the way back: the touched keys as they were before, and nothing else changed.

    What the kernel takes along on the way back is put back as well, whoever made it.
    """
    wanted = {key: value for key, value in now.ours.items() if key not in touched}
    foreign = {key: held for key, held in now.foreign.items() if key not in touched and not kinds[key[0]].shared}
    for key in sorted(touched):
        held = before.foreign.get(key)
        if kinds[key[0]].shared:
            if held:
                wanted[key] = held[0].value
            continue
        if (value := before.ours.get(key)) is not None:
            wanted[key] = value
        if held:
            foreign[key] = held
    goal = Goal(wanted, foreign=foreign, beside=_both(before) | _both(now))
    planner, pending = split(kinds, goal, now)
    return _finished(planner, now, pending, 0)


def asked(kinds: Kinds, desired: Desired, observed: State) -> Mapping[Key, Value]:
    """Return the desired values, and shared objects that we changed and that the file no longer names.

    Fields that we changed and that the file leaves open now are wanted as they were before.
    """
    if not desired.former:
        return desired.values
    wanted = dict(desired.values)
    for key, fields in desired.former.items():
        now = seen(observed, key)
        if key[0] not in kinds or (key not in wanted and now is None):
            continue
        kind = kinds[key[0]]
        if now is not None and kind.stale(fields, now):
            continue
        if key in wanted:
            wanted[key] = kind.fill(wanted[key], None, fields)
        elif now is not None and kind.due(key, desired.values):
            known = {name: field for name, field in fields.items() if hasattr(now, name)}
            left = dict.fromkeys(kind.open)
            wanted[key] = now._replace(**{**left, **known})  # type: ignore[attr-defined]
    return wanted


def _both(state: State) -> frozenset[Key]:
    """Return the keys that we and somebody else have at once."""
    return frozenset(key for key in state.foreign if key in state.ours)


def _finished(planner: Planner, observed: State, pending: tuple[Pending, ...], satisfied: int) -> Plan:
    return Plan(
        changes=tuple(planner.changes),
        predicted=planner.world.state(),
        conflicts=tuple(_filled(planner, conflict) for conflict in planner.conflicts.values()),
        collateral=tuple(collateral(planner.kinds, planner.goal, planner.changes)),
        pending=pending,
        satisfied=satisfied,
        unknown=observed.unknown,
    )


def _filled(planner: Planner, conflict: Conflict) -> Conflict:
    kind = planner.kinds[conflict.key[0]]
    return conflict._replace(wanted=kind.fill(conflict.wanted, conflict.holder, {}))
