"""Records what this kernel dumps of addresses of all sorts, for ``test_decode.py``; writes ``dumps/KERNEL.json``.

    tools/in-namespace .venv/bin/python -m pytest tests/resources/address/record.py
    tests/uml/run tests/resources/address/record.py

Not a test by its name, so that it runs only when it is asked for. What is recorded is made by ``ip``, not by us.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from reconciler.resources.base import Sight
from reconciler.resources.registry import KINDS
from tests.resources.address.stories import OF_ALL_SORTS, PAIR
from tests.resources.host import OWNER, Host, create, ready

FOLDER = Path(__file__).parent / "dumps"


def test_record(lab):
    host = Host.of(lab, "host", *PAIR)
    host.prepare(
        [" ".join(words) for value in OF_ALL_SORTS for words in KINDS["address"].command(create(value), OWNER)]
    )
    ready(host)
    sight = Sight(OWNER)
    recorded = {name: [[kind, body.hex()] for kind, body in host.bodies(name, sight)] for name in ("link", "address")}
    path = FOLDER / f"{'.'.join(os.uname().release.split('.')[:2])}.json"
    FOLDER.mkdir(exist_ok=True)
    path.write_text(json.dumps(recorded, indent=0) + "\n")
