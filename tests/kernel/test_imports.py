"""What a start may not pay for."""

from __future__ import annotations

import subprocess
import sys

import pytest

DEAR = {
    "asyncio",
    "ctypes",
    "dataclasses",
    "inspect",
    "ipaddress",
    "json",
    "jsonschema",
    "logging",
    "pathlib",
    "pyroute2",
    "subprocess",
    "tempfile",
    "threading",
    "typing_extensions",
    "watchdog",
    "yaml",
}
MODULES = "ack events facts lock modules namespace netlink process record sock syscall variant".split()


def test_none_of_the_package_loads_what_is_dear():
    script = f"import sys\nimport {', '.join(f'reconciler.kernel.{name}' for name in MODULES)}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-S", "-c", script], capture_output=True, text=True, check=True)
    assert DEAR & set(done.stdout.split()) == set()


@pytest.mark.parametrize(
    "use",
    [
        "from reconciler.kernel.process import run; run(Namespace(), ['true'])",
        "from reconciler.kernel.record import Record; Record.load(Namespace(), 'nobody-has-this')",
        "from reconciler.kernel.netlink import Netlink; Netlink(Namespace()).index('lo')",
        """
import os
from reconciler.kernel.facts import find_facts
from reconciler.resources.facts import Facts
find_facts(Namespace(), cached=Facts('fw', '', 'nft', '', True, os.uname().release).to_json())""",
    ],
)
def test_nor_does_the_usual_way_through_it(use):
    script = f"import sys\nfrom reconciler.kernel.namespace import Namespace\n{use}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-S", "-c", script], capture_output=True, text=True, check=True)
    assert DEAR & set(done.stdout.split()) == set()
