"""Addresses of interfaces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.random_files.names import BASE, HOSTS_4, HOSTS_6, MADE, some

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from tests.random_files.sections import Addition


def draw(dice: Random) -> Iterator[Addition]:
    """Yield addresses for some interfaces; those that are always there have most."""
    for name in some(dice, (*BASE, *BASE[:2], *MADE, "lo"), 5):
        for address in some(dice, HOSTS_4, 3) + some(dice, HOSTS_6, 2):
            yield ("interfaces", name, "addresses", None), _said(dice, address, name)
        if dice.random() < 0.03:
            yield ("interfaces", name, "exclusive"), True


def _said(dice: Random, address: str, name: str) -> Any:
    """Return an address, now and then with more that can be said of it."""
    if dice.random() < 0.75:
        return address
    four = ":" not in address
    more: tuple[dict[str, Any], ...] = ({"noprefixroute": True}, {"preferred-lifetime": 0})
    if four:
        # Of an IPv6 address with a lifetime, or with another metric than its neighbour's, the route to the subnet stays.
        more += ({"metric": 50},)
        more += ({"valid-lifetime": 5000}, {"valid-lifetime": 9000, "preferred-lifetime": 3000})
        more += ({"broadcast": "auto"}, {"label": f"{name}:1"}, {"scope": "link"})
        more += ({"address": address.partition("/")[0], "peer": "10.9.0.7/32"},)
    return {"address": address, **dice.choice(more)}
