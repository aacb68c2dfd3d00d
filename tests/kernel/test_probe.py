from __future__ import annotations

import os
import subprocess

import pytest

from reconciler.errors import UnavailableError
from reconciler.kernel import probe as module
from reconciler.kernel.modules import can_load_modules, present
from reconciler.kernel.probe import NAMES, probe

MODULES = {"fw": "cls_fw", "bpf": "cls_bpf", "nft": "nf_tables"}
UNKNOWN = dict.fromkeys(NAMES)


@pytest.fixture
def what_the_tools_can_do(inside, namespace, entering):
    """The same three, tried with tc and iptables: nothing else tells what this kernel has."""
    program = "5,32 0 0 4294963220,84 0 0 255,21 0 1 16,6 0 0 4294967295,6 0 0 0"
    commands = {
        "fw": "tc filter add dev lo parent 1: protocol all prio 1 handle 0x10/0xff fw classid 1:10".split(),
        "bpf": [
            *"tc filter add dev lo parent 1: protocol all prio 2 bpf bytecode".split(),
            program,
            "classid",
            "1:10",
        ],
        "nft": "iptables-nft -t mangle -A OUTPUT -j ACCEPT".split(),
    }
    inside("tc qdisc add dev lo root handle 1: htb")
    return {
        name: subprocess.run(entering(namespace) + command, capture_output=True, check=False).returncode == 0
        for name, command in commands.items()
    }


def test_it_finds_what_the_tools_find(what_the_tools_can_do):
    names = [name for name, module in MODULES.items() if present(module) or not can_load_modules()]
    if not names:
        pytest.skip("this kernel has none of them now, and trying would load them")
    assert probe(names) == {name: what_the_tools_can_do[name] for name in names}


def test_only_what_is_asked_for_is_tried():
    assert set(probe(("bpf",))) == {"bpf"}
    assert probe(()) == {}


def test_it_leaves_nothing_behind():
    def state():
        listed = [os.listdir(f"/proc/self/{name}") for name in ("fd", "task")]
        return listed, os.readlink("/proc/self/ns/net"), os.readlink("/proc/self/ns/user")

    before = state()
    probe(NAMES)
    assert state() == before
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_without_leave_to_make_namespaces_nothing_is_known(monkeypatch):
    def refuse(_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(module, "unshare", refuse)
    assert probe(NAMES) == UNKNOWN


def test_without_rights_here_it_tries_in_a_user_namespace(monkeypatch):
    real = module.unshare

    def refuse_the_first(flags):
        if flags == module.CLONE_NEWNET:
            raise PermissionError(1, "Operation not permitted")
        real(flags)

    if subprocess.run(["unshare", "-U", "true"], capture_output=True, check=False).returncode:
        pytest.skip("no user namespace can be made here")
    usual = probe(("bpf",))
    monkeypatch.setattr(module, "unshare", refuse_the_first)
    assert probe(("bpf",)) == usual


def test_a_refusal_for_another_reason_proves_nothing(monkeypatch):
    message = module._filter("fw", 0x10000, 1)
    monkeypatch.setattr(module, "_filter", lambda *_: message._replace(body=message.body[:20]))
    assert probe(("fw", "bpf")) == {"fw": None, "bpf": None}


def test_where_nothing_can_hang_on_lo_nothing_is_known_of_classifiers(monkeypatch):
    monkeypatch.setattr(module, "_qdisc", lambda _: None)
    assert probe(("fw", "bpf")) == {"fw": None, "bpf": None}


def test_a_kernel_without_netfilter_sockets_has_no_nft(monkeypatch):
    def refuse(*_):
        raise UnavailableError("Protocol not supported")

    monkeypatch.setattr(module, "open_socket", refuse)
    assert probe(("nft",)) == {"nft": False}


def test_a_child_that_hangs_is_ended(monkeypatch):
    monkeypatch.setattr(module, "TIMEOUT", 0.05)
    monkeypatch.setattr(module, "_table_works", module.signal.pause)
    assert probe(("nft",)) == {"nft": None}


def test_no_fault_in_the_child_gets_out(monkeypatch, capfd):
    monkeypatch.setattr(module, "_table_works", lambda: 1 / 0)
    assert probe(("nft",)) == {"nft": None}
    assert capfd.readouterr() == ("", "")
