"""A pair of virtual Ethernet interfaces; the peer comes and goes with the one that names it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.resources.link.option import Dev, Option
from reconciler.resources.link.type import IFLA_LINK, IFLA_LINK_NETNSID, LinkType, Options, Packed
from reconciler.resources.wire import attribute, number, text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.resources.base import Sight
    from reconciler.resources.scene import Path, Scene
    from reconciler.resources.wire import Attributes

IFLA_IFNAME = 3
VETH_INFO_PEER = 1
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
    )

    def check(self, found: dict[str, Any], path: Path, scene: Scene) -> None:
        """The two ends have two names."""
        if found.get("peer") == path[-1]:
            scene.problem((*path, "peer"), "the two ends of a veth have the same name", "give the peer another")

    def pack(self, options: Options) -> Packed:
        """Return VETH_INFO_PEER, which holds a link message of its own."""
        return Packed(b"", attribute(VETH_INFO_PEER, _IFINFOMSG + text(IFLA_IFNAME, dict(options)["peer"])))

    def unpack(self, data: bytes, attributes: Attributes, sight: Sight) -> Options:  # noqa: ARG002
        """Find the peer by IFLA_LINK, unless it is in another namespace."""
        if IFLA_LINK not in attributes or IFLA_LINK_NETNSID in attributes:
            return (("peer", ""),)
        return (("peer", sight.devices.get(number(attributes[IFLA_LINK]), "")),)

    def needs(self, options: Options) -> Iterable[str]:  # noqa: ARG002
        """The peer is no interface that must be there: it comes along."""
        return ()

    def words(self, options: Options) -> tuple[list[str], list[str]]:
        """Return ``peer name PEER``."""
        return [], ["peer", "name", dict(options)["peer"]]

    def also(self, options: Options) -> Iterable[str]:
        """Name the peer."""
        peer = dict(options).get("peer")
        return (peer,) if peer else ()

    def mirrored(self, name: str) -> Options:
        """Each end has the other as its peer."""
        return (("peer", name),)
