"""What only all interfaces of a file together show: circles, masters that can be none, two that exclude each other.

Sources: net/core/dev.c (netdev_master_upper_dev_link, netdev_rx_handler_register), net/bridge/br_if.c,
drivers/net/vrf.c, drivers/net/macvlan.c, drivers/net/ipvlan/ipvlan_main.c, net/8021q/vlan.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.errors import Problem
from reconciler.resources.link.option import a
from reconciler.resources.link.types import TYPES
from reconciler.resources.link.upon import MASTERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.core.state import Key
    from reconciler.resources.scene import Scene, Wanted

TAKERS = ("macvlan", "ipvlan")
"""Types that take all packets of the interface they stand on, as a bridge and a bond do of their ports."""
TYPES_WITH_PORTS = sorted(name for name, kind in TYPES.items() if kind.ports)
NEVER_UNDER: Mapping[str, tuple[str, ...]] = {"vlan": ("lo", "vrf"), "macvlan": ("lo",), "ipvlan": ("lo",)}
"""What a link of a type cannot stand on: an interface, or a type."""


def check(scene: Scene, wanted: Mapping[Key, Wanted]) -> None:
    """Report what the kernel would refuse, whatever else there is."""
    links = {key[1]: item for key, item in wanted.items() if key[0] == "link"}
    ports = {key[1]: item for key, item in wanted.items() if key[0] == "device" and _value(item).master}
    found = [*_circles(links, ports), *_masters(links, ports), *_lower(links), *_shared(links, ports)]
    for item, message, hint in found:
        scene.problems.append(Problem(item.origin.position, item.origin.path, message, hint))


def _value(item: Wanted) -> Any:
    return item.value


def _stands(link: Any) -> list[str]:
    """Name the interfaces that a link is made on; the ports of a bond say so themselves."""
    return [] if link.type == "bond" else list(TYPES[link.type].needs(link.options))


def _circles(links: Mapping[str, Wanted], ports: Mapping[str, Wanted]) -> Iterator[tuple[Wanted, str, str]]:
    """Yield each interface that stands on itself, by way of others or not; each circle once."""
    below: dict[str, list[str]] = {name: _stands(_value(item)) for name, item in links.items()}
    for name, item in ports.items():
        below.setdefault(_value(item).master, []).append(name)
    told: set[frozenset[str]] = set()
    for start in below:
        way = _way_back(start, below)
        if way and frozenset(way) not in told:
            told.add(frozenset(way))
            shown = " → ".join([*way, start])
            item = links.get(start) or next(ports[name] for name in way if name in ports)
            yield item, f"{start} would stand on itself: {shown}", "take one of them out"


def _way_back(start: str, below: Mapping[str, list[str]]) -> list[str]:
    """Return the shortest way from an interface down to itself, without its end; empty if there is none."""
    ways, seen = [[start]], {start}
    while ways:
        way = ways.pop(0)
        for name in below.get(way[-1], ()):
            if name == start:
                return way
            if name not in seen:
                seen.add(name)
                ways.append([*way, name])
    return []


def _masters(links: Mapping[str, Wanted], ports: Mapping[str, Wanted]) -> Iterator[tuple[Wanted, str, str]]:
    """Yield ports that their master cannot have."""
    for name, item in ports.items():
        master = _value(item).master
        kind = _value(links[master]).type if master in links else ""
        own = _value(links[name]).type if name in links else ""
        if kind and kind not in MASTERS:
            yield item, f"{master} is {a(kind)}, which has no ports", f"these have: {', '.join(TYPES_WITH_PORTS)}"
        elif name == "lo" or (own == kind and kind in ("bridge", "vrf")):
            what = f"another {MASTERS[own]}" if own == kind and kind else f"a {MASTERS.get(kind, 'bridge')}"
            yield item, f"{name} cannot be a port of {what}", "take the master out"


def _lower(links: Mapping[str, Wanted]) -> Iterator[tuple[Wanted, str, str]]:
    """Yield links on what can carry none of their type."""
    for item in links.values():
        link = _value(item)
        for lower in _stands(link) if link.type in NEVER_UNDER else ():
            kind = _value(links[lower]).type if lower in links else ""
            if lower in NEVER_UNDER[link.type] or kind in NEVER_UNDER[link.type]:
                yield item, f"{a(link.type)} cannot stand on {f'the {MASTERS[kind]} ' if kind else ''}{lower}", ""


def _shared(links: Mapping[str, Wanted], ports: Mapping[str, Wanted]) -> Iterator[tuple[Wanted, str, str]]:
    """Yield what cannot be on one interface: its packets have one taker, and all ipvlans on it have one mode."""
    first: dict[str, Any] = {}
    for item in links.values():
        link = _value(item)
        if link.type not in TAKERS:
            continue
        said = dict(link.options)
        lower = said.get("link", "")
        master = _value(ports[lower]).master if lower in ports else ""
        if master and (_value(links[master]).type if master in links else "bridge") != "vrf":
            yield item, f"{lower} gives all its packets to {master}, so it cannot carry {a(link.type)}", "take one out"
        other = first.setdefault(lower, link)
        if other.name == link.name:
            continue
        modes = {said.get("mode"), dict(other.options).get("mode")}
        if other.type != link.type:
            yield item, f"{lower} already carries {other.name}, {a(other.type)}", "it cannot carry both types"
        elif link.type == "ipvlan" and len(modes) > 1:
            yield item, f"all ipvlans on {lower} have one mode, and {other.name} has another", "say the same in each"
        elif "passthru" in modes:
            yield item, f"{lower} carries {other.name}, too, and a passthru macvlan must be alone", "use another mode"
