"""Addresses of interfaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.random_files.names import BASE, HOSTS_4, HOSTS_6, MADE, some

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from tests.random_files.sections import Addition


def draw(dice: Random) -> Iterator[Addition]:
    """Yield addresses for some interfaces; those that are always there have most."""
    for name in some(dice, (*BASE, *BASE[:2], *MADE, "lo"), 5):
        for address in some(dice, HOSTS_4, 3) + some(dice, HOSTS_6, 2):
            yield ("interfaces", name, "addresses", None), address
        if dice.random() < 0.03:
            yield ("interfaces", name, "exclusive"), True
