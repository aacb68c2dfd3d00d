"""One run of planning: from a goal and a state to changes, in an order that the kernel accepts.

The planner keeps a simulated state. It takes what is to be done by rank of kind and key, applies each
change to the simulation together with what the kernel takes along, and puts back in the queue what was
lost and is wanted. Deletions come last, in reverse; earlier only where something is in the way: a
contested claim, or a dependent without whose removal the kernel refuses. What an object stands on is
made first, whatever its rank. The simulation that remains is the state that the plan predicts.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Any, NamedTuple

from reconciler.core.change import CREATE, DELETE, REPLACE, UPDATE, Change, Conflict
from reconciler.core.kind import Effect, Lack
from reconciler.core.state import PROTECTED, SELF_MADE, SURPLUS, Held, Key, State, Value
from reconciler.core.world import World

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.core.kind import Kind

    Kinds = Mapping[str, Kind[Any]]

MAKE, REMOVE, REMAKE = 1, 2, 3
"""The phases: creations and changes, then deletions, then what the deletions took along."""

MOST_CHANGES = 12
"""How often one object may be changed in one plan before the planner must be wrong about the kernel."""


class PlanError(Exception):
    """One object was changed again and again: what is wanted of it, or what kinds say of it, is a circle."""

    def __init__(self, key: Key) -> None:
        super().__init__(f"no order found for {_words(key)}: it is lost again and again")
        self.key = key


class Goal(NamedTuple):
    """What a plan is to reach."""

    wanted: Mapping[Key, Value]
    held: frozenset[Key] = frozenset()
    """Keys to leave as they are: what is pending is neither made nor deleted."""
    adopt: frozenset[Key] = frozenset()
    adopt_all: bool = False
    exclusive: frozenset[Any] = frozenset()
    foreign: Mapping[Key, tuple[Held, ...]] = {}
    """Foreign objects to put back as they were."""
    beside: frozenset[Key] = frozenset()
    """Keys that we may have although a foreign object has them, too: we had them both before."""


def satisfied(kind: Kind[Any], value: Value, key: Key, world: World, *, mine: bool = False) -> bool:
    """Tell whether the kernel has what is wanted, whoever made it; with ``mine`` only if we made it."""
    ours = world.ours.get(key)
    if ours is not None:
        return ours is value or kind.same(_decided(kind, value, ours, world), ours)
    held = world.foreign.get(key)
    if not held or mine or not kind.anybodys:
        return False
    return any(kind.same(_decided(kind, value, h.value, world), h.value) for h in held if h.mark != SURPLUS)


def _decided(kind: Kind[Any], value: Value, seen: Value | None, world: World) -> Value:
    decided: Value = kind.decide(value, seen, world) if kind.open else value
    return decided


class Planner:
    """One run of planning. Make one, call ``run`` once, then read what it found."""

    def __init__(self, kinds: Kinds, goal: Goal, observed: State) -> None:
        self.kinds = kinds
        self.goal = goal
        self.world = World(kinds, observed)
        self.changes: list[Change] = []
        self.conflicts: dict[Key, Conflict] = {}
        self.waiting: dict[Key, str] = {}
        """Wanted objects that cannot be made, with the reason."""
        self.stuck: dict[Key, str] = {}
        """Objects of ours that should go and cannot, with the reason."""
        self.differing = 0
        """How many wanted objects were not as wanted at the start."""
        self._queue: list[tuple[int, int, Key]] = []
        self._queued: set[tuple[int, Key]] = set()
        self._changed: dict[Key, int] = {}
        self._phase = MAKE
        self._stack: list[Key] = []
        self._undecided: list[Key] = []
        """Wanted objects with open fields: what was decided for them may be overtaken by other changes."""
        self._unrestored: set[Key] = set()
        """Foreign objects that could not be put back yet."""

    def run(self) -> Planner:
        """Plan everything; what waits is tried again as long as anything else moves."""
        self._start()
        self._drain()
        done = 0
        while len(self.changes) != done:
            done = len(self.changes)
            for key in [*self.waiting, *self.stuck, *self._undecided, *self._unrestored]:
                self._push(key, REMAKE)
            self._drain()
        return self

    def collateral(self) -> Iterator[Effect]:
        """Yield what somebody else loses by the plan, and does not get back from it."""
        for change in self.changes:
            for effect in change.takes:
                if self._harms(change, effect):
                    yield effect

    def _start(self) -> None:
        """Queue all that differs."""
        goal, world, kinds = self.goal, self.world, self.kinds
        for key, value in goal.wanted.items():
            if world.ours.get(key) is value:
                continue
            kind = kinds[key[0]]
            if not self._satisfied(key, value):
                self.differing += 1
                self._push(key, MAKE)
            if kind.open and not kind.shared and None in value:
                self._undecided.append(key)
        for key in world.ours:
            if key not in goal.wanted and key not in goal.held:
                self._push(key, MAKE if kinds[key[0]].together else REMOVE)
        for key, held in goal.foreign.items():
            if held != world.foreign.get(key):
                self._push(key, MAKE)
        for key, held in world.foreign.items():
            if any(h.mark == SURPLUS or self._excluded(key, h) for h in held):
                self._push(key, MAKE if kinds[key[0]].together else REMOVE)

    def _push(self, key: Key, phase: int) -> None:
        if (phase, key) not in self._queued:
            self._queued.add((phase, key))
            rank = self.kinds[key[0]].rank
            heapq.heappush(self._queue, (phase, -rank if phase == REMOVE else rank, key))

    def _drain(self) -> None:
        while self._queue:
            self._phase, _, key = heapq.heappop(self._queue)
            self._queued.discard((self._phase, key))
            self._reach(key)

    def _reach(self, key: Key) -> None:
        """Bring one key to where it shall be, in the simulation and so in the plan."""
        if key in self._stack:
            return
        self._stack.append(key)
        wanted = self.goal.wanted.get(key)
        if wanted is not None:
            self._make(key, wanted)
        elif key not in self.goal.held:
            self._vacate(key)
        if key in self.goal.foreign:
            self._put_back(key)
        self._tidy(key, wanted)
        self._stack.pop()

    def _make(self, key: Key, raw: Value) -> None:
        """Make or change one wanted object; what has to be done before it changes the ground, so look again."""
        kind = self.kinds[key[0]]
        while True:
            self.conflicts.pop(key, None)
            if self._satisfied(key, raw):
                self.waiting.pop(key, None)
                return
            count = len(self.changes)
            ready = self._prepare(kind, key, raw)
            if len(self.changes) == count:
                if ready is not None:
                    self.waiting.pop(key, None)
                    self._emit(ready)
                return

    def _prepare(self, kind: Kind[Any], key: Key, raw: Value) -> Change | None:
        """Return the change that makes a wanted object, after making way for it; None if it cannot be made."""
        world, goal = self.world, self.goal
        held = [h for h in world.foreign.get(key, ()) if h.mark != SURPLUS]
        before, mark, adopts = world.ours.get(key), None, None
        if before is None and held and key not in goal.beside:
            before = held[0].value
            if kind.shared:
                mark = held[0].mark
            elif self._adopted(key, held[0]):
                adopts = held[0].mark
            else:
                self.conflicts[key] = Conflict(key, raw, before, held[0].mark)
                return None
        if before is None and kind.shared:
            self._wait(key, self._missing(key))
            return None
        wanted: Value = kind.lands(_decided(kind, raw, before, world), world)
        others = () if kind.shared else held[adopts is not None :]
        for other in others:
            if kind.excludes(wanted, other.value):
                self.conflicts[key] = Conflict(key, raw, other.value, other.mark)
                return None
        if not self._stands(key, wanted, mine=True):
            return None
        if before is None:
            return Change(CREATE, key, None, wanted) if self._clear(key, wanted, ()) else None
        why = kind.replace(before, wanted)
        if others and not why:
            why = kind.crowded(before, wanted)
        along = kind.takes(before, None, world) if why else ()
        if not self._clear(key, wanted, [effect.key for effect in along]):
            return None
        if why and not self._unblock(key, before):
            self._wait(key, self.stuck.pop(key))
            return None
        return Change(REPLACE if why else UPDATE, key, before, wanted, mark, adopts, why=why)

    def _stands(self, key: Key, value: Value, *, mine: bool) -> bool:
        """Make what this stands on; if that cannot be, try again after the deletions, then wait.

        A part of ours needs a whole of ours. A part of somebody else's may have been there without.
        """
        world, goal, reason = self.world, self.goal, ""
        for need in list(self.kinds[key[0]].requires(value, world)):
            if isinstance(need, Lack):
                reason = reason or need.reason
                continue
            whole = need[0] in self.kinds[key[0]].inside
            theirs = mine and whole and need not in world.ours
            if (theirs or not world.has(need)) and (need in goal.wanted or need in goal.foreign):
                self._reach(need)
            elif whole and not mine:
                continue
            if not world.has(need):
                reason = reason or self.waiting.get(need) or self._missing(need)
            elif mine and whole and need not in world.ours:
                reason = reason or f"the {_words(need)} is somebody else's"
        if reason:
            self._wait(key, reason)
        return not reason

    def _missing(self, key: Key) -> str:
        kind = self.kinds[key[0]]
        hint = "" if key in self.goal.wanted or key in self.goal.held else kind.nearest(key, self.world)
        return f"{kind.missing(key)} ({hint})" if hint else kind.missing(key)

    def _wait(self, key: Key, reason: str) -> None:
        if self._phase != REMAKE:
            self._push(key, REMAKE)
        elif key in self.goal.wanted:
            self.waiting[key] = reason

    def _clear(self, key: Key, wanted: Value, along: Iterable[Key]) -> bool:
        """Send away whoever holds what this must hold alone, unless it is somebody else's."""
        world, tried = self.world, set[Key]()
        while rivals := sorted(set(self.kinds[key[0]].rivals(wanted, world)).difference((key,), along)):
            ours = [rival for rival in rivals if rival in world.ours]
            freed = {e.key for r in ours for e in self.kinds[r[0]].takes(world.ours[r], None, world)}
            others = [rival for rival in rivals if rival not in ours and rival not in freed]
            for rival in others:
                for held in world.foreign[rival]:
                    if not self._adopted(key, held):
                        self.conflicts[key] = Conflict(key, wanted, held.value, held.mark)
                        return False
            if ours and (self._as_wanted(ours[0]) or not self._shift(ours[0], tried)):
                self._wait(key, f"the {_words(ours[0])} is in the way")
                return False
            if not ours:
                for held in world.foreign[others[0]]:
                    self._emit(Change(DELETE, others[0], held.value, None, held.mark))
        return True

    def _as_wanted(self, key: Key) -> bool:
        """Tell whether an object is as it shall be: then it would only come back if it were sent away."""
        wanted = self.goal.wanted.get(key)
        return wanted is not None and self._satisfied(key, wanted)

    def _satisfied(self, key: Key, wanted: Value) -> bool:
        return satisfied(self.kinds[key[0]], wanted, key, self.world, mine=key in self.goal.beside)

    def _unblock(self, key: Key, value: Value) -> bool:
        """Send away the dependents without whose removal the kernel keeps this."""
        tried = set[Key]()
        while blockers := sorted(set(self.kinds[key[0]].blockers(value, self.world)) - {key}):
            stays = next((b for b in blockers if b not in self.world.ours or b in self.goal.held), None)
            if stays is None and not self._shift(blockers[0], tried):
                stays = blockers[0]
            if stays is not None:
                self.stuck[key] = f"the {_words(stays)} still needs it"
                return False
        self.stuck.pop(key, None)
        return True

    def _shift(self, key: Key, tried: set[Key]) -> bool:
        """Move something of ours out of the way: to where it shall be, the next time by deleting it."""
        if key in self.goal.held:
            return False
        if key in self.goal.wanted and key not in tried and key not in self._stack:
            tried.add(key)
            self._reach(key)
            return True
        self._vacate(key)
        if key in self.goal.wanted:
            self._push(key, MAKE if self._phase == MAKE else REMAKE)
        return key not in self.world.ours

    def _vacate(self, key: Key) -> None:
        value = self.world.ours.get(key)
        if value is not None and self._unblock(key, value):
            self._emit(Change(DELETE, key, value, None))

    def _tidy(self, key: Key, wanted: Value | None) -> None:
        """Delete what nobody asked for: a second one of ours, and what an exclusive scope shuts out."""
        kind, spared = self.kinds[key[0]], False
        if key in self.goal.held or (wanted is not None and not self._satisfied(key, wanted)):
            wanted, spared = None, True
        for held in self.world.foreign.get(key, ()):
            if held.mark == SURPLUS:
                self._emit(Change(DELETE, key, held.value, None, SURPLUS))
            elif not spared and self._excluded(key, held):
                decided = _decided(kind, wanted, held.value, self.world) if wanted is not None else None
                if decided is not None and key not in self.world.ours and kind.same(decided, held.value):
                    spared = True
                else:
                    self._emit(Change(DELETE, key, held.value, None, held.mark))

    def _excluded(self, key: Key, held: Held) -> bool:
        """Tell whether an exclusive scope shuts a foreign object out."""
        kind = self.kinds[key[0]]
        return (
            held.mark not in PROTECTED
            and held.mark != SURPLUS
            and bool(self.goal.exclusive)
            and kind.scope(held.value) in self.goal.exclusive
        )

    def _adopted(self, key: Key, held: Held) -> bool:
        """Tell whether a foreign object may be taken over, or sent away, for a wanted one."""
        if held.mark in SELF_MADE:
            return False
        return self.goal.adopt_all or key in self.goal.adopt or self._excluded(key, held)

    def _put_back(self, key: Key) -> None:
        """Restore foreign objects as they were; what of ours holds their key alone has gone by now."""
        kind, world = self.kinds[key[0]], self.world
        lost = [h for h in self.goal.foreign[key] if h.mark not in SELF_MADE and h.mark != SURPLUS]
        spare = list(world.foreign.get(key, ()))
        for held in list(lost):
            found = next((h for h in spare if h.mark == held.mark and kind.same(held.value, h.value)), None)
            if found is not None:
                spare.remove(found)
                lost.remove(held)
        self._unrestored.add(key)
        for held in lost:
            if key in world.ours and key not in self.goal.beside:
                return
            if not self._stands(key, held.value, mine=False) or not self._clear(key, held.value, ()):
                return
            changed = next((h for h in spare if h.mark == held.mark), None)
            if changed is None:
                self._emit(Change(CREATE, key, None, held.value, held.mark))
                continue
            spare.remove(changed)
            why = kind.replace(changed.value, held.value)
            if not why and (len(world.foreign[key]) > 1 or key in world.ours):
                why = kind.crowded(changed.value, held.value)
            action = REPLACE if why else UPDATE
            self._emit(Change(action, key, changed.value, held.value, held.mark, why=why))
        self._unrestored.discard(key)

    def _emit(self, change: Change) -> None:
        """Record one change and let it happen in the simulation, with all that it takes along."""
        action, key, before, after, mark, adopts = change[:6]
        kind, world = self.kinds[key[0]], self.world
        self._changed[key] = self._changed.get(key, 0) + 1
        if self._changed[key] > MOST_CHANGES:
            raise PlanError(key)
        takes: list[Effect] = []
        if before is not None:
            lost = kind.takes(before, None if action == REPLACE else after, world)
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
            self._lose(effect)
        if after is not None:
            world.put(key, after, mark)
            for value, maker in list(kind.brings(before if action == UPDATE else None, after, mark, world)):
                self._bring(value, maker)

    def _bring(self, value: Value, maker: int) -> None:
        kind = next(kind for kind in self.kinds.values() if isinstance(value, kind.value))
        key = kind.key(value)
        if not any(mark == maker and kind.same(value, other) for other, mark in self.world.holders(key)):
            self.world.put(key, value, maker)
            self._requeue(key)

    def _lose(self, effect: Effect) -> None:
        self.world.drop(effect.key, effect.before, effect.mark)
        if effect.after is not None:
            self.world.put(effect.key, effect.after, effect.mark)
        self._requeue(effect.key)

    def _requeue(self, key: Key) -> None:
        if key in self.goal.wanted or key in self.goal.foreign:
            self._push(key, MAKE if self._phase == MAKE else REMAKE)

    def _harms(self, change: Change, effect: Effect) -> bool:
        """Tell whether an effect hurts somebody else, and is not undone by the plan itself."""
        if effect.mark is None or effect.mark == SURPLUS or effect.mark in SELF_MADE:
            return False
        kind = self.kinds[effect.key[0]]
        if effect.after is not None and kind.same(effect.before, effect.after):
            return False
        if change.kind in kind.inside and (change.adopts is not None or change.mark is not None):
            return False
        wanted = self.goal.wanted.get(effect.key)
        if wanted is not None and kind.same(_decided(kind, wanted, effect.before, self.world), effect.before):
            return False
        return effect.key not in self.goal.foreign


def _words(key: Key) -> str:
    return " ".join(str(part) for part in key if part not in ("", ()))


def _order(effect: Effect) -> tuple[Key, int]:
    return effect.key, -2 if effect.mark is None else effect.mark
