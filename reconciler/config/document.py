"""What a file holds: maps and lists that know where in the file each of their entries stands.

Belongs here: the two containers, and finding and naming a place by its path. A path is a tuple of keys and
indexes, ``("tables", "wan2", "routes", 0, "via")``.

A place is one integer, line and column counted from 0; that of an entry of a map is the key's and the
value's side by side. A file of 100,000 routes has 300,000 of them, and few are ever asked for: `Position`
is made on demand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.config.words import LONGEST, quote
from reconciler.errors import Position

if TYPE_CHECKING:
    from collections.abc import Sequence

COLUMN_BITS = 28
"""Room for a line number and for a column: more than the bytes of the largest file that is read."""

PLACE_BITS = 2 * COLUMN_BITS
"""Room for a place."""

_COLUMN = (1 << COLUMN_BITS) - 1
_PLACE = (1 << PLACE_BITS) - 1


class Source:
    """Where a document came from.

    ``file`` is its name. ``spellings`` holds, by place, the text of each scalar that took an environment
    variable, as it stands in the file: what is shown instead of the value, which may be a secret.
    """

    __slots__ = ("file", "spellings")

    def __init__(self, file: str) -> None:
        self.file = file
        self.spellings: dict[int, str] = {}

    def position(self, place: int) -> Position:
        """The place as people count: from 1."""
        return Position(self.file, (place >> COLUMN_BITS) + 1, (place & _COLUMN) + 1)


class Map(dict[str, Any]):
    """A map of the file. A key that it lacks stands where the map itself does."""

    __slots__ = ("place", "places", "source")

    def __init__(self, source: Source, place: int) -> None:
        self.source = source
        self.place = place
        self.places: dict[str, int] = {}

    @property
    def position(self) -> Position:
        """Where the map begins; in block style that is its first key."""
        return self.source.position(self.place)

    def at(self, key: str) -> Position:
        """Where the key of an entry stands."""
        return self.source.position(self.places.get(key, self.place << PLACE_BITS) >> PLACE_BITS)

    def value_at(self, key: str) -> Position:
        """Where the value of an entry stands."""
        return self.source.position(self.places.get(key, self.place) & _PLACE)

    def spelling(self, key: str) -> str | None:
        """The text of an entry's value in the file if it took an environment variable, else None."""
        return self.source.spellings.get(self.places.get(key, -1) & _PLACE)

    def key_spelling(self, key: str) -> str:
        """The key as it stands in the file: with its ``${NAME}``, if it took an environment variable."""
        return self.source.spellings.get(self.places.get(key, -1) >> PLACE_BITS, key)


class Seq(list[Any]):
    """A list of the file. An index that it lacks stands where the list itself does."""

    __slots__ = ("place", "places", "source")

    def __init__(self, source: Source, place: int) -> None:
        self.source = source
        self.place = place
        self.places: list[int] = []

    @property
    def position(self) -> Position:
        """Where the list begins; in block style that is its first dash."""
        return self.source.position(self.place)

    def at(self, index: int) -> Position:
        """Where an entry stands."""
        return self.source.position(self.places[index] if 0 <= index < len(self.places) else self.place)

    def spelling(self, index: int) -> str | None:
        """The text of an entry in the file if it took an environment variable, else None."""
        return self.source.spellings.get(self.places[index] if 0 <= index < len(self.places) else -1)


def position_of(document: Map, path: Sequence[str | int], *, key: bool = False) -> Position:
    """Where the value at `path` stands, or with `key` its key.

    Where the document ends before the path does, the last value on the way is what the position is of.
    """
    position = document.position
    node: Any = document
    for depth, step in enumerate(path, 1):
        if isinstance(node, Map) and isinstance(step, str) and step in node:
            position = node.at(step) if key and depth == len(path) else node.value_at(step)
            node = node[step]
        elif isinstance(node, Seq) and isinstance(step, int) and step < len(node):
            position = node.at(step)
            node = node[step]
        else:
            break
    return position


def spelling_of(document: Map, path: Sequence[str | int]) -> str | None:
    """The text in the file of the scalar at `path` if it took an environment variable, else None."""
    node: Any = document
    for step in path[:-1]:
        node = node[step]
    return node.spelling(path[-1]) if path else None


def spelled(document: Map, path: Sequence[str | int]) -> list[str | int]:
    """`path` with each key as it stands in the file: no value of an environment variable shows."""
    steps: list[str | int] = []
    node: Any = document
    for step in path:
        if isinstance(node, Map) and isinstance(step, str):
            steps.append(node.key_spelling(step))
            node = node.get(step)
        else:
            steps.append(step)
            node = node[step] if isinstance(node, Seq) and isinstance(step, int) and step < len(node) else None
    return steps


def format_path(path: Sequence[str | int]) -> str:
    """A path as it is written for people: ``tables.wan2.routes[0].via``, ``interfaces."eth0.7".mtu``."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f".{_step(step)}" if text else _step(step)
    return text


def _step(key: str) -> str:
    if key and key.isprintable() and len(key) <= LONGEST and not any(char in ' ."[]:' for char in key):
        return key
    return quote(key)
