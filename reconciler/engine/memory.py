"""What the record has to know before and after each step, so that a kill at any moment harms nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.core.change import CREATE, REPLACE, UPDATE
from reconciler.core.pending import seen
from reconciler.core.state import nothing
from reconciler.resources.registry import KINDS

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from reconciler.core.change import Change, Step
    from reconciler.core.desired import Desired
    from reconciler.core.state import Key, State, Value
    from reconciler.kernel.record import Record

NOTHING = nothing()
PEER = "wireguard-peer"


def before(record: Record, step: Step, observed: State = NOTHING, asked_for: Container[Key] = ()) -> None:
    """Write down what is about to be created, and the former values of what is about to be changed.

    :param observed: what was there before the first step of the plan.
    :param asked_for: what the file wants: what the kernel changes along with that is to be given back, too.
    """
    for change in step.changes:
        kind = KINDS[change.kind]
        made = change.mark is None and (change.action in (CREATE, REPLACE) or kind.remembers == "always")
        if kind.remembers and change.after is not None and made and (known := kind.recorded(change.after)):
            record.keys.add(known)
        if kind.shared and change.before is not None:
            _keep_former(record, change.key, seen(observed, change.key) or change.before, change.fields)
        if change.key in asked_for:
            for effect in change.takes:
                swayed = seen(observed, effect.key) if KINDS[effect.key[0]].swayed else None
                if swayed is not None and effect.after is not None:
                    _keep_former(record, effect.key, swayed, KINDS[effect.key[0]].gives_back)
    record.save()


def after(record: Record, step: Step) -> None:
    """Drop what carries the kernel's own mark now, and what is gone."""
    for change in step.changes:
        kind = KINDS[change.kind]
        left = kind.recorded(change.after) if kind.remembers and change.after is not None else None
        if kind.remembers == "until marked" and left is not None:
            record.keys.discard(left)
        if kind.remembers and change.before is not None and (gone := kind.recorded(change.before)) != left and gone:
            record.keys.discard(gone)
        if change.kind == PEER and change.after is not None:
            _told(record, change)


def settle(record: Record, observed: State, desired: Desired) -> None:
    """Keep what is still there: keys of ours, texts of our chains, and former values not yet given back."""
    tables = {key for key in record.keys if key[0] not in KINDS}
    record.keys = tables | {
        known
        for key, value in observed.ours.items()
        if KINDS[key[0]].remembers == "always" and (known := KINDS[key[0]].recorded(value)) is not None
    }
    record.texts = {
        key: {line.hash: line.text for line in value.rules if line.hash}  # type: ignore[attr-defined]
        for key, value in observed.ours.items()
        if key[0] == "chain" and "chain" not in observed.unknown
    } | _endpoints(record, observed, desired)
    record.former = {
        key: kept for key, fields in record.former.items() if (kept := _still_ours(key, fields, desired, observed))
    }
    record.save()


def _told(record: Record, change: Change) -> None:
    """Write down where a peer has just been told to be."""
    after: Any = change.after
    if after.endpoint and (change.action != UPDATE or "endpoint" in change.fields):
        record.texts[change.key] = {"endpoint": after.endpoint}


def _endpoints(record: Record, observed: State, desired: Desired) -> dict[Key, dict[str, str]]:
    """Return where peers have been told to be: from there the kernel follows them, and that is no drift."""
    found = {}
    for key in {*(k for k in desired.values if k[0] == PEER), *(k for k in record.texts if k[0] == PEER)}:
        wanted: Any = desired.values.get(key)
        now: Any = seen(observed, key)
        told = wanted.endpoint if wanted is not None else record.texts[key].get("endpoint")
        if told and (PEER in observed.unknown or (now is not None and now.endpoint == told)):
            found[key] = {"endpoint": told}
    return found


def _keep_former(record: Record, key: Key, value: Value, changed: Iterable[str]) -> None:
    """Remember a field's value the first time that we change it."""
    kind = KINDS[key[0]]
    kept = record.former.get(key, {})
    if kind.stale(kept, value):
        kept = {}
    new = {field: getattr(value, field) for field in kind.gives_back if field in changed and field not in kept}
    if new:
        record.former[key] = {**kept, **new, **{field: getattr(value, field) for field in kind.witness}}


def _still_ours(key: Key, fields: dict[str, Any], desired: Desired, observed: State) -> dict[str, Any]:
    """Return the former values of fields that the file still sets, or that could not be given back yet."""
    kind, wanted, now = KINDS[key[0]], desired.values.get(key), seen(observed, key)
    if now is not None and kind.stale(fields, now):
        return {}
    if wanted is None:
        given_back = now is None or all(getattr(now, f, v) == v for f, v in fields.items())
        return {} if given_back and kind.due(key, desired.values) else fields
    kept = {f for f in fields if f in kind.witness or getattr(wanted, f, None) is not None}
    kept |= {f for f, value in fields.items() if now is not None and getattr(now, f, value) != value}
    return {f: value for f, value in fields.items() if f in kept}
