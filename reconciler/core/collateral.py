"""What somebody else loses by a plan, and does not get back from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.core.state import SELF_MADE, SURPLUS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.core.change import Change
    from reconciler.core.goal import Goal
    from reconciler.core.kind import Effect, Kind

    Kinds = Mapping[str, Kind[Any]]


def collateral(kinds: Kinds, goal: Goal, changes: Iterable[Change]) -> Iterator[Effect]:
    """Yield the effects of changes that hurt somebody else, even where the plan makes the same again as ours."""
    for change in changes:
        for effect in change.takes:
            theirs = effect.mark is not None and effect.mark not in SELF_MADE and effect.mark != SURPLUS
            if theirs and not _meant(kinds, goal, change, effect):
                yield effect


def _meant(kinds: Kinds, goal: Goal, change: Change, effect: Effect) -> bool:
    """Tell whether an effect is harmless, undone by the plan itself, or what was asked for."""
    kind = kinds[effect.key[0]]
    if effect.key in goal.foreign:
        return True
    if effect.after is not None and kind.same(effect.before, effect.after):
        return True
    return change.kind in kind.inside and (change.adopts is not None or change.mark is not None)
