"""Which routes the kernel takes away or changes by itself when addresses or interfaces go.

IPv4 says nothing of it: no event is sent (net/ipv4/fib_frontend.c, fib_disable_ip and fib_del_ifaddr).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.core.kind import Effect
from reconciler.resources.prefix import network
from reconciler.resources.tables import MAIN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.core.world import World

KERNEL = 2
"""The protocol of the routes that the kernel makes along with addresses (RTPROT_KERNEL)."""


def ways(name: str, world: World, families: tuple[int, ...] = (4, 6)) -> Iterator[Effect]:
    """All routes through an interface, in all tables; IPv6 counts those without a device as lo's."""
    for key, route, mark in world.every("route"):
        if route.family in families and (route.dev == name or (name == "lo" and not route.dev and route.family == 6)):
            yield Effect(key, route, mark)


def sources(gone: Iterable[Any], world: World, beside: str = "") -> Iterator[Effect]:
    """Routes that prefer one of these addresses as their source, where no device has it any more.

    IPv4 removes those of the main table, and leaves the others with a source that is gone (fib_sync_down_addr).
    IPv6 leaves them all, and takes the source away (net/ipv6/route.c, rt6_remove_prefsrc); older kernels, 6.1
    for one, do so only to routes of the same device, but there even if another device has the address.
    ``beside`` is an interface whose routes are not asked for.
    """
    lost = set(gone)
    held = {address.host for _, address, _ in world.every("address") if address not in lost}
    hosts = {address.host for address in lost} - held
    for key, route, mark in world.every("route"):
        if route.src in hosts and not (beside and route.dev == beside):
            if route.family == 6:
                yield Effect(key, route, mark, route._replace(src=""))
            elif route.table == MAIN:
                yield Effect(key, route, mark)


def with_addresses(gone: list[Any], heir: str, world: World) -> Iterator[Effect]:
    """The routes that go with addresses of one device and family.

    :param heir: the secondary address, if any, that takes the first one's place and its connected route.
    """
    dev, family = gone[0].dev, gone[0].family
    lost = set(gone)
    left = [v for _, v, _ in world.within(("address", dev)) if v.family == family and v not in lost]
    if family == 4 and not left:
        yield from ways(dev, world, (4,))
        yield from sources(gone, world, beside=dev)
        return
    named = set()
    for address in gone:
        for effect in _connected(address, heir, left, world):
            named.add(effect.key)
            yield effect
    yield from (effect for effect in sources(gone, world) if effect.key not in named)


def _connected(address: Any, heir: str, left: list[Any], world: World) -> Iterator[Effect]:  # noqa: ANN401
    """The routes to an address's own subnet, which the kernel made with it."""
    subnets = _subnets(address)
    if address.family == 6:
        subnets -= {subnet for other in left for subnet in _subnets(other)}
    for key, route, mark in world.within(("route", MAIN)):
        if mark != KERNEL or route.via or route.dev != address.dev or route.to not in subnets:
            continue
        if address.family == 6:
            yield Effect(key, route, mark)
        elif route.src == address.host and not address.secondary:
            yield Effect(key, route, mark, route._replace(src=heir) if heir else None)


def _subnets(address: Any) -> set[str]:  # noqa: ANN401
    """What is reached directly through an address; IPv6 takes a peer's length for the own end's."""
    if address.family == 6 and address.peer:
        far, _, length = address.peer.partition("/")
        return {network(f"{address.host}/{length}"), network(far)}
    return {network(address.subnet)}
