"""Each message that we pack is read by pyroute2 with the same values, and each that it packs is read by us so.

pyroute2 is the independent oracle here; the package itself does not need it for these kinds.
"""

from __future__ import annotations

import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroute2.netlink.rtnl.fibmsg import fibmsg
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg
from pyroute2.netlink.rtnl.rtmsg import rtmsg
from pyroute2.netlink.rtnl.tcmsg import tcmsg

from reconciler.core.change import UPDATE, Change
from reconciler.resources.base import Sight
from reconciler.resources.link.device import Device
from reconciler.resources.link.link import Link
from reconciler.resources.registry import KINDS
from reconciler.resources.tc.class_ import Class
from reconciler.resources.tc.filter import Filter
from reconciler.resources.tc.qdisc import Qdisc
from tests.resources.host import OWNER, create, delete, kind_of, update
from tests.resources.strategies import INDEXES, addresses, family, routes, rules

AF = {4: 2, 6: 10}
ACTIONS = {"table": 1, "goto": 2, "nop": 3, "blackhole": 6, "unreachable": 7, "prohibit": 8}
TYPES = {"unicast": 1, "local": 2, "blackhole": 6, "unreachable": 7, "prohibit": 8, "throw": 9}
SCOPES = {"global": 0, "link": 253, "host": 254}


def sent(change):
    """The messages of a change as they go out, with the indexes of the devices in their places."""
    for message in KINDS[change.key[0]].encode(change, OWNER):
        body = bytearray(message.body)
        for offset, name in message.devices:
            assert body[offset : offset + 4] == bytes(4), "there is something where the index goes"
            struct.pack_into("=I", body, offset, INDEXES[name])
        yield message, struct.pack("=IHHII", 16 + len(body), message.type, message.flags, 1, 0) + bytes(body)


def parsed(reader, change):
    """What pyroute2 makes of the messages of a change."""
    found = []
    for _, raw in sent(change):
        message = reader(raw)
        message.decode()
        assert message["header"]["length"] == len(raw)
        found.append(message)
    return found


def fields(message, *names):
    return {name: message[name] for name in names}


def attributes(message):
    """The attributes of a message; none may be there twice, or unknown to pyroute2."""
    names = [name for name, _ in message["attrs"]]
    assert len(names) == len(set(names))
    assert not [name for name in names if name == "UNKNOWN" or name.isdecimal()]
    found = dict(message["attrs"])
    if isinstance(found.get("RTA_PREFSRC"), bytes):  # pyroute2 leaves it so beside RTA_VIA
        found["RTA_PREFSRC"] = socket.inet_ntoa(found["RTA_PREFSRC"])
    return found


def present(**attrs):
    return {name: value for name, value in attrs.items() if value not in (None, "")}


def decoded(value, body):
    """What we read from a message body."""
    sight = Sight(OWNER)
    sight.devices = {index: name for name, index in INDEXES.items()}
    sight.roots = dict.fromkeys(INDEXES, True)
    kind = kind_of(value)
    (question, *_) = kind.dumps(sight)
    return list(kind.decode(question.type - 2, body, sight))


def as_route(route, protocol=0x5E):
    host, _, length = route.to.partition("/")
    more = dict(route.options)
    usual = "host" if route.type == "local" else "link" if route.type == "unicast" and not route.via else "global"
    scope = more.get("scope", usual if route.family == 4 else "global")
    head = {
        "family": AF[route.family], "dst_len": int(length), "src_len": 0, "tos": more.get("tos", 0),
        "table": route.table if route.table < 256 else 252, "proto": protocol,
        "scope": SCOPES.get(scope, scope), "type": TYPES[route.type], "flags": 4 if "onlink" in more else 0,
    }  # fmt: skip
    other = ":" in route.via and route.family == 4
    metrics = present(
        RTAX_MTU=more.get("mtu"),
        RTAX_ADVMSS=more.get("advmss"),
        RTAX_HOPLIMIT=more.get("hoplimit"),
        RTAX_INITCWND=more.get("initcwnd"),
        RTAX_INITRWND=more.get("initrwnd"),
        RTAX_LOCK=4 if "mtu-lock" in more else None,
    )
    attrs = present(
        RTA_TABLE=route.table,
        RTA_DST=host if int(length) else None,
        RTA_PRIORITY=route.metric or None,
        RTA_PREFSRC=route.src,
        RTA_GATEWAY="" if other else route.via,
        RTA_VIA={"family": 10, "addr": route.via} if other else None,
        RTA_METRICS={"attrs": list(metrics.items())} if metrics else None,
        RTA_PREF={"high": 1, "low": 3}.get(more.get("pref")),
        RTA_OIF=INDEXES[route.dev] if route.dev else None,
    )
    return head, attrs


