"""Handles and class ids: 32 bits, a major and a minor number, both hexadecimal as in tc."""

from __future__ import annotations

from zlib import crc32

ROOT = 0xFFFFFFFF
FIRST_MINOR, LAST_MINOR = 0x1000, 0xFFFE


def parse(word: str) -> int:
    """Read ``1:10``, ``1:`` or ``:10``; ValueError if it is none."""
    major, colon, minor = word.partition(":")
    if not colon or not (major or minor):
        msg = f'"{word}" is not a class id: major:minor, hexadecimal'
        raise ValueError(msg)
    numbers = [int(part, 16) if part else 0 for part in (major, minor)]
    if max(numbers) > 0xFFFF:
        msg = f'"{word}" is not a class id: each part has at most four digits'
        raise ValueError(msg)
    return numbers[0] << 16 | numbers[1]


def text(handle: int) -> str:
    """Return ``1:10``; ``1:`` for a qdisc; ``root``."""
    if handle == ROOT:
        return "root"
    major, minor = handle >> 16, handle & 0xFFFF
    return f"{major:x}:{minor:x}" if minor else f"{major:x}:"


def allocate(names: list[str], taken: set[int]) -> dict[str, int]:
    """Give each name a minor number that depends on the name alone, as far as they do not collide.

    So a class keeps its number when others come and go. ``taken`` are those that the file names.
    """
    used = set(taken)
    found = {}
    room = LAST_MINOR - FIRST_MINOR
    for name in sorted(names):
        minor = FIRST_MINOR + crc32(name.encode()) % room
        while minor in used:
            minor = FIRST_MINOR + (minor + 1 - FIRST_MINOR) % room
        used.add(minor)
        found[name] = minor
    return found
