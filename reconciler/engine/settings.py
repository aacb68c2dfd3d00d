"""Settings of the kernel that cannot be written: seen before anything is done, and said where nothing has to be done.

In most containers /proc/sys is mounted read-only, so a file that agrees with what is there must not fail.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.core.change import UPDATE, Change
from reconciler.core.pending import seen
from reconciler.kernel.procfs import READ_ONLY, ROOT
from reconciler.resources.base import Resource
from reconciler.resources.names import Names
from reconciler.resources.registry import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.core.change import Plan
    from reconciler.core.desired import Desired
    from reconciler.core.state import Key, State
    from reconciler.kernel.live import Kernel

CHANNEL = "sysctl"
KEPT_IN_FILES = frozenset(name for name, kind in KINDS.items() if type(kind).files is not Resource.files)


def sealed(plan: Plan, desired: Desired, observed: State, kernel: Kernel) -> dict[Key, str]:
    """Return, for each change that cannot be written: line, path, the value there, the value wanted, and why.

    So it does for a setting of the namespace that this kernel does not have at all: it will not come by waiting.
    """
    changes = [change for change in plan.changes if KINDS[change.kind].channel(change.key) == CHANNEL]
    last = {change.key: change.after for change in changes}
    words = {}
    for key, why in kernel.sealed(changes).items():
        after: Any = last[key]
        there: Any = seen(observed, key) or after
        words[key] = f"{_where(key, desired)}{_file(after)} is {there.value} and should be {after.value}, but {why}"
    for pending in plan.pending:
        kind, value = KINDS[pending.key[0]], pending.value
        if kind.channel(pending.key) == CHANNEL and kind.scope(value) == (kind.name, ""):
            wanted: Any = value
            words[pending.key] = (
                f"{_where(pending.key, desired)}{_file(wanted)} should be {wanted.value}, but {pending.reason}"
            )
    return words


def kept(desired: Desired, observed: State, kernel: Kernel) -> Iterator[str]:
    """Say once that settings are as the file says, and could not be put right if they were not."""
    held = {key: seen(observed, key) for key in desired.values if key[0] in KEPT_IN_FILES}
    right = [
        Change(UPDATE, key, now, now)
        for key, now in held.items()
        if now is not None and KINDS[key[0]].same(desired.values[key], now)
    ]
    why = {key: reason for key, reason in kernel.sealed(right).items() if reason == READ_ONLY}
    if why:
        key, reason = next(iter(why.items()))
        shown: Any = held[key]
        more = f" and {len(why) - 1} more" if len(why) > 1 else ""
        title = KINDS[key[0]].title(shown, Names())
        yield f"{title}{more} cannot be written ({reason}): as the file says now, but it could not be put right"


def _where(key: Key, desired: Desired) -> str:
    origin = desired.origins.get(key)
    return f"{origin.position}: " if origin is not None else ""


def _file(value: Any) -> str:
    return "/".join((ROOT, *value.path))
