"""Messages that are predicted byte for byte are recognised; everything else is left to be decoded."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.settle import settle

messages = st.lists(st.sampled_from([b"a", b"b", b"c", b"dd"]))


def test_a_message_that_was_predicted_is_recognised_and_the_others_are_left():
    assert settle({b"a": 1, b"x": 2}, [b"a", b"b"]) == ([1], [b"b"])


def test_of_two_equal_messages_only_the_first_is_what_was_predicted():
    assert settle({b"a": 1}, [b"a", b"b", b"a"]) == ([1], [b"b", b"a"])


def test_without_predictions_everything_is_left_in_its_order():
    assert settle({}, iter([b"b", b"a", b"b"])) == ([], [b"b", b"a", b"b"])


def test_what_is_predicted_and_not_there_is_not_recognised():
    assert settle({b"a": 1}, []) == ([], [])


def test_a_dump_may_be_read_only_once():
    assert settle({b"a": 1}, iter([b"b", b"a"])) == ([1], [b"b"])


@given(st.dictionaries(st.sampled_from([b"a", b"b", b"zz"]), st.integers()), messages)
def test_nothing_is_lost_and_nothing_is_made_up(known, dumped):
    settled, rest = settle(known, dumped)
    hit = set(known) & set(dumped)
    assert settled == [known[m] for m in dict.fromkeys(dumped) if m in hit]
    assert sorted(rest + list(hit)) == sorted(dumped)
