"""The kind ``sysctl``: one file below /proc/sys/net. It is changed, never created or deleted.

When the file no longer names it, its former value returns from the record, and so does what the kernel changed
along with it. Belongs here: the value and its ways in and out; its words, its effects and its doubts have modules
beside this one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from reconciler.config.suggest import did_you_mean
from reconciler.core.kind import Effect, Lack
from reconciler.resources.base import Found, Resource, Sight
from reconciler.resources.link.device import Device
from reconciler.resources.sysctl_check import check
from reconciler.resources.sysctl_config import wanted
from reconciler.resources.sysctl_keys import ALL, DEFAULT, IP_FORWARD, IPV6_FORWARD, V4, V6, Path, device, name, own
from reconciler.resources.sysctl_schema import interface, section
from reconciler.resources.sysctl_spread import KEPT, causes, companions, effects

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping

    from reconciler.core.change import Change
    from reconciler.core.state import Key, Scope, Value
    from reconciler.core.world import World
    from reconciler.resources.names import Names
    from reconciler.resources.owner import Owner
    from reconciler.resources.scene import Scene, Wanted

KERNEL = 2


class Sysctl(NamedTuple):
    """One setting of the kernel."""

    path: Path
    """Below /proc/sys/net."""
    value: int | None
    """None where the interface, or the kernel, has no such setting."""
    ifindex: int | None = None
    """The index of the interface: another one of the same name begins anew. Read, never written."""


class SysctlKind(Resource[Sysctl]):
    """Settings below /proc/sys/net."""

    name = "sysctl"
    value = Sysctl
    rank = 5
    shared = True
    swayed = True
    open = ("ifindex",)
    gives_back = ("value",)
    witness = ("ifindex",)
    schema = {"": section(), "interfaces.*": interface()}

    def key(self, value: Sysctl) -> Key:
        """Return the path, after its place in the order of writing."""
        return (self.name, _stage(value.path), value.path)

    def channel(self, key: Key) -> str:  # noqa: ARG002
        """Files."""
        return "sysctl"

    def scope(self, value: Sysctl) -> Scope:
        """Return the interface."""
        return (self.name, device(value.path))

    def groups(self, value: Sysctl) -> Iterable[Scope]:
        """By interface, and by the last part of the path."""
        return (self.scope(value), (self.name, "leaf", value.path[0], value.path[-1]))

    def same(self, one: Sysctl, other: Sysctl) -> bool:
        """Compare the values; what is not there is as good as switched off."""
        values = {one.value, other.value}
        return len(values) == 1 or values == {None, int(one.path[-1] == "disable_ipv6")}

    def changed(self, before: Sysctl, after: Sysctl) -> tuple[str, ...]:
        """Name the value; the index is only read."""
        return ("value",) if before.value != after.value else ()

    def requires(self, value: Sysctl, world: World) -> Iterable[Key | Lack]:
        """A setting of an interface stands on it, and on what gives the interface that setting."""
        dev, seen = own(value.path), world.get(self.key(value))
        if dev:
            yield ("device", dev)
        if seen is not None and seen.value is None:
            yield Lack(_lacking(value.path))

    def missing(self, key: Key) -> str:
        """Say that an interface is not there."""
        dev = own(key[2])
        return f"{dev} does not exist yet" if dev else _lacking(key[2])

    def nearest(self, key: Key, world: World) -> str:
        """Name an interface with nearly this name."""
        dev = own(key[2])
        return did_you_mean(dev, sorted(one.name for _, one, _ in world.every("device"))) if dev else ""

    def takes(self, before: Sysctl, after: Sysctl | None, world: World) -> Iterable[Effect]:
        """Some are copied to others, and IPv6 takes its addresses and routes when it is switched off."""
        return effects(before.path, before.value, after.value, world) if after is not None else ()

    def begins_with(self, value: Value, world: World) -> Iterator[tuple[Sysctl, int]]:
        """A new interface begins with the values of conf.default."""
        if isinstance(value, Device):
            for _, one, _ in world.within((self.name, DEFAULT)):
                yield Sysctl((*one.path[:2], value.name, one.path[3]), one.value), KERNEL

    def ends_with(self, key: Key, world: World) -> Iterator[Effect]:
        """With an interface go its settings."""
        if key[0] == "device":
            for own_key, value, mark in world.within((self.name, key[1])):
                yield Effect(own_key, value, mark)

    def due(self, key: Key, wanted: Container[Key]) -> bool:
        """What changed along with another one stays as long as that is wanted."""
        return not any(self.key(Sysctl(cause, None)) in wanted for cause in causes(key[2]))

    def desire(self, scene: Scene) -> Iterator[Wanted]:
        """Yield what the section says, then what each interface says."""
        for path, number, item in wanted(scene):
            yield item(Sysctl(path, number))

    def check(self, scene: Scene, wanted: Mapping[Key, Wanted]) -> None:
        """Report what does not go together."""
        check(scene, wanted)

    def files(self, keys: Iterable[Key], sight: Sight) -> Iterator[Path]:
        """Yield the files to read for some keys: theirs, and those that change along."""
        devices = frozenset(sight.devices.values())
        there = {"", ALL, DEFAULT, *devices}
        for key in keys:
            for path in (key[2], *companions(key[2], sorted(devices))):
                if device(path) in there:
                    yield path

    def content(self, path: Path, text: str | None, indexes: Mapping[str, int]) -> Iterator[Found]:
        """Read one file; ``text`` is None where there is none."""
        yield Found(Sysctl(path, None if text is None else int(text), indexes.get(own(path))), KERNEL)

    def written(self, change: Change) -> tuple[Path, str]:
        """Return the file to write, and its content."""
        after: Any = change.after
        return after.path, f"{after.value}\n"

    def command(self, change: Change, owner: Owner) -> list[list[str]]:  # noqa: ARG002
        """``sysctl -w``."""
        after: Any = change.after
        return [["sysctl", "-w", f"{name(after.path)}={after.value}"]]

    def describe(self, value: Sysctl, names: Names) -> str:  # noqa: ARG002
        """Show it as sysctl does."""
        return f"{name(value.path)} = {value.value}"

    def describe_change(self, before: Sysctl, after: Sysctl, names: Names) -> str:  # noqa: ARG002
        """Show both values."""
        return f"{name(after.path)}: {before.value} → {after.value}"

    def title(self, value: Sysctl, names: Names) -> str:  # noqa: ARG002
        """Show the name."""
        return name(value.path)


def _stage(path: Path) -> int:
    """Return when a file is written: what others are copied from comes before them.

    accept_ra comes before forwarding, which drops the routes of those that do not accept always. What an interface
    says comes before an IPv4 default, which leaves alone what somebody has said.
    """
    dev, leaf = device(path), path[-1]
    if dev and own(path):
        if leaf == "accept_ra":
            return 0
        return 1 if path[0] == V4 and leaf not in KEPT else 5
    if path in (IP_FORWARD, IPV6_FORWARD) or not dev:
        return 2
    return 3 if dev == ALL else 4


def _lacking(path: Path) -> str:
    dev = own(path)
    if not dev:
        return f"this kernel has no {name(path)}"
    return f"{dev} has no IPv6" if path[0] == V6 else f"{dev} has no {path[-1]}"
