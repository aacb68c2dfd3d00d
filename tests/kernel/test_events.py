from __future__ import annotations

import select

import pytest

from reconciler.errors import UnavailableError
from reconciler.kernel import events as module
from reconciler.kernel.events import Drained, Events

RTM_NEWLINK, RTM_NEWADDR, RTM_NEWROUTE, RTM_DELROUTE, RTM_NEWRULE, RTM_NEWQDISC, RTM_NEWNETCONF = (
    16,
    20,
    24,
    25,
    32,
    36,
    80,
)
NFT_MSG_NEWRULE = 0xA06


@pytest.fixture
def events(namespace):
    with Events(namespace) as made:
        made.drain()
        yield made


def wait(events):
    """What comes, once something has."""
    poll = select.poll()
    for number in events.filenos:
        poll.register(number, select.POLLIN)
    assert poll.poll(5000), "no event came"
    return events.drain()


@pytest.mark.parametrize(
    ("command", "type"),
    [
        ("ip rule add pref 17000 fwmark 0x10/0xff lookup 100", RTM_NEWRULE),
        ("ip -6 rule add pref 17000 fwmark 0x10/0xff lookup 100", RTM_NEWRULE),
        ("ip route add blackhole 10.0.0.0/8 table 100", RTM_NEWROUTE),
        ("ip -6 route add blackhole 2001:db8::/32 table 100", RTM_NEWROUTE),
        ("ip link set lo mtu 1400", RTM_NEWLINK),
        ("ip address add 10.0.0.1/32 dev lo", RTM_NEWADDR),
        ("tc qdisc add dev lo root handle 1: htb", RTM_NEWQDISC),
    ],
)
def test_a_change_is_told(events, inside, command, type):
    inside(command)
    drained = wait(events)
    assert type in drained.types
    assert drained.messages >= 1
    assert not drained.overrun


@pytest.mark.needs("iptables-nft")
def test_a_rule_made_with_iptables_nft_is_told(events, inside):
    assert events.nftables
    inside("iptables-nft -t mangle -A OUTPUT -j ACCEPT")
    assert NFT_MSG_NEWRULE in wait(events).types


def test_settings_of_a_device_are_told_where_they_are_asked_for(namespace, inside):
    with Events(namespace, nftables=False, netconf=True) as events:
        inside("sysctl -qw net.ipv4.conf.lo.rp_filter=1")
        assert RTM_NEWNETCONF in wait(events).types


def test_without_a_change_there_is_nothing_and_no_waiting(events):
    assert events.drain() == Drained(0, frozenset(), overrun=False)


def test_another_namespace_is_not_told_of(events, make_namespace, inside):
    inside("ip link set lo up", where=make_namespace())
    assert events.drain().messages == 0


def test_events_that_the_kernel_had_to_drop_are_told_as_an_overrun(namespace, inside, monkeypatch):
    real = module.open_socket
    monkeypatch.setattr(module, "open_socket", lambda *where: real(*where[:2], 4096))
    with Events(namespace, nftables=False) as events:
        inside("ip -batch -", stdin="".join(f"route add blackhole 10.0.0.{n} table 100\n" for n in range(200)))
        drained = events.drain()
        assert drained.overrun
        assert 0 < drained.messages < 200
        inside("ip route flush table 100")
        assert RTM_DELROUTE in wait(events).types


def test_one_who_does_not_ask_for_nf_tables_does_not_make_the_kernel_load_it(namespace, monkeypatch):
    monkeypatch.setattr(module, "present", pytest.fail)
    with Events(namespace, nftables=False) as events:
        assert (events.nftables, events.nftables_reason) == (False, "not asked for")
        assert len(events.filenos) == 1


def test_a_kernel_without_nf_tables_is_told_in_words(namespace, monkeypatch):
    monkeypatch.setattr(module, "present", lambda _: False)
    with Events(namespace) as events:
        assert not events.nftables
        assert "no nf_tables" in events.nftables_reason


def test_a_refused_subscription_is_told_in_words_and_the_others_stay(namespace, monkeypatch):
    real = module._subscribe

    def refuse(where, protocol, groups):
        if protocol == module.NETLINK_NETFILTER:
            raise UnavailableError("no events: Operation not permitted")
        return real(where, protocol, groups)

    monkeypatch.setattr(module, "_subscribe", refuse)
    with Events(namespace) as events:
        assert (events.nftables, events.nftables_reason) == (False, "no events: Operation not permitted")
        assert len(events.filenos) == 1
