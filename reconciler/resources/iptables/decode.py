"""From the tables of one family to objects: chains and jumps of ours, foreign chains, and policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.resources.base import Found
from reconciler.resources.iptables.chain import Chain
from reconciler.resources.iptables.jump import Jump
from reconciler.resources.iptables.lines import BUILT_IN, Line, signed
from reconciler.resources.iptables.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.core.state import Key
    from reconciler.resources.iptables.save import Table
    from reconciler.resources.owner import Owner

KERNEL = 2

Texts = "Mapping[Key, Mapping[str, str]]"


def decode(
    family: int, tables: Mapping[str, Table], owner: Owner, texts: Mapping[Key, Mapping[str, str]]
) -> Iterator[Found]:
    """Yield what the tables hold.

    :param texts: for each chain of ours, by hash, the text that the tool gave back after our write. A rule
        that keeps its comment but has another text was edited by somebody, and counts as another rule.
    """
    for name, built_in in BUILT_IN.items():
        for chain in built_in:
            policy = tables[name].policies.get(chain, "ACCEPT") if name in tables else "ACCEPT"
            yield Found(Policy(family, name, chain, policy), KERNEL)
    for name, table in tables.items():
        for chain, rules in table.rules.items():
            if chain.startswith(owner.chain_prefix):
                known = texts.get(("chain", family, name, chain), {})
                lines = tuple(_line(rule, owner, known) for rule in rules)
                yield Found(Chain(family, name, chain, lines), None)
                continue
            foreign: list[Line] = []
            jumps: dict[str, int] = {}
            for rule in rules:
                if signed(rule, owner):
                    target = rule.partition(" -j ")[2].split(" ", 1)[0] or rule.removeprefix("-j ")
                    copy = jumps[target] = jumps.get(target, -1) + 1
                    place = "later" if foreign and not copy else "first"
                    yield Found(Jump(family, name, chain, target, place, copy), None)
                else:
                    foreign.append(Line("", rule))
            if foreign or table.policies.get(chain) == "-":
                yield Found(Chain(family, name, chain, tuple(foreign)), 0)


def _line(rule: str, owner: Owner, known: Mapping[str, str]) -> Line:
    mark = signed(rule, owner)
    edited = mark in known and known[mark] != rule
    return Line("" if edited else mark, rule)
