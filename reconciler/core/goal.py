"""What a plan is to reach, and whether an object is as it is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from reconciler.core.state import SURPLUS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.core.kind import Kind
    from reconciler.core.state import Held, Key, Value
    from reconciler.core.world import World


class Goal(NamedTuple):
    """What a plan is to reach."""

    wanted: Mapping[Key, Value]
    """What shall be there; open fields are None until they are decided."""
    held: frozenset[Key] = frozenset()
    """Keys to leave as they are: what is pending, or in conflict, is neither made nor deleted."""
    adopt: frozenset[Key] = frozenset()
    adopt_all: bool = False
    exclusive: frozenset[Any] = frozenset()
    foreign: Mapping[Key, tuple[Held, ...]] = {}
    """Foreign objects to put back as they were."""
    beside: frozenset[Key] = frozenset()
    """Keys that we may have although a foreign object has them, too: we had them both before."""


def decided(kind: Kind[Any], wanted: Value, seen: Value | None, world: World) -> Value:
    """Return a wanted value with its open fields decided by what is there at the moment."""
    value: Value = kind.decide(wanted, seen, world) if kind.open else wanted
    return value


def satisfied(kind: Kind[Any], wanted: Value, key: Key, world: World, *, mine: bool = False) -> bool:
    """Tell whether the kernel has what is wanted, whoever made it; with ``mine`` only if we made it."""
    ours = world.ours.get(key)
    if ours is not None:
        return ours is wanted or kind.same(decided(kind, wanted, ours, world), ours)
    held = world.foreign.get(key)
    if not held or mine or not kind.anybodys:
        return False
    return any(kind.same(decided(kind, wanted, h.value, world), h.value) for h in held if h.mark != SURPLUS)
