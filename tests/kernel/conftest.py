"""Fresh network namespaces for each test; root, or `unshare -rn`, is all that they take."""

from __future__ import annotations

import os
import shlex
import subprocess

import pytest

from reconciler.kernel.namespace import Namespace


@pytest.fixture
def make_namespace():
    """Makes a namespace whose `lo` is down and which ends with the test."""
    holders = []

    def make():
        holder = subprocess.Popen(
            ["unshare", "-n", "sh", "-c", "echo made; exec cat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        made = holder.stdout.readline()
        if not made:
            why = holder.communicate()[1].strip()
            pytest.skip(f"no network namespace can be made here ({why}): run as root or in `unshare -rn`")
        namespace = Namespace.parse(f"/proc/{holder.pid}/ns/net")
        holders.append((holder, namespace))
        return namespace

    yield make
    for holder, namespace in holders:
        namespace.close()
        holder.communicate()


@pytest.fixture
def namespace(make_namespace):
    return make_namespace()


@pytest.fixture
def entering():
    """The words that go before a command to run it in a namespace, by other means than the package's."""
    return lambda namespace: ["nsenter", f"--net=/proc/{os.getpid()}/fd/{namespace._descriptor}"]


@pytest.fixture
def inside(namespace, entering):
    """Runs a command in the namespace and returns its output; it must succeed."""

    def run(command, *, where=namespace, stdin=None):
        argv = [*entering(where), *shlex.split(command)]
        done = subprocess.run(argv, capture_output=True, text=True, input=stdin, check=False)
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout

    return run


def pytest_collection_modifyitems(items):
    for item in items:
        if "make_namespace" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.netns)
