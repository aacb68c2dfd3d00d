"""What a scalar means: numbers, ``true``, ``false``, ``null``; everything else is text.

Belongs here: the rule, which is narrower than YAML's own. ``1:30``, ``on``, ``010``, ``1e6`` and ``~`` are
what they look like; a quoted scalar is text whatever it looks like, and never comes here.
"""

from __future__ import annotations

MOST_DIGITS = 30
"""A longer row of digits is no number that the kernel knows, and is text."""

_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "": None}
_HEXADECIMAL = frozenset("0123456789abcdefABCDEF")


def plain(text: str) -> str | int | bool | None:
    """The value of a scalar that stands without quotes.

    >>> plain("0x10"), plain("-5"), plain("010"), plain("0x10/0xff"), plain("")
    (16, -5, '010', '0x10/0xff', None)
    """
    if text in _WORDS:
        return _WORDS[text]
    if text.startswith("0x"):
        digits = text[2:]
        if digits and len(digits) <= MOST_DIGITS and _HEXADECIMAL.issuperset(digits):
            return int(digits, 16)
        return text
    digits = text.removeprefix("-")
    if not digits.isdecimal() or not digits.isascii() or len(digits) > MOST_DIGITS:
        return text
    if digits[0] == "0" and text != "0":
        return text
    return int(text)


def is_text(value: str) -> bool:
    """Whether a string can go to the kernel, to a tool or into a file: no NUL, and UTF-8 has it."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in value
