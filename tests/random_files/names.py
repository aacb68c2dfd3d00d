"""The names, prefixes and numbers that all sections draw from: so few that what they make collides."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, TypeVar

from tests.netns.probes import lacks

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

T = TypeVar("T")

BASE = ("eth0", "eth1", "eth2")
"""Interfaces that are always there: a veth and an ifb that are up, an ifb that is down."""
MADE = ("v0", "p0", "v1", "p1", "br0", "br1", "d0", "d1", "l0", "l1", "vrf0")
"""Names that files give to interfaces of theirs, and now and then somebody else to his."""
HOSTS_4 = ("10.0.0.1/24", "10.0.0.2/24", "10.0.0.3/24", "10.0.1.1/24", "10.0.0.1/16", "10.9.0.9/32", "10.0.1.2/24")
HOSTS_6 = ("2001:db8::1/64", "2001:db8::2/64", "2001:db8:1::1/64", "2001:db8::1/80", "2001:db8::9/128")
PREFIXES_4 = ("default", "172.16.0.0/16", "10.0.0.0/24", "192.168.1.1/32", "10.0.0.0/8")
PREFIXES_6 = ("default", "2001:db8:5::/64", "2001:db8::/64", "2001:db8:5::1/128")
GATEWAYS_4 = ("10.0.0.254", "10.0.0.253", "10.0.1.254", "10.0.0.1", "192.168.1.1")
GATEWAYS_6 = ("fe80::1", "2001:db8::fe", "2001:db8:1::fe", "2001:db8::1")
TABLES = {"one": 100, "two": 101, "far": 70000}
MARKS = {"red": "0x10/0xff", "blue": "0x20/0xff", "wide": "0x100/0xf00"}
PRIORITIES = (100, 200, 17000, 32000)


def devices(dice: Random) -> str:
    """Draw an interface; those that are there more often; ``wg0`` never is."""
    return dice.choice((*BASE, *(BASE[:2] * 3), *MADE, "lo", "wg0"))


def some(dice: Random, choices: Sequence[T], most: int) -> list[T]:
    """Draw some of the choices, each once."""
    return dice.sample(choices, min(len(choices), dice.randint(0, most)))


@cache
def has(link_type: str) -> bool:
    """Tell whether the kernel at hand has a type of links."""
    return not lacks(link_type)
