"""States and values as JSON, both ways: snapshots, saved plans and recorded cases are all that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.core.state import Held, State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.core.kind import Kind
    from reconciler.core.state import Key, Value

FORMAT = 1
"""The version of the format; a reader refuses another one."""


def dump_value(key: Key, value: Value) -> dict[str, Any]:
    """Return one object: its kind and its fields."""
    return {"kind": key[0], **value._asdict()}  # type: ignore[attr-defined]


def load_value(kinds: Mapping[str, Kind[Any]], data: Mapping[str, Any]) -> tuple[Key, Value]:
    """Return key and value of one object. ValueError says what is wrong with the data."""
    fields = dict(data)
    name = fields.pop("kind", None)
    kind = kinds.get(name) if isinstance(name, str) else None
    if kind is None:
        msg = f"there is no kind {name!r}"
        raise ValueError(msg)
    value = kind.revive(fields)
    return kind.key(value), value


def dump_state(state: State) -> dict[str, Any]:
    """Return a state as a JSON object, in the order of its keys."""
    return {
        "format": FORMAT,
        "ours": [dump_value(key, state.ours[key]) for key in sorted(state.ours, key=repr)],
        "foreign": [
            {**dump_value(key, held.value), "holder": held.mark}
            for key in sorted(state.foreign, key=repr)
            for held in state.foreign[key]
        ],
        "unknown": dict(state.unknown),
    }


def load_state(kinds: Mapping[str, Kind[Any]], data: Mapping[str, Any]) -> State:
    """Return the state that a JSON object holds. ValueError says what is wrong with the data."""
    if data.get("format") != FORMAT:
        msg = f"this program reads states of format {FORMAT}, not {data.get('format')!r}"
        raise ValueError(msg)
    foreign: dict[Key, tuple[Held, ...]] = {}
    for entry in data["foreign"]:
        fields = dict(entry)
        mark = fields.pop("holder")
        key, value = load_value(kinds, fields)
        foreign[key] = (*foreign.get(key, ()), Held(value, mark))
    return State(dict(load_value(kinds, entry) for entry in data["ours"]), foreign, dict(data["unknown"]))
