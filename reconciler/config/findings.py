"""What jsonschema finds wrong with a document, in a form of our own.

Belongs here: all that knows how jsonschema works. Besides what was violated, a message needs what the
schema says *round* it: a hint may stand beside a ``$ref``, in what it points to, or on the property.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from reconciler.config.accept import Compiler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from jsonschema.exceptions import ValidationError

Schema = Any
Path = tuple["str | int", ...]


class Finding(NamedTuple):
    """One thing that is wrong."""

    path: Path
    """Where; if ``of_key``, the key at the end of it is what is wrong, not its value."""
    of_key: bool
    keyword: str | None
    """What was violated; None is the schema that allows nothing."""
    expected: Any
    """What the keyword says."""
    value: Any
    schemas: tuple[Schema, ...]
    """What is said of this value, from the schema that holds the keyword outwards."""
    holder: Schema
    """What is said of the map or list that holds the value, as far as it leads here."""
    branches: tuple[tuple[Finding, ...], ...]
    """For anyOf and oneOf: what is wrong with each."""


def find(document: Any, schema: Mapping[str, Any]) -> list[Finding]:
    """What is wrong with the document; nothing, if it fits."""
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend

    root = {keyword: value for keyword, value in schema.items() if keyword != "$schema"}
    keywords = dict(Draft202012Validator.VALIDATORS)
    keywords["properties"] = _properties
    keywords["patternProperties"] = _pattern_properties
    keywords["propertyNames"] = _property_names
    keywords["items"] = _Items(Compiler(root))
    make: Any = extend  # which has no types
    validator = make(Draft202012Validator, {keyword: _Noting(function) for keyword, function in keywords.items()})
    return [_finding(error) for error in validator(root).iter_errors(document)]


def relevant(findings: Iterable[Finding]) -> list[Finding]:
    """What is left if nothing else is said of a value of the wrong type."""
    findings = list(findings)
    of_wrong_type = {one.path for one in findings if one.keyword == "type" and not one.of_key}
    return [one for one in findings if one.keyword == "type" or one.of_key or one.path not in of_wrong_type]


class _Noting:
    """A keyword that notes on each error, as it passes, how far it has come and what the schema says here."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __call__(self, validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        for error in self.function(validator, value, instance, schema) or ():
            vars(error).setdefault("around", []).append((len(error.path), schema))
            yield error


class _Items:
    """``items`` that looks only at the entries with which something is wrong: of 100,000 those are few."""

    def __init__(self, compiler: Compiler) -> None:
        self.compiler = compiler

    def __call__(self, validator: Any, items: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
        if not isinstance(instance, list):
            return
        accept = self.compiler.check(items)
        for index, entry in enumerate(instance):
            if not accept(entry):
                yield from _descend(validator, entry, items, index)


def _properties(validator: Any, properties: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, dict):
        for key, part in properties.items():
            if key in instance:
                yield from _descend(validator, instance[key], part, key)


def _pattern_properties(validator: Any, patterns: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, dict):
        for pattern, part in patterns.items():
            for key, entry in instance.items():
                if re.search(pattern, key):
                    yield from _descend(validator, entry, part, key)


def _property_names(validator: Any, names: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, dict):
        for key in instance:
            for error in validator.descend(key, names, path=key):
                vars(error)["of_key"] = True
                yield error


def _descend(validator: Any, instance: Any, part: Any, step: str | int) -> Iterator[ValidationError]:
    """As jsonschema does, which however forgets the step to what a part ``false`` refuses."""
    yield from validator.descend(instance, {"not": {}} if part is False else part, path=step)


def _finding(error: ValidationError) -> Finding:
    around = _around(error)
    branches: dict[Any, list[Finding]] = {}
    for part in error.context:
        if part.relative_schema_path:  # of a branch ``false`` there is nothing to say
            branches.setdefault(part.relative_schema_path[0], []).append(_finding(part))
    return Finding(
        path=tuple(error.absolute_path),
        of_key=_is_of_key(error),
        keyword=error.validator if isinstance(error.validator, str) else None,
        expected=error.validator_value,
        value=error.instance,
        schemas=tuple(schema for distance, schema in around if distance == 0),
        holder=next((schema for distance, schema in around if distance == 1), {}),
        branches=tuple(map(tuple, branches.values())),
    )


def _around(error: ValidationError) -> list[tuple[int, Schema]]:
    """What the schema says round an error, from the inside out, each with its distance in steps of path."""
    around: list[tuple[int, Schema]] = list(vars(error).get("around", ()))
    if isinstance(error.parent, type(error)):
        steps = len(error.path)
        around.extend((steps + distance, schema) for distance, schema in _around(error.parent))
    return around


def _is_of_key(error: Any) -> bool:
    return error is not None and ("of_key" in vars(error) or _is_of_key(error.parent))
