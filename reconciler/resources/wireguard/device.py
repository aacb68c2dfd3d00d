"""The kind ``wireguard``: what is set on a WireGuard interface. It is changed, never created or deleted.

When the file no longer names port or mark, the former value returns from the record. The key stays: the record
holds no secret.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from reconciler.config.suggest import did_you_mean
from reconciler.core.kind import Effect
from reconciler.resources.base import Found, Resource, Sight
from reconciler.resources.link.device import Device
from reconciler.resources.marks import resolve
from reconciler.resources.message import Message
from reconciler.resources.scene import Wanted
from reconciler.resources.wire import u16, u32
from reconciler.resources.wireguard import config, keys, wire

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.core.change import Change
    from reconciler.core.kind import Lack
    from reconciler.core.state import Key, Value
    from reconciler.core.world import World
    from reconciler.resources.names import Names
    from reconciler.resources.owner import Owner
    from reconciler.resources.scene import Scene

KERNEL = 2
PEER = "wireguard-peer"
LABELS = {"public_key": "public key", "listen_port": "listen-port", "fwmark": "fwmark"}
SETTINGS = tuple(LABELS)


class Wireguard(NamedTuple):
    """Settings of a WireGuard interface; None is left open."""

    name: str
    public_key: str | None
    """What the private key is known by, in base64; empty for no key."""
    listen_port: int | None
    """0 lets the kernel choose."""
    fwmark: int | None
    private_key_file: str | None = None
    """Where the file says that the private key is."""
    ifindex: int | None = None
    """The index of the interface: another one of the same name begins anew. Read, never written."""


class WireguardKind(Resource[Wireguard]):
    """Settings of WireGuard interfaces."""

    name = "wireguard"
    value = Wireguard
    rank = 11
    shared = True
    open = (*SETTINGS, "ifindex")
    gives_back = ("listen_port", "fwmark")
    witness = ("ifindex",)
    schema = {"interfaces.*": config.DEVICE}

    def key(self, value: Wireguard) -> Key:
        """Return the name of the interface."""
        return (self.name, value.name)

    def channel(self, key: Key) -> str:  # noqa: ARG002
        """WireGuard has a netlink family of its own."""
        return "wireguard"

    def missing(self, key: Key) -> str:
        """Say that there is no such interface."""
        return f"{key[1]} does not exist yet, or is no WireGuard interface"

    def nearest(self, key: Key, world: World) -> str:
        """Name a WireGuard interface with nearly this name."""
        return did_you_mean(key[1], sorted(device.name for _, device, _ in world.every(self.name)))

    def requires(self, value: Wireguard, world: World) -> Iterable[Key | Lack]:  # noqa: ARG002
        """They stand on the interface."""
        return (("device", value.name),)

    def begins_with(self, value: Value, world: World) -> Iterator[tuple[Wireguard, int]]:
        """A new WireGuard interface has no key yet."""
        if isinstance(value, Device):
            link = world.get(("link", value.name))
            if link is not None and link.type == config.WIREGUARD:
                yield Wireguard(value.name, "", 0, 0), KERNEL

    def ends_with(self, key: Key, world: World) -> Iterator[Effect]:
        """With an interface go its settings."""
        if key[0] == "device":
            for value, mark in world.holders((self.name, key[1])):
                yield Effect((self.name, key[1]), value, mark)

    def decide(self, wanted: Wireguard, seen: Wireguard | None, world: World) -> Wireguard:
        """While the interface is up, the kernel has chosen a port where it may: one is as good as another."""
        filled = self.fill(wanted, seen, {})
        device = world.get(("device", wanted.name))
        if filled.listen_port == 0 and seen is not None and device is not None and device.state == "up":
            return filled._replace(listen_port=seen.listen_port)
        return filled

    def takes(self, before: Wireguard, after: Wireguard | None, world: World) -> Iterator[Effect]:
        """Nobody is a peer of itself: one with the new key of the interface goes (wg_set_device)."""
        if after is not None and after.public_key and after.public_key != before.public_key:
            peer = (PEER, after.name, after.public_key)
            for value, mark in world.holders(peer):
                yield Effect(peer, value, mark)

    def same(self, one: Wireguard, other: Wireguard) -> bool:
        """Compare what is said and known."""
        return not self.changed(other, one)

    def changed(self, before: Wireguard, after: Wireguard) -> tuple[str, ...]:
        """Name what differs; where the key stands is no difference."""
        return tuple(f for f in SETTINGS if getattr(after, f) is not None and getattr(before, f) != getattr(after, f))

    def disruptive(self, before: Wireguard, after: Wireguard | None) -> str:
        """With another key no peer knows us any more."""
        if after is None or not before.public_key or "public_key" not in self.changed(before, after):
            return ""
        return "no peer knows the new key yet"

    def desire(self, scene: Scene) -> Iterator[Wanted]:
        """Yield the settings of each interface that has any."""
        config.check_kinds(scene)
        for path, name, entry in config.entries(scene):
            file = config.key_file(scene, path, entry, "private-key-file")
            mark = resolve(scene, (*path, "fwmark"), entry["fwmark"]) if "fwmark" in entry else None
            value = Wireguard(name, None, entry.get("listen-port"), mark.value if mark else None, file)
            if value[1:5] != (None,) * 4:
                yield Wanted(value, scene.origin(path, entry))

    def check(self, scene: Scene, wanted: Mapping[Key, Wanted]) -> None:
        """Report a port that two interfaces would listen on."""
        ports: dict[int, str] = {}
        for path, name, entry in config.entries(scene):
            port = entry.get("listen-port")
            if port is None or (self.name, name) not in wanted:
                continue
            other = ports.setdefault(port, name)
            if other != name:
                scene.problem((*path, "listen-port"), f"{other} listens on the port {port}", "give each its own")

    def shown(self, raw: wire.RawDevice, sight: Sight, told: object) -> Iterator[Found]:  # noqa: ARG002
        """Read the settings."""
        public_key, index = keys.to_text(raw.public_key), sight.index(raw.name)
        yield Found(Wireguard(raw.name, public_key, raw.listen_port, raw.fwmark, ifindex=index), KERNEL)

    def key_files(self, value: Wireguard) -> Iterable[str]:
        """Return the file with the private key."""
        return (value.private_key_file,) if value.private_key_file else ()

    def keyed(self, value: Wireguard, secrets: Mapping[str, keys.Secret]) -> Wireguard:
        """Put in the public key."""
        secret = secrets.get(value.private_key_file or "")
        return value._replace(public_key=keys.public(secret)) if secret is not None else value

    def encode(self, change: Change, owner: Owner) -> list[Message]:  # noqa: ARG002
        """Set what differs."""
        after: Any = change.after
        attributes, secrets = [], []
        if "listen_port" in change.fields:
            attributes.append(u16(wire.DEVICE_LISTEN_PORT, after.listen_port))
        if "fwmark" in change.fields:
            attributes.append(u32(wire.DEVICE_FWMARK, after.fwmark))
        if "public_key" in change.fields:
            attributes.append(wire.room(wire.DEVICE_PRIVATE_KEY))
            secrets.append(after.public_key)
        body = wire.device(after.name, *attributes)
        return [
            Message(0, 0, body, secrets=tuple((len(body) - keys.SIZE, known_by) for known_by in secrets if known_by))
        ]

    def command(self, change: Change, owner: Owner) -> list[list[str]]:  # noqa: ARG002
        """``wg set``; it reads the key from its file."""
        after: Any = change.after
        words = ["wg", "set", after.name]
        if "listen_port" in change.fields:
            words += ["listen-port", str(after.listen_port)]
        if "fwmark" in change.fields:
            words += ["fwmark", f"{after.fwmark:#x}"]
        if "public_key" in change.fields:
            words += ["private-key", after.private_key_file or "/dev/null"]
        return [words]

    def describe(self, value: Wireguard, names: Names) -> str:
        """Show the settings."""
        shown = [f"{LABELS[f]} {_shown(f, value, names)}" for f in SETTINGS if getattr(value, f)]
        if value.private_key_file and not value.public_key:
            shown.insert(0, f"private key of {value.private_key_file}")
        return f"{value.name}: {', '.join(shown) or 'no settings'}"

    def describe_change(self, before: Wireguard, after: Wireguard, names: Names) -> str:
        """Show what changes."""
        fields = self.changed(before, after)
        shown = (f"{LABELS[f]} {_shown(f, before, names)} → {_shown(f, after, names)}" for f in fields)
        return f"{after.name}: {', '.join(shown)}"

    def title(self, value: Wireguard, names: Names) -> str:  # noqa: ARG002
        """Show the name."""
        return value.name


def _shown(field: str, value: Wireguard, names: Names) -> str:
    """Show one setting."""
    setting = getattr(value, field)
    if not setting:
        return {"listen_port": "any", "fwmark": "off"}.get(field, "none")
    if field != "fwmark":
        return str(setting)
    name = next((name for (number, _), name in names.marks.items() if number == setting), "")
    return f"{name} ({setting:#x})" if name else f"{setting:#x}"
