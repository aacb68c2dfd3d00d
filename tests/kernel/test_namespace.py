from __future__ import annotations

import os
import socket
import subprocess

import pytest

from reconciler.errors import UnavailableError
from reconciler.kernel.namespace import Namespace


def names_of_devices():
    return {name for _, name in socket.if_nameindex()}


def test_without_a_name_it_is_the_namespace_of_this_process():
    here = Namespace.parse(None)
    assert here.describe() == "this host"
    assert here.run(os.getpid) == os.getpid()
    assert Namespace.parse("").cookie() == here.cookie()


def test_a_function_runs_inside_and_the_caller_stays_outside(namespace, inside):
    inside("ip link add inner0 type veth peer name inner1")
    before = names_of_devices()
    assert namespace.run(names_of_devices) == {"lo", "inner0", "inner1"}
    assert names_of_devices() == before


def test_sysctls_follow_the_thread_into_the_namespace(namespace):
    def switch_on():
        with open("/proc/sys/net/ipv4/conf/all/log_martians", "w") as file:
            file.write("1")

    def value():
        with open("/proc/sys/net/ipv4/conf/all/log_martians") as file:
            return file.read()

    before = value()
    namespace.run(switch_on)
    assert namespace.run(value) == "1\n"
    assert value() == before


def test_what_the_function_raises_is_raised_in_the_caller(namespace):
    def fail():
        raise KeyError("inside")

    with pytest.raises(KeyError, match="inside"):
        namespace.run(fail)


def test_each_namespace_has_a_cookie_of_its_own_that_stays(make_namespace):
    one, other = make_namespace(), make_namespace()
    assert len({one.cookie(), other.cookie(), Namespace().cookie()}) == 3
    assert one.cookie() == one.cookie() > 0


def test_a_process_number_means_the_namespace_of_that_process():
    child = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo; exec cat"], stdin=-1, stdout=-1)
    try:
        if not child.stdout.readline():
            pytest.skip("no network namespace can be made here")
        with Namespace.parse(str(child.pid)) as found, Namespace.parse(f"/proc/{child.pid}/ns/net") as same:
            assert found.cookie() == same.cookie() != Namespace().cookie()
            assert found.describe() == f"the namespace of process {child.pid}"
    finally:
        child.communicate()


def test_a_name_means_what_ip_netns_calls_so(namespace, tmp_path, monkeypatch):
    path = f"/proc/{os.getpid()}/fd/{namespace._descriptor}"
    (tmp_path / "blue").symlink_to(path)
    (tmp_path / "123").symlink_to(path)
    monkeypatch.setattr("reconciler.kernel.namespace.NAMED", (str(tmp_path),))
    with Namespace.parse("blue") as blue, Namespace.parse("123") as number:
        assert blue.describe() == "namespace blue"
        assert blue.cookie() == number.cookie() == namespace.cookie()


def test_a_missing_name_says_which_there_are_and_how_to_make_it(tmp_path, monkeypatch):
    (tmp_path / "red").touch()
    (tmp_path / "green").touch()
    monkeypatch.setattr("reconciler.kernel.namespace.NAMED", (str(tmp_path), str(tmp_path / "none")))
    with pytest.raises(UnavailableError, match=r"blue does not exist; there are: green, red \(`ip netns add blue`"):
        Namespace.parse("blue")
    with pytest.raises(UnavailableError, match=r"red is not a network namespace"):
        Namespace.parse("red")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("/no/such/path", "/no/such/path cannot be opened: No such file"),
        ("/etc/passwd", "/etc/passwd is not a network namespace"),
        ("/proc/self/ns/mnt", "/proc/self/ns/mnt is not a network namespace"),
        ("4194305", "of process 4194305 cannot be opened: No such file or directory .the process must run"),
    ],
)
def test_what_is_no_namespace_is_refused_with_the_reason(text, message):
    with pytest.raises(UnavailableError, match=message):
        Namespace.parse(text)


def test_a_namespace_that_may_not_be_entered_says_what_that_takes(namespace, monkeypatch):
    def refuse(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("reconciler.kernel.namespace.setns", refuse)
    with pytest.raises(
        UnavailableError, match=r"cannot enter namespace .*Operation not permitted \(it takes CAP_SYS_ADMIN"
    ):
        namespace.cookie()
