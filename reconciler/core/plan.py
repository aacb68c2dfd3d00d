"""From two states to the changes between them, in an order that the kernel accepts.

The planner keeps a simulated state. It takes what is to be done by rank of kind and key, applies each
change to the simulation together with what the kernel takes along, and puts back in the queue what was
lost and is wanted. Deletions come last, in reverse; earlier only where something blocks the way: a
contested claim, or a dependent without whose removal the kernel refuses. What an object stands on is
made first, whatever its rank. The simulation that remains is the state that the plan predicts.
"""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Any, NamedTuple

from reconciler.core.change import CREATE, DELETE, REPLACE, UPDATE, Change, Conflict, Pending, Plan
from reconciler.core.kind import Effect, Lack
from reconciler.core.pending import fill, satisfied, split
from reconciler.core.state import SURPLUS, Held, Key, State, Value
from reconciler.core.world import World

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.core.desired import Desired
    from reconciler.core.kind import Kind

    Kinds = Mapping[str, Kind[Any]]

MAKE, REMOVE, REMAKE = 1, 2, 3
"""The phases: creations and changes, then deletions, then what the deletions took along."""

MOST_VISITS = 12
"""How often one object may be looked at again before the planner must be wrong about the kernel."""

SELF_MADE = frozenset({1, 2, 9})
"""Marks of what the kernel makes and renews by itself, which is never collateral: RTPROT_REDIRECT,
_KERNEL and _RA (linux/rtnetlink.h). Kinds without a protocol number use the kernel's for such objects."""

PROTECTED = SELF_MADE | {16}
"""Marks that ``exclusive`` spares: those, and what a DHCP client brought (RTPROT_DHCP)."""


class PlanError(Exception):
    """The planner went in circles: a kind's ``takes`` and ``requires`` contradict each other."""


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


def plan(kinds: Kinds, desired: Desired, observed: State, *, adopt: bool = False) -> Plan:
    """Return what turns ``observed`` into ``desired``; empty when nothing is to be done.

    :param adopt: take over every foreign object that holds a desired key.
    """
    wanted = fill(kinds, desired, observed)
    hidden = {key for key in wanted if key[0] in observed.unknown}
    ready, pending = split(kinds, {k: v for k, v in wanted.items() if k not in hidden}, observed)
    goal = Goal(
        ready,
        held=frozenset(p.key for p in pending),
        adopt=desired.adopt,
        adopt_all=adopt,
        exclusive=desired.exclusive,
    )
    return Planner(kinds, goal, observed).run(pending, len(desired.values) - len(hidden))


def plan_back(kinds: Kinds, before: State, now: State, touched: set[Key]) -> Plan:
    """Return the way back: the touched keys as they were before, and nothing else changed."""
    wanted = {key: value for key, value in now.ours.items() if key not in touched}
    foreign: dict[Key, tuple[Held, ...]] = {}
    for key in touched:
        if kinds[key[0]].shared:
            if held := before.foreign.get(key):
                wanted[key] = held[0].value
            continue
        if (value := before.ours.get(key)) is not None:
            wanted[key] = value
        if held := before.foreign.get(key):
            foreign[key] = held
    return Planner(kinds, Goal(wanted, foreign=foreign), now).run((), 0)


