"""Each keyword by itself: what it accepts, what it refuses, and that it leaves other types alone."""

from __future__ import annotations

import pytest
from jsonschema import Draft202012Validator

from reconciler.config.accept import compile_schema


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        (True, [1, None], []),
        (False, [], [1, None]),
        ({}, [1, None], []),
        ({"type": "integer"}, [1, -1], [True, "1", None, [], {}]),
        ({"type": "number"}, [1], [True, "1"]),
        ({"type": "boolean"}, [True], [1, 0, "true"]),
        ({"type": ["integer", "boolean"]}, [1, True], ["1", None]),
        ({"type": ["string", "null"]}, ["", None], [1, False]),
        ({"enum": [1, "a", [True]]}, [1, "a", [True]], [True, [1], "1", None]),
        ({"enum": ["up", "down"]}, ["up"], ["on", None, 1, ["up"], {"up": 1}]),
        ({"const": {"a": [1, False]}}, [{"a": [1, False]}], [{"a": [1, 0]}, {"a": [True, False]}, {}]),
        ({"const": [["a", 1]]}, [[["a", 1]]], [{"a": 1}, [{"a": 1}]]),
        ({"minimum": 1, "maximum": 3}, [1, 3, "x", True, None], [0, 4]),
        ({"minLength": 1, "maxLength": 2}, ["a", "ab", [], 5], ["", "abc"]),
        ({"pattern": "b"}, ["abc", 5, None], ["ac", ""]),
        ({"minItems": 1, "maxItems": 2}, [[1], [1, 2], "", {}], [[], [1, 2, 3]]),
        ({"items": {"type": "integer"}}, [[], [1], "x", {"a": "b"}], [["x"], [1, "x"]]),
        ({"uniqueItems": True}, [[1, True, "1"], [[1], [True]], "aa"], [[1, 1], [{"a": [0]}, {"a": [0]}]]),
        ({"uniqueItems": False}, [[1, 1]], []),
        ({"minProperties": 1, "maxProperties": 2}, [{"a": 1}, [], ""], [{}, {"a": 1, "b": 1, "c": 1}]),
        ({"required": ["a", "b"]}, [{"a": 1, "b": None}, [], "a"], [{}, {"a": 1}]),
        ({"properties": {"a": {"type": "null"}, "b": False}}, [{"a": None}, {"c": 1}, []], [{"a": 1}, {"b": 1}]),
        ({"additionalProperties": False}, [{}, []], [{"a": 1}]),
        (
            {"properties": {"a": True}, "additionalProperties": {"type": "null"}},
            [{"a": 1}, {"b": None}],
            [{"b": 1}],
        ),
        (
            {
                "properties": {"xa": {"type": "integer"}},
                "patternProperties": {"^x": {"minimum": 0}, "a$": {"maximum": 5}},
                "additionalProperties": False,
            },
            [{"xa": 5, "xb": 9, "ca": 5}],
            [{"xa": "s"}, {"xa": -1}, {"xa": 6}, {"xb": -1}, {"b": 1}],
        ),
        ({"propertyNames": {"maxLength": 1}}, [{"a": 1}, ["aa"]], [{"aa": 1}]),
        ({"dependentRequired": {"a": ["b"]}}, [{}, {"b": 1}, {"a": 1, "b": 1}, ["a"]], [{"a": 1}]),
        ({"dependentSchemas": {"a": {"required": ["b"]}}}, [{}, {"a": 1, "b": 1}, "a"], [{"a": 1}]),
        ({"allOf": [{"minimum": 1}, {"maximum": 3}]}, [1, 3], [0, 4]),
        ({"anyOf": [{"minimum": 5}, {"maximum": 3}]}, [5, 3], [4]),
        ({"oneOf": [{"minimum": 3}, {"maximum": 3}]}, [2, 4], [3]),
        ({"not": {"type": "null"}}, [1], [None]),
        ({"if": {"minimum": 3}, "then": {"maximum": 5}, "else": {"minimum": 1}}, [4, 2], [6, 0]),
        ({"if": {"minimum": 3}}, [4, 2], []),
        ({"then": False, "else": False}, [1], []),
        ({"type": "integer", "minimum": 1, "maximum": 2, "not": {"const": 2}}, [1], [0, 2, 3, "1"]),
        ({"$ref": "#/$defs/a", "maximum": 3, "$defs": {"a": {"minimum": 1}}}, [1, 3], [0, 4]),
        ({"properties": {"a": {"$ref": "#"}}, "required": ["a"]}, [{"a": 1}, {"a": {"a": 1}}], [{"a": {}}]),
    ],
)
def test_a_keyword_accepts_and_refuses_what_jsonschema_does(schema, good, bad):
    accept = compile_schema(schema)
    decide = Draft202012Validator(schema)
    assert [(value, accept(value)) for value in good] == [(value, decide.is_valid(value)) for value in good]
    assert all(map(accept, good))
    assert not any(map(accept, bad))
    assert not any(map(decide.is_valid, bad))
