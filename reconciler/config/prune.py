"""Take out of a refused document what the schema refuses, so that the rest can be checked for its meaning.

All problems of a file are reported at once: those of form and those of meaning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.config.accept import compile_schema
from reconciler.config.document import Map, Seq
from reconciler.config.findings import Finding, find

if TYPE_CHECKING:
    from collections.abc import Mapping

PASSES = 8
"""A map that loses a required key is refused in the next pass, and so on up to the root."""


def prune(document: Map, schema: Mapping[str, Any]) -> bool:
    """Change the document in place until the schema accepts it; False if nothing acceptable is left."""
    accept = compile_schema(schema)
    for _ in range(PASSES):
        if accept(document):
            return True
        found = {finding.path: finding for finding in find(document, schema)}
        for path in sorted(found, key=lambda p: (len(p), *map(_order, p)), reverse=True):
            _remove(document, path, found[path])
    return accept(document)


def _order(step: str | int) -> tuple[int, int, str]:
    return (0, step, "") if isinstance(step, int) else (1, 0, step)


def _remove(document: Map, path: tuple[str | int, ...], finding: Finding) -> None:
    """Remove the unknown keys of a map, or the whole entry that is wrong."""
    node: Any = document
    parents: list[tuple[Any, str | int]] = []
    for step in path:
        try:
            parents.append((node, step))
            node = node[step]
        except (KeyError, IndexError, TypeError):
            return
    if finding.keyword == "additionalProperties" and isinstance(node, Map) and finding.schemas:
        known = finding.schemas[0].get("properties", {})
        unknown = [key for key in node if key not in known]
        for key in unknown:
            del node[key]
        if unknown:
            return
    if not parents:
        document.clear()
        return
    holder, step = parents[-1]
    if isinstance(holder, Seq) and isinstance(step, int):
        del holder[step], holder.places[step]
    elif isinstance(holder, Map):
        del holder[str(step)]
