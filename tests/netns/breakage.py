"""What somebody can do to the two-uplinks example with ip, tc and iptables, and the changes that heal it.

For each story: commands (``IPTABLES`` and ``IP6TABLES`` stand for the tools of the variant in use), and the plan
that must follow, line by line: what was broken, what the kernel took along, and nothing else.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tests.netns.lab import Namespace


class Break(NamedTuple):
    """One story."""

    name: str
    commands: tuple[str, ...]
    plan: tuple[str, ...]


RULE = "+ rule v4 17000: mark wan2 (0x10/0xff) → table wan2 (100)"
RULE6 = "+ rule v6 17000: mark wan2 (0x10/0xff) → table wan2 (100)"
FROM = "+ rule v4 17020: from 192.168.2.2 → table wan2 (100)"
ROUTE = "+ route v4 table wan2 (100): default via 192.168.2.1 dev eth1"
ADDRESS = "+ address 192.168.2.2/24 dev eth1"
UP = "~ link eth1: state down → up"
QDISC = "+ qdisc eth1 htb 1: default bulk 1:20"
ALL = "+ class eth1 all 1:1: rate 10mbit"
PREMIUM = "+ class eth1 premium 1:10: rate 5mbit ceil 10mbit"
BULK = "+ class eth1 bulk 1:20: rate 1mbit ceil 10mbit"
FILTER = "+ filter eth1 PREF KIND mark wan2 (0x10/0xff) → class premium 1:10"
ACCEPT = "iptables v4 filter INPUT: -m mark --mark 0x10/0xff -j ACCEPT"
LOG = 'iptables v4 filter OUTPUT: -m mark --mark 0x10/0xff -j LOG --log-prefix "wan2 "'
SAVE = "iptables v4 mangle OUTPUT: -m mark ! --mark 0x0/0xff -j CONNMARK --save-mark --nfmask 0xff --ctmask 0xff"
JUMP_IN = "+ iptables v4 filter INPUT → rc.default.INPUT (first)"
JUMP_OUT = "+ iptables v4 filter OUTPUT → rc.default.OUTPUT (first)"
JUMP_MANGLE = "+ iptables v4 mangle OUTPUT → rc.default.OUTPUT (first)"

ROUTING = (
    Break("a rule is deleted", ("ip rule del priority 17000",), (RULE,)),
    Break("an IPv6 rule is deleted", ("ip -6 rule del priority 17000",), (RULE6,)),
    Break("two rules are deleted", ("ip rule del priority 17000", "ip rule del priority 17020"), (RULE, FROM)),
    Break(
        "a rule leads to another table",
        (
            "ip rule add priority 17020 from 192.168.2.2 table 101 protocol 94",
            "ip rule del priority 17020 from 192.168.2.2 table 100",
        ),
        (FROM, "- rule v4 17020: from 192.168.2.2 → table 101"),
    ),
    Break("a rule of ours too many", ("ip rule add priority 5 table 5 protocol 94",), ("- rule v4 5: all → table 5",)),
    Break("a route is deleted", ("ip route del default table 100",), (ROUTE,)),
    Break(
        "a route has another gateway",
        ("ip route replace default via 192.168.2.9 dev eth1 table 100 proto 94",),
        ("~ route v4 table wan2 (100): default: via 192.168.2.9 dev eth1 → via 192.168.2.1 dev eth1",),
    ),
    Break("a table is flushed", ("ip route flush table 100",), (ROUTE,)),
)
LINKS = (
    Break("the last address is deleted", ("ip address del 192.168.2.2/24 dev eth1",), (ADDRESS, ROUTE)),
    Break(
        "an address of two is deleted",
        ("ip address add 10.9.9.9/24 dev eth1", "ip address del 192.168.2.2/24 dev eth1"),
        (ADDRESS,),
    ),
    Break("a link is set down", ("ip link set eth1 down",), (UP, ROUTE)),
    Break("a link was down and up again", ("ip link set eth1 down", "ip link set eth1 up"), (ROUTE,)),
)
SHAPING = (
    Break("the root qdisc is deleted", ("tc qdisc del dev eth1 root",), (QDISC, ALL, PREMIUM, BULK, FILTER)),
    Break(
        "the root qdisc has another default",
        ("tc qdisc del dev eth1 root", "tc qdisc add dev eth1 root handle 1: htb default 10"),
        (
            "-/+ qdisc eth1 htb 1: default premium 1:10 → bulk 1:20 disruptive: drops all classes",
            ALL,
            PREMIUM,
            BULK,
            FILTER,
        ),
    ),
    Break("a class is deleted", ("tc class del dev eth1 classid 1:20",), (BULK,)),
    Break(
        "a class and the filter to it are deleted",
        ("tc filter del dev eth1", "tc class del dev eth1 classid 1:10"),
        (PREMIUM, FILTER),
    ),
    Break(
        "a class has another ceil",
        ("tc class change dev eth1 classid 1:10 htb rate 5mbit ceil 8mbit",),
        ("~ class eth1 premium 1:10: ceil 8mbit → 10mbit",),
    ),
    Break(
        "a class has another rate",
        ("tc class change dev eth1 classid 1:20 htb rate 2mbit ceil 10mbit",),
        ("~ class eth1 bulk 1:20: rate 2mbit → 1mbit",),
    ),
    Break(
        "a class too many",
        ("tc class add dev eth1 parent 1:1 classid 1:99 htb rate 1mbit",),
        ("- class eth1 1:99: rate 1mbit",),
    ),
    Break("the filter is deleted", ("tc filter del dev eth1",), (FILTER,)),
    Break(
        "the filter leads to another class",
        ("tc filter replace dev eth1 parent 1: protocol all pref PREF handle 0x10HANDLE flowid 1:20",),
        ("~ filter eth1 PREF KIND mark wan2 (0x10/0xff) → class premium 1:10: flowid 1:20 → 1:10",),
    ),
)
FIREWALL = (
    Break("a rule is deleted", ("IPTABLES -D rc.default.INPUT 1",), (f"+ {ACCEPT}",)),
    Break("the rules of a chain are flushed", ("IPTABLES -F rc.default.OUTPUT",), (f"+ {LOG}",)),
    Break("a jump is deleted", ("IPTABLES -D INPUT 1",), (JUMP_IN,)),
    Break(
        "a chain is taken out whole",
        ("IPTABLES -D OUTPUT 1", "IPTABLES -F rc.default.OUTPUT", "IPTABLES -X rc.default.OUTPUT"),
        (f"+ {LOG}", JUMP_OUT),
    ),
    Break("a table is flushed", ("IPTABLES -t mangle -F OUTPUT", "IPTABLES -t mangle -F rc.default.OUTPUT"),
          (f"+ {SAVE}", JUMP_MANGLE)),
    Break(
        "a rule is edited and keeps its comment",
        ("IPTABLES -R rc.default.INPUT 1 -m mark --mark 0x10/0xff -m comment --comment COMMENT -j DROP",),
        (f"- {ACCEPT.replace('ACCEPT', 'DROP')}", f"+ {ACCEPT}"),
    ),
    Break(
        "somebody's rule stands in our chain",
        ("IPTABLES -I rc.default.INPUT 1 -s 192.0.2.1/32 -j DROP",),
        ("- iptables v4 filter INPUT: -s 192.0.2.1/32 -j DROP",),
    ),
    Break(
        "a rule stands there twice",
        ("IPTABLES -A rc.default.INPUT -m mark --mark 0x10/0xff -m comment --comment COMMENT -j ACCEPT",),
        (f"- {ACCEPT}",),
    ),
    Break("an IPv6 rule is deleted", ("IP6TABLES -D rc.default.INPUT 1",), (f"+ {ACCEPT.replace('v4', 'v6')}",)),
)  # fmt: skip
GROUPS = {"routing": ROUTING, "links and addresses": LINKS, "shaping": SHAPING, "firewall": FIREWALL}


def carry_out(story: Break, host: Namespace, variant: str, *, watched: bool = False) -> tuple[str, ...]:
    """Run the commands of a story on a host that is as the example says; return the plan that must follow.

    Where a watcher is at work, it may have healed the first command already, so that a later one fails.
    """
    shown = host.output("tc", "filter", "show", "dev", "eth1")
    preference, kind = (re.findall(r"pref (\d+) (bpf|fw)", shown) or [("0", "none")])[0]
    code = re.search(r"bytecode '([^']+)'", shown)
    saved = host.output(f"iptables-{variant}-save", "-t", "filter") if variant else ""
    comment = re.search(r"-A rc\.default\.INPUT .*--comment \"?(rc:default:\w+)", saved)
    for number, command in enumerate(story.commands):
        words = command.replace("IP6TABLES", f"ip6tables-{variant}").replace("IPTABLES", f"iptables-{variant}")
        words = words.replace("COMMENT", comment[1] if comment else "").replace("PREF", preference)
        handle = f" bpf bytecode {code[1].replace(' ', '_')}" if code else "/0xff fw"
        typed = (word.replace("_", " ") for word in words.replace("HANDLE", handle).split())
        host.run(*typed, check=not (watched and number))
    return tuple(line.replace("PREF", preference).replace("KIND", kind) for line in story.plan)
