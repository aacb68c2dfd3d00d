"""A JSON Schema, compiled to a function that says yes or no.

Belongs here: putting together what `keywords` makes. jsonschema decides what is valid and says why; but
importing it takes longer than all else that a small file needs, and it takes 60 µs for an entry of a list.
This says the same in a small part of the time, for the files that are good.

What a file does not use is not compiled: an object's properties are when the first such object comes, a
``$ref`` when it is first followed, a pattern when the first text is held against it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.config.keywords import MAKERS, anything, nothing
from reconciler.config.vocabulary import examine, resolve

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.config.keywords import Check


def compile_schema(schema: Mapping[str, Any] | bool) -> Check:
    """The function that says whether a value fits `schema`.

    Raises `ValueError` for a schema with a keyword, a reference or a type that is not known here: nothing is
    accepted because nobody looked.
    """
    examine(schema)
    return Compiler(schema).check(schema)


class Compiler:
    """Compiles parts of one schema, which has been examined; `root` is where its references point."""

    def __init__(self, root: Mapping[str, Any] | bool) -> None:
        self.root = root
        self._targets: dict[str, Check] = {}

    def check(self, schema: Mapping[str, Any] | bool) -> Check:
        """The function for one part."""
        if isinstance(schema, bool):
            return anything if schema else nothing
        makers = dict.fromkeys(MAKERS[keyword] for keyword in schema if keyword in MAKERS)
        checks = [make(self, schema) for make in makers]
        if len(checks) < 2:
            return checks[0] if checks else anything
        return _all(checks)

    def checks(self, parts: Iterable[Mapping[str, Any] | bool]) -> list[Check]:
        """The functions for several parts."""
        return [self.check(part) for part in parts]

    def target(self, ref: str) -> Check:
        """The function for what a reference points to."""
        target = self._targets.get(ref)
        if target is None:
            target = self._targets[ref] = self.check(resolve(self.root, ref))
        return target


def _all(checks: list[Check]) -> Check:
    first, second, *others = checks
    if not others:
        return lambda value: first(value) and second(value)

    def accept(value: Any) -> bool:
        for check in checks:  # noqa: SIM110 - a generator costs more than most checks
            if not check(value):
                return False
        return True

    return accept
