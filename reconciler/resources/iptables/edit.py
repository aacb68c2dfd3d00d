"""From one sequence of rules to another with the fewest single edits, so that the other rules' counters go on."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence


class Edit(NamedTuple):
    """One ``-D CHAIN n`` or ``-I CHAIN n``; numbers count from 1 at the moment of execution."""

    delete: bool
    number: int
    place: int
    """Which element of the old sequence goes, or of the new one comes."""


def edits(old: Sequence[str], new: Sequence[str]) -> list[Edit]:
    """Return deletions from the end, then insertions from the beginning.

    Elements that stay are a longest common subsequence: common head and tail are cut, and since hashes are
    unique in a chain, what remains is a longest increasing subsequence. An empty string is never kept.
    """
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head] != "":
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail] != "":
        tail += 1
    place = {word: at for at, word in enumerate(new[head : len(new) - tail], head) if word}
    known = [(at, place[word]) for at, word in enumerate(old[head : len(old) - tail], head) if word in place]
    kept = {known[at] for at in increasing([target for _, target in known])}
    kept_old, kept_new = {a for a, _ in kept}, {b for _, b in kept}
    gone = [Edit(True, at + 1, at) for at in reversed(range(head, len(old) - tail)) if at not in kept_old]
    come = [Edit(False, at + 1, at) for at in range(head, len(new) - tail) if at not in kept_new]
    return gone + come


def increasing(numbers: Sequence[int]) -> list[int]:
    """Return the places of a longest strictly increasing subsequence (patience sorting)."""
    tops: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for at, number in enumerate(numbers):
        pile = bisect_left(tops, number)
        before.append(ends[pile - 1] if pile else -1)
        if pile == len(tops):
            tops.append(number)
            ends.append(at)
        else:
            tops[pile] = number
            ends[pile] = at
    found = []
    at = ends[-1] if ends else -1
    while at >= 0:
        found.append(at)
        at = before[at]
    return found[::-1]
