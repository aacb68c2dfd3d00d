"""A pair of virtual Ethernet interfaces; the peer comes and goes with the one that names it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.resources.link.type import LinkType, Options
from reconciler.resources.wire import attribute, number, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.resources.base import Sight
    from reconciler.resources.scene import Path, Scene
    from reconciler.resources.wire import Attributes

IFLA_IFNAME, IFLA_LINK, IFLA_LINK_NETNSID = 3, 5, 37
VETH_INFO_PEER = 1
_IFINFOMSG = bytes(16)


class Veth(LinkType):
    """``ip link add NAME type veth peer name PEER``."""

    schema: Mapping[str, Any] = {
        "peer": {
            "$ref": "#/$defs/device",
            "description": "The name of the other end of a veth pair; it is created along with this one.",
            "examples": ["veth1"],
        }
    }

    def options(self, entry: Mapping[str, Any], path: Path, scene: Scene) -> Options:
        """Read the peer's name."""
        peer = entry.get("peer")
        if peer is None:
            scene.problem(path, "a veth has two ends, and the other one has no name", "add peer: NAME")
            return ()
        if peer == path[-1]:
            scene.problem((*path, "peer"), "the two ends of a veth have the same name", "give the peer another")
        return (("peer", peer),)

    def pack(self, options: Options) -> bytes:
        """Return VETH_INFO_PEER, which holds a link message of its own."""
        return attribute(VETH_INFO_PEER, _IFINFOMSG + text(IFLA_IFNAME, dict(options)["peer"]))

    def unpack(self, data: bytes, attributes: Attributes, sight: Sight) -> Options:  # noqa: ARG002
        """Find the peer by IFLA_LINK, unless it is in another namespace."""
        if IFLA_LINK not in attributes or IFLA_LINK_NETNSID in attributes:
            return (("peer", ""),)
        return (("peer", sight.devices.get(number(attributes[IFLA_LINK]), "")),)

    def words(self, options: Options) -> list[str]:
        """Return ``peer name PEER``."""
        return ["peer", "name", dict(options)["peer"]]

    def also(self, options: Options) -> Iterable[str]:
        """Name the peer."""
        peer = dict(options).get("peer")
        return (peer,) if peer else ()

    def mirrored(self, name: str) -> Options:
        """Each end has the other as its peer."""
        return (("peer", name),)
