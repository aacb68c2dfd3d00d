"""Every file in ``bad`` is refused, in exactly the words that it expects.

A file says at its head what it expects, a line for each problem: ``# expect: name.yaml:5:3: path: what is wrong
(what would be right)``. Where it cannot, a file of the same name with ``.expect`` says it. To add a case is to add
a file.
"""

from __future__ import annotations

import os

import pytest

from reconciler.engine.source import read
from reconciler.errors import ConfigError
from reconciler.resources.desired import ANYWHERE, desire

BAD = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bad")
ENVIRON = {"SECRET": "hunter2", "NUMBER": "4711"}
MARK = "# expect: "


def problems(path):
    """What is wrong with the file, a line each: the whole way that ``reconciler validate`` goes."""
    try:
        desire(read(path), ANYWHERE)
    except ConfigError as error:
        return str(error).replace(path, os.path.basename(path)).splitlines()
    return []


def expected(path):
    beside = path.removesuffix(".yaml") + ".expect"
    if os.path.exists(beside):
        with open(beside, encoding="utf-8") as file:
            return file.read().splitlines()
    with open(path, encoding="utf-8") as file:
        return [line.removeprefix(MARK).rstrip("\n") for line in file if line.startswith(MARK)]


@pytest.mark.parametrize("name", sorted(name for name in os.listdir(BAD) if name.endswith(".yaml")))
def test_a_bad_file_is_refused_with_the_message_that_it_expects(name, monkeypatch):
    for variable, value in ENVIRON.items():
        monkeypatch.setenv(variable, value)
    path = os.path.join(BAD, name)
    said = problems(path)
    assert said == expected(path)
    assert said, "the file is good"
    assert not any(value in line for value in ENVIRON.values() for line in said)
