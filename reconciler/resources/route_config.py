"""Routes as the file writes them: the section ``tables``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.resources.prefix import canonical, family_of, network
from reconciler.resources.scene import Path, Scene, Wanted
from reconciler.resources.tables import KERNEL_TABLES, LARGEST, LOCAL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

METRIC_6 = 1024
"""What the kernel takes for an IPv6 route without a metric (IP6_RT_PRIO_USER)."""

SCHEMA: Mapping[str, Any] = {
    "tables.*": {
        "id": {
            "type": "integer",
            "minimum": 1,
            "maximum": LARGEST,
            "description": "The table's number. Not for main, default and local, which have theirs.",
            "examples": [100],
        },
        "exclusive": {
            "type": "boolean",
            "description": "Remove routes of this table that the file does not name, except those of the "
            "kernel, of router advertisements and of DHCP.",
            "examples": [True],
        },
        "routes": {
            "type": "array",
            "description": "The routes of this table.",
            "examples": [[{"to": "default", "via": "192.168.2.1", "dev": "eth1"}]],
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["to"],
                "properties": {
                    "to": {
                        "$ref": "#/$defs/prefix-or-default",
                        "description": "Where the route leads: a prefix, an address, or default.",
                        "examples": ["10.0.0.0/8", "default"],
                    },
                    "via": {
                        "$ref": "#/$defs/address",
                        "description": "The gateway.",
                        "examples": ["192.168.2.1"],
                    },
                    "dev": {
                        "$ref": "#/$defs/device",
                        "description": "The interface. Needed without a gateway.",
                        "examples": ["eth1"],
                    },
                    "src": {
                        "$ref": "#/$defs/address",
                        "description": "The source address that the host prefers for its own packets.",
                        "examples": ["192.168.2.2"],
                    },
                    "metric": {
                        "type": "integer",
                        "minimum": 0,
                        "maximum": LARGEST,
                        "description": "The lower wins among routes to one prefix. IPv4's default is 0, "
                        "IPv6's is 1024.",
                        "examples": [100],
                    },
                    "type": {
                        "enum": ["unicast", "blackhole", "unreachable", "prohibit"],
                        "description": "What becomes of the packet. blackhole drops it silently; unreachable "
                        "and prohibit say so to the sender.",
                        "examples": ["unreachable"],
                    },
                    "family": {"$ref": "#/$defs/family"},
                    "name": {"$ref": "#/$defs/name"},
                    "comment": {"$ref": "#/$defs/comment"},
                    "adopt": {"$ref": "#/$defs/adopt"},
                },
            },
        },
    }
}


def read(scene: Scene, make: Callable[..., tuple[Any, ...]]) -> Iterator[Wanted]:
    """Yield the routes of all tables; ``make`` builds the value."""
    numbers: dict[int, Path] = {}
    for path, entry in scene.entries("tables"):
        table = _number(scene, path, entry or {})
        if table is None:
            continue
        if table in numbers:
            scene.problem(path, f"table {table} is already {numbers[table][-1]}", "give each table its own id")
        numbers.setdefault(table, path)
        if entry and entry.get("exclusive"):
            if table == LOCAL:
                scene.problem((*path, "exclusive"), "the local table is the kernel's", "leave exclusive out")
            scene.exclusive.add(("route", table))
        if entry and entry.get("routes"):
            for at, route in scene.entries(*path, "routes"):
                for value in _routes(scene, at, route, table, make):
                    yield Wanted(value, scene.origin(at, route), bool(route.get("adopt")))


def _number(scene: Scene, path: Path, entry: Mapping[str, Any]) -> int | None:
    name = str(path[-1])
    number: int | None = entry.get("id")
    fixed = KERNEL_TABLES.get(name, int(name) if name.isdecimal() and int(name) <= LARGEST else None)
    if fixed is not None:
        if number is not None and number != fixed:
            scene.problem((*path, "id"), f"table {name} is number {fixed}", "leave id out, or use another name")
        return fixed
    if number is None:
        scene.problem(path, f'the table "{name}" has no number', "add id: 100, or any that is free")
    return number


def _routes(
    scene: Scene, path: Path, entry: Mapping[str, Any], table: int, make: Callable[..., tuple[Any, ...]]
) -> Iterator[tuple[Any, ...]]:
    """Yield the one or two routes that an entry stands for."""
    words = _checked(scene, path, entry)
    if words is None:
        return
    kind = entry.get("type", "unicast")
    if kind != "unicast":
        for field in ("via", "dev", "src"):
            if field in entry:
                scene.problem((*path, field), f"a route of type {kind} has no {field}", f"leave {field} out")
    elif "via" not in entry and "dev" not in entry:
        scene.problem(path, "the route leads nowhere", "add via, dev, or a type such as unreachable")
        return
    for family in _families(scene, path, entry, words):
        if family == 6 and not scene.facts.ipv6:
            scene.notices.append(f"IPv6 is off in this kernel: the route at {scene.position(path)} is left out")
            continue
        to = words["to"] if words["to"] != "default" else "0.0.0.0/0" if family == 4 else "::/0"
        metric = entry.get("metric") or (METRIC_6 if family == 6 else 0)
        named = scene.device((*path, "dev"), entry["dev"]) if "dev" in entry else None
        dev = named or (None if kind == "unicast" else "")
        yield make(family, table, to, metric, kind, words["via"], dev, words["src"])


def _checked(scene: Scene, path: Path, entry: Mapping[str, Any]) -> dict[str, str] | None:
    """Return the entry's addresses in canonical form, or None after reporting what is wrong."""
    words = {"to": "default", "via": "", "src": ""}
    good = True
    for field in words:
        if field not in entry or (field == "to" and entry[field] == "default"):
            continue
        try:
            words[field] = network(entry[field]) if field == "to" else canonical(entry[field])
        except ValueError as error:
            scene.problem((*path, field), str(error))
            good = False
            continue
        if field == "to" and words["to"].split("/", 1)[0] != canonical(entry["to"].split("/", 1)[0]):
            scene.problem(
                (*path, "to"), f"{entry['to']} has bits beyond its length set", f"did you mean {words['to']}?"
            )
            good = False
    return words if good else None


def _families(scene: Scene, path: Path, entry: Mapping[str, Any], words: Mapping[str, str]) -> tuple[int, ...]:
    found = {family_of(word) for word in words.values() if word and word != "default"}
    if len(found) > 1:
        scene.problem(path, "IPv4 and IPv6 addresses are mixed in one route", "use one family an entry")
        return ()
    asked = {"ipv4": 4, "ipv6": 6}.get(entry.get("family", ""))
    if found and asked and asked not in found:
        scene.problem((*path, "family"), f"the addresses are IPv{next(iter(found))}", "leave family out")
        return ()
    if asked:
        return (asked,)
    return tuple(found) or (4, 6)
