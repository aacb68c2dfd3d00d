"""A pair of virtual Ethernet interfaces; the peer comes and goes with the one that names it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.resources.link.option import Dev, Option, Text
from reconciler.resources.link.type import IFLA_LINK, IFLA_LINK_NETNSID, LinkType, Options, Packed
from reconciler.resources.wire import attribute, number, text, u32

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.core.world import World
    from reconciler.resources.base import Sight
    from reconciler.resources.scene import Path, Scene
    from reconciler.resources.wire import Attributes

IFLA_IFNAME, IFLA_NET_NS_FD = 3, 28
VETH_INFO_PEER = 1
AWAY = "another"
"""What is shown as the namespace of a peer that is not in this one: which, the kernel tells by a number of its own."""
_IFINFOMSG = bytes(16)


class Veth(LinkType):
    """``ip link add NAME type veth peer name PEER``."""

    name = "veth"
    table = (
        Option(
            "peer",
            VETH_INFO_PEER,
            Dev(),
            "The name of the other end of a veth pair; it is created along with this one.",
            "veth1",
            fixed=True,
            needed=True,
        ),
        Option(
            "peer_netns",
            0,
            Text(),
            "The network namespace that the other end goes to: a name of ip netns, a path or a process. Nothing "
            "else is set there.",
            "blue",
            fixed=True,
        ),
    )

    def check(self, found: dict[str, Any], path: Path, scene: Scene) -> None:
        """The two ends have two names."""
        if found.get("peer") == path[-1] and "peer_netns" not in found:
            scene.problem((*path, "peer"), "the two ends of a veth have the same name", "give the peer another")

    def pack(self, options: Options) -> Packed:
        """Return VETH_INFO_PEER, which holds a link message of its own."""
        said = dict(options)
        inside = _IFINFOMSG + text(IFLA_IFNAME, said["peer"])
        if not said.get("peer_netns"):
            return Packed(b"", attribute(VETH_INFO_PEER, inside))
        inside += u32(IFLA_NET_NS_FD, 0)
        return Packed(b"", attribute(VETH_INFO_PEER, inside), namespaces=((len(inside), said["peer_netns"]),))

    def unpack(self, data: bytes, attributes: Attributes, sight: Sight) -> Options:  # noqa: ARG002
        """Find the peer by IFLA_LINK, unless it is in another namespace."""
        if IFLA_LINK not in attributes or IFLA_LINK_NETNSID in attributes:
            where = number(attributes[IFLA_LINK_NETNSID]) if IFLA_LINK_NETNSID in attributes else -1
            return (("peer", ""), ("peer_netns", sight.namespaces.get(where, AWAY)))
        return (("peer", sight.devices.get(number(attributes[IFLA_LINK]), "")),)

    def decide(
        self,
        name: str,  # noqa: ARG002
        wanted: dict[str, Any],
        seen: Mapping[str, Any],
        world: World,  # noqa: ARG002
    ) -> dict[str, Any]:
        """Of a peer in another namespace no more is seen than in which, if the file names that one."""
        if not seen.get("peer_netns"):
            return wanted
        if wanted.get("peer_netns") == seen["peer_netns"]:
            return {**wanted, **seen}
        return {"peer_netns": "", **wanted}

    def needs(self, options: Options) -> Iterable[str]:  # noqa: ARG002
        """The peer is no interface that must be there: it comes along."""
        return ()

    def words(self, options: Options) -> tuple[list[str], list[str]]:
        """Return ``peer name PEER``."""
        said = dict(options)
        away = ["netns", said["peer_netns"]] if said.get("peer_netns") else []
        return [], ["peer", "name", said["peer"], *away]

    def also(self, options: Options) -> Iterable[str]:
        """Name the peer, if it is in this namespace."""
        said = dict(options)
        return (said["peer"],) if said.get("peer") and not said.get("peer_netns") else ()

    def mirrored(self, name: str) -> Options:
        """Each end has the other as its peer."""
        return (("peer", name),)
