"""Fill in what the file leaves open, and set apart what has to wait.

Pending is whatever stands on something that neither exists nor is made by the file. It is worked out
from the observed state before anything is applied, not from a refusal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.core.change import Pending
from reconciler.core.kind import Lack
from reconciler.core.state import SURPLUS, State
from reconciler.core.world import World

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.core.desired import Desired
    from reconciler.core.kind import Kind
    from reconciler.core.state import Key, Value

    Kinds = Mapping[str, Kind[Any]]


def seen(observed: State, key: Key) -> Value | None:
    """Return the observed value under a key, ours before foreign."""
    value = observed.ours.get(key)
    if value is None and (held := observed.foreign.get(key)):
        value = held[0].value
    return value


def fill(kinds: Kinds, desired: Desired, observed: State) -> dict[Key, Value]:
    """Return the desired values with open fields taken from the observed state.

    A shared object that we changed and that the file no longer names is wanted as it was before.
    """
    wanted: dict[Key, Value] = {}
    for key, value in desired.values.items():
        kind = kinds[key[0]]
        if kind.open:
            value = kind.fill(value, seen(observed, key), desired.former.get(key, {}))  # noqa: PLW2901
        wanted[key] = value
    for key, fields in desired.former.items():
        now = seen(observed, key)
        if key not in wanted and now is not None and key[0] in kinds:
            known = {name: field for name, field in fields.items() if hasattr(now, name)}
            wanted[key] = now._replace(**known)  # type: ignore[attr-defined]
    return wanted


def satisfied(kind: Kind[Any], value: Value, key: Key, observed: State | World) -> bool:
    """Tell whether the kernel has what is wanted, whoever made it."""
    ours = observed.ours.get(key)
    if ours is not None:
        return ours is value or kind.same(value, ours)
    return any(kind.same(value, h.value) for h in observed.foreign.get(key, ()) if h.mark != SURPLUS)


def split(
    kinds: Kinds, wanted: Mapping[Key, Value], observed: State
) -> tuple[dict[Key, Value], tuple[Pending, ...]]:
    """Part the wanted objects into those that can be made now and those that wait, with the reason.

    What is in the kernel already never waits. An object that stands on a waiting one waits as well.
    """
    open_keys = [key for key, value in wanted.items() if not satisfied(kinds[key[0]], value, key, observed)]
    if not open_keys:
        return dict(wanted), ()
    shared = {key for key in open_keys if kinds[key[0]].shared}
    world = World(kinds, State({k: v for k, v in wanted.items() if k not in shared}, observed.foreign))
    reasons: dict[Key, str] = {}
    for key in sorted(open_keys, key=lambda k: (kinds[k[0]].rank, k)):
        kind = kinds[key[0]]
        if key in shared:
            if not world.has(key):
                reasons[key] = kind.missing(key)
                continue
            world.foreign.pop(key, None)
            world.put(key, wanted[key])
        elif key not in observed.ours:
            world.put(key, kind.lands(wanted[key], world))
            for value, mark in kind.brings(wanted[key], world):
                brought = next(k for k in kinds.values() if isinstance(value, k.value))
                if not world.has(brought.key(value)):
                    world.put(brought.key(value), value, mark)
    waiting = True
    while waiting:
        waiting = False
        for key in open_keys:
            if key in reasons:
                continue
            reason = _reason(kinds, world, key, wanted[key], reasons)
            if reason:
                reasons[key] = reason
                waiting = True
                _withdraw(world, key, observed)
    ready = {key: value for key, value in wanted.items() if key not in reasons}
    return ready, tuple(Pending(key, wanted[key], reason) for key, reason in sorted(reasons.items()))


def _reason(kinds: Kinds, world: World, key: Key, value: Value, reasons: Mapping[Key, str]) -> str:
    for need in kinds[key[0]].requires(value, world):
        if isinstance(need, Lack):
            return need.reason
        if not world.has(need):
            return reasons.get(need) or _unexplained(kinds[need[0]], need, world)
    return ""


def _unexplained(kind: Kind[Any], key: Key, world: World) -> str:
    hint = kind.nearest(key, world)
    return f"{kind.missing(key)} ({hint})" if hint else kind.missing(key)


def _withdraw(world: World, key: Key, observed: State) -> None:
    """Take a waiting object out of the world, or put back what the kernel has in its place."""
    value = world.ours.get(key)
    if value is not None:
        world.drop(key, value)
    before = observed.ours.get(key)
    if before is not None:
        world.put(key, before)
    for held in observed.foreign.get(key, ()):
        world.put(key, held.value, held.mark)
