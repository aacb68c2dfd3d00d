"""A plan as the command lines of ip, tc and iptables that would do the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.resources.registry import KINDS

if TYPE_CHECKING:
    from reconciler.core.change import Plan
    from reconciler.resources.owner import Owner

PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:=@%+,-")


def render(plan: Plan, owner: Owner) -> str:
    """Return one command a line, in the order of execution."""
    lines = [
        " ".join(map(quote, words)) for change in plan.changes for words in KINDS[change.kind].command(change, owner)
    ]
    return "".join(f"{line}\n" for line in lines)


def quote(word: str) -> str:
    """Return a word as a POSIX shell reads it."""
    if word and PLAIN.issuperset(word):
        return word
    return "'" + word.replace("'", "'\"'\"'") + "'"
