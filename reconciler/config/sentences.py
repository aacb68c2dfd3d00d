"""A sentence for each thing that a schema can find wrong: what is wrong, and what would be right.

Belongs here: the wording, by keyword. A value is shown in at most 60 characters; one that came from the
environment is not shown at all.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from reconciler.config.branches import is_of_another_type, nearest_branches, types, unknown_keys
from reconciler.config.document import position_of, spelled, spelling_of
from reconciler.config.findings import relevant
from reconciler.config.keywords import freeze
from reconciler.config.scalars import plain
from reconciler.config.suggest import did_you_mean, nearest, question
from reconciler.config.words import cut, either, noun, quote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from reconciler.config.document import Map
    from reconciler.config.findings import Finding, Path

_NOUNS = {
    "object": "a map",
    "array": "a list",
    "string": "a text",
    "integer": "a number",
    "number": "a number",
    "boolean": "true or false",
    "null": "nothing",
}
_MOST_WORDS = 12
"""So many keys or values that would be right are named; of more, only a near miss."""


class Said(NamedTuple):
    """What is said of a finding."""

    path: Path
    message: str
    hint: str = ""
    of_key: bool = False
    missing: str = ""
    """The key that is said to be missing."""
    meant: str = ""
    """The key that an unknown one was probably meant to be."""


def sentences(document: Map, finding: Finding) -> Iterator[Said]:
    """All that is to be said of one finding in `document`."""
    return _ABOUT.get(finding.keyword, _anything_else)(document, finding)


def _said(finding: Finding, message: str, hint: str) -> Said:
    return Said(finding.path, message, hint, of_key=finding.of_key)


def _shown(document: Map, finding: Finding) -> str:
    if finding.of_key:
        return f"the name {quote(str(spelled(document, finding.path)[-1]))}"
    spelling = None if isinstance(finding.value, dict | list) else spelling_of(document, finding.path)
    return noun(finding.value) if spelling is None else f"the value of {cut(spelling)}"


def _expected(finding: Finding) -> str:
    """What the schema says that the value should be."""
    return _hint(finding.schemas)


def _hint(schemas: Iterable[Any]) -> str:
    schemas = list(schemas)
    for schema in schemas:
        if "x-hint" in schema:
            return str(schema["x-hint"])
    for schema in schemas:
        for example in schema.get("examples", ()):
            if not isinstance(example, dict | list):
                return f"for example {_word(example)}"
    return ""


def _word(value: Any) -> str:
    """A value of the schema, as it is written in a file."""
    if isinstance(value, str):
        return cut(value) if plain(value) == value else quote(value)
    return cut("null" if value is None else str(value).lower())


def _anything_else(document: Map, finding: Finding) -> Iterator[Said]:
    yield _said(finding, f"{_shown(document, finding)} does not fit", _expected(finding))


def _never(_document: Map, finding: Finding) -> Iterator[Said]:
    yield Said(finding.path, "this is not allowed here", _expected(finding), of_key=True)


def _type(document: Map, finding: Finding) -> Iterator[Said]:
    names, value, hint = types(finding), finding.value, _expected(finding)
    if isinstance(value, str) and not {"integer", "boolean"}.isdisjoint(names) and plain(value) != value:
        hint = "take the quotes away"
    elif "string" in names and isinstance(value, int):
        hint = "put it in quotes"
    wanted = either(list(dict.fromkeys(_NOUNS[name] for name in names)))
    yield _said(finding, f"{_shown(document, finding)} stands where {wanted} belongs", hint)


def _choice(document: Map, finding: Finding) -> Iterator[Said]:
    choice = finding.expected if finding.keyword == "enum" else [finding.expected]
    removed = _removed(document, finding)
    if removed:
        yield _said(finding, removed, "")
        return
    words = [word for word in choice if isinstance(word, str)]
    hint = did_you_mean(finding.value, words) if isinstance(finding.value, str) else ""
    if not hint and len(choice) <= _MOST_WORDS:
        hint = either([_word(word) for word in choice]) if len(choice) > 1 else f"only {_word(choice[0])} is"
    yield _said(finding, f"{_shown(document, finding)} is not known here", hint or _known(words) or _expected(finding))


def _removed(document: Map, finding: Finding) -> str:
    """What is to be done instead, if the value is one that people try."""
    if not isinstance(finding.value, str) or spelling_of(document, finding.path):
        return ""
    remarks = (schema.get("x-removed", {}) for schema in (*finding.schemas, finding.holder))
    return next((str(remark[finding.value]) for remark in remarks if finding.value in remark), "")


def _pattern(document: Map, finding: Finding) -> Iterator[Said]:
    hint = _expected(finding) or f"it has to match {cut(finding.expected)}"
    yield _said(finding, f"{_shown(document, finding)} does not fit", hint)


def _range(document: Map, finding: Finding) -> Iterator[Said]:
    schema, than = finding.schemas[0], "less" if finding.keyword == "minimum" else "more"
    hint = _expected(finding)
    if "minimum" in schema and "maximum" in schema:
        hint = f"from {schema['minimum']} to {schema['maximum']}"
    yield _said(finding, f"{_shown(document, finding)} is {than} than {finding.expected}", hint)


def _length(document: Map, finding: Finding) -> Iterator[Said]:
    shown = "the list" if isinstance(finding.value, list) else "the map"
    unit = "entry" if finding.expected == 1 else "entries"
    if isinstance(finding.value, str):
        shown, unit = (
            _shown(document, finding),
            unit.replace("entry", "character").replace("entries", "characters"),
        )
    than = "fewer" if str(finding.keyword).startswith("min") else "more"
    if not finding.value:
        shown = shown.removesuffix(' ""')
    empty = than == "fewer" and not finding.value
    message = f"{shown} is empty" if empty else f"{shown} has {than} than {finding.expected} {unit}"
    yield _said(finding, message, _expected(finding))


def _unique(document: Map, finding: Finding) -> Iterator[Said]:
    first: dict[Any, int] = {}
    for index, entry in enumerate(finding.value):
        earlier = first.setdefault(freeze(entry), index)
        if earlier != index:
            position = position_of(document, (*finding.path, earlier))
            hint = f"first in line {position.line}, column {position.column}"
            yield Said((*finding.path, index), "this is in the list already", hint)


def _required(_document: Map, finding: Finding) -> Iterator[Said]:
    properties = finding.schemas[0].get("properties", {})
    for key in finding.expected:
        if key not in finding.value:
            part = properties.get(key, {})
            hint = _hint([part]) if isinstance(part, dict) else ""
            yield Said(finding.path, f"{quote(key)} is missing", hint, missing=key)


def _dependent(_document: Map, finding: Finding) -> Iterator[Said]:
    for key, needs in finding.expected.items():
        for need in needs:
            if key in finding.value and need not in finding.value:
                yield Said(finding.path, f"{quote(need)} is missing", f"{quote(key)} needs it", missing=need)


def _unknown(_document: Map, finding: Finding) -> Iterator[Said]:
    schema = finding.schemas[0]
    known = list(schema.get("properties", {}))
    removed = schema.get("x-removed", {})
    for key in unknown_keys(finding):
        path = (*finding.path, key)
        before_colon = key.partition(":")[0]
        if key in removed:
            yield Said(path, str(removed[key]), of_key=True)
        elif before_colon != key and before_colon in known:
            hint = 'write a space after the ":"'
            yield Said(path, "this key is not known here", hint, of_key=True, meant=before_colon)
        else:
            meant = nearest(key, known)
            hint = question(meant) or _known(known) or _expected(finding)
            yield Said(path, "this key is not known here", hint, of_key=True, meant=meant)


def _known(keys: list[str]) -> str:
    if not keys:
        return ""
    return "known here: " + ", ".join(keys[:_MOST_WORDS]) + (", …" if len(keys) > _MOST_WORDS else "")


def _not(document: Map, finding: Finding) -> Iterator[Said]:
    if not finding.expected:
        yield from _never(document, finding)
        return
    keys = _required_alone(finding.expected)
    hint = _expected(finding)
    if len(keys) == 1:
        yield Said((*finding.path, keys[0]), "this is not allowed here", hint, of_key=True)
    elif keys:
        yield _said(finding, f"{' and '.join(map(quote, keys))} exclude each other", hint)
    else:
        yield _said(finding, f"{_shown(document, finding)} is not allowed here", hint)


def _required_alone(schema: Any) -> list[str]:
    """The keys that a schema asks for, if it does nothing else."""
    keys: list[str] = schema["required"] if isinstance(schema, dict) and set(schema) == {"required"} else []
    return keys


def _forms(document: Map, finding: Finding) -> Iterator[Said]:
    """Of anyOf and oneOf: what is wrong with the form that was probably meant."""
    nearest_ones = nearest_branches(finding)
    if not nearest_ones:
        yield _several(document, finding)
    elif all(is_of_another_type(finding, branch) for branch in nearest_ones):
        yield from _type(document, finding)
    elif all(one.keyword == "required" and one.path == finding.path for one in chain(*finding.branches)):
        missing = [" and ".join(map(quote, _missing(branch))) for branch in finding.branches]
        yield _said(finding, f"{either(missing)} is missing", _expected(finding))
    elif len(nearest_ones) == 1 or isinstance(finding.value, dict | list):
        for one in relevant(nearest_ones[0]):
            yield from sentences(document, one)
    else:
        yield _none_of(document, finding, list(chain(*nearest_ones)))


def _missing(branch: Iterable[Finding]) -> list[str]:
    return list(dict.fromkeys(key for one in branch for key in one.expected if key not in one.value))


def _several(document: Map, finding: Finding) -> Said:
    """What is said of a value that has more than one of the forms of which it may have one."""
    if finding.keyword == "anyOf":  # all of whose forms are ``false``
        return next(_anything_else(document, finding))
    present = finding.value if isinstance(finding.value, dict) else {}
    keys = [key for part in finding.expected for key in _required_alone(part) if key in present]
    if len(keys) > 1:
        return _said(finding, f"{' and '.join(map(quote, keys))} exclude each other", _expected(finding))
    return _said(finding, "this can mean more than one thing", _expected(finding))


def _none_of(document: Map, finding: Finding, parts: list[Finding]) -> Said:
    """What is said of a scalar that fits none of several forms for scalars: all of them in one sentence."""
    for part in parts:
        if removed := _removed(document, part):
            return _said(finding, removed, "")
    hints = [said.hint for part in parts for said in sentences(document, part) if said.hint]
    meant = next((hint for hint in hints if hint.startswith("did you mean")), "")
    hint = meant or _expected(finding) or ", or ".join(dict.fromkeys(hints))
    return _said(finding, f"{_shown(document, finding)} does not fit", hint)


_ABOUT: dict[str | None, Callable[[Map, Finding], Iterator[Said]]] = {
    None: _never,
    "additionalProperties": _unknown,
    "anyOf": _forms,
    "const": _choice,
    "dependentRequired": _dependent,
    "enum": _choice,
    "maxItems": _length,
    "maxLength": _length,
    "maxProperties": _length,
    "maximum": _range,
    "minItems": _length,
    "minLength": _length,
    "minProperties": _length,
    "minimum": _range,
    "not": _not,
    "oneOf": _forms,
    "pattern": _pattern,
    "required": _required,
    "type": _type,
    "uniqueItems": _unique,
}
