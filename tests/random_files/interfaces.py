"""The section ``interfaces``: links that the file makes, and settings of any; ``addresses`` has the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.random_files.names import BASE, MADE, has, some

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from tests.random_files.sections import Addition

MASTERS = ("br0", "br0", "br1", "vrf0")
LINKS: dict[str, tuple[dict[str, Any], ...]] = {
    "bridge": ({}, {}, {"stp": True}, {"ageing-time": 30}, {"priority": 4096}, {"ports": ["d1", "v0"]}),
    "veth": ({"peer": "p0"}, {"peer": "p1"}),
    "dummy": ({},),
    "ifb": ({},),
    "vlan": ({"link": "eth0", "id": 5}, {"link": "eth1", "id": 5}, {"link": "br0", "id": 6}),
    "macvlan": ({"link": "eth0"}, {"link": "eth1", "mode": "private"}, {"link": "eth1", "mode": "bridge"}),
    "ipvlan": ({"link": "eth0"}, {"link": "d0", "mode": "l3"}),
    "vrf": ({"table": 101}, {"table": 300}),
    "vxlan": ({"id": 7, "port": 4789}, {"id": 7, "port": 4790, "ttl": 5}, {"id": 8, "port": 4789, "learning": False}),
    "gre": ({"remote": "192.0.2.1", "local": "192.0.2.2"}, {"remote": "192.0.2.1", "local": "192.0.2.2", "key": 3}),
}
"""By type, what is said of it: more than one for what can be changed in place, and for what cannot."""
NAMES = {
    "bridge": ("br0", "br0", "br1", "d0"), "veth": ("v0", "v0", "v1", "d0"), "vrf": ("vrf0", "d1"),
    "dummy": ("d0", "d1"), "ifb": ("d0", "d1"),
}  # fmt: skip


def draw(dice: Random) -> Iterator[Addition]:
    """Yield links of all types that the kernel has, then settings."""
    for kind in some(dice, (*LINKS, "bridge", "veth"), 4):
        if has(kind):
            name = dice.choice(NAMES.get(kind, ("d0", "d1", "l0", "l1")))
            yield ("interfaces", name), {"kind": kind, **dice.choice(LINKS[kind])}
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
    if dice.random() < 0.05 and name not in ("eth1", "eth2"):  # an ifb cannot have another
        yield ("interfaces", name, "mac"), dice.choice(("02:00:00:00:00:07", "02:00:00:00:00:08"))
    if dice.random() < 0.05:
        yield ("interfaces", name, "alias"), dice.choice(("one", "two words"))
    if dice.random() < 0.1:
        yield ("interfaces", name, "group"), dice.choice((5, "default"))
    if dice.random() < 0.1:
        yield ("interfaces", name, "txqueuelen"), dice.choice((500, 1000))
