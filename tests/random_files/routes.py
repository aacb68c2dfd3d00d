"""The section ``tables``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.random_files.names import (
    GATEWAYS_4,
    GATEWAYS_6,
    HOSTS_4,
    HOSTS_6,
    PREFIXES_4,
    PREFIXES_6,
    TABLES,
    devices,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from tests.random_files.sections import Addition


def draw(dice: Random) -> Iterator[Addition]:
    """Yield routes of some tables, and their numbers."""
    for name in ("one", "one", "two", "far", "main"):
        if dice.random() < 0.3:
            continue
        for _ in range(dice.randint(0, 3)):
            if name != "main":
                yield ("tables", name, "id"), TABLES[name]
            route = dice.choice((route_4, route_4, route_6))(dice)
            # A plan that takes the default route of the main table away is refused as a lock-out.
            if not (name == "main" and route["to"] == "default"):
                yield ("tables", name, "routes", None), route
        if dice.random() < 0.02:
            yield ("tables", name, "exclusive"), True


def route_4(dice: Random) -> dict[str, Any]:
    """Draw an IPv4 route."""
    return _route(dice, "ipv4", PREFIXES_4, GATEWAYS_4, HOSTS_4, (0, 0, 100))


def route_6(dice: Random) -> dict[str, Any]:
    """Draw an IPv6 route."""
    return _route(dice, "ipv6", PREFIXES_6, GATEWAYS_6, HOSTS_6, (0, 0, 100, 256))


def _route(
    dice: Random,
    family: str,
    prefixes: tuple[str, ...],
    gateways: tuple[str, ...],
    hosts: tuple[str, ...],
    metrics: tuple[int, ...],
) -> dict[str, Any]:
    route: dict[str, Any] = {"to": dice.choice(prefixes)}
    if route["to"] == "default":
        route["family"] = family
    if metric := dice.choice(metrics):
        route["metric"] = metric
    route |= _attributes(dice, family)
    way = dice.random()
    if way < 0.2:
        kind = dice.choice(("blackhole", "unreachable", "prohibit", "throw"))
        return {key: route[key] for key in ("to", "family", "metric") if key in route} | {"type": kind}
    if way < 0.3:
        hops = [{"via": via} for via in dice.sample(gateways, 2)]
        for hop in hops:
            if dice.random() < 0.5 or hop["via"].startswith("fe80"):
                hop["dev"] = devices(dice)
        if dice.random() < 0.5:
            hops[0]["weight"] = 3  # type: ignore[assignment]
        return {**route, "nexthops": hops}
    if way < 0.7:
        route["via"] = dice.choice(gateways)
        if dice.random() < 0.6 or route["via"].startswith("fe80"):
            route["dev"] = devices(dice)
    else:
        route["dev"] = devices(dice)
    if dice.random() < 0.25:
        route["src"] = dice.choice(hosts).partition("/")[0]
    return route


def _attributes(dice: Random, family: str) -> dict[str, Any]:
    """Draw at most one of the attributes that a route can have besides its way."""
    if dice.random() < 0.75:
        return {}
    more: tuple[dict[str, Any], ...] = ({"mtu": 1300}, {"mtu": 1300, "mtu-lock": True}, {"advmss": 1200})
    more += ({"initcwnd": 20}, {"initrwnd": 30}, {"hoplimit": 9}, {"onlink": True})
    more += ({"tos": 16}, {"scope": 200}) if family == "ipv4" else ({"pref": "high"}, {"pref": "low"})
    return dice.choice(more)
