"""The kind ``device``: what is set on an interface, whoever made it. It is changed, never created or deleted.

When the file no longer names a setting, its former value returns from the record; ``state`` stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reconciler.config.suggest import did_you_mean
from reconciler.resources.base import Dump, Found, Resource, Sight
from reconciler.resources.link import device_wire, match, upon
from reconciler.resources.link.device_config import SCHEMA, read
from reconciler.resources.link.device_wire import BOND
from reconciler.resources.scene import UNMATCHED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.core.change import Change
    from reconciler.core.kind import Effect, Lack
    from reconciler.core.state import Key, Value
    from reconciler.core.world import World
    from reconciler.resources.message import Message
    from reconciler.resources.names import Names
    from reconciler.resources.owner import Owner
    from reconciler.resources.scene import Scene, Wanted

KERNEL = 2
READ_ONLY = ("promote", "slave", "keep")


class Device(NamedTuple):
    """Settings of an interface; None is unknown, or left open."""

    name: str
    state: str | None
    """``up`` or ``down``, as the administrator set it; says nothing about the carrier."""
    mtu: int | None
    """Bytes."""
    master: str | None
    """The bridge, bond or VRF that this is a port of; empty for none."""
    promote: bool | None = None
    """Whether a secondary address takes the place of a deleted primary one; read, never written."""
    mac: str | None = None
    alias: str | None = None
    """A text for people; empty for none."""
    group: int | None = None
    txqueuelen: int | None = None
    """Packets."""
    slave: str | None = None
    """The type of its master, empty without one; it decides how one joins and leaves."""
    keep: bool | None = None
    """Whether its global IPv6 addresses survive it being down; read, never written."""


class DeviceKind(Resource[Device]):
    """Settings that any interface has."""

    name = "device"
    value = Device
    label = "link"
    rank = 12
    shared = True
    open = ("state", "mtu", "master", "promote", "mac", "alias", "group", "txqueuelen", "slave", "keep")
    gives_back = ("mtu", "master", "mac", "alias", "group", "txqueuelen")
    schema = {"interfaces.*": {**SCHEMA["interfaces.*"], **match.SCHEMA["interfaces.*"]}}

    def key(self, value: Device) -> Key:
        """Return the name."""
        return (self.name, value.name)

    def missing(self, key: Key) -> str:
        """Say that an interface is not there."""
        if key[1].startswith(UNMATCHED):
            return f"no interface is what interfaces.{key[1][1:]} looks for"
        return f"{key[1]} does not exist yet"

    def nearest(self, key: Key, world: World) -> str:
        """Name an interface with nearly this name."""
        return did_you_mean(key[1], sorted(device.name for _, device, _ in world.every(self.name)))

    def fill(self, wanted: Device, seen: Device | None, former: Mapping[str, object]) -> Device:
        """A master that stays, or returns, is of the type that it is."""
        filled = super().fill(wanted, seen, former)
        if seen is not None and filled.master == seen.master:
            return filled._replace(slave=seen.slave)
        return filled

    def decide(self, wanted: Device, seen: Device | None, world: World) -> Device:
        """How one joins depends on what the master is at the moment."""
        filled = self.fill(wanted, seen, {})
        if filled.master is None:
            return filled
        link = world.get(("link", filled.master)) if filled.master else None
        joins = seen is None or seen.master != filled.master
        kind = link.type if link is not None else ""
        if wanted.state is None and joins and kind == BOND:
            filled = filled._replace(state="up")  # bond_enslave opens its ports
        if wanted.mtu is None and joins and seen is not None and BOND in (seen.slave, kind):
            filled = filled._replace(mtu=None)  # it gives them its own, and the former one back
        return filled._replace(slave=kind if kind or not filled.master else filled.slave)

    def requires(self, value: Device, world: World) -> Iterable[Key | Lack]:
        """A port stands on its master; an interface on another one has what that one leaves it."""
        if value.master:
            yield (self.name, value.master)
            yield from upon.unfit(value, world)
        yield from upon.limits(value, world)

    def takes(self, before: Device, after: Device | None, world: World) -> Iterable[Effect]:
        """Link down drops the IPv4 routes in all tables without a word, and the IPv6 addresses and routes."""
        return upon.changed(before, after, world) if after is not None else ()

    def gone(self, name: str, world: World) -> Iterator[Effect]:
        """Yield what vanishes or changes with a device: itself, its ports' master, its own master's mtu."""
        return upon.gone(name, world)

    def brings(
        self,
        before: Device | None,
        after: Device,
        mark: int | None,  # noqa: ARG002
        world: World,
    ) -> Iterable[tuple[Value, int]]:
        """Link up brings the routes to the subnets of its addresses, and nothing else that was lost."""
        return upon.returned(before, after, world) if before is not None else ()

    def desire(self, scene: Scene) -> Iterator[Wanted]:
        """Yield the settings of each interface that has any."""
        return read(scene, Device)

    def dumps(self, sight: Sight) -> Iterable[Dump]:  # noqa: ARG002
        """All links; the same question that the kind ``link`` asks."""
        return (device_wire.LINK_DUMP,)

    def decode(self, kind: int, body: bytes, sight: Sight) -> Iterable[Found]:
        """Read the settings of one interface."""
        if kind == device_wire.RTM_NEWLINK:
            yield Found(Device(**device_wire.unpack(body, sight)), KERNEL)

    def encode(self, change: Change, owner: Owner) -> list[Message]:  # noqa: ARG002
        """Set what differs, in one request; a bond takes no port that is up, so that takes two."""
        return list(device_wire.pack(change))

    def command(self, change: Change, owner: Owner) -> list[list[str]]:  # noqa: ARG002
        """``ip link set``."""
        return list(device_wire.words(change))

    def changed(self, before: Device, after: Device) -> tuple[str, ...]:
        """Name what differs; what is only read is no difference, nor what the file leaves to a new device."""
        names = super().changed(before, after)
        return tuple(f for f in names if f not in READ_ONLY and getattr(after, f) is not None)

    def same(self, one: Device, other: Device) -> bool:
        """Compare what can be set and is known."""
        return one == other or not any(getattr(other, f) is not None for f in self.changed(other, one))

    def describe(self, value: Device, names: Names) -> str:  # noqa: ARG002
        """Show the settings."""
        words = [value.state] if value.state else []
        words += [f"{f} {getattr(value, f)}" for f in self.gives_back if getattr(value, f) not in (None, "")]
        return f"{value.name}: {' '.join(words)}"

    def title(self, value: Device, names: Names) -> str:  # noqa: ARG002
        """Show the name."""
        return value.name

    def describe_change(self, before: Device, after: Device, names: Names) -> str:  # noqa: ARG002
        """Show what changes, with "none" for no master and no alias; what was not known is left out."""
        shown = []
        for field in self.changed(before, after):
            old, new = getattr(before, field), getattr(after, field)
            was = "" if old is None else f"{old or 'none'} → " if old != 0 else "0 → "
            shown.append(f"{field} {was}{'none' if new == '' else new}")
        return f"{after.name}: {', '.join(shown)}"

    def disruptive(self, before: Device, after: Device | None) -> str:
        """Say where an interface goes down for a moment to join or leave."""
        if after is not None and device_wire.bounces(before, after):
            return "goes down for a moment"
        return ""
