"""The section ``shaping`` as the file writes it: devices, their class trees, and which mark goes where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from reconciler.resources import marks
from reconciler.resources.owner import QDISC_MAJORS
from reconciler.resources.tc import handles, rates

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.resources.marks import Mark
    from reconciler.resources.scene import Path, Scene

CLASS: Mapping[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["rate"],
    "description": "A class, by its name, which is unique on its device.",
    "properties": {
        "id": {
            "type": "string",
            "pattern": "^[0-9a-fA-F]{0,4}:[0-9a-fA-F]{1,4}$",
            "x-hint": 'major:minor in hexadecimal, quoted: "1:10"',
            "description": "The class id as in tc, hexadecimal. Without it one is made from the name.",
            "examples": ["1:10"],
        },
        "rate": {
            "$ref": "#/$defs/rate",
            "description": "The guaranteed rate, in bits per second.",
            "examples": ["5mbit"],
        },
        "ceil": {
            "$ref": "#/$defs/rate",
            "description": "The rate that it may borrow up to. The default is the rate itself.",
            "examples": ["10mbit"],
        },
        "marks": {
            "type": "array",
            "items": {"$ref": "#/$defs/mark"},
            "description": "Packets that carry one of these marks belong to this class.",
            "examples": [["wan2"]],
        },
        "classes": {
            "type": "object",
            "propertyNames": {"$ref": "#/$defs/name"},
            "additionalProperties": {"$ref": "#/$defs/class"},
            "description": "Classes that share this one's rate.",
            "examples": [{"premium": {"rate": "5mbit"}}],
        },
        "comment": {"$ref": "#/$defs/comment"},
    },
}


class Node(NamedTuple):
    """One class of a device, with its place in the tree."""

    path: Path
    name: str
    minor: int
    parent: int
    """The parent's minor number; 0 below the qdisc."""
    rate: int
    ceil: int
    marks: tuple[Mark, ...]
    inner: bool


class Tree(NamedTuple):
    """The shaping of one device."""

    path: Path
    dev: str
    major: int
    default: int
    """The minor number of the class for everything that nothing matches; 0 for none."""
    nodes: tuple[Node, ...]
    entry: Mapping[str, Any]


def trees(scene: Scene) -> tuple[Tree, ...]:
    """Return the shaping of all devices; problems go to the scene, once."""
    return scene.once("shaping", lambda s: tuple(_trees(s)))


def _trees(scene: Scene) -> Iterator[Tree]:
    for path, entry in scene.entries("shaping"):
        dev, major = scene.device(path, path[-1]), scene.owner.qdisc_major
        if "handle" in entry:
            major = handles.parse(entry["handle"]) >> 16
            if not 0 < major < 0xFFFF:
                scene.problem((*path, "handle"), f"{entry['handle']} is not a handle", 'from "1:" to "fffe:"')
            elif major & 0xFF00 == QDISC_MAJORS and major != scene.owner.qdisc_major:
                scene.problem((*path, "handle"), f"{entry['handle']} is another owner's", "leave handle out")
        listed = list(_walk(scene, (*path, "classes"), entry.get("classes") or {}, None))
        minors = _minors(scene, listed, major)
        nodes = tuple(_node(scene, at, parent, found, minors) for at, parent, found in listed)
        _check_rates(scene, nodes)
        default = _default(scene, path, entry, nodes)
        if entry.get("exclusive"):
            scene.exclusive.add(("qdisc", dev))
        yield Tree(path, dev, major, default, nodes, entry)


def _walk(
    scene: Scene, path: Path, classes: Mapping[str, Any], parent: str | None
) -> Iterator[tuple[Path, str | None, Any]]:
    """Yield path, parent's name and entry of each class, parents first."""
    for name, entry in classes.items():
        at = (*path, name)
        yield at, parent, entry
        yield from _walk(scene, (*at, "classes"), entry.get("classes") or {}, name)


