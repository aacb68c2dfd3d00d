"""tools/in-namespace: a command cannot touch the machine's network, or does not run at all."""

from __future__ import annotations

import os
import stat
import subprocess

import pytest

from tests.netns.probes import why_no_namespaces

TOOL = os.path.abspath(f"{__file__}/../../../tools/in-namespace")

possible = pytest.mark.skipif(bool(why_no_namespaces()), reason=why_no_namespaces())


def run(*command, path=(), **variables):
    return subprocess.run(
        [TOOL, *command],
        env={**os.environ, **variables, "PATH": ":".join([*map(str, path), os.environ["PATH"]])},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.fixture
def fake(tmp_path):
    """Puts shell scripts in the place of programs."""

    def put(**scripts):
        for name, text in scripts.items():
            (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
            (tmp_path / name).chmod(stat.S_IRWXU)
        return [tmp_path]

    return put


def an_ordinary_user():
    return {"id": "echo 1000", "unshare": 'echo "unshare: Operation not permitted" >&2; exit 1'}


@possible
def test_the_command_is_root_in_a_network_and_a_run_of_its_own():
    seen = run("sh", "-c", "id -u; ls /run; ip -brief link; readlink /proc/self/ns/net").stdout.splitlines()
    assert seen[:3] == ["0", "lock", "netns"]
    assert [line.split()[0] for line in seen[3:-1]] == ["lo"]
    assert seen[-1] != os.readlink("/proc/self/ns/net")


@possible
def test_named_namespaces_are_its_own_too():
    name = f"in-namespace-test-{os.getpid()}"
    assert run("sh", "-c", f"ip netns add {name} && ip netns").stdout.split()[0] == name
    assert not os.path.exists(f"/run/netns/{name}")


@possible
def test_the_exit_status_and_the_arguments_are_the_commands_own():
    done = run("sh", "-c", 'echo "$1|$2"; exit 7', "name", "two words", "$HOME")
    assert (done.returncode, done.stdout) == (7, "two words|$HOME\n")


def test_no_command_is_wrong_usage():
    assert run().returncode == 64


def test_where_no_namespace_is_allowed_the_command_does_not_run_and_the_cure_is_named(fake):
    done = run("echo", "ran", path=fake(**an_ordinary_user(), sudo="exit 1"))
    assert (done.returncode, done.stdout) == (4, "")
    assert "unshare: Operation not permitted" in done.stderr
    assert f"sudo {TOOL} echo ran" in done.stderr


def test_a_root_without_capabilities_is_told_what_the_container_needs(fake):
    done = run("echo", "ran", path=fake(unshare=an_ordinary_user()["unshare"]), USER="root")
    assert (done.returncode, done.stdout) == (4, "")
    if os.geteuid() == 0:
        assert "CAP_SYS_ADMIN" in done.stderr


def test_sudo_that_asks_for_no_password_is_used_and_said(fake):
    path = fake(
        **an_ordinary_user(),
        sudo='while [ "${1#-}" != "$1" ]; do shift; done; if [ "$1" = true ]; then exit 0; fi; echo "sudo ran: $*"',
    )
    done = run("echo", "me", path=path)
    assert done.stdout == f"sudo ran: {TOOL} echo me\n"
    assert "going on with sudo" in done.stderr
