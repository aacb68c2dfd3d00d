"""Records what this kernel dumps of routes and nexthop objects, for ``test_dumps.py``; writes ``dumps/KERNEL.json``.

    tools/in-namespace .venv/bin/python -m pytest tests/resources/route/record.py
    tests/uml/run tests/resources/route/record.py

Not a test by its name, so that it runs only when it is asked for.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from reconciler.resources.base import Sight
from tests.resources.host import Host, create
from tests.resources.route.test_attributes import LIVES as RARE
from tests.resources.route.test_multipath import LIVES as SEVERAL
from tests.resources.route.test_multipath import MORE
from tests.resources.test_commands import READY
from tests.resources.test_nexthops import ALL, SHARED, SHARED6

KINDS = ("link", "nexthop", "route")


def values():
    """Nexthop objects, and one route of every sort, each in a table of its own."""
    routes = [routes[0]._replace(table=1000 + n) for n, routes in enumerate((*RARE.values(), *SEVERAL.values()))]
    return (*ALL, SHARED._replace(src=""), SHARED6, *routes)


def test_record(lab):
    host = Host.of(lab, "host", *READY, *MORE)
    for value in values():
        host.ask(create(value))
    sight = Sight(host.owner)
    recorded = {name: [[kind, body.hex()] for kind, body in host.bodies(name, sight)] for name in KINDS}
    path = Path(__file__).parent / "dumps" / f"{'.'.join(os.uname().release.split('.')[:2])}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(recorded, indent=0) + "\n")
