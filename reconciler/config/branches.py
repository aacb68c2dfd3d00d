"""Which of several forms a value was meant to have, where it has none of them.

Belongs here: the choice for anyOf and oneOf. To be told of each form what it lacks helps nobody.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.config.findings import Finding

    Branch = Sequence[Finding]


def nearest_branches(finding: Finding) -> list[Branch]:
    """The branches of anyOf or oneOf that the value was most likely meant for; several, if none is nearer.

    Nearest is one of the value's own type, then one whose entries of a fixed choice (``kind: htb``) are as
    they should be, then one with the least wrong with the value itself, then one with the least wrong at
    all.
    """
    if not finding.branches:
        return []
    ranks = [_rank(finding, branch) for branch in finding.branches]
    best = min(ranks)
    return [branch for branch, rank in zip(finding.branches, ranks, strict=True) if rank == best]


def is_of_another_type(finding: Finding, branch: Branch) -> bool:
    """Whether the value is of no type that the branch allows."""
    return any(one.path == finding.path and _is_type(one) for one in branch)


def types(finding: Finding) -> list[str]:
    """The names of all types that would do, in the order of the schema."""
    return list(dict.fromkeys(_types(finding)))


def _rank(finding: Finding, branch: Branch) -> tuple[bool, int, int, int]:
    own = [one for one in branch if one.path == finding.path]
    choices = [one for one in branch if len(one.path) == len(finding.path) + 1 and one.keyword in ("const", "enum")]
    return is_of_another_type(finding, branch), len(choices), sum(map(_weight, own)), len(branch)


def _weight(finding: Finding) -> int:
    return len(unknown_keys(finding)) if finding.keyword == "additionalProperties" else 1


def unknown_keys(finding: Finding) -> list[str]:
    """The keys for which an object's schema has no place."""
    schema = finding.schemas[0]
    patterns = schema.get("patternProperties", {})
    return [
        key
        for key in finding.value
        if key not in schema.get("properties", {}) and not any(re.search(pattern, key) for pattern in patterns)
    ]


def _is_type(finding: Finding) -> bool:
    if finding.branches:
        return all(is_of_another_type(finding, branch) for branch in finding.branches)
    return finding.keyword == "type"


def _types(finding: Finding) -> Iterator[str]:
    if finding.keyword == "type":
        yield from [finding.expected] if isinstance(finding.expected, str) else finding.expected
    for branch in finding.branches:
        for one in branch:
            if one.path == finding.path:
                yield from _types(one)
