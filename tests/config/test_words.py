"""Words for values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.config.words import LONGEST, cut, either, noun, quote


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"a": 1}, "a map"),
        ([1, 2], "a list"),
        ("up", 'the text "up"'),
        (5, "the number 5"),
        (True, "true"),
        (False, "false"),
        (None, "nothing"),
    ],
)
def test_a_value_is_called_by_its_type(value, words):
    assert noun(value) == words


@given(st.text())
def test_a_text_is_shown_on_one_line_and_in_at_most_60_characters(text):
    shown = cut(text)
    assert shown.isprintable()
    assert len(shown) <= LONGEST
    assert len(quote(text)) <= LONGEST + 2


def test_a_long_text_is_cut_with_a_sign():
    assert cut("x" * 60) == "x" * 60
    assert cut("x" * 61) == "x" * 59 + "…"
    assert cut("a\nb\0\ud800") == r"a\nb\x00\ud800"


def test_alternatives_read_as_a_sentence():
    assert either([]) == ""
    assert either(["a"]) == "a"
    assert either(["a", "b"]) == "a or b"
    assert either(["a", "b", "c"]) == "a, b or c"
