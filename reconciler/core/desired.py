"""What a file asks for, by key, with where it asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.core.state import Key, Scope, Value
    from reconciler.errors import Position, Problem


class Origin(NamedTuple):
    """Where an object comes from, and what its author calls it."""

    position: Position
    path: str = ""
    label: str = ""
    """``name:`` or ``comment:`` of the entry; shown, not part of identity."""
    parts: tuple[Position, ...] = ()
    """The lines of its parts, where an object has parts (the rules of a chain)."""


class Desired(NamedTuple):
    """The objects of a file. Open fields are None until ``fill``."""

    values: Mapping[Key, Value]
    origins: Mapping[Key, Origin] = {}
    adopt: frozenset[Key] = frozenset()
    """Keys to take over from a foreign holder."""
    exclusive: frozenset[Scope] = frozenset()
    """Scopes in which nothing but the file's objects may be."""
    former: Mapping[Key, Mapping[str, Any]] = {}
    """From the record: fields of shared objects that we changed, with the values they had."""
    warnings: tuple[Problem, ...] = ()
    notices: tuple[str, ...] = ()
    """Facts about this kernel that shaped the objects, such as which classifier was chosen."""
