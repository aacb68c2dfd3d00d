"""The section ``sysctls``, and the settings of interfaces that change no addresses and no routes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.random_files.names import BASE, MADE, some

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from tests.random_files.sections import Addition

EVERYWHERE = ("ip-forward", "ipv6-forward", "tcp-fwmark-accept", "fwmark-reflect")
OWN = ("forwarding", "rp-filter", "src-valid-mark", "accept-ra", "accept-redirects", "ignore-routes-with-linkdown")
OF_ALL = ("rp-filter", "src-valid-mark", "accept-redirects", "ignore-routes-with-linkdown")
NUMBERS = {"rp-filter": ("off", "strict", "loose"), "accept-ra": ("off", "on", "always")}


def draw(dice: Random) -> Iterator[Addition]:
    """Yield few of them, and often none."""
    if dice.random() < 0.5:
        return
    for word in some(dice, EVERYWHERE, 2):
        yield ("sysctls", word), _value(dice, word)
    for word in some(dice, OF_ALL, 1):
        yield ("sysctls", "all", word), _value(dice, word)
    for word in some(dice, OWN, 2):
        yield ("sysctls", "default", word), _value(dice, word)
    for name in some(dice, (*BASE, *BASE, *MADE), 4):
        for word in some(dice, OWN, 2):
            yield ("interfaces", name, word), _value(dice, word)


def _value(dice: Random, word: str) -> object:
    return dice.choice(NUMBERS.get(word, (True, False)))
