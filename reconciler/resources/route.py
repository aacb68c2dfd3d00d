"""The kind ``route``: one route of a table (``ip route``).

Ours is recognised by its protocol number. IPv4 keeps several routes under one (table, prefix, tos, metric)
if they are appended; IPv6 merges such routes into one with several next hops. So an update never uses
``replace`` where a foreign route may hold the key, and a delete always names the whole route.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from reconciler.core.change import CREATE, DELETE, REPLACE
from reconciler.core.kind import Effect, Lack
from reconciler.core.state import SURPLUS
from reconciler.resources.base import Dump, Found, MessageFlags, Resource, Sight
from reconciler.resources.message import Message
from reconciler.resources.prefix import contains, covering, is_default, link_local
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
LEAST_MTU_6 = 1280
"""IPV6_MIN_MTU (linux/ipv6.h): a device with less has no IPv6 at all."""


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

    def groups(self, value: Route) -> Iterable[Key]:
        """Routes are looked up by table; those that lead to a link itself also by device, IPv6's by prefix."""
        yield self.scope(value)
        if value.type == "unicast" and not value.via and value.dev:
            yield (self.name, "on-link", value.table, value.dev)
        if value.family == 6:
            yield (self.name, "to", value.table, value.to)

    def decide(self, wanted: Route, seen: Route | None, world: World) -> Route:
        """Without a device the kernel takes the one whose subnet the gateway is in; it stays if it is good."""
        if wanted.dev is not None:
            return wanted
        stays = seen is not None and seen.dev and seen.via == wanted.via
        if stays and _reaches(seen, world):  # type: ignore[arg-type]
            return wanted._replace(dev=seen.dev)  # type: ignore[union-attr]
        found = _device_towards(wanted, world)
        return wanted._replace(dev=found or (seen.dev if stays else None))  # type: ignore[union-attr]

    def excludes(self, before: Route | None, after: Route, other: Route) -> bool:
        """IPv4 keeps routes of one key side by side. IPv6 makes routes with gateways one of several next hops.

        That one carries the first one's protocol: a new one of ours would not be known as ours.
        """
        if after.family == 4:
            return False
        if after.via and other.via:
            return (after.via, after.dev) == (other.via, other.dev) or before is None or not before.via
        return (after.type == "unicast", after.via, after.dev) == (other.type == "unicast", other.via, other.dev)

    def crowded(self, before: Route, after: Route, other: Route) -> str:
        """IPv6 replaces the first route of a key that has a gateway if this has one, that has none if not.

        Whoever made it (net/ipv6/ip6_fib.c, fib6_add_rt2node): so an update in place could hit another one.
        """
        if before.family == 4 or (before.via and after.via):
            return ""
        alike = not before.via and not after.via
        return "" if alike and other.via else "another route has the same prefix and metric"

    def takes(self, before: Route, after: Route | None, world: World) -> Iterable[Effect]:
        """IPv6 replaces a route with all its next hops, whoever made them (net/ipv6/ip6_fib.c)."""
        if before.family == 6 and before.via and after is not None and after.via:
            key = self.key(before)
            for other, mark in world.holders(key):
                if mark not in (None, SURPLUS) and other.via and other != before:  # type: ignore[attr-defined]
                    yield Effect(key, other, mark)

    def requires(self, value: Route, world: World) -> Iterable[Key | Lack]:
        """A route needs its device to be up, its gateway to be on-link, its source to be usable."""
        if value.type != "unicast" or value.dev == "":
            return
        if value.dev is None:
            yield Lack(f"no address on any device reaches {value.via}")
            return
        yield ("device", value.dev)
        device = world.get(("device", value.dev))
        if device is not None:
            if device.state == "down":
                yield Lack(f"{value.dev} is down")
            if value.family == 6 and device.mtu is not None and device.mtu < LEAST_MTU_6:
                yield Lack(f"{value.dev} carries no IPv6: its mtu is below {LEAST_MTU_6}")
        if value.via and not _reaches(value, world):
            yield Lack(f"no address on {value.dev} reaches {value.via}")
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
        after: Any = change.after
        if change.action == CREATE:
            flags = MessageFlags.APPEND if change.mark is not None or change.beside else MessageFlags.CREATE
            return [_message(RTM_NEWROUTE, flags, after, mark)]
        old = _message(RTM_DELROUTE, 0, change.before, before_mark)
        new = _message(RTM_NEWROUTE, MessageFlags.APPEND, after, mark)
        if change.action == REPLACE:
            return [old, new]
        if after.family == 6:
            return [_message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, after, mark)]
        return [new, old]

    def command(self, change: Change, owner: Owner) -> list[list[str]]:
        """``ip route add``, ``append``, ``replace`` and ``del``."""
        mark = owner.protocol if change.mark in (None, SURPLUS) else change.mark
        old = change.adopts if change.adopts is not None else mark
        if change.action == DELETE:
            return [_words("del", change.before, old)]
        if change.action == CREATE:
            verb = "append" if change.mark is not None or change.beside else "add"
            return [_words(verb, change.after, mark)]
        after: Any = change.after
        lines = [_words("append", after, mark), _words("del", change.before, old)]
        if change.action == REPLACE:
            return lines[::-1]
        return [_words("replace", after, mark)] if after.family == 6 else lines

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


