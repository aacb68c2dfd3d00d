"""An Ethernet bridge (net/bridge/br_netlink.c); its ports name it as their ``master``."""

from __future__ import annotations

from reconciler.resources.link.option import Choice, Number, Option, Switch
from reconciler.resources.link.type import LinkType
from reconciler.resources.link.vlan import PROTOCOLS

HUNDREDTHS = 100
"""The kernel counts the protocol's times in hundredths of a second (USER_HZ)."""


class Bridge(LinkType):
    """``ip link add NAME type bridge``. All options can be changed in place."""

    name = "bridge"
    ports = True
    table = (
        Option(
            "forward_delay",
            1,
            Number(4, 2, 30, scale=HUNDREDTHS),
            "Seconds that a port listens, and then learns, before it forwards.",
            4,
        ),
        Option("hello_time", 2, Number(4, 1, 10, scale=HUNDREDTHS), "Seconds between two messages of a root.", 2),
        Option("max_age", 3, Number(4, 6, 40, scale=HUNDREDTHS), "Seconds after which a silent root is given up.", 20),
        Option(
            "ageing_time",
            4,
            Number(4, 0, 1_000_000, scale=HUNDREDTHS),
            "Seconds after which a learned address is forgotten.",
            300,
        ),
        Option("stp_state", 5, Switch(4), "Run the spanning tree protocol.", True, key="stp"),
        Option("priority", 6, Number(2, 0, 65535), "The lowest becomes the root of the spanning tree.", 32768),
        Option("vlan_filtering", 7, Switch(), "Let each port have VLANs of its own.", True),
        Option("vlan_protocol", 8, Choice(2, PROTOCOLS, big=True), "The kind of tag that is filtered by.", "802.1q"),
        Option("vlan_default_pvid", 39, Number(2, 0, 4094), "The VLAN of untagged frames; 0 is none.", 1),
        Option("mcast_snooping", 23, Switch(), "Send multicast only to ports that asked for it.", True),
        Option("mcast_querier", 25, Switch(), "Ask for members of multicast groups.", False),
    )
