"""The laboratory itself, proven with plain commands: what it reports is what the kernel did."""

from __future__ import annotations

import os
import socket

import pytest

from tests.netns.lab import CommandError, Lab
from tests.netns.traffic import Arrival, Echo, NoAnswerError, Sender, send
from tests.netns.two_uplinks import SERVER, SERVER6, TwoUplinks

VARIANTS = [pytest.param(variant, marks=pytest.mark.needs(f"iptables-{variant}")) for variant in ("nft", "legacy")]


class TestNamespaces:
    def test_two_have_nothing_in_common(self, lab):
        one, other = lab.namespace("one"), lab.namespace("other")
        one.run("ip", "link", "add", "br0", "type", "bridge")
        assert one.works("ip", "link", "show", "br0")
        assert not other.works("ip", "link", "show", "br0")

    def test_a_failed_command_says_what_the_tool_said(self, lab):
        with pytest.raises(CommandError, match=r'one: ip link show nowhere: status 1: .*"nowhere" does not exist'):
            lab.namespace("one").run("ip", "link", "show", "nowhere")

    def test_a_call_runs_inside_and_its_error_comes_out(self, lab):
        one = lab.namespace("one")
        one.run("ip", "link", "add", "br0", "type", "bridge")
        assert [name for _, name in one.call(socket.if_nameindex)] == ["lo", "br0"]
        with pytest.raises(ZeroDivisionError):
            one.call(lambda: 1 // 0)
        assert "br0" not in [name for _, name in socket.if_nameindex()]

    def test_sysctls_are_the_namespaces_own(self, lab):
        one, other = lab.namespace("one"), lab.namespace("other")
        one.sysctl("net.ipv4.conf.lo.rp_filter", 2)
        other.sysctl("net.ipv4.conf.lo.rp_filter", 0)
        assert (one.sysctl("net.ipv4.conf.lo.rp_filter"), other.sysctl("net.ipv4.conf.lo.rp_filter")) == (
            "2",
            "0",
        )

    def test_a_batch_ends_at_its_first_bad_line(self, lab):
        one = lab.namespace("one")
        with pytest.raises(CommandError, match='"nonsense" is wrong'):
            one.batch("ip", ["rule add priority 5 table 5", "rule add nonsense", "rule add priority 6 table 6"])
        assert {rule["priority"] for rule in one.json("ip", "-json", "rule")} >= {5, 32766}

    @pytest.mark.usefixtures("lab")
    def test_nothing_is_left_when_the_lab_is_closed(self):
        with Lab() as closed:
            one = closed.namespace("one")
            waiting = one.start("cat", "/dev/zero")
            assert os.path.samestat(os.stat(one.path), os.stat(f"/proc/{waiting.pid}/ns/net"))
        assert waiting.returncode is not None
        assert not os.path.exists(one.path)
        assert not os.path.exists(closed.folder)


class TestPackets:
    @pytest.mark.parametrize("protocol", ["udp", "tcp"])
    def test_leave_by_the_default_route(self, two_uplinks, protocol):
        assert two_uplinks.send(protocol=protocol) == Arrival("uplink1", "192.168.1.2")

    @pytest.mark.needs("ipv6")
    @pytest.mark.parametrize("protocol", ["udp", "tcp"])
    def test_leave_by_the_default_route_in_ipv6_too(self, two_uplinks, protocol):
        assert two_uplinks.send(SERVER6, protocol=protocol) == Arrival("uplink1", "fd00:1::2")

    @pytest.mark.parametrize("protocol", ["udp", "tcp"])
    def test_leave_by_the_second_uplink_where_a_rule_takes_their_mark(self, two_uplinks, protocol):
        mark_to_second_uplink(two_uplinks)
        assert two_uplinks.send(mark=0x10, protocol=protocol) == Arrival("uplink2", "192.168.2.2")
        assert two_uplinks.send(mark=0x11, protocol=protocol) == Arrival("uplink1", "192.168.1.2")

    @pytest.mark.needs("ipv6")
    def test_leave_by_the_second_uplink_in_ipv6_too(self, two_uplinks):
        two_uplinks.host.batch(
            "ip -6",
            ["rule add fwmark 0x10 table 100", "route add default via fd00:2::1 dev eth1 table 100"],
        )
        assert two_uplinks.send(SERVER6, mark=0x10) == Arrival("uplink2", "fd00:2::2")

    def test_leave_by_the_wrong_uplink_where_only_the_address_is_bound(self, two_uplinks):
        assert two_uplinks.send(bind="192.168.2.2") == Arrival("uplink1", "192.168.2.2")
        mark_to_second_uplink(two_uplinks)
        two_uplinks.host.run("ip", "rule", "add", "from", "192.168.2.2", "table", "100")
        assert two_uplinks.send(bind="192.168.2.2") == Arrival("uplink2", "192.168.2.2")

    def test_leave_by_the_device_that_the_socket_is_bound_to(self, two_uplinks):
        two_uplinks.host.run("ip", "route", "add", "default", "via", "192.168.2.1", "metric", "9")
        assert two_uplinks.send(device="eth1") == Arrival("uplink2", "192.168.2.2")

    def test_that_get_no_answer_are_still_seen_to_arrive(self, two_uplinks):
        wrong = "neighbour add 192.168.1.2 dev uplink1 lladdr 02:00:00:00:00:05 nud permanent"
        two_uplinks.far.batch("ip", [wrong])
        with pytest.raises(NoAnswerError, match="udp from host"):
            two_uplinks.send(timeout=0.3)
        assert two_uplinks.arrivals == [Arrival("uplink1", "192.168.1.2")]

    def test_that_the_kernel_refuses_raise_its_error(self, two_uplinks):
        two_uplinks.host.run("ip", "rule", "add", "fwmark", "0x10", "prohibit")
        with pytest.raises(PermissionError):
            two_uplinks.send(mark=0x10)

    def test_come_in_by_both_uplinks(self, lab):
        network = TwoUplinks(lab)
        for device in ("eth0", "eth1"):
            lab.closing(Echo(network.host, device).close)
        assert send(network.far, Sender("192.168.2.2")) == Arrival("eth1", "192.168.2.1")
        assert send(network.far, Sender("192.168.1.2"), protocol="tcp") == Arrival("eth0", "192.168.1.1")


class TestStages:
    def test_of_a_boot_are_gone_through_one_by_one(self, lab):
        network = TwoUplinks(lab, stage1="absent")
        assert not network.host.works("ip", "link", "show", "eth1")
        network.bring("eth1", "down")
        assert "state DOWN" in network.host.output("ip", "link", "show", "eth1")
        network.bring("eth1", "up")
        assert "LOWER_UP" in network.host.output("ip", "link", "show", "eth1")
        assert network.host.output("ip", "-4", "address", "show", "eth1") == ""
        network.bring("eth1", "ready")
        mark_to_second_uplink(network)
        assert network.send(mark=0x10) == Arrival("uplink2", "192.168.2.2")


class TestCounters:
    @pytest.mark.parametrize("variant", VARIANTS)
    def test_count_the_packets_of_a_marked_socket_and_no_others(self, two_uplinks, variant):
        host = two_uplinks.host
        host.run(f"iptables-{variant}", "-A", "OUTPUT", "-m", "mark", "--mark", "0x10", "-j", "ACCEPT")
        for mark in (0x10, None, 0x10, 0x11):
            two_uplinks.send(mark=mark)
        (counted,) = host.counters(variant)
        assert counted.rule == "-A OUTPUT -m mark --mark 0x10 -j ACCEPT"
        assert counted.packets == 2


class TestRates:
    @pytest.mark.needs("htb", "bpf")
    def test_of_a_class_are_measured_as_tc_counts_them(self, two_uplinks):
        """The filter compares the mark: `ld mark; jeq 0x10 → 0x10001 (class 1:1), else no match`."""
        shape(two_uplinks, "bpf bytecode '4,32 0 0 4294963220,21 0 1 16,6 0 0 65537,6 0 0 0'")
        assert_shaped(two_uplinks)

    @pytest.mark.needs("htb", "fw")
    def test_of_a_class_chosen_by_the_fw_classifier(self, two_uplinks):
        shape(two_uplinks, "handle 0x10/0xff fw classid 1:1")
        assert_shaped(two_uplinks)


def mark_to_second_uplink(network):
    network.host.batch("ip", ["rule add fwmark 0x10 table 100", "route add default via 192.168.2.1 dev eth1 table 100"])


def shape(network, filtered):
    mark_to_second_uplink(network)
    network.host.batch(
        "tc",
        [
            "qdisc add dev eth1 root handle 1: htb default 2",
            "class add dev eth1 parent 1: classid 1:1 htb rate 5mbit",
            "class add dev eth1 parent 1: classid 1:2 htb rate 20mbit",
            f"filter add dev eth1 parent 1: protocol all prio 1 {filtered}",
        ],
    )


def assert_shaped(network):
    """Never more than the class may have; a busy machine gets less through, and is asked again."""
    senders = Sender(SERVER, mark=0x10), Sender(SERVER, bind="192.168.2.2", device="eth1")
    for _ in range(4):
        alone = network.rate(mark=0x10)
        premium, rest = network.rates(*senders)
        assert max(alone, premium) < 5e6 * 1.5
        if min(alone, premium) > 5e6 / 1.5 and rest > premium:
            return
    assert (alone, premium, rest) == "5, 5 and 20 mbit/s"
