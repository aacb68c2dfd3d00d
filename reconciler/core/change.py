"""Changes, steps and plans: data with a before and an after, for whoever renders or executes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from reconciler.core.state import Key, State, Value, nothing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.core.kind import Effect, Kind

CREATE, UPDATE, REPLACE, DELETE = "create", "update", "replace", "delete"


class Change(NamedTuple):
    """One thing to do to one object."""

    action: str
    key: Key
    before: Value | None
    after: Value | None
    mark: int | None = None
    """Whose it is: None makes or keeps it ours, a number keeps a foreign holder's mark."""
    adopts: int | None = None
    """The mark of the foreign holder that this change takes the object over from."""
    fields: tuple[str, ...] = ()
    """Which fields change."""
    why: str = ""
    """Why it is a replace and not an update."""
    disruptive: str = ""
    """What a user would notice; empty when nothing."""
    takes: tuple[Effect, ...] = ()
    """What the kernel removes or changes along with it."""
    beside: bool = False
    """Whether a foreign object keeps the same key, and must be left alone."""

    @property
    def kind(self) -> str:
        """The kind's name."""
        return str(self.key[0])


class Conflict(NamedTuple):
    """A foreign object holds what a desired one needs, with another value."""

    key: Key
    wanted: Value
    holder: Value
    mark: int


class Pending(NamedTuple):
    """A desired object that waits for something the file does not make."""

    key: Key
    value: Value
    reason: str


class Step(NamedTuple):
    """What goes to the kernel at once."""

    channel: str
    changes: tuple[Change, ...]


class Plan(NamedTuple):
    """All that has to be done, in order, and the state it leads to."""

    changes: tuple[Change, ...] = ()
    predicted: State = nothing()
    conflicts: tuple[Conflict, ...] = ()
    collateral: tuple[Effect, ...] = ()
    """Foreign objects that the kernel would remove or change along with ours."""
    pending: tuple[Pending, ...] = ()
    satisfied: int = 0
    """How many objects are as desired already."""
    unknown: Mapping[str, str] = {}
    """Kinds of which the present state could not be read, each with the reason."""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.changes and not self.conflicts

    def steps(self, kinds: Mapping[str, Kind[Any]]) -> tuple[Step, ...]:
        """Group the changes into what goes to the kernel at once, in their order."""
        return tuple(_steps(self.changes, kinds))

    def touched(self) -> set[Key]:
        """Return the keys that the plan changes or that the kernel changes along with them."""
        keys = {change.key for change in self.changes}
        return keys.union(effect.key for change in self.changes for effect in change.takes)


def _steps(changes: Iterable[Change], kinds: Mapping[str, Kind[Any]]) -> Iterable[Step]:
    """Consecutive changes of a channel are one step; channels that go together fill up side by side."""
    run: dict[str, list[Change]] = {}
    together = False
    for change in changes:
        kind = kinds[change.kind]
        channel = kind.channel(change.key)
        if run and (kind.together != together or (not together and channel not in run)):
            yield from (Step(name, tuple(part)) for name, part in run.items())
            run = {}
        together = kind.together
        run.setdefault(channel, []).append(change)
    yield from (Step(name, tuple(part)) for name, part in run.items())
