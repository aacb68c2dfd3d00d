"""The kind ``wireguard-peer``: one peer of a WireGuard interface (``wg set DEV peer KEY``).

Ours are all peers of an interface of ours; on another interface the record tells. Each is changed by itself, so
that the sessions of the others go on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from reconciler.config.document import format_path
from reconciler.core.change import CREATE, DELETE, REPLACE, UPDATE
from reconciler.core.kind import Effect, Lack
from reconciler.core.state import SURPLUS, State
from reconciler.resources.base import Found, Resource, Sight
from reconciler.resources.message import Message
from reconciler.resources.scene import Wanted
from reconciler.resources.wireguard import config, keys, wire

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from reconciler.core.change import Change
    from reconciler.core.state import Key, Scope, Value
    from reconciler.core.world import World
    from reconciler.resources.names import Names
    from reconciler.resources.owner import Owner
    from reconciler.resources.scene import Path, Scene

FOREIGN = 0


class Peer(NamedTuple):
    """A peer; None is left open."""

    dev: str
    public_key: str
    endpoint: str | None
    """Where it was last told to be; the kernel follows it from there. Empty for nowhere."""
    allowed_ips: tuple[str, ...]
    """In alphabetical order."""
    keepalive: int
    """Seconds; 0 is never."""
    preshared_key: str | None
    """A fingerprint; empty for no key."""
    preshared_key_file: str | None = None
    """Where the file says that the preshared key is."""


class PeerKind(Resource[Peer]):
    """Peers of WireGuard interfaces."""

    name = "wireguard-peer"
    value = Peer
    label = "peer"
    rank = 11
    remembers = "always"
    open = ("endpoint", "preshared_key")

    def key(self, value: Peer) -> Key:
        """Return interface and public key."""
        return (self.name, value.dev, value.public_key)

    def channel(self, key: Key) -> str:  # noqa: ARG002
        """WireGuard has a netlink family of its own."""
        return "wireguard"

    def groups(self, value: Peer) -> Iterable[Scope]:
        """By interface, and by each prefix."""
        yield self.scope(value)
        for prefix in value.allowed_ips:
            yield (self.name, value.dev, prefix)

    def rivals(self, value: Peer, world: World) -> Iterable[Key]:
        """A prefix belongs to one peer of an interface: giving it to another takes it away.

        Among ours that is what the file wants. Somebody else's peer is in the way.
        """
        for prefix in value.allowed_ips:
            for key, _, mark in world.within((self.name, value.dev, prefix)):
                if mark not in (None, SURPLUS) and key != self.key(value):
                    yield key

    def requires(self, value: Peer, world: World) -> Iterable[Key | Lack]:
        """A peer stands on the interface, which cannot be its own peer."""
        yield ("wireguard", value.dev)
        device = world.get(("wireguard", value.dev))
        if device is not None and device.public_key == value.public_key:
            yield Lack(f"this is the public key of {value.dev} itself")

    def ends_with(self, key: Key, world: World) -> Iterator[Effect]:
        """With an interface go its peers."""
        if key[0] == "device":
            for own, value, mark in world.within((self.name, key[1])):
                yield Effect(own, value, mark)

    def lands(self, value: Peer, world: World) -> Peer:  # noqa: ARG002
        """What nobody has said is not there."""
        key = value.preshared_key if value.preshared_key_file else value.preshared_key or ""
        return value._replace(endpoint=value.endpoint or "", preshared_key=key)

    def same(self, one: Peer, other: Peer) -> bool:
        """Compare what is said and known."""
        return one[:2] == other[:2] and not self.changed(other, one)

    def changed(self, before: Peer, after: Peer) -> tuple[str, ...]:
        """Name what differs; where the key stands is no difference."""
        fields = ("endpoint", "allowed_ips", "keepalive", "preshared_key")
        return tuple(f for f in fields if getattr(after, f) is not None and getattr(before, f) != getattr(after, f))

    def replace(self, before: Peer, after: Peer) -> str:
        """A peer that has an endpoint has one until it goes."""
        return "an endpoint cannot be taken away" if before.endpoint and after.endpoint == "" else ""

    def disruptive(self, before: Peer, after: Peer | None) -> str:
        """With another preshared key there is no handshake until the peer has it, too."""
        if after is None or "preshared_key" not in self.changed(before, after):
            return ""
        return "no handshake until the peer has the same preshared key"

    def desire(self, scene: Scene) -> Iterator[Wanted]:
        """Yield the peers of all interfaces."""
        for path, dev, entry in config.entries(scene):
            for at, peer in scene.entries(*path, "peers") if entry.get("peers") else ():
                yield Wanted(_read(scene, at, dev, peer), scene.origin(at, peer), bool(peer.get("adopt")))

    def check(self, scene: Scene, wanted: Mapping[Key, Wanted]) -> None:
        """Report a prefix that two peers of an interface have."""
        for path, dev, entry in config.entries(scene):
            holders: dict[str, Path] = {}
            for at, peer in scene.entries(*path, "peers") if entry.get("peers") else ():
                item = wanted.get((self.name, dev, peer["public-key"]))
                if item is None or item.origin.path != format_path(at):
                    continue
                for prefix in item.value.allowed_ips:  # type: ignore[attr-defined]
                    first = holders.setdefault(prefix, at)
                    if first != at:
                        line = scene.position(first).line
                        message = f"the peer in line {line} has {prefix}: each prefix belongs to one peer"
                        scene.problem((*at, "allowed-ips"), message, "take it out of one of them")

    def shown(self, raw: wire.RawDevice, sight: Sight, told: Mapping[Key, Mapping[str, str]]) -> Iterator[Found]:
        """Read the peers. Where one was last told to be counts, not where it has moved to from there."""
        for peer in raw.peers:
            public_key = keys.to_text(peer.public_key)
            key = (self.name, raw.name, public_key)
            endpoint = peer.endpoint and told.get(key, {}).get("endpoint", peer.endpoint)
            prefixes = tuple(sorted(peer.allowed_ips))
            psk = keys.fingerprint(peer.preshared_key)
            value = Peer(raw.name, public_key, endpoint, prefixes, peer.keepalive, psk)
            yield Found(value, None if key in sight.keys else FOREIGN)

    def claim_ours(self, state: State, desired: Mapping[Key, Value], sight: Sight) -> State:  # noqa: ARG002
        """The peers of an interface of ours are ours."""
        peers = [k for k in state.foreign if k[0] == self.name and ("link", k[1]) in state.ours]
        if not peers:
            return state
        ours = {**state.ours, **{key: state.foreign[key][0].value for key in peers}}
        foreign = {k: held for k, held in state.foreign.items() if k[0] != self.name or k not in ours}
        return State(ours, foreign, state.unknown)

    def key_files(self, value: Peer) -> Iterable[str]:
        """Return the file with the preshared key."""
        return (value.preshared_key_file,) if value.preshared_key_file else ()

    def keyed(self, value: Peer, secrets: Mapping[str, keys.Secret]) -> Peer:
        """Put in the fingerprint."""
        secret = secrets.get(value.preshared_key_file or "")
        return value._replace(preshared_key=keys.fingerprint(secret)) if secret is not None else value

    def encode(self, change: Change, owner: Owner) -> list[Message]:  # noqa: ARG002
        """Make, change or remove this one peer."""
        before: Any = change.before
        after: Any = change.after
        messages = []
        if change.action in (DELETE, REPLACE):
            gone = wire.peer(keys.to_bytes(before.public_key), wire.REMOVE_ME)
            messages.append(Message(0, 0, wire.device(before.dev, gone)))
        if after is not None:
            messages += _written(after, before if change.action == UPDATE else None, change.fields)
        return messages

    def command(self, change: Change, owner: Owner) -> list[list[str]]:  # noqa: ARG002
        """``wg set DEV peer KEY``; it reads the preshared key from its file."""
        before: Any = change.before
        after: Any = change.after
        lines = []
        if change.action in (DELETE, REPLACE):
            lines.append(["wg", "set", before.dev, "peer", before.public_key, "remove"])
        if after is not None:
            created = change.action in (CREATE, REPLACE)
            words = ["wg", "set", after.dev, "peer", after.public_key]
            if after.preshared_key if created else "preshared_key" in change.fields:
                words += ["preshared-key", after.preshared_key_file or "/dev/null"]
            if after.endpoint and (created or "endpoint" in change.fields):
                words += ["endpoint", after.endpoint]
            if after.keepalive if created else "keepalive" in change.fields:
                words += ["persistent-keepalive", str(after.keepalive or "off")]
            if after.allowed_ips if created else "allowed_ips" in change.fields:
                words += ["allowed-ips", ",".join(after.allowed_ips)]
            lines.append(words)
        return lines

    def describe(self, value: Peer, names: Names) -> str:
        """Show the peer."""
        words = [f"allowed-ips {' '.join(value.allowed_ips) or 'none'}"]
        words += [f"endpoint {value.endpoint}"] if value.endpoint else []
        words += [f"keepalive {value.keepalive} s"] if value.keepalive else []
        words += ["preshared key"] if value.preshared_key or value.preshared_key_file else []
        return f"{self.title(value, names)}: {', '.join(words)}"

    def describe_change(self, before: Peer, after: Peer, names: Names) -> str:
        """Show what changes; of the prefixes those that come and go."""
        words = []
        for field in self.changed(before, after):
            old, new = getattr(before, field), getattr(after, field)
            if field == "allowed_ips":
                moved = [f"-{p}" for p in old if p not in new] + [f"+{p}" for p in new if p not in old]
                words.append(f"allowed-ips {' '.join(moved)}")
            elif field == "preshared_key":
                words.append("another preshared key" if old and new else f"{'with a' if new else 'no'} preshared key")
            else:
                words.append(f"{field} {old or 'none'} → {new or 'none'}")
        return f"{self.title(after, names)}: {', '.join(words)}"

    def title(self, value: Peer, names: Names) -> str:  # noqa: ARG002
        """Show interface and key."""
        return f"{value.dev} {value.public_key}"


def _read(scene: Scene, path: Path, dev: str, entry: Mapping[str, Any]) -> Peer:
    file = config.key_file(scene, path, entry, "preshared-key-file")
    return Peer(
        dev,
        entry["public-key"],
        config.endpoint(scene, path, entry),
        config.prefixes(scene, path, entry),
        entry.get("persistent-keepalive", 0),
        None if file else "",
        file,
    )


def _written(after: Peer, before: Peer | None, fields: Sequence[str]) -> Iterator[Message]:
    """Yield the requests that make a peer, or change it if it is still there."""
    attributes, secrets = [], []
    flags = wire.UPDATE_ONLY if before is not None else 0
    prefixes: Sequence[str] = ()
    if before is None or "allowed_ips" in fields:
        lost = before is None or not set(before.allowed_ips) <= set(after.allowed_ips)
        known = () if lost or before is None else before.allowed_ips
        flags |= wire.REPLACE_ALLOWEDIPS if lost else 0
        prefixes = [prefix for prefix in after.allowed_ips if prefix not in known]
    if after.endpoint and (before is None or "endpoint" in fields):
        attributes.append(wire.endpoint(after.endpoint))
    if after.keepalive if before is None else "keepalive" in fields:
        attributes.append(wire.keepalive(after.keepalive))
    if prefixes:
        attributes.append(wire.allowed_ips(prefixes[: wire.MOST_PREFIXES]))
    if after.preshared_key if before is None else "preshared_key" in fields:
        attributes.append(wire.room(wire.PEER_PRESHARED_KEY))
        secrets.append(after.preshared_key)
    public_key = keys.to_bytes(after.public_key)
    body = wire.device(after.dev, wire.peer(public_key, flags, *attributes))
    yield Message(0, 0, body, secrets=tuple((len(body) - keys.SIZE, known_by) for known_by in secrets if known_by))
    for start in range(wire.MOST_PREFIXES, len(prefixes), wire.MOST_PREFIXES):
        more = wire.allowed_ips(prefixes[start : start + wire.MOST_PREFIXES])
        yield Message(0, 0, wire.device(after.dev, wire.peer(public_key, wire.UPDATE_ONLY, more)))
