"""What tests that run the program itself share: a fixture, and the mark of those that a slow kernel leaves out."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.netns.probes import on_slow_kernel
from tests.netns.program import Program

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.netns.lab import Lab, Namespace


THOROUGH = "RECONCILER_THOROUGH"


def pytest_configure(config: pytest.Config) -> None:
    """Name the mark."""
    words = f"of a story of which others are told on every kernel; on a slow one only with {THOROUGH}=1"
    config.addinivalue_line("markers", f"thorough: {words}")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave out what is thorough on a kernel where everything takes ten to twenty times as long."""
    if item.get_closest_marker("thorough") and on_slow_kernel() and not os.environ.get(THOROUGH):
        pytest.skip(f"tested on faster kernels; this one is slow ({THOROUGH}=1 runs it all the same)")


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
