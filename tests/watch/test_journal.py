"""The log says what happened once, and what lasts once."""

from __future__ import annotations

import io

import pytest

from reconciler.resources.owner import Owner
from reconciler.watch.journal import Journal


@pytest.fixture
def journal():
    return Journal(Owner(), io.StringIO())


def lines(journal):
    return [line.split(" ", 1)[1].split(maxsplit=1) for line in journal.out.getvalue().splitlines()]


def test_a_line_has_time_level_and_words(journal):
    journal.say("info", "hello")
    stamp, level, words = journal.out.getvalue().split()
    assert stamp[10] == "T"
    assert (level, words) == ("info", "hello")


def test_a_problem_that_lasts_is_said_once(journal):
    for _ in range(3):
        journal.problem("file", "line 3 is wrong")
    assert lines(journal) == [["error", "line 3 is wrong"]]


def test_problems_of_different_topics_do_not_hide_each_other(journal):
    journal.problem("file", "bad")
    journal.problem("kernel", "bad")
    assert len(lines(journal)) == 2


def test_the_end_of_a_problem_is_said_once(journal):
    journal.problem("file", "bad")
    journal.well("kernel")
    journal.well("file")
    journal.well("file")
    assert lines(journal) == [["error", "bad"], ["info", "the file is well again"]]
