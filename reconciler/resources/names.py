"""The names that people gave to numbers, for whoever shows an object."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

KNOWN_TABLES = {253: "default", 254: "main", 255: "local"}


class Names(NamedTuple):
    """From numbers to names, as one file defines them."""

    marks: Mapping[tuple[int, int], str] = {}
    """Value and mask to name."""
    tables: Mapping[int, str] = {}
    classes: Mapping[tuple[str, str], str] = {}
    """Device and class id to name."""

    nexthops: Mapping[int, str] = {}

    def nexthop(self, number: int) -> str:
        """Return ``uplink1 (1)``, or just the id."""
        name = self.nexthops.get(number)
        return f"{name} ({number})" if name else str(number)

    def mark(self, value: int, mask: int) -> str:
        """Return ``wan2 (0x10/0xff)``, or just the numbers where they have no name."""
        name = self.marks.get((value, mask))
        return f"{name} ({mark_text(value, mask)})" if name else mark_text(value, mask)

    def table(self, number: int) -> str:
        """Return ``wan2 (100)``, ``main``, or just the number."""
        if number in KNOWN_TABLES:
            return KNOWN_TABLES[number]
        name = self.tables.get(number)
        return f"{name} ({number})" if name else str(number)

    def class_(self, device: str, classid: str) -> str:
        """Return ``premium 1:10``, or just the id."""
        name = self.classes.get((device, classid))
        return f"{name} {classid}" if name else classid


def mark_text(value: int, mask: int) -> str:
    """Return a mark as people write it: ``0x10/0xff``."""
    return f"{value:#x}/{mask:#x}"
