"""The file as its sections see it while they turn into objects: names, facts, and a place for problems."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from reconciler.config.document import Map, Seq, format_path
from reconciler.config.suggest import did_you_mean
from reconciler.core.desired import Origin
from reconciler.errors import Position, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from reconciler.core.state import Scope, Value
    from reconciler.resources.facts import Facts
    from reconciler.resources.owner import Owner

Path = tuple[str | int, ...]
UNMATCHED = "/"
"""Begins the name that stands for no interface: the kernel allows no slash (net/core/dev.c, dev_valid_name)."""
T = TypeVar("T")


class Wanted(NamedTuple):
    """One object that the file asks for."""

    value: Value
    origin: Origin
    adopt: bool = False


class Scene:
    """One file, one kernel's facts, one owner; gathers problems, warnings and notices."""

    def __init__(self, document: Map, owner: Owner, facts: Facts) -> None:
        self.document = document
        self.owner = owner
        self.facts = facts
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self.notices: list[str] = []
        self.partial = False
        """What the schema refused was taken out: a name that is missing may have been defined there."""
        self.exclusive: set[Scope] = set()
        self.aliases: Mapping[str, tuple[str, ...]] = {}
        """Names of interfaces that the kernel knows by another name: of several, where a pattern finds several."""
        self._once: dict[str, Any] = {}

    def once(self, name: str, read: Callable[[Scene], T]) -> T:
        """Read a part of the file that several kinds need, and report its problems, only once."""
        if name not in self._once:
            self._once[name] = read(self)
        return self._once[name]  # type: ignore[no-any-return]

    def section(self, name: str) -> Any:
        """Return a section, or an empty map."""
        found = self.document.get(name)
        return found if found is not None else {}

    def entries(self, *path: str | int) -> Iterator[tuple[Path, Any]]:
        """Yield path and content of each entry of a map or list; nothing where it is not there."""
        node: Any = self.document
        for step in path:
            node = node.get(step) if isinstance(node, dict) else node[step]
            if node is None:
                return
        keys: Iterable[Any] = node if isinstance(node, dict) else range(len(node))
        for key in list(keys):
            yield (*path, key), node[key]

    def interfaces(self) -> Iterator[tuple[Path, str, Any]]:
        """Yield path, interface and content of each entry of ``interfaces``, once for each interface it means."""
        for path, entry in self.entries("interfaces"):
            for name in self.aliases.get(str(path[-1]), (str(path[-1]),)):
                yield path, name, entry or {}

    def device(self, path: Path, word: object) -> str:
        """Return the kernel's name of an interface that the file names at a path; a problem if it means several."""
        found = self.aliases.get(str(word), (str(word),))
        if len(found) > 1:
            self.problem(path, f'"{word}" means several interfaces: {", ".join(found)}', "name one of them")
        return found[0] if found else str(word)

    def position(self, path: Path) -> Position:
        """Return where an entry stands in the file."""
        node: Any = self.document
        found = self.document.position
        for step in path:
            if isinstance(node, (Map, Seq)):
                try:
                    found = node.at(step)  # type: ignore[arg-type]
                    node = node[step]  # type: ignore[index]
                except (KeyError, IndexError):
                    break
            else:
                break
        return found

    def origin(self, path: Path, entry: Any = None, parts: tuple[Position, ...] = ()) -> Origin:
        """Return the origin of an object that the entry at a path asks for."""
        label = ""
        if isinstance(entry, dict):
            label = str(entry.get("name") or entry.get("comment") or "")
        return Origin(self.position(path), format_path(path), label, parts)

    def problem(self, path: Path, message: str, hint: str = "") -> None:
        """Report an error at a path."""
        self.problems.append(self._problem(path, message, hint))

    def warning(self, path: Path, message: str, hint: str = "") -> None:
        """Report something doubtful at a path."""
        self.warnings.append(self._problem(path, message, hint))

    def _problem(self, path: Path, message: str, hint: str) -> Problem:
        """Make a problem in which no value of an environment variable shows: it may be a secret."""
        node: Any = self.document
        for step in path[:-1]:
            node = node[step] if isinstance(node, (Map, Seq)) else None  # type: ignore[index]
        last = path[-1] if path else ""
        if isinstance(node, (Map, Seq)) and (spelled := node.spelling(last)) is not None:  # type: ignore[arg-type]
            value = str(node[last])  # type: ignore[index]
            message, hint = message.replace(value, spelled), hint.replace(value, spelled)
        return Problem(self.position(path), format_path(path), message, hint)

    def undefined(self, path: Path, what: str, name: object, known: Iterable[str]) -> None:
        """Report a name that nothing defines, with the nearest one that is defined."""
        if self.partial:
            return
        names = sorted(known)
        hint = did_you_mean(str(name), names)
        if not hint:
            hint = f"defined: {', '.join(names[:8])}" if names else f"no {what} is defined"
        self.problem(path, f'{what} "{name}" is not defined', hint)
