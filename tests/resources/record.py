"""Records what this kernel dumps of a small network, for ``test_decode.py``; writes ``dumps/KERNEL.json``.

    tools/in-namespace .venv/bin/python -m pytest tests/resources/record.py
    tests/uml/run tests/resources/record.py

Not a test by its name, so that it runs only when it is asked for.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from reconciler.resources.address import Address
from reconciler.resources.base import Sight
from reconciler.resources.link.link import Link
from reconciler.resources.route import Route
from reconciler.resources.rule import Rule
from reconciler.resources.tc.class_ import Class
from reconciler.resources.tc.filter import Filter
from reconciler.resources.tc.qdisc import Qdisc
from tests.netns.probes import lacks
from tests.resources.host import ORDER, Host, create, ready

LINES = """
ip link add name e0 address 02:00:00:00:00:10 type ifb
ip link add name e1 mtu 1400 address 02:00:00:00:00:11 type ifb
ip link add name b0 address 02:00:00:00:00:20 type bridge
ip link set e1 master b0
ip link set e0 up
ip address add 192.0.2.9/24 dev e0
ip address add 192.0.2.10/24 dev e0
ip address add 198.51.100.1 peer 198.51.100.2/32 dev e0
ip address add 2001:db8::9/64 dev e0 nodad
ip address add 2001:db8:0:1::9/64 dev e0 nodad valid_lft 9999 preferred_lft 999
ip route add 10.1.0.0/16 nexthop via 192.0.2.1 dev e0 weight 1 nexthop via 192.0.2.3 dev e0 weight 5
ip route add 10.2.0.0/16 via 203.0.113.1 dev e0 onlink proto 77
ip route add 10.3.0.0/16 via 192.0.2.1 mtu lock 1300 advmss 1200
ip route add 10.4.0.0/16 via inet6 2001:db8::1 dev e0
ip route add 10.5.0.0/16 tos 0x10 dev e0 scope global
ip route add throw 10.6.0.0/16 table 300
ip route add local 10.7.0.0/16 dev lo table 300
ip route append 10.8.0.0/16 via 192.0.2.1 proto 77
ip route append 10.8.0.0/16 via 192.0.2.3 proto 78
ip route add 2001:db8:4::/48 nexthop via fe80::1 dev e0 nexthop via fe80::2 dev e0
ip route add 2001:db8:5::/48 via fe80::1 dev e0 pref high
ip rule add priority 50 from 10.1.0.2/24 fwmark 3 table 9
ip rule add priority 51 not to 10.9.0.0/16 iif lo oif eth9 table 300 suppress_prefixlength 1 protocol 77
ip rule add priority 52 uidrange 0-0 ipproto udp dport 53 unreachable
ip -6 rule add priority 53 from 2001:db8::/32 goto 60
tc qdisc add dev e1 root handle 7: tbf rate 1mbit burst 10kb latency 50ms
"""
OURS = (
    Link("v0", "veth", (("peer", "v1"),)),
    Address("e0", 4, "192.0.2.2/24"),
    Address("e0", 6, "2001:db8::2/64"),
    Route(4, 100, "0.0.0.0/0", 0, via="192.0.2.1", dev="e0", src="192.0.2.2"),
    Route(4, 4294967295, "203.0.113.7/32", 4294967295, dev="e0"),
    Route(4, 100, "0.0.0.0/0", 4294967295, "unreachable"),
    Route(6, 100, "::/0", 1024, via="2001:db8::1", dev="e0", src="2001:db8::2"),
    Route(6, 300, "::/0", 4294967295, "unreachable"),
    Rule(4, 17000, 0x10, 0xFF, table=100),
    Rule(6, 17000, 0x10, 0xFF, table=100),
    Rule(4, 17020, from_="192.0.2.2/32", table=4294967295),
    Rule(6, 17001, 0, 0xFF, to="2001:db8::/32", iif="lo", oif="eth9", table=100, invert=True),
    Qdisc("e0", "5ec0:", "htb", "5ec0:20", 10),
    Class("e0", "5ec0:1", "5ec0:", 10**11, 10**11, 2, 2, 200000, 0),
    Class("e0", "5ec0:20", "5ec0:1", 10**6, 10**7, 200000, 20000, 12500, 3),
    Filter("e0", 3400, 0x10, "bpf", 0x10, 0xFF, "5ec0:20"),
)
WITH_FW = (
    Filter("e0", 1000, 0x10, "fw", 0x10, 0xFFFFFFFF, "5ec0:20"),
    Filter("e0", 3401, 0x10, "fw", 0x10, 0xFF, "5ec0:20"),
    Filter("e0", 3401, 0x20, "fw", 0x20, 0xFF, "5ec0:1"),
)


def build(host: Host) -> tuple[object, ...]:
    """Make the network; return what of it is ours."""
    host.prepare(LINES.strip().splitlines())
    ours = OURS if lacks("fw") else OURS + WITH_FW
    for value in ours:
        if isinstance(value, Route) and value.src:
            ready(host)
        host.ask(create(value))
    host.prepare(["tc filter add dev e0 parent 5ec0: protocol ip prio 9 u32 match ip dst 10.0.0.0/8 flowid 5ec0:20"])
    return ours


def test_record(lab):
    assert not lacks("veth")
    host = Host.of(lab)
    build(host)
    sight = Sight(host.owner)
    recorded = {}
    for name in ORDER:
        recorded[name] = [[kind, body.hex()] for kind, body in host.bodies(name, sight)]
        host.found(sight=sight)
    path = Path(__file__).parent / "dumps" / f"{'.'.join(os.uname().release.split('.')[:2])}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(recorded, indent=0) + "\n")
