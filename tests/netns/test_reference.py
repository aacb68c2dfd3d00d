"""What the program makes is what the commands make: object by object, in both directions.

Evened out is only what the file cannot mean or means otherwise: who made a route or rule (its protocol), the
priority of a filter, our chain behind its jump and the comments in it. For the nine commands also the mask and
the priorities that the file names, and ``protocol all``, which replaces ``protocol ip``.
"""

from __future__ import annotations

import os
import re

import pytest

from tests.netns.objects import difference, folder_of_iptables, objects, variant
from tests.netns.probes import lacks
from tests.netns.program import EXAMPLES, ROOT
from tests.netns.two_uplinks import TwoUplinks

NINE_COMMANDS = """
iptables -A INPUT  -m mark --mark 0x10 -j ACCEPT
iptables -A OUTPUT -m mark --mark 0x10 -j LOG
ip rule add fwmark 0x10 table 100
ip route add default via 192.168.2.1 table 100
tc qdisc add dev eth1 root handle 1: htb
tc class add dev eth1 parent 1: classid 1:1 htb rate 10mbit
tc class add dev eth1 parent 1:1 classid 1:10 htb rate 5mbit
tc filter add dev eth1 parent 1: protocol ip handle 0x10 fw flowid 1:10
ip rule add from 192.168.2.2 table 100
"""
OURS = r"rc\.default\."
EVEN = {
    "route": ((r" proto (boot|94)\b", ""),),
    "rule": ((r" proto 94\b", ""),),
    "address": ((r" proto (94|0x5e)\b", ""),),
    "filter": ((r" pref \d+", ""),),
    "save": (
        (rf"^\S+ :{OURS}\S+ -$", ""),
        (rf"^\S+ -A \S+ (-m comment --comment \"?rc:default:\w+\"? )?-j {OURS}\S+$", ""),
        (r" -m comment --comment \"?rc:default:\w+\"?", ""),
        (rf"-A {OURS}(\S+)", r"-A \1"),
    ),
}
EVEN_NINE = {
    "rule": ((r"^\d+:", "N:"), (r"0x10/0xff", "0x10")),
    "filter": ((r"protocol (ip|all)", "protocol P"), (r"0x10/0xff", "0x10")),
    "save": ((r"0x10/0xff", "0x10"),),
}


@pytest.fixture(autouse=True)
def _needs_iptables():
    if not variant():
        pytest.skip(lacks("iptables-nft"))


def run_script(host, text, folder):
    """Run commands with the variant of iptables that works here; without cls_fw, leave its filter out."""
    if lacks("fw"):
        text = "".join(line for line in text.splitlines(keepends=True) if " fw " not in line)
    path = f"PATH={folder_of_iptables(str(folder), variant())}:{host.environment['PATH']}"
    host.run("env", path, "sh", "-e", stdin=text)


def even(found, *tables):
    """Return all lines without what the module's docstring names; rules of a chain keep their order."""
    lines = []
    for command, shown in found.items():
        for line in shown:
            if " fw" not in line and "bpf" in line:  # asserted by itself
                continue
            for table in tables:
                for word, patterns in table.items():
                    if word in command:
                        for pattern, to in patterns:
                            line = re.sub(pattern, to, line)  # noqa: PLW2901
            if line:
                lines.append(f"{command}: {line}")
    return sorted(lines, key=lambda line: re.sub(r"(-A \S+).*", r"\1", line))


def assert_marks_choose_their_class(host):
    """By cls_fw as in the commands, or by a program that compares the same mark, and nothing else."""
    filters = [line for line in objects(host)["tc -d filter show dev eth1"] if "handle" in line]
    assert len(filters) == 1
    if lacks("fw"):
        assert re.search(r"protocol all .* bpf .* flowid 1:10 .*,84 0 0 255,21 0 1 16,", filters[0])
    else:
        assert re.search(r"protocol all .* fw .* handle 0x10/0xff classid 1:10", filters[0])


@pytest.mark.needs("htb")
class TestTheNineCommands:
    def test_and_the_file_make_the_same_objects(self, lab, program, tmp_path):
        by_hand, by_us = TwoUplinks(lab).host, TwoUplinks(lab).host
        assert even(objects(by_hand)) == even(objects(by_us))
        run_script(by_hand, NINE_COMMANDS, tmp_path)
        program(by_us, path=f"{ROOT}/tests/cases/nine-commands/config.yaml")("apply")
        one, other = even(objects(by_hand), EVEN, EVEN_NINE), even(objects(by_us), EVEN, EVEN_NINE)
        assert one == other
        assert_marks_choose_their_class(by_us)
        changed = set(one) - set(even(objects(TwoUplinks(lab).host), EVEN, EVEN_NINE))
        assert len(changed) >= (8 if lacks("fw") else 9), "the comparison has seen no more than an empty host"


@pytest.mark.needs("htb", "ipv6")
class TestTheExample:
    @pytest.fixture
    def hosts(self, lab, program, tmp_path):
        """The host on which the script ran, and the one on which the file was applied."""
        by_hand, by_us = (TwoUplinks(lab, stage0="down", stage1="down").host for _ in "ab")
        with open(os.path.join(EXAMPLES, "two-uplinks", "commands.sh"), encoding="utf-8") as file:
            run_script(by_hand, file.read(), tmp_path)
        program(by_us, path=f"{EXAMPLES}/two-uplinks/reconciler.yaml").process("apply")
        return by_hand, by_us

    def test_and_its_script_make_the_same_objects(self, hosts):
        one, other = (even(objects(host), EVEN) for host in hosts)
        assert one == other
        assert_marks_choose_their_class(hosts[1])

    @pytest.mark.thorough
    def test_of_the_script_is_seen_by_the_comparison_object_by_object(self, hosts):
        """Each object that is taken out of one side makes the two sides differ."""
        by_hand, by_us = hosts
        other = even(objects(by_us), EVEN)
        for command in (
            "ip address add 192.168.2.3/24 dev eth1",
            "ip rule del priority 17020",
            "ip -6 rule del priority 17000",
            "ip route del default table 100",
            f"ip6tables-{variant()} -t mangle -D OUTPUT 1",
            "tc class change dev eth1 classid 1:20 htb rate 1mbit ceil 9mbit",
        ):
            before = objects(by_hand)
            by_hand.run(*command.split())
            assert difference(before, objects(by_hand)), command
            assert even(objects(by_hand), EVEN) != other
