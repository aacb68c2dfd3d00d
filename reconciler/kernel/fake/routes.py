"""The fake kernel's routing tables (net/ipv4/fib_semantics.c, fib_trie.c; net/ipv6/route.c, ip6_fib.c)."""

from __future__ import annotations

from errno import EEXIST, EHOSTUNREACH, EINVAL, ENETDOWN, ENETUNREACH, ENODEV, ESRCH
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any

from reconciler.kernel.fake import nexthops
from reconciler.kernel.fake.errors import DeniedError
from reconciler.kernel.fake.store import KERNEL
from reconciler.resources.route.value import Hop, gateways, hops, option, ways, with_hops, with_options

if TYPE_CHECKING:
    from reconciler.kernel.fake.store import Store, Thing
    from reconciler.resources.route import Route

MAIN = 254
LEAST_MTU_6 = 1280


def add(store: Store, route: Route, mark: int | None, *, append: bool) -> None:
    """RTM_NEWROUTE with NLM_F_CREATE, and NLM_F_EXCL or NLM_F_APPEND."""
    route = checked(store, route)
    held = [thing for thing in store.all("route") if _key(thing.value) == _key(route)]
    if held and not append:
        raise DeniedError(EEXIST, "File exists")
    for thing in held:
        alike = (_alive(thing.value), thing.mark) == (route, mark)
        if route.family == 6:
            alike = bool(_hops(thing.value) & _hops(route))
        if alike:
            raise DeniedError(EEXIST, "File exists")
    store.add("route", _alive(route), mark)


def replace(store: Store, route: Route, mark: int | None) -> None:
    """RTM_NEWROUTE with NLM_F_REPLACE for IPv6: the first route of the key that is of the same sort, or any.

    Routes with gateways are next hops of one route, and go together.
    """
    route = checked(store, route)
    held = [thing for thing in store.all("route") if _key(thing.value) == _key(route)]
    if not held:
        store.add("route", route, mark)
        return
    gateway = bool(gateways(route))
    alike = [thing for thing in held if bool(gateways(thing.value)) == gateway]
    thing = (alike or held)[0]
    store.add("route", _alive(route), mark, before=thing)
    for gone in alike if gateway and alike else [thing]:
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
            and _fits(value, route)
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
        if thing.value.family == 6 and gateways(thing.value):
            mark = (first[key] or 0) if key in first else mark
            first.setdefault(key, mark)
        marks.append(mark)
    return marks


def make(store: Store, route: Route) -> None:
    """Add a route of the kernel's own beside whatever is there; an equal one is no error."""
    for thing in store.all("route"):
        if _key(thing.value) == _key(route):
            if route.family == 6 and _hops(thing.value) & _hops(route):
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


def _hops(route: Route) -> set[tuple[Any, Any]]:
    """Return what IPv6 compares; what leads nowhere is kept at lo."""
    if number := option(route, "nexthop"):
        return {("nexthop", number)}
    return {(hop.via, hop.dev or "lo") for hop in ways(route)} or {("", "lo")}


def _alive(route: Route) -> Route:
    found = tuple(hop._replace(dead=False) for hop in hops(route))
    alive: Route = with_options(route, nexthops=found) if found else route
    return alive


def _fits(value: Route, asked: Route) -> bool:
    """Tell whether a route leads as a deletion says: several next hops are compared one by one, one with the first.

    As long as the route has next hops (net/ipv4/fib_semantics.c, fib_nh_match).
    """
    if option(asked, "nexthop"):
        return bool(option(value, "nexthop") == option(asked, "nexthop"))
    there, named = ways(value), ways(asked)
    if len(named) > 1:
        pairs = list(zip(there, named, strict=False))
        return len(there) <= len(named) and all((one.via, one.dev) == (other.via, other.dev) for one, other in pairs)
    first = there[0] if there else Hop("", "")
    return (not asked.via or first.via == asked.via) and (not asked.dev or first.dev == asked.dev)


def lose(store: Store, device: str, family: int = 0, *, gone: bool = False) -> None:
    """Take from all routes, or one family's, the ways through a device that is down, or gone for good."""
    for thing in store.where("route", lambda r: family in (0, r.family)):
        found = ways(thing.value)
        if not any(hop.dev == device for hop in found):
            continue
        if gone and thing.value.family == 6 and len(found) > 1:
            left = tuple(hop for hop in found if hop.dev != device)
        elif gone:
            left = ()
        else:
            left = tuple(hop._replace(dead=hop.dead or hop.dev == device) for hop in found)
        if all(hop.dead for hop in left):
            store.remove("route", thing)
        else:
            store.write(thing, with_hops(thing.value, left))


