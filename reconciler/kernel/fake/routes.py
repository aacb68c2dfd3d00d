"""The fake kernel's routing tables (net/ipv4/fib_semantics.c, fib_trie.c; net/ipv6/route.c, ip6_fib.c)."""

from __future__ import annotations

from errno import EEXIST, EHOSTUNREACH, EINVAL, ENETDOWN, ENETUNREACH, ENODEV, ESRCH
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any

from reconciler.kernel.fake.errors import DeniedError
from reconciler.kernel.fake.store import KERNEL

if TYPE_CHECKING:
    from reconciler.kernel.fake.store import Store, Thing
    from reconciler.resources.route import Route

MAIN = 254
LEAST_MTU_6 = 1280


def add(store: Store, route: Route, mark: int | None, *, append: bool) -> None:
    """RTM_NEWROUTE with NLM_F_CREATE, and NLM_F_EXCL or NLM_F_APPEND."""
    route = _checked(store, route)
    held = [thing for thing in store.all("route") if _key(thing.value) == _key(route)]
    if held and not append:
        raise DeniedError(EEXIST, "File exists")
    for thing in held:
        alike = (thing.value, thing.mark) == (route, mark)
        if route.family == 6:
            alike = _hop(thing.value) == _hop(route)
        if alike:
            raise DeniedError(EEXIST, "File exists")
    store.add("route", route, mark)


def replace(store: Store, route: Route, mark: int | None) -> None:
    """RTM_NEWROUTE with NLM_F_REPLACE for IPv6: the first route of the key that is of the same sort, or any.

    Routes with gateways are next hops of one route, and go together.
    """
    route = _checked(store, route)
    held = [thing for thing in store.all("route") if _key(thing.value) == _key(route)]
    if not held:
        store.add("route", route, mark)
        return
    alike = [thing for thing in held if bool(thing.value.via) == bool(route.via)]
    thing = (alike or held)[0]
    store.add("route", route, mark, before=thing)
    for gone in alike if route.via and alike else [thing]:
        store.remove("route", gone)


def delete(store: Store, route: Route, mark: int | None) -> None:
    """RTM_DELROUTE: the first route that fits all that is named; what is not named fits anything.

    Protocol 0 names none.
    """
    for thing in store.all("route"):
        value = thing.value
        if (
            _key(value) == _key(route)
            and mark in (0, thing.mark)
            and (route.family == 6 or value.type == route.type)
            and (not route.via or value.via == route.via)
            and (not route.dev or value.dev == route.dev)
            and (not route.src or route.family == 6 or value.src == route.src)
        ):
            store.remove("route", thing)
            return
    raise DeniedError(ESRCH, "No such process")


def seeming(things: list[Thing]) -> list[int | None]:
    """Return whose each route seems to be in a dump.

    IPv6 routes of one key with gateways are shown as one, with the protocol of the first. If that is ours, the
    kind takes the others for somebody's; if it is not, it cannot know that any of them is ours.
    """
    first: dict[tuple[Any, ...], int | None] = {}
    marks = []
    for thing in things:
        key, mark = _key(thing.value), thing.mark
        if thing.value.family == 6 and thing.value.via:
            mark = (first[key] or 0) if key in first else mark
            first.setdefault(key, mark)
        marks.append(mark)
    return marks


def make(store: Store, route: Route) -> None:
    """Add a route of the kernel's own beside whatever is there; an equal one is no error."""
    for thing in store.all("route"):
        if _key(thing.value) == _key(route):
            if route.family == 6 and _hop(thing.value) == _hop(route):
                return
            if (thing.value, thing.mark) == (route, KERNEL):
                return
    store.add("route", route, KERNEL)


net = lru_cache(ip_network)


@lru_cache
def _covers(prefix: str, host: str) -> bool:
    return ip_address(host) in net(prefix)


def _key(route: Route) -> tuple[Any, ...]:
    tos = dict(route.options).get("tos", 0)
    return route.family, route.table, route.to, route.metric, tos


def _hop(route: Route) -> tuple[str, str]:
    return route.via, route.dev or "lo"


