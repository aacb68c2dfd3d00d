"""A schema says nothing that nobody looks at."""

from __future__ import annotations

import pytest

from reconciler.config.accept import compile_schema
from reconciler.config.vocabulary import examine, resolve


@pytest.mark.parametrize(
    "schema",
    [
        {"unevaluatedProperties": False},
        {"prefixItems": []},
        {"format": "ipv4"},
        {"multipleOf": 2},
        {"exclusiveMinimum": 2},
        {"$anchor": "a"},
        {"patern": "a"},
        {"type": "text"},
        {"type": ["string", "int"]},
        {"properties": {"a": {"items": {"contains": {}}}}},
        {"$defs": {"never-used": {"dependencies": {}}}},
        {"allOf": [True, {"anyOf": [{"not": {"oops": 1}}]}]},
        {"if": {"oops": 1}},
        {"patternProperties": {"a": {"oops": 1}}},
        {"dependentSchemas": {"a": {"oops": 1}}},
        {"properties": {"a": {"$id": "b"}}},
        {"properties": {"a": {"$defs": {}}}},
        {"$ref": "#/$defs/none"},
        {"$ref": "other.json"},
        {"$ref": "#/properties/a", "properties": {"a": {}}},
        {"$defs": {"a/b": {}}, "$ref": "#/$defs/a/b"},
        {"items": 5},
        5,
    ],
)
def test_what_is_not_known_is_refused_wherever_it_stands(schema):
    with pytest.raises(ValueError, match=r"schema|known|type"):
        compile_schema(schema)


def test_the_place_of_an_unknown_keyword_is_named():
    with pytest.raises(ValueError, match=r"the keyword format in #/\$defs/a/allOf/1 is not known"):
        examine({"$defs": {"a": {"allOf": [{}, {"format": "ipv4"}]}}})


def test_remarks_and_annotations_are_no_rules():
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://example.org/x",
        "$comment": "c",
        "title": "t",
        "description": "d",
        "default": 1,
        "examples": [1],
        "deprecated": True,
        "x-hint": "h",
        "x-removed": {"a": "b"},
    }
    assert compile_schema(schema)({"anything": 1})


def test_references_lead_to_definitions_and_to_the_root():
    root = {"$defs": {"a-b": {"type": "string"}}}
    assert resolve(root, "#/$defs/a-b") == {"type": "string"}
    assert resolve(root, "#") is root
