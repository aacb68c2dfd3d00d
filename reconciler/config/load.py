"""Read a file, or a text, into a document that knows where each of its values stands.

Belongs here: bytes to text, text to events by libyaml (by PyYAML itself, where libyaml is missing), and
what a document as a whole has to be. Whatever is wrong with the file, its encoding or its syntax is a
`ConfigError` that carries all problems found: no input gives anything else.
"""

from __future__ import annotations

import gc
from importlib import import_module
from typing import TYPE_CHECKING, Any

from yaml import SafeLoader, YAMLError

from reconciler.config.build import Builder
from reconciler.config.document import Map, Seq, Source
from reconciler.config.syntax import bytes_problem, syntax_problem, text_problem
from reconciler.config.words import cut, noun
from reconciler.errors import ConfigError, Position, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MOST_BYTES = 64 << 20
"""A larger file is no configuration: 100,000 routes are a tenth of it."""

_BAD_ESCAPE = (ValueError, OverflowError)
"""What PyYAML itself raises for "\\UFFFFFFFF"."""

_SECTIONS = "the file holds sections by name: marks, interfaces, tables, rules, …"
_REMOVE = "an empty file changes nothing; what was made is removed with: reconciler teardown"


def load(path: str, environ: Mapping[str, str]) -> Map:
    """The document in the file at `path`, with the variables of `environ` put in.

    Raises `ConfigError`, also if the file is missing or unreadable.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise _no_file(path, (error.strerror or str(error)).lower()) from None
    except ValueError:
        raise _no_file(path, "this cannot be the name of a file") from None
    return loads(data, path, environ)


def loads(text: str | bytes, file: str, environ: Mapping[str, str]) -> Map:
    """The document in `text`, with the variables of `environ` put in; `file` is its name in messages.

    Raises `ConfigError`.
    """
    source = Source(file)
    if len(text) > MOST_BYTES:
        message = f"the file is larger than {MOST_BYTES >> 20} MiB, which no configuration is"
        raise ConfigError([Problem(Position(file), "", message)])
    decoded = (_checked(text, file) if isinstance(text, str) else _decode(text, file)).removeprefix("\ufeff")
    builder = Builder(source, environ)
    collecting = gc.isenabled()
    gc.disable()  # a document only grows: to look for garbage in it takes longer than to parse it
    try:
        builder.read(_events(decoded))
        if not builder.problems:
            builder.problems.extend(_root_problems(builder.root))
    except (YAMLError, *_BAD_ESCAPE) as error:
        builder.problems.append(syntax_problem(error, decoded, file))
    finally:
        if collecting:
            gc.enable()
    if builder.problems:
        raise ConfigError(builder.problems)
    document: Map = builder.root[0]
    return document


def _no_file(path: str, why: str) -> ConfigError:
    return ConfigError([Problem(Position(path), "", f"the file cannot be read: {why}", "nothing is changed")])


def _decode(data: bytes, file: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise ConfigError([bytes_problem(error, file)]) from None


def _checked(text: str, file: str) -> str:
    if problem := text_problem(text, file):
        raise ConfigError([problem])
    return text


def _events(text: str) -> Callable[[], Any]:
    """What gives the next event each time it is called, None at the end."""
    try:
        parser = import_module("yaml.cyaml").CParser
    except ImportError:
        parser = SafeLoader
    get_event: Callable[[], Any] = parser(text).get_event
    return get_event


def _root_problems(root: Seq) -> list[Problem]:
    if not root or root[0] is None:
        return [Problem(Position(root.source.file), "", "the file is empty", _REMOVE)]
    if isinstance(root[0], Map):
        return []
    spelling = root.spelling(0)
    shown = noun(root[0]) if spelling is None else f"the value of {cut(spelling)}"
    return [Problem(root.at(0), "", f"{shown} stands where a map belongs", _SECTIONS)]
