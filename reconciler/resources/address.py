"""The kind ``address``: an IPv4 or IPv6 address of an interface (``ip address``).

Ours is recognised by IFA_PROTO (Linux 5.18), or by the record where somebody replaced the address. Of an address
of ours the file says everything: what it leaves out is as the kernel makes it. Of one that is somebody else's, or
that somebody has replaced, what the file leaves out does not matter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.change import CREATE, DELETE, REPLACE
from reconciler.core.kind import Lack
from reconciler.errors import Problem
from reconciler.resources import address_config as config
from reconciler.resources import address_wire as wire
from reconciler.resources.address_value import FIXED, FOREVER, Address, alike, differing, whole
from reconciler.resources.base import Dump, Found, MessageFlags, Resource, Sight
from reconciler.resources.cascade import connected, otherwise, siblings, without_address
from reconciler.resources.message import Message
from reconciler.resources.prefix import span
from reconciler.resources.route import LEAST_MTU_6
from reconciler.resources.wire import NLM_F_REPLACE, packed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from reconciler.core.change import Change
    from reconciler.core.kind import Effect
    from reconciler.core.state import Key, Value
    from reconciler.core.world import World
    from reconciler.resources.names import Names
    from reconciler.resources.owner import Owner
    from reconciler.resources.scene import Scene, Wanted

__all__ = ["Address", "AddressKind"]

LOOPBACK = "127.0.0.1/8"
"""The kernel makes it with lo, and says so of ::1 only (net/ipv4/devinet.c, inetdev_event)."""
KERNEL, DHCP = 2, 16
"""Marks: what the kernel made (IFAPROT_KERNEL_LO, _RA and _LL are 1 to 3), and IPv4 leases."""
WORDS = {"valid": "valid-lifetime", "preferred": "preferred-lifetime"}


class AddressKind(Resource[Address]):
    """Addresses of interfaces."""

    name = "address"
    value = Address
    rank = 20
    remembers = "always"
    open = ("secondary", "tentative", *config.OPEN)
    schema = config.SCHEMA

    def key(self, value: Address) -> Key:
        """Return device, family, address with length, and peer (net/ipv4/devinet.c, find_matching_ifa)."""
        return (self.name, value.dev, value.family, value.address, value.peer)

    def same(self, one: Address, other: Address) -> bool:
        """Compare what the file can say; a lifetime that runs down is the same until half of it is over."""
        return alike(one, other)

    def steady(self, value: Address) -> Address:
        """Leave out how much of a finite lifetime is left."""
        valid, preferred = map(_left, (value.valid, value.preferred))
        return value._replace(valid=valid, preferred=preferred)

    def changed(self, before: Address, after: Address) -> tuple[str, ...]:
        """Name what differs."""
        return differing(after, before)

    def groups(self, value: Address) -> Iterable[Key]:
        """Addresses are looked up by interface, and by the address alone."""
        return (self.scope(value), (self.name, "host", value.host))

    def claims(self, value: Address) -> Iterable[Key]:
        """IPv6 has an address once on a device, whatever the length (net/ipv6/addrconf.c, ipv6_add_addr).

        IPv4 has it once in a subnet, whatever the peer (net/ipv4/devinet.c, __inet_insert_ifa).
        """
        if value.family == 6:
            return ((self.name, value.dev, value.host),)
        return ((self.name, value.dev, value.host, *span(value.net)),)

    def rivals(self, value: Address, world: World) -> Iterable[Key]:
        """Other holders of the address; IPv4 also has one scope a subnet (__inet_insert_ifa)."""
        yield from super().rivals(value, world)
        if value.family == 4:
            yield from (key for key, other, _ in siblings(value, world) if other.scope != value.scope)

    def decide(self, wanted: Address, seen: Address | None, world: World) -> Address:
        """What the file leaves out of an address of ours is as the kernel makes it; of others it stays open."""
        if seen is None:
            return wanted
        if not seen.overwritten and world.ours.get(self.key(wanted)) is not None:
            wanted = whole(wanted)
        return wanted._replace(secondary=seen.secondary, tentative=seen.tentative)

    def lands(self, value: Address, world: World) -> Address:
        """A second IPv4 address of a subnet is a secondary; an IPv6 one starts as tentative, unless it need not."""
        value = whole(value)
        seen = world.get(self.key(value))
        if value.family == 6:
            fresh = value.tentative is None or (seen is not None and self.replace(seen, value))
            return value._replace(secondary=False, tentative=not wire.at_once(value) if fresh else value.tentative)
        if seen is not None and not self.replace(seen, value):
            return value._replace(tentative=False)
        return value._replace(secondary=self._follows(value, seen, world), tentative=False)

    def _follows(self, value: Address, seen: Address | None, world: World) -> bool:
        """Tell whether an IPv4 address is a secondary once it is made, or made again."""
        others = siblings(value, world)
        if seen is None or seen.secondary:
            return bool(others)
        device = world.get(("device", value.dev))
        return bool(others) and device is not None and bool(device.promote)

    def replace(self, before: Address, after: Address) -> str:
        """Say what the kernel cannot change of an address that is there."""
        fixed = [field for field in differing(after, before) if field in FIXED[before.family]]
        if not fixed or (before.family == 6 and not before.peer):
            return ""
        what = "an IPv4 address" if before.family == 4 else "an address with a peer, and leave no route behind"
        return f"the kernel cannot change the {' and '.join(fixed)} of {what}"

    def disruptive(self, before: Address, after: Address | None) -> str:
        """An address that is made anew is gone for a moment."""
        return "the address is gone for a moment" if after is not None and self.replace(before, after) else ""

    def requires(self, value: Address, world: World) -> Iterable[Key | Lack]:
        """An address stands on its interface, which must be large enough for IPv6."""
        yield ("device", value.dev)
        device = world.get(("device", value.dev))
        if value.family == 6 and device is not None and device.mtu is not None and device.mtu < LEAST_MTU_6:
            yield Lack(f"{value.dev} carries no IPv6: its mtu is below {LEAST_MTU_6}")

    def takes(self, before: Address, after: Address | None, world: World) -> Iterable[Effect]:
        """With an address go its secondaries, and routes; with its metric or noprefixroute, the subnet's route."""
        return without_address(before, world) if after is None else otherwise(before, after, world)

    def brings(
        self,
        before: Address | None,
        after: Address,
        mark: int | None,  # noqa: ARG002
        world: World,
    ) -> Iterable[tuple[Value, int]]:
        """A new address on an interface that is up brings the route to its subnet; so does a promoted one."""
        device = world.get(("device", after.dev))
        if device is None or device.state != "up":
            return ()
        if before is not None and _routed(before) == _routed(after):
            return ()
        return connected(after, world)

    def desire(self, scene: Scene) -> Iterator[Wanted]:
        """Yield the addresses of all interfaces."""
        for path, dev, entry in scene.interfaces():
            if entry.get("exclusive"):
                scene.exclusive.add((self.name, dev))
            if entry.get("addresses"):
                yield from config.read(scene, path, dev, entry)

    def check(self, scene: Scene, wanted: Mapping[Key, Wanted]) -> None:
        """Report addresses of one subnet with several scopes: the kernel takes one (__inet_insert_ifa)."""
        scopes: dict[Key, str] = {}
        for item in wanted.values():
            value = item.value
            if isinstance(value, Address) and value.family == 4:
                scope = value.scope or ""
                if scopes.setdefault((value.dev, *span(value.net)), scope) != scope:
                    words = "the addresses of one subnet on one interface have one scope", "say the same of all"
                    scene.problems.append(Problem(item.origin.position, item.origin.path, *words))

    def dumps(self, sight: Sight) -> Iterable[Dump]:  # noqa: ARG002
        """All addresses of both families."""
        return (Dump(wire.RTM_GETADDR, wire.IFADDRMSG.pack(0, 0, 0, 0, 0)),)

    def decode(self, kind: int, body: bytes, sight: Sight) -> Iterable[Found]:
        """Read one address."""
        seen = wire.unpack(body, sight.devices) if kind == wire.RTM_NEWADDR else None
        if seen is None:
            return
        value, maker = seen.value, seen.maker
        if maker == sight.owner.protocol:
            yield Found(value, None)
        elif not maker and self.key(value) in sight.keys:
            yield Found(value._replace(overwritten=True), None)
        elif maker in (1, 2, 3) or (value.dev, value.address) == ("lo", LOOPBACK) or _of_sit(value, maker, sight):
            yield Found(value, KERNEL)
        elif not seen.permanent:
            yield Found(value, DHCP if value.family == 4 else KERNEL)
        else:
            yield Found(value, maker)

    def encode(self, change: Change, owner: Owner) -> list[Message]:
        """Add, change or delete; the whole identity in each."""
        messages = []
        before: Any = change.before
        after: Any = change.after
        if change.action in (DELETE, REPLACE):
            messages.append(Message(wire.RTM_DELADDR, 0, wire.identity(before), ((4, before.dev),)))
        if change.action != DELETE:
            fresh = change.action in (CREATE, REPLACE)
            protocol = owner.protocol if change.mark is None else _proto(change.mark)
            body = wire.pack(after, None if fresh else before, protocol)
            flags = MessageFlags.CREATE if fresh else NLM_F_REPLACE
            messages.append(Message(wire.RTM_NEWADDR, flags, body, ((4, after.dev),)))
        return messages

    def command(self, change: Change, owner: Owner) -> list[list[str]]:  # noqa: ARG002
        """``ip addr add``, ``change`` and ``del``; iproute2 before 6.3 cannot say the protocol."""
        lines = []
        before: Any = change.before
        after: Any = change.after
        if change.action in (DELETE, REPLACE):
            ends = [before.host, "peer", before.peer] if before.peer else [before.address]
            lines.append(["ip", "addr", "del", *ends, "dev", before.dev])
        if change.action in (CREATE, REPLACE):
            lines.append(["ip", "addr", "add", *wire.words(after, None)])
        elif change.action != DELETE:
            lines.append(["ip", "addr", "change", *wire.words(after, before)])
        return lines

    def describe(self, value: Address, names: Names) -> str:
        """Show address and device, and what is unusual."""
        shown = whole(value)
        plain = whole(Address(*value[:4]))
        words = [_word(shown, field) for field in config.OPEN if getattr(shown, field) != getattr(plain, field)]
        return " ".join([self.title(value, names), *words])

    def title(self, value: Address, names: Names) -> str:  # noqa: ARG002
        """Show address and device."""
        peer = f" peer {value.peer}" if value.peer else ""
        return f"{value.address}{peer} dev {value.dev}"

    def describe_change(self, before: Address, after: Address, names: Names) -> str:
        """Show what changes."""
        fields = differing(after, before)
        shown = ", ".join(f"{WORDS.get(f, f)} {_shown(before, f)} → {_shown(after, f)}" for f in fields)
        return f"{self.title(after, names)}: {shown or 'taken over'}"