def as_rule(rule, protocol=0x5E):
    from_, _, from_length = rule.from_.partition("/")
    to, _, to_length = rule.to.partition("/")
    head = {
        "family": AF[rule.family], "dst_len": int(to_length or 0), "src_len": int(from_length or 0), "tos": rule.tos,
        "table": rule.table if rule.table < 256 else 252, "action": ACTIONS[rule.action],
        "flags": 2 if rule.invert else 0,
    }  # fmt: skip
    attrs = present(
        FRA_PRIORITY=rule.priority,
        FRA_TABLE=rule.table,
        FRA_FWMARK=rule.mark if rule.mask else None,
        FRA_FWMASK=rule.mask or None,
        FRA_SRC=from_,
        FRA_DST=to,
        FRA_IIFNAME=rule.iif,
        FRA_OIFNAME=rule.oif,
        FRA_UID_RANGE=":".join(map(str, rule.uid)),
        FRA_IP_PROTO=rule.ip_protocol or None,
        FRA_SPORT_RANGE=":".join(map(str, rule.sport)),
        FRA_DPORT_RANGE=":".join(map(str, rule.dport)),
        FRA_GOTO=rule.goto or None,
        FRA_L3MDEV=1 if rule.l3mdev else None,
        FRA_SUPPRESS_PREFIXLEN=rule.suppress_prefixlength if rule.suppress_prefixlength >= 0 else None,
        FRA_SUPPRESS_IFGROUP=rule.suppress_interface_group if rule.suppress_interface_group >= 0 else None,
        FRA_PROTOCOL=protocol,
    )
    return head, attrs


ADDRESS_SCOPES = {"": 0, "site": 200, "link": 253, "host": 254, "7": 7}


def as_address(address, protocol=0x5E):
    host, _, length = address.address.partition("/")
    far, _, far_length = address.peer.partition("/")
    nodad = 0x02 if address.nodad else 0
    head = {
        "family": AF[address.family], "prefixlen": int(far_length or length), "flags": nodad,
        "scope": ADDRESS_SCOPES[address.scope], "index": INDEXES[address.dev],
    }  # fmt: skip
    lifetimes = {"ifa_preferred": address.preferred, "ifa_valid": address.valid, "cstamp": 0, "tstamp": 0}
    return head, present(
        IFA_LOCAL=host,
        IFA_ADDRESS=far or host,
        IFA_BROADCAST=address.broadcast,
        IFA_LABEL=address.label,
        IFA_FLAGS=0x200 | nodad if address.noprefixroute else None,
        IFA_RT_PRIORITY=address.metric or None,
        IFA_CACHEINFO=lifetimes if (address.valid, address.preferred) != (0xFFFFFFFF, 0xFFFFFFFF) else None,
        IFA_PROTO=protocol,
    )


def check(message, head, attrs):
    assert fields(message, *head) == head
    found = attributes(message)
    for name, value in found.items():
        if name == "RTA_METRICS":
            found[name] = {"attrs": [tuple(pair) for pair in value["attrs"]]}
        elif name == "RTA_VIA":
            found[name] = {"family": value["family"], "addr": value["addr"]}
    assert found == attrs


@given(routes())
def test_routes_that_we_pack(route):
    for change in (create(route), delete(route)):
        (message,) = parsed(rtmsg, change)
        check(message, *as_route(route))


@given(family.map(st.just).flatmap(lambda one: st.tuples(routes(one), routes(one))))
def test_updates_of_routes_that_we_pack(pair):
    before, after = pair
    after = after._replace(to=before.to, table=before.table, metric=before.metric)
    messages = parsed(rtmsg, update(before, after, adopts=77))
    check(messages[0], *as_route(after))
    if before.family == 4:
        check(messages[1], *as_route(before, 77))
        assert [m["header"]["type"] for m in messages] == [24, 25]
    else:
        assert len(messages) == 1


