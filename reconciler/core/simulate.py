"""The simulation: changes happen to a world, together with all that the kernel does by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.core.change import REPLACE, UPDATE, Change
from reconciler.core.kind import Kind
from reconciler.core.world import World

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.core.kind import Effect
    from reconciler.core.state import Key, State, Value

    Kinds = Mapping[str, Kind[Any]]

MOST_CHANGES = 12
"""How often one object may be made or changed in one plan before what is wanted must be a circle."""


class PlanError(Exception):
    """One object was made again and again: what is wanted of it, or what kinds say of it, is a circle."""

    def __init__(self, key: Key) -> None:
        super().__init__(f"no order found for {words(key)}: it is lost again and again")
        self.key = key


class Simulation:
    """A world, and the changes that led to it."""

    def __init__(self, kinds: Kinds, observed: State) -> None:
        self.kinds = kinds
        self.world = World(kinds, observed)
        self.changes: list[Change] = []
        self._made: dict[Key, int] = {}
        self._followers = [kind for kind in kinds.values() if type(kind).ends_with is not Kind.ends_with]

    def execute(self, change: Change) -> list[Key]:
        """Let a change happen; return the keys that the kernel takes along, changes along, or brings.

        :raises PlanError: the same object was made or changed too often.
        """
        action, key, before, after, mark, adopts = change[:6]
        kind, world = self.kinds[key[0]], self.world
        takes: list[Effect] = []
        if before is not None:
            lost = list(kind.takes(before, None if action == REPLACE else after, world))
            lost += [e for follower in self._followers for gone in lost if gone.after is None
                     for e in follower.ends_with(gone.key, world)]  # fmt: skip
            takes = sorted(dict.fromkeys(lost), key=_order)
            world.drop(key, before, mark if adopts is None else adopts)
        self.changes.append(
            change._replace(
                fields=kind.changed(before, after) if before is not None and after is not None else (),
                disruptive=kind.disruptive(before, after) if before is not None else "",
                takes=tuple(takes),
                beside=not kind.shared and key in world.foreign,
            )
        )
        for effect in takes:
            world.drop(effect.key, effect.before, effect.mark)
            if effect.after is not None:
                world.put(effect.key, effect.after, effect.mark)
        touched = [effect.key for effect in takes]
        for effect in takes:
            if effect.after is not None:
                touched += self._become(effect)
        if after is not None:
            self._count(key)
            world.put(key, after, mark)
            brought = list(kind.brings(before if action == UPDATE else None, after, mark, world))
            brought += [one for follower in self._followers for value, _ in brought
                        for one in follower.begins_with(value, world)]  # fmt: skip
            touched += [key for value, maker in brought for key in self._bring(value, maker)]
        return touched

    def _count(self, key: Key) -> None:
        self._made[key] = self._made.get(key, 0) + 1
        if self._made[key] > MOST_CHANGES:
            raise PlanError(key)

    def _become(self, effect: Effect) -> list[Key]:
        """Let an object that the kernel has changed by itself bring what it brings."""
        kind = self.kinds[effect.key[0]]
        brought = list(kind.brings(effect.before, effect.after, effect.mark, self.world))
        return [key for value, maker in brought for key in self._bring(value, maker)]

    def _bring(self, value: Value, maker: int) -> list[Key]:
        kind = next(kind for kind in self.kinds.values() if isinstance(value, kind.value))
        key: Key = kind.key(value)
        if any(mark == maker and kind.same(value, other) for other, mark in self.world.holders(key)):
            return []
        self.world.put(key, value, maker)
        return [key]


def words(key: Key) -> str:
    """Name an object by its key, for people."""
    return " ".join(str(part) for part in key if part not in ("", ()))


def _order(effect: Effect) -> tuple[Key, int]:
    return effect.key, -2 if effect.mark is None else effect.mark
