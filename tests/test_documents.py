"""No document gives anything but objects or a ConfigError: the whole way from text to desired objects.

How many documents are tried says HYPOTHESIS_DOCUMENTS.
"""

from __future__ import annotations

import json
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.config.load import loads
from reconciler.config.schema import load_schema
from reconciler.config.validate import validate
from reconciler.core.desired import Desired
from reconciler.engine.source import meaning
from reconciler.errors import ConfigError
from reconciler.resources.desired import ANYWHERE, desire
from reconciler.resources.facts import Facts

DOCUMENTS = int(os.environ.get("HYPOTHESIS_DOCUMENTS", "500"))
SCHEMA = load_schema()
BARE = Facts("classify", "probed", "none", "not installed", ipv6=False, kernel="6.1")

names = st.sampled_from(["a", "b", "wan2", "main", "local", "all", "default", "100", "x" * 40, "INPUT", "é"])
devices = st.sampled_from(["eth0", "eth1", "lo", "br0", "v0", "v1", "eth+", "x" * 16])
marks = st.sampled_from(["a", "b", "0x10/0xff", 16, "0x10", "0x1ff/0xff", 0, "0x0/0xff", 2**32, "0x10/", "${mark:a}"])
addresses = st.sampled_from(
    ["192.168.1.2/24", "192.168.1.2", "10.0.0.1/8", "::1/128", "fd00::1/64", "::/0", "0.0.0.0/0", "1.2.3", "/", ""]
)
hosts = st.sampled_from(["192.168.1.1", "fe80::1", "1.2.3.4.5", "::ffff:1.2.3.4", "0.0.0.0", "256.1.1.1"])
rates = st.sampled_from(["10mbit", "1.5gbit", "0bit", 0, 8, "1e6", "10mbps", "1.bit", "99999999999gbit", "5%"])
odd = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.just([]), st.just({}))


def entry(required=None, **optional):
    """A map with some of the keys; now and then one of them holds something odd."""
    plain = st.fixed_dictionaries(required or {}, optional={key.rstrip("_"): value for key, value in optional.items()})
    return st.one_of(plain, plain, plain, st.dictionaries(names, odd, max_size=2), odd)


def listed(strategy):
    return st.lists(strategy, max_size=4)


family = st.sampled_from(["ipv4", "ipv6", "both"])
flag = st.sampled_from([True, False, "yes"])
interface = entry(
    kind=st.sampled_from(["veth", "bridge", "vlan"]),
    peer=devices,
    state=st.sampled_from(["up", "down", "absent"]),
    mtu=st.sampled_from([1500, 10, "1500", 70000]),
    master=devices,
    addresses=listed(addresses),
    exclusive=flag,
)
route = entry(
    {"to": st.one_of(addresses, st.just("default"))},
    via=hosts,
    dev=devices,
    src=hosts,
    metric=st.sampled_from([0, 5, -1, 2**32]),
    type=st.sampled_from(["unicast", "blackhole", "unreachable", "local"]),
    family=family,
    adopt=flag,
)
selectors = {"mark": marks, "from": addresses, "to": addresses, "iif": devices, "oif": devices}
rule = entry(
    {"priority": st.sampled_from([1, 17000, 0, 2**32]), "table": st.one_of(names, st.integers(-1, 300))},
    **selectors,
    not_=entry(**selectors),
    family=family,
)
matches = {
    "mark": marks,
    "connmark": marks,
    "in": devices,
    "out": devices,
    "source": addresses,
    "destination": addresses,
    "protocol": st.sampled_from(["tcp", "udp", "icmp", 6, "TCP", 0]),
    "sport": st.sampled_from([53, "1:59", "59:1", 70000, "a"]),
    "dport": st.sampled_from([53, "1:59", "59:1", 70000, "a"]),
    "ctstate": st.sampled_from(["NEW", ["NEW", "RELATED"], [], "OLD"]),
    "raw": st.sampled_from(["-m foo", "-j DROP", '-m x "', "${mark:a}", "${mark:q}", "${mark:", "-A x", "a\nb"]),
}
jump = st.sampled_from(["ACCEPT", "LOG", "MARK", "CONNMARK", "CLASSIFY", "RETURN", "DROP", "own", "REJECT", ""])
packet = entry(
    {"jump": jump},
    **matches,
    not_=entry(**matches),
    **{
        "log-prefix": st.sampled_from(["wan2 ", '"', "x" * 30, "é", "a'b\\"]),
        "log-level": st.sampled_from(["info", "loud"]),
        "set-mark": marks,
        "save-mark": st.one_of(marks, flag),
        "restore-mark": st.one_of(marks, flag),
        "set-class": st.sampled_from(["1:10", "premium", "a", "zz:1", ""]),
        "comment": st.sampled_from(["hello", 'a "quoted" one', "x" * 300, "é"]),
        "family": family,
    },
)
chain = st.one_of(
    listed(packet),
    entry(
        rules=listed(packet),
        position=st.sampled_from(["first", "last", "middle"]),
        policy=st.sampled_from(["ACCEPT", "DROP", "QUEUE"]),
    ),
)
chains = st.dictionaries(st.sampled_from(["INPUT", "OUTPUT", "POSTROUTING", "own", "x" * 28]), chain, max_size=3)
leaf = entry(
    {"rate": rates}, id=st.sampled_from(["1:10", "1:1", ":5", "1:", "10", "1:0"]), ceil=rates, marks=listed(marks)
)
tree = st.recursive(
    leaf,
    lambda below: entry(
        {"rate": rates}, id=st.sampled_from(["1:1", "1:2"]), classes=st.dictionaries(names, below, max_size=3)
    ),
    max_leaves=6,
)
shaping = entry(
    {"kind": st.sampled_from(["htb", "htb", "cake"])},
    handle=st.sampled_from(["1:", "ffff:", "1", "0:"]),
    default=names,
    classes=st.dictionaries(names, tree, max_size=3),
    adopt=flag,
)
documents = entry(
    version=st.sampled_from([1, 2]),
    marks=st.dictionaries(names, marks, max_size=3),
    interfaces=st.dictionaries(devices, interface, max_size=3),
    tables=st.dictionaries(names, entry(id=st.sampled_from([100, 101, 254, 0]), routes=listed(route)), max_size=2),
    rules=listed(rule),
    iptables=st.dictionaries(st.sampled_from(["filter", "mangle", "nat"]), chains, max_size=2),
    shaping=st.dictionaries(devices, shaping, max_size=2),
    settings=entry(owner=entry(name=st.sampled_from(["default", "a_b", "A"]), protocol=st.sampled_from([94, 4]))),
)


@pytest.mark.timeout(1200)
@settings(max_examples=DOCUMENTS, deadline=None, suppress_health_check=list(HealthCheck))
@given(document=documents, facts=st.sampled_from([ANYWHERE, BARE]))
def test_every_document_gives_objects_or_a_config_error(document, facts):
    text = json.dumps(document)
    try:
        root = loads(text, "net.yaml", {})
    except ConfigError:
        return
    try:
        validate(root, SCHEMA)
    except ConfigError as error:
        for problem in (*error.problems, *meaning(root, SCHEMA)):
            assert problem.message
            assert "\n" not in str(problem)
        return
    try:
        desired, names_ = desire(root, facts)
    except ConfigError as error:
        places = {problem.position.line for problem in error.problems}
    else:
        places = {1}
        assert isinstance(desired, Desired)
        assert set(desired.origins) == set(desired.values)
        assert names_ is not None
    assert 0 not in places, "a problem without a line"
