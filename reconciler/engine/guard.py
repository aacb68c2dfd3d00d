"""Would this plan lock somebody out? What can be seen before it is executed is refused without ``--force``.

Compared are the state before and the one that the plan predicts: the way to the peers of established inbound
connections, and the default route. It looks at addresses, devices, the main table, and the WireGuard peers of the
interface with the address; what rules and packet filters do to a packet it does not follow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.core.pending import seen
from reconciler.resources.prefix import contains, family_of, is_default, span
from reconciler.resources.route.value import option
from reconciler.resources.tables import MAIN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reconciler.core.state import Key, State, Value
    from reconciler.kernel.peers import Peer

KERNEL = 2
MAIN_PRIORITY = 32766
"""Of the kernel's own rule that asks the main table."""
"""Connected routes come and go with their address, so the addresses stand for them."""


def dangers(before: State, after: State, connected: Sequence[Peer]) -> list[str]:
    """Return, in words, what would be cut; nothing if nothing would."""
    found = [
        f"the IPv{family} default route of the main table would be gone"
        for family in (4, 6)
        if _default(before, family) and not _default(after, family)
    ]
    found += [
        f"the IPv{v.family} rule of priority {v.priority} would stop all packets"  # type: ignore[attr-defined]
        for v, mark in _values(after, "rule")
        if mark is None and _stops_all(v) and seen(before, ("rule", *v)) is None
    ]
    cut = ((peer, _cut(before, after, peer)) for peer in connected)
    return found + [f"{p.remote} is connected to {p.local} port {p.port}, and {why}" for p, why in cut if why]


def _cut(before: State, after: State, peer: Peer) -> str:
    """Say why a connection would be cut, if it would."""
    dev = _device(before, peer.local)
    if dev is None:
        return ""
    if _device(after, peer.local) is None:
        return f"the address {peer.local} would be gone from {dev}"
    if _state(before, dev) == "up" and _state(after, dev) != "up":
        return f"{dev} would be down"
    if _reaches(before, peer.remote) and not _reaches(after, peer.remote):
        return f"no route would lead to {peer.remote}"
    return _tunnel(before, after, dev, peer.remote)


def _tunnel(before: State, after: State, dev: str, host: str) -> str:
    """Say why WireGuard would not reach a host any more that it reaches by the address of its own interface."""
    if _through(before, dev, host) is None:
        return ""
    one, other = (seen(state, ("wireguard", dev)) for state in (before, after))
    if one is not None and other is not None and one[1] != other[1]:
        return f"{dev} would have another private key"
    if _through(before, dev, host) != _through(after, dev, host):
        return f"the WireGuard peer of {dev} that has {host} would be gone, or another one"
    return ""


def _through(state: State, dev: str, host: str) -> str | None:
    """Return the public key of the peer that packets to a host go to: that with the longest prefix."""
    covering: list[tuple[int, str]] = [
        (span(prefix)[2], value.public_key)  # type: ignore[attr-defined]
        for value, _ in _values(state, "wireguard-peer")
        if value[0] == dev
        for prefix in value.allowed_ips  # type: ignore[attr-defined]
        if contains(prefix, host)
    ]
    return max(covering)[1] if covering else None


def _values(state: State, kind: str) -> Iterator[tuple[Value, int | None]]:
    """Yield value and mark of all objects of a kind."""
    for key, value in state.ours.items():
        if key[0] == kind:
            yield value, None
    for key, held in state.foreign.items():
        if key[0] == kind:
            for one in held:
                yield one.value, one.mark


def _device(state: State, host: str) -> str | None:
    return next((v.dev for v, _ in _values(state, "address") if v.host == host), None)  # type: ignore[attr-defined]


def _state(state: State, dev: str) -> str:
    key: Key = ("device", dev)
    held = state.foreign.get(key)
    value = state.ours.get(key) or (held[0].value if held else None)
    return value.state if value is not None else ""  # type: ignore[attr-defined]


def _default(state: State, family: int) -> bool:
    return any(
        v.family == family and v.table == MAIN and is_default(v.to) and _leads(state, v)  # type: ignore[attr-defined]
        for v, _ in _values(state, "route")
    )


def _stops_all(rule: Any) -> bool:
    """Tell whether a rule without any selector drops what reaches it, before the main table is asked."""
    said = [f for f in rule._fields if f not in ("family", "priority", "action", "table") and getattr(rule, f)]
    said = [f for f in said if not (f.startswith("suppress") and getattr(rule, f) < 0)]
    return rule.action in ("blackhole", "unreachable", "prohibit") and not said and rule.priority < MAIN_PRIORITY


def _leads(state: State, route: Any) -> bool:
    """Tell whether a route leads anywhere: neither it nor its nexthop object drops what it is given."""
    if route.type != "unicast":
        return False
    number = option(route, "nexthop") if route.options else None
    held = seen(state, ("nexthop", number)) if number else None
    return held is None or not (held.blackhole or held.dev == "lo")  # type: ignore[attr-defined]


def _reaches(state: State, host: str) -> bool:
    """Tell whether an address's subnet or a route of the main table covers a host."""
    if any(contains(v.subnet, host) for v, _ in _values(state, "address")):  # type: ignore[attr-defined]
        return True
    return any(
        v.table == MAIN and v.family == family_of(host) and _leads(state, v) and contains(v.to, host)  # type: ignore[attr-defined]
        for v, mark in _values(state, "route")
        if mark != KERNEL
    )
