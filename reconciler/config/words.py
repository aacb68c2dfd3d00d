"""Words for what stands in a file: how a value is shown and what its type is called.

Belongs here: what several messages share. A value is never shown in more than 60 characters.
"""

from __future__ import annotations

from typing import Any

LONGEST = 60
"""The most characters of a value that a message shows."""


def cut(text: str) -> str:
    """`text` on one line and printable, at most 60 characters of it."""
    head = text[: LONGEST + 1]
    if not head.isprintable():
        head = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in head)
    return head if len(head) <= LONGEST else head[: LONGEST - 1] + "…"


def quote(text: str) -> str:
    """`text` in double quotes, as `cut` shows it."""
    return f'"{cut(text)}"'


def noun(value: Any) -> str:
    """What a value is called: ``a map``, ``a list``, ``the text "x"``, ``the number 5``, ``nothing``."""
    if isinstance(value, dict):
        return "a map"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return f"the text {quote(value)}"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "nothing" if value is None else f"the number {value}"


def either(words: list[str]) -> str:
    """``a``, ``a or b``, ``a, b or c``."""
    return " or ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
