"""The fake kernel's /proc/sys/net, a few files of it (net/ipv4/devinet.c, net/ipv6/addrconf.c)."""

from __future__ import annotations

from errno import ENOENT
from typing import TYPE_CHECKING, Any

from reconciler.kernel.fake.errors import DeniedError
from reconciler.kernel.fake.store import KERNEL
from reconciler.resources.sysctl import Sysctl

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.kernel.fake.store import Store, Thing

NAMESPACE = {"ip_forward": 0, "tcp_fwmark_accept": 0}
CONF = {
    "ipv4": {"forwarding": 0, "rp_filter": 0, "accept_redirects": 1},
    "ipv6": {"forwarding": 0, "accept_ra": 1},
}
NOT_FOLLOWED = "forwarding"
"""In IPv4 each other default is copied to the interfaces that have no address, and for which nobody has written it.

Whether somebody has cannot be seen, neither in the kernel nor here: who differs from the default is taken to be it.
"""
ADVERTISED = 9


def begin(store: Store) -> None:
    """Set up the namespace's own settings, and those of the interfaces that are there."""
    for leaf, value in NAMESPACE.items():
        store.add("sysctl", Sysctl(("ipv4", leaf), value), KERNEL)
    for family, leaves in CONF.items():
        for dev in ("all", "default"):
            for leaf, value in leaves.items():
                if (family, dev, leaf) != ("ipv4", "all", "forwarding"):
                    store.add("sysctl", Sysctl((family, "conf", dev, leaf), value), KERNEL)
    follow(store)


def follow(store: Store) -> None:
    """Interfaces that came begin with the defaults; of those that went, nothing stays."""
    devices = {thing.value.name for thing in store.all("device")}
    store.purge("sysctl", lambda s: len(s.path) == 4 and s.path[2] not in devices | {"all", "default"})
    known = {s.value.path[2] for s in store.all("sysctl") if len(s.value.path) == 4}
    for dev in sorted(devices - known):
        for family, leaves in CONF.items():
            for leaf in leaves:
                value = _find(store, (family, "conf", "default", leaf)).value.value
                store.add("sysctl", Sysctl((family, "conf", dev, leaf), value), KERNEL)


def write(store: Store, wanted: Sysctl) -> None:
    """Write a file; the kernel writes others along with it."""
    thing = _find(store, wanted.path)
    before = thing.value.value
    if before == wanted.value:
        return
    _set(store, thing, wanted.value)
    family, dev, leaf = wanted.path[0], wanted.path[2:3], wanted.path[-1]
    if leaf == "ip_forward":
        for other in _leaves(store, "ipv4", "forwarding"):
            _set(store, other, wanted.value)
        _set(store, _find(store, ("ipv4", "conf", "all", "accept_redirects")), int(not wanted.value))
    elif family == "ipv6" and leaf == "forwarding":
        if dev == ("all",):
            for other in _leaves(store, "ipv6", "forwarding"):
                _set(store, other, wanted.value)
        if wanted.value and dev != ("default",):
            _forget_advertised(store)
    elif family == "ipv4" and dev == ("default",) and leaf != NOT_FOLLOWED:
        addressed = {thing.value.dev for thing in store.where("address", lambda a: a.family == 4)}
        for other in _leaves(store, "ipv4", leaf):
            if other.value.value == before and other.value.path[2] not in {"all", "default", *addressed}:
                _set(store, other, wanted.value)


def _forget_advertised(store: Store) -> None:
    plain = {s.value.path[2] for s in _leaves(store, "ipv6", "accept_ra") if s.value.value == 1}
    for thing in store.all("route"):
        route = thing.value
        if (route.family, route.to, thing.mark) == (6, "::/0", ADVERTISED) and route.dev in plain:
            store.remove("route", thing)


def _leaves(store: Store, family: str, leaf: str) -> Iterator[Thing]:
    return store.where("sysctl", lambda s: s.path[0] == family and s.path[-1] == leaf)


def _find(store: Store, path: tuple[str, ...]) -> Thing:
    thing = store.first("sysctl", lambda s: s.path == path)
    if thing is None:
        raise DeniedError(ENOENT, "No such file or directory")
    return thing


def _set(store: Store, thing: Thing, value: Any) -> None:
    store.write(thing, thing.value._replace(value=value))
