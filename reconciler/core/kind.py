"""What the core asks of a kind of kernel object; the defaults fit most kinds.

A kind is one object without state. Its file under ``resources`` holds the value, the stanza of the
schema, how it is read and written, and the answers to the questions below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from reconciler.core.state import Key, Scope, Value

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

    from reconciler.core.world import World

V = TypeVar("V", bound=Value)


class Lack(NamedTuple):
    """Why an object cannot be made yet: a reason in words; it makes the object pending."""

    reason: str


class Effect(NamedTuple):
    """What the kernel does by itself to one object when another one changes."""

    key: Key
    before: Value
    mark: int | None
    """Who holds it: None is ours, else the foreign holder's mark."""
    after: Value | None = None
    """What becomes of it; None when it vanishes."""


class Kind(Generic[V]):
    """One kind of kernel object. Pure: every method is a function of its arguments."""

    name: str
    """The word that diffs show; also the first element of every key."""
    value: type[V]
    rank: int
    """Order of creation among the kinds; deletions run the other way."""
    shared = False
    """Objects that exist by themselves: changed wherever they are, never created or deleted."""
    together = False
    """Deletions go in the same request as creations, instead of after everything else."""
    open: tuple[str, ...] = ()
    """Fields that the file may leave open: None takes the observed value."""
    gives_back: tuple[str, ...] = ()
    """Fields of a shared object whose former value returns when the file no longer names them."""
    witness: tuple[str, ...] = ()
    """Fields that are remembered with a former value, to see whether it is still the same object's."""
    swayed = False
    """What other changes of this kind do to an object that the file does not name is given back as well."""
    anybodys = True
    """A foreign object that equals the desired one will do. Not so for a part of a whole."""
    inside: tuple[str, ...] = ()
    """Kinds that hold objects of this one as a whole holds its parts: a part of ours needs a whole of ours."""

    def key(self, value: V) -> Key:
        """Return what makes this object one and the same as another."""
        raise NotImplementedError

    def channel(self, key: Key) -> str:  # noqa: ARG002  (a kind may write by several channels)
        """Name the way by which changes reach the kernel; consecutive ones of a channel are one step."""
        return "netlink"

    def scope(self, value: V) -> Scope:
        """Return the group that this object belongs to, for ``exclusive`` and for look-ups."""
        return (self.name, value[0])

    def groups(self, value: V) -> Iterable[Scope]:
        """Yield all groups by which this object is looked up; each begins with the kind's name."""
        return (self.scope(value),)

    def claims(self, value: V) -> Iterable[Key]:  # noqa: ARG002
        """Yield what else must be unique, among the objects of all kinds that claim the same."""
        return ()

    def rivals(self, value: V, world: World) -> Iterable[Key]:
        """Yield the objects that must go before this one can be made, or become this."""
        for claim in self.claims(value):
            yield from world.claimants(claim)

    def same(self, one: V, other: V) -> bool:
        """Tell whether two filled values are equal as far as the kernel's behaviour goes."""
        return one == other

    def fill(self, wanted: V, seen: V | None, former: Mapping[str, Any]) -> V:
        """Replace open fields: by the former value where we changed it, else by the observed one."""
        changes = {}
        for field in self.open:
            if getattr(wanted, field) is None:
                found = former.get(field, getattr(seen, field) if seen is not None else None)
                if found is not None:
                    changes[field] = found
        return wanted._replace(**changes) if changes else wanted  # type: ignore[attr-defined]

    def decide(self, wanted: V, seen: V | None, world: World) -> V:  # noqa: ARG002
        """Decide the open fields by what is there at the moment."""
        return self.fill(wanted, seen, {})

    def lands(self, value: V, world: World) -> V:  # noqa: ARG002
        """Return the value with what the kernel decides when the object is created."""
        return value

    def replace(self, before: V, after: V) -> str:  # noqa: ARG002
        """Say why the kernel cannot change this in place; empty when it can."""
        return ""

    def excludes(self, before: V | None, after: V, other: V) -> bool:  # noqa: ARG002
        """Tell whether this cannot be made of ``before`` while a foreign object keeps the same key."""
        return True

    def crowded(self, before: V, after: V, other: V) -> str:  # noqa: ARG002
        """Say why it cannot be changed in place while a foreign object keeps the same key; empty when it can."""
        return ""

    def disruptive(self, before: V, after: V | None) -> str:  # noqa: ARG002
        """Say what a user would notice of this change or deletion; empty when nothing."""
        return ""

    def requires(self, value: V, world: World) -> Iterable[Key | Lack]:  # noqa: ARG002
        """Yield what the object stands on: keys that must exist, and lacks with their reason."""
        return ()

    def missing(self, key: Key) -> str:
        """Say in words that an object which others stand on is not there."""
        return f"{self.name} {' '.join(map(str, key[1:]))} does not exist yet"

    def nearest(self, key: Key, world: World) -> str:  # noqa: ARG002
        """Return a hint what else may be meant by a key that nothing in the file or the kernel explains."""
        return ""

    def takes(self, before: V, after: V | None, world: World) -> Iterable[Effect]:  # noqa: ARG002
        """Yield what the kernel removes or changes by itself when this goes or becomes ``after``."""
        return ()

    def brings(
        self,
        before: V | None,  # noqa: ARG002
        after: V,  # noqa: ARG002
        mark: int | None,  # noqa: ARG002
        world: World,  # noqa: ARG002
    ) -> Iterable[tuple[Value, int]]:
        """Yield the objects that the kernel makes by itself when this becomes ``after``, with their marks.

        :param before: what it was; None if it did not exist.
        :param mark: whose it is; None is ours.
        """
        return ()

    def begins_with(self, value: Value, world: World) -> Iterable[tuple[V, int]]:  # noqa: ARG002
        """Yield the objects of this kind that come by themselves with one of another kind, with their marks."""
        return ()

    def ends_with(self, key: Key, world: World) -> Iterable[Effect]:  # noqa: ARG002
        """Yield the objects of this kind that go with one of another kind."""
        return ()

    def stale(self, former: Mapping[str, Any], now: Value) -> bool:
        """Tell whether a former value is that of another object, which had the same key."""
        return any(former.get(field) not in (None, getattr(now, field)) for field in self.witness)

    def due(self, key: Key, wanted: Container[Key]) -> bool:  # noqa: ARG002
        """Tell whether a former value shall be given back: not while what changed it is wanted."""
        return True

    def blockers(self, value: V, world: World) -> Iterable[Key]:  # noqa: ARG002
        """Yield objects without whose removal the kernel refuses to remove this one."""
        return ()

    def steady(self, value: V) -> V:
        """Return a value without what runs down by itself, so that it can be compared with the same one later."""
        return value

    def changed(self, before: V, after: V) -> tuple[str, ...]:
        """Name the fields in which two values differ."""
        return tuple(f for f in self.value._fields if getattr(before, f) != getattr(after, f))  # type: ignore[attr-defined]

    def revive(self, fields: Mapping[str, Any]) -> V:
        """Return the value that a JSON object holds; lists in it are tuples again. ValueError if it is none.

        A field that has a default may be missing: an older version did not know it.
        """
        known: tuple[str, ...] = self.value._fields  # type: ignore[attr-defined]
        needed = set(known) - set(self.value._field_defaults)  # type: ignore[attr-defined]
        if not needed <= set(fields) <= set(known):
            names = ", ".join(known)
            raise ValueError(f"a {self.name} has the fields {names}, not {', '.join(map(str, fields))}")
        return self.value(**{name: deep(field) for name, field in fields.items()})


def deep(part: Any) -> Any:
    """Return a part of a JSON value with tuples for lists."""
    return tuple(map(deep, part)) if isinstance(part, list) else part


Kinds = "Mapping[str, Kind[Any]]"
"""All kinds by name; the literal registry is in ``resources``."""
