"""tests/qemu/run: a kernel that does not come up, or does not end, is an error and never a pass."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

TOOL = os.path.abspath(f"{__file__}/../../qemu/run")


def run(tmp_path, emulator, **variables):
    """Run it with a shell script in the place of qemu; ``$out`` is the folder for the status."""
    tool = tmp_path / "qemu-system-x86_64"
    tool.write_text(
        "#!/bin/bash\nfor word; do case $word in *mount_tag=out*) out=${word#*path=} out=${out%%,*};; esac; done\n"
        f"{emulator}\n"
    )
    (tmp_path / "modprobe").write_text("#!/bin/bash\n")
    for name in ("qemu-system-x86_64", "modprobe"):
        (tmp_path / name).chmod(0o755)
    (tmp_path / "kernel" / "lib" / "modules" / "1.0").mkdir(parents=True)
    private = tmp_path / "private"
    private.mkdir()
    done = subprocess.run(
        [TOOL, "tests/none"],
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "TMPDIR": str(private),
             "PYTHON": sys.executable, "RECONCILER_QEMU_KERNEL": str(tmp_path / "kernel"), **variables},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert os.listdir(private) == []
    return done


def test_the_status_of_the_tests_is_passed_on(tmp_path):
    done = run(tmp_path, 'echo streamed; echo 5 >"$out/status"')
    assert (done.returncode, done.stdout, done.stderr) == (5, "streamed\n", "")


def test_a_pass_is_a_pass(tmp_path):
    assert run(tmp_path, 'echo 0 >"$out/status"').returncode == 0


@pytest.mark.parametrize("status", [0, 1])
def test_a_kernel_that_ends_before_the_tests_is_an_error(tmp_path, status):
    done = run(tmp_path, f"echo Kernel panic; exit {status}")
    assert (done.returncode, done.stdout) == (1, "Kernel panic\n")
    assert "did not come up, or died before the tests ended" in done.stderr


def test_a_kernel_that_does_not_end_is_ended(tmp_path):
    done = run(tmp_path, "exec sleep 1000", RECONCILER_QEMU_SECONDS="1")
    assert done.returncode == 1
    assert "ended after 1 seconds: the tests did not finish" in done.stderr
