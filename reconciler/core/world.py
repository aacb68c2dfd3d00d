"""A state in motion: what the planner changes step by step, with the look-ups that kinds need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.core.state import Held, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.core.kind import Kind
    from reconciler.core.state import Key, Scope, Value


class World:
    """A mutable copy of a state. Indexes are built per kind, when first asked for."""

    def __init__(self, kinds: Mapping[str, Kind[Any]], state: State) -> None:
        self.kinds = kinds
        self.ours: dict[Key, Value] = dict(state.ours)
        self.foreign: dict[Key, tuple[Held, ...]] = dict(state.foreign)
        self._unknown = state.unknown
        self._groups: dict[str, dict[Scope, dict[Key, None]]] = {}
        self._claims: dict[str, dict[Key, Key]] = {}

    def has(self, key: Key) -> bool:
        """Tell whether anybody's object has this key."""
        return key in self.ours or key in self.foreign

    def get(self, key: Key) -> Any:  # noqa: ANN401  (the caller knows the kind, and so the type)
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

    def within(self, scope: Scope) -> Iterator[tuple[Key, Any, int | None]]:
        """Yield key, value and mark of all objects of one scope, in the order of their arrival."""
        for key in list(self._index(scope[0]).get(scope, ())):
            for value, mark in self.holders(key):
                yield key, value, mark

    def every(self, kind: str) -> Iterator[tuple[Key, Any, int | None]]:
        """Yield key, value and mark of all objects of one kind."""
        for scope in list(self._index(kind)):
            yield from self.within(scope)

    def claimed(self, claim: Key) -> Key | None:
        """Return the key of the object that holds a claim."""
        name = claim[0]
        if name not in self._claims:
            kind = self.kinds[name]
            self._claims[name] = {c: key for key, value, _ in self.every(name) for c in kind.claims(value)}
        return self._claims[name].get(claim)

    def put(self, key: Key, value: Value, mark: int | None = None, instead: Value | None = None) -> None:
        """Add an object, or set it in the place of ``instead``."""
        self._index(key[0])
        if mark is None:
            self.ours[key] = value
        else:
            held = tuple(h for h in self.foreign.get(key, ()) if h != (instead, mark))
            self.foreign[key] = (*held, Held(value, mark))
        self._groups[key[0]].setdefault(self.kinds[key[0]].scope(value), {})[key] = None
        if key[0] in self._claims:
            self._forget(key)
            self._claims[key[0]].update((c, key) for c in self.kinds[key[0]].claims(value))

    def drop(self, key: Key, value: Value, mark: int | None = None) -> None:
        """Remove one object."""
        self._index(key[0])
        if mark is None:
            self.ours.pop(key, None)
        else:
            rest = tuple(h for h in self.foreign.get(key, ()) if h != (value, mark))
            if rest:
                self.foreign[key] = rest
            else:
                self.foreign.pop(key, None)
        if not self.has(key):
            self._groups[key[0]].get(self.kinds[key[0]].scope(value), {}).pop(key, None)
            self._forget(key)

    def state(self) -> State:
        """Return what is here now, as a state."""
        return State(dict(self.ours), dict(self.foreign), self._unknown)

    def _forget(self, key: Key) -> None:
        claims = self._claims.get(key[0])
        if claims:
            for claim in [c for c, holder in claims.items() if holder == key]:
                del claims[claim]

    def _index(self, name: str) -> dict[Scope, dict[Key, None]]:
        groups = self._groups.get(name)
        if groups is None:
            groups = self._groups[name] = {}
            kind = self.kinds[name]
            for key, value in self._all(name):
                groups.setdefault(kind.scope(value), {})[key] = None
        return groups

    def _all(self, name: str) -> Iterable[tuple[Key, Value]]:
        for key, value in self.ours.items():
            if key[0] == name:
                yield key, value
        for key, held in self.foreign.items():
            if key[0] == name:
                yield key, held[0].value