@given(rules())
def test_rules_that_we_pack(rule):
    for change in (create(rule), delete(rule)):
        (message,) = parsed(fibmsg, change)
        check(message, *as_rule(rule))


ENDS = {"IFA_LOCAL", "IFA_ADDRESS"}


@given(addresses())
def test_addresses_that_we_pack(address):
    head, attrs = as_address(address)
    (message,) = parsed(ifaddrmsg, create(address))
    check(message, head, attrs)
    (message,) = parsed(ifaddrmsg, delete(address))
    check(message, head | {"flags": 0, "scope": 0}, {name: attrs[name] for name in ENDS})


def test_links_that_we_pack():
    made, named = parsed(ifinfmsg, create(Link("e0", "veth", (("peer", "e1"),))))
    assert made.get_attr("IFLA_IFNAME") == "e0"
    assert made.get_nested("IFLA_LINKINFO", "IFLA_INFO_KIND") == "veth"
    peer = made.get_nested("IFLA_LINKINFO", "IFLA_INFO_DATA", "VETH_INFO_PEER")
    assert peer.get_attr("IFLA_IFNAME") == "e1"
    assert made["header"]["flags"] == 0x600
    assert (named["header"]["type"], named["index"]) == (108, 2)
    assert dict(named.get_attr("IFLA_PROP_LIST")["attrs"]) == {"IFLA_ALT_IFNAME": "reconciler:default:e0"}
    (gone,) = parsed(ifinfmsg, delete(Link("e0", "veth", (("peer", "e1"),))))
    assert (gone["header"]["type"], gone["index"], gone["attrs"]) == (17, 2, [])
    made, _ = parsed(ifinfmsg, create(Link("e0", "bridge")))
    assert made.get_nested("IFLA_LINKINFO", "IFLA_INFO_KIND") == "bridge"


@pytest.mark.parametrize(("change", "head", "attrs"), [
    ({"state": "up"}, {"flags": 1, "change": 1}, {}),
    ({"state": "down", "mtu": 9000}, {"flags": 0, "change": 1}, {"IFLA_MTU": 9000}),
    ({"mtu": 1280}, {"flags": 0, "change": 0}, {"IFLA_MTU": 1280}),
    ({"master": "e1"}, {"change": 0}, {"IFLA_MASTER": 3}),
    ({"master": "e1", "mtu": 1400}, {"change": 0}, {"IFLA_MASTER": 3, "IFLA_MTU": 1400}),
])  # fmt: skip
def test_settings_of_devices_that_we_pack(change, head, attrs):
    before = Device("e0", "down" if change.get("state") == "up" else "up", 1500, "")
    (message,) = parsed(ifinfmsg, update(before, before._replace(**change)))
    check(message, {**head, "index": 2}, attrs)
    assert message["header"]["type"] == 19


def test_a_port_that_leaves_its_bridge_names_no_master():
    before = Device("e0", "up", 1500, "e1")
    (message,) = parsed(ifinfmsg, update(before, before._replace(master="")))
    check(message, {"index": 2}, {"IFLA_MASTER": 0})


def test_root_qdiscs_that_we_pack():
    (made,) = parsed(tcmsg, create(Qdisc("e0", "1:", "htb", "1:20", 7)))
    assert fields(made, "index", "handle", "parent") == {"index": 2, "handle": 0x10000, "parent": 0xFFFFFFFF}
    assert made.get_attr("TCA_KIND") == "htb"
    init = made.get_nested("TCA_OPTIONS", "TCA_HTB_INIT")
    assert fields(init, "version", "rate2quantum", "defcls", "debug") == {
        "version": 3,
        "rate2quantum": 7,
        "defcls": 0x20,
        "debug": 0,
    }
    (gone,) = parsed(tcmsg, delete(Qdisc("e0", "1:", "htb", "1:20", 7)))
    assert fields(gone, "index", "handle", "parent") == {"index": 2, "handle": 0, "parent": 0xFFFFFFFF}


