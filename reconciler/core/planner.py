"""One run of planning: from a goal and a state to changes, in an order that the kernel accepts.

The planner keeps a simulated state. It takes what is to be done by rank of kind and key, applies each
change to the simulation together with what the kernel takes along, and puts back in the queue what was
lost and is wanted. Deletions come last, in reverse; earlier only where something is in the way: a
contested claim, or a dependent without whose removal the kernel refuses. What an object stands on is
made first, whatever its rank. The simulation that remains is the state that the plan predicts.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Any

from reconciler.core.change import CREATE, DELETE, REPLACE, UPDATE, Change, Conflict
from reconciler.core.goal import Goal, decided, satisfied
from reconciler.core.kind import Lack
from reconciler.core.simulate import Simulation, words
from reconciler.core.state import PROTECTED, SELF_MADE, SURPLUS, Held, Key, State, Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.core.kind import Kind

    Kinds = Mapping[str, Kind[Any]]

MAKE, REMOVE, REMAKE = 1, 2, 3
"""The phases: creations and changes, then deletions, then what the deletions took along."""


class Planner:
    """One run of planning. Make one, call ``run`` once, then read what it found."""

    def __init__(self, kinds: Kinds, goal: Goal, observed: State) -> None:
        self.kinds = kinds
        self.goal = goal
        self.simulation = Simulation(kinds, observed)
        self.world = self.simulation.world
        self.changes = self.simulation.changes
        self.conflicts: dict[Key, Conflict] = {}
        self.waiting: dict[Key, str] = {}
        """Wanted objects that cannot be made, with the reason."""
        self.stuck: dict[Key, str] = {}
        """Objects of ours that should go and cannot, with the reason."""
        self.differing = 0
        """How many wanted objects were not as wanted at the start."""
        self._queue: list[tuple[int, int, Key]] = []
        self._queued: set[tuple[int, Key]] = set()
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

    def could_make(self, key: Key, raw: Value) -> bool:
        """Tell whether all that a wanted object stands on is there at the end of the plan."""
        kind, world = self.kinds[key[0]], self.world
        if kind.shared and not world.has(key):
            return False
        for need in kind.requires(decided(kind, raw, world.get(key), world), world):
            if isinstance(need, Lack) or not world.has(need):
                return False
            if need[0] in kind.inside and need not in world.ours:
                return False
        return True

    def holder(self, key: Key, raw: Value) -> Conflict | None:
        """Return who else holds a wanted object's key at the end of the plan, with another value."""
        held = [h for h in self.world.foreign.get(key, ()) if h.mark != SURPLUS]
        if not held or self.kinds[key[0]].shared or key in self.world.ours or key in self.goal.beside:
            return None
        if self._adopted(key, held[0]) or self._satisfied(key, raw):
            return None
        return Conflict(key, raw, held[0].value, held[0].mark)

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
        wanted: Value = kind.lands(decided(kind, raw, before, world), world)
        others = () if kind.shared else held[adopts is not None :]
        for other in others:
            if kind.excludes(before, wanted, other.value):
                self.conflicts[key] = Conflict(key, raw, other.value, other.mark)
                return None
        if not self._stands(key, wanted, mine=True):
            return None
        if before is None:
            return Change(CREATE, key, None, wanted) if self._clear(key, wanted, ()) else None
        why = kind.replace(before, wanted)
        for other in others:
            why = why or kind.crowded(before, wanted, other.value)
        change = Change(REPLACE if why else UPDATE, key, before, wanted, mark, adopts, why=why)
        along = kind.takes(before, None, world) if why else ()
        count = len(self.changes)
        if not self._clear(key, wanted, [e.key for e in along if e.after is None]) or len(self.changes) != count:
            return None
        return change if not why or self._replaceable(change, before, wanted) else None

    def _replaceable(self, change: Change, before: Value, after: Value) -> bool:
        """Make way for a deletion and a creation; the new object must not stand on the old one."""
        key, world = change.key, self.world
        mark = change.mark if change.adopts is None else change.adopts
        world.drop(key, before, mark)
        stands = self._stands(key, after, mine=True)
        world.put(key, before, mark)
        if stands and not self._unblock(key, before):
            self._wait(key, self.stuck.pop(key))
            return False
        return stands

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
                reason = reason or f"the {words(need)} is somebody else's"
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
                self._wait(key, f"the {words(ours[0])} is in the way")
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
                self.stuck[key] = f"the {words(stays)} still needs it"
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
                if wanted is not None and key not in self.world.ours and self._alike(kind, wanted, held):
                    spared = True
                else:
                    self._emit(Change(DELETE, key, held.value, None, held.mark))

    def _alike(self, kind: Kind[Any], wanted: Value, held: Held) -> bool:
        return kind.same(decided(kind, wanted, held.value, self.world), held.value)

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
            for other, _ in world.holders(key):
                if other is not changed.value:
                    why = why or kind.crowded(changed.value, held.value, other)
            action = REPLACE if why else UPDATE
            self._emit(Change(action, key, changed.value, held.value, held.mark, why=why))
        self._unrestored.discard(key)

    def _emit(self, change: Change) -> None:
        """Add a change to the plan; what the kernel takes along, and is wanted, is made again."""
        for key in self.simulation.execute(change):
            self._requeue(key)

    def _requeue(self, key: Key) -> None:
        if key in self.goal.wanted or key in self.goal.foreign:
            self._push(key, MAKE if self._phase == MAKE else REMAKE)
