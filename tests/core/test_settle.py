"""What is equal byte for byte is never decoded; a wrong prediction costs time, never correctness."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.settle import settle

messages = st.lists(st.binary(min_size=1, max_size=2), max_size=8)
known = st.dictionaries(st.binary(min_size=1, max_size=2), st.integers(), max_size=8)


def test_what_is_predicted_is_recognised_and_the_rest_is_left():
    assert settle({b"a": 1, b"c": 3}, [b"a", b"b"]) == ([1], [b"b"])


def test_nothing_known_leaves_everything():
    assert settle({}, [b"a", b"a"]) == ([], [b"a", b"a"])


def test_a_second_object_with_equal_bytes_is_another_object():
    assert settle({b"a": 1}, [b"a", b"a"]) == ([1], [b"a"])


@given(known=known, dumped=messages)
def test_no_message_is_lost_or_made_up(known, dumped):
    settled, rest = settle(known, dumped)
    assert len(settled) + len(rest) == len(dumped)
    assert set(rest) | {wire for wire in known if wire in dumped} == set(dumped)