def _message(kind: int, flags: int, value: Any, protocol: int) -> Message:
    body, devices = pack(Fields(*value), protocol)
    return Message(kind, flags, body, devices)


def _words(verb: str, value: Any, protocol: int) -> list[str]:
    words = ["ip", f"-{value.family}", "route", verb]
    words += [] if value.type == "unicast" else [value.type]
    words += [value.to]
    words += ["via", value.via] if value.via else []
    words += ["dev", value.dev] if value.dev else []
    words += ["table", str(value.table)]
    words += ["metric", str(value.metric)] if value.metric else []
    words += ["src", value.src] if value.src else []
    return [*words, "proto", f"{protocol:#x}"]


def _device_towards(value: Route, world: World) -> str | None:
    """Return the device on whose link a gateway is; the longest prefix wins, then the first name."""
    if link_local(value.via):
        return None
    found = [
        (-int(address.subnet.partition("/")[2]), address.dev)
        for _, address, _ in world.every("address")
        if contains(address.subnet, value.via) and not _looped(value._replace(dev=address.dev))
    ]
    if found:
        return str(min(found)[1])
    devices = sorted(device.name for _, device, _ in world.every("device"))
    ways = [value._replace(dev=dev) for dev in devices]
    return next((way.dev for way in ways if _on_link(way, world) and not _looped(way)), None)


def _reaches(value: Route, world: World) -> bool:
    """Tell whether a gateway is on-link: in a subnet of the device, or on a route without gateway.

    An address of this host is a gateway for IPv4, not for IPv6 (net/ipv6/route.c, ip6_validate_gw).
    """
    via = value.via
    if _looped(value):
        return False
    if ":" in via:
        return not any(world.within(("address", "host", via))) and (link_local(via) or _on_link_6(value, world))
    for _, address, _ in world.within(("address", value.dev)):
        if contains(address.subnet, via) or address.host == via:
            return True
    return _on_link(value, world)


def _looped(value: Route) -> bool:
    """IPv6 has no gateways behind the loopback interface (net/ipv6/route.c, ip6_validate_gw)."""
    return value.dev == "lo" and ":" in value.via


def _on_link_6(value: Route, world: World) -> bool:
    """IPv6 asks for the longest prefix that covers the gateway: that route must not have a gateway itself."""
    for table in (value.table, MAIN):
        for prefix in covering(value.via):
            found = [r for _, r, _ in world.within(("route", "to", table, prefix)) if r.dev == value.dev]
            if found:
                if not min((route.metric, bool(route.via)) for route in found)[1]:
                    return True
                break
    return False


def _on_link(value: Route, world: World) -> bool:
    return any(
        contains(route.to, value.via)
        for table in {MAIN, value.table}
        for _, route, _ in world.within(("route", "on-link", table, value.dev))
    )


def _source(value: Route, world: World) -> Iterator[Lack]:
    found = [address for _, address, _ in world.within(("address", "host", value.src))]
    if not found:
        yield Lack(f"no device has the address {value.src}")
    elif all(address.tentative for address in found):
        dev = min(address.dev for address in found)
        yield Lack(f"{value.src} on {dev} is still checked for duplicates")
