"""What the fake kernel holds: one list of objects a kind, in the order of their arrival."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KERNEL = 2
"""The mark of what the kernel makes by itself."""


class Thing:
    """One object: its value, whose it is (None is ours), and when it was last written."""

    __slots__ = ("bound", "fixed", "generation", "mark", "value")

    def __init__(self, value: Any, mark: int | None, generation: int) -> None:
        self.value = value
        self.mark = mark
        self.generation = generation
        self.fixed = False
        """Of a bridge: somebody has set its mtu."""
        self.bound = ""
        """Of a filter: the class that it holds."""


class Store:
    """All objects. A write gives an object a new generation, so that a test sees what was touched."""

    def __init__(self) -> None:
        self.lists: dict[str, list[Thing]] = {}
        self.clock = 0

    def copy(self) -> Store:
        """Return another store with the same objects; values are never written to."""
        other = Store()
        other.clock = self.clock
        other.lists = {kind: list(map(copy, things)) for kind, things in self.lists.items()}
        return other

    def all(self, kind: str) -> list[Thing]:
        """Return the objects of a kind; the caller may change the store meanwhile."""
        return list(self.lists.get(kind, ()))

    def where(self, kind: str, test: Callable[[Any], bool]) -> Iterator[Thing]:
        """Yield the objects whose value passes a test."""
        return (thing for thing in self.all(kind) if test(thing.value))

    def first(self, kind: str, test: Callable[[Any], bool]) -> Thing | None:
        """Return the first object whose value passes a test."""
        return next(self.where(kind, test), None)

    def add(self, kind: str, value: Any, mark: int | None, before: Thing | None = None) -> Thing:
        """Add an object at the end, or before another one."""
        self.clock += 1
        thing = Thing(value, mark, self.clock)
        listed = self.lists.setdefault(kind, [])
        listed.insert(listed.index(before) if before is not None else len(listed), thing)
        return thing

    def write(self, thing: Thing, value: Any) -> None:
        """Give an object another value."""
        if value != thing.value:
            self.clock += 1
            thing.value, thing.generation = value, self.clock

    def remove(self, kind: str, thing: Thing) -> None:
        """Remove an object that is there."""
        self.lists[kind].remove(thing)

    def purge(self, kind: str, test: Callable[[Any], bool]) -> None:
        """Remove all objects whose value passes a test."""
        self.lists[kind] = [thing for thing in self.lists.get(kind, ()) if not test(thing.value)]
