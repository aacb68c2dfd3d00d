"""A state in motion: what the planner changes step by step, with the look-ups that kinds need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.core.kind import Kind
from reconciler.core.state import Held, State

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.core.state import Key, Scope, Value


class World:
    """A mutable copy of a state. Indexes are built per kind, when first asked for."""

    def __init__(self, kinds: Mapping[str, Kind[Any]], state: State) -> None:
        self.kinds = kinds
        self.ours: dict[Key, Value] = dict(state.ours)
        self.foreign: dict[Key, tuple[Held, ...]] = dict(state.foreign)
        self._unknown = state.unknown
        self._groups: dict[str, dict[Scope, dict[Key, None]]] = {}
        self._claims: dict[Key, dict[Key, None]] | None = None

    def has(self, key: Key) -> bool:
        """Tell whether anybody's object has this key."""
        return key in self.ours or key in self.foreign

    def get(self, key: Key) -> Any:
        """Return the value under a key, ours before foreign; None if there is none."""
        ours = self.ours.get(key)
        if ours is not None:
            return ours
        held = self.foreign.get(key)
        return held[0].value if held else None

    def holders(self, key: Key) -> Iterator[tuple[Value, int | None]]:
        """Yield every value under a key with its mark; None marks ours."""
        ours = self.ours.get(key)
        if ours is not None:
            yield ours, None
        for held in self.foreign.get(key, ()):
            yield held.value, held.mark

    def within(self, group: Scope) -> Iterator[tuple[Key, Any, int | None]]:
        """Yield key, value and mark of all objects of a group."""
        name = group[0]
        groups = self.kinds[name].groups
        for key in list(self._index(name).get(group, ())):
            for value, mark in list(self.holders(key)):
                if group in groups(value):
                    yield key, value, mark

    def every(self, name: str) -> Iterator[tuple[Key, Any, int | None]]:
        """Yield key, value and mark of all objects of one kind."""
        for key in [k for k in self.ours if k[0] == name]:
            yield key, self.ours[key], None
        for key in [k for k in self.foreign if k[0] == name]:
            for held in self.foreign[key]:
                yield key, held.value, held.mark

    def claimants(self, claim: Key) -> list[Key]:
        """Return the keys of the objects that hold a claim."""
        if self._claims is None:
            self._claims = {}
            for kind in self.kinds.values():
                if type(kind).claims is not Kind.claims:
                    for key, value, _ in self.every(kind.name):
                        self._claim(self._claims, key, value)
        return list(self._claims.get(claim, ()))

    def put(self, key: Key, value: Value, mark: int | None = None) -> None:
        """Add an object; one of ours takes the place of another of ours."""
        if mark is None:
            if key in self.ours:
                self.drop(key, self.ours[key])
            self.ours[key] = value
        else:
            self.foreign[key] = (*self.foreign.get(key, ()), Held(value, mark))
        if key[0] in self._groups:
            for group in self.kinds[key[0]].groups(value):
                self._groups[key[0]].setdefault(group, {})[key] = None
        if self._claims is not None:
            self._claim(self._claims, key, value)

    def drop(self, key: Key, value: Value, mark: int | None = None) -> None:
        """Remove one object."""
        if mark is None:
            self.ours.pop(key, None)
        else:
            rest = tuple(h for h in self.foreign.get(key, ()) if h != (value, mark))
            if rest:
                self.foreign[key] = rest
            else:
                self.foreign.pop(key, None)
        kind = self.kinds[key[0]]
        left = [other for other, _ in self.holders(key)]
        if key[0] in self._groups:
            kept = {group for other in left for group in kind.groups(other)}
            for group in kind.groups(value):
                if group not in kept:
                    self._groups[key[0]].get(group, {}).pop(key, None)
        if self._claims is not None:
            claimed = {claim for other in left for claim in kind.claims(other)}
            for claim in kind.claims(value):
                if claim not in claimed:
                    self._claims.get(claim, {}).pop(key, None)

    def state(self) -> State:
        """Return what is here now, as a state."""
        return State(dict(self.ours), dict(self.foreign), self._unknown)

    def _claim(self, claims: dict[Key, dict[Key, None]], key: Key, value: Value) -> None:
        for claim in self.kinds[key[0]].claims(value):
            claims.setdefault(claim, {})[key] = None

    def _index(self, name: str) -> dict[Scope, dict[Key, None]]:
        found = self._groups.get(name)
        if found is None:
            found = self._groups[name] = {}
            groups = self.kinds[name].groups
            for key, value, _ in self.every(name):
                for group in groups(value):
                    found.setdefault(group, {})[key] = None
        return found
