"""Targets: from the file's words to those of iptables. A new target is one entry in ``TARGETS``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.resources import marks
from reconciler.resources.iptables.lines import quote
from reconciler.resources.tc import handles
from reconciler.resources.tc.shaping import trees

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reconciler.resources.scene import Path, Scene

LEVELS = ("emerg", "alert", "crit", "error", "warning", "notice", "info", "debug")
MASK = {
    "anyOf": [{"$ref": "#/$defs/mark"}, {"const": True}],
}

SCHEMA: Mapping[str, Any] = {
    "jump": {
        "type": "string",
        "pattern": "^[A-Za-z][A-Za-z0-9_-]{0,27}$",
        "description": "What becomes of the packet: ACCEPT, DROP, RETURN, LOG, MARK, CONNMARK, CLASSIFY, or a "
        "chain of this table in this file.",
        "examples": ["ACCEPT", "CONNMARK"],
    },
    "log-prefix": {
        "type": "string",
        "pattern": "^[ -~]{1,29}$",
        "x-hint": "at most 29 printable ASCII characters",
        "description": "What LOG puts before each line.",
        "examples": ["wan2 "],
    },
    "log-level": {
        "enum": list(LEVELS),
        "default": "warning",
        "description": "The level that LOG writes with.",
        "examples": ["info"],
    },
    "set-mark": {
        "$ref": "#/$defs/mark",
        "description": "MARK and CONNMARK: the mark to set; only the bits of its mask change.",
        "examples": ["wan2"],
    },
    "save-mark": {
        **MASK,
        "description": "CONNMARK: copy the packet's mark to its connection. A name or mask says which bits; "
        "true means those of all declared marks.",
        "examples": ["0xff", "wan2", True],
    },
    "restore-mark": {
        **MASK,
        "description": "CONNMARK: copy the connection's mark to the packet. A name or mask says which bits; "
        "true means those of all declared marks.",
        "examples": ["0xff", "wan2", True],
    },
    "set-class": {
        "type": "string",
        "pattern": "^([0-9a-fA-F]{1,4}:[0-9a-fA-F]{1,4}|[A-Za-z][A-Za-z0-9_.-]*)$",
        "description": "CLASSIFY: the class, by id, or by its name on the device that out: names.",
        "examples": ["1:10", "premium"],
    },
}
OPTIONS = {
    "LOG": ("log-prefix", "log-level"),
    "MARK": ("set-mark",),
    "CONNMARK": ("set-mark", "save-mark", "restore-mark"),
    "CLASSIFY": ("set-class",),
}


def target(scene: Scene, path: Path, entry: Mapping[str, Any], own_names: set[str]) -> str:
    """Return a rule's target as text; problems go to the scene."""
    name = entry["jump"]
    for option in sorted({o for options in OPTIONS.values() for o in options} & set(entry)):
        if option not in OPTIONS.get(name, ()):
            takers = " or ".join(sorted(n for n, options in OPTIONS.items() if option in options))
            scene.problem((*path, option), f"{name} has no {option}", f"it belongs to jump: {takers}")
    if name in TARGETS:
        words = TARGETS[name](scene, path, entry)
        return " ".join(["-j", name, *words])
    if name in own_names:
        return f"-j {scene.owner.chain_prefix}{name}"
    scene.undefined((*path, "jump"), "target or chain", name, [*TARGETS, *own_names])
    return ""


def _none(scene: Scene, path: Path, entry: Mapping[str, Any]) -> list[str]:  # noqa: ARG001
    return []


def _log(scene: Scene, path: Path, entry: Mapping[str, Any]) -> list[str]:  # noqa: ARG001
    words = ["--log-prefix", quote(entry["log-prefix"])] if "log-prefix" in entry else []
    return words + (["--log-level", str(LEVELS.index(entry["log-level"]))] if "log-level" in entry else [])


def _mark(scene: Scene, path: Path, entry: Mapping[str, Any]) -> list[str]:
    if str(path[1]) != "mangle":
        scene.problem((*path, "jump"), "MARK works in the table mangle only", "move the rule there")
    if "set-mark" not in entry:
        scene.problem(path, "MARK needs the mark to set", "add set-mark: NAME")
        return []
    mark = marks.resolve(scene, (*path, "set-mark"), entry["set-mark"])
    return ["--set-xmark", str(mark)] if mark else []


def _connmark(scene: Scene, path: Path, entry: Mapping[str, Any]) -> list[str]:
    verbs = [verb for verb in OPTIONS["CONNMARK"] if verb in entry]
    if len(verbs) != 1:
        scene.problem(path, "CONNMARK does one thing", "give one of set-mark, save-mark and restore-mark")
        return []
    verb = verbs[0]
    if verb == "restore-mark" and str(path[1]) != "mangle":
        scene.problem((*path, verb), "restore-mark works in the table mangle only", "move the rule there")
    if verb == "set-mark":
        mark = marks.resolve(scene, (*path, verb), entry[verb])
        return ["--set-xmark", str(mark)] if mark else []
    mask = _mask(scene, (*path, verb), entry[verb])
    return [f"--{verb}", "--nfmask", f"{mask:#x}", "--ctmask", f"{mask:#x}"] if mask else []


def _mask(scene: Scene, path: Path, word: Any) -> int:
    """Return the bits to copy: a name's mask, a mask itself, or all declared ones."""
    if word is True:
        bits = marks.union(scene)
        if not bits:
            scene.problem(path, "no mark is declared, so there are no bits to copy", "name a mask, such as 0xff")
        return bits
    if isinstance(word, int) or word[:1].isdigit():
        try:
            mark = marks.parse(word)
        except ValueError as error:
            scene.problem(path, str(error), "a mask, such as 0xff")
            return 0
        return mark.value if mark.mask == marks.ALL else mark.mask
    mark_ = marks.resolve(scene, path, word)
    return mark_.mask if mark_ else 0


def _classify(scene: Scene, path: Path, entry: Mapping[str, Any]) -> list[str]:
    if tuple(path[1:3]) not in {("mangle", "POSTROUTING"), ("mangle", "OUTPUT"), ("mangle", "FORWARD")}:
        scene.problem((*path, "jump"), "CLASSIFY works in mangle POSTROUTING, FORWARD and OUTPUT", "move the rule")
    if "set-class" not in entry:
        scene.problem(path, "CLASSIFY needs a class", "add set-class: NAME, and out: DEVICE")
        return []
    word = entry["set-class"]
    if ":" in word:
        return ["--set-class", handles.text(handles.parse(word))]
    dev = scene.device((*path, "out"), entry["out"]) if "out" in entry else None
    tree = next((t for t in trees(scene) if t.dev == dev), None)
    if tree is None:
        scene.problem((*path, "set-class"), f'the class "{word}" is one of which device?', "add out: DEVICE")
        return []
    node = next((n for n in tree.nodes if n.name == word), None)
    if node is None:
        scene.undefined((*path, "set-class"), f"class of {dev}", word, [n.name for n in tree.nodes])
        return []
    if node.inner:
        scene.problem((*path, "set-class"), f"{word} has classes: packets would fall to the default", "name one below")
    return ["--set-class", handles.text(tree.major << 16 | node.minor)]


TARGETS: Mapping[str, Callable[[Scene, Path, Mapping[str, Any]], list[str]]] = {
    "ACCEPT": _none,
    "DROP": _none,
    "RETURN": _none,
    "LOG": _log,
    "MARK": _mark,
    "CONNMARK": _connmark,
    "CLASSIFY": _classify,
}
