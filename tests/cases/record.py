"""Record the observed state of every case from the kernel at hand: ``python -m tests.cases.record [CASE...]``.

A case is a folder: ``host`` says how its host came to be (commands of ip, tc and iptables, and ``apply FILE``),
``observed.json`` is what the kernel had then, ``config.yaml`` what is wanted, ``plan.txt`` what the diff says.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
import tempfile

from reconciler.core.codec import dump_state
from reconciler.engine.apply import converge
from reconciler.engine.preview import preview
from reconciler.engine.source import read
from reconciler.kernel.live import Kernel
from reconciler.kernel.namespace import Namespace
from reconciler.kernel.record import FOLDER_VARIABLE
from reconciler.resources.owner import Owner
from tests.netns.lab import Lab

CASES = os.path.dirname(os.path.abspath(__file__))


class Silent:
    """Hears of plans, and says nothing."""

    def planned(self, found, *, previewed):
        """Hear of a plan."""

    def noticed(self, words):
        """Hear of a note."""


def record(case: str) -> None:
    """Build the host of a case, and write down what its kernel has."""
    folder = os.path.join(CASES, case)
    with Lab() as lab, tempfile.TemporaryDirectory() as memory:
        os.environ[FOLDER_VARIABLE] = memory
        host = lab.namespace("host")
        kernel = Kernel(Namespace.parse(host.path), Owner(), "nft")
        kernel.facts = kernel.facts._replace(kernel="recorded")
        with open(os.path.join(folder, "host"), encoding="utf-8") as file:
            for line in file:
                words = shlex.split(line)
                if words[0] == "apply":
                    converge(read(os.path.join(folder, words[1])), kernel, Silent())
                else:
                    host.run(*words)
        found = preview(read(os.path.join(folder, "config.yaml")), kernel)
        data = {
            "facts": kernel.facts.to_json(),
            "former": sorted(kernel.record.former.items()),
            "state": dump_state(found.observed),
        }
        kernel.close()
    with open(os.path.join(folder, "observed.json"), "w", encoding="utf-8") as file:
        json.dump(data, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    for name in sys.argv[1:] or sorted(os.listdir(CASES)):
        if os.path.exists(os.path.join(CASES, name, "host")):
            record(name)
