"""Which tables the kernel asks for the way to a gateway, after that of the route: those that the rules lead to.

Sources: net/ipv6/route.c (ip6_route_check_nh), net/ipv6/fib6_rules.c (fib6_lookup), net/ipv4/fib_semantics.c
(fib_check_nh_v4_gw).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.resources.prefix import contains
from reconciler.resources.rule_value import GOTO, TABLE, Rule
from reconciler.resources.tables import MAIN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.core.world import World

OF_MAIN = {family: Rule(family, 32766, table=MAIN) for family in (4, 6)}


def tables_towards(via: str, dev: str | None, world: World) -> Iterator[tuple[int, int]]:
    """Yield the tables that the rules lead to, each with the length up to which its prefixes do not count, or -1."""
    least, family = 0, 6 if ":" in via else 4
    rules = [rule for _, rule, _ in world.within(("rule", family, "sourceless"))]
    for rule in sorted([OF_MAIN[family], *rules], key=lambda rule: rule.priority):
        if rule.priority < least or rule.invert == _matches(rule, via, dev):
            continue
        if rule.action == GOTO:
            if rule.goto == OF_MAIN[family].priority or any(True for _ in world.within(("rule", family, rule.goto))):
                least = rule.goto
        elif rule.action == TABLE:
            if rule.table:
                yield rule.table, rule.suppress_prefixlength
        elif rule.action != "nop":
            return


def barred(via: str, dev: str | None, world: World) -> bool:
    """Tell whether a rule ends the search for a gateway before the main table is asked."""
    return all(table != MAIN for table, _ in tables_towards(via, dev, world))


def _matches(rule: Rule, via: str, dev: str | None) -> bool:
    return rule.sourceless and (not rule.to or contains(rule.to, via)) and rule.oif in ("", dev)
