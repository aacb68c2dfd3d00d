"""The kind ``route``: one route of a table (``ip route``).

Ours is recognised by its protocol number. IPv4 keeps several routes under one (table, prefix, tos, metric)
if they are appended; IPv6 merges such routes into one with several next hops. So an update never uses
``replace`` where a foreign route may hold the key, and a delete always names the whole route.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.core.change import CREATE, DELETE, REPLACE
from reconciler.core.kind import Effect
from reconciler.core.state import SURPLUS, State
from reconciler.resources.base import Dump, Found, MessageFlags, Resource, Sight
from reconciler.resources.message import Message
from reconciler.resources.route.config import read
from reconciler.resources.route.ground import decided, lacks
from reconciler.resources.route.schema import SCHEMA
from reconciler.resources.route.value import Hop, Route, essence, gateways, hops, option, with_hops, with_options
from reconciler.resources.route.wire import (
    RTM_DELROUTE,
    RTM_GETROUTE,
    RTM_NEWROUTE,
    SCOPES,
    default_scope,
    pack,
    predict,
    unpack,
)
from reconciler.resources.route.words import title, way, words
from reconciler.resources.tables import LOCAL
from reconciler.resources.wire import NLM_F_CREATE, NLM_F_REPLACE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.core.change import Change
    from reconciler.core.kind import Lack
    from reconciler.core.state import Key, Value
    from reconciler.core.world import World
    from reconciler.resources.names import Names
    from reconciler.resources.owner import Owner
    from reconciler.resources.scene import Scene, Wanted

KERNEL = 2


class RouteKind(Resource[Route]):
    """Routes of all tables."""

    name = "route"
    value = Route
    rank = 30
    open = ("dev",)
    remembers = "always"
    schema = SCHEMA

    def key(self, value: Route) -> Key:
        """Return table, prefix and metric, for IPv4 tos as well (net/ipv4/fib_trie.c, net/ipv6/ip6_fib.c)."""
        if value.options and value.options[0][0] == "tos":
            return (self.name, value.family, value.table, value.to, value.metric, value.options[0][1])
        return (self.name, value.family, value.table, value.to, value.metric)

    def scope(self, value: Route) -> Key:
        """Routes belong to their table."""
        return (self.name, value.table)

    def groups(self, value: Route) -> Iterable[Key]:
        """Routes are looked up by table; those that lead to a link itself also by device, IPv6's by prefix."""
        yield self.scope(value)
        if value.type == "unicast" and not value.via and value.dev:
            if not value.options or not option(value, "tos"):  # the kernel looks gateways up without one
                yield (self.name, "on-link", value.table, value.dev)
        elif value.options:
            if number := option(value, "nexthop"):
                yield (self.name, "nexthop", number)
            for hop in hops(value):
                if not hop.via and hop.dev:
                    yield (self.name, "on-link", value.table, hop.dev)
        if value.family == 6:
            yield (self.name, "to", value.table, value.to)

    def same(self, one: Route, other: Route) -> bool:
        """The order of next hops does not count, nor whether they work at the moment."""
        return one == other or (bool(one.options and other.options) and essence(one) == essence(other))

    def decide(self, wanted: Route, seen: Route | None, world: World) -> Route:
        """Without a device the kernel takes the one whose subnet the gateway is in; it stays if it is good.

        The scope of an IPv4 route that leads the same way stays as it is, unless the file says another.
        """
        if wanted.dev is None:
            wanted = decided(wanted, seen, world)
        elif not wanted.options and (seen is None or not seen.options):
            return wanted
        return _scoped(wanted, seen) if wanted.family == 4 else wanted

    def excludes(self, before: Route | None, after: Route, other: Route) -> bool:
        """IPv4 keeps routes of one key side by side. IPv6 makes routes with gateways one of several next hops.

        That one carries the first one's protocol: a new one of ours would not be known as ours.
        """
        if after.family == 4:
            return False
        ours, theirs = gateways(after), gateways(other)
        if ours and theirs:
            return bool(ours & theirs) or before is None or not gateways(before)
        return _refuge(after) == _refuge(other)

    def crowded(self, before: Route, after: Route, other: Route) -> str:
        """IPv6 replaces the first route of a key that has a gateway if this has one, that has none if not.

        Whoever made it (net/ipv6/ip6_fib.c, fib6_add_rt2node): so an update in place could hit another one.
        """
        if before.family == 4 or (gateways(before) and gateways(after)):
            return ""
        alike = not gateways(before) and not gateways(after)
        return "" if alike and gateways(other) else "another route has the same prefix and metric"

    def takes(self, before: Route, after: Route | None, world: World) -> Iterable[Effect]:
        """IPv6 replaces a route with all its next hops, whoever made them (net/ipv6/ip6_fib.c)."""
        if before.family == 6 and after is not None and gateways(before) and gateways(after):
            key = self.key(before)
            for other, mark in world.holders(key):
                if mark not in (None, SURPLUS) and other != before and gateways(other):
                    yield Effect(key, other, mark)

    def requires(self, value: Route, world: World) -> Iterable[Key | Lack]:
        """A route needs its devices to be up, its gateways to be on-link, its source to be usable."""
        return lacks(value, world)

    def desire(self, scene: Scene) -> Iterator[Wanted]:
        """Yield the routes of all tables."""
        return read(scene)

    def dumps(self, sight: Sight) -> Iterable[Dump]:  # noqa: ARG002
        """Both families; one question each, since the kernel dumps them apart."""
        return tuple(Dump(RTM_GETROUTE, bytes((family,)) + bytes(11)) for family in (2, 10))

    def decode(self, kind: int, body: bytes, sight: Sight) -> Iterable[Found]:
        """Read one route; the kernel's own in the local table are nobody's business."""
        if kind != RTM_NEWROUTE:
            return
        route, protocol = unpack(body, sight.devices)
        if route is None or (route.table == LOCAL and protocol == KERNEL):
            return
        mark = None if protocol == sight.owner.protocol else protocol
        several = hops(route) if route.family == 6 and mark is None else ()
        if not several:
            yield Found(route, mark)
        # The kernel shows our route and what others appended to it as one, under the first one's protocol.
        for number, hop in enumerate(several):
            yield Found(with_hops(route, (hop,)), 0 if number else None)
        if several:
            sight.hops[self.key(route)] = several

    def recorded(self, value: Route) -> Key | None:
        """Return the gateways of an IPv6 route of several: the kernel does not show whose each of them is."""
        if value.family == 4 or not value.options or not hops(value):
            return None
        return (*self.key(value), tuple(sorted((hop.via, hop.dev) for hop in hops(value))))

    def claim_ours(self, state: State, desired: Mapping[Key, Value], sight: Sight) -> State:
        """Put our IPv6 next hops together: what the file wants or the record knows, beside the first, is ours."""
        if not sight.hops:
            return state
        recorded = {key[:5]: key[5] for key in sight.keys if key[0] == self.name and len(key) == 6}
        ours, foreign = dict(state.ours), dict(state.foreign)
        for key, found in sight.hops.items():
            first: Any = ours.get(key)
            known = {*recorded.get(key, ()), *((via, dev) for via, dev in gateways(desired.get(key)))}
            mine = [h for h in found if gateways(first) == {(h.via, h.dev)} or known & {(h.via, h.dev), (h.via, None)}]
            if first is None or len(mine) < 2:
                continue
            ours[key] = with_hops(first, tuple(mine))
            theirs = {(hop.via, hop.dev) for hop in mine}
            left = tuple(held for held in foreign.get(key, ()) if not gateways(held.value) & theirs)
            if left:
                foreign[key] = left
            else:
                foreign.pop(key, None)
        return State(ours, foreign, state.unknown)

    def wire(self, value: Route, indexes: Mapping[str, int], owner: Owner) -> bytes | None:
        """Predict an IPv4 route's bytes."""
        return predict(value, indexes, owner.protocol)

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
            return [words("del", change.before, old)]
        if change.action == CREATE:
            verb = "append" if change.mark is not None or change.beside else "add"
            return [words(verb, change.after, mark)]
        after: Any = change.after
        lines = [words("append", after, mark), words("del", change.before, old)]
        if change.action == REPLACE:
            return lines[::-1]
        return [words("replace", after, mark)] if after.family == 6 else lines

    def describe(self, value: Route, names: Names) -> str:
        """Show table, prefix and the way."""
        return f"{title(value, names)}{way(value, names)}"

    def title(self, value: Route, names: Names) -> str:
        """Show table and prefix."""
        return title(value, names)

    def describe_change(self, before: Route, after: Route, names: Names) -> str:
        """Show the old way and the new one."""
        return f"{title(after, names)}:{way(before, names)} →{way(after, names)}"

    def revive(self, fields: Mapping[str, Any]) -> Route:
        """Return the route that a JSON object holds."""
        route = super().revive(fields)
        found = tuple(Hop(*hop) for hop in hops(route))
        revived: Route = with_options(route, nexthops=found) if found else route
        return revived


def _scoped(wanted: Route, seen: Route | None) -> Route:
    """Return an IPv4 route with a scope only where it is not what the route would have anyway."""
    scope = option(wanted, "scope") if wanted.options else None
    if scope is not None:
        plain: Route = with_options(wanted, scope=None)
        return plain if SCOPES.get(default_scope(plain)) == scope else wanted
    if seen is not None and seen.options and (theirs := option(seen, "scope")):
        alike: Route = with_options(wanted, scope=theirs)
        return alike if essence(alike) == essence(seen) else wanted
    return wanted


def _refuge(route: Route) -> tuple[Any, ...]:
    """Return what of an IPv6 route without a gateway the kernel compares with another one of its key.

    Those that lead nowhere are kept at lo.
    """
    return (route.via, route.dev or "lo", option(route, "nexthop"))


def _message(kind: int, flags: int, value: Any, protocol: int) -> Message:
    body, devices = pack(value, protocol)
    return Message(kind, flags, body, devices)
