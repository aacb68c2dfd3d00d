"""A route as a value. What few routes have shares one tuple, so that the common route stays cheap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LEAST_MTU_6 = 1280
"""IPV6_MIN_MTU (linux/ipv6.h): a device with less has no IPv6 at all."""

OPTIONS = (
    "tos",
    "scope",
    "onlink",
    "mtu",
    "mtu-lock",
    "advmss",
    "initcwnd",
    "initrwnd",
    "hoplimit",
    "pref",
    "nexthop",
    "nexthops",
    "from",
    "realm",
    "encap",
    "metrics",
)
"""All words for options, in the order in which they stand. The file has no words for the last four; three of them
are hexadecimal, as found."""


class Hop(NamedTuple):
    """One of several next hops."""

    via: str
    """Empty where the device is the way."""
    dev: str | None
    """None lets the gateway's subnet decide."""
    weight: int = 1
    onlink: bool = False
    dead: bool = False
    """The kernel has put it out of use until its device comes up again."""


class Route(NamedTuple):
    """A route of one next hop, of several, or of none."""

    family: int
    table: int
    to: str
    """The prefix; everything is ``0.0.0.0/0`` or ``::/0``."""
    metric: int
    type: str = "unicast"
    via: str = ""
    """The gateway; an IPv4 route may have an IPv6 one."""
    dev: str | None = ""
    """Empty for types without a device, and where ``nexthops`` or ``nexthop`` say it; None lets the gateways'
    subnets decide."""
    src: str = ""
    options: tuple[tuple[str, Any], ...] = ()
    """Word and value of what few routes have, in the order of ``OPTIONS``."""


def option(route: Any, word: str) -> Any:
    """Return the value of an option; None without it."""
    return next((value for name, value in route.options if name == word), None)


def options(found: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    """Return options in their order; those that are None, false or zero are left out."""
    return tuple((word, found[word]) for word in OPTIONS if found.get(word))


def with_options(route: Any, **changes: Any) -> Any:
    """Return a route with some options changed; None takes one out."""
    return route._replace(options=options({**dict(route.options), **changes}))


def hops(route: Any) -> tuple[Hop, ...]:
    """Return the next hops of a route that has several; none of any other."""
    return option(route, "nexthops") or () if route.options else ()


def ways(route: Any) -> tuple[Hop, ...]:
    """Return all next hops of a route, be it one."""
    found = hops(route)
    if found or not (route.via or route.dev or route.dev is None):
        return found
    return (Hop(route.via, route.dev, 1, bool(route.options) and bool(option(route, "onlink"))),)


def gateways(route: Any) -> frozenset[tuple[str, str | None]]:
    """Return the gateways of a route, each with its device; none of no route."""
    if route is None:
        return frozenset()
    if route.via:
        return frozenset(((route.via, route.dev),))
    return frozenset((hop.via, hop.dev) for hop in hops(route) if hop.via)


def uses(route: Any, device: str) -> bool:
    """Tell whether a route leads through a device."""
    return bool(route.dev == device or (route.options and any(hop.dev == device for hop in hops(route))))


def with_hops(route: Any, found: tuple[Hop, ...]) -> Any:
    """Return a route with other next hops: one of them is no list."""
    if len(found) == 1:
        hop = found[0]
        return with_options(route._replace(via=hop.via, dev=hop.dev), nexthops=None, onlink=hop.onlink)
    dev = None if any(hop.dev is None for hop in found) else ""
    return with_options(route._replace(via="", dev=dev), nexthops=found)


def without(route: Any, device: str, *, gone: bool, works: Callable[[Hop], bool]) -> Any:
    """Return what becomes of a route when one of its devices goes down, or is gone; None if the route goes.

    A next hop whose device is down stays, out of use, as long as another one works. With a device that is gone
    IPv4 loses the whole route, IPv6 the next hop (net/ipv4/fib_semantics.c, fib_sync_down_dev;
    net/ipv6/route.c, fib6_ifdown).

    :param works: tells whether a next hop through another device does.
    """
    found = hops(route)
    if not any(hop.dev == device for hop in found):
        return None if route.dev == device else route
    if gone:
        left = tuple(hop for hop in found if hop.dev != device)
        stays = route.family == 6 and any(map(works, left))
        return with_hops(route, left) if stays else None
    left = tuple(hop._replace(dead=hop.dead or hop.dev == device) for hop in found)
    working = [hop for hop in left if hop.dev != device and works(hop)]
    return with_options(route, nexthops=left) if working else None


def essence(route: Any) -> Any:
    """Return a route without what does not count when two are compared: the order of hops, and their health."""
    found = hops(route)
    if not found:
        return route
    return with_options(route, nexthops=tuple(sorted((hop._replace(dead=False) for hop in found), key=repr)))
