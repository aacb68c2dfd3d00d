"""Maps and lists that know where their entries stand."""

from __future__ import annotations

import copy
import json

import pytest

from reconciler.config.document import Map, Seq, format_path, position_of, spelled, spelling_of
from reconciler.config.load import loads
from reconciler.errors import Position

TEXT = """\
tables:
  wan2:
    id: 100
    routes:
      - {to: default, via: "${GATEWAY}"}
      - to: 10.0.0.0/8
        dev: ${DEV:-eth1}
  ${NAME}: {id: 7}
list: [a, [b, c]]
"""
ENVIRON = {"GATEWAY": "192.0.2.1", "NAME": "lan"}


@pytest.fixture
def document():
    return loads(TEXT, "f.yaml", ENVIRON)


def at(line, column):
    return Position("f.yaml", line, column)


def test_they_are_a_dict_and_a_list(document):
    assert isinstance(document, dict)
    assert isinstance(document["list"], list)
    assert json.loads(json.dumps(document)) == {
        "tables": {
            "wan2": {
                "id": 100,
                "routes": [{"to": "default", "via": "192.0.2.1"}, {"to": "10.0.0.0/8", "dev": "eth1"}],
            },
            "lan": {"id": 7},
        },
        "list": ["a", ["b", "c"]],
    }


def test_a_map_knows_its_place_and_those_of_its_keys_and_values(document):
    table = document["tables"]["wan2"]
    assert document.position == at(1, 1)
    assert table.position == at(3, 5)
    assert table.at("id") == at(3, 5)
    assert table.value_at("id") == at(3, 9)
    assert table["routes"][0].at("via") == at(5, 23)
    assert table["routes"][0].value_at("via") == at(5, 28)


def test_a_list_knows_its_place_and_those_of_its_entries(document):
    routes = document["tables"]["wan2"]["routes"]
    assert routes.position == at(5, 7)
    assert [routes.at(0), routes.at(1)] == [at(5, 9), at(6, 9)]
    assert document["list"][1].at(1) == at(9, 15)


def test_what_is_not_there_stands_where_its_container_does(document):
    assert document["tables"]["wan2"].at("none") == at(3, 5)
    assert document["tables"]["wan2"].value_at("none") == at(3, 5)
    assert document["list"].at(9) == document["list"].at(-1) == at(9, 7)


def test_the_place_of_a_path_is_that_of_its_value_or_its_key(document):
    path = ("tables", "wan2", "routes", 1, "dev")
    assert position_of(document, ()) == at(1, 1)
    assert position_of(document, path) == at(7, 14)
    assert position_of(document, path, key=True) == at(7, 9)
    assert position_of(document, ("list", 1, 0)) == at(9, 12)
    assert position_of(document, ("list", 1, 0), key=True) == at(9, 12)


@pytest.mark.parametrize("rest", [("none",), ("none", "deeper", 3), (5,), ("id", "deeper")])
def test_a_path_that_leads_nowhere_has_the_place_where_it_ends(document, rest):
    expected = at(3, 9) if rest[0] == "id" else at(3, 5)
    assert position_of(document, ("tables", "wan2", *rest)) == expected
    assert position_of(document, ("tables", "wan2", *rest), key=True) == expected


def test_a_value_from_the_environment_is_known_by_its_text_in_the_file(document):
    routes = document["tables"]["wan2"]["routes"]
    assert routes[0].spelling("via") == "${GATEWAY}"
    assert routes[0].spelling("to") is None
    assert spelling_of(document, ("tables", "wan2", "routes", 1, "dev")) == "${DEV:-eth1}"
    assert spelling_of(document, ("list", 0)) is None
    assert spelling_of(document, ()) is None
    assert document["tables"].key_spelling("lan") == "${NAME}"
    assert spelled(document, ("tables", "lan", "id")) == ["tables", "${NAME}", "id"]
    assert spelled(document, ("tables", "none", 3, "id")) == ["tables", "none", 3, "id"]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), ""),
        (("tables", "wan2", "routes", 0, "via"), "tables.wan2.routes[0].via"),
        (("interfaces", "eth0.7", "mtu"), 'interfaces."eth0.7".mtu'),
        (("a", 0, 1, "b"), "a[0][1].b"),
        (("eth0:1", ""), '"eth0:1".""'),
        (("a b", "c\nd"), r'"a b"."c\nd"'),
        (("x" * 61,), '"' + "x" * 59 + '…"'),
    ],
)
def test_a_path_reads_like_the_file(path, text):
    assert format_path(path) == text


@pytest.mark.parametrize("twin", [copy.copy, copy.deepcopy])
def test_a_copy_keeps_the_places(document, twin):
    other = twin(document)
    assert type(other) is Map
    assert other == document
    assert other.at("list") == at(9, 1)
    assert type(other["list"]) is Seq
    assert other["list"].at(0) == at(9, 8)
