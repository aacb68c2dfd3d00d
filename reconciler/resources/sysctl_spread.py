"""What the kernel does to other sysctls, to addresses and to routes when one sysctl is written.

Measured on Linux 6.18; the sources are net/ipv4/devinet.c (inet_forward_change, devinet_copy_dflt_conf) and
net/ipv6/addrconf.c (addrconf_fixup_forwarding, addrconf_disable_ipv6).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.core.kind import Effect
from reconciler.resources.cascade import without_ipv6
from reconciler.resources.sysctl_keys import ALL, DEFAULT, IP_FORWARD, V4, V6, Path, own

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from reconciler.core.world import World

NAME = "sysctl"
RA = 9
"""RTPROT_RA: routes that router advertisements brought."""
UNLESS_FORWARDING = 1
"""accept_ra: 0 is never (then a program may do it in the kernel's place, and its routes stay), 2 always."""
COPIED = frozenset({"addr_gen_mode", "disable_ipv6", "forwarding", "ignore_routes_with_linkdown"})
"""In IPv6, conf.all of these is copied to conf.default and to every interface."""
KEPT = frozenset({"forwarding", "promote_secondaries", "route_localnet"})
"""In IPv4, conf.default of these is not copied to interfaces that are there already."""
REDIRECTS: Path = (V4, "conf", ALL, "accept_redirects")


def sways(path: Path) -> Callable[[Path], bool] | None:
    """Return a test for the files that change along with one; None where there are none."""
    if path == IP_FORWARD:
        return lambda p: p == REDIRECTS or (p[0] == V4 and p[-1] == "forwarding")
    if len(path) != 4:
        return None
    family, _, dev, leaf = path
    if family == V6 and dev == ALL and leaf in COPIED:
        return lambda p: p[0] == V6 and p[-1] == leaf and p != path
    if family == V4 and dev == DEFAULT and leaf not in KEPT:
        return lambda p: p[0] == V4 and p[-1] == leaf and bool(own(p))
    return None


def causes(path: Path) -> Iterator[Path]:
    """Yield the files whose writing may change this one."""
    if path == REDIRECTS or (path[0] == V4 and path[-1] == "forwarding"):
        yield IP_FORWARD
    elif path[0] == V6 and path[-1] in COPIED and path[2:3] != (ALL,):
        yield (V6, "conf", ALL, path[-1])
    elif path[0] == V4 and own(path) and path[-1] not in KEPT:
        yield (V4, "conf", DEFAULT, path[-1])


def companions(path: Path, devices: Iterable[str]) -> Iterator[Path]:
    """Yield what has to be read besides a file, to foresee what its writing does."""
    if len(path) == 4 and own(path):
        yield (*path[:2], DEFAULT, path[3])
        if path[-1] in ("rp_filter", "src_valid_mark"):
            yield (*path[:2], ALL, path[3])
    if sways(path) is not None:
        conf = (path[0], "conf")
        leaf = "forwarding" if path == IP_FORWARD else path[-1]
        for dev in (DEFAULT, *devices):
            yield (*conf, dev, leaf)
        if path == IP_FORWARD:
            yield REDIRECTS
    if path[0] == V6 and path[-1] == "forwarding":
        for dev in devices:
            yield (V6, "conf", dev, "accept_ra")


def effects(path: Path, before: int | None, after: int | None, world: World) -> Iterator[Effect]:
    """Yield what changes along when one file gets another value."""
    if before is None or after is None:
        return
    yield from _others(path, before, after, world)
    leaf = path[-1]
    if path[0] == V6 and leaf == "disable_ipv6" and after and not before and own(path):
        yield from _without_ipv6(own(path), world)
    elif path[0] == V6 and leaf == "forwarding" and after and path[2] != DEFAULT:
        yield from _advertised(world)
    elif leaf == "promote_secondaries" and path[2] != DEFAULT and (own(path) or after):
        for key, device, mark in world.every("device"):
            if own(path) in ("", device.name) and device.promote is not bool(after):
                yield Effect(key, device, mark, device._replace(promote=bool(after)))
    elif leaf == "keep_addr_on_down" and path[2] != DEFAULT and (own(path) or after):
        for key, device, mark in world.every("device"):
            if own(path) in ("", device.name) and device.keep is not (after > 0):
                yield Effect(key, device, mark, device._replace(keep=after > 0))


def _others(path: Path, before: int, after: int, world: World) -> Iterator[Effect]:
    test = sways(path)
    if test is None:
        return
    for key, other, mark in world.within((NAME, "leaf", path[0], "forwarding" if path == IP_FORWARD else path[-1])):
        if not test(other.path) or other.value is None:
            continue
        if path[2:3] == (DEFAULT,) and (other.value != before or _addressed(own(other.path), world)):
            continue
        # Also where it has that value already: it has lost its own, and follows on the way back.
        yield Effect(key, other, mark, other._replace(value=after))
        if path[2:] == (ALL, "disable_ipv6") and after and not other.value and own(other.path):
            yield from _without_ipv6(own(other.path), world)
    if path == IP_FORWARD:
        for key, other, mark in world.within((NAME, "leaf", V4, "accept_redirects")):
            if other.path == REDIRECTS and other.value is not None:
                yield Effect(key, other, mark, other._replace(value=int(not after)))


def _addressed(dev: str, world: World) -> bool:
    """Tell whether an interface has ever got an IPv4 address, as far as can be seen: then all is its own."""
    return any(address.family == 4 for _, address, _ in world.within(("address", dev)))


def _without_ipv6(dev: str, world: World) -> Iterator[Effect]:
    yield from without_ipv6(dev, world)
    if dev == "lo":
        for key, route, mark in world.every("route"):
            if route.family == 6 and route.type != "unicast":
                yield Effect(key, route, mark)


def _advertised(world: World) -> Iterator[Effect]:
    """Default routes that the kernel has from router advertisements go, unless they are always accepted."""
    accepts: dict[str, Any] = {
        own(one.path): one.value for _, one, _ in world.within((NAME, "leaf", V6, "accept_ra")) if own(one.path)
    }
    for key, route, mark in world.every("route"):
        if route.family == 6 and route.to == "::/0" and mark == RA and accepts.get(route.dev) == UNLESS_FORWARDING:
            yield Effect(key, route, mark)
