"""A document is held against its schema; jsonschema is asked only what is wrong."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from reconciler.config import explain as explain_module
from reconciler.config.load import loads
from reconciler.config.validate import validate
from reconciler.errors import ConfigError

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

CLASSES = {
    "type": "object",
    "properties": {"classes": {"$ref": "#/$defs/classes"}},
    "$defs": {
        "classes": {
            "type": "object",
            "additionalProperties": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/class"}]},
        },
        "class": {
            "type": "object",
            "properties": {"classes": {"$ref": "#/$defs/classes"}},
            "additionalProperties": False,
        },
    },
}


def nested(levels, innermost):
    return "{classes: {a: " * levels + innermost + "}}" * levels


def test_a_good_document_passes_in_silence():
    validate(loads("a: 1", "f", {}), {"properties": {"a": {"type": "integer"}}})


def test_a_bad_one_raises_all_its_problems():
    with pytest.raises(ConfigError) as caught:
        validate(loads("a: x\nb: y", "f", {}), {"additionalProperties": {"type": "integer"}})
    assert [str(problem) for problem in caught.value.problems] == [
        'f:1:4: a: the text "x" stands where a number belongs',
        'f:2:4: b: the text "y" stands where a number belongs',
    ]


def test_what_jsonschema_finds_nothing_wrong_with_is_valid(monkeypatch):
    monkeypatch.setattr(explain_module, "explain", lambda *_: [])
    validate(loads("a: x", "f", {}), {"additionalProperties": False})


def test_a_schema_that_is_not_understood_is_an_error_of_the_program():
    with pytest.raises(ValueError, match="format"):
        validate(loads("a: x", "f", {}), {"format": "ipv4"})


def test_a_document_as_deep_as_may_be_is_held_against_a_schema_as_deep():
    validate(loads(nested(50, ""), "f", {}), CLASSES)
    with pytest.raises(ConfigError) as caught:
        validate(loads(nested(49, "5"), "f", {}), CLASSES)
    assert len(caught.value.problems) == 1


def test_a_schema_that_goes_round_gives_no_traceback():
    with pytest.raises(ConfigError, match="nested too deep to be checked"):
        validate(loads("a: 1", "f", {}), {"$ref": "#"})


PROGRAM = """
import sys
before = set(sys.modules)
from reconciler.config.load import load
from reconciler.config.schema import load_schema
from reconciler.config.validate import validate
document = load(sys.argv[1], {"DEV": "eth1"})
validate(document, {
    "type": "object",
    "additionalProperties": False,
    "properties": {"rules": {"type": "array", "items": {"$ref": "#/$defs/rule"}}},
    "$defs": {"rule": {"type": "object", "required": ["dev"], "properties": {"dev": {"pattern": "^[a-z]+[0-9]$"}}}},
})
document["rules"].at(0)
print(*sorted(set(sys.modules) - before))
"""


def test_a_good_file_costs_no_heavy_import(tmp_path):
    path = tmp_path / "good.yaml"
    path.write_text("rules: [{dev: '${DEV}'}]\n")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert "reconciler.config.accept" in loaded
    assert loaded.isdisjoint(
        {
            *(
                "jsonschema",
                "referencing",
                "difflib",
                "ipaddress",
                "dataclasses",
                "inspect",
                "pathlib",
                "tempfile",
            ),
            *(
                "logging",
                "asyncio",
                "pyroute2",
                "watchdog",
                "importlib.resources",
                "importlib.metadata",
                "typing_extensions",
            ),
            *("reconciler.config.explain", "reconciler.config.findings", "reconciler.config.sentences"),
        }
    )
