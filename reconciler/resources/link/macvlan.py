"""Interfaces with an address of their own on another one: macvlan and ipvlan (drivers/net/macvlan.c, ipvlan)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.resources.link.option import Choice, Option
from reconciler.resources.link.type import LinkType

if TYPE_CHECKING:
    from collections.abc import Mapping


class Macvlan(LinkType):
    """``ip link add link LINK name NAME type macvlan mode MODE``."""

    name = "macvlan"
    lower = "needed"
    table = (
        Option(
            "mode",
            1,
            Choice(4, {"private": 1, "vepa": 2, "bridge": 4, "passthru": 8, "source": 16}),
            "How it talks to others of its kind on the same interface.",
            "bridge",
        ),
    )

    def replace(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
        """All modes but passthru can be changed into each other (macvlan_changelink)."""
        modes = {before.get("mode"), after.get("mode")}
        if len(modes) == 2 and "passthru" in modes:
            return "a macvlan cannot change to or from passthru"
        return super().replace(before, after)


class Ipvlan(LinkType):
    """``ip link add link LINK name NAME type ipvlan mode MODE``."""

    name = "ipvlan"
    lower = "needed"
    table = (
        Option(
            "mode",
            1,
            Choice(2, {"l2": 0, "l3": 1, "l3s": 2}),
            "Whether it switches or routes. All on one interface share the mode.",
            "l2",
        ),
    )
