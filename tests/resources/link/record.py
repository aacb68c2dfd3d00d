"""Records what this kernel dumps of links of all types that it has, for ``test_decode.py``; writes ``dumps/KERNEL.json``.

    tools/in-namespace .venv/bin/python -m pytest tests/resources/link/record.py
    tests/uml/run tests/resources/link/record.py

Not a test by its name, so that it runs only when it is asked for. What is recorded is made by ``ip``, not by us.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from reconciler.resources.base import Sight
from tests.netns.probes import lacks
from tests.resources.host import OWNER, Host
from tests.resources.link.samples import LINES

FOLDER = Path(__file__).parent / "dumps"


def test_record(lab):
    host = Host.of(lab, "host")
    types = [name for name in LINES if not lacks(name)]
    for name in types:
        for line in LINES[name]:
            host.namespace.run("ip", *line.split())
    bodies = [[kind, body.hex()] for kind, body in host.bodies("link", Sight(OWNER))]
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{'.'.join(os.uname().release.split('.')[:2])}.json"
    path.write_text(json.dumps({"types": types, "link": bodies}, indent=0) + "\n")
