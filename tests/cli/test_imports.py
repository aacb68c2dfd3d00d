"""What a cold validate and diff may not load: an import is what a small diff costs most."""

from __future__ import annotations

import subprocess
import sys

import pytest

FORBIDDEN = (
    "asyncio", "dataclasses", "difflib", "email", "ipaddress", "jsonschema", "logging", "pyroute2", "referencing",
    "subprocess", "tempfile", "unittest", "urllib.request", "watchdog", "xml",
)  # fmt: skip
SCRIPT = """
import sys
from reconciler.cli.main import run
status = run({arguments!r})
print("LOADED", " ".join(sorted(name for name in {forbidden!r} if name in sys.modules)))
sys.exit(status)
"""


def loaded(arguments, environ=None):
    script = SCRIPT.format(arguments=arguments, forbidden=FORBIDDEN)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, env=environ)
    assert done.returncode == 0, done.stderr
    return done.stdout.rpartition("LOADED")[2].split()


def test_validate_loads_nothing_that_it_does_not_need():
    assert loaded(["validate", "examples/two-uplinks/reconciler.yaml"]) == []


def test_help_loads_no_command_at_all():
    script = "import sys; from reconciler.cli.main import run; run(['--help']); print([m for m in sys.modules if m.startswith('reconciler.')])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "reconciler.kernel" not in done.stdout


@pytest.mark.netns
def test_diff_loads_nothing_that_it_does_not_need(lab):
    host = lab.namespace("host")
    assert loaded(["diff", "examples/two-uplinks/reconciler.yaml", "--netns", host.path]) == []
