"""A plan as text: one line a change, in the order of execution, and a summary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from reconciler.core.change import CREATE, DELETE, REPLACE, UPDATE, Change
from reconciler.core.plan import SELF_MADE
from reconciler.core.state import SURPLUS
from reconciler.resources.registry import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.core.change import Plan
    from reconciler.core.desired import Desired
    from reconciler.core.kind import Effect
    from reconciler.core.state import Key, State
    from reconciler.errors import Position
    from reconciler.resources.names import Names
    from reconciler.resources.owner import Owner

SIGNS = {CREATE: "+", UPDATE: "~", REPLACE: "-/+", DELETE: "-"}
PENDING, CONFLICT, ALONG = "…", "!", "└"
WIDEST = 100
"""How wide the middle column may become; longer lines push their position to the right."""


class Row(NamedTuple):
    """One line: sign, kind, what, and where it comes from."""

    sign: str
    kind: str
    what: str
    where: str = ""


def render(plan: Plan, desired: Desired, observed: State, names: Names, owner: Owner, title: str) -> str:
    """Return the whole text, ending with a newline."""
    rows = [row for change in plan.changes for row in _rows(change, desired, names, owner)]
    rows += conflict_rows(plan, desired, names)
    rows += [
        Row(PENDING, _label(p.key), f"{KINDS[p.key[0]].describe(p.value, names)}   pending: {p.reason}",
            _where(p.key, desired))
        for p in plan.pending
    ]  # fmt: skip
    lines = [title, ""]
    lines += list(_align(rows))
    lines += [""] if rows else []
    lines += [f"  {kind}: unknown: {reason}" for kind, reason in _unknown(plan)]
    lines.append(f"  {summary(plan, observed)}")
    return "\n".join(lines) + "\n"


def summary(plan: Plan, observed: State) -> str:
    """Return the counts: changes by action, what is as desired, what is foreign, what waits and why."""
    counts = dict.fromkeys((CREATE, UPDATE, REPLACE, DELETE), 0)
    for change in plan.changes:
        parts = KINDS[change.kind].parts(change)
        for part in parts:
            counts[part.action] += 1
        if not parts:
            counts[change.action] += 1
    done = ", ".join(f"{count} to {action}" for action, count in counts.items() if count) or "nothing to do"
    words = [done, f"{plan.satisfied} as desired"]
    foreign = sum(1 for held in observed.foreign.values() for h in held if h.mark not in SELF_MADE)
    words += [f"{foreign} foreign, left alone"] if foreign else []
    words += [f"{len(plan.conflicts)} in conflict"] if plan.conflicts else []
    if plan.pending:
        reasons = list(dict.fromkeys(p.reason for p in plan.pending))
        more = f" and {len(reasons) - 3} more reasons" if len(reasons) > 3 else ""
        words.append(f"{len(plan.pending)} pending ({'; '.join(reasons[:3])}{more})")
    return "; ".join(words)


def conflict_rows(plan: Plan, desired: Desired, names: Names) -> list[Row]:
    """Return one line a conflict, with both sides."""
    return [_conflict(conflict, desired, names) for conflict in plan.conflicts]


def rows_of(change: Change, desired: Desired, names: Names, owner: Owner) -> Sequence[Row]:
    """Return the lines of one change: what the log of ``watch`` shows, too."""
    return list(_rows(change, desired, names, owner))


def _rows(change: Change, desired: Desired, names: Names, owner: Owner) -> Iterator[Row]:
    kind = KINDS[change.kind]
    value: Any = change.after if change.after is not None else change.before
    parts = kind.parts(change)
    origin = desired.origins.get(change.key)
    if parts:
        title = kind.title(value, names).replace(owner.chain_prefix, "")
        for part in parts:
            where = ""
            if origin is not None and part.place is not None and part.place < len(origin.parts):
                where = _line(origin.parts[part.place])
            what = f"{title}: {kind.describe_part(part, owner)}"
            yield Row(SIGNS[part.action], _label(change.key), what, where)
    else:
        if change.action in (UPDATE, REPLACE) and change.before is not None and change.after is not None:
            what = kind.describe_change(change.before, change.after, names)
        else:
            what = kind.describe(value, names)
        if change.adopts is not None:
            what += "   taken over"
        elif change.mark == SURPLUS:
            what += "   a second one of ours under the same key"
        elif change.mark is not None and change.action == DELETE:
            what += "   foreign, removed: the file says exclusive"
        if change.disruptive:
            what += f"   disruptive: {change.disruptive}"
        yield Row(SIGNS[change.action], _label(change.key), what, _where(change.key, desired))
    yield from _along(change, names)


def _along(change: Change, names: Names) -> Iterator[Row]:
    """Show what the kernel takes along, foreign things one by one."""
    ours = [e for e in change.takes if e.mark is None and e.after is None]
    if ours and change.action != REPLACE:
        kinds = dict.fromkeys(_label(e.key) for e in ours)
        yield Row(ALONG, "", f"takes along {len(ours)} of ours ({', '.join(kinds)})")
    for effect in change.takes:
        if effect.mark is not None and effect.mark not in SELF_MADE and effect.mark != SURPLUS:
            yield Row(ALONG, "", f"takes along FOREIGN {_lost(effect, names)}")


def _lost(effect: Effect, names: Names) -> str:
    kind = KINDS[effect.key[0]]
    if effect.after is not None:
        return f"{_label(effect.key)} {kind.describe_change(effect.before, effect.after, names)}"
    return f"{_label(effect.key)} {kind.describe(effect.before, names)}"


def _conflict(conflict: Any, desired: Desired, names: Names) -> Row:
    kind = KINDS[conflict.key[0]]
    wanted, holder = kind.describe(conflict.wanted, names), kind.describe(conflict.holder, names)
    what = f"{wanted}   conflict: somebody else (protocol {conflict.mark}) has {holder}"
    return Row(CONFLICT, _label(conflict.key), what, _where(conflict.key, desired))


def _where(key: Key, desired: Desired) -> str:
    origin = desired.origins.get(key)
    return _line(origin.position) if origin is not None else ""


def _line(position: Position) -> str:
    """Return file and line, without the folder, which the title names."""
    return f"{position.file.rpartition('/')[2]}:{position.line}"


def _label(key: Key) -> str:
    kind = KINDS[key[0]]
    return kind.label or kind.name


def _unknown(plan: Plan) -> Iterator[tuple[str, str]]:
    seen: dict[str, None] = {}
    for name, reason in plan.unknown.items():
        label = KINDS[name].label or name
        if label not in seen:
            seen[label] = None
            yield label, reason


def _align(rows: Sequence[Row]) -> Iterator[str]:
    kinds = max((len(row.kind) for row in rows), default=0)
    width = max((len(row.what) for row in rows if len(row.what) <= WIDEST), default=0)
    for row in rows:
        line = f" {row.sign:>2} {row.kind:<{kinds}} {row.what:<{width}}  {row.where}"
        if row.sign == "-/+":
            line = f" {row.sign}{row.kind:<{kinds}} {row.what:<{width}}  {row.where}"
        yield line.rstrip()
