"""The kind ``device``: what is set on an interface, whoever made it. It is changed, never created or deleted.

When the file no longer names a setting, its former value returns from the record; ``state`` stays.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Any, NamedTuple

from reconciler.config.suggest import did_you_mean
from reconciler.core.kind import Effect
from reconciler.resources.base import Dump, Found, Resource, Sight
from reconciler.resources.losses import ways
from reconciler.resources.message import Message
from reconciler.resources.scene import Scene, Wanted
from reconciler.resources.wire import number, parse, string, u32

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.core.change import Change
    from reconciler.core.kind import Lack
    from reconciler.core.state import Key
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
IPV6_MTU = 1280
"""Bytes; the least that IPv6 works with (RFC 8200, section 5)."""
IFINFOMSG = Struct("=BxHiII")
KERNEL = 2


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

    def requires(self, value: Device, world: World) -> Iterable[Key | Lack]:  # noqa: ARG002
        """A port stands on its master."""
        return ((self.name, value.master),) if value.master else ()

    def takes(self, before: Device, after: Device | None, world: World) -> Iterable[Effect]:
        """Link down drops the routes of the device in all tables, IPv4's without a word, and its IPv6 addresses.

        So does an MTU that IPv6 cannot work with, for IPv6 alone (net/ipv6/addrconf.c, addrconf_ifdown).
        """
        down = after is not None and (before.state, after.state) == ("up", "down")
        small = after is not None and (before.mtu or 0) >= IPV6_MTU > (after.mtu or IPV6_MTU)
        if not (down or small):
            return
        for key, address, mark in world.within(("address", before.name)):
            if address.family == 6:
                yield Effect(key, address, mark)
        yield from ways(before.name, world, (4, 6) if down else (6,))

    def desire(self, scene: Scene) -> Iterator[Wanted]:
        """Yield the settings of each interface that has any."""
        for path, entry in scene.entries("interfaces"):
            if entry and not {"state", "mtu", "master"}.isdisjoint(entry):
                value = Device(str(path[-1]), entry.get("state"), entry.get("mtu"), entry.get("master"))
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
