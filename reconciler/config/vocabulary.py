"""The keywords of JSON Schema that this program knows, and that a schema uses no other.

Belongs here: looking a whole schema over before it is compiled. One that says what nobody holds a file to
would be worse than none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

TYPES: dict[str, type] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": int,
    "boolean": bool,
    "null": type(None),
}
"""The types by name; YAML gives no fractions."""

_ONE = frozenset(("additionalProperties", "propertyNames", "items", "not", "if", "then", "else"))
_SEVERAL = frozenset(("allOf", "anyOf", "oneOf"))
_NAMED = frozenset(("properties", "patternProperties", "dependentSchemas", "$defs"))
_OTHERS = frozenset(
    (
        *("required", "minProperties", "maxProperties", "dependentRequired"),
        *("minItems", "maxItems", "uniqueItems"),
        *("pattern", "minLength", "maxLength", "minimum", "maximum", "enum", "const"),
        *("title", "description", "examples", "default", "deprecated", "$comment"),
    )
)
_ROOT = frozenset(("$schema", "$id"))
_REF = "#/$defs/"
_UNESCAPED = frozenset("~%/")


def examine(schema: Mapping[str, Any] | bool) -> None:
    """Look a schema over. Raises `ValueError` for what is not known; a keyword ``x-…`` is a remark."""
    _examine(schema, schema, "#")


def resolve(root: Mapping[str, Any] | bool, ref: str) -> Mapping[str, Any] | bool:
    """The part of `root` to which a reference points: ``#``, or ``#/$defs/NAME``. Raises `ValueError`."""
    if ref == "#":
        return root
    definitions: Mapping[str, Any] = {} if isinstance(root, bool) else root.get("$defs", {})
    prefix, name = ref[: len(_REF)], ref[len(_REF) :]
    if prefix != _REF or name not in definitions or not _UNESCAPED.isdisjoint(name):
        raise ValueError(f"the schema has no {ref}, or not as #/$defs/NAME")
    part: Mapping[str, Any] | bool = definitions[name]
    return part


def _examine(schema: Any, root: Mapping[str, Any] | bool, place: str) -> None:
    if isinstance(schema, bool):
        return
    if not isinstance(schema, dict):
        raise ValueError(f"{place} is no schema")  # noqa: TRY004 - as for all else that is wrong with a schema
    for keyword, value in schema.items():
        if keyword in _ONE:
            _examine(value, root, f"{place}/{keyword}")
        elif keyword in _NAMED and (keyword != "$defs" or schema is root):
            for name, part in value.items():
                _examine(part, root, f"{place}/{keyword}/{name}")
        elif keyword in _SEVERAL:
            for index, part in enumerate(value):
                _examine(part, root, f"{place}/{keyword}/{index}")
        elif keyword == "$ref":
            resolve(root, value)
        elif keyword == "type":
            _examine_type(value, place)
        elif not (keyword in _OTHERS or keyword.startswith("x-") or (keyword in _ROOT and schema is root)):
            raise ValueError(f"the keyword {keyword} in {place} is not known to reconciler.config.keywords")


def _examine_type(value: Any, place: str) -> None:
    for name in [value] if isinstance(value, str) else value:
        if name not in TYPES:
            raise ValueError(f"{place} names the type {name}, which is none")
