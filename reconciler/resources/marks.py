"""Marks: a value and a mask, everywhere. Names for them, and what is doubtful about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reconciler.resources.names import mark_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.resources.scene import Path, Scene

ALL = 0xFFFFFFFF

SOFTWARE = (
    ("Cilium", 0xFFFF1FFF & ~0xFF),
    ("kube-proxy", 0xC000),
    ("CNI portmap", 0x2000),
    ("Calico", 0xFFFF0000),
    ("Weave", 0x60000),
    ("Tailscale", 0xFF0000),
    ("mwan3", 0x3F00),
    ("OpenWrt pbr", 0x00FF0000),
)
"""Bits that well-known software uses for itself, from their sources and documentation."""


class Mark(NamedTuple):
    """A value under a mask: a packet has it if ``packet & mask == value``."""

    value: int
    mask: int

    def __str__(self) -> str:
        """Return ``0x10/0xff``."""
        return mark_text(self.value, self.mask)


def parse(word: object) -> Mark:
    """Read ``0x10/0xff``, ``0x10`` or a number; ValueError says what is wrong."""
    if isinstance(word, int):
        value, mask = word, ALL
    else:
        first, slash, second = str(word).partition("/")
        try:
            value = int(first, 0)
            mask = int(second, 0) if slash else ALL
        except ValueError:
            msg = f'"{word}" is not a mark'
            raise ValueError(msg) from None
    if not (0 <= value <= ALL and 0 <= mask <= ALL):
        msg = f'"{word}" does not fit into 32 bits'
        raise ValueError(msg)
    if value & ~mask:
        msg = f"{value:#x} has bits outside its mask {mask:#x}: no packet would ever match"
        raise ValueError(msg)
    return Mark(value, mask)


def defined(scene: Scene) -> Mapping[str, Mark]:
    """Return the file's marks by name; what is wrong with one is reported by ``check``."""
    found = {}
    for path, entry in scene.entries("marks"):
        word = entry.get("mark") if isinstance(entry, dict) else entry
        try:
            found[str(path[-1])] = parse(word)
        except ValueError:
            found[str(path[-1])] = Mark(0, 0)
    return found


def resolve(scene: Scene, path: Path, word: object) -> Mark | None:
    """Return the mark that a name or an inline value stands for; otherwise report it at ``path``."""
    if isinstance(word, str) and not word[:1].isdigit():
        marks = defined(scene)
        if word in marks:
            return marks[word]
        scene.undefined(path, "mark", word, marks)
        return None
    try:
        return parse(word)
    except ValueError as error:
        scene.problem(path, str(error), "value/mask, such as 0x10/0xff")
        return None


def union(scene: Scene) -> int:
    """Return all bits of the declared marks together, for save and restore without a mask."""
    bits = 0
    for mark in defined(scene).values():
        bits |= mark.mask
    return bits


def check(scene: Scene) -> None:
    """Report marks that are wrong, that collide with each other, or with well-known software."""
    seen: dict[str, Mark] = {}
    for path, entry in scene.entries("marks"):
        word = entry.get("mark") if isinstance(entry, dict) else entry
        try:
            mark = parse(word)
        except ValueError as error:
            scene.problem(path, str(error), "value/mask, such as 0x10/0xff")
            continue
        if not mark.value:
            scene.problem(path, "a mark's value must not be 0: every unmarked packet has it", "use 0x10/0xff")
            continue
        for name, other in seen.items():
            if mark.value & other.mask == other.value & mark.mask:
                scene.warning(
                    path,
                    f"a packet can carry {path[-1]} ({mark}) and {name} ({other}) at once",
                    "give the two different values under one mask",
                )
        if mark.mask == ALL:
            scene.warning(
                path,
                f"{mark.value:#x} without a mask means all 32 bits: setting it erases other software's bits",
                f"write {mark.value:#x}/{_field(mark.value):#x} to use only these",
            )
        else:
            for software, bits in SOFTWARE:
                if mark.mask & bits:
                    scene.warning(
                        path,
                        f"the mask {mark.mask:#x} overlaps with bits that {software} uses ({bits:#x})",
                        "harmless where that software does not run",
                    )
        seen[str(path[-1])] = mark


def _field(value: int) -> int:
    """Return the smallest field of whole bytes that holds a value."""
    field = 0xFF
    while value & ~field:
        field = field << 8 | 0xFF
    return field
