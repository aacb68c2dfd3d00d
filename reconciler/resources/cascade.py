"""What the kernel does by itself to addresses and routes when addresses and interfaces come and go.

Measured on Linux 6.18; the sources are net/ipv4/devinet.c, net/ipv4/fib_frontend.c, net/ipv6/addrconf.c
and net/ipv6/route.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.core.kind import Effect
from reconciler.resources.address_value import FOREVER, PREFIX_METRIC_6
from reconciler.resources.prefix import link_local, network, span
from reconciler.resources.route import Route
from reconciler.resources.route.value import uses, without
from reconciler.resources.tables import MAIN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from reconciler.core.state import Key
    from reconciler.core.world import World
    from reconciler.resources.route import Hop

KERNEL = 2


def connected(address: Any, world: World) -> Iterator[tuple[Route, int]]:
    """Yield the route to an address's own subnet, which comes with the address on an interface that is up."""
    to, dev = network(address.net), address.dev
    table = table_of(dev, world)
    if address.family == 4:
        whole = not address.peer and to.endswith("/32")
        if not (address.noprefixroute or address.secondary or whole or dev == "lo" or to.startswith("0.")):
            yield Route(4, table, to, address.metric or 0, "unicast", "", dev, address.host), KERNEL
        return
    metric = address.metric or PREFIX_METRIC_6
    for to in sorted({*(() if address.noprefixroute else (_prefix(address),)), *_far_end(address)}):
        held = world.holders(("route", 6, table, to, metric))
        if not any(other.dev == dev and not other.via for other, _ in held):  # type: ignore[attr-defined]
            yield Route(6, table, to, metric, "unicast", "", dev), KERNEL


def table_of(dev: str, world: World) -> int:
    """Return the table of an interface's own subnets: that of its VRF, else main (l3mdev_fib_table)."""
    device = world.get(("device", dev))
    for name in (dev, device.master if device is not None else ""):
        link = world.get(("link", name)) if name else None
        if link is not None and link.type == "vrf":
            return int(dict(link.options).get("table", MAIN))
    return MAIN


def without_nexthops(ids: set[int], world: World) -> Iterator[Effect]:
    """Yield what goes with nexthop objects: their routes, their places in groups, groups without a member left."""
    lost = set(ids)
    groups = dict.fromkeys(one for number in sorted(ids) for one in world.within(("nexthop", "member", number)))
    for key, value, mark in groups:
        left = tuple(entry for entry in value.group if entry[0] not in ids)
        yield Effect(key, value, mark, value._replace(group=left) if left else None)
        if not left:
            lost.add(value.id)
    for number in sorted(lost):
        for key, route, mark in world.within(("route", "nexthop", number)):
            yield Effect(key, route, mark)


def _nexthops(name: str, world: World) -> Iterator[Effect]:
    """Yield the nexthop objects of a device that goes down (net/ipv4/nexthop.c, nexthop_flush_dev)."""
    found = list(world.within(("nexthop", "dev", name)))
    for key, value, mark in found:
        yield Effect(key, value, mark)
    if found:
        yield from without_nexthops({value.id for _, value, _ in found}, world)


def _ways(name: str, world: World, family: int, *, gone: bool) -> Iterator[Effect]:
    for key, route, mark in world.every("route"):
        if family in (0, route.family) and uses(route, name):
            yield Effect(key, route, mark, without(route, name, gone=gone, works=_works(route, world)))


def _works(route: Route, world: World) -> Callable[[Hop], bool]:
    """Return the test whether a next hop is in use: it is again when its device has come up, or got an address."""

    def works(hop: Hop) -> bool:
        device = world.get(("device", hop.dev))
        if not hop.dead or device is None or device.state != "up":
            return not hop.dead
        return any(route.family == 6 or other.family == 4 for _, other, _ in world.within(("address", hop.dev)))

    return works


def siblings(address: Any, world: World) -> list[tuple[Key, Any, int | None]]:
    """Return the other IPv4 addresses of the same subnet on the same interface, by key."""
    net = span(address.net)
    return sorted(
        (one for one in _others(address, world) if span(one[1].net) == net),
        key=lambda one: one[0],
    )


def ways(name: str, world: World, family: int = 0, *, gone: bool = False) -> Iterator[Effect]:
    """Yield all routes through an interface, in all tables: they go with it, and IPv4's without an event.

    Without a family, or with ``gone``, the interface goes for good: that matters where there are several next hops.
    """
    yield from _ways(name, world, family, gone=gone or not family)
    if family != 6:
        yield from _nexthops(name, world)


def without_ipv6(name: str, world: World, *, gone: bool = False, keep: bool = False) -> Iterator[Effect]:
    """Yield what an interface loses that goes down, or is ``gone`` for IPv6 since it became too small.

    :param keep: global addresses that are valid for ever stay, and are checked for duplicates again (addrconf_ifdown).
    """
    for key, address, mark in world.within(("address", name)):
        if address.family == 4:
            continue
        if not (keep and address.valid == FOREVER) or link_local(address.host) or address.host == "::1":
            yield Effect(key, address, mark)
        elif address.tentative == bool(address.nodad):
            yield Effect(key, address, mark, address._replace(tentative=not address.nodad))
    yield from ways(name, world, 6, gone=gone)


def without_address(address: Any, world: World) -> Iterator[Effect]:
    """Yield what goes, or changes, with one address, besides itself."""
    return _without_6(address, world) if address.family == 6 else _without_4(address, world)


