"""What a route stands on: devices that are up, gateways that are on-link, a source that is there.

Sources: net/ipv4/fib_semantics.c (fib_check_nh), net/ipv6/route.c (ip6_validate_gw, ip6_route_check_nh_onlink).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.core.kind import Lack
from reconciler.resources.prefix import contains, covering, is_default, link_local
from reconciler.resources.route.asked import barred, tables_towards
from reconciler.resources.route.value import LEAST_MTU_6, Hop, option, ways, with_hops
from reconciler.resources.tables import MAIN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.core.state import Key
    from reconciler.core.world import World
    from reconciler.resources.route.value import Route


def lacks(value: Route, world: World) -> Iterator[Key | Lack]:
    """Yield what a route needs: keys that must exist, and lacks in words."""
    if value.type not in ("unicast", "local"):
        return
    if value.options and (number := option(value, "nexthop")):
        yield ("nexthop", number)
    for hop in ways(value):
        yield from way_lacks(value.family, value.table, value.type, hop, world)
    if value.src:
        yield from _source(value.src, world)


def way_lacks(family: int, table: int, kind: str, hop: Hop, world: World) -> Iterator[Key | Lack]:
    """Yield what one way of a route, or of a nexthop object, needs."""
    if hop.dev is None:
        yield Lack(f"no address on any device reaches {hop.via}")
        return
    yield ("device", hop.dev)
    device = world.get(("device", hop.dev))
    if device is not None:
        if device.state == "down" and not (kind == "local" and family == 4):
            yield Lack(f"{hop.dev} is down")
        if (family == 6 or ":" in hop.via) and device.mtu is not None and device.mtu < LEAST_MTU_6:
            yield Lack(f"{hop.dev} carries no IPv6: its mtu is below {LEAST_MTU_6}")
    if hop.via:
        if hop.onlink and not _looped(hop):
            yield from _on_wrong_link(hop, world)
        elif not reaches(table, hop, world):
            yield Lack(f"no address on {hop.dev} reaches {hop.via}")


def decided(wanted: Route, seen: Route | None, world: World) -> Route:
    """Return a route with devices where the file leaves them open; what is there stays as long as it is good."""
    known = ways(seen) if seen is not None else ()
    found = []
    for hop in ways(wanted):
        if hop.dev is None:
            stays = next((other for other in known if other.via == hop.via and other.dev), None)
            if stays is None or not reaches(wanted.table, stays, world):
                dev = _device_towards(wanted.table, hop, world) or (stays.dev if stays else None)
            else:
                dev = stays.dev
            found.append(hop._replace(dev=dev))
        else:
            found.append(hop)
    route: Route = with_hops(wanted, tuple(found))
    return route


def reaches(table: int, hop: Hop, world: World) -> bool:
    """Tell whether a gateway is on-link: in a subnet of the device, or on a route without gateway.

    An address of this host is a gateway for IPv4, not for IPv6.
    """
    via = hop.via
    if _looped(hop):
        return False
    if ":" in via:
        mine = any(world.within(("address", "host", via)))
        return not mine and (link_local(via) or _on_link_6(table, hop, world))
    if barred(via, hop.dev, world):
        own = world.within(("route", "on-link", table, hop.dev)) if table != MAIN else ()
        here = world.within(("address", "host", via))
        return any(contains(route.to, via) for _, route, _ in own) or any(a.dev == hop.dev for _, a, _ in here)
    for _, address, _ in world.within(("address", hop.dev)):
        if contains(address.subnet, via) or address.host == via:
            return True
    return _on_link(table, hop, world)


def _device_towards(table: int, hop: Hop, world: World) -> str | None:
    """Return the device on whose link a gateway is; the longest prefix wins, then the first name."""
    if link_local(hop.via):
        return None
    found = [
        (-int(address.subnet.partition("/")[2]), address.dev)
        for _, address, _ in world.every("address")
        if contains(address.subnet, hop.via) and not _looped(hop._replace(dev=address.dev))
    ]
    if found:
        return str(min(found)[1])
    devices = sorted(device.name for _, device, _ in world.every("device"))
    found_on = (hop._replace(dev=dev) for dev in devices)
    return next((way.dev for way in found_on if _on_link(table, way, world) and not _looped(way)), None)


def _looped(hop: Hop) -> bool:
    """IPv6 has no gateways behind the loopback interface (net/ipv6/route.c, ip6_validate_gw)."""
    return hop.dev == "lo" and ":" in hop.via


def _on_link(table: int, hop: Hop, world: World) -> bool:
    return any(
        contains(route.to, hop.via)
        for place in {MAIN, table}
        for _, route, _ in world.within(("route", "on-link", place, hop.dev))
    )


def _on_link_6(table: int, hop: Hop, world: World) -> bool:
    """IPv6 asks for the longest prefix that covers the gateway: that route must not have a gateway itself.

    It asks the route's own table, then as for a packet to the gateway: the rules decide.
    """
    if _leads(table, hop, world):
        return True
    answers = (_leads(place, hop, world, least) for place, least in tables_towards(hop.via, hop.dev, world))
    return next((answer for answer in answers if answer is not None), False)


def _leads(table: int, hop: Hop, world: World, least: int = -1) -> bool | None:
    """Tell whether a table leads to a gateway's own link; None if it has no route to it, or only shorter ones."""
    for prefix in covering(hop.via):
        found = [r for _, r, _ in world.within(("route", "to", table, prefix)) if r.dev == hop.dev]
        if found:
            longest = min((route.metric, bool(route.via)) for route in found)
            return not longest[1] if int(prefix.rpartition("/")[2]) > least else None
    return None


def _on_wrong_link(hop: Hop, world: World) -> Iterator[Lack]:
    """``onlink`` takes any gateway, but not an address of this host, nor for IPv6 one on another device's link."""
    if any(True for _ in world.within(("address", "host", hop.via))):
        yield Lack(f"{hop.via} is an address of this host")
    elif any(contains(address.subnet, hop.via) for _, address, _ in world.within(("address", "lo"))):
        yield Lack(f"{hop.via} is in a subnet of lo, and so an address of this host")
    if ":" not in hop.via:
        return
    for prefix in covering(hop.via):
        found = [r for _, r, _ in world.within(("route", "to", MAIN, prefix)) if not is_default(prefix)]
        if found:
            if all(_elsewhere(route, hop) for route in found):
                yield Lack(f"{hop.via} is on the link of another device")
            return


def _elsewhere(route: Any, hop: Hop) -> bool:
    return bool(route.type == "unicast" and route.dev != hop.dev)


def _source(host: str, world: World) -> Iterator[Lack]:
    found = [address for _, address, _ in world.within(("address", "host", host))]
    if not found:
        yield Lack(f"no device has the address {host}")
    elif all(address.tentative for address in found):
        dev = min(address.dev for address in found)
        yield Lack(f"{host} on {dev} is still checked for duplicates")
