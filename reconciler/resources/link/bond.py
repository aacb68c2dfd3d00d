"""Several interfaces as one (drivers/net/bonding); its ports name it as their ``master``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.resources.link.option import Choice, Dev, Number, Option
from reconciler.resources.link.type import LinkType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.core.world import World
    from reconciler.resources.scene import Path, Scene

MODES = {
    "balance-rr": 0,
    "active-backup": 1,
    "balance-xor": 2,
    "broadcast": 3,
    "802.3ad": 4,
    "balance-tlb": 5,
    "balance-alb": 6,
}
WITH_PRIMARY = ("active-backup", "balance-tlb", "balance-alb")
HASHES = {"layer2": 0, "layer3+4": 1, "layer2+3": 2, "encap2+3": 3, "encap3+4": 4, "vlan+srcmac": 5}


class Bond(LinkType):
    """``ip link add NAME type bond mode MODE``. Some options are fixed: the kernel wants the bond down or empty."""

    name = "bond"
    ports = True
    table = (
        Option("mode", 1, Choice(1, MODES), "How traffic is spread over the ports.", "active-backup", fixed=True),
        Option(
            "miimon", 3, Number(4, 0, 0x7FFFFFFF), "Milliseconds between two looks at the carrier; 0 is never.", 100
        ),
        Option("updelay", 4, Number(4, 0, 0x7FFFFFFF), "Milliseconds before a port that came back is used.", 200),
        Option("downdelay", 5, Number(4, 0, 0x7FFFFFFF), "Milliseconds before a lost port is given up.", 200),
        Option("primary", 11, Dev(), "The port that is used whenever it is up.", "eth0"),
        Option(
            "xmit_hash_policy",
            14,
            Choice(1, HASHES),
            "What decides about the port of a packet in balance-xor and 802.3ad.",
            "layer3+4",
        ),
        Option("min_links", 18, Number(4, 0, 0x7FFFFFFF), "Ports that must be up for the bond to be so.", 1),
        Option(
            "lacp_rate",
            21,
            Choice(1, {"slow": 0, "fast": 1}),
            "How often LACP messages are asked for in 802.3ad: every 30 seconds, or every second.",
            "fast",
            fixed=True,
        ),
        Option(
            "ad_select",
            22,
            Choice(1, {"stable": 0, "bandwidth": 1, "count": 2}),
            "Which group of ports 802.3ad uses.",
            "bandwidth",
            fixed=True,
        ),
    )

    def check(self, found: dict[str, Any], path: Path, scene: Scene) -> None:
        """Report options that the mode has no use for: the kernel refuses them."""
        mode = found.get("mode", "balance-rr")
        for word, modes in (("primary", WITH_PRIMARY), ("lacp_rate", ("802.3ad",)), ("ad_select", ("802.3ad",))):
            if word in found and mode not in modes:
                key = word.replace("_", "-")
                scene.problem((*path, key), f"{key} is for the modes {', '.join(modes)}", f"the mode is {mode}")
        for word in ("updelay", "downdelay"):
            if found.get(word) and not found.get("miimon"):
                scene.problem(
                    (*path, word), f"{word} counts looks at the carrier, and there are none", "add miimon: 100"
                )

    def decide(
        self,
        name: str,
        wanted: dict[str, Any],
        seen: Mapping[str, Any],  # noqa: ARG002
        world: World,
    ) -> dict[str, Any]:
        """The kernel shows a primary only once it is a port (bond_netlink.c, bond_fill_info)."""
        primary = world.get(("device", wanted.get("primary", "")))
        if primary is not None and primary.master != name and world.get(("device", name)) is not None:
            return {word: value for word, value in wanted.items() if word != "primary"}
        return wanted