def _minors(scene: Scene, listed: list[tuple[Path, str | None, Any]], major: int) -> dict[str, int]:
    """Return each class's minor number: as the file says, or from its name."""
    taken: dict[int, Path] = {}
    found: dict[str, int] = {}
    names: dict[str, Path] = {}
    for path, _, entry in listed:
        name = str(path[-1])
        if name in names:
            line = scene.position(names[name]).line
            scene.problem(path, f'a class "{name}" is already in line {line}', "class names are unique on a device")
        names.setdefault(name, path)
        if "id" not in entry:
            continue
        handle = handles.parse(entry["id"])
        if handle >> 16 not in (0, major):
            scene.problem(
                (*path, "id"),
                f"{entry['id']} is not below the qdisc {major:x}:",
                f'"{major:x}:{handle & 0xFFFF:x}", or a handle for the qdisc',
            )
        minor = handle & 0xFFFF
        if not minor:
            scene.problem((*path, "id"), f"{entry['id']} is the qdisc itself", "give the class a minor number")
        elif minor in taken:
            line = scene.position(taken[minor]).line
            scene.problem((*path, "id"), f"the id {entry['id']} is already that of the class in line {line}")
        taken.setdefault(minor, path)
        found[name] = minor
    found.update(handles.allocate([n for n in names if n not in found], set(taken)))
    return found


def _node(scene: Scene, path: Path, parent: str | None, entry: Any, minors: Mapping[str, int]) -> Node:
    rate = _rate(scene, (*path, "rate"), entry["rate"])
    ceil = _rate(scene, (*path, "ceil"), entry["ceil"]) if "ceil" in entry else rate
    if ceil < rate:
        scene.problem((*path, "ceil"), f"the ceil {entry['ceil']} is below the rate {entry['rate']}")
    listed = [marks.resolve(scene, at, word) for at, word in scene.entries(*path, "marks")]
    for (at, _), mark in zip(scene.entries(*path, "marks"), listed, strict=True):
        if mark is not None and not mark.value:
            scene.problem(at, "a class cannot be chosen by the absence of a mark", "use default: for the rest")
    inner = bool(entry.get("classes"))
    if inner and entry.get("marks"):
        scene.problem((*path, "marks"), "packets can only go to a class without classes", "move marks to one below")
    name = str(path[-1])
    above = minors[parent] if parent is not None else 0
    return Node(path, name, minors[name], above, rate, ceil, tuple(m for m in listed if m), inner)


def _rate(scene: Scene, path: Path, word: object) -> int:
    try:
        bits = rates.parse(word)
    except ValueError as error:
        scene.problem(path, str(error))
        return 8
    if not bits:
        scene.problem(path, f"the rate {word} is less than a byte a second")
        return 8
    return bits


def _check_rates(scene: Scene, nodes: tuple[Node, ...]) -> None:
    """Warn where children are promised more than their parent has."""
    for node in nodes:
        below = [other for other in nodes if other.parent == node.minor and other is not node]
        total = sum(other.rate for other in below)
        if below and total > node.rate:
            scene.warning(
                (*node.path, "rate"),
                f"the classes of {node.name} are promised {rates.text(total)} together, "
                f"more than its rate of {rates.text(node.rate)}",
                "raise its rate, or lower theirs",
            )
        for other in below:
            if other.ceil > node.ceil:
                scene.warning(
                    other.path,
                    f"the ceil of {other.name} ({rates.text(other.ceil)}) is above that of {node.name} "
                    f"({rates.text(node.ceil)})",
                    "it can never be reached",
                )


def _default(scene: Scene, path: Path, entry: Mapping[str, Any], nodes: tuple[Node, ...]) -> int:
    if "default" not in entry:
        return 0
    name = entry["default"]
    node = next((n for n in nodes if n.name == name), None)
    if node is None:
        scene.undefined((*path, "default"), "class", name, [n.name for n in nodes])
        return 0
    if node.inner:
        scene.problem((*path, "default"), f"the class {name} has classes: no packet can stay in it", "name one below")
    return node.minor
