"""The fixture of tests that run the program itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.netns.program import Program

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.netns.lab import Lab, Namespace


@pytest.fixture
def program(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Program]:
    """Make the program for a namespace and a file: its text, the path of one that is there, or None."""
    folder = tmp_path / "files"
    folder.mkdir()
    monkeypatch.setenv("RECONCILER_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("RECONCILER_DEBUG", "1")
    monkeypatch.setenv("XTABLES_LOCKFILE", f"{lab.folder}/xtables.lock")

    def make(namespace: Namespace, *options: str, text: str = "", path: str | None = "") -> Program:
        made = Program(namespace, folder / f"{namespace.name}.yaml" if path == "" else path, options)
        return made.write(text) if text else made

    return make


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The folder in which the program keeps its records; it need not exist."""
    return tmp_path / "state"