def otherwise(before: Any, after: Any, world: World) -> Iterator[Effect]:
    """Yield the route to an address's subnet that goes when the address is changed in place; it may come anew.

    IPv4 takes out its own route (fib_modify_prefix_metric); IPv6 the first one to the prefix on the interface,
    whoever made it (inet6_addr_modify).
    """
    if before.metric == after.metric and before.noprefixroute == after.noprefixroute:
        return
    if before.family == 4:
        if before.metric != after.metric:
            yield from _own_route(before, world)
    elif after.noprefixroute:
        yield from _prefix_route(before, world)
    elif before.valid == FOREVER and not before.noprefixroute:
        metric = after.metric or PREFIX_METRIC_6
        first = _first_route(_prefix(before), before.dev, world)
        yield from (effect for effect in first if effect.key[4] != metric)


def orphaned(addresses: Iterable[Any], world: World) -> Iterator[Effect]:
    """Yield the IPv4 routes of the main table that go with their source addresses.

    In other tables they stay, with a source that is gone (net/ipv4/fib_semantics.c, fib_sync_down_addr).
    """
    gone = [address for address in addresses if address.family == 4]
    hosts = {a.host for a in gone if not _elsewhere(a.host, gone, world)}
    if hosts:
        for key, route, mark in world.within(("route", MAIN)):
            if route.src in hosts:
                yield Effect(key, route, mark)


def _others(address: Any, world: World) -> list[tuple[Key, Any, int | None]]:
    return [
        one
        for one in world.within(("address", address.dev))
        if one[1].family == address.family and one[1][:4] != address[:4]
    ]


def _elsewhere(host: str, gone: list[Any], world: World) -> bool:
    """Tell whether a host's address stays on some interface."""
    left = [a[:4] for a in gone]
    return any(other[:4] not in left for _, other, _ in world.within(("address", "host", host)))


def _without_4(address: Any, world: World) -> Iterator[Effect]:
    """A primary takes its secondaries, or one takes its place; the last address takes all of the routes."""
    gone = [address]
    if not address.secondary:
        device = world.get(("device", address.dev))
        followers = [one for one in siblings(address, world) if one[1].secondary]
        if device is not None and device.promote and followers:
            key, value, mark = followers[0]
            yield Effect(key, value, mark, value._replace(secondary=False))
        else:
            for key, value, mark in followers:
                gone.append(value)
                yield Effect(key, value, mark)
    left = [a[:4] for a in gone]
    last = all(other[:4] in left for _, other, _ in _others(address, world))
    lost = dict.fromkeys([*(_ways(address.dev, world, 4, gone=False) if last else ()), *orphaned(gone, world)])
    lost.update(dict.fromkeys(_own_route(address, world)))
    yield from lost


def _own_route(address: Any, world: World) -> Iterator[Effect]:
    """Yield the route that a primary IPv4 address has brought."""
    if address.secondary or address.noprefixroute:
        return
    to = network(address.net)
    for key, route, mark in world.within(("route", "on-link", table_of(address.dev, world), address.dev)):
        if mark == KERNEL and route.to == to and route.src == address.host:
            yield Effect(key, route, mark)


def _without_6(address: Any, world: World) -> Iterator[Effect]:
    """The last address of a prefix takes a route to it; routes lose a source that is nowhere any more.

    Which route goes is a matter of luck: the first one to the prefix on the interface, whoever made it.
    """
    routes = [*_prefix_route(address, world)]
    for to in _far_end(address):
        routes += _first_route(to, address.dev, world)
    lost = {(effect.key, effect.mark): effect for effect in routes}
    yield from lost.values()
    if _elsewhere(address.host, [address], world):
        return
    for key, route, mark in world.every("route"):
        if route.src == address.host and (key, mark) not in lost:
            yield Effect(key, route, mark, route._replace(src=""))


def _prefix_route(address: Any, world: World) -> Iterator[Effect]:
    """Yield the routes that go with the last address of a prefix (check_cleanup_prefix_route).

    An address with a lifetime leaves them: they have one, too.
    """
    if address.noprefixroute or address.valid != FOREVER:
        return
    to = _prefix(address)
    if all(_prefix(other) != to for _, other, _ in _others(address, world)):
        yield from _first_route(to, address.dev, world)


def _first_route(to: str, dev: str, world: World) -> Iterator[Effect]:
    """Yield the first route to a prefix on an interface, whoever made it (addrconf_get_prefix_route).

    The kernel keeps routes that lead nowhere at the loopback interface: there they count, too.
    """
    found = [
        (key[4], number, Effect(key, route, mark))
        for number, (key, route, mark) in enumerate(world.within(("route", "to", table_of(dev, world), to)))
        if not route.via and route.dev == ("" if dev == "lo" and route.type != "unicast" else dev)
    ]
    if found:
        yield min(found)[2]


def _prefix(address: Any) -> str:
    """Return the prefix that an IPv6 address makes a route to; with a peer, the peer's length counts."""
    length = (address.peer or address.address).partition("/")[2]
    return network(f"{address.host}/{length}")


def _far_end(address: Any) -> tuple[str, ...]:
    """Return what an IPv6 address with a peer makes a route to besides, with noprefixroute or without."""
    return (network(address.peer.partition("/")[0]),) if address.peer else ()
