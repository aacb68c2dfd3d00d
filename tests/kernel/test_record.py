from __future__ import annotations

import json
import os
import stat

import pytest

from reconciler.kernel import record as module
from reconciler.kernel.namespace import Namespace
from reconciler.kernel.record import Record

HERE = Namespace()
RULE = ("rule", 4, 17000, (16, 255), None)
CHAIN = ("chain", 4, "mangle", "rc-OUTPUT")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("RECONCILER_STATE_DIR", str(tmp_path / "state"))
    return tmp_path / "state"


def load():
    return Record.load(HERE, "default")


def filled():
    record = load()
    record.keys |= {RULE, ("link", "dummy0")}
    record.former[("link", "eth0")] = {"mtu": 1500, "addresses": ("10.0.0.1/24", ("a", 1)), "alias": None}
    record.texts[CHAIN] = {"1f2e": '-A rc-OUTPUT -m comment --comment "ä\udcff" -j ACCEPT'}
    record.facts = {"classifier": "fw", "ipv6": True}
    return record


def contents(record):
    return record.keys, record.former, record.texts, record.facts


def test_what_was_saved_is_loaded_with_tuples_as_tuples():
    record = filled()
    record.save()
    assert contents(load()) == contents(record)
    assert load().warnings == record.warnings == []
    assert not load().empty


def test_a_first_start_has_an_empty_record_no_warning_and_no_file(folder):
    record = load()
    assert record.empty
    assert record.warnings == []
    record.save()
    assert not folder.exists()


def test_an_empty_record_leaves_no_file_and_facts_alone_keep_none(folder):
    record = filled()
    record.save()
    with open(f"{record.path}.new", "w"):
        pass  # as a crash while writing leaves it
    record.keys.clear()
    record.former.clear()
    record.texts.clear()
    record.save()
    assert record.facts
    assert list(folder.iterdir()) == []
    record.save()


def test_nobody_else_may_look_into_it(folder):
    before = os.umask(0)
    try:
        filled().save()
    finally:
        os.umask(before)
    (file,) = folder.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_boot_namespace_and_owner_name_the_file(folder):
    record = filled()
    record.save()
    with open("/proc/sys/kernel/random/boot_id") as file:
        boot = file.read().strip()
    assert record.path == f"{folder}/{boot}-{HERE.cookie()}-default.json"


def test_another_namespace_and_another_owner_have_records_of_their_own(namespace):
    filled().save()
    assert Record.load(namespace, "default").empty
    assert Record.load(HERE, "other").empty
    assert not load().empty


def test_a_record_cut_off_anywhere_is_empty_and_warned_of():
    record = filled()
    record.save()
    with open(record.path, "rb") as file:
        whole = file.read()
    for size in range(len(whole) - 1):  # the last byte is a newline
        with open(record.path, "wb") as file:
            file.write(whole[:size])
        found = load()
        assert contents(found) == (set(), {}, {}, {}), size
        assert len(found.warnings) == 1, size


def altered(**changes):
    record = filled()
    record.save()
    with open(record.path) as file:
        data = json.load(file)
    return json.dumps(data | changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 2},
        {"version": None},
        {"boot": "another"},
        {"cookie": -1},
        {"owner": "another"},
        {"keys": None},
        {"keys": {}},
        {"keys": ["rule"]},
        {"keys": [[{"a": 1}]]},
        {"keys": [1]},
        {"former": {}},
        {"former": [[["link"], []]]},
        {"former": [[["link"]]]},
        {"former": ["ab"]},
        {"texts": [[["chain"], {"hash": 1}]]},
        {"texts": 0},
        {"facts": []},
        {"facts": None},
    ],
)
def test_a_record_that_is_not_as_it_must_be_is_empty_and_warned_of(changes):
    text = altered(**changes)
    with open(load().path, "w") as file:
        file.write(text)
    found = load()
    assert contents(found) == (set(), {}, {}, {})
    assert len(found.warnings) == 1
    assert found.path in found.warnings[0]


@pytest.mark.parametrize("data", [b"", b"null", b"[]", b"\xff\xfe", b"[" * 100_000, b"\0" * 1000, b"NaN"])
def test_a_file_that_is_no_record_is_empty_and_warned_of(folder, data):
    folder.mkdir()
    with open(load().path, "wb") as file:
        file.write(data)
    found = load()
    assert contents(found) == (set(), {}, {}, {})
    assert len(found.warnings) == 1
    found.save()
    assert list(folder.iterdir()) == [], "a broken file is taken away by an empty record"


def test_a_folder_or_a_link_in_its_place_is_warned_of(tmp_path):
    os.makedirs(load().path)
    assert "Is a directory" in load().warnings[0]
    os.rmdir(load().path)
    (tmp_path / "elsewhere").write_text("{}")
    os.symlink(tmp_path / "elsewhere", load().path)
    assert len(load().warnings) == 1


def test_a_record_that_somebody_else_wrote_is_not_believed(monkeypatch):
    record = filled()
    record.save()
    real = os.fstat(0).__class__
    fstat = os.fstat
    monkeypatch.setattr(module.os, "fstat", lambda number: real([*fstat(number)[:4], 4321, *fstat(number)[5:10]]))
    found = load()
    assert found.empty
    assert "belongs to user 4321" in found.warnings[0]


def test_a_folder_that_cannot_be_written_warns_once_and_goes_on_in_memory(folder):
    folder.parent.joinpath("state").write_text("a file in the place of the folder")
    record = load()
    record.keys.add(RULE)
    record.save()
    record.keys.add(CHAIN)
    record.save()
    assert record.keys == {RULE, CHAIN}
    assert sum("cannot be written" in warning for warning in record.warnings) == 1


def test_a_crash_while_it_is_written_leaves_the_old_record(folder, monkeypatch):
    record = filled()
    record.save()
    record.keys.add(CHAIN)

    def crash(_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(module.os, "fsync", crash)
        record.save()
    assert "No space left" in record.warnings[0]
    assert load().keys == record.keys - {CHAIN}
    record.save()
    assert load().keys == record.keys
    assert len(list(folder.iterdir())) == 1


def test_what_has_not_changed_is_not_written_again(monkeypatch):
    record = filled()
    record.save()
    monkeypatch.setattr(module, "_write", lambda *_: pytest.fail("it was written"))
    record.save()
    load().save()


def test_without_an_identity_of_the_boot_it_lives_in_memory(folder, monkeypatch):
    monkeypatch.setattr(module, "BOOT_ID", "/no/such/file")
    record = filled()
    record.save()
    assert "kept in memory only" in record.warnings[0]
    assert not folder.exists()
    assert load().empty


@pytest.mark.parametrize("owner", ["a/b", "..", "ä b", "", "x" * 20])
def test_any_owner_is_a_file_in_the_folder(folder, owner):
    record = Record.load(HERE, owner)
    record.keys.add(RULE)
    record.save()
    assert [str(path) for path in folder.iterdir()] == [record.path]
    assert Record.load(HERE, owner).keys == {RULE}
