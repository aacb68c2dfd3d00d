"""The kind ``device``: what is set on an interface, whoever made it. It is changed, never created or deleted.

When the file no longer names a setting, its former value returns from the record; ``state`` stays.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Any, NamedTuple

from reconciler.config.suggest import did_you_mean
from reconciler.core.kind import Effect, Lack
from reconciler.resources.base import Dump, Found, Resource, Sight
from reconciler.resources.cascade import connected, ways, without_ipv6
from reconciler.resources.message import Message
from reconciler.resources.route import LEAST_MTU_6
from reconciler.resources.scene import Scene, Wanted
from reconciler.resources.wire import number, parse, string, u32

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.core.change import Change
    from reconciler.core.state import Key, Value
    from reconciler.core.world import World
    from reconciler.resources.names import Names
    from reconciler.resources.owner import Owner

RTM_NEWLINK, RTM_SETLINK, RTM_GETLINK = 16, 19, 18
IFLA_IFNAME, IFLA_MTU, IFLA_MASTER, IFLA_AF_SPEC, IFLA_EXT_MASK = 3, 4, 10, 26, 29
IFLA_INET_CONF = 1
AF_INET = 2
PROMOTE_SECONDARIES = 20
"""IPV4_DEVCONF_PROMOTE_SECONDARIES (linux/ip.h); the array in IFLA_INET_CONF begins with number 1."""
RTEXT_FILTER_SKIP_STATS = 8
IFF_UP = 1
IFINFOMSG = Struct("=BxHiII")
KERNEL = 2
MASTERS = frozenset({"bridge", "bond", "team", "vrf"})
"""Types of links that can be a master."""


class Device(NamedTuple):
    """Settings of an interface."""

    name: str
    state: str | None
    """``up`` or ``down``, as the administrator set it; says nothing about the carrier."""
    mtu: int | None
    """Bytes."""
    master: str | None
    """The bridge that this is a port of; empty for none."""
    promote: bool | None = None
    """Whether a secondary address takes the place of a deleted primary one; read, never written."""


class DeviceKind(Resource[Device]):
    """Settings that any interface has."""

    name = "device"
    value = Device
    label = "link"
    rank = 12
    shared = True
    open = ("state", "mtu", "master", "promote")
    gives_back = ("mtu", "master")
    schema = {
        "interfaces.*": {
            "state": {
                "enum": ["up", "down"],
                "description": "The administrative state. Left alone if it is not said.",
                "examples": ["up"],
                "x-removed": {
                    "absent": "there is no state absent: leave the interface out of the file, "
                    "and what the file had made goes"
                },
            },
            "mtu": {
                "type": "integer",
                "minimum": 68,
                "maximum": 65535,
                "description": "The largest packet in bytes. Left alone if it is not said; the former value "
                "returns when it is taken out again.",
                "examples": [1500],
            },
            "master": {
                "$ref": "#/$defs/device",
                "description": "The bridge that this interface is a port of.",
                "examples": ["br0"],
            },
        }
    }

    def key(self, value: Device) -> Key:
        """Return the name."""
        return (self.name, value.name)

    def missing(self, key: Key) -> str:
        """Say that an interface is not there."""
        return f"{key[1]} does not exist yet"

    def nearest(self, key: Key, world: World) -> str:
        """Name an interface with nearly this name."""
        return did_you_mean(key[1], sorted(device.name for _, device, _ in world.every(self.name)))

    def requires(self, value: Device, world: World) -> Iterable[Key | Lack]:
        """A port stands on its master, which must be of a type that has ports."""
        if value.master:
            yield (self.name, value.master)
            link = world.get(("link", value.master))
            if link is not None and link.type not in MASTERS:
                yield Lack(f"{value.master} is no bridge")
            own = world.get(("link", value.name))
            if value.name == "lo" or (own is not None and own.type == "bridge"):
                yield Lack(f"{value.name} cannot be a port of a bridge")

    def takes(self, before: Device, after: Device | None, world: World) -> Iterable[Effect]:
        """Link down drops the IPv4 routes in all tables without a word, and the IPv6 addresses and routes.

        So does an mtu too small for IPv6, for its part. A bridge takes the smallest mtu of its ports, as long
        as nobody has set another one (net/bridge/br_if.c, br_mtu_auto_adjust).
        """
        if after is None:
            return
        name = before.name
        if before.state == "up" and after.state == "down":
            yield from without_ipv6(name, world)
            yield from ways(name, world, 4)
            if name == "lo":
                yield from _refusals(world)
        elif before.mtu >= LEAST_MTU_6 > after.mtu:  # type: ignore[operator]
            yield from without_ipv6(name, world)
        if (before.mtu, before.master) != (after.mtu, after.master):
            for bridge in sorted({before.master, after.master} - {"", None}):  # type: ignore[type-var]
                yield from self._adjusts(bridge, {name: after}, world)

    def _adjusts(self, bridge: str | None, ports: Mapping[str, Device | None], world: World) -> Iterator[Effect]:
        """Yield a bridge's new mtu, and what that takes along; ``ports`` are those that change, None if gone."""
        own = world.get((self.name, bridge))
        if own is None:
            return
        now = {device.name: device for _, device, _ in world.every(self.name)}
        then = {name: device for name, device in {**now, **ports}.items() if device is not None}
        sizes = [
            min((d.mtu for d in devices.values() if d.master == bridge and d.mtu is not None), default=1500)
            for devices in (now, then)
        ]
        if own.mtu == sizes[0] != sizes[1]:
            becomes = own._replace(mtu=sizes[1])
            for _, mark in world.holders((self.name, bridge)):
                yield Effect((self.name, bridge), own, mark, becomes)
            yield from self.takes(own, becomes, world)

    def gone(self, name: str, world: World) -> Iterator[Effect]:
        """Yield what vanishes or changes with a device: itself, its ports' master, its own master's mtu."""
        for key, device, mark in world.every(self.name):
            if device.name == name:
                yield Effect(key, device, mark)
                if device.master:
                    yield from self._adjusts(device.master, {name: None}, world)
            elif device.master == name:
                yield Effect(key, device, mark, device._replace(master=""))

    def brings(
        self,
        before: Device | None,
        after: Device,
        mark: int | None,  # noqa: ARG002
        world: World,
    ) -> Iterable[tuple[Value, int]]:
        """Link up brings the routes to the subnets of its addresses, and nothing else that was lost."""
        if before is not None and before.state == "down" and after.state == "up":
            for _, address, _ in world.within(("address", after.name)):
                yield from connected(address, world)

    def desire(self, scene: Scene) -> Iterator[Wanted]:
        """Yield the settings of each interface that has any."""
        for path, name, entry in scene.interfaces():
            if not {"state", "mtu", "master"}.isdisjoint(entry):
                master = scene.device((*path, "master"), entry["master"]) if "master" in entry else None
                value = Device(name, entry.get("state"), entry.get("mtu"), master)
                yield Wanted(value, scene.origin(path, entry))

    def dumps(self, sight: Sight) -> Iterable[Dump]:  # noqa: ARG002
        """All links; the same question that the kind ``link`` asks."""
        body = IFINFOMSG.pack(0, 0, 0, 0, 0) + u32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS)
        return (Dump(RTM_GETLINK, body),)

    def decode(self, kind: int, body: bytes, sight: Sight) -> Iterable[Found]:
        """Read the settings of one interface."""
        if kind != RTM_NEWLINK:
            return
        attributes = parse(body, 16)
        flags = IFINFOMSG.unpack_from(body)[3]
        master = number(attributes.get(IFLA_MASTER, b""))
        conf = parse(parse(attributes.get(IFLA_AF_SPEC, b"")).get(AF_INET, b"")).get(IFLA_INET_CONF, b"")
        at = 4 * (PROMOTE_SECONDARIES - 1)
        promote = sight.promote_all or bool(number(conf[at : at + 4]))
        device = Device(
            string(attributes[IFLA_IFNAME]),
            "up" if flags & IFF_UP else "down",
            number(attributes[IFLA_MTU]),
            sight.devices.get(master, str(master)) if master else "",
            promote,
        )
        yield Found(device, KERNEL)

    def encode(self, change: Change, owner: Owner) -> list[Message]:  # noqa: ARG002
        """Set what differs, in one request."""
        after: Any = change.after
        devices = [(4, change.key[1])]
        flags = mask = 0
        if "state" in change.fields:
            mask, flags = IFF_UP, IFF_UP if after.state == "up" else 0
        body = IFINFOMSG.pack(0, 0, 0, flags, mask)
        if "mtu" in change.fields and after.mtu is not None:
            body += u32(IFLA_MTU, after.mtu)
        if "master" in change.fields:
            if after.master:
                devices.append((len(body) + 4, after.master))
            body += u32(IFLA_MASTER, 0)
        return [Message(RTM_SETLINK, 0, body, tuple(devices))]

    def command(self, change: Change, owner: Owner) -> list[list[str]]:  # noqa: ARG002
        """``ip link set``."""
        after: Any = change.after
        words = ["ip", "link", "set", "dev", after.name]
        if "mtu" in change.fields:
            words += ["mtu", str(after.mtu)]
        if "master" in change.fields:
            words += ["master", after.master] if after.master else ["nomaster"]
        if "state" in change.fields:
            words.append(str(after.state))
        return [words]

    def changed(self, before: Device, after: Device) -> tuple[str, ...]:
        """Name what differs; what is only read is no difference, nor what the file leaves to a new device."""
        names = super().changed(before, after)
        return tuple(f for f in names if f != "promote" and getattr(after, f) is not None)

    def same(self, one: Device, other: Device) -> bool:
        """Compare what can be set and is known."""
        return all(a is None or b is None or a == b for a, b in zip(one[:4], other[:4], strict=True))

    def describe(self, value: Device, names: Names) -> str:  # noqa: ARG002
        """Show the settings."""
        words = [value.state] if value.state else []
        words += [f"mtu {value.mtu}"] if value.mtu else []
        words += [f"master {value.master}"] if value.master else []
        return f"{value.name}: {' '.join(words)}"

    def title(self, value: Device, names: Names) -> str:  # noqa: ARG002
        """Show the name."""
        return value.name

    def describe_change(self, before: Device, after: Device, names: Names) -> str:
        """Show what changes, with "none" for no master."""
        none = [d._replace(master=d.master or "none") for d in (before, after)]
        return super().describe_change(none[0], none[1], names)


def _refusals(world: World) -> Iterator[Effect]:
    """IPv6 routes that lead nowhere: the kernel keeps them at the loopback interface."""
    for key, route, mark in world.every("route"):
        if route.family == 6 and route.type != "unicast":
            yield Effect(key, route, mark)
