"""Rules as lines of iptables-restore: words, quotes, and the comment by which a rule of ours is known."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.resources.owner import Owner

VERSION = "a"
"""First letter of every hash: another way of hashing would have another letter, and rewrite nothing."""
BUILT_IN = {
    "filter": ("INPUT", "FORWARD", "OUTPUT"),
    "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
}
LONGEST_NAME = 28
LONGEST_COMMENT = 255


class Line(NamedTuple):
    """One rule."""

    hash: str
    """Of the line as we mean it; empty for a rule that is not as we wrote it."""
    text: str
    """What follows ``-A CHAIN``, comment included."""


def quote(word: str) -> str:
    """Return one argument as iptables-restore reads it."""
    if word and not any(c in word for c in " \t\"'\\"):
        return word
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def digest(text: str, occurrence: int) -> str:
    """Return the hash of a line: of itself alone, so that one edit is one edit."""
    return VERSION + blake2b(f"{occurrence}:{text}".encode(), digest_size=6).hexdigest()


def sign(rules: Iterable[tuple[str, str, str]], owner: Owner) -> tuple[Line, ...]:
    """Give each rule its hash and comment; rules come as (matches, comment, target).

    Equal rules of one chain are told apart by how many of them came before.
    """
    seen: dict[str, int] = {}
    lines = []
    for matches, comment, target in rules:
        plain = f"{matches} {comment} {target}"
        number = seen[plain] = seen.get(plain, -1) + 1
        mark = digest(plain, number)
        words = f"{owner.comment_prefix}{mark}{' ' if comment else ''}{comment}"[:LONGEST_COMMENT]
        text = " ".join(part for part in (matches, f"-m comment --comment {quote(words)}", target) if part)
        lines.append(Line(mark, text))
    return tuple(lines)


def signed(text: str, owner: Owner) -> str:
    """Return the hash that a dumped rule carries; empty if it carries none of this owner's."""
    for opening in (f'--comment "{owner.comment_prefix}', f"--comment {owner.comment_prefix}"):
        _, found, rest = text.partition(opening)
        if found:
            return rest.split('"', 1)[0].split(" ", 1)[0]
    return ""


def unsigned(text: str, owner: Owner) -> str:
    """Return a rule's line without our comment, for people."""
    for quotation in ('"', ""):
        before, found, rest = text.partition(f"-m comment --comment {quotation}{owner.comment_prefix}")
        if found:
            words, after = _quoted(rest) if quotation else rest.partition(" ")[::2]
            label = words.partition(" ")[2]
            shown = f'-m comment --comment "{label}"' if label else ""
            return " ".join(part for part in (before.strip(), shown, after.strip()) if part)
    return text


def _quoted(text: str) -> tuple[str, str]:
    """Cut at the quote that ends a word; a backslash takes the next letter's meaning away."""
    at = 0
    while at < len(text) and text[at] != '"':
        at += 2 if text[at] == "\\" else 1
    return text[:at], text[at + 1 :]
