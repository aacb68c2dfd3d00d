"""The JSON Schema of the language, as it ships in the package.

Belongs here: finding and reading it. What it says is written by the kinds, in ``resources``.
"""

from __future__ import annotations

import json
import os.path
from typing import Any

from reconciler.errors import UnavailableError

SCHEMA = "reconciler.schema.json"


def load_schema(name: str = SCHEMA) -> dict[str, Any]:
    """The schema of that file name, read anew each time.

    Raises `UnavailableError` if the installation lacks it.
    """
    path = os.path.join(os.path.dirname(os.path.dirname(__file__)), "schemas", name)
    try:
        with open(path, "rb") as file:
            schema: dict[str, Any] = json.load(file)
    except (OSError, ValueError) as error:
        raise UnavailableError(f"the schema {path} cannot be read: {error}; install net-reconciler again") from None
    return schema
