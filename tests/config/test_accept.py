"""The compiled schema says what jsonschema says."""

from __future__ import annotations

import json
import os
import re

import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from reconciler.config.accept import compile_schema
from reconciler.config.explain import explain
from reconciler.config.keywords import freeze
from reconciler.config.load import loads

CASES = min(1000, int(os.environ.get("HYPOTHESIS_DOCUMENTS", "250")))

KEYS = st.sampled_from(["a", "b", "c", "ab"])
TEXTS = st.sampled_from(["", "a", "b", "ab", "x1", "10", "ä"])
NUMBERS = st.integers(-2, 3)
PATTERNS = st.sampled_from(["^a", "b$", "[0-9]", "^$", "a|x", "^[a-c]+$"])
SIZES = st.integers(0, 3)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
TYPES = st.sampled_from(["object", "array", "string", "integer", "number", "boolean", "null"])

VALUES = st.recursive(
    SCALARS,
    lambda values: st.one_of(st.lists(values, max_size=3), st.dictionaries(KEYS, values, max_size=3)),
    max_leaves=8,
)

SIMPLE = {
    "type": st.one_of(TYPES, st.lists(TYPES, min_size=1, max_size=3, unique=True)),
    "required": st.lists(KEYS, max_size=2, unique=True),
    "minProperties": SIZES,
    "maxProperties": SIZES,
    "minItems": SIZES,
    "maxItems": SIZES,
    "uniqueItems": st.booleans(),
    "enum": st.lists(VALUES, min_size=1, max_size=3),
    "const": VALUES,
    "pattern": PATTERNS,
    "minLength": SIZES,
    "maxLength": SIZES,
    "minimum": NUMBERS,
    "maximum": NUMBERS,
    "dependentRequired": st.dictionaries(KEYS, st.lists(KEYS, max_size=2, unique=True), max_size=2),
    "title": st.just("a title"),
    "x-hint": st.just("a hint"),
}
OF_PARTS = ["properties", "patternProperties", "additionalProperties", "propertyNames", "items"]
OF_THE_SAME = ["allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas"]


