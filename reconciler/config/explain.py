"""What is wrong with a document that the schema refuses, where, and what would be right.

Belongs here: from findings to problems. Two remarks in a schema serve this: ``x-hint`` says in words what a
value should be; ``x-removed`` of an object names keys and values that people will try, and says what to do
instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.config.document import format_path, position_of, spelled
from reconciler.config.findings import find, relevant
from reconciler.config.sentences import sentences
from reconciler.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.config.document import Map


def explain(document: Map, schema: Mapping[str, Any]) -> list[Problem]:
    """All that is wrong with the document, in the order of the file; nothing, if it fits the schema."""
    findings = relevant(find(document, schema))
    said = [one for finding in findings for one in sentences(document, finding)]
    meant = {(one.path[:-1], one.meant) for one in said if one.meant}
    problems = {
        Problem(
            position_of(document, one.path, key=one.of_key),
            format_path(spelled(document, one.path)),
            one.message,
            one.hint,
        )
        for one in said
        if (one.path, one.missing) not in meant  # it is there, misspelled
    }
    return sorted(problems)