def _checked(store: Store, route: Route) -> Route:
    """Refuse what cannot work; return the route with the device that was found for it."""
    if route.type == "local" and route.family == 4:
        _device(store, str(route.dev))
    elif route.type in ("unicast", "local") and route.dev != "":
        plain = route.family == 4 and ":" not in route.via
        route = _checked_4(store, route) if plain else _checked_6(store, route)
    if route.src:
        hosts = [a.value for a in store.where("address", lambda a: a.host == route.src)]
        if route.family == 4 and not hosts:
            raise DeniedError(EINVAL, "Invalid prefsrc address.")
        if route.family == 6 and all(a.tentative for a in hosts):
            raise DeniedError(EINVAL, "Invalid source address.")
    return route


def _checked_4(store: Store, route: Route) -> Route:
    if route.dev is not None:
        device = _device(store, route.dev)
        if not route.via and device.state != "up":
            raise DeniedError(ENETDOWN, "Device for nexthop is not up.")
    if not route.via:
        return route
    if "onlink" in dict(route.options):
        device = _device(store, str(route.dev))
        if device.state != "up":
            raise DeniedError(ENETDOWN, "Nexthop device is not up")
        if store.first("address", lambda a: a.host == route.via) is not None:
            raise DeniedError(EINVAL, "Nexthop has invalid gateway")
        return route
    tables = (route.table,) if route.table != MAIN else ()
    found = _links_4(store, route, tables) or _links_4(store, route, (MAIN,), local=True)
    if not found:
        raise DeniedError(ENETUNREACH, "Nexthop has invalid gateway.")
    dev = max(found)[1]
    if _device(store, dev).state != "up":
        raise DeniedError(ENETDOWN, "Nexthop device is not up")
    return route._replace(dev=dev)


def _links_4(store: Store, route: Route, tables: tuple[int, ...], *, local: bool = False) -> list[tuple[int, str]]:
    """Return length and device of each route of link scope, or own address, that covers the gateway."""
    found = []
    for thing in store.all("route"):
        value = thing.value
        near = value.type == "unicast" and not value.via and value.dev and route.dev in (None, value.dev)
        if near and value.family == 4 and value.table in tables and _covers(value.to, route.via):
            found.append((net(value.to).prefixlen, value.dev))
    if local:
        own = store.where("address", lambda a: a.host == route.via and route.dev in (None, a.dev))
        found += [(32, thing.value.dev) for thing in own]
    return found


def _checked_6(store: Store, route: Route) -> Route:
    if route.dev is None:
        raise DeniedError(EINVAL, "Egress device not specified.")
    device = _device(store, route.dev)
    if device.mtu < LEAST_MTU_6:
        raise DeniedError(ENODEV, "No such device")
    if device.state != "up":
        raise DeniedError(ENETDOWN, "Nexthop device is not up")
    if not route.via:
        return route
    near = ip_address(route.via).is_link_local
    for thing in store.where("address", lambda a: a.host == route.via):
        if not near or thing.value.dev == route.dev:
            raise DeniedError(EINVAL, "Gateway can not be a local address.")
    if "onlink" in dict(route.options):
        if not near and not _link_agrees(store, route):
            raise DeniedError(EINVAL, "Nexthop has invalid gateway or device mismatch")
    elif not near and not any(_on_link_6(store, route, table) for table in (route.table, MAIN)):
        raise DeniedError(EHOSTUNREACH, "No route to host")
    return route


def _on_link_6(store: Store, route: Route, table: int) -> bool:
    """Tell whether the longest prefix of a table that covers the gateway is on the link itself."""
    found = [
        (net(thing.value.to).prefixlen, -thing.value.metric, not thing.value.via)
        for thing in store.all("route")
        if thing.value.family == 6
        and thing.value.table == table
        and thing.value.type == "unicast"
        and thing.value.dev == route.dev
        and _covers(thing.value.to, route.via)
    ]
    return bool(found) and max(found)[2]


def _link_agrees(store: Store, route: Route) -> bool:
    """Tell whether the main table leads to a gateway by no other device; its default route does not count."""
    found = [
        (net(thing.value.to).prefixlen, thing.value.type == "unicast" and thing.value.dev != route.dev)
        for thing in store.all("route")
        if thing.value.family == 6
        and thing.value.table == MAIN
        and not thing.value.to.endswith("/0")
        and _covers(thing.value.to, route.via)
    ]
    return not found or not max(found)[1]


def _device(store: Store, name: str) -> Any:
    thing: Thing | None = store.first("device", lambda d: d.name == name)
    if thing is None:
        raise DeniedError(ENODEV, f"Cannot find device {name}")
    return thing.value
