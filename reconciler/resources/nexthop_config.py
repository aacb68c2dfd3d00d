"""Nexthop objects as the file writes them: the section ``nexthops``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from reconciler.resources.prefix import canonical, family_of
from reconciler.resources.route.schema import HOP
from reconciler.resources.tables import LARGEST

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.resources.scene import Path, Scene

LARGEST_WEIGHT = 255
"""What every kernel takes: Linux 6.1 refuses 256 here, unlike in a route (nh_check_attr_group)."""
WEIGHT = {
    "type": "integer",
    "minimum": 1,
    "maximum": LARGEST_WEIGHT,
    "description": "The share of this member. Without it 1.",
    "examples": [2],
}
REFERENCE = {
    "anyOf": [
        {"type": "integer", "minimum": 1, "maximum": LARGEST},
        {"type": "string", "pattern": "^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$"},
    ],
    "x-hint": "the name or id of a nexthop object",
    "description": "A nexthop object, by name or id.",
    "examples": ["uplink1"],
}
SECTION: Mapping[str, Any] = {
    "nexthops": {
        "type": ["object", "null"],
        "description": "Nexthop objects: ways that many routes can share, by name.",
        "examples": [{"uplink1": {"id": 1, "via": "192.168.1.1", "dev": "eth0"}}],
        "propertyNames": {"$ref": "#/$defs/table-name"},
        "additionalProperties": {
            "type": "object",
            "additionalProperties": False,
            "required": ["id"],
            "properties": {
                "id": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": LARGEST,
                    "description": "The object's number in the kernel.",
                    "examples": [1],
                },
                **HOP,
                "blackhole": {
                    "type": "boolean",
                    "description": "Drop the packets silently.",
                    "examples": [True],
                },
                "group": {
                    "type": "array",
                    "minItems": 1,
                    "description": "Other nexthop objects that share the traffic by weight.",
                    "examples": [["uplink1", {"nexthop": "uplink2", "weight": 3}]],
                    "items": {
                        "anyOf": [
                            {"$ref": "#/$defs/nexthop"},
                            {
                                "type": "object",
                                "additionalProperties": False,
                                "required": ["nexthop"],
                                "properties": {"nexthop": {"$ref": "#/$defs/nexthop"}, "weight": WEIGHT},
                            },
                        ],
                        "x-hint": "a name, or {nexthop: NAME, weight: NUMBER}",
                        "description": "A member of the group.",
                        "examples": ["uplink1"],
                    },
                },
                "family": {"$ref": "#/$defs/family"},
                "name": {"$ref": "#/$defs/name"},
                "comment": {"$ref": "#/$defs/comment"},
                "adopt": {"$ref": "#/$defs/adopt"},
            },
        },
    }
}


class Nexthop(NamedTuple):
    """A nexthop object: one way, none, or a group of others."""

    id: int
    family: int
    """4 or 6; 0 for a group."""
    via: str = ""
    dev: str = ""
    onlink: bool = False
    blackhole: bool = False
    group: tuple[tuple[int, int], ...] = ()
    """Id and weight of each member."""
    more: str = ""
    """Attributes that the file has no words for, hexadecimal, as found."""


def numbers(scene: Scene) -> dict[str, int]:
    """Return the ids of the file's nexthop objects by name."""
    return {
        str(path[-1]): entry["id"]
        for path, entry in scene.entries("nexthops")
        if isinstance(entry, dict) and "id" in entry
    }


def families(scene: Scene) -> dict[int, int]:
    """Return the families of the file's nexthop objects by id; 0 for a group."""
    found: dict[int, int] = {}
    for _, entry in scene.entries("nexthops"):
        if isinstance(entry, dict) and "id" in entry:
            found[entry["id"]] = _family(entry)
    return found


def resolve(scene: Scene, path: Path, word: object) -> int | None:
    """Return the id of a nexthop object; an undefined name is a problem of the entry at ``path``."""
    if isinstance(word, int):
        return word
    known = scene.once("nexthops", numbers)
    name = str(word)
    if name in known:
        return known[name]
    if name.isdecimal() and 0 < int(name) <= LARGEST:
        return int(name)
    scene.undefined(path, "nexthop", name, known)
    return None


def read(scene: Scene) -> Iterator[tuple[Path, Mapping[str, Any], Nexthop]]:
    """Yield the nexthop objects of the file; problems go to the scene."""
    for path, entry in scene.entries("nexthops"):
        family, name = _family(entry), str(path[-1])
        if name.isdecimal() and int(name) != entry.get("id"):
            scene.problem((*path, "id"), f"a name that is a number is that id, and {name} has another", f"id: {name}")
        if family == 6 and not scene.facts.ipv6:
            scene.notices.append(f"IPv6 is off in this kernel: the nexthop at {scene.position(path)} is left out")
            continue
        kind = next((word for word in ("group", "blackhole") if entry.get(word)), "")
        for word in ("via", "dev", "onlink", "blackhole") if kind else ():
            if word != kind and entry.get(word):
                scene.problem((*path, word), f"a nexthop with {kind} has no {word}", f"leave {word} out")
        if not kind and "dev" not in entry:
            scene.problem(path, "the nexthop leads nowhere", "add dev, group, or blackhole: true")
            continue
        if entry.get("onlink") and "via" not in entry:
            scene.problem((*path, "onlink"), "onlink needs via", "add via")
        try:
            via = canonical(entry["via"]) if "via" in entry else ""
        except ValueError as error:
            scene.problem((*path, "via"), str(error))
            continue
        if via and "family" in entry and entry["family"] != f"ipv{family_of(via)}":
            scene.problem((*path, "family"), f"the gateway is IPv{family_of(via)}", "leave family out")
        group = tuple(_members(scene, (*path, "group"), entry["group"])) if kind == "group" else ()
        dev = "" if kind else scene.device((*path, "dev"), entry["dev"])
        yield (
            path,
            entry,
            Nexthop(
                entry["id"], family, via, dev, bool(entry.get("onlink")), kind == "blackhole", tuple(sorted(group))
            ),
        )


def _family(entry: Mapping[str, Any]) -> int:
    if entry.get("group"):
        return 0
    if "via" in entry:
        return family_of(entry["via"])
    return 6 if entry.get("family") == "ipv6" else 4


def _members(scene: Scene, path: Path, entries: list[Any]) -> Iterator[tuple[int, int]]:
    kinds = {entry["id"]: entry for _, entry in scene.entries("nexthops") if isinstance(entry, dict) and "id" in entry}
    seen = set()
    for number, entry in enumerate(entries):
        plain = not isinstance(entry, dict)
        at = (*path, number) if plain else (*path, number, "nexthop")
        found = resolve(scene, at, entry if plain else entry["nexthop"])
        if found is None:
            continue
        member = kinds.get(found, {})
        if member.get("group"):
            scene.problem(at, "a group cannot be a member of a group", "name its members instead")
        if member.get("blackhole") and len(entries) > 1:
            scene.problem(at, "a blackhole can only be alone in a group", "take it out")
        if found in seen:
            scene.problem(at, "the same nexthop is in the group already", "give it the weight of both")
        seen.add(found)
        yield found, 1 if plain else entry.get("weight", 1)
