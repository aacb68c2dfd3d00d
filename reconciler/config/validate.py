"""Hold a document against a schema.

Belongs here: the way through the two halves: a good document meets `accept` only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.config.accept import compile_schema
from reconciler.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.config.document import Map


def validate(document: Map, schema: Mapping[str, Any]) -> None:
    """Return if the document fits the schema; else raise `ConfigError` with all that is wrong.

    Raises `ValueError` for a schema that says what is not understood here.
    """
    accept = compile_schema(schema)
    try:
        if accept(document):
            return
        from reconciler.config.explain import explain

        problems = explain(document, schema)
    except RecursionError:
        problems = [Problem(document.position, "", "what the file holds is nested too deep to be checked")]
    if problems:
        raise ConfigError(problems)
