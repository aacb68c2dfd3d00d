"""Near misses."""

from __future__ import annotations

import pytest

from reconciler.config.suggest import did_you_mean, nearest


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("mut", "mtu"),
        ("adresses", "addresses"),
        ("log_prefix", "log-prefix"),
        ("MTU", "mtu"),
        ("prio", "priority"),
        ("prioriti", "priority"),
        ("wan", ""),
        ("", ""),
        ("to", ""),
    ],
)
def test_a_near_miss_finds_the_word_that_was_meant(word, meant):
    known = ["mtu", "addresses", "log-prefix", "priority", "proto", "iif", "oif"]
    assert nearest(word, known) == meant


def test_a_word_is_not_suggested_for_itself():
    assert nearest("mtu", ["mtu"]) == ""


def test_the_suggestion_is_a_question_or_nothing():
    assert did_you_mean("wan3", ["wan2", "voip"]) == 'did you mean "wan2"?'
    assert did_you_mean("backup", ["wan2", "voip"]) == ""
    assert did_you_mean("x", []) == ""
