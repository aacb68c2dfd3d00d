"""Scalars are ours, not YAML 1.1's."""

from __future__ import annotations

import pytest

from reconciler.config.scalars import is_text, plain


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("7", 7),
        ("-12", -12),
        ("4294967295", 4294967295),
        ("9" * 30, int("9" * 30)),
        ("0x0", 0),
        ("0x10", 16),
        ("0xFf", 255),
        ("0x" + "f" * 30, int("f" * 30, 16)),
        ("true", True),
        ("false", False),
        ("null", None),
        ("", None),
    ],
)
def test_numbers_true_false_and_null_are_values(text, value):
    assert plain(text) == value
    assert type(plain(text)) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        *("1:30", "1:59", "52:54:00:12:34:56", "on", "off", "yes", "no", "y", "010", "00", "-0", "-01", "+5"),
        *(
            "1e6",
            "1.5",
            ".5",
            "~",
            "True",
            "TRUE",
            "Null",
            "NULL",
            "1_000",
            "0o17",
            "0b1",
            "-0x10",
            "0X10",
            "0x",
        ),
        *("0x10/0xff", "10mbit", "192.168.1.1", "::/0", "2020-01-01", "- 5", "--5", "-", "0xg", ".inf", "="),
        *("\u0663", "\uff11", "5\n", " 5", "5 ", "²", "9" * 31, "-" + "9" * 31, "0x" + "f" * 31, "9" * 5000),
    ],
)
def test_everything_else_is_the_text_that_it_looks_like(text):
    assert plain(text) == text
    assert type(plain(text)) is str


def test_a_nul_and_half_a_character_are_no_text():
    assert is_text("")
    assert is_text("ü €")
    assert not is_text("a\0")
    assert not is_text("\ud800")
