"""The section ``interfaces``: links that the file makes, and settings of any; ``addresses`` has the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.random_files.names import BASE, MADE, has, some

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from tests.random_files.sections import Addition

MASTERS = ("br0", "br0", "br1")


def draw(dice: Random) -> Iterator[Addition]:
    """Yield links of all types that the kernel has, then settings."""
    if has("bridge"):
        for name in some(dice, ("br0", "br0", "br1", "d0"), 2):
            yield ("interfaces", name), {"kind": "bridge"}
    for name, peer in some(dice, (("v0", "p0"), ("v0", "p1"), ("v1", "p1"), ("d0", "p0")), 2):
        yield ("interfaces", name), {"kind": "veth", "peer": peer}
    for name in some(dice, (*BASE, *MADE), 7):
        yield from settings(dice, name)


def settings(dice: Random, name: str) -> Iterator[Addition]:
    """Yield settings of one interface. What is up is more interesting than what is down."""
    if dice.random() < 0.8:
        yield ("interfaces", name, "state"), dice.choice(("up", "up", "up", "down"))
    if dice.random() < 0.3:
        yield ("interfaces", name, "mtu"), dice.choice((1500, 1400, 1280, 1000))
    if dice.random() < 0.25:
        yield ("interfaces", name, "master"), dice.choice(MASTERS)


def makes(entry: dict[str, Any]) -> bool:
    """Tell whether an entry makes an interface."""
    return "kind" in entry
