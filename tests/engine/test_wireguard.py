"""Key files are read before anything is planned; where a peer was told to be is remembered."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

import reconciler.engine.wireguard
from reconciler.config.load import loads
from reconciler.core.change import CREATE, UPDATE, Change, Step
from reconciler.core.desired import Desired
from reconciler.core.state import Held, State
from reconciler.engine import memory
from reconciler.engine.wireguard import keyed
from reconciler.errors import ConfigError, UnavailableError
from reconciler.kernel.namespace import Namespace
from reconciler.kernel.record import FOLDER_VARIABLE, Record
from reconciler.kernel.secrets import Secrets
from reconciler.resources.desired import ANYWHERE, desire
from reconciler.resources.wireguard.peer import Peer
from tests.resources.wireguard.samples import OFFICE, PRIVATE, PUBLIC

KEY = ("wireguard-peer", "wg0", OFFICE)
PEER = Peer("wg0", OFFICE, "192.0.2.1:51820", (), 0, "")


@pytest.fixture
def look(tmp_path, monkeypatch):
    """Read the key file of an interface, after it was given a content and a mode."""
    monkeypatch.setattr(reconciler.engine.wireguard, "available", lambda name: {"wireguard": True}[name])
    file = tmp_path / "key"

    def read(content=None, mode=0o600):
        if content is not None:
            file.write_text(content)
            file.chmod(mode)
        text = f"interfaces: {{wg0: {{kind: wireguard, private-key-file: {file}}}}}"
        desired, _ = desire(loads(text, "net.yaml", {}), ANYWHERE)
        return keyed(desired, SimpleNamespace(secrets=Secrets()))

    return read


def test_the_key_is_known_by_its_public_key(look):
    found = look(PRIVATE)
    assert found.values["wireguard", "wg0"].public_key == PUBLIC
    assert found.warnings == ()


def test_a_file_that_everybody_can_read_draws_a_warning(look):
    (warning,) = look(PRIVATE, 0o644).warnings
    assert "everybody on this host can read the key file" in str(warning)
    assert "(mode 0644) (chmod 600 " in str(warning)
    assert str(warning).startswith("net.yaml:1:")


def test_a_file_that_is_not_there_is_named_with_the_line_that_asks_for_it(look):
    with pytest.raises(
        UnavailableError, match=r"^net\.yaml:1:\d+: interfaces\.wg0: the key file /.* cannot be read: No such"
    ):
        look()


def test_a_file_that_holds_no_key_is_not_repeated(look):
    with pytest.raises(ConfigError, match="it holds no key") as caught:
        look("hunter2")
    assert "hunter2" not in str(caught.value)


def test_a_folder_or_a_pipe_is_no_key_file(tmp_path):
    for path in (str(tmp_path), "/dev/null"):
        with pytest.raises((ValueError, IsADirectoryError)):
            Secrets().read(path)


def test_a_kernel_without_wireguard_is_told_before_anything_is_changed(look, monkeypatch):
    monkeypatch.setattr(reconciler.engine.wireguard, "available", lambda name: {"wireguard": False}[name])
    with pytest.raises(UnavailableError, match=r"^net\.yaml:1:\d+: .*this kernel has no module wireguard"):
        look(PRIVATE)


@pytest.fixture
def record(tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "record"))
    return Record.load(Namespace(), "default")


def test_where_a_peer_was_told_to_be_is_kept_until_the_file_says_otherwise(record):
    memory.after(record, Step("wireguard", (Change(CREATE, KEY, None, PEER),)))
    assert record.texts == {KEY: {"endpoint": "192.0.2.1:51820"}}
    there = State({KEY: PEER}, {})
    memory.settle(record, there, Desired({KEY: PEER}))
    assert Record.load(Namespace(), "default").texts == {KEY: {"endpoint": "192.0.2.1:51820"}}
    memory.settle(record, there, Desired({}))
    assert record.texts, "the way back knows no file"
    memory.settle(record, there, Desired({KEY: PEER._replace(endpoint=None)}))
    assert record.texts == {}


def test_it_is_forgotten_with_the_peer(record):
    memory.after(record, Step("wireguard", (Change(CREATE, KEY, None, PEER),)))
    memory.settle(record, State({}, {}), Desired({}))
    assert record.texts == {}


def test_it_is_kept_for_a_foreign_peer_that_is_as_the_file_says(record):
    memory.settle(record, State({}, {KEY: (Held(PEER, 0),)}), Desired({KEY: PEER}))
    assert record.texts == {KEY: {"endpoint": "192.0.2.1:51820"}}
    assert KEY not in record.keys


def test_it_is_not_kept_as_long_as_it_is_elsewhere(record):
    memory.settle(record, State({KEY: PEER._replace(endpoint="192.0.2.9:1")}, {}), Desired({KEY: PEER}))
    assert record.texts == {}


def test_a_peer_that_is_taken_over_is_ours_from_then_on(record):
    other = PEER._replace(keepalive=9)
    change = Change(UPDATE, KEY, other, PEER, None, adopts=0, fields=("keepalive",))
    memory.before(record, Step("wireguard", (change,)))
    assert KEY in record.keys
