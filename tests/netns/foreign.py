"""What others may have in a namespace, and a file that asks for something of every kind beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.netns.objects import variants

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.netns.lab import Namespace

EVERYTHING = """
marks: {wan2: 0x10/0xff, voip: 0x20/0xff}
interfaces:
  eth0: {state: up, mtu: 1400, addresses: [192.168.1.2/24, 192.168.1.3/24, "fd00:1::2/64"]}
  eth1: {addresses: [192.168.2.2/24, "fd00:2::2/64"]}
  br0: {kind: bridge, state: up, addresses: [10.20.0.1/24, 10.20.0.2/24]}
  v0: {kind: veth, peer: v1, state: up, master: br0}
  v1: {state: up, mtu: 1450}
tables:
  wan2:
    id: 100
    routes:
      - {to: default, via: 192.168.2.1, dev: eth1}
      - {to: default, via: "fd00:2::1", dev: eth1}
      - {to: 10.60.0.0/16, via: 192.168.2.1, src: 192.168.2.2, metric: 7}
      - {to: 10.61.0.0/16, type: blackhole}
      - {to: "2001:db8:61::/48", type: unreachable}
  main:
    routes:
      - {to: 10.62.0.0/16, via: 10.20.0.9}
rules:
  - {priority: 17000, mark: wan2, table: wan2}
  - {priority: 17020, from: 192.168.2.2, table: wan2}
  - {priority: 17030, not: {from: 10.0.0.0/8}, table: main, family: ipv4}
iptables:
  filter:
    INPUT: {policy: DROP, rules: [{mark: wan2, jump: ACCEPT}, {jump: counted}]}
    FORWARD: {position: last, rules: [{jump: counted}]}
    counted: [{mark: voip, jump: ACCEPT, comment: "voice"}, {jump: RETURN}]
  mangle:
    PREROUTING: [{not: {connmark: 0x0/0xff}, jump: CONNMARK, restore-mark: 0xff}]
    OUTPUT: [{not: {mark: 0x0/0xff}, jump: CONNMARK, save-mark: 0xff}]
shaping:
  eth1:
    kind: htb
    default: bulk
    classes:
      all:
        rate: 10mbit
        classes:
          premium: {rate: 5mbit, ceil: 10mbit, marks: [wan2, voip]}
          bulk: {rate: 1mbit}
"""

FOREIGN: dict[str, tuple[str, ...]] = {
    "a primary address in our subnet": ("ip address add 192.168.2.9/24 dev eth1",),
    "our address already": ("ip address add 192.168.2.2/24 dev eth1", "ip address add fd00:1::2/64 dev eth0"),
    "a primary with a secondary": (
        "ip address add 172.16.0.1/24 dev eth0",
        "ip address add 172.16.0.2/24 dev eth0",
        "ip address add 192.168.1.9/24 dev eth0",
    ),
    "a peer address": ("ip address add 10.99.0.1 peer 10.99.0.2/32 dev eth1",),
    "appended routes": (
        "ip address add 172.17.0.1/24 dev eth1",
        "ip route add 10.50.0.0/16 via 172.17.0.2 table 100 proto static",
        "ip route append 10.50.0.0/16 via 172.17.0.3 table 100 proto 77",
        "ip -6 route add 2001:db8:50::/48 dev eth0 table 100",
        "ip -6 route append 2001:db8:50::/48 dev eth1 table 100",
        "ip route add default via 172.17.0.2 table 100 metric 50",
    ),
    "routes equal to ours": (
        "ip route add blackhole 10.61.0.0/16 table 100",
        "ip -6 route add unreachable 2001:db8:61::/48 table 100",
    ),
    "rules under other protocols": (
        "ip rule add priority 17000 fwmark 0x10/0xff table 100 protocol 77",
        "ip rule add priority 17020 from 192.168.2.2 table 100 protocol static",
        "ip -6 rule add priority 17000 fwmark 0x10/0xff table 100",
    ),
    "other rules": (
        "ip rule add priority 17000 fwmark 0x10/0xff table 101",
        "ip rule add priority 16000 from 192.168.2.2 table 100",
        "ip rule add priority 5 to 10.200.0.0/16 unreachable",
        "ip -6 rule add not fwmark 0x10/0xff priority 17001 table 100",
    ),
    "rules and chains of iptables": (
        "IPTABLES -N theirs",
        "IPTABLES -A theirs -s 192.0.2.0/24 -m comment --comment theirs -j ACCEPT",
        "IPTABLES -A INPUT -j theirs",
        "IPTABLES -A INPUT -m mark --mark 0x10/0xff -j ACCEPT",
        "IPTABLES -A FORWARD -j ACCEPT",
        "IPTABLES -t mangle -A OUTPUT -m mark ! --mark 0x0/0xff -j CONNMARK --save-mark --nfmask 0xff --ctmask 0xff",
        "IPTABLES -t mangle -N rc.other.OUTPUT",
        "IPTABLES -t mangle -A POSTROUTING -j rc.other.OUTPUT",
        "IP6TABLES -A INPUT -m mark --mark 0x10/0xff -j ACCEPT",
        "IP6TABLES -t mangle -N theirs",
    ),
    "policies": ("IPTABLES -P INPUT DROP", "IPTABLES -P FORWARD DROP", "IP6TABLES -P OUTPUT DROP"),
    "mtu values": ("ip link set eth0 mtu 1480", "ip link set eth1 mtu 1444"),
    "a root qdisc on another device": (
        "tc qdisc add dev eth0 root handle 1: htb default 10",
        "tc class add dev eth0 parent 1: classid 1:10 htb rate 3mbit",
    ),
    "a bridge with a port": (
        "ip link add br9 type bridge",
        "ip link add p9 type veth peer name q9",
        "ip link set p9 master br9",
        "ip link property add dev br9 altname theirs",
    ),
}
"""By name, the commands that make it; ``IPTABLES`` and ``IP6TABLES`` stand for the tools of a variant."""


def make(host: Namespace, names: Iterable[str], variant: str) -> None:
    """Make what is foreign."""
    for name in names:
        for command in FOREIGN[name]:
            words = command.replace("IP6TABLES", f"ip6tables-{variant}").replace("IPTABLES", f"iptables-{variant}")
            host.run(*words.split())


def flush(host: Namespace) -> None:
    """Take out all that iptables holds, of every variant that works here."""
    for tool in ("iptables", "ip6tables"):
        for name in variants():
            for table in ("filter", "mangle"):
                host.run(f"{tool}-{name}", "-t", table, "-F")
                host.run(f"{tool}-{name}", "-t", table, "-X")
