"""Edits turn one sequence of rules into another, touch as few as possible, and leave the others' counters going."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.resources.iptables.chain import Chain
from reconciler.resources.iptables.edit import edits, increasing
from reconciler.resources.iptables.lines import sign
from tests.resources.host import OWNER, create, update

words = st.text("abcdefgh", min_size=1, max_size=1)
unique = st.lists(words, unique=True, max_size=8)


def carried_out(old, new):
    """What ``-D CHAIN n`` and ``-I CHAIN n`` make of a sequence."""
    rules = list(old)
    for edit in edits(old, new):
        if edit.delete:
            assert rules.pop(edit.number - 1) == old[edit.place]
        else:
            assert 1 <= edit.number <= len(rules) + 1
            rules.insert(edit.number - 1, new[edit.place])
    return rules


def longest_common(old, new):
    lengths = [[0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for i, one in enumerate(old):
        for j, other in enumerate(new):
            lengths[i + 1][j + 1] = lengths[i][j] + 1 if one == other else max(lengths[i][j + 1], lengths[i + 1][j])
    return lengths[-1][-1]


@given(unique, unique)
def test_the_old_becomes_the_new_with_the_fewest_edits(old, new):
    assert carried_out(old, new) == new
    assert len(edits(old, new)) == len(old) + len(new) - 2 * longest_common(old, new)


@given(st.lists(st.one_of(words, st.just("")), max_size=10), unique)
@example(["a", "a", "b"], ["a", "b"])
@example(["", "a"], ["a"])
def test_copies_and_rules_that_somebody_edited_go(old, new):
    assert carried_out(old, new) == new
    gone = {edit.place for edit in edits(old, new) if edit.delete}
    assert {at for at, word in enumerate(old) if not word} <= gone


def test_a_rule_that_somebody_edited_is_never_kept():
    assert len(edits(["", "a"], ["", "a"])) == 2


@given(unique)
def test_nothing_is_done_where_nothing_differs(same):
    assert edits(same, same) == []


@given(st.lists(st.integers(0, 30), max_size=12))
def test_the_subsequence_increases_and_none_is_longer(numbers):
    places = increasing(numbers)
    chosen = [numbers[at] for at in places]
    assert places == sorted(set(places))
    assert all(a < b for a, b in itertools.pairwise(chosen))
    best = [1] * len(numbers)
    for i, number in enumerate(numbers):
        best[i] = max([best[j] + 1 for j in range(i) if numbers[j] < number], default=1)
    assert len(chosen) == max(best, default=0)


def chain(*marks):
    return Chain(
        4, "filter", "rc.default.T", sign([(f"-m mark --mark {mark:#x}", "", "-j ACCEPT") for mark in marks], OWNER)
    )


@pytest.mark.parametrize(("old", "new"), [
    ([1, 2, 3, 4, 5], [1, 2, 9, 3, 4, 5]),
    ([1, 2, 3, 4, 5], [2, 4]),
    ([1, 2, 3, 4, 5], [5, 1, 2, 3, 4]),
    ([1, 2, 3, 4, 5], [9, 3, 1, 8, 2, 4, 7]),
    ([1, 2, 3], [7, 8, 9]),
    ([1, 2, 3], []),
])  # fmt: skip
def test_the_counters_of_the_rules_that_stay_go_on(host, old, new):
    before, after = chain(*old), chain(*new)
    lines = [
        f"[{mark}:{mark * 100}] -A {before.name} {line.text}" for mark, line in zip(old, before.rules, strict=True)
    ]
    text = "\n".join(["*filter", f":{before.name} - [0:0]", *lines, "COMMIT", ""])
    host.namespace.run(f"iptables-{host.variant}-restore", "--noflush", "--counters", stdin=text)
    host.restore([update(before, after)])
    counted = host.namespace.counters(host.variant)
    seen = [(int(re.search(r"--mark (\S+)", c.rule)[1], 16), c.packets, c.bytes) for c in counted]
    stay = set(old) & set(new)
    moved = len(old) + len(new) - 2 * longest_common(old, new)
    assert [mark for mark, _, _ in seen] == new
    kept = [mark for mark, packets, size in seen if (packets, size) == (mark, mark * 100)]
    assert len(kept) == longest_common(old, new)
    assert all((packets, size) == (0, 0) for mark, packets, size in seen if mark not in kept)
    assert moved == len(old) - len(kept) + len(new) - len(kept)
    assert set(kept) <= stay


def test_a_chain_that_is_as_it_should_be_is_not_touched(host):
    host.restore([create(chain(1, 2))])
    (found,) = [f.value for f in host.tables(4) if isinstance(f.value, Chain)]
    assert edits([line.hash for line in found.rules], [line.hash for line in chain(1, 2).rules]) == []
