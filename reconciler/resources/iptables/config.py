"""The section ``iptables`` as the file writes it, turned into chains of lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from reconciler.resources.iptables.lines import BUILT_IN, LONGEST_NAME, Line, sign
from reconciler.resources.iptables.matches import SCHEMA as MATCHES
from reconciler.resources.iptables.matches import families, matches
from reconciler.resources.iptables.targets import SCHEMA as TARGETS
from reconciler.resources.iptables.targets import target
from reconciler.resources.tc import handles
from reconciler.resources.tc.shaping import trees

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from reconciler.errors import Position
    from reconciler.resources.scene import Path, Scene

RULE: Mapping[str, Any] = {
    "type": "object",
    "description": "A rule: matches, all of which must hold, and a target.",
    "additionalProperties": False,
    "minProperties": 1,
    "required": ["jump"],
    "properties": {
        **MATCHES,
        "not": {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": False,
            "properties": {k: v for k, v in MATCHES.items() if k != "raw"},
            "description": "Packets that do not match these, each taken by itself.",
            "examples": [{"mark": "0x0/0xff"}],
        },
        **TARGETS,
        "family": {"$ref": "#/$defs/family"},
        "comment": {
            "$ref": "#/$defs/comment",
            "description": "Shown with the rule, in the kernel as well.",
            "examples": ["voice goes by the second uplink"],
        },
        "name": {"$ref": "#/$defs/name"},
    },
}
LIST: Mapping[str, Any] = {
    "type": "array",
    "items": {"$ref": "#/$defs/iptables-rule"},
    "description": "The rules, in order.",
    "examples": [[{"mark": "wan2", "jump": "ACCEPT"}]],
}
SCHEMA: Mapping[str, Any] = {
    "$defs": {
        "iptables-rule": RULE,
        "iptables-chain": {
            "description": "The rules of a chain: a list, or a map with rules, position and policy.",
            "anyOf": [
                LIST,
                {
                    "type": "object",
                    "additionalProperties": False,
                    "minProperties": 1,
                    "properties": {
                        "rules": LIST,
                        "position": {
                            "enum": ["first", "last"],
                            "default": "first",
                            "description": "Where the jump to our rules goes in a built-in chain.",
                            "examples": ["last"],
                        },
                        "policy": {
                            "enum": ["ACCEPT", "DROP"],
                            "description": "What becomes of packets at the end of a built-in chain. The former "
                            "policy returns when this is taken out.",
                            "examples": ["DROP"],
                        },
                    },
                },
            ],
        },
    }
}


class OwnChain(NamedTuple):
    """One chain of ours in one family."""

    path: Path
    family: int
    table: str
    own: str
    """Its name in the kernel."""
    built_in: str
    """The built-in chain that jumps to it; empty for a chain that only our rules jump to."""
    position: str
    lines: tuple[Line, ...]
    positions: tuple[Position, ...]


def declared(scene: Scene) -> Iterator[tuple[Path, Any]]:
    """Yield path and content of each chain of each table."""
    for table, _ in scene.entries("iptables"):
        yield from scene.entries(*table)


def chains(scene: Scene) -> tuple[OwnChain, ...]:
    """Return all chains of the file; problems go to the scene, once."""
    return scene.once("iptables", lambda s: tuple(_chains(s)))


def _chains(scene: Scene) -> Iterator[OwnChain]:
    classify = _classify(scene)
    places = {(str(path[1]), str(path[2])): (path, entry) for path, entry in declared(scene)}
    if classify and ("mangle", "POSTROUTING") not in places:
        places["mangle", "POSTROUTING"] = (("shaping",), [])
    for (table, name), (path, entry) in places.items():
        listed, at = (
            (entry or [], path) if not isinstance(entry, dict) else (entry.get("rules") or [], (*path, "rules"))
        )
        own = scene.owner.chain_prefix + name
        built_in = name if name in BUILT_IN[table] else ""
        if len(own) > LONGEST_NAME:
            room = LONGEST_NAME - len(scene.owner.chain_prefix)
            scene.problem(path, f"the chain's name {name} is too long", f"at most {room} characters")
        if not built_in and name.isupper():
            scene.warning(path, f"{name} is no built-in chain of {table}: nothing jumps to it by itself")
        own_names = {chain for other, chain in places if other == table and chain not in BUILT_IN[table]}
        rules = [
            (families(scene, (*at, n), rule), _rule(scene, (*at, n), rule, own_names), scene.position((*at, n)))
            for n, rule in enumerate(listed)
        ]
        extra = classify if (table, name) == ("mangle", "POSTROUTING") else []
        for family in (4, 6) if scene.facts.ipv6 else (4,):
            chosen = [(words, position) for wanted, words, position in rules if family in wanted and words]
            chosen += extra
            if chosen or not built_in:
                lines = sign([words for words, _ in chosen], scene.owner)
                where = entry.get("position", "first") if isinstance(entry, dict) else "first"
                yield OwnChain(path, family, table, own, built_in, where, lines, tuple(p for _, p in chosen))


def _rule(scene: Scene, path: Path, entry: Mapping[str, Any], own_names: set[str]) -> tuple[str, str, str] | None:
    """Return matches, comment and target of one rule."""
    before = len(scene.problems)
    found = matches(scene, path, entry)
    jump = target(scene, path, entry, own_names)
    comment = str(entry.get("comment") or entry.get("name") or "")
    return (found, comment, jump) if len(scene.problems) == before else None


def _classify(scene: Scene) -> Sequence[tuple[tuple[str, str, str], Position]]:
    """Return the rules that send marks to classes, where the kernel has no classifier that can."""
    if scene.facts.classifier != "classify":
        return []
    found = []
    for tree in trees(scene):
        for node in tree.nodes:
            classid = handles.text(tree.major << 16 | node.minor)
            for number, mark in enumerate(node.marks):
                words = (f"-o {tree.dev} -m mark --mark {mark}", "", f"-j CLASSIFY --set-class {classid}")
                found.append((words, scene.position((*node.path, "marks", number))))
    return found
