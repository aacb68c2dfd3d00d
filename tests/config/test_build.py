"""From events to values."""

from __future__ import annotations

import pytest

from reconciler.config import build
from reconciler.config.load import loads
from reconciler.errors import ConfigError


def problems(text, environ=None):
    with pytest.raises(ConfigError) as caught:
        loads(text, "f", environ or {})
    return [str(problem) for problem in caught.value.problems]


def test_scalars_are_resolved_where_they_stand_without_quotes_only():
    text = "a: [5, '5', \"0x10\", 0x10, true, 'true', null, ~, 1:30, on, 010]\nb: |\n  5\nc: >-\n  5\nd:\n"
    assert loads(text, "f", {}) == {
        "a": [5, "5", "0x10", 16, True, "true", None, "~", "1:30", "on", "010"],
        "b": "5\n",
        "c": "5",
        "d": None,
    }


def test_a_variable_is_put_in_before_a_scalar_is_resolved():
    environ = {"MTU": "1500", "EMPTY": "", "ON": "true"}
    text = "a: ${MTU}\nb: '${MTU}'\nc: ${EMPTY}\nd: ${ON}\ne: 0x${MTU}\nf: ${NONE:-0x10}\ng: ${MTU}0\n"
    assert loads(text, "f", environ) == {
        "a": 1500,
        "b": "1500",
        "c": None,
        "d": True,
        "e": 0x1500,
        "f": 16,
        "g": 15000,
    }


def test_keys_are_text_whatever_they_look_like():
    text = "100: a\n0x10: b\ntrue: c\nnull: d\n'': e\n${K}: f\n<<: {x: 1}\n"
    assert loads(text, "f", {"K": "k"}) == {
        "100": "a",
        "0x10": "b",
        "true": "c",
        "null": "d",
        "": "e",
        "k": "f",
        "<<": {"x": 1},
    }


def test_an_alias_is_the_same_object_and_has_a_place_of_its_own():
    document = loads("a: &x {to: 1}\nb: *x\nc: [*x, &y 5, *y]\n&k d: *k\n", "f", {})
    assert document == {"a": {"to": 1}, "b": {"to": 1}, "c": [{"to": 1}, 5, 5], "d": "d"}
    assert document["a"] is document["b"] is document["c"][0]
    assert document.value_at("b").line == 2
    assert document["c"].at(0).column == 5


def test_an_anchor_may_be_given_again_even_inside_of_itself():
    assert loads("a: &x 1\nb: &x 2\nc: *x\n", "f", {})["c"] == 2
    assert loads("a: &x [&x [1], *x]\nb: *x\n", "f", {}) == {"a": [[1], [1]], "b": [1]}


def test_an_alias_of_a_value_from_the_environment_is_one_too():
    document = loads("a: &x ${S}\nb: *x\n", "f", {"S": "secret"})
    assert document.spelling("b") == "${S}"


def test_aliases_may_stand_for_a_million_nodes_and_no_more(monkeypatch):
    monkeypatch.setattr(build, "MOST_ALIASED", 30)
    ten = "a: &a [1, 2, 3, 4, 5, 6, 7, 8, 9]\n"
    assert len(loads(ten + "b: [*a, *a, *a]\n", "f", {})["b"]) == 3
    assert problems(ten + "b: [*a, *a, *a, *a]\n") == ["f:2:17: b[3]: aliases stand for more than 30 nodes here"]
    # What an alias stands for may hold aliases itself: they count each time.
    twenty = ten + "b: &b [*a]\n"
    assert problems(twenty + "c: [*b, *b]\n") == ["f:3:9: c[1]: aliases stand for more than 30 nodes here"]


def test_a_hundred_levels_are_read_and_one_more_is_refused():
    assert loads("a: " + "[" * 99 + "]" * 99, "f", {})
    assert problems("a: " + "[" * 100 + "]" * 100) == [
        "f:1:103: maps and lists stand more than 100 deep in one another here"
    ]


def test_all_problems_of_a_file_are_said_at_once_in_its_order():
    text = "a: {x: 1, x: 2}\nb: !!str 5\n? [k]\n: ${NONE}\na: *no\n'c': ${NONE}\n"
    assert problems(text) == [
        "f:1:11: a.x: the key is given twice (first in line 1, column 5; keep one)",
        "f:2:4: b: the tag !!str is not allowed (leave it out; what is quoted is text)",
        "f:3:3: a map or a list cannot be a key (a key is a text; quote one that begins with a bracket)",
        "f:4:3: ?: the environment variable NONE is not set (set it, or give a default: ${NONE:-…})",
        "f:5:1: a: the key is given twice (first in line 1, column 1; keep one)",
        "f:5:4: a: *no names nothing: there is no &no before it (quote a text that begins with *)",
        "f:6:6: c: the environment variable NONE is not set (set it, or give a default: ${NONE:-…})",
    ]


def test_problems_before_a_syntax_error_are_said_with_it():
    assert problems("a: 1\na: 2\nb: [1\n") == [
        "f:2:1: a: the key is given twice (first in line 1, column 1; keep one)",
        'f:3:4: the "[" that opens here is never closed (close it)',
    ]


def test_keys_that_a_variable_makes_equal_are_the_same_key():
    assert problems("eth0: 1\n${DEV}: 2\n", {"DEV": "eth0"}) == [
        "f:2:1: ${DEV}: the key is given twice (first in line 1, column 1; keep one)"
    ]


def test_equal_scalars_are_one_object():
    document = loads("a: [192.0.2.1, 192.0.2.1]\n", "f", {})
    assert document["a"][0] is document["a"][1]
