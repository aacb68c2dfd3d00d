"""From a validated file to the objects that it means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.core.desired import Desired
from reconciler.errors import ConfigError, Problem
from reconciler.resources import marks
from reconciler.resources.facts import Facts
from reconciler.resources.link.match import aliases
from reconciler.resources.names import Names
from reconciler.resources.nexthop_config import numbers
from reconciler.resources.owner import DEFAULT_PROTOCOL, Owner
from reconciler.resources.registry import KINDS
from reconciler.resources.scene import Scene
from reconciler.resources.tables import defined
from reconciler.resources.tc import handles
from reconciler.resources.tc.shaping import trees

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.config.document import Map
    from reconciler.core.state import Key
    from reconciler.resources.link.match import Interface
    from reconciler.resources.scene import Wanted


def owner_of(document: Mapping[str, Any]) -> Owner:
    """Return the owner that a file names, or the default one."""
    entry = (document.get("settings") or {}).get("owner") or {}
    return Owner(entry.get("name", "default"), entry.get("protocol", DEFAULT_PROTOCOL))


ANYWHERE = Facts("fw", "not asked", "nft", "not asked", ipv6=True, kernel="")
"""A kernel that has everything: for checking a file without one."""


def desire(
    document: Map, facts: Facts, *, interfaces: Iterable[Interface] | None = None, partial: bool = False
) -> tuple[Desired, Names]:
    """Return the objects of a validated file, and the names it gives to numbers.

    :param interfaces: those that there are, for names that are not the kernel's own; None where nobody looked.
    :param partial: what the schema refused was taken out of the document.
    :raises ConfigError: with all problems of meaning: undefined names, keys used twice, and so on.
    """
    scene = Scene(document, owner_of(document), facts)
    scene.partial = partial
    if interfaces is not None:
        scene.aliases = aliases(scene, interfaces)
    marks.check(scene)
    wanted: dict[Key, Wanted] = {}
    for kind in KINDS.values():
        claimed: dict[Key, Wanted] = {}
        for item in kind.desire(scene):
            key = kind.key(item.value)
            if key in wanted:
                _twice(scene, item, wanted[key])
                continue
            wanted[key] = item
            for claim in kind.claims(item.value):
                if claim in claimed:
                    _twice(scene, item, claimed[claim])
                claimed.setdefault(claim, item)
    for kind in KINDS.values():
        kind.check(scene, wanted)
    if scene.problems:
        raise ConfigError(list(dict.fromkeys(scene.problems)))
    desired = Desired(
        values={key: item.value for key, item in wanted.items()},
        origins={key: item.origin for key, item in wanted.items()},
        adopt=frozenset(key for key, item in wanted.items() if item.adopt),
        exclusive=frozenset(scene.exclusive),
        warnings=tuple(dict.fromkeys(scene.warnings)),
        notices=tuple(dict.fromkeys(scene.notices)),
    )
    return desired, _names(scene)


def _twice(scene: Scene, item: Wanted, first: Wanted) -> None:
    if any(problem.path.startswith(item.origin.path) for problem in scene.problems):
        return
    where = first.origin
    message = f"the kernel can hold this only once, and {where.path} in line {where.position.line} has it already"
    scene.problems.append(Problem(item.origin.position, item.origin.path, message, "take one of them out"))


def _names(scene: Scene) -> Names:
    found = {tuple(mark): name for name, mark in marks.defined(scene).items()}
    return Names(
        marks={(value, mask): name for (value, mask), name in found.items()},
        nexthops={number: name for name, number in numbers(scene).items()},
        tables={number: name for name, number in defined(scene).items()},
        classes={
            (tree.dev, handles.text(tree.major << 16 | node.minor)): node.name
            for tree in trees(scene)
            for node in tree.nodes
        },
    )
