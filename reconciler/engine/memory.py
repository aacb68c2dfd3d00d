"""What the record has to know before and after each step, so that a kill at any moment harms nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.core.change import CREATE, REPLACE
from reconciler.resources.registry import KINDS

if TYPE_CHECKING:
    from reconciler.core.change import Change, Step
    from reconciler.core.desired import Desired
    from reconciler.core.state import Key, State, Value
    from reconciler.kernel.record import Record


def before(record: Record, step: Step) -> None:
    """Write down what is about to be created, and the former values of what is about to be changed."""
    for change in step.changes:
        kind = KINDS[change.kind]
        if kind.remembers and change.after is not None and (change.action in (CREATE, REPLACE)):
            record.keys.add(kind.recorded(change.after))
        if kind.shared and change.before is not None:
            _keep_former(record, change)
    record.save()


def after(record: Record, step: Step) -> None:
    """Drop what carries the kernel's own mark now, and what is gone."""
    for change in step.changes:
        kind = KINDS[change.kind]
        if kind.remembers == "until marked" and change.after is not None:
            record.keys.discard(kind.recorded(change.after))
        if kind.remembers and change.before is not None and change.after is None:
            record.keys.discard(kind.recorded(change.before))


def settle(record: Record, observed: State, desired: Desired) -> None:
    """Keep what is still there: keys of ours, texts of our chains, and former values not yet given back."""
    tables = {key for key in record.keys if key[0] not in KINDS}
    record.keys = tables | {
        KINDS[key[0]].recorded(value) for key, value in observed.ours.items() if KINDS[key[0]].remembers == "always"
    }
    record.texts = {
        key: {line.hash: line.text for line in value.rules if line.hash}  # type: ignore[attr-defined]
        for key, value in observed.ours.items()
        if key[0] == "chain" and "chain" not in observed.unknown
    }
    record.former = {
        key: kept
        for key, fields in record.former.items()
        if (kept := _still_ours(key, fields, desired.values.get(key), observed))
    }
    record.save()


def _keep_former(record: Record, change: Change) -> None:
    """Remember a field's value the first time that we change it."""
    kept = record.former.setdefault(change.key, {})
    for field in KINDS[change.kind].gives_back:
        if field in change.fields:
            kept.setdefault(field, getattr(change.before, field))
    if not kept:
        del record.former[change.key]


def _still_ours(key: Key, fields: dict[str, Any], wanted: Value | None, observed: State) -> dict[str, Any]:
    """Return the former values of fields that the file still sets on an object that still exists."""
    if wanted is None:
        held = observed.foreign.get(key, ())
        given_back = not held or all(getattr(held[0].value, f, v) == v for f, v in fields.items())
        return {} if given_back else fields
    return {field: value for field, value in fields.items() if getattr(wanted, field, None) is not None}
