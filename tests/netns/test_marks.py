"""What the whole is for, proven with packets: the mark chooses the uplink, the address, the counters, the rate."""

from __future__ import annotations

import pytest

from tests.netns.objects import variant
from tests.netns.probes import lacks, on_slow_kernel
from tests.netns.program import EXAMPLES, ROOT
from tests.netns.traffic import Arrival, NoAnswerError, Sender
from tests.netns.two_uplinks import SERVER, SERVER6, TwoUplinks

PLAIN, MARKED = Arrival("uplink1", "192.168.1.2"), Arrival("uplink2", "192.168.2.2")
MBIT = 1e6
SLACK = 1.5
LEAST = 0.2 if on_slow_kernel() else 1 / SLACK
"""The part of a rate that must get through; a user-mode or emulated kernel may be too slow to send more."""

pytestmark = pytest.mark.needs("htb")


@pytest.fixture(autouse=True)
def _needs_iptables():
    if not variant():
        pytest.skip(lacks("iptables-nft"))


@pytest.fixture
def network(lab, program):
    """The host of the reference case, as the example says, with the default route that it does not speak of."""
    made = TwoUplinks(lab)
    program(made.host, path=f"{EXAMPLES}/two-uplinks/reconciler.yaml")("apply")
    return made


def count(host, family=4):
    """Return the packets of the LOG rule in OUTPUT and of the ACCEPT rule in INPUT."""
    rules = {rule.rule.split(" -j ")[1].split()[0]: rule.packets for rule in host.counters(variant(), family=family)}
    return rules["LOG"], rules["ACCEPT"]


class TestASocket:
    @pytest.mark.parametrize("protocol", ["udp", "tcp"])
    def test_that_is_plain_leaves_by_the_first_uplink(self, network, protocol):
        assert network.send(protocol=protocol) == PLAIN

    @pytest.mark.parametrize("protocol", ["udp", "tcp"])
    def test_with_the_mark_leaves_by_the_second_with_its_address(self, network, protocol):
        assert network.send(mark=0x10, protocol=protocol) == MARKED

    def test_with_the_mark_and_other_softwares_bits_too(self, network):
        """Only the bits of the mask decide."""
        assert network.send(mark=0x40010) == MARKED
        assert network.send(mark=0x11) == PLAIN

    @pytest.mark.parametrize("protocol", ["udp", "tcp"])
    def test_bound_to_the_seconds_address_leaves_by_it(self, network, protocol):
        assert network.send(bind="192.168.2.2", protocol=protocol) == MARKED

    def test_leaves_by_the_first_again_after_teardown(self, network, program):
        program(network.host, path=None)("teardown")
        assert network.send(mark=0x10) == PLAIN
        assert network.send(bind="192.168.1.2") == PLAIN

    @pytest.mark.needs("ipv6")
    def test_with_the_mark_leaves_by_the_second_in_ipv6_too_where_the_table_has_a_route(self, network, program):
        with open(f"{EXAMPLES}/two-uplinks/reconciler.yaml", encoding="utf-8") as file:
            text = file.read().replace(
                "dev: eth1}\n", 'dev: eth1}\n      - {to: default, via: "fd00:2::1", dev: eth1}\n', 1
            )
        program(network.host, text=text)("apply")
        assert network.send(SERVER6, mark=0x10) == Arrival("uplink2", "fd00:2::2")
        assert network.send(SERVER6) == Arrival("uplink1", "fd00:1::2")
        assert count(network.host, family=6) == (1, 1)

    def test_with_the_mark_gets_no_answer_while_the_second_uplink_is_cut_and_the_others_do(self, network):
        network.far.run("ip", "link", "set", "uplink2", "down")
        with pytest.raises((NoAnswerError, OSError)):
            network.send(mark=0x10, timeout=0.2)
        assert network.send() == PLAIN


class TestTheCounters:
    def test_count_the_packets_of_the_marked_socket_in_both_directions_and_no_others(self, network):
        """The replies carry the mark because the connection remembers it."""
        for mark in (None, 0x10, 0x11, 0x10, None, 0x10):
            network.send(mark=mark)
        network.send(bind="192.168.2.2")
        assert count(network.host) == (3, 3)

    def test_count_those_of_tcp_too(self, network):
        network.send(protocol="tcp")
        assert count(network.host) == (0, 0)
        network.send(protocol="tcp", mark=0x10)
        out, back = count(network.host)
        assert out >= 4, "at least SYN, ACK, the request, FIN"
        assert back >= 3, "at least SYN-ACK, the answer, FIN"

    def test_go_on_when_a_watcher_or_another_apply_finds_nothing_to_do(self, network, program):
        network.send(mark=0x10)
        program(network.host, path=f"{EXAMPLES}/two-uplinks/reconciler.yaml")("apply")
        network.send(mark=0x10)
        assert count(network.host) == (2, 2)


class TestTheRate:
    def test_of_marked_traffic_is_that_of_its_class(self, lab, program):
        """5 Mbit/s in the nine commands' class; what is not marked is not shaped there."""
        network = TwoUplinks(lab)
        program(network.host, path=f"{ROOT}/tests/cases/nine-commands/config.yaml")("apply")
        marked, bound = network.rates(Sender(SERVER, mark=0x10), Sender(SERVER, bind="192.168.2.2"), seconds=1.5)
        assert 5 * MBIT * LEAST < marked < 5 * MBIT * SLACK
        assert bound > marked

    def test_is_shared_as_the_example_says(self, network):
        """Marked traffic has 5 Mbit/s for certain, the rest of the uplink at least 1, both at most 10 together."""
        marked, rest = network.rates(Sender(SERVER, mark=0x10), Sender(SERVER, bind="192.168.2.2"), seconds=1.5)
        assert marked > 5 * MBIT * LEAST
        assert rest > 1 * MBIT * LEAST
        assert marked > rest
        assert 10 * MBIT * LEAST < marked + rest < 10 * MBIT * SLACK

    def test_follows_an_edit_of_the_file_without_a_packet_lost_to_it(self, network, program):
        """The class is changed in place: its own counter, and that of its neighbour, go on."""
        with open(f"{EXAMPLES}/two-uplinks/reconciler.yaml", encoding="utf-8") as file:
            text = file.read()
        run = program(network.host, text=text.replace("rate: 5mbit, ceil: 10mbit", "rate: 2mbit, ceil: 2mbit"))
        network.send(mark=0x10)
        before = sent(network.host, "1:10")
        assert run("apply").changes == ["~ class eth1 premium 1:10: rate 5mbit → 2mbit, ceil 10mbit → 2mbit"]
        assert sent(network.host, "1:10") >= before > 0
        assert 2 * MBIT * LEAST < network.rate(mark=0x10, seconds=1.2) < 2 * MBIT * SLACK


def sent(host, classid):
    shown = host.output("tc", "-s", "class", "show", "dev", "eth1", "classid", classid)
    return int(shown.split("Sent ")[1].split()[0])
