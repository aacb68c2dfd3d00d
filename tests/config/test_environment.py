"""``${NAME}`` and its neighbours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.config.environment import expand

ENVIRON = {"WAN": "eth1", "EMPTY": "", "NEST": "${WAN}", "_x9": "ok", "SECRET": "hunter2", "HALF": "\udc80"}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("${WAN}", "eth1"),
        ("a${WAN}b${_x9}", "aeth1bok"),
        ("${NONE:-eth0}", "eth0"),
        ("${NONE:-}", ""),
        ("${WAN:-eth0}", "eth1"),
        ("${EMPTY:-eth0}", "eth0"),
        ("${EMPTY}", ""),
        ("${NONE:-1:30/a-b c}", "1:30/a-b c"),
        ("$${WAN}", "${WAN}"),
        ("$$${WAN}", "$${WAN}"),
        ("${NEST}", "${WAN}"),
        ("${mark:wan2}", "${mark:wan2}"),
        ("-m mark --mark ${mark:wan2} -i ${WAN}", "-m mark --mark ${mark:wan2} -i eth1"),
        ("$WAN", "$WAN"),
        ("$", "$"),
        ("{WAN}", "{WAN}"),
        ("", ""),
    ],
)
def test_variables_are_replaced_as_in_a_shell_and_marks_are_left(text, result):
    expanded = expand(text, ENVIRON)
    assert (expanded.text, expanded.problems) == (result, ())


def test_a_text_says_whether_it_took_a_variable():
    assert expand("${WAN}", ENVIRON).used
    assert expand("${NONE:-x}", ENVIRON).used
    assert not expand("$${WAN} ${mark:wan2}", ENVIRON).used


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (
            "${NONE}",
            "the environment variable NONE is not set",
            "set it, or give a default: ${NONE:-…}",
        ),
        (
            "${}",
            '"${}" names no environment variable',
            "${NAME}, ${NAME:-default}, or $${ for a literal ${",
        ),
        (
            "x ${WAN",
            '"${WAN" names no environment variable',
            "${NAME}, ${NAME:-default}, or $${ for a literal ${",
        ),
        (
            "${WAN:?no}",
            '"${WAN:?no}" names no environment variable',
            "${NAME}, ${NAME:-default}, or $${ for a literal ${",
        ),
        ("${NONE:-${WAN}}", "the default of ${NONE:-…} holds another ${", "a default is plain text"),
        ("${HALF}", "the value of the environment variable HALF is not text in UTF-8", ""),
    ],
)
def test_what_cannot_be_replaced_is_a_problem(text, message, hint):
    assert expand(text, ENVIRON).problems == ((message, hint),)


def test_all_that_is_wrong_with_a_text_is_said_at_once():
    assert [message for message, _ in expand("${A} ${B} ${", {}).problems] == [
        "the environment variable A is not set",
        "the environment variable B is not set",
        '"${" names no environment variable',
    ]


@given(st.text(st.sampled_from("${}:-?aA_ SECRET")))
def test_no_problem_shows_the_value_of_a_variable(text):
    for message, hint in expand(text + "${SECRET}${", ENVIRON).problems:
        assert "hunter2" not in message + hint
