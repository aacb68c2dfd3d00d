"""docs/reference.md is current, names every key of the language, and can be read."""

from __future__ import annotations

import re

import pytest

from reconciler.config.accept import compile_schema
from reconciler.config.load import loads
from reconciler.resources.schema import build
from tools.reference import PATH, Page

SCHEMA = build()
TEXT = Page(SCHEMA).text()
HEADINGS = [line.lstrip("# ") for line in TEXT.splitlines() if line.startswith("#")]


def keys(node, place):
    """Yield place and stanza of every property below a part of the schema."""
    for name, stanza in node.get("properties", {}).items():
        yield f"{place}.{name}", stanza
        yield from keys(stanza, f"{place}.{name}")
    for keyword, step in (("items", "[]"), ("additionalProperties", ".NAME")):
        if isinstance(node.get(keyword), dict):
            yield from keys(node[keyword], place + step)
    for keyword in ("anyOf", "oneOf", "allOf"):
        for part in node.get(keyword, ()):
            yield from keys(part, place)


KEYS = [
    *((place, stanza) for name, node in SCHEMA["properties"].items() for place, stanza in keys(node, name)),
    *((place, stanza) for name, node in SCHEMA["$defs"].items() for place, stanza in keys(node, f"value {name}")),
]


def table(place):
    """Return the rows under a heading, by their key; a list's entries stand under the list's own heading."""
    heading = place if place in HEADINGS else place.removesuffix("[]")
    lines = iter(TEXT.splitlines())
    next(line for line in lines if line.lstrip("# ") == heading and line.startswith("#"))
    rows = {}
    for line in lines:
        if line.startswith("#"):
            break
        if line.startswith("| `"):
            cells = re.split(r"(?<!\\) ?\| ?", line)[1:-1]
            assert len(cells) == 5, f"a row that breaks its table: {line}"
            rows[cells[0].strip("`")] = cells[1:]
    return rows


def resolved(stanza):
    """Return a stanza with what it refers to, its own words first."""
    ref = stanza.get("$ref")
    return {**SCHEMA["$defs"][ref.rsplit("/", 1)[1]], **stanza} if ref else stanza


def test_the_page_is_what_the_schema_says():
    with open(PATH, encoding="utf-8") as file:
        assert file.read() == TEXT, "run make schema"


@pytest.mark.parametrize("name", [*SCHEMA["properties"], *(f"value {name}" for name in SCHEMA["$defs"])])
def test_every_section_and_every_value_has_a_heading_and_words(name):
    stanza = SCHEMA["properties"].get(name) or SCHEMA["$defs"][name.removeprefix("value ")]
    assert HEADINGS.count(name) == 1
    assert stanza["description"] in TEXT


@pytest.mark.parametrize(("place", "stanza"), KEYS, ids=[place for place, _ in KEYS])
def test_every_key_stands_in_its_table_with_value_description_and_an_example(place, stanza):
    words = resolved(stanza)
    value, default, meaning, example = table(place.rpartition(".")[0])[place.rpartition(".")[2]]
    assert value
    assert meaning.replace("\\|", "|") == words["description"]
    assert example.startswith("`")
    if "default" in words:
        assert default.startswith("`")
        assert compile_schema({**stanza, "$defs": SCHEMA["$defs"]})(words["default"])


def test_every_link_in_the_page_leads_to_one_heading():
    anchors = [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in HEADINGS]
    assert len(anchors) == len(set(anchors))
    assert set(re.findall(r"\]\(#([^)]*)\)", TEXT)) <= set(anchors)


def test_what_stands_in_the_examples_reads_as_the_schema_has_it():
    for place, stanza in KEYS:
        shown = table(place.rpartition(".")[0])[place.rpartition(".")[2]][3].replace("\\|", "|")
        examples = resolved(stanza)["examples"]
        listed = re.findall(r"`([^`]*)`", shown)
        assert [plain(loads(f"key: {text}\n", "page", {}))["key"] for text in listed] == examples, place


def plain(node):
    """Return a document without its positions."""
    if isinstance(node, dict):
        return {str(key): plain(value) for key, value in node.items()}
    return [plain(value) for value in node] if isinstance(node, list) else node
