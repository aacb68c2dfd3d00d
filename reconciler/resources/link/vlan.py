"""A VLAN: frames of one tag on another interface (net/8021q/vlan_netlink.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.resources.link.option import Choice, Number, Option
from reconciler.resources.link.type import LinkType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.core.state import Key

PROTOCOLS = {"802.1q": 0x8100, "802.1ad": 0x88A8}


class Vlan(LinkType):
    """``ip link add link LINK name NAME type vlan id ID``."""

    name = "vlan"
    lower = "needed"
    table = (
        Option("id", 1, Number(2, 0, 4094), "The VLAN's tag, or the tunnel's number.", 5, fixed=True, needed=True),
        Option(
            "protocol",
            5,
            Choice(2, PROTOCOLS, big=True),
            "The kind of tag. 802.1q if it is not said.",
            "802.1ad",
            fixed=True,
        ),
    )

    def claims(self, name: str, said: Mapping[str, Any]) -> Iterable[Key]:  # noqa: ARG002
        """An interface has each tag once (net/8021q/vlan.c, vlan_check_real_dev)."""
        return (("link", "vlan", said.get("link", ""), said.get("protocol", "802.1q"), said.get("id", 0)),)
