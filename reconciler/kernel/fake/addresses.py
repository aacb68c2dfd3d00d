"""The fake kernel's addresses (net/ipv4/devinet.c, net/ipv4/fib_frontend.c, net/ipv6/addrconf.c)."""

from __future__ import annotations

from errno import EADDRNOTAVAIL, EEXIST, EINVAL, ENODEV
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_interface
from typing import TYPE_CHECKING, Any

from reconciler.kernel.fake import routes
from reconciler.kernel.fake.errors import DeniedError
from reconciler.kernel.fake.store import KERNEL
from reconciler.resources.address_value import FOREVER, whole
from reconciler.resources.route import Route

if TYPE_CHECKING:
    from reconciler.kernel.fake.store import Store, Thing
    from reconciler.resources.address import Address

MAIN = 254
ADDRCONF_METRIC = 256


def add(store: Store, address: Address, mark: int | None) -> None:
    """RTM_NEWADDR with NLM_F_CREATE and NLM_F_EXCL."""
    device = store.first("device", lambda d: d.name == address.dev)
    if device is None:
        raise DeniedError(ENODEV, f"Cannot find device {address.dev}")
    there = [thing.value for thing in _on(store, address)]
    address = whole(address)
    if address.family == 6:
        if device.value.mtu < routes.LEAST_MTU_6:
            raise DeniedError(EINVAL, "Invalid argument")
        if any(other.host == address.host for other in there):
            raise DeniedError(EEXIST, "ipv6: address already assigned.")
        tentative = address.dev != "lo" and not address.nodad
        address = address._replace(secondary=False, tentative=tentative, broadcast="", label="", scope="")
    else:
        near = [other for other in there if subnet(other) == subnet(address)]
        if any(other.host == address.host for other in near):
            raise DeniedError(EEXIST, "ipv4: Address already assigned.")
        if any(other.scope != address.scope for other in near):
            raise DeniedError(EINVAL, "ipv4: Invalid scope value")
        address = address._replace(secondary=bool(near), tentative=False, nodad=False)
    store.add("address", address, mark)
    if device.value.state == "up":
        connect(store, address)
        if address.family == 4:
            routes.revive(store, address.dev, 4)


def change(store: Store, address: Address, mark: int | None) -> None:
    """RTM_NEWADDR with NLM_F_REPLACE: IPv4 takes metric and lifetimes, IPv6 flags as well; both the mark."""
    thing = _find(store, address)
    old, new = thing.value, whole(address)
    up = store.first("device", lambda d: d.name == old.dev and d.state == "up") is not None
    kept = old._replace(metric=new.metric, valid=new.valid, preferred=new.preferred, overwritten=False)
    if old.family == 6:
        kept = kept._replace(noprefixroute=new.noprefixroute, nodad=new.nodad)
    thing.mark = mark
    store.write(thing, kept)
    if old.family == 4 and up and old.metric != new.metric:
        connect(store, kept)
        _disconnect(store, old)
    if old.family == 6 and not kept.noprefixroute:
        first = _first_route(store, kept)
        routed = old.valid == FOREVER and not old.noprefixroute
        if routed and first is not None and first.value.metric != (kept.metric or ADDRCONF_METRIC):
            store.remove("route", first)
        if up:
            connect(store, kept)
    elif old.family == 6 and not old.noprefixroute and old.valid == FOREVER:
        _clean_prefix(store, thing)


def delete(store: Store, address: Address) -> None:
    """RTM_DELADDR: whoever made it."""
    thing = _find(store, address)
    if address.family == 6:
        _delete_6(store, thing)
    else:
        _delete_4(store, thing)


def _find(store: Store, address: Address) -> Thing:
    thing = next((t for t in _on(store, address) if t.value[:4] == address[:4]), None)
    if thing is None:
        raise DeniedError(EADDRNOTAVAIL, "Cannot assign requested address")
    return thing


