"""``${NAME}`` and ``${NAME:-default}`` in a scalar: environment variables, as a shell writes them.

Belongs here: replacing them in one text. The value of a variable may be a secret: it goes into the result and
nowhere else, least of all into a message.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from reconciler.config.scalars import is_text
from reconciler.config.words import quote

if TYPE_CHECKING:
    from collections.abc import Mapping

# In this order: a literal ${, a variable, ${mark:name} (not ours to replace), and what else begins like one.
_REFERENCE = re.compile(
    r"\$\$\{"
    r"|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}"
    r"|(?P<kept>\$\{\w+:(?![-?+=])[^}]*\})"
    r"|(?P<broken>\$\{[^}]*\}?)",
    re.ASCII,
)


class Expanded(NamedTuple):
    """A scalar after its variables were replaced; a problem is what is wrong, and what would be right."""

    text: str
    used: bool
    problems: tuple[tuple[str, str], ...]


def expand(text: str, environ: Mapping[str, str]) -> Expanded:
    """Replace the variables in `text` by their values in `environ`.

    A variable that is not set, or is empty, takes its default, as in a shell; without a default, one that
    is not set is a problem and an empty one is an empty text. ``$${`` gives ``${``. ``${mark:NAME}`` stays.
    """
    problems: list[tuple[str, str]] = []
    used = False

    def value_of(match: re.Match[str]) -> str:
        nonlocal used
        if match["broken"]:
            problems.append(_broken(match["broken"]))
            return ""
        if match["kept"]:
            return match["kept"]
        name, default = match["name"], match["default"]
        if name is None:
            return "${"
        used = True
        value = environ.get(name)
        if value is None and default is None:
            hint = f"set it, or give a default: ${{{name}:-…}}"
            problems.append((f"the environment variable {name} is not set", hint))
        elif not is_text(value or ""):
            problems.append((f"the value of the environment variable {name} is not text in UTF-8", ""))
        if default is not None and "${" in default:
            problems.append((f"the default of ${{{name}:-…}} holds another ${{", "a default is plain text"))
        return value or default or ""

    return Expanded(_REFERENCE.sub(value_of, text), used, tuple(problems))


def _broken(reference: str) -> tuple[str, str]:
    hint = "${NAME}, ${NAME:-default}, or $${ for a literal ${"
    return f"{quote(reference)} names no environment variable", hint
