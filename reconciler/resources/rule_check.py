"""What only all rules of a file together show: two for one packet, and a goto that leads nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import Problem
from reconciler.resources.prefix import contains
from reconciler.resources.rule_value import GOTO, Rule, Span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.core.desired import Origin
    from reconciler.resources.scene import Scene

KERNELS = {4: (32766, 32767), 6: (32766,)}
"""The priorities of the rules for main and default, which only IPv4 has."""


def check(scene: Scene, rules: Sequence[tuple[Rule, Origin]]) -> None:
    """Report pairs of rules with one priority that can both match one packet; doubt a goto without target."""
    places: dict[tuple[int, int], list[tuple[Rule, Origin]]] = {}
    for rule, origin in rules:
        for other, first in places.setdefault((rule.family, rule.priority), []):
            if origin.path != first.path and overlap(rule, other):
                message = (
                    f"priority {rule.priority} is also that of the rule in line {first.position.line}, "
                    "and one packet can match both"
                )
                hint = "give one of them another priority"
                scene.problems.append(Problem(origin.position, origin.path, message, hint))
                break
        places[rule.family, rule.priority].append((rule, origin))
    for rule, origin in rules:
        if rule.action == GOTO and (rule.family, rule.goto) not in places and rule.goto not in KERNELS[rule.family]:
            message = f"no IPv{rule.family} rule of this file has the priority {rule.goto}, so goto may lead nowhere"
            hint = "until there is one the kernel asks the next rule instead"
            scene.warnings.append(Problem(origin.position, origin.path, message, hint))


def overlap(one: Rule, other: Rule) -> bool:
    """Tell whether some packet can match two rules; an inverted one can match nearly anything."""
    if one.invert or other.invert:
        return True
    if (one.mark ^ other.mark) & one.mask & other.mask:
        return False
    return not (
        any(_apart(a, b) for a, b in ((one.from_, other.from_), (one.to, other.to)))
        or any(a and b and a != b for a, b in zip(_words(one), _words(other), strict=True))
        or any(_disjoint(a, b) for a, b in zip(_spans(one), _spans(other), strict=True))
    )


def _words(rule: Rule) -> tuple[str | int, ...]:
    return rule.iif, rule.oif, rule.ip_protocol, rule.tos


def _spans(rule: Rule) -> tuple[Span, ...]:
    return rule.uid, rule.sport, rule.dport


def _apart(one: str, other: str) -> bool:
    return bool(one and other) and not contains(one, other) and not contains(other, one)


def _disjoint(one: Span, other: Span) -> bool:
    return bool(one and other) and (one[1] < other[0] or other[1] < one[0])
