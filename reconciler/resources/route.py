"""The kind ``route``: one route of a table (``ip route``).

Ours is recognised by its protocol number. IPv4 keeps several routes under one (table, prefix, tos, metric)
if they are appended; IPv6 merges such routes into one with several next hops. So an update never uses
``replace`` where a foreign route may hold the key, and a delete always names the whole route.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from reconciler.core.change import CREATE, DELETE
from reconciler.core.kind import Effect, Lack
from reconciler.core.state import SURPLUS
from reconciler.resources.base import Dump, Found, MessageFlags, Resource, Sight
from reconciler.resources.message import Message
from reconciler.resources.prefix import contains, family_of, is_default, link_local
from reconciler.resources.route_config import SCHEMA, read
from reconciler.resources.route_wire import (
    RTM_DELROUTE,
    RTM_GETROUTE,
    RTM_NEWROUTE,
    Fields,
    hops,
    pack,
    predict,
    unpack,
)
from reconciler.resources.tables import LOCAL, MAIN
from reconciler.resources.wire import NLM_F_CREATE, NLM_F_REPLACE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.core.change import Change
    from reconciler.core.state import Key
    from reconciler.core.world import World
    from reconciler.resources.names import Names
    from reconciler.resources.owner import Owner
    from reconciler.resources.scene import Scene, Wanted

KERNEL = 2


class Route(NamedTuple):
    """A route of one next hop, or of none."""

    family: int
    table: int
    to: str
    """The prefix; everything is ``0.0.0.0/0`` or ``::/0``."""
    metric: int
    type: str = "unicast"
    via: str = ""
    dev: str | None = ""
    """Empty for types without a device; None lets the gateway's subnet decide."""
    src: str = ""
    more: tuple[str, ...] = ()
    """Attributes that the file has no words for yet, as found; empty for what the file makes."""


class RouteKind(Resource[Route]):
    """Routes of all tables."""

    name = "route"
    value = Route
    rank = 30
    open = ("dev",)
    schema = SCHEMA

    def key(self, value: Route) -> Key:
        """Return table, prefix and metric (net/ipv4/fib_trie.c, net/ipv6/ip6_fib.c)."""
        return (self.name, value.family, value.table, value.to, value.metric)

    def scope(self, value: Route) -> Key:
        """Routes belong to their table."""
        return (self.name, value.table)

    def fill(self, wanted: Route, seen: Route | None, former: Mapping[str, Any]) -> Route:
        """Keep the device that is there as long as the gateway is the same."""
        if seen is not None and seen.via != wanted.via:
            return wanted
        return super().fill(wanted, seen, former)

    def lands(self, value: Route, world: World) -> Route:
        """Without a device the kernel takes the one whose subnet the gateway is in."""
        return value if value.dev is not None else value._replace(dev=_device_towards(value.via, world))

    def requires(self, value: Route, world: World) -> Iterable[Key | Lack]:
        """A route needs its device to be up, its gateway to be on-link, its source to be usable."""
        if value.type != "unicast":
            return
        dev = value.dev if value.dev is not None else _device_towards(value.via, world)
        if dev is None:
            yield Lack(f"no address on any device reaches {value.via}")
            return
        yield ("device", dev)
        device = world.get(("device", dev))
        if device is not None and device.state == "down":
            yield Lack(f"{dev} is down")
        if value.via and not _reaches(value, dev, world):
            yield Lack(f"no address on {dev} reaches {value.via}")
        if value.src:
            yield from _source(value, world)

    def desire(self, scene: Scene) -> Iterator[Wanted]:
        """Yield the routes of all tables."""
        return read(scene, Route)

    def dumps(self, sight: Sight) -> Iterable[Dump]:  # noqa: ARG002
        """Both families; one question each, since the kernel dumps them apart."""
        return tuple(Dump(RTM_GETROUTE, bytes((family,)) + bytes(11)) for family in (2, 10))

    def decode(self, kind: int, body: bytes, sight: Sight) -> Iterable[Found]:
        """Read one route; the kernel's own in the local table are nobody's business."""
        if kind != RTM_NEWROUTE:
            return
        fields, protocol = unpack(body, sight.devices)
        if fields is None or (fields.table == LOCAL and protocol == KERNEL):
            return
        ways = hops(fields, sight.devices) if fields.family == 6 and protocol == sight.owner.protocol else []
        # The kernel shows our route and what others appended to it as one, under the first one's protocol.
        yield Found(Route(*(ways[0] if ways else fields)), None if protocol == sight.owner.protocol else protocol)
        yield from (Found(Route(*way), 0) for way in ways[1:])

    def takes(self, before: Route, after: Route | None, world: World) -> Iterable[Effect]:
        """IPv6 replaces a route with all its next hops, whoever made them (net/ipv6/ip6_fib.c)."""
        if before.family == 6 and after is not None:
            key = self.key(before)
            for other, mark in world.holders(key):
                if mark not in (None, SURPLUS) and other != before:
                    yield Effect(key, other, mark)

    def wire(self, value: Route, indexes: Mapping[str, int], owner: Owner) -> bytes | None:
        """Predict an IPv4 route's bytes."""
        return predict(Fields(*value), indexes, owner.protocol)

    def encode(self, change: Change, owner: Owner) -> list[Message]:
        """Add; append and delete the old one; or delete by the whole identity."""
        ours = owner.protocol
        mark = ours if change.mark in (None, SURPLUS) else change.mark
        before_mark = change.adopts if change.adopts is not None else mark
        if change.action == DELETE:
            return [_message(RTM_DELROUTE, 0, change.before, before_mark)]
        if change.action == CREATE:
            flags = MessageFlags.CREATE if change.mark is None else MessageFlags.APPEND
            return [_message(RTM_NEWROUTE, flags, change.after, mark)]
        after: Any = change.after
        if after.family == 6:
            return [_message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, after, mark)]
        new = _message(RTM_NEWROUTE, MessageFlags.APPEND, after, mark)
        return [new, _message(RTM_DELROUTE, 0, change.before, before_mark)]

    def command(self, change: Change, owner: Owner) -> list[list[str]]:
        """``ip route add``, ``append``, ``replace`` and ``del``."""
        mark = owner.protocol if change.mark in (None, SURPLUS) else change.mark
        old = change.adopts if change.adopts is not None else mark
        if change.action == DELETE:
            return [_words("del", change.before, old)]
        if change.action == CREATE:
            return [_words("add" if change.mark is None else "append", change.after, mark)]
        after: Any = change.after
        if after.family == 6:
            return [_words("replace", after, mark)]
        return [_words("append", after, mark), _words("del", change.before, old)]

    def describe(self, value: Route, names: Names) -> str:
        """Show table, prefix and the way."""
        return f"{self.title(value, names)}{_way(value)}"

    def title(self, value: Route, names: Names) -> str:
        """Show table and prefix."""
        to = "default" if is_default(value.to) else value.to
        metric = f" metric {value.metric}" if value.metric != (1024 if value.family == 6 else 0) else ""
        return f"v{value.family} table {names.table(value.table)}: {to}{metric}"

    def describe_change(self, before: Route, after: Route, names: Names) -> str:
        """Show the old way and the new one."""
        return f"{self.title(after, names)}:{_way(before)} →{_way(after)}"


