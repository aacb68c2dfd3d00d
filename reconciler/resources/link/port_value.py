"""What is set on an interface as the port of a bridge."""

from __future__ import annotations

from typing import NamedTuple


class Port(NamedTuple):
    """Settings of a bridge's port; None is unknown, or left open."""

    dev: str
    cost: int | None = None
    """What the spanning tree counts for a way through this port."""
    priority: int | None = None
    hairpin: bool | None = None
    guard: bool | None = None
    root_block: bool | None = None
    fastleave: bool | None = None
    learning: bool | None = None
    flood: bool | None = None
    mcast_flood: bool | None = None
    bcast_flood: bool | None = None
    neigh_suppress: bool | None = None
    isolated: bool | None = None


NEW_PORT = Port(
    "",
    priority=32,
    hairpin=False,
    guard=False,
    root_block=False,
    fastleave=False,
    learning=True,
    flood=True,
    mcast_flood=True,
    bcast_flood=True,
    neigh_suppress=False,
    isolated=False,
)
"""What a bridge gives a new port (net/bridge/br_if.c, new_nbp); the cost depends on the interface's speed."""
