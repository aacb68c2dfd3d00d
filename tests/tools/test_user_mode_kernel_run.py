"""tests/uml/run: a kernel that does not come up, or does not end, is an error and never a pass."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

TOOL = os.path.abspath(f"{__file__}/../../uml/run")

pytestmark = pytest.mark.needs("linux.uml")


def run(tmp_path, kernel, **variables):
    """Run it with a shell script in the place of the kernel; ``$init`` is the folder of its process 1."""
    real = shutil.which("linux.uml")
    tool = tmp_path / "linux.uml"
    tool.write_text(
        f'#!/bin/bash\n[ "$1" = --version ] && exec {real} --version\n'
        f'for word; do case $word in init=*) init=$(dirname "${{word#init=}}");; esac; done\n{kernel}\n'
    )
    tool.chmod(0o755)
    private = tmp_path / "private"
    private.mkdir()
    done = subprocess.run(
        [TOOL, "tests/none"],
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "TMPDIR": str(private),
             "PYTHON": sys.executable, **variables},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert os.listdir(private) == []
    return done


def test_the_status_of_the_tests_is_passed_on(tmp_path):
    done = run(tmp_path, 'echo streamed; echo 5 >"$init/status"')
    assert (done.returncode, done.stdout, done.stderr) == (5, "streamed\n", "")


def test_a_pass_is_a_pass(tmp_path):
    assert run(tmp_path, 'echo 0 >"$init/status"').returncode == 0


@pytest.mark.parametrize("status", [0, 1])
def test_a_kernel_that_ends_before_the_tests_is_an_error(tmp_path, status):
    done = run(tmp_path, f"echo Kernel panic; exit {status}")
    assert (done.returncode, done.stdout) == (1, "Kernel panic\n")
    assert "did not come up, or died before the tests ended" in done.stderr


def test_a_kernel_that_does_not_end_is_ended(tmp_path):
    done = run(tmp_path, "exec sleep 1000", RECONCILER_UML_SECONDS="1")
    assert done.returncode == 1
    assert "ended after 1 seconds: the tests did not finish" in done.stderr
