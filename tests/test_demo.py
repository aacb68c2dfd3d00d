"""The whole demo, as ``make demo`` runs it once everything is installed."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
EXAMPLE = os.path.join(ROOT, "examples/two-uplinks/reconciler.yaml")
CLAIMS = {
    "the diff shows what is missing",
    "apply makes it so, and verifies it",
    "a plain socket leaves by uplink 1",
    "a socket with SO_MARK 0x10 leaves by uplink 2",
    "a socket bound to 192.168.2.2 leaves by uplink 2",
    "LOG in OUTPUT counts the marked packets, no others",
    "ACCEPT in INPUT counts their replies, no others",
    "marked traffic is held to its class",
    "and has its class's rate where others compete",
    "a second diff is empty",
    "the watcher starts, and finds nothing to do",
    "a rule deleted by hand is put back",
    "an iptables rule deleted by hand is put back",
    "SIGTERM ends the watcher, and the state stays",
    "teardown leaves every object as it was before",
}

# Not for the user-mode kernel, which is too slow to fill a class by packets from Python.
pytestmark = pytest.mark.needs("veth", "htb", "iptables")


def test_proves_every_claim_and_is_plain_where_no_terminal_is():
    done = demo()
    proven = summary(done.stdout)
    assert {claim for claim, (mark, _) in proven.items() if mark != "ok"} == set(), done.stdout + done.stderr
    assert set(proven) == CLAIMS
    assert all(figures for _, figures in proven.values())
    assert done.returncode == 0
    assert "\n     + rule     v4 17000: mark wan2 (0x10/0xff)" in done.stdout
    assert "\033" not in done.stdout


def test_fails_where_the_rule_on_the_mark_is_missing(tmp_path):
    broken = tmp_path / "reconciler.yaml"
    with open(EXAMPLE, encoding="utf-8") as file:
        text = file.read()
    without = re.sub(r"(?m)^  - \{priority: 17000, mark: wan2, .*\n", "", text)
    assert without != text
    broken.write_text(without, encoding="utf-8")

    done = demo("--config", str(broken))
    failed = {claim: figures for claim, (mark, figures) in summary(done.stdout).items() if mark == "FAILED"}
    assert done.returncode == 1, done.stdout + done.stderr
    assert failed.pop("a socket with SO_MARK 0x10 leaves by uplink 2").startswith("uplink1 from 192.168.1.2")
    assert "No such file or directory" in failed.pop("a rule deleted by hand is put back")
    assert set(failed) == {
        "marked traffic is held to its class",
        "and has its class's rate where others compete",
    }
    assert "Traceback" not in done.stderr


def test_fails_without_a_traceback_where_the_file_is_wrong(tmp_path):
    wrong = tmp_path / "reconciler.yaml"
    wrong.write_text("version: 99\n", encoding="utf-8")
    done = demo("--config", str(wrong))
    assert done.returncode == 1
    assert "reconciler.yaml:1:10: version" in done.stdout
    assert "Traceback" not in done.stderr


def test_refuses_a_namespace_that_somebody_uses():
    make = "ip link add name uplink0 type veth peer name other"
    run = f'{make} && exec "$0" tools/demo.py'
    done = in_namespace("sh", "-c", run, sys.executable)
    assert done.returncode == 7
    assert "uplink0" in done.stderr
    assert done.stdout == ""


def demo(*arguments):
    return in_namespace(sys.executable, "tools/demo.py", *arguments)


def in_namespace(*command):
    return subprocess.run(
        ["tools/in-namespace", *command], cwd=ROOT, capture_output=True, text=True, timeout=110, check=False
    )


def summary(printed):
    """Return mark and figures of each claim in the closing table."""
    lines = printed.partition("\nWhat was proven\n")[2].partition("\n\n")[0].splitlines()
    found = {}
    for line in lines:
        mark, claim, figures = re.fullmatch(r"   (ok|FAILED) +(.*?)(?:  +(.*))?", line).groups()
        found[claim] = (mark, figures)
    return found
