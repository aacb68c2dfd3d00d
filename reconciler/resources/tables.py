"""Names of routing tables: those of the file, and those that the kernel knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.resources.scene import Path, Scene

KERNEL_TABLES = {"default": 253, "main": 254, "local": 255}
MAIN, LOCAL = 254, 255
LARGEST = 0xFFFFFFFF


def defined(scene: Scene) -> dict[str, int]:
    """Return the file's tables by name, the kernel's, and those that the host names."""
    found = {**dict(scene.facts.tables), **KERNEL_TABLES}
    for path, entry in scene.entries("tables"):
        name = str(path[-1])
        if isinstance(entry, dict) and "id" in entry:
            found[name] = entry["id"]
        elif name.isdecimal() and 0 < int(name) <= LARGEST:
            found[name] = int(name)
    return found


def resolve(scene: Scene, path: Path, name: object) -> int | None:
    """Return a table's number; an undefined name is a problem of the entry at ``path``."""
    if isinstance(name, int):
        return name
    tables = defined(scene)
    if name in tables:
        return tables[str(name)]
    if str(name).isdecimal() and 0 < int(str(name)) <= LARGEST:
        return int(str(name))
    scene.undefined(path, "table", name, tables)
    return None