@pytest.mark.parametrize(("bits", "plain", "wide"), [
    (8000, 1000, None),
    (10**10, 1_250_000_000, None),
    (8 * (2**32 - 8), 2**32 - 8, None),
    (8 * 2**32, 2**32 - 1, 2**32),
    (10**11, 2**32 - 1, 12_500_000_000),
])  # fmt: skip
@pytest.mark.parametrize("action", ["create", "update"])
def test_classes_that_we_pack(bits, plain, wide, action):
    value = Class("e0", "1:10", "1:1", bits, 8000, 5000, 6000, 1500, 3)
    change = create(value) if action == "create" else update(value._replace(rate=8), value)
    (message,) = parsed(tcmsg, change)
    assert fields(message, "index", "handle", "parent") == {"index": 2, "handle": 0x10010, "parent": 0x10001}
    options = message.get_attr("TCA_OPTIONS")
    parms = options.get_attr("TCA_HTB_PARMS")
    assert options.get_attr("TCA_HTB_RATE64") == wide
    assert options.get_attr("TCA_HTB_CEIL64") is None
    assert fields(parms, "rate", "ceil", "buffer", "cbuffer", "quantum", "prio") == {
        "rate": plain, "ceil": 1000, "buffer": 5000, "cbuffer": 6000, "quantum": 1500, "prio": 3,
    }  # fmt: skip


def test_filters_that_we_pack():
    info = 3400 << 16 | 0x0300
    change = create(Filter("e0", 3400, 0x10, "fw", 0x10, 0xFF, "1:10"))
    (message,) = parsed(tcmsg, change)
    place = {"index": 2, "handle": 0x10, "parent": 0x10000, "info": info}
    assert fields(message, *place) == place
    options = message.get_attr("TCA_OPTIONS")
    assert dict(options["attrs"]) == {"TCA_FW_CLASSID": 0x10010, "TCA_FW_MASK": 0xFF}
    (message,) = parsed(tcmsg, create(Filter("e0", 3400, 0x10, "bpf", 0x10, 0xFF, "1:10")))
    assert fields(message, *place) == place
    options = message.get_attr("TCA_OPTIONS")
    assert options.get_attr("TCA_BPF_CLASSID") == 0x10010
    assert options.get_attr("TCA_BPF_OPS_LEN") == 5
    (gone,) = parsed(tcmsg, delete(Filter("e0", 3400, 0x10, "fw", 0x10, 0xFF, "1:10")))
    assert fields(gone, *place) == place


def built(message, head, attrs):
    """A message of pyroute2's making, as the bytes after its header."""
    for name, value in head.items():
        message[name] = value
    message["attrs"] = list(attrs.items())
    message.encode()
    return bytes(message.data)[16:]


@given(routes())
def test_routes_that_pyroute2_packs(route):
    head, attrs = as_route(route)
    assert decoded(route, built(rtmsg(), head, attrs)) == [(route, None)]
    assert decoded(route, built(rtmsg(), head | {"proto": 77}, attrs)) == [(route, 77)]


@given(rules())
def test_rules_that_pyroute2_packs(rule):
    head, attrs = as_rule(rule)
    attrs = {name: value for name, value in attrs.items() if (name, value) != ("FRA_FWMARK", 0)}
    none = {"FRA_SUPPRESS_PREFIXLEN": 0xFFFFFFFF}
    assert decoded(rule, built(fibmsg(), head, none | attrs)) == [(rule, None)]
    assert decoded(rule, built(fibmsg(), head, none | attrs | {"FRA_PROTOCOL": 3})) == [(rule, 3)]


@given(addresses())
def test_addresses_that_pyroute2_packs(address):
    head, attrs = as_address(address)
    if address.family == 6 and not address.peer:
        del attrs["IFA_LOCAL"]
    flags = attrs.get("IFA_FLAGS", head["flags"]) | (0x80 if address.valid == 0xFFFFFFFF else 0)
    assert decoded(address, built(ifaddrmsg(), head, attrs | {"IFA_FLAGS": flags})) == [(address, None)]


def test_a_change_of_two_fields_is_one_message():
    before, after = Device("e0", "down", 1500, ""), Device("e0", "up", 1400, "e1")
    change = Change(UPDATE, ("device", "e0"), before, after, fields=("state", "mtu", "master"))
    (message,) = parsed(ifinfmsg, change)
    check(message, {"flags": 1, "change": 1}, {"IFLA_MTU": 1400, "IFLA_MASTER": 3})
