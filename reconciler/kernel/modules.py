"""What the running kernel has, told from lists: nothing here loads a module.

The lists are /proc/modules (loaded), /lib/modules/RELEASE/modules.builtin and modules.dep. A container sees
the first one and mostly not the others: then some questions have no answer, and the answer is None.
"""

from __future__ import annotations

import os

FOLDERS = ("/lib/modules", "/usr/lib/modules", "/run/booted-system/kernel-modules/lib/modules")


def can_load_modules(root: str = "") -> bool:
    """Whether a request of ours could make the kernel load a module by itself.

    ``root`` goes before each path, for tests.
    """
    if not os.path.exists(f"{root}/proc/modules"):
        return False
    if _read(f"{root}/proc/sys/kernel/modules_disabled") == "1\n":
        return False
    return _read(f"{root}/proc/sys/kernel/modprobe") != "\n"


def source(name: str, root: str = "") -> str | None:
    """Where the kernel has a module from: ``loaded``, ``built in``, ``loadable module``.

    "" where it has it not, None where nobody can tell. '-' and '_' are the same in names.
    """
    name = name.replace("-", "_")
    loaded = _read(f"{root}/proc/modules")
    if loaded is not None and f"\n{name} " in f"\n{loaded}":
        return "loaded"
    built_in = _listed("modules.builtin", name, root)
    if built_in:
        return "built in"
    if os.path.exists(f"{root}/sys/module/{name}"):  # what is built in is there if it has parameters
        return "built in"
    loadable = _listed("modules.dep", name, root) if can_load_modules(root) else False
    if loadable:
        return "loadable module"
    return "" if built_in is False and loadable is False else None


def present(name: str, root: str = "") -> bool | None:
    """Whether the kernel has the module right now, loaded or built in; None where nobody can tell."""
    found = source(name, root)
    if found == "loadable module":
        return False
    return found if found is None else found != ""


def available(name: str, root: str = "") -> bool | None:
    """Whether the kernel has the module or would load it when asked; None where nobody can tell."""
    found = source(name, root)
    return found if found is None else found != ""


def _listed(name: str, module: str, root: str) -> bool | None:
    """Whether a list of the running kernel's modules has this one; None where there is no such list."""
    release = os.uname().release
    for folder in FOLDERS:
        text = _read(f"{root}{folder}/{release}/{name}")
        if text is not None:
            return f"/{module}.ko" in text.replace("-", "_")
    return None


def _read(path: str) -> str | None:
    """The text of a file; None where it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return None
