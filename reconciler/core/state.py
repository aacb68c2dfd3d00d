"""What is in a kernel, as two maps: what is ours, and what is foreign.

A value says what an object is; who made it and which line of a file asked for it are kept outside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

Key = tuple[Any, ...]
"""What the file means by an object: the kind's name, then the kernel's uniqueness key without owner
marks and kernel-chosen handles. Keys of one kind have one shape and can be sorted."""

Value = tuple[Any, ...]
"""A kernel object: a NamedTuple of plain scalars and tuples of them; addresses are canonical text."""

Scope = tuple[Any, ...]
"""What a file can declare ``exclusive``: the kind's name, then a device, a table, …"""

OURS = None
"""The mark of what is ours, where a foreign object would carry its maker's number."""

SURPLUS = -1
"""The mark of a second object of ours under one key, such as a route that was appended just before a kill.
It stands among the foreign ones, since a key has one value of ours, and is always removed."""

SELF_MADE = frozenset({1, 2, 9})
"""Marks of what the kernel makes and renews by itself, which is never collateral: RTPROT_REDIRECT,
_KERNEL and _RA (linux/rtnetlink.h). Kinds without a protocol number use the kernel's for such objects."""

PROTECTED = SELF_MADE | {16}
"""Marks that ``exclusive`` spares: those, and what a DHCP client brought (RTPROT_DHCP)."""


class Held(NamedTuple):
    """A foreign object: its value, and the kernel's number for who made it (a protocol, or 0)."""

    value: Value
    mark: int


class State(NamedTuple):
    """All objects of one network namespace that some kind knows."""

    ours: Mapping[Key, Value]
    foreign: Mapping[Key, tuple[Held, ...]]
    unknown: Mapping[str, str] = {}
    """Kinds that could not be read, each with the reason: unknown is not empty."""


def nothing() -> State:
    """Return a state that holds no object."""
    return State({}, {}, {})
