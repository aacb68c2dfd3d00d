"""When two states are the same for everybody but the kernel itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.core.state import SURPLUS
from reconciler.resources.address import Address
from reconciler.resources.iptables.jump import Jump
from reconciler.resources.link.device import Device
from reconciler.resources.route import Route
from reconciler.resources.route.value import essence as route_essence
from reconciler.resources.route.value import gateways
from reconciler.resources.tc.class_ import Class
from reconciler.resources.tc.qdisc import Qdisc
from tests.core.strategies import leaves

if TYPE_CHECKING:
    from reconciler.core.state import Key, State, Value

KERNEL = 2


def essence(state: State, unsaid: set[Key] = frozenset()) -> dict[Any, list[Any]]:
    """Return a state without what the kernel chooses by itself, so that it can be compared.

    ``unsaid`` are devices of which nobody said what mtu they should have.
    """
    found: dict[Any, list[Any]] = {}
    for key, value, mark in leaves(state):
        shown = plain(value, mark)
        if shown is None:
            continue
        if key in unsaid:
            shown = shown._replace(mtu=None)
        # An IPv6 route is shown as a next hop of ours or as a route of its own: that depends on its neighbours.
        hop = isinstance(value, Route) and value.family == 6 and gateways(value) and mark not in (None, KERNEL)
        found.setdefault(key, []).append((-3 if mark is None else 0 if hop else mark, shown))
    return {key: sorted(values, key=repr) for key, values in found.items()}


def plain(value: Value, mark: int | None) -> Any:
    """Return a value without the kernel's own choices; None for an object that is the kernel's own."""
    if isinstance(value, Address):
        if value.address.startswith("fe80:") and mark == KERNEL:
            return None
        return value._replace(secondary=None, tentative=None, nodad=None)
    if isinstance(value, Route) and mark == KERNEL:
        return None if value.to == "fe80::/64" else value._replace(src="")
    if isinstance(value, Route):
        return route_essence(value)
    if isinstance(value, Device):
        return value._replace(promote=None, slave=None, keep=None)
    if isinstance(value, Class):
        return value._replace(burst=None, cburst=None, quantum=None, prio=None)
    if isinstance(value, Qdisc):
        return value._replace(r2q=None)
    if isinstance(value, Jump):
        return value._replace(position="")
    return value


def without_kernels(found: dict[Any, list[Any]]) -> dict[Any, list[Any]]:
    """Leave out the kernel's own routes: they follow from addresses and interfaces."""
    kept = {}
    for key, values in found.items():
        left = [(mark, value) for mark, value in values if not (key[0] == "route" and mark == KERNEL)]
        if left:
            kept[key] = left
    return kept


def difference(one: dict[Any, list[Any]], other: dict[Any, list[Any]]) -> list[Any]:
    """Return what differs, for people."""
    keys = sorted({*one, *other}, key=repr)
    return [(key, one.get(key), other.get(key)) for key in keys if one.get(key) != other.get(key)]


def tidy(found: dict[Any, list[Any]]) -> bool:
    return not any(mark == SURPLUS for values in found.values() for mark, _ in values)