def subnet(address: Address) -> IPv4Network | IPv6Network:
    """Return the network that is reached directly through an address."""
    return _network(address.peer or address.address)


@lru_cache
def _network(word: str) -> IPv4Network | IPv6Network:
    return ip_interface(word).network


def connect(store: Store, address: Address) -> None:
    """Make the route to an address's own subnet, on an interface that is up."""
    net, metric = subnet(address), address.metric or 0
    if address.noprefixroute:
        return
    if address.family == 6:
        routes.make(store, Route(6, MAIN, str(net), metric or ADDRCONF_METRIC, "unicast", "", address.dev))
    elif not (address.secondary or address.dev == "lo" or (net.prefixlen == 32 and not address.peer)):
        routes.make(store, Route(4, MAIN, str(net), metric, "unicast", "", address.dev, address.host))


def forget_source(store: Store, host: str) -> None:
    """Remove routes of the main table that prefer an IPv4 source which is nowhere any more."""
    if store.first("address", lambda a: a.host == host) is None:
        store.purge("route", lambda r: r.family == 4 and r.table == MAIN and r.src == host)


def _on(store: Store, address: Address) -> list[Thing]:
    return list(store.where("address", lambda a: a.dev == address.dev and a.family == address.family))


def _delete_4(store: Store, thing: Thing) -> None:
    """A primary takes its secondaries along one by one, or leaves its place to the first of them."""
    address: Any = thing.value
    heir = None
    if not address.secondary:
        device = store.first("device", lambda d: d.name == address.dev)
        near = [t for t in _on(store, address) if t is not thing and subnet(t.value) == subnet(address)]
        followers = [t for t in near if t.value.secondary]
        if device is not None and device.value.promote and followers:
            heir = followers[0]
        else:
            for follower in followers:
                store.remove("address", follower)
                forget_source(store, follower.value.host)
        _disconnect(store, address)
    store.remove("address", thing)
    forget_source(store, address.host)
    if not _on(store, address):
        routes.lose(store, address.dev, 4)
    if heir is not None:
        store.write(heir, heir.value._replace(secondary=False))
        if device is not None and device.value.state == "up":
            connect(store, heir.value)


def _delete_6(store: Store, thing: Thing) -> None:
    """The last address of a prefix takes the first route to it along, whoever made that."""
    address: Any = thing.value
    store.remove("address", thing)
    if address.valid == FOREVER and not address.noprefixroute:
        _clean_prefix(store, thing)
    if store.first("address", lambda a: a.host == address.host) is None:
        for route in store.where("route", lambda r: r.src == address.host):
            store.write(route, route.value._replace(src=""))


def _disconnect(store: Store, address: Any) -> None:
    """Remove the route that a primary IPv4 address has brought."""
    route = Route(4, MAIN, str(subnet(address)), address.metric, "unicast", "", address.dev, address.host)
    own = next((t for t in store.all("route") if (t.value, t.mark) == (route, KERNEL)), None)
    if own is not None and not address.noprefixroute:
        store.remove("route", own)


def _clean_prefix(store: Store, thing: Thing) -> None:
    """Without another IPv6 address of its prefix, the first route to it goes."""
    near = (t for t in _on(store, thing.value) if t is not thing)
    first = _first_route(store, thing.value)
    if first is not None and not any(subnet(other.value) == subnet(thing.value) for other in near):
        store.remove("route", first)


def _refuses(route: Any) -> str:
    """The loopback interface holds IPv6 routes that lead nowhere."""
    return "lo" if route.type != "unicast" else ""


def _first_route(store: Store, address: Address) -> Thing | None:
    """Find the first route to an IPv6 address's prefix on its link, whoever made it."""
    to, dev = str(subnet(address)), address.dev
    found = store.where(
        "route",
        lambda r: r.family == 6 and r.table == MAIN and r.to == to and not r.via and (r.dev or _refuses(r)) == dev,
    )
    return min(found, key=lambda t: t.value.metric, default=None)