def _way(value: Route) -> str:
    words = "" if value.type == "unicast" else f" {value.type}"
    words += f" via {value.via}" if value.via else ""
    words += f" dev {value.dev}" if value.dev else ""
    words += f" src {value.src}" if value.src else ""
    return words + "".join(f" {word}" for word in value.more)


def _message(kind: int, flags: int, value: Any, protocol: int) -> Message:  # noqa: ANN401
    body, devices = pack(Fields(*value), protocol)
    return Message(kind, flags, body, devices)


def _words(verb: str, value: Any, protocol: int) -> list[str]:  # noqa: ANN401
    words = ["ip", f"-{value.family}", "route", verb]
    words += [] if value.type == "unicast" else [value.type]
    words += [value.to]
    words += ["via", value.via] if value.via else []
    words += ["dev", value.dev] if value.dev else []
    words += ["table", str(value.table)]
    words += ["metric", str(value.metric)] if value.metric else []
    words += ["src", value.src] if value.src else []
    return [*words, "proto", f"{protocol:#x}"]


def _device_towards(via: str, world: World) -> str | None:
    """Return the device whose subnet holds a gateway; the longest prefix wins."""
    best, found = -1, None
    for _, address, _ in world.every("address"):
        if contains(address.subnet, via):
            length = int(address.subnet.partition("/")[2])
            if length > best:
                best, found = length, address.dev
    return found


def _reaches(value: Route, dev: str, world: World) -> bool:
    """Tell whether a gateway is on-link: in a subnet of the device, or on a route without gateway."""
    via = value.via
    if link_local(via):
        return True
    for _, address, _ in world.within(("address", dev)):
        if address.family == value.family and contains(address.subnet, via) and address.host != via:
            return True
    tables = {MAIN, value.table}
    return any(
        route.dev == dev and not route.via and route.type == "unicast" and not is_default(route.to)
        and family_of(route.to) == value.family and contains(route.to, via)
        for table in tables
        for _, route, _ in world.within(("route", table))
    )  # fmt: skip


def _source(value: Route, world: World) -> Iterator[Lack]:
    for _, address, _ in world.every("address"):
        if address.host == value.src:
            if address.tentative:
                yield Lack(f"{value.src} on {address.dev} is still checked for duplicates")
            return
    yield Lack(f"no device has the address {value.src}")
