"""From the events of a YAML parser to maps, lists and scalars that know their places, in one pass.

Belongs here: everything that is decided while the document is put together: duplicate keys, keys that are
no text, tags, aliases, variables, depth. A problem is noted and the reading goes on; only what makes it
pointless to go on (`PointlessError`) ends it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from reconciler.config.document import COLUMN_BITS, PLACE_BITS, Map, Seq, Source, format_path
from reconciler.config.environment import expand
from reconciler.config.scalars import is_text, plain
from reconciler.config.words import cut
from reconciler.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DEEPEST = 100
"""How deep maps and lists may stand in one another."""

MOST_ALIASED = 1_000_000
"""How many nodes aliases may stand for, those in what they stand for counted again: a bomb is much larger."""


class PointlessError(Exception):
    """To read on is pointless; the problem that says why is noted."""


NO_KEY = "?"
"""Stands for a key that is none, so that reading can go on."""


class Anchored:
    """What an anchor names. ``size`` is its number of nodes, 0 while it is not complete."""

    __slots__ = ("place", "size", "value")

    def __init__(self, value: Any, place: int, size: int) -> None:
        self.value = value
        self.place = place
        self.size = size


class Level(NamedTuple):
    """What is put aside of a container while one inside it is open."""

    here: Map | Seq
    step: str | int
    key_after: str | None
    anchored: Anchored | None
    nodes: int


class Builder:
    """Takes events one by one; ``root`` holds the document then, ``problems`` what is wrong with it."""

    def __init__(self, source: Source, environ: Mapping[str, str]) -> None:
        self.source = source
        self.environ = environ
        self.problems: list[Problem] = []
        self.root = Seq(source, 0)
        self.documents = 0
        # The container that is open, as one or the other; in a map, the key that waits for its value.
        self.map: Map | None = None
        self.seq = self.root
        self.key: str | None = None
        self.key_place = 0
        self.levels: list[Level] = []
        # How many nodes there are, those behind aliases counted each time; and how many of them that is.
        self.anchors: dict[str, Anchored] = {}
        self.nodes = 0
        self.aliased = 0
        # Equal scalars are one object: a list of routes says "eth1" ten thousand times.
        self.values: dict[str, Any] = {}
        self.names: dict[str, str] = {}

    def read(self, get_event: Callable[[], Any]) -> None:
        """Take all events. What the parser raises goes through; what was read before it stays."""
        handlers: dict[type, Callable[[Any], None]] = {
            ScalarEvent: self.scalar,
            MappingStartEvent: self.open,
            SequenceStartEvent: self.open,
            MappingEndEvent: self.close,
            SequenceEndEvent: self.close,
            AliasEvent: self.alias,
            DocumentStartEvent: self.document,
        }
        nothing = self.nothing
        try:
            while (event := get_event()) is not None:
                handlers.get(type(event), nothing)(event)
        except PointlessError:
            pass

    def nothing(self, event: Any) -> None:
        """Take an event that says nothing."""

    def document(self, event: Any) -> None:
        """Take the beginning of a document; there is one in a file."""
        self.documents += 1
        if self.documents > 1:
            self.problem(_place(event), "a second document begins here", "one file holds one; take the --- out")
            raise PointlessError

    def scalar(self, event: Any) -> None:
        """Take a key, a value or an entry of a list."""
        text: str = event.value
        mark = event.start_mark
        place = mark.line << COLUMN_BITS | mark.column
        if event.tag is not None:
            self.tag(event, place)
        here = self.map
        if here is None:
            value = self.values[text] if not event.style and text in self.values else self.new(event, text, place)
            self.seq.append(value)
            self.seq.places.append(place)
        elif self.key is None:
            self.key = value = self.names.get(text) or self.new_name(event, text, place)
            self.key_place = place
            if value in here:
                self.twice(value, place, here)
        else:
            value = self.values[text] if not event.style and text in self.values else self.new(event, text, place)
            here[self.key] = value
            here.places[self.key] = self.key_place << PLACE_BITS | place
            self.key = None
        self.nodes += 1
        if event.anchor is not None:
            self.anchors[event.anchor] = Anchored(value, place, 1)

    def new(self, event: ScalarEvent, text: str, place: int) -> Any:
        """The value of a text that is not known yet, or never will be, being quoted or taking a variable."""
        if "${" in text:
            text = self.expanded(text, place)
            return text if event.style else plain(text)
        if event.style:
            self.check_text(text, place)
            return text
        value = self.values[text] = plain(text)
        return value

    def new_name(self, event: ScalarEvent, text: str, place: int) -> str:
        """The key that a text stands for which is not known yet."""
        if "${" in text:
            return self.expanded(text, place)
        if event.style:
            self.check_text(text, place)
        elif not text:
            self.problem(place, "a key is missing here", "write it before the colon")
        return self.names.setdefault(text, text)

    def twice(self, key: str, place: int, here: Map) -> None:
        """Refuse a key that its map has already, and say where."""
        first = here.at(key)
        hint = f"first in line {first.line}, column {first.column}; keep one"
        self.problem(place, "the key is given twice", hint)

    def bracketed_key(self, place: int) -> None:
        """Refuse a map or a list where a key belongs."""
        hint = "a key is a text; quote one that begins with a bracket"
        if self.map is not None and place == self.map.place + 1:
            hint = "is {{ … }} a template that was not filled in?"
        self.problem(place, "a map or a list cannot be a key", hint)

    def add(self, value: Any, place: int) -> None:
        """Put a value where it belongs in the open container."""
        if self.map is None:
            self.seq.append(value)
            self.seq.places.append(place)
        elif self.key is not None:
            self.map[self.key] = value
            self.map.places[self.key] = self.key_place << PLACE_BITS | place
            self.key = None

    def open(self, event: MappingStartEvent | SequenceStartEvent) -> None:
        """Take the beginning of a map or a list."""
        place = _place(event)
        if event.tag is not None:
            self.tag(event, place)
        if len(self.levels) >= DEEPEST:
            message = f"maps and lists stand more than {DEEPEST} deep in one another here"
            self.problems.append(Problem(self.source.position(place), "", message))
            raise PointlessError
        child = Map(self.source, place) if type(event) is MappingStartEvent else Seq(self.source, place)
        anchored = None
        if event.anchor is not None:
            anchored = self.anchors[event.anchor] = Anchored(child, place, 0)
        is_key = self.map is not None and self.key is None
        if is_key:
            self.bracketed_key(place)
        here = self.seq if self.map is None else self.map
        self.levels.append(Level(here, self.step(), NO_KEY if is_key else None, anchored, self.nodes))
        if not is_key:
            self.add(child, place)
        self.nodes += 1
        self.enter(child)

    def close(self, _event: Any) -> None:
        """Take the end of a map or a list."""
        level = self.levels.pop()
        if level.anchored is not None:
            level.anchored.size = self.nodes - level.nodes
        self.enter(level.here)
        self.key = level.key_after

    def enter(self, container: Map | Seq) -> None:
        """Make `container` the open one."""
        self.key = None
        if isinstance(container, Map):
            self.map = container
        else:
            self.map, self.seq = None, container

    def alias(self, event: Any) -> None:
        """Take ``*name``: the value that it names, the same object each time."""
        place = _place(event)
        name, value = cut(event.anchor), None
        anchored = self.anchors.get(event.anchor)
        if self.map is not None and self.key is None:
            self.problem(place, f"the alias *{name} cannot be a key", "write the key itself")
            self.key, self.key_place = NO_KEY, place
            return
        if anchored is None:
            self.problem(
                place,
                f"*{name} names nothing: there is no &{name} before it",
                "quote a text that begins with *",
            )
        elif not anchored.size:
            self.problem(place, f"*{name} stands inside of what it names")
        else:
            value = anchored.value
            self.nodes += anchored.size
            self.aliased += anchored.size
            if self.aliased > MOST_ALIASED:
                self.problem(place, f"aliases stand for more than {MOST_ALIASED:,} nodes here")
                raise PointlessError
            if anchored.place in self.source.spellings:
                self.source.spellings[place] = self.source.spellings[anchored.place]
        self.add(value, place)

    def tag(self, event: Any, place: int) -> None:
        """Refuse a tag."""
        shown = cut(event.tag.replace("tag:yaml.org,2002:", "!!", 1))
        self.problem(place, f"the tag {shown} is not allowed", "leave it out; what is quoted is text")

    def expanded(self, text: str, place: int) -> str:
        """The text with its environment variables replaced."""
        result = expand(text, self.environ)
        if result.used:
            self.source.spellings[place] = text
        for message, hint in result.problems:
            self.problem(place, message, hint)
        return result.text

    def check_text(self, text: str, place: int) -> None:
        """Refuse what only an escape in double quotes can write, and no program can take as an argument."""
        if not is_text(text):
            self.problem(place, "the text holds a NUL or half a character", "leave the escape out")

    def step(self) -> str | int:
        """The last step of the path to what comes next."""
        if self.map is None:
            return len(self.seq)
        return NO_KEY if self.key is None else self.source.spellings.get(self.key_place, self.key)

    def problem(self, place: int, message: str, hint: str = "") -> None:
        """Note what is wrong with what stands at `place`, the next node."""
        steps = [level.step for level in self.levels[1:]]
        if self.levels and (self.map is None or self.key is not None):
            steps.append(self.step())
        self.problems.append(Problem(self.source.position(place), format_path(steps), message, hint))


def _place(event: Any) -> int:
    place: int = event.start_mark.line << COLUMN_BITS | event.start_mark.column
    return place
