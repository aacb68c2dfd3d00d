"""The file: from a path to a validated document, or all its problems at once."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from reconciler.config.load import load
from reconciler.config.schema import load_schema
from reconciler.config.validate import validate
from reconciler.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from reconciler.config.document import Map
    from reconciler.errors import Problem

DEFAULT_PATH = "/etc/reconciler/reconciler.yaml"
VARIABLE = "RECONCILER_CONFIG"


def path_of(given: str | None) -> str:
    """Return the file's path: as given, else from the environment, else the default."""
    return given or os.environ.get(VARIABLE) or DEFAULT_PATH


def read(path: str) -> Map:
    """Return the validated document of a file; ConfigError carries every problem, of form and of meaning."""
    document = load(path, os.environ)
    schema = load_schema()
    try:
        validate(document, schema)
    except ConfigError as error:
        raise ConfigError([*error.problems, *meaning(document, schema)]) from None
    return document


def meaning(document: Map, schema: Mapping[str, Any]) -> Sequence[Problem]:
    """Return what is wrong with the meaning of those parts of a document that the schema accepts."""
    from reconciler.config.prune import prune
    from reconciler.resources.desired import ANYWHERE, desire

    try:
        if prune(document, schema):
            desire(document, ANYWHERE, partial=True)
    except ConfigError as error:
        return error.problems
    except RecursionError:
        return ()
    return ()
