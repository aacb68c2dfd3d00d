"""The fake kernel's nexthop objects (net/ipv4/nexthop.c)."""

from __future__ import annotations

from errno import EEXIST, EINVAL, ENOENT
from typing import TYPE_CHECKING

from reconciler.kernel.fake.errors import DeniedError
from reconciler.resources.route.value import Route, option

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.kernel.fake.store import Store, Thing
    from reconciler.resources.nexthop_config import Nexthop


def put(
    store: Store, value: Nexthop, mark: int | None, check: Callable[[Store, Route], Route], *, replace: bool
) -> None:
    """RTM_NEWNEXTHOP; ``check`` refuses what a route could not use either."""
    old = _find(store, value.id)
    if old is not None and not replace:
        raise DeniedError(EEXIST, "File exists")
    for member, _ in value.group:
        if _find(store, member) is None:
            raise DeniedError(EINVAL, "Invalid nexthop id")
    if value.dev:
        onlink = (("onlink", True),) if value.onlink else ()
        to = "0.0.0.0/0" if value.family == 4 else "::/0"
        check(store, Route(value.family, 254, to, 0, "unicast", value.via, value.dev, "", onlink))
    if old is None:
        store.add("nexthop", value, mark)
        return
    if bool(old.value.group) != bool(value.group):
        raise DeniedError(EINVAL, "Can not replace a nexthop with a nexthop group.")
    used = store.first("route", lambda r: r.family == 6 and option(r, "nexthop") == value.id)
    if value.family == 4 and used is not None:
        raise DeniedError(EINVAL, "IPv6 routes can not use an IPv4 nexthop")
    store.write(old, value)
    old.mark = mark


def delete(store: Store, number: int) -> None:
    """RTM_DELNEXTHOP: the object, its places in groups, groups that have no member left, and all their routes."""
    thing = _find(store, number)
    if thing is None:
        raise DeniedError(ENOENT, "No such file or directory")
    store.remove("nexthop", thing)
    store.purge("route", lambda r: option(r, "nexthop") == number)
    for group in store.where("nexthop", lambda n: any(member == number for member, _ in n.group)):
        left = tuple(entry for entry in group.value.group if entry[0] != number)
        if left:
            store.write(group, group.value._replace(group=left))
        else:
            delete(store, group.value.id)


def flush(store: Store, device: str) -> None:
    """Remove the objects of a device that is down."""
    for thing in store.where("nexthop", lambda n: n.dev == device):
        delete(store, thing.value.id)


def check_route(store: Store, route: Route) -> None:
    """Refuse a route whose object is not there, or of the wrong family."""
    thing = _find(store, option(route, "nexthop"))
    if thing is None:
        raise DeniedError(EINVAL, "Nexthop id does not exist")
    if route.family == 6 and thing.value.family == 4:
        raise DeniedError(EINVAL, "IPv6 routes can not use an IPv4 nexthop")


def _find(store: Store, number: int) -> Thing | None:
    return store.first("nexthop", lambda n: n.id == number)