def revive(store: Store, device: str, family: int) -> None:
    """Use the next hops through a device again that is up, or has an address."""
    for thing in store.where("route", lambda r: r.family == family):
        found = hops(thing.value)
        if any(hop.dev == device and hop.dead for hop in found):
            left = tuple(hop._replace(dead=hop.dead and hop.dev != device) for hop in found)
            store.write(thing, with_hops(thing.value, left))


def checked(store: Store, route: Route) -> Route:
    """Refuse what cannot work; return the route with the device that was found for it."""
    if option(route, "nexthop"):
        nexthops.check_route(store, route)
    elif hops(route):
        for hop in hops(route):
            checked(store, with_hops(route, (hop,)))
    elif route.type == "local" and route.family == 4:
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
        mine = [a.value for a in store.where("address", lambda a: a.host == route.via or a.dev == "lo")]
        if any(a.host == route.via or _covers(net(a.address).with_prefixlen, route.via) for a in mine):
            raise DeniedError(EINVAL, "Nexthop has invalid gateway")
        return route
    tables = (route.table,) if route.table != MAIN else ()
    last = () if _barred_4(store, route) else (MAIN,)
    found = _links_4(store, route, tables) or _links_4(store, route, last, local=True)
    if not found:
        raise DeniedError(ENETUNREACH, "Nexthop has invalid gateway.")
    dev = max(found)[1]
    if _device(store, dev).state != "up":
        raise DeniedError(ENETDOWN, "Nexthop device is not up")
    return route._replace(dev=dev)


def _barred_4(store: Store, route: Route) -> bool:
    """fib_lookup without source and mark: whether a rule refuses what the main table could answer."""
    for rule in (thing.value for thing in store.all("rule") if thing.value.family == 4):
        said = rule.mark or rule.from_ or rule.iif or rule.ip_protocol or rule.sport or rule.tos or rule.uid
        matches = not said and (not rule.to or _covers(rule.to, route.via)) and rule.oif in ("", route.dev)
        if matches != rule.invert and rule.action in ("blackhole", "unreachable", "prohibit"):
            return bool(rule.priority < 32766)
    return False


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
    elif not near and not _on_link_6(store, route, route.table) and not _ruled(store, route):
        raise DeniedError(EHOSTUNREACH, "No route to host")
    return route


def _ruled(store: Store, route: Route) -> bool:
    """fib6_lookup without source and mark: the first table that has a route to the gateway decides."""
    rules = [thing.value for thing in store.all("rule") if thing.value.family == 6]
    asked = [(rule.priority, rule) for rule in rules] + [(32766, None)]
    for _, rule in sorted(asked, key=lambda one: one[0]):
        if rule is None:
            return bool(_on_link_6(store, route, MAIN))
        matches = not (rule.mark or rule.from_ or rule.iif or rule.ip_protocol or rule.sport or rule.tos or rule.uid)
        matches = matches and (not rule.to or _covers(rule.to, route.via)) and rule.oif in ("", route.dev)
        if matches == rule.invert or rule.action in ("nop", "goto") or rule.l3mdev:
            continue
        answer = _on_link_6(store, route, rule.table, rule.suppress_prefixlength) if rule.action == "table" else False
        if answer is not None:
            return answer
    return False


def _on_link_6(store: Store, route: Route, table: int, least: int = -1) -> bool | None:
    """Tell whether the longest prefix of a table that covers the gateway is on the link itself; None without one."""
    found = [
        (net(thing.value.to).prefixlen, -thing.value.metric, not thing.value.via)
        for thing in store.all("route")
        if thing.value.family == 6
        and thing.value.table == table
        and thing.value.type == "unicast"
        and thing.value.dev == route.dev
        and _covers(thing.value.to, route.via)
    ]
    best = max(found, default=None)
    return best[2] if best is not None and best[0] > least else None


def _link_agrees(store: Store, route: Route) -> bool:
    """Tell whether the main table leads to a gateway by no other device; its default route does not count."""
    found = [
        (-net(thing.value.to).prefixlen, thing.value.type == "unicast" and thing.value.dev != route.dev)
        for thing in store.all("route")
        if thing.value.family == 6
        and thing.value.table == MAIN
        and not thing.value.to.endswith("/0")
        and _covers(thing.value.to, route.via)
    ]
    return not found or not min(found)[1]


def _device(store: Store, name: str) -> Any:
    thing: Thing | None = store.first("device", lambda d: d.name == name)
    if thing is None:
        raise DeniedError(ENODEV, f"Cannot find device {name}")
    return thing.value