def _of_sit(value: Address, maker: int, sight: Sight) -> bool:
    """Tell whether the kernel made an address of an IPv4 one (net/ipv6/addrconf.c, add_v4_addrs)."""
    if value.family != 6 or maker or value.dev not in sight.sits:
        return False
    return packed(value.host)[:12] in (bytes(12), b"\xfe\x80" + bytes(10))


def _routed(value: Address) -> tuple[object, ...]:
    """Return what decides about the route to an address's subnet."""
    return bool(value.secondary), bool(value.noprefixroute), value.metric


def _left(lifetime: int | None) -> int | None:
    return lifetime if lifetime in (None, FOREVER) else min(lifetime, 1)


def _shown(value: Address, field: str) -> str:
    seen = getattr(value, field)
    if field in WORDS:
        return wire.lifetime(seen)
    if isinstance(seen, bool):
        return "yes" if seen else "no"
    return str(seen) or {"label": value.dev, "scope": wire.usual_scope(value.host)}.get(field, "none")


def _word(value: Address, field: str) -> str:
    return field if getattr(value, field) is True else f"{WORDS.get(field, field)} {_shown(value, field)}"


def _proto(mark: int) -> int:
    """A lease's address carries no protocol; its mark is ours to tell it apart."""
    return 0 if mark == DHCP else mark
