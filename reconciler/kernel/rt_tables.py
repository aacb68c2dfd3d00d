"""The names that the host gives to routing tables: the files ``rt_tables`` of iproute2, its own over its vendor's."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FOLDERS = ("/usr/lib/iproute2", "/usr/share/iproute2", "/etc/iproute2")
KERNELS = frozenset({0, 253, 254, 255})
LARGEST = 0xFFFFFFFF


def host_tables(folders: Iterable[str] = FOLDERS) -> tuple[tuple[str, int], ...]:
    """Return name and number of each table that the host names, without the kernel's own and what is broken."""
    found: dict[str, int] = {}
    for folder in folders:
        for path in (f"{folder}/rt_tables", *_listed(f"{folder}/rt_tables.d")):
            found.update(_read(path))
    return tuple(sorted(found.items()))


def _listed(folder: str) -> list[str]:
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    return [f"{folder}/{name}" for name in sorted(names) if name.endswith(".conf") and not name.startswith(".")]


def _read(path: str) -> Iterator[tuple[str, int]]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = file.read(1 << 20).splitlines()
    except OSError:
        return
    for line in lines:
        words = line.partition("#")[0].split()
        try:
            number = int(words[0], 0) if len(words) == 2 else 0
        except ValueError:
            continue
        if number not in KERNELS and 0 < number <= LARGEST:
            yield words[1], number
