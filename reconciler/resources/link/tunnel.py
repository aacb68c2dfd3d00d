"""Tunnels of IP in IP: gre, gretap, ipip, sit (net/ipv4/ip_gre.c, ipip.c, net/ipv6/sit.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.resources.link.option import Dev, Host, Number, Option, Switch
from reconciler.resources.link.type import LinkType
from reconciler.resources.wire import attribute, number, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.core.state import Key
    from reconciler.core.world import World
    from reconciler.resources.base import Sight
    from reconciler.resources.link.type import Options, Packed
    from reconciler.resources.scene import Path, Scene
    from reconciler.resources.wire import Attributes

IFLA_GRE_IFLAGS, IFLA_GRE_OFLAGS, IFLA_GRE_IKEY, IFLA_GRE_OKEY = 2, 3, 4, 5
GRE_KEY = b"\x20\x00"
ETHERNET = 1500


def _table(link: int, local: int, remote: int, ttl: int, pmtudisc: int) -> tuple[Option, ...]:
    return (
        Option("remote", remote, Host(4), "The other end of a tunnel; a VXLAN's may be multicast.", "192.0.2.1"),
        Option("local", local, Host(4), "This end's address.", "192.0.2.2"),
        Option("dev", link, Dev(), "The interface that this one stands on.", "eth0", key="link"),
        Option("ttl", ttl, Number(1, 0, 255), "The time to live of the packets; 0 is the kernel's choice.", 64),
        Option(
            "pmtudisc",
            pmtudisc,
            Switch(words=("nopmtudisc", "pmtudisc")),
            "Discover the path's mtu. Must be on where ttl is set.",
            True,
        ),
    )


class Tunnel(LinkType):
    """What all these have in common: a change must say everything."""

    whole = True
    has_mac = False
    overhead = 20
    mode = ""
    """What it carries, where iproute2 means another than the kernel if it is not said."""

    def check(self, found: dict[str, Any], path: Path, scene: Scene) -> None:
        """A fixed ttl asks for path discovery (net/ipv4/ip_tunnel.c)."""
        if found.get("ttl") and found.get("pmtudisc") is False:
            scene.problem((*path, "pmtudisc"), "a tunnel with a ttl must discover the path's mtu", "leave pmtudisc out")
        if found.get("pmtudisc") is False:
            found.setdefault("ttl", 0)

    def words(self, options: Options) -> tuple[list[str], list[str]]:
        """Say the mode as well."""
        front, back = super().words(options)
        return front, [*(["mode", self.mode] if self.mode else []), *back]

    def claims(self, name: str, said: Mapping[str, Any]) -> Iterable[Key]:  # noqa: ARG002
        """A namespace has one tunnel of each sort between two ends (net/ipv4/ip_tunnel.c, ip_tunnel_find)."""
        ends = (said.get("local", ""), said.get("remote", ""), said.get("key", 0), said.get("dev", ""))
        return (("link", self.name, *ends),)

    def first_mtu(self, options: Options, world: World) -> int | None:
        """It has the room that its interface leaves (ip_tunnel_bind_dev); else it depends on the route."""
        said = dict(options)
        device = world.get(("device", said.get("dev", "")))
        if device is not None and device.mtu is not None:
            return int(device.mtu) - self.overhead
        return None if said.get("remote") else ETHERNET - self.overhead


class Ipip(Tunnel):
    """``ip link add NAME type ipip remote ADDRESS local ADDRESS``."""

    name = "ipip"
    mode = "ipip"
    table = _table(1, 2, 3, 4, 10)


class Sit(Tunnel):
    """``ip link add NAME type sit remote ADDRESS local ADDRESS``: IPv6 in IPv4."""

    name = "sit"
    mode = "ip6ip"
    table = _table(1, 2, 3, 4, 10)


class Gre(Tunnel):
    """``ip link add NAME type gre remote ADDRESS local ADDRESS``."""

    name = "gre"
    overhead = 24
    table = (
        *_table(1, 6, 7, 8, 10),
        Option(
            "key",
            0,
            Number(4, 0, 0xFFFFFFFF),
            "The key that packets of the tunnel carry, in both directions.",
            7,
        ),
    )

    def pack(self, options: Options) -> Packed:
        """The key is two numbers and two flags."""
        said = dict(options)
        key = said.pop("key", None)
        packed = super().pack(tuple(sorted(said.items())))
        if key is None:
            return packed
        flags = attribute(IFLA_GRE_IFLAGS, GRE_KEY) + attribute(IFLA_GRE_OFLAGS, GRE_KEY)
        raw = int(key).to_bytes(4, "big")
        keys = attribute(IFLA_GRE_IKEY, raw) + attribute(IFLA_GRE_OKEY, raw)
        return packed._replace(data=packed.data + flags + keys)

    def unpack(self, data: bytes, attributes: Attributes, sight: Sight) -> Options:
        """Read the key where it is the same in both directions."""
        found = dict(super().unpack(data, attributes, sight))
        found.pop("key", None)
        held = parse(data)
        flags = [held.get(code, b"\0\0")[:1] for code in (IFLA_GRE_IFLAGS, IFLA_GRE_OFLAGS)]
        if all(number(flag) & 0x20 for flag in flags) and held.get(IFLA_GRE_IKEY) == held.get(IFLA_GRE_OKEY):
            found["key"] = int.from_bytes(held[IFLA_GRE_IKEY], "big")
        return tuple(sorted(found.items()))


class Gretap(Gre):
    """``ip link add NAME type gretap remote ADDRESS local ADDRESS``: Ethernet in GRE."""

    name = "gretap"
    has_mac = True
    overhead = 38
