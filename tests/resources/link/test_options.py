"""For each type of link: what its options are packed to is read as the same, by us and by pyroute2."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg

from reconciler.resources.base import Sight
from reconciler.resources.link.device_wire import IFLA_LINKINFO
from reconciler.resources.link.link import IFLA_INFO_DATA, Link
from reconciler.resources.link.option import Choice, Dev, Host, Number, Switch
from reconciler.resources.link.types import TYPES
from reconciler.resources.owner import Owner
from reconciler.resources.registry import KINDS
from reconciler.resources.wire import parse, patch
from tests.resources.host import create

OWNER = Owner()
DEVICES = {3: "eth0", 4: "eth1"}
INDEXES = {name: index for index, name in DEVICES.items()}
BY_MESSAGE = sorted(set(TYPES) - {"tun", "veth"})
"""Types whose options are all in IFLA_INFO_DATA or IFLA_LINK."""
HOSTS = {4: st.sampled_from(["192.0.2.1", "10.0.0.255", "239.1.1.1"]), 6: st.sampled_from(["2001:db8::1", "ff02::1"])}


def values(option):
    """All values that an option can have, as the kernel counts them."""
    form = option.form
    if isinstance(form, Number):
        scale = getattr(form, "scale", 1)
        low, high = form.stanza.get("minimum", 1), form.stanza.get("maximum", 0xFFFFFFFF)
        return st.integers(low, high).map(lambda number: number * scale)
    if isinstance(form, Switch):
        return st.booleans()
    if isinstance(form, Choice):
        return st.sampled_from(sorted(form.numbers))
    if isinstance(form, Host):
        return st.one_of(*(HOSTS[family] for family in form.families))
    assert isinstance(form, Dev), f"no strategy for {option.word}"
    return st.sampled_from(sorted(INDEXES))


def options(kind):
    """Any set of options of a type."""
    table = {option.word: option for option in kind.options_table}
    needed = {word: values(option) for word, option in table.items() if option.needed}
    others = {word: values(option) for word, option in table.items() if not option.needed}
    return st.fixed_dictionaries(needed, optional=others).map(lambda said: tuple(sorted(said.items())))


def sent(link):
    """The body of the request that makes a link, with the indexes in it."""
    message = KINDS["link"].encode(create(link), OWNER)[0]
    body = bytearray(message.body)
    for offset, name in message.devices:
        if offset != 4:
            patch(body, offset, INDEXES[name])
    return bytes(body)


@pytest.mark.parametrize("type", BY_MESSAGE)
@given(data=st.data())
def test_what_is_packed_is_read_as_the_same(type, data):
    said = data.draw(options(TYPES[type]))
    attributes = parse(sent(Link("x0", type, said)), 16)
    sight = Sight(OWNER)
    sight.devices.update(DEVICES)
    info = parse(attributes[IFLA_LINKINFO])
    read = dict(TYPES[type].unpack(info.get(IFLA_INFO_DATA, b""), attributes, sight))
    assert {word: read.get(word) for word, _ in said} == dict(said)


@pytest.mark.parametrize("type", BY_MESSAGE)
@given(data=st.data())
def test_what_is_packed_is_read_by_pyroute2_as_a_link_of_the_type(type, data):
    said = data.draw(options(TYPES[type]))
    body = sent(Link("x0", type, said))
    message = ifinfmsg((len(body) + 16).to_bytes(4, "little") + b"\x10\0\5\6" + bytes(8) + body)
    message.decode()
    info = message.get_attr("IFLA_LINKINFO")
    assert info.get_attr("IFLA_INFO_KIND") == type
    assert message.get_attr("IFLA_IFNAME") == "x0"
    found = info.get_attr("IFLA_INFO_DATA")
    shown = dict(found["attrs"]) if found and not isinstance(found, str) else {}
    assert not any(key.startswith("UNKNOWN") for key in shown), shown
    for prefix, word in (("IFLA_VLAN_", "id"), ("IFLA_VXLAN_", "id"), ("IFLA_BOND_", "miimon"), ("IFLA_VRF_", "table")):
        if f"{prefix}{word.upper()}" in shown and word in dict(said):
            assert shown[f"{prefix}{word.upper()}"] == dict(said)[word]
