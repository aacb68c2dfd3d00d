"""A VXLAN: Ethernet over UDP (drivers/net/vxlan)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.resources.link.option import Dev, Host, Number, Option, Switch
from reconciler.resources.link.type import LinkType
from reconciler.resources.prefix import contains

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.core.state import Key
    from reconciler.core.world import World
    from reconciler.resources.link.type import Options
    from reconciler.resources.scene import Path, Scene

PORT = 8472
"""What Linux takes where no port is said; IANA's is 4789."""
OVERHEAD_4, OVERHEAD_6 = 50, 70


class Vxlan(LinkType):
    """``ip link add NAME type vxlan id ID``."""

    name = "vxlan"
    table = (
        Option("id", 1, Number(4, 0, 0xFFFFFF), "The VLAN's tag, or the tunnel's number.", 5, fixed=True, needed=True),
        Option(
            "remote", 2, Host(4, 6), "The other end of a tunnel; a VXLAN's may be multicast.", "192.0.2.1", code6=16
        ),
        Option("local", 4, Host(4, 6), "This end's address.", "192.0.2.2", code6=17),
        Option("dev", 3, Dev(), "The interface that this one stands on.", "eth0", key="link"),
        Option("ttl", 5, Number(1, 0, 255), "The time to live of the packets; 0 is the kernel's choice.", 64),
        Option("ageing", 8, Number(4, 1, 0xFFFFFFFF), "Seconds after which a learned address is forgotten.", 300),
        Option(
            "learning", 7, Switch(words=("nolearning", "learning")), "Learn addresses from incoming packets.", False
        ),
        Option(
            "dstport",
            15,
            Number(2, 1, 65535, big=True),
            "The UDP port. Linux takes 8472 if it is not said; the standard is 4789.",
            4789,
            fixed=True,
            key="port",
        ),
    )

    def check(self, found: dict[str, Any], path: Path, scene: Scene) -> None:
        """Both ends are of one family; a multicast group needs an interface."""
        if _multicast(found.get("remote", "")) and "dev" not in found:
            scene.problem((*path, "remote"), "a multicast group is joined on an interface", "add link: eth0, say")
        ends = [found[word] for word in ("local", "remote") if word in found]
        if len({":" in end for end in ends}) > 1:
            scene.problem((*path, "local"), "local is of another family than remote", "give both of one family")

    def replace(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
        """A tunnel is of one family for ever (vxlan_nl2conf)."""
        if _family(before) != _family(after) and _family(before):
            return "the family of a vxlan is fixed when it is created"
        return super().replace(before, after)

    def words(self, options: Options) -> tuple[list[str], list[str]]:
        """For iproute2 a multicast remote is a group."""
        front, back = super().words(options)
        group = _multicast(dict(options).get("remote", ""))
        return front, ["group" if word == "remote" and group else word for word in back]

    def claims(self, name: str, said: Mapping[str, Any]) -> Iterable[Key]:  # noqa: ARG002
        """A namespace has each number once a port (drivers/net/vxlan/vxlan_core.c, vxlan_vni_in_use)."""
        return (("link", "vxlan", said.get("id", 0), said.get("dstport", PORT)),)

    def lowers(self, options: Options) -> Iterable[str]:
        """It goes with the interface that it uses (vxlan_handle_lowerdev_unregister)."""
        return [value for word, value in options if word == "dev" and value]

    def first_mtu(self, options: Options, world: World) -> int | None:
        """It has the room that its interface leaves (vxlan_config_apply)."""
        said = dict(options)
        device = world.get(("device", said.get("dev", "")))
        if device is None or device.mtu is None:
            return self.mtu
        six = _family(said) == 6
        return int(device.mtu) - (OVERHEAD_6 if six else OVERHEAD_4)


def _family(said: Mapping[str, Any]) -> int:
    """Return the family of the ends; 0 where none is said."""
    ends = "".join(said.get(word, "") for word in ("local", "remote"))
    return 6 if ":" in ends else 4 if ends else 0


def _multicast(host: str) -> bool:
    return contains("ff00::/8" if ":" in host else "224.0.0.0/4", host) if host else False