@st.composite
def schemas(draw, depth=2, may_refer=False):
    """A schema; it refers to a definition only where a step into the document was made: no reference goes round."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.booleans())
    if may_refer and draw(st.integers(0, 4)) == 0:
        return {"$ref": draw(st.sampled_from(["#", "#/$defs/d1", "#/$defs/d2"]))}
    keywords = draw(st.lists(st.sampled_from([*SIMPLE, *OF_PARTS, *OF_THE_SAME]), max_size=4, unique=True))
    schema = {}
    for keyword in keywords:
        if keyword in SIMPLE:
            schema[keyword] = draw(SIMPLE[keyword])
        elif depth:
            parts = schemas(depth - 1, may_refer or keyword in OF_PARTS)
            if keyword in ("properties", "dependentSchemas"):
                schema[keyword] = draw(st.dictionaries(KEYS, parts, max_size=3))
            elif keyword == "patternProperties":
                schema[keyword] = draw(st.dictionaries(PATTERNS, parts, max_size=2))
            elif keyword in ("allOf", "anyOf", "oneOf"):
                schema[keyword] = draw(st.lists(parts, min_size=1, max_size=3))
            else:
                schema[keyword] = draw(parts)
    return schema


@st.composite
def roots(draw):
    schema = draw(schemas(depth=3))
    assume(isinstance(schema, dict))
    schema["$defs"] = {"d1": draw(schemas()), "d2": draw(schemas())}
    return schema


@st.composite
def documents(draw, schema, root, depth=4):
    """A document that has a fair chance to fit."""
    if not isinstance(schema, dict) or not depth or draw(st.integers(0, 9)) == 0:
        return draw(VALUES)
    if "$ref" in schema:
        return draw(documents(resolve(schema["$ref"], root), root, depth - 1))
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return draw(st.sampled_from(schema["enum"]))
    for keyword in ("anyOf", "oneOf", "allOf"):
        if keyword in schema and draw(st.booleans()):
            return draw(documents(draw(st.sampled_from(schema[keyword])), root, depth - 1))
    types = schema.get("type", "object" if "properties" in schema else "array" if "items" in schema else "string")
    kind = types if isinstance(types, str) else draw(st.sampled_from(types))
    if kind == "object":
        keys = [*schema.get("required", ()), *draw(st.lists(KEYS, max_size=2))]
        properties, others = schema.get("properties", {}), schema.get("additionalProperties", True)
        return {key: draw(documents(properties.get(key, others), root, depth - 1)) for key in keys}
    if kind == "array":
        count = draw(st.integers(schema.get("minItems", 0), max(schema.get("minItems", 0), 3)))
        return [draw(documents(schema.get("items", True), root, depth - 1)) for _ in range(count)]
    fitting = {
        "string": TEXTS,
        "integer": NUMBERS,
        "number": NUMBERS,
        "boolean": st.booleans(),
        "null": st.none(),
    }
    return draw(fitting[kind])


def resolve(ref, root):
    return root if ref == "#" else root["$defs"][ref.rpartition("/")[2]]


def holds_a_list_of_lists_with_booleans(value, depth=0):
    """jsonschema sorts before it compares, and overlooks that [[true], [1], [true]] holds an entry twice."""
    if isinstance(value, list):
        return any(holds_a_list_of_lists_with_booleans(entry, depth + 1) for entry in value)
    if isinstance(value, dict):
        return any(holds_a_list_of_lists_with_booleans(entry, depth and depth + 1) for entry in value.values())
    return depth > 1 and isinstance(value, bool)


@settings(max_examples=CASES, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(st.data(), roots())
def test_accept_and_jsonschema_agree_and_what_is_refused_is_explained(data, schema):
    decide = Draft202012Validator(schema)
    accept = compile_schema(schema)
    for _ in range(4):
        document = data.draw(st.one_of(VALUES, documents(schema, schema)))
        if "uniqueItems" in str(schema) and holds_a_list_of_lists_with_booleans(document):
            continue
        expected = decide.is_valid(document)
        event(f"valid: {expected}")
        assert accept(document) is expected
        if isinstance(document, dict):
            check_is_explained(loads(json.dumps(document), "f", {}), schema, expected)


def check_is_explained(document, schema, expected):
    problems = explain(document, schema)
    assert bool(problems) is not expected
    assert len(set(problems)) == len(problems)
    for problem in problems:
        assert problem.position.line == 1
        assert str(problem).isprintable()


@given(VALUES, VALUES)
def test_values_are_equal_as_json_has_it(one, other):
    assert (freeze(one) == freeze(other)) is Draft202012Validator({"const": one}).is_valid(other)


def test_what_yaml_gives_is_accepted_like_any_dict_and_list():
    accept = compile_schema(
        {
            "type": "object",
            "properties": {"a": {"type": "array", "items": {"type": "integer"}}},
            "additionalProperties": False,
        }
    )
    assert accept(loads("a: [1, 0x2]", "f", {}))
    assert not accept(loads("a: [1, '2']", "f", {}))
    assert not accept(loads("a: [true]", "f", {}))
    assert not accept(loads("b: [1]", "f", {}))


def test_a_definition_may_hold_itself():
    schema = {
        "$ref": "#/$defs/classes",
        "$defs": {
            "classes": {
                "type": "object",
                "additionalProperties": {
                    "type": "object",
                    "properties": {"classes": {"$ref": "#/$defs/classes"}},
                    "additionalProperties": False,
                },
            }
        },
    }
    accept = compile_schema(schema)
    assert accept({"a": {"classes": {"b": {"classes": {"c": {}}}}}})
    assert not accept({"a": {"classes": {"b": {"classes": {"c": {"x": 1}}}}}})


def test_a_pattern_is_not_compiled_before_a_text_is_held_against_it(monkeypatch):
    compiled = []
    original = re.compile
    monkeypatch.setattr(re, "compile", lambda pattern: compiled.append(pattern) or original(pattern))
    accept = compile_schema({"properties": {"a": {"pattern": "^unique-a$"}, "b": {"pattern": "^unique-b$"}}})
    assert not compiled
    assert accept({"a": "unique-a"})
    assert compiled == ["^unique-a$"]


@pytest.mark.parametrize("bad", [json.loads("[1, 1]"), [1, 2, 1], ["a", "a"], [{"a": [1]}, {"a": [1]}]])
def test_an_entry_given_twice_is_found(bad):
    assert not compile_schema({"uniqueItems": True})(bad)
    assert compile_schema({"uniqueItems": False})(bad)
