"""Rules as the file writes them: the section ``rules``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.errors import Problem
from reconciler.resources import marks
from reconciler.resources.prefix import canonical, contains, family_of, is_default, network
from reconciler.resources.scene import Path, Scene, Wanted
from reconciler.resources.tables import resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from reconciler.core.desired import Origin

SCHEMA: Mapping[str, Any] = {
    "rules.*": {
        "priority": {
            "type": "integer",
            "minimum": 1,
            "maximum": 4294967295,
            "description": "The rule's place: lower numbers are asked first. Required, because what the "
            "kernel would choose depends on the rules that happen to be there. main has 32766.",
            "examples": [17000],
        },
        "mark": {
            "$ref": "#/$defs/mark",
            "description": "Packets that carry this mark.",
            "examples": ["wan2", "0x10/0xff"],
        },
        "from": {
            "$ref": "#/$defs/prefix",
            "description": "Packets whose source address is in this prefix.",
            "examples": ["192.168.2.2", "10.0.5.0/24"],
        },
        "to": {
            "$ref": "#/$defs/prefix",
            "description": "Packets whose destination is in this prefix.",
            "examples": ["10.0.0.0/8"],
        },
        "iif": {
            "$ref": "#/$defs/device",
            "description": "Packets that came in by this interface; lo means those of the host itself.",
            "examples": ["eth0"],
        },
        "oif": {
            "$ref": "#/$defs/device",
            "description": "Packets of sockets that are bound to this interface.",
            "examples": ["eth1"],
        },
        "not": {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": False,
            "properties": {
                "mark": {"$ref": "#/$defs/mark", "description": "A mark.", "examples": ["wan2"]},
                "from": {"$ref": "#/$defs/prefix", "description": "A source.", "examples": ["10.0.0.0/8"]},
                "to": {"$ref": "#/$defs/prefix", "description": "A destination.", "examples": ["10.0.0.0/8"]},
                "iif": {"$ref": "#/$defs/device", "description": "An interface.", "examples": ["eth0"]},
                "oif": {"$ref": "#/$defs/device", "description": "An interface.", "examples": ["eth1"]},
            },
            "description": "The rule matches what these selectors, taken together, do not match. The kernel "
            "inverts a rule as a whole: there can be no selector beside it.",
            "examples": [{"mark": "wan2"}],
        },
        "table": {
            "$ref": "#/$defs/table",
            "description": "The table that decides, by name or number.",
            "examples": ["wan2", 100, "main"],
        },
        "family": {"$ref": "#/$defs/family"},
        "name": {"$ref": "#/$defs/name"},
        "comment": {"$ref": "#/$defs/comment"},
    }
}
SELECTORS = ("mark", "from", "to", "iif", "oif")


def read(scene: Scene, make: Callable[..., tuple[Any, ...]]) -> Iterator[Wanted]:
    """Yield the rules of the file, one or two an entry; ``make`` builds the value."""
    for path, entry in scene.entries("rules"):
        selectors, inside = entry, path
        if "not" in entry:
            selectors, inside = entry["not"], (*path, "not")
            for field in SELECTORS:
                if field in entry:
                    scene.problem(
                        (*path, field),
                        "the kernel inverts a rule as a whole: no selector can stand beside not",
                        f"move {field} into not, or make two rules",
                    )
        table = resolve(scene, (*path, "table"), entry["table"])
        mark = marks.resolve(scene, (*inside, "mark"), selectors["mark"]) if "mark" in selectors else None
        prefixes = _prefixes(scene, inside, selectors)
        if table is None or prefixes is None or ("mark" in selectors and mark is None):
            continue
        for family in _families(scene, path, entry, prefixes):
            if family == 6 and not scene.facts.ipv6:
                if entry.get("family") == "ipv6":
                    scene.problem((*path, "family"), "this kernel has no IPv6", "turn IPv6 on, or leave it out")
                else:
                    at = scene.position(path)
                    scene.notices.append(f"IPv6 is off in this kernel: the IPv6 rule at {at} is left out")
                continue
            value = make(
                family,
                entry["priority"],
                mark.value if mark else 0,
                mark.mask if mark else 0,
                prefixes["from"],
                prefixes["to"],
                *(
                    scene.device((*inside, word), selectors[word]) if word in selectors else ""
                    for word in ("iif", "oif")
                ),
                table,
                "not" in entry,
            )
            yield Wanted(value, scene.origin(path, entry))


def _prefixes(scene: Scene, path: Path, entry: Mapping[str, Any]) -> dict[str, str] | None:
    words = {"from": "", "to": ""}
    good = True
    for field in ("from", "to"):
        if field not in entry:
            continue
        word = entry[field]
        try:
            words[field] = network(word)
        except ValueError as error:
            scene.problem((*path, field), str(error))
            good = False
            continue
        if words[field].split("/", 1)[0] != canonical(word.split("/", 1)[0]):
            hint = f"did you mean {words[field]}, or {word.split('/', 1)[0]} alone?"
            scene.problem((*path, field), f"{word} has bits beyond its length set", hint)
            good = False
    return words if good else None


def _families(scene: Scene, path: Path, entry: Mapping[str, Any], prefixes: Mapping[str, str]) -> Sequence[int]:
    found = {family_of(word) for word in prefixes.values() if word}
    asked = {"ipv4": 4, "ipv6": 6}.get(entry.get("family", ""))
    if len(found) > 1 or (asked and found and asked not in found):
        scene.problem(path, "IPv4 and IPv6 are mixed in one rule", "use one family an entry")
        return ()
    for field, word in prefixes.items():
        if word and is_default(word):
            prefixes[field] = ""  # type: ignore[index]
    return (asked,) if asked else tuple(found) or (4, 6)


def check(scene: Scene, rules: Sequence[tuple[Any, Origin]]) -> None:
    """Report pairs of rules with one priority that can both match one packet."""
    places: dict[tuple[int, int], list[tuple[Any, Origin]]] = {}
    for value, origin in rules:
        for other, first in places.setdefault((value.family, value.priority), []):
            if origin.path != first.path and _overlap(value, other):
                message = (
                    f"priority {value.priority} is also that of the rule in line {first.position.line}, "
                    "and one packet can match both"
                )
                hint = "give one of them another priority"
                scene.problems.append(Problem(origin.position, origin.path, message, hint))
                break
        places[value.family, value.priority].append((value, origin))


def _overlap(one: Any, other: Any) -> bool:
    """Tell whether some packet can match two rules; an inverted one can match nearly anything."""
    if one.invert or other.invert:
        return True
    if (one.mark ^ other.mark) & one.mask & other.mask:
        return False
    for field in ("from_", "to"):
        a, b = getattr(one, field), getattr(other, field)
        if a and b and not contains(a, b) and not contains(b, a):
            return False
    return all(not (a and b and a != b) for a, b in ((one.iif, other.iif), (one.oif, other.oif)))
