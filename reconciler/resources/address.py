"""The kind ``address``: an IPv4 or IPv6 address of an interface (``ip address``).

Ours is recognised by IFA_PROTO (Linux 5.18), or by the record where somebody replaced the address.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from reconciler.core.change import CREATE
from reconciler.core.kind import Lack
from reconciler.resources.base import Dump, Found, MessageFlags, Resource, Sight
from reconciler.resources.cascade import connected, siblings, without_address
from reconciler.resources.message import Message
from reconciler.resources.prefix import family_of, parse, span
from reconciler.resources.route import LEAST_MTU_6
from reconciler.resources.scene import Scene, Wanted
from reconciler.resources.wire import address, attribute, number, packed, u8
from reconciler.resources.wire import parse as attributes_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from reconciler.core.change import Change
    from reconciler.core.kind import Effect
    from reconciler.core.state import Key, Value
    from reconciler.core.world import World
    from reconciler.resources.names import Names
    from reconciler.resources.owner import Owner

RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR = 20, 21, 22
IFA_ADDRESS, IFA_LOCAL, IFA_FLAGS, IFA_PROTO = 1, 2, 8, 11
IFA_F_SECONDARY, IFA_F_NODAD, IFA_F_TENTATIVE, IFA_F_PERMANENT = 0x01, 0x02, 0x40, 0x80
AF_INET, AF_INET6 = 2, 10
IFADDRMSG = Struct("=BBBBI")
LOOPBACK = "127.0.0.1/8"
"""The kernel makes it with lo, and says so of ::1 only (net/ipv4/devinet.c, inetdev_event)."""
SCOPE_HOST = 254
KERNEL, DHCP = 2, 16
"""Marks: what the kernel made (IFAPROT_KERNEL_LO, _RA and _LL are 1 to 3), and IPv4 leases."""


class Address(NamedTuple):
    """An address as it is on an interface."""

    dev: str
    family: int
    address: str
    """With the length of its subnet: ``192.168.1.2/24``."""
    peer: str = ""
    """The prefix at the other end of a point-to-point link; empty for none."""
    secondary: bool | None = None
    """IPv4: whether it came after another address of its subnet. The kernel decides."""
    tentative: bool | None = None
    """IPv6: whether duplicate address detection goes on. The kernel decides."""

    @property
    def host(self) -> str:
        """The address without its length."""
        return self.address.partition("/")[0]

    @property
    def subnet(self) -> str:
        """The prefix that is reached directly through this address."""
        return self.peer or self.address


class AddressKind(Resource[Address]):
    """Addresses of interfaces."""

    name = "address"
    value = Address
    rank = 20
    remembers = "always"
    open = ("secondary", "tentative")
    schema = {
        "interfaces.*": {
            "addresses": {
                "type": "array",
                "items": {"$ref": "#/$defs/interface-address"},
                "uniqueItems": True,
                "description": "Addresses with the length of their subnet. Others on the interface are left "
                "alone, unless exclusive is true.",
                "examples": [["192.168.1.2/24", "2001:db8::2/64"]],
            }
        }
    }

    def key(self, value: Address) -> Key:
        """Return device, family, address with length, and peer (net/ipv4/devinet.c, find_matching_ifa)."""
        return (self.name, value.dev, value.family, value.address, value.peer)

    def same(self, one: Address, other: Address) -> bool:
        """The key says it all; the rest is the kernel's."""
        return one[:4] == other[:4]

    def groups(self, value: Address) -> Iterable[Key]:
        """Addresses are looked up by interface, and by the address alone."""
        return (self.scope(value), (self.name, "host", value.host))

    def claims(self, value: Address) -> Iterable[Key]:
        """IPv6 has an address once on a device, whatever the length (net/ipv6/addrconf.c, ipv6_add_addr).

        IPv4 has it once in a subnet, whatever the peer (net/ipv4/devinet.c, __inet_insert_ifa).
        """
        if value.family == 6:
            return ((self.name, value.dev, value.host),)
        return ((self.name, value.dev, value.host, *span(value.subnet)),)

    def lands(self, value: Address, world: World) -> Address:
        """A second IPv4 address of a subnet is a secondary; an IPv6 one starts as tentative."""
        if value.family == 6:
            return value._replace(secondary=False, tentative=value.dev != "lo")
        return value._replace(secondary=bool(siblings(value, world)), tentative=False)

    def requires(self, value: Address, world: World) -> Iterable[Key | Lack]:
        """An address stands on its interface, which must be large enough for IPv6."""
        yield ("device", value.dev)
        device = world.get(("device", value.dev))
        if value.family == 6 and device is not None and device.mtu is not None and device.mtu < LEAST_MTU_6:
            yield Lack(f"{value.dev} carries no IPv6: its mtu is below {LEAST_MTU_6}")

    def takes(self, before: Address, after: Address | None, world: World) -> Iterable[Effect]:
        """With an address go its secondaries, and routes."""
        return without_address(before, world) if after is None else ()

    def brings(
        self,
        before: Address | None,
        after: Address,
        mark: int | None,  # noqa: ARG002
        world: World,
    ) -> Iterable[tuple[Value, int]]:
        """A new address on an interface that is up brings the route to its subnet."""
        device = world.get(("device", after.dev))
        return connected(after, world) if before is None and device is not None and device.state == "up" else ()

    def desire(self, scene: Scene) -> Iterator[Wanted]:
        """Yield the addresses of all interfaces."""
        for path, dev, entry in scene.interfaces():
            if entry.get("exclusive"):
                scene.exclusive.add((self.name, dev))
            if not entry.get("addresses"):
                continue
            for at, word in scene.entries(*path, "addresses"):
                try:
                    host, length = parse(word)
                except ValueError as error:
                    scene.problem(at, str(error), "an address with its length, such as 192.168.1.2/24")
                    continue
                if "/" not in word:
                    scene.problem(at, f'"{word}" has no length', f"{host}/{length} for the address alone")
                    continue
                family = family_of(host)
                if family == 6 and not scene.facts.ipv6:
                    scene.notices.append(f"IPv6 is off in this kernel: {host}/{length} on {dev} is left out")
                    continue
                yield Wanted(Address(dev, family, f"{host}/{length}"), scene.origin(at, entry))

    def dumps(self, sight: Sight) -> Iterable[Dump]:  # noqa: ARG002
        """All addresses of both families."""
        return (Dump(RTM_GETADDR, IFADDRMSG.pack(0, 0, 0, 0, 0)),)

    def decode(self, kind: int, body: bytes, sight: Sight) -> Iterable[Found]:
        """Read one address."""
        if kind != RTM_NEWADDR:
            return
        family, length, flags, _, index = IFADDRMSG.unpack_from(body)
        if family not in (AF_INET, AF_INET6):
            return
        found = attributes_of(body, 8)
        flags = number(found[IFA_FLAGS]) if IFA_FLAGS in found else flags
        far = address(found[IFA_ADDRESS])
        host = address(found[IFA_LOCAL]) if IFA_LOCAL in found else far
        value = Address(
            sight.devices.get(index, f"if{index}"),
            4 if family == AF_INET else 6,
            f"{host}/{length if host == far else 32 if family == AF_INET else 128}",
            "" if host == far else f"{far}/{length}",
            family == AF_INET and bool(flags & IFA_F_SECONDARY),
            bool(flags & IFA_F_TENTATIVE),
        )
        yield Found(value, self._mark(value, flags, found, sight))

    def _mark(self, value: Address, flags: int, found: Mapping[int, bytes], sight: Sight) -> int | None:
        maker = number(found.get(IFA_PROTO, b""))
        key = self.key(value)
        if maker == sight.owner.protocol or (not maker and key in sight.keys):
            return None
        if maker in (1, 2, 3) or (value.dev, value.address) == ("lo", LOOPBACK):
            return KERNEL
        if not flags & IFA_F_PERMANENT:
            return DHCP if value.family == 4 else KERNEL
        return maker

    def encode(self, change: Change, owner: Owner) -> list[Message]:
        """Add or delete; the whole identity in both."""
        value: Any = change.after if change.action == CREATE else change.before
        host, length = parse(value.address)
        raw = packed(host)
        far = raw
        if value.peer:
            peer, length = parse(value.peer)
            far = packed(peer)
        family = AF_INET if value.family == 4 else AF_INET6
        scope = SCOPE_HOST if host.startswith("127.") else 0
        flags = IFA_F_NODAD if _known_unique(value) else 0
        body = IFADDRMSG.pack(family, length, flags, scope, 0) + attribute(IFA_LOCAL, raw) + attribute(IFA_ADDRESS, far)
        device = ((4, value.dev),)
        if change.action == CREATE:
            body += u8(IFA_PROTO, owner.protocol if change.mark is None else _proto(change.mark))
            return [Message(RTM_NEWADDR, MessageFlags.CREATE, body, device)]
        return [Message(RTM_DELADDR, 0, body, device)]

    def command(self, change: Change, owner: Owner) -> list[list[str]]:  # noqa: ARG002
        """``ip addr add`` and ``ip addr del``; iproute2 before 6.3 cannot say the protocol."""
        value: Any = change.after if change.action == CREATE else change.before
        verb = "add" if change.action == CREATE else "del"
        host = value.address.partition("/")[0]
        words = [host, "peer", value.peer] if value.peer else [value.address]
        words += ["dev", value.dev]
        return [["ip", "addr", verb, *words, *(["nodad"] if verb == "add" and _known_unique(value) else [])]]

    def describe(self, value: Address, names: Names) -> str:  # noqa: ARG002
        """Show address and device."""
        peer = f" peer {value.peer}" if value.peer else ""
        return f"{value.address}{peer} dev {value.dev}"


def _known_unique(value: Address) -> bool:
    """Tell whether an address needs no duplicate detection; else even lo's is tentative for a millisecond.

    Until then no route can prefer it as its source (net/ipv6/addrconf.c leaves that to a worker).
    """
    return value.family == 6 and value.dev == "lo"


def _proto(mark: int) -> int:
    """A lease's address carries no protocol; its mark is ours to tell it apart."""
    return 0 if mark == DHCP else mark
