"""What is doubtful but not wrong draws a warning with its place, and nothing else does."""

from __future__ import annotations

import pytest

from reconciler.config.load import loads
from reconciler.resources.desired import ANYWHERE, desire

SHAPED = "shaping: {eth1: {kind: htb, classes: {all: {rate: 10mbit, classes: {a: {rate: %s}, b: {rate: 5mbit%s}}}}}}"


def warnings(text):
    return [str(problem) for problem in desire(loads(text, "net.yaml", {}), ANYWHERE)[0].warnings]


def test_classes_that_are_promised_more_than_their_parent_has():
    [said] = warnings(SHAPED % ("6mbit", ""))
    assert said.startswith("net.yaml:1:")
    assert "the classes of all are promised 11mbit together, more than its rate of 10mbit" in said


def test_a_ceil_above_that_of_the_parent():
    [said] = warnings(SHAPED % ("5mbit", ", ceil: 20mbit"))
    assert "the ceil of b (20mbit) is above that of all (10mbit)" in said


def test_a_tree_that_adds_up_draws_none():
    assert warnings(SHAPED % ("5mbit", ", ceil: 10mbit")) == []


@pytest.mark.parametrize(
    ("marks", "words"),
    [
        ("{a: 0x10}", "without a mask means all 32 bits"),
        ("{a: 0x10/0xff, b: 0x10/0xf0}", "a packet can carry b (0x10/0xf0) and a (0x10/0xff) at once"),
        ("{a: 0x40000/0xff0000}", "bits that Tailscale uses"),
        ("{a: 0x4000/0xc000}", "bits that kube-proxy uses"),
    ],
)
def test_marks_that_collide_with_each_other_or_with_software(marks, words):
    assert any(words in said for said in warnings(f"marks: {marks}"))


def test_marks_in_the_low_byte_draw_none():
    assert warnings("marks: {a: 0x10/0xff, b: 0x20/0xff}") == []
