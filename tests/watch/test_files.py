"""Whatever way a file is replaced, the watch wakes; what has changed is decided by content."""

from __future__ import annotations

import os
import select

import pytest

from reconciler.watch.files import FileWatch

LONGEST = 10.0


def woken(watch):
    ready, _, _ = select.select([watch], [], [], LONGEST)
    watch.drain()
    return bool(ready)


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "net.yaml"
    file.write_text("one")
    return str(file)


def rename(path):
    with open(f"{path}.new", "w") as file:
        file.write("two")
    os.rename(f"{path}.new", path)


def write(path):
    with open(path, "w") as file:
        file.write("two")


def relink(path):
    os.rename(path, f"{path}.data")
    os.symlink(f"{path}.data", path)


@pytest.mark.parametrize("edit", [rename, write, relink, os.unlink], ids=lambda f: f.__name__)
def test_the_watch_wakes(path, edit):
    with FileWatch(path) as watch:
        edit(path)
        assert woken(watch)


def test_reading_the_file_does_not_wake_the_watch(path):
    with FileWatch(path) as watch:
        assert watch.content() == b"one"
        assert watch.content() == b"one"
        write(path + ".other")
        assert woken(watch)
        assert watch.content() == b"one"


def test_what_a_link_leads_to_is_watched_as_well(tmp_path):
    (tmp_path / "real").mkdir()
    real = tmp_path / "real" / "net.yaml"
    real.write_text("one")
    link = tmp_path / "net.yaml"
    link.symlink_to(real)
    with FileWatch(str(link)) as watch:
        write(str(real))
        assert woken(watch)


def test_a_file_that_vanished_has_no_content(path):
    with FileWatch(path) as watch:
        os.unlink(path)
        assert watch.content() is None
