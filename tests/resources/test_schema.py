"""The schema is made from the kinds, is current, explains every key, and agrees with the program."""

from __future__ import annotations

import json
import os

import pytest

from reconciler.config.accept import compile_schema
from reconciler.config.schema import load_schema
from reconciler.resources.schema import build

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def properties(node, path=""):
    """Yield path and stanza of every property that the language has."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "properties":
                for name, stanza in value.items():
                    yield f"{path}/{name}", stanza
                    yield from properties(stanza, f"{path}/{name}")
            elif key not in {"examples", "const", "enum"}:
                yield from properties(value, path if key == "$defs" else f"{path}/{key}")
    elif isinstance(node, list):
        for item in node:
            yield from properties(item, path)


def resolved(stanza, schema):
    """Return a stanza with what it refers to, its own words first."""
    ref = stanza.get("$ref")
    return {**schema["$defs"][ref.rsplit("/", 1)[1]], **stanza} if ref else stanza


def test_the_file_under_schemas_is_what_the_kinds_say():
    assert load_schema() == json.loads(json.dumps(build()))


def test_the_schema_itself_is_valid_and_understood_by_the_compiler():
    from jsonschema import Draft202012Validator

    Draft202012Validator.check_schema(build())
    assert compile_schema(build())({"version": 1})


@pytest.mark.parametrize(("path", "stanza"), list(properties(build())), ids=lambda p: p if isinstance(p, str) else "")
def test_every_property_has_a_description_and_an_example_that_is_valid(path, stanza):
    schema = build()
    whole = resolved(stanza, schema)
    assert whole.get("description"), f"{path} is not described"
    assert whole.get("examples"), f"{path} has no example"
    accept = compile_schema({**stanza, "$defs": schema["$defs"]})
    for example in whole["examples"]:
        assert accept(example), f"{path} refuses its own example {example}"


def test_the_package_holds_the_schema_by_a_relative_link():
    link = os.path.join(ROOT, "reconciler", "schemas")
    assert os.path.islink(link)
    assert os.readlink(link) == "../schemas"
