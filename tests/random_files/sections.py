"""A whole file, from what its sections draw. What would make the file wrong is left out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from reconciler.config.accept import compile_schema
from reconciler.config.load import loads
from reconciler.config.schema import load_schema
from reconciler.config.validate import validate
from reconciler.errors import ConfigError
from reconciler.resources.desired import ANYWHERE, desire
from tests.random_files import addresses, interfaces, routes, rules, sysctls

if TYPE_CHECKING:
    from collections.abc import Iterable
    from random import Random

    from reconciler.config.document import Map

Document = dict[str, Any]
Addition = tuple[tuple[str | None, ...], Any]
"""A path in the file and what stands there; a path that ends in None is the end of a list."""

SECTIONS = (interfaces, addresses, routes, rules, sysctls)
EMPTY: Document = {"version": 1}
ANY = ("state", "mtu", "master", "addresses", "exclusive", "alias", "group", "txqueuelen", "rp-filter", "forwarding")
_SCHEMA = load_schema()
_ACCEPTS = compile_schema(_SCHEMA)


def draw(dice: Random, like: Document | None = None) -> Document:
    """Draw a valid file: something new, or what another one says with something taken out, and something new."""
    document = json.loads(json.dumps(like)) if like and dice.random() < 0.5 else EMPTY
    for path in [path for path in parts(document) if dice.random() < 0.1]:
        smaller = without(document, path)
        document = smaller if smaller is not None and valid(smaller) else document
    additions = [addition for section in SECTIONS for addition in section.draw(dice)]
    return grown(document, additions)


def grown(document: Document, additions: Iterable[Addition]) -> Document:
    """Return a file with as many of the additions as it can have and be valid; all of them are tried at once first."""
    additions = list(additions)
    whole = document
    for addition in additions:
        whole = _added(whole, addition)
    if valid(whole) or not additions:
        return whole
    if len(additions) == 1:
        return document
    half = len(additions) // 2
    return grown(grown(document, additions[:half]), additions[half:])


def parsed(document: Document) -> Map:
    """Return a file as the program reads it; ConfigError if it is not valid."""
    read = loads(json.dumps(document), "random.yaml", {})
    if not _ACCEPTS(read):
        validate(read, _SCHEMA)
    return read


def valid(document: Document) -> bool:
    """Tell whether the program takes a file for valid."""
    try:
        desire(parsed(document), ANYWHERE)
    except ConfigError:
        return False
    return True


def parts(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of all that can be taken out of a file, the larger parts first."""
    if not isinstance(document, (dict, list)):
        return []
    keys = list(document) if isinstance(document, dict) else list(reversed(range(len(document))))
    here = [(*path, key) for key in keys]
    below = [part for key in keys for part in parts(document[key], (*path, key))]
    return [part for part in here if part != ("version",)] + below


def without(document: Document, path: tuple[Any, ...]) -> Document | None:
    """Return a file without one of its parts; None if there is no such part."""
    copy = json.loads(json.dumps(document))
    node = copy
    try:
        for step in path[:-1]:
            node = node[step]
        del node[path[-1]]
    except (KeyError, IndexError, TypeError):
        return None
    return copy  # type: ignore[no-any-return]


def _added(document: Document, addition: Addition) -> Document:
    path, value = addition
    copy = json.loads(json.dumps(document))
    node = copy
    for step, following in zip(path, (*path[1:], ""), strict=True):
        if step is None:
            if value not in node:
                node.append(value)
            break
        if following == "":
            known = node.get(step)
            # An interface of another type keeps what any interface has.
            kept = {key: known[key] for key in ANY if key in known} if isinstance(known, dict) else {}
            node[step] = {**kept, **value} if isinstance(value, dict) else value
            break
        node = node.setdefault(step, [] if following is None else {})
    return copy  # type: ignore[no-any-return]
