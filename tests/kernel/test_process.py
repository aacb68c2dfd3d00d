from __future__ import annotations

import os
import signal
import sys

import pytest

from reconciler.errors import UnavailableError
from reconciler.kernel import process
from reconciler.kernel.namespace import Namespace
from reconciler.kernel.process import Completed, find, run

HERE = Namespace()


def shell(script, **options):
    return run(HERE, ["sh", "-c", script], **options)


def test_status_output_and_errors_come_back():
    assert shell("echo out; echo err >&2; exit 3") == Completed(3, "out\n", "err\n")


def test_a_program_ended_by_a_signal_has_its_negative_number():
    assert shell("kill -TERM $$").status == -signal.SIGTERM


def test_much_input_and_output_at_once_come_through():
    text = "-A chain -j ACCEPT\n" * 500_000
    assert run(HERE, ["tee", "/dev/stderr"], text) == Completed(0, text, text)


def test_input_that_nobody_reads_is_no_obstacle():
    assert run(HERE, ["true"], "x" * 5_000_000) == Completed(0, "", "")


def test_bytes_that_are_no_text_survive_the_way_there_and_back():
    text = b"comment \xff\xfe \xc3\xa4".decode("utf-8", "surrogateescape")
    assert run(HERE, ["cat"], text).stdout == text


def test_no_shell_looks_at_the_arguments():
    assert run(HERE, ["echo", "$HOME; *", "`id`"]).stdout == "$HOME; * `id`\n"


def test_a_program_runs_in_the_namespace(namespace, inside):
    inside("ip link set lo up")
    assert run(namespace, ["ip", "-o", "link"]).stdout.count("\n") == 1
    assert "UP" in run(namespace, ["ip", "-o", "link", "show", "lo"]).stdout


def test_the_environment_is_small_and_in_c(monkeypatch):
    monkeypatch.setenv("XTABLES_LOCKFILE", "/tmp/lock")
    monkeypatch.setenv("SECRET", "hidden")
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setenv("PATH", "/opt/first:/usr/bin:/bin")
    variables = dict(line.split("=", 1) for line in run(HERE, ["env"]).stdout.splitlines())
    path = variables.pop("PATH").split(":")
    assert variables == {"LC_ALL": "C", "XTABLES_LOCKFILE": "/tmp/lock"}
    assert path[:3] == ["/opt/first", "/usr/bin", "/bin"]
    assert {"/usr/sbin", "/sbin"} < set(path)
    assert len(path) == len(set(path))


def test_tools_of_sbin_are_found_where_path_lacks_it(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", "/usr/bin")
    monkeypatch.setattr(process, "SYSTEM_FOLDERS", (str(tmp_path),))
    (tmp_path / "tool").write_text("#!/bin/sh\necho found\n")
    assert find("tool") is None
    (tmp_path / "tool").chmod(0o755)
    assert find("tool") == str(tmp_path / "tool")
    assert run(HERE, ["tool"]).stdout == "found\n"
    assert find(str(tmp_path)) is None


@pytest.mark.parametrize(
    ("name", "package"),
    [
        ("iptables-nft-gone", "iptables"),
        ("ip6tables-gone", "iptables"),
        ("ipset-gone", "ipset"),
        ("ip-gone", "iproute2"),
        ("tc-gone", "iproute2"),
        ("/sbin/nft-gone", "nftables"),
        ("gone", "gone"),
    ],
)
def test_a_missing_program_names_its_package(name, package):
    with pytest.raises(UnavailableError, match=rf"{name} is not installed: it is part of the package {package}$"):
        run(HERE, [name])


def test_a_file_that_cannot_be_executed_is_told(tmp_path):
    broken = tmp_path / "broken"
    broken.write_text("#!/no/such/interpreter\n")
    broken.chmod(0o755)
    with pytest.raises(UnavailableError, match="broken cannot be run: No such file"):
        run(HERE, [str(broken)])


def test_what_does_not_end_is_killed_with_all_that_it_started(tmp_path):
    os.mkfifo(tmp_path / "alive")
    reader = os.open(tmp_path / "alive", os.O_RDONLY | os.O_NONBLOCK)
    try:
        with pytest.raises(UnavailableError, match=r"sh did not end within 0.5 s and was killed"):
            shell(f"sleep 1000 > {tmp_path}/alive & wait", timeout=0.5)
        os.set_blocking(reader, True)
        assert os.read(reader, 1) == b"", "which comes when the last writer has gone"
    finally:
        os.close(reader)


def test_nothing_is_left_open_or_waiting():
    before = os.listdir("/proc/self/fd")
    for script in ("exit 1", "cat", "echo"):
        shell(script)
    with pytest.raises(UnavailableError):
        run(HERE, ["gone"])
    with pytest.raises(UnavailableError):
        shell("sleep 1000", timeout=0.05)
    assert os.listdir("/proc/self/fd") == before
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_a_process_without_standard_files_can_run_programs_too():
    script = (
        "import os; os.closerange(0, 3)\n"
        "from reconciler.kernel.process import run\n"
        "from reconciler.kernel.namespace import Namespace\n"
        "done = run(Namespace(), ['sh', '-c', 'cat; echo err >&2'], 'in')\n"
        "os._exit(0 if done == (0, 'in', 'err\\n') else 1)\n"
    )
    assert run(HERE, [sys.executable, "-c", script]).status == 0
