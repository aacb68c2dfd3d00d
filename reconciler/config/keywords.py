"""What each keyword of JSON Schema asks of a value, as a function that says yes or no.

Belongs here: the keywords of draft 2020-12 that the language uses, for values that come out of YAML: there
are no fractions among them. A keyword says nothing of values that are not of its type.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from reconciler.config.vocabulary import TYPES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.config.accept import Compiler

Check = Callable[[Any], bool]


def freeze(value: Any) -> Any:
    """A value that is hashable and equal for what JSON Schema holds to be equal: 1 and true are not."""
    if isinstance(value, bool):
        return (bool, value)
    if isinstance(value, list):
        return (list, *map(freeze, value))
    if isinstance(value, dict):
        return (dict, frozenset((key, freeze(entry)) for key, entry in value.items()))
    return value


def anything(_value: Any) -> bool:
    """The schema ``true``."""
    return True


def nothing(_value: Any) -> bool:
    """The schema ``false``."""
    return False


def _ref(compiler: Compiler, schema: Mapping[str, Any]) -> Check:
    ref = schema["$ref"]
    target: Check | None = None

    def accept(value: Any) -> bool:
        nonlocal target
        if target is None:
            target = compiler.target(ref)
        return target(value)

    return accept


def _type(_compiler: Compiler, schema: Mapping[str, Any]) -> Check:
    names = schema["type"]
    types = tuple(TYPES[name] for name in ([names] if isinstance(names, str) else names))
    if int in types and bool not in types:
        return lambda value: isinstance(value, types) and not isinstance(value, bool)
    return lambda value: isinstance(value, types)


def _enum(_compiler: Compiler, schema: Mapping[str, Any]) -> Check:
    values = frozenset(map(freeze, schema["enum"]))
    return lambda value: (value if isinstance(value, str) else freeze(value)) in values


def _const(_compiler: Compiler, schema: Mapping[str, Any]) -> Check:
    expected = freeze(schema["const"])
    return lambda value: bool(freeze(value) == expected)


def _all_of(compiler: Compiler, schema: Mapping[str, Any]) -> Check:
    checks = compiler.checks(schema["allOf"])
    return lambda value: all(check(value) for check in checks)


def _any_of(compiler: Compiler, schema: Mapping[str, Any]) -> Check:
    checks = compiler.checks(schema["anyOf"])

    def accept(value: Any) -> bool:
        for check in checks:  # noqa: SIM110 - a generator costs more than most checks
            if check(value):
                return True
        return False

    return accept


def _one_of(compiler: Compiler, schema: Mapping[str, Any]) -> Check:
    checks = compiler.checks(schema["oneOf"])
    return lambda value: sum(check(value) for check in checks) == 1


def _not(compiler: Compiler, schema: Mapping[str, Any]) -> Check:
    refused = compiler.check(schema["not"])
    return lambda value: not refused(value)


def _if(compiler: Compiler, schema: Mapping[str, Any]) -> Check:
    condition = compiler.check(schema["if"])
    then, otherwise = compiler.checks((schema.get("then", True), schema.get("else", True)))
    return lambda value: then(value) if condition(value) else otherwise(value)


def _length(
    kind: type[str | list[Any] | dict[str, Any]], least: str, most: str
) -> Callable[[Compiler, Mapping[str, Any]], Check]:
    """What makes the check of how much there is in a text, a list or a map."""

    def make(_compiler: Compiler, schema: Mapping[str, Any]) -> Check:
        low, high = schema.get(least, 0), schema.get(most, float("inf"))
        return lambda value: not isinstance(value, kind) or low <= len(value) <= high

    return make


def _range(_compiler: Compiler, schema: Mapping[str, Any]) -> Check:
    low, high = schema.get("minimum", float("-inf")), schema.get("maximum", float("inf"))
    return lambda value: type(value) is not int or low <= value <= high


def _pattern(_compiler: Compiler, schema: Mapping[str, Any]) -> Check:
    search = _search(schema["pattern"])
    return lambda value: not isinstance(value, str) or search(value)


def _search(pattern: str) -> Callable[[str], bool]:
    search: Callable[[str], Any] | None = None

    def found(text: str) -> bool:
        nonlocal search
        if search is None:
            search = re.compile(pattern).search
        return search(text) is not None

    return found


def _items(compiler: Compiler, schema: Mapping[str, Any]) -> Check:
    item = compiler.check(schema["items"])

    def accept(value: Any) -> bool:
        if isinstance(value, list):
            for entry in value:
                if not item(entry):
                    return False
        return True

    return accept


def _unique(_compiler: Compiler, schema: Mapping[str, Any]) -> Check:
    if not schema["uniqueItems"]:
        return anything
    return lambda value: not isinstance(value, list) or len(set(map(freeze, value))) == len(value)


def _required(_compiler: Compiler, schema: Mapping[str, Any]) -> Check:
    keys: list[str] = schema["required"]

    def accept(value: Any) -> bool:
        if isinstance(value, dict):
            for key in keys:
                if key not in value:
                    return False
        return True

    return accept


def _names(compiler: Compiler, schema: Mapping[str, Any]) -> Check:
    name = compiler.check(schema["propertyNames"])
    return lambda value: not isinstance(value, dict) or all(name(key) for key in value)


def _dependent_required(_compiler: Compiler, schema: Mapping[str, Any]) -> Check:
    needs: dict[str, list[str]] = schema["dependentRequired"]

    def accept(value: Any) -> bool:
        if not isinstance(value, dict):
            return True
        return all(need in value for key, wanted in needs.items() if key in value for need in wanted)

    return accept


def _dependent_schemas(compiler: Compiler, schema: Mapping[str, Any]) -> Check:
    checks = {key: compiler.check(part) for key, part in schema["dependentSchemas"].items()}

    def accept(value: Any) -> bool:
        if not isinstance(value, dict):
            return True
        return all(check(value) for key, check in checks.items() if key in value)

    return accept


def _entries(compiler: Compiler, schema: Mapping[str, Any]) -> Check:
    """What holds the entries of an object to its properties, its patterns and what is said of all others."""
    other = compiler.check(schema.get("additionalProperties", True))
    patterns = [(_search(key), compiler.check(part)) for key, part in schema.get("patternProperties", {}).items()]
    properties: dict[str, Check] | None = None

    def patterned(key: str, entry: Any, named: Check | None) -> bool:
        checks = [check for matches, check in patterns if matches(key)]
        if named is None and not checks:
            return other(entry)
        return (named is None or named(entry)) and all(check(entry) for check in checks)

    def accept(value: Any) -> bool:
        nonlocal properties
        if not isinstance(value, dict):
            return True
        if properties is None:
            parts: Mapping[str, Any] = schema.get("properties", {})
            properties = {key: compiler.check(part) for key, part in parts.items()}
        if patterns:
            return all(patterned(key, entry, properties.get(key)) for key, entry in value.items())
        for key, entry in value.items():  # noqa: SIM110 - a generator costs more than most checks
            if not properties.get(key, other)(entry):
                return False
        return True

    return accept


MAKERS: dict[str, Callable[[Compiler, Mapping[str, Any]], Check]] = {
    "type": _type,
    "enum": _enum,
    "const": _const,
    "pattern": _pattern,
    "minLength": (_text_length := _length(str, "minLength", "maxLength")),
    "maxLength": _text_length,
    "minimum": _range,
    "maximum": _range,
    "required": _required,
    "minProperties": (_map_length := _length(dict, "minProperties", "maxProperties")),
    "maxProperties": _map_length,
    "properties": _entries,
    "patternProperties": _entries,
    "additionalProperties": _entries,
    "propertyNames": _names,
    "dependentRequired": _dependent_required,
    "dependentSchemas": _dependent_schemas,
    "minItems": (_list_length := _length(list, "minItems", "maxItems")),
    "maxItems": _list_length,
    "items": _items,
    "uniqueItems": _unique,
    "$ref": _ref,
    "allOf": _all_of,
    "anyOf": _any_of,
    "oneOf": _one_of,
    "not": _not,
    "if": _if,
}
"""By keyword, what makes its check from the schema that holds it; keywords of one maker make one check."""
