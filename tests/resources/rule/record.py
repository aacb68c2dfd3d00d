"""Records what this kernel dumps of rules of all sorts, for ``test_decode.py``; writes ``dumps/KERNEL.json``.

    tools/in-namespace .venv/bin/python -m pytest tests/resources/rule/record.py
    tests/uml/run tests/resources/rule/record.py

Not a test by its name, so that it runs only when it is asked for.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from reconciler.resources.base import Sight
from reconciler.resources.rule import Rule
from tests.resources.host import Host, create

FOLDER = Path(__file__).parent / "dumps"
LINES = """
ip rule add priority 50 uidrange 0-0 ipproto udp dport 53 unreachable
ip rule add priority 51 not uidrange 1000-2000 ipproto tcp sport 1000-2000 table 300 protocol 77
ip rule add priority 52 tos 0x10 table 9 suppress_prefixlength 0 suppress_ifgroup 0
ip rule add priority 53 goto 60
ip rule add priority 54 goto 61
ip rule add priority 60 nop
ip rule add priority 62 l3mdev protocol kernel
ip rule add priority 63 realms 3/7 table 9
ip rule add priority 64 blackhole table 7
ip rule add priority 65 tun_id 9 table 9
ip -6 rule add priority 50 tos 0xb8 ipproto ipv6-icmp table 9 suppress_ifgroup 5
ip -6 rule add priority 51 dport 1-65534 prohibit
ip -6 rule add priority 52 l3mdev suppress_prefixlength 128
ip -6 rule add priority 53 goto 32767 iif eth9
"""
OURS = (
    Rule(4, 17000, 0x10, 0xFF, uid=(1000, 2000), dport=(53, 53), table=100),
    Rule(4, 17000, 0x10, 0xFF, uid=(0, 4294967294), table=100, invert=True),
    Rule(4, 17001, ip_protocol=132, sport=(1, 65534), dport=(65534, 65534), action="blackhole"),
    Rule(4, 17002, tos=0x1C, action="goto", goto=32766),
    Rule(4, 17003, iif="lo", oif="eth9", table=254, suppress_prefixlength=1),
    Rule(4, 17004, l3mdev=True),
    Rule(6, 17000, ip_protocol=58, table=4294967295, suppress_prefixlength=0, suppress_interface_group=2147483647),
    Rule(6, 17001, to="2001:db8::/32", tos=0xFC, sport=(5, 5), action="prohibit"),
    Rule(6, 17002, invert=True, ip_protocol=255, action="nop"),
    Rule(6, 17003, from_="2001:db8::/32", action="goto", goto=4294967295),
    Rule(6, 17004, l3mdev=True, mark=1, mask=1, suppress_interface_group=0),
)


def test_record(lab):
    host = Host.of(lab)
    host.prepare(LINES.strip().splitlines())
    for rule in OURS:
        host.ask(create(rule))
    bodies = [body.hex() for _, body in host.bodies("rule", Sight(host.owner))]
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{'.'.join(os.uname().release.split('.')[:2])}.json"
    path.write_text(json.dumps(bodies, indent=0) + "\n")