class Planner:
    """One run of planning. Make one, call ``run`` once."""

    def __init__(self, kinds: Kinds, goal: Goal, observed: State) -> None:
        self.kinds = kinds
        self.goal = goal
        self.world = World(kinds, observed)
        self.queue: list[tuple[int, int, Key]] = []
        self.queued: dict[Key, int] = {}
        self.visits: dict[Key, int] = {}
        self.phase = MAKE
        self.stack: list[Key] = []
        self.changes: list[Change] = []
        self.conflicts: dict[Key, Conflict] = {}
        self.waiting: dict[Key, str] = {}
        self.beside: set[Effect] = set()
        """Losses of foreign objects that stood beside one of ours under its key: making ours is no amends."""

    def run(self, pending: tuple[Pending, ...], asked: int) -> Plan:
        """Plan everything; ``asked`` is how many objects the file names."""
        open_keys = self._start()
        while self.queue:
            self.phase, _, key = heapq.heappop(self.queue)
            if self.queued.get(key) == self.phase:
                del self.queued[key]
                self._reach(key)
        waits = tuple(Pending(key, self.goal.wanted[key], why) for key, why in self.waiting.items())
        collateral = [e for c in self.changes for e in c.takes if self._harms(e)]
        return Plan(
            changes=tuple(self.changes),
            predicted=self.world.state(),
            conflicts=tuple(self.conflicts.values()),
            collateral=tuple(collateral),
            pending=pending + waits,
            satisfied=max(0, asked - open_keys - len(pending)),
            unknown=self.world.state().unknown,
        )

    def _start(self) -> int:
        """Queue all that differs; return how many wanted objects that are."""
        goal, world, kinds = self.goal, self.world, self.kinds
        open_keys = 0
        for key, value in goal.wanted.items():
            if world.ours.get(key) is not value and not satisfied(kinds[key[0]], value, key, world):
                open_keys += 1
                self._push(key, MAKE)
        for key in world.ours:
            if key not in goal.wanted and key not in goal.held:
                self._push(key, MAKE if kinds[key[0]].together else REMOVE)
        for key, held in goal.foreign.items():
            if any(h not in world.foreign.get(key, ()) for h in held):
                self._push(key, MAKE)
        for key, held in world.foreign.items():
            if any(h.mark == SURPLUS for h in held):
                self._push(key, REMOVE)
        if goal.exclusive:
            for key, held in world.foreign.items():
                kind = kinds[key[0]]
                scopes = {kind.scope(h.value) for h in held if h.mark not in PROTECTED}
                if key not in goal.wanted and scopes & goal.exclusive:
                    self._push(key, MAKE if kind.together else REMOVE)
        return open_keys

    def _push(self, key: Key, phase: int) -> None:
        rank = self.kinds[key[0]].rank
        if self.queued.get(key) != phase:
            self.queued[key] = phase
            heapq.heappush(self.queue, (phase, -rank if phase == REMOVE else rank, key))

    def _reach(self, key: Key) -> None:
        """Bring one key to where it shall be, in the simulation and so in the plan."""
        self.visits[key] = visits = self.visits.get(key, 0) + 1
        if visits > MOST_VISITS:
            msg = f"no order found for {key}: it is lost again and again"
            raise PlanError(msg)
        if key in self.stack:
            return
        self.stack.append(key)
        wanted = self.goal.wanted.get(key)
        if wanted is not None:
            self._make(key, wanted)
        elif key in self.goal.foreign:
            self._put_back(key)
        elif key not in self.goal.held:
            self._vacate(key)
        for held in self.world.foreign.get(key, ()):
            if held.mark == SURPLUS:
                self._emit(DELETE, key, held.value, None, SURPLUS)
        self.stack.pop()

    def _make(self, key: Key, wanted: Value) -> None:
        kind = self.kinds[key[0]]
        if satisfied(kind, wanted, key, self.world):
            return
        held = [h for h in self.world.foreign.get(key, ()) if h.mark != SURPLUS]
        before = self.world.ours.get(key)
        mark: int | None = None
        adopts: int | None = None
        if before is None and held:
            adopt = kind.shared or self.goal.adopt_all or key in self.goal.adopt
            if not adopt:
                self.conflicts[key] = Conflict(key, wanted, held[0].value, held[0].mark)
                return
            before = held[0].value
            mark, adopts = (held[0].mark, None) if kind.shared else (None, held[0].mark)
        if not self._stands(key, wanted):
            return
        if before is None:
            if not kind.shared and self._claim(key, wanted):
                self._emit(CREATE, key, None, kind.lands(wanted, self.world), mark)
            return
        why = kind.replace(before, wanted)
        if why:
            for blocker in list(kind.blockers(before, self.world)):
                self._give_way(blocker)
        if self._claim(key, wanted):
            self._emit(REPLACE if why else UPDATE, key, before, wanted, mark, adopts, why)

    def _stands(self, key: Key, wanted: Value) -> bool:
        """Make what this stands on; if that cannot be, try again after the deletions, then wait."""
        reason = ""
        for need in self.kinds[key[0]].requires(wanted, self.world):
            if isinstance(need, Lack):
                reason = need.reason
            elif need in self.conflicts:
                reason = f"{' '.join(map(str, need))} is in conflict"
            elif not self.world.has(need):
                if need in self.goal.wanted:
                    self._reach(need)
                if not self.world.has(need):
                    reason = self.kinds[need[0]].missing(need)
        if not reason:
            self.waiting.pop(key, None)
            return True
        if self.phase != REMAKE:
            self._push(key, REMAKE)
        else:
            self.waiting[key] = reason
        return False

    def _claim(self, key: Key, wanted: Value) -> bool:
        """Send away whoever holds what this must hold alone."""
        for claim in self.kinds[key[0]].claims(wanted):
            holder = self.world.claimed(claim)
            if holder is None or holder == key:
                continue
            if holder not in self.world.ours:
                held = self.world.foreign[holder][0]
                self.conflicts[key] = Conflict(key, wanted, held.value, held.mark)
                return False
            self._give_way(holder)
        return True

    def _give_way(self, key: Key) -> None:
        """Delete something of ours that stands in the way; it comes back if it is wanted."""
        if key in self.world.ours:
            self._vacate(key)
            if key in self.goal.wanted:
                self._push(key, self.phase if self.phase == MAKE else REMAKE)

    def _vacate(self, key: Key) -> None:
        kind = self.kinds[key[0]]
        value = self.world.ours.get(key)
        if value is not None:
            for blocker in list(kind.blockers(value, self.world)):
                self._give_way(blocker)
            self._emit(DELETE, key, value, None)
            return
        for held in self.world.foreign.get(key, ()):
            if held.mark not in PROTECTED and kind.scope(held.value) in self.goal.exclusive:
                self._emit(DELETE, key, held.value, None, held.mark)

    def _put_back(self, key: Key) -> None:
        """Restore foreign objects as they were; what of ours holds their key goes first."""
        if key in self.world.ours:
            self._vacate(key)
        for held in self.goal.foreign[key]:
            if held in self.world.foreign.get(key, ()):
                continue
            if not self._stands_foreign(key, held):
                return
            self._emit(CREATE, key, None, held.value, held.mark)

    def _stands_foreign(self, key: Key, held: Held) -> bool:
        for need in self.kinds[key[0]].requires(held.value, self.world):
            if isinstance(need, Lack) or not self.world.has(need):
                if not isinstance(need, Lack) and (need in self.goal.foreign or need in self.goal.wanted):
                    self._reach(need)
                    if self.world.has(need):
                        continue
                if self.phase != REMAKE:
                    self._push(key, REMAKE)
                return False
        return True

    def _emit(
        self,
        action: str,
        key: Key,
        before: Value | None,
        after: Value | None,
        mark: int | None = None,
        adopts: int | None = None,
        why: str = "",
    ) -> None:
        """Record one change and let it happen in the simulation, with all that it takes along."""
        kind, world = self.kinds[key[0]], self.world
        takes: list[Effect] = []
        if before is not None:
            takes = list(kind.takes(before, None if action == REPLACE else after, world))
            self.beside.update(e for e in takes if e.mark is not None and e.key in world.ours)
        fields = kind.changed(before, after) if before is not None and after is not None else ()
        disruptive = kind.disruptive(before, after) if before is not None else ""
        self.changes.append(
            Change(action, key, before, after, mark, adopts, fields, why, disruptive, tuple(takes))
        )
        if before is not None and (adopts is not None or after is None or mark is not None):
            world.drop(key, before, mark if adopts is None else adopts)
        if after is not None:
            world.put(key, after, mark)
            if action != UPDATE:
                for value, maker in kind.brings(after, world):
                    self._bring(value, maker)
        for effect in takes:
            self._lose(effect)

    def _bring(self, value: Value, maker: int) -> None:
        for kind in self.kinds.values():
            if isinstance(value, kind.value) and not self.world.has(key := kind.key(value)):
                self.world.put(key, value, maker)
                if key in self.goal.wanted:
                    self._push(key, self.phase if self.phase == MAKE else REMAKE)

    def _lose(self, effect: Effect) -> None:
        self.world.drop(effect.key, effect.before, effect.mark)
        if effect.after is not None:
            self.world.put(effect.key, effect.after, effect.mark)
        wanted = effect.key in self.goal.wanted or effect.key in self.goal.foreign
        if wanted and effect.key not in self.stack:
            self._push(effect.key, MAKE if self.phase == MAKE else REMAKE)

    def _harms(self, effect: Effect) -> bool:
        """Tell whether the loss hurts somebody else, and is not undone by the plan itself."""
        return (
            effect.mark is not None
            and effect.mark != SURPLUS
            and effect.mark not in SELF_MADE
            and (effect.key not in self.goal.wanted or effect in self.beside)
            and effect.key not in self.goal.foreign
        )
