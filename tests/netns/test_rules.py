"""Policy rules of all sorts for real: they choose the table, heal, change, and go as they came."""

from __future__ import annotations

import socket

import pytest

from tests.netns.objects import assert_same, objects
from tests.netns.probes import lacks
from tests.netns.two_uplinks import SERVER, SERVER6
from tests.resources.wanted import FACTS, wanted

TABLE = "tables: {wan2: {id: 100, routes: [{to: default, via: 192.168.2.1}, {to: default, via: 'fd00:2::1'}]}}\n"
BASE = "marks: {wan2: 0x10/0xff}\n" + TABLE
SORTS = """
rules:
  - {priority: 17000, ip-protocol: udp, dport: 53, table: wan2}
  - {priority: 17000, ip-protocol: tcp, dport: 8000-8999, table: wan2}
  - {priority: 17001, sport: 500, table: wan2}
  - {priority: 17002, tos: 0x10, table: wan2}
  - {priority: 17003, mark: 0x20/0xff, action: unreachable}
  - {priority: 17003, mark: 0x30/0xff, action: prohibit}
  - {priority: 17003, mark: 0x40/0xff, action: blackhole}
  - {priority: 17003, mark: 0x50/0xff, goto: 17006}
  - {priority: 17004, mark: 0x50/0xff, action: unreachable}
  - {priority: 17006, mark: 0x50/0xff, table: wan2}
  - {priority: 17007, mark: wan2, table: main, suppress-prefixlength: 1}
  - {priority: 17007, mark: 0x60/0xff, table: main, suppress-interface-group: 0}
  - {priority: 17008, not: {mark: 0x0/0xf0}, table: wan2}
  - {priority: 17009, l3mdev: true}
  - {priority: 17010, action: nop}
"""
BY_USER = (
    "rules: [{priority: 17000, uid: 1000-1999, table: wan2}, {priority: 17001, not: {uid: 0-2999}, table: wan2}]\n"
)
FIRST, SECOND = "eth0", "eth1"


@pytest.fixture
def host(two_uplinks):
    return two_uplinks.host


@pytest.fixture(params=[4, pytest.param(6, marks=pytest.mark.needs("ipv6"))])
def way(request, host):
    """What the kernel says of a packet: the device, or the error."""
    server = SERVER if request.param == 4 else SERVER6

    def find(*words):
        done = host.run("ip", f"-{request.param}", "route", "get", server, *words, check=False)
        shown = done.stdout.split()
        return shown[shown.index("dev") + 1] if done.returncode == 0 else done.stderr.split(":")[-1].strip()

    return find


def do(host, *commands):
    for command in commands:
        host.run(*command.split())


def rules(host):
    """Return our IPv4 rules as the tool shows them."""
    return [line for line in host.output("ip", "rule", "show").splitlines() if line.endswith("proto 94")]


PACKETS = {
    "": FIRST,
    "ipproto udp dport 53": SECOND,
    "ipproto udp dport 54": FIRST,
    "ipproto tcp dport 53": FIRST,
    "ipproto tcp dport 8000": SECOND,
    "ipproto tcp dport 8999": SECOND,
    "ipproto tcp dport 9000": FIRST,
    "ipproto udp sport 500": SECOND,
    "ipproto udp sport 501": FIRST,
    "tos 0x10": SECOND,
    "tos 0x08": FIRST,
    "mark 0x20": "Network is unreachable",
    "mark 0x30": "Permission denied",
    "mark 0x40": "Invalid argument",
    "mark 0x50": SECOND,
    "mark 0x60": SECOND,
    "mark 0x110": SECOND,
    "mark 0x100": FIRST,
}
USERS = {0: FIRST, 999: FIRST, 1000: SECOND, 1999: SECOND, 2000: FIRST, 3000: SECOND}


class TestARuleOf:
    def test_all_sorts_chooses_its_packets(self, host, way, program):
        program(host, text=BASE + SORTS)("apply")
        assert {packet: way(*packet.split()) for packet in PACKETS} == PACKETS

    @pytest.mark.needs("uidrange")
    def test_a_range_of_users_chooses_their_packets(self, host, way, program):
        program(host, text=BASE + BY_USER)("apply")
        assert {uid: way("uid", str(uid)) for uid in USERS} == USERS

    @pytest.mark.needs("uidrange", "ping")
    @pytest.mark.parametrize(("uid", "arrives"), [("0", False), ("1-4294967294", True)])
    def test_users_takes_what_is_forwarded_for_that_of_user_0(self, lab, program, uid, arrives):
        one, router, other = (lab.namespace(name) for name in ("one", "router", "other"))
        for number, (end, device) in enumerate(((one, "eth0"), (other, "eth1")), 1):
            lab.wire(end, "e0", router, device)
            end.batch("ip", [f"address add 10.{number}.0.2/24 dev e0", f"route add default via 10.{number}.0.1"])
            do(router, f"ip address add 10.{number}.0.1/24 dev {device}")
        router.sysctl("net.ipv4.ip_forward", 1)
        assert one.works("ping", "-c1", "-W5", "10.2.0.2")
        program(router, text=f"rules: [{{priority: 5, uid: {uid}, action: prohibit}}]\n")("apply")
        assert one.works("ping", "-c1", "-W1", "10.2.0.2") == arrives

    def test_ports_chooses_the_source_address_of_a_socket(self, host, program):
        """The table is known before the address: by the way of a packet, not only in words."""
        program(host, text=BASE + SORTS)("apply")
        assert host.call(_source, SERVER, 53) == "192.168.2.2"
        assert host.call(_source, SERVER, 54) == "192.168.1.2"

    def test_an_action_is_an_error_that_the_application_sees(self, host, program):
        program(host, text="rules: [{priority: 5, ip-protocol: udp, dport: 53, action: prohibit}]\n")("apply")
        with pytest.raises(PermissionError):
            host.call(_source, SERVER, 53)
        assert host.call(_source, SERVER, 54) == "192.168.1.2"

    @pytest.mark.needs("vrf")
    def test_l3mdev_leads_to_the_table_of_the_vrf(self, host, program):
        do(host, "ip link add red type vrf table 7", "ip link set red up", "ip rule del priority 1000 l3mdev")
        do(host, "ip route add 203.0.113.0/24 via 192.168.2.1 table 7")
        ask = ("ip", "route", "get", "203.0.113.1", "oif", "red")
        assert not host.works(*ask) or "table 7" not in host.output(*ask)
        program(host, text="rules: [{priority: 5, l3mdev: true}]\n")("apply")
        assert "via 192.168.2.1 dev eth1" in host.output(*ask)


def _source(server, port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.connect((server, port))
        return udp.getsockname()[0]


class TestRulesOfAllSorts:
    def test_are_made_once_and_teardown_takes_them_away(self, host, program):
        before = objects(host)
        run = program(host, text=BASE + SORTS)
        made = run("apply").changes
        assert "+ rule v4 17000: ip-protocol udp dport 53 → table wan2 (100)" in made
        assert "+ rule v6 17003: mark 0x50/0xff → goto 17006" in made
        assert "+ rule v4 17007: mark wan2 (0x10/0xff) → table main suppress-prefixlength 1" in made
        assert "+ rule v4 17009: all → l3mdev" in made
        assert run("diff", "--exit-code").changes == []
        run("teardown")
        assert_same(before, objects(host))

    @pytest.mark.needs("uidrange")
    def test_by_user_are_made_once_and_teardown_takes_them_away(self, host, program):
        before = objects(host)
        run = program(host, text=BASE + BY_USER)
        run("apply")
        assert run("diff", "--exit-code").changes == []
        run("teardown")
        assert_same(before, objects(host))

    def test_heal(self, host, program):
        run = program(host, text=BASE + SORTS)
        run("apply")
        whole = objects(host)
        do(host, "ip rule del priority 17010", "ip rule del priority 17003 goto 17006")
        do(host, "ip -6 rule del priority 17001", "ip -6 rule del priority 17007 fwmark 0x60/0xff")
        do(host, "ip rule add priority 17020 dport 5 table 9 protocol 94")
        assert sorted(run("apply").changes) == [
            "+ rule v4 17003: mark 0x50/0xff → goto 17006",
            "+ rule v4 17010: all → nop",
            "+ rule v6 17001: sport 500 → table wan2 (100)",
            "+ rule v6 17007: mark 0x60/0xff → table main suppress-interface-group 0",
            "- rule v4 17020: dport 5 → table 9",
        ]
        assert_same(whole, objects(host))
        assert run("diff", "--exit-code").changes == []

    def test_of_others_stay_as_they_are_and_those_that_are_equal_will_do(self, host, program):
        do(host, "ip rule add priority 17000 ipproto udp dport 53 table 100 protocol 77")
        do(host, "ip rule add priority 17010 nop", "ip rule add priority 17002 tos 0x10 realms 3 table 100 protocol 77")
        before = objects(host)
        run = program(host, text=BASE + SORTS)
        made = run("apply").changes
        assert not [line for line in made if "v4 17000: ip-protocol udp" in line or "v4 17010" in line], made
        assert "+ rule v4 17002: tos 0x10 → table wan2 (100)" in made
        run("teardown")
        assert_same(before, objects(host))

    @pytest.mark.needs("iptables-nft")
    def test_go_the_way_back_when_something_is_refused(self, host, program):
        run = program(host, text=BASE + SORTS)
        run("apply")
        before = objects(host)
        bad = 'iptables: {filter: {INPUT: [{raw: "-m nosuch", jump: ACCEPT}]}}\n'
        edited = (
            SORTS.replace("17006", "17005").replace("udp, dport: 53", "udp").replace("not: {mark: 0x0/0xf0}", "tos: 8")
        )
        refused = run.write(BASE + edited + bad)("apply", status=5)
        assert "all changes were rolled back" in refused.err
        assert_same(before, objects(host))


EDITS = [
    ("mark: 0x10/0xff", ""),
    ("ip-protocol: tcp, dport: 53", "ip-protocol: tcp"),
    ("from: 10.0.0.0/8", ""),
    ("to: 10.0.0.0/8", "not: {to: 10.0.0.0/8}"),
    ("tos: 8", "dport: 53"),
    ("sport: 5-9", "sport: 5-10"),
    ("iif: lo", "oif: eth1"),
]


class TestAnEdit:
    """The kernel takes many rules for one another: what says more, what is inverted, what leads elsewhere."""

    @pytest.mark.thorough
    @pytest.mark.parametrize(("one", "other"), [*EDITS, *((other, one) for one, other in EDITS)])
    def test_of_the_selectors(self, host, program, one, other):
        self.back_and_forth(host, program, f"{one}, table: 9", f"{other}, table: 9")

    @pytest.mark.needs("uidrange")
    def test_of_the_users(self, host, program):
        self.back_and_forth(host, program, "uid: 0, table: 9", "table: 9")

    @pytest.mark.parametrize(("one", "other"), [
        ("goto: 17001", "goto: 17002"),
        ("table: 9, from: 10.0.0.0/8", "table: 9, suppress-prefixlength: 0"),
        ("table: 9, suppress-prefixlength: 1", "table: 9, suppress-interface-group: 1"),
        ("l3mdev: true", "table: 9"),
        ("action: nop, tos: 0x10", "action: blackhole, tos: 0x10"),
    ])  # fmt: skip
    def test_of_the_action(self, host, program, one, other):
        self.back_and_forth(host, program, one, other)

    def test_that_would_stop_all_packets_is_refused(self, host, program):
        run = program(host, text="rules: [{priority: 1, action: blackhole, family: ipv4}]")
        assert "the IPv4 rule of priority 1 would stop all packets" in run("apply", status=7).err
        run("apply", "--force")
        assert run("diff", "--exit-code").changes == []

    def back_and_forth(self, host, program, one, other):
        """Each way: what changes is what differs, no second round repairs the first, and nothing is left."""
        texts = [f"rules: [{{priority: 17000, {words.strip(', ')}}}]\n" for words in (one, other)]
        run, shown, before = program(host), {}, set()
        for text in (*texts, *texts):
            after = set(wanted(text, FACTS._replace(ipv6=not lacks("ipv6"))))
            assert len(run.write(text)("apply").changes) == len(before ^ after)
            assert run("diff", "--exit-code").changes == []
            assert shown.setdefault(text, rules(host)) == rules(host)
            assert len(rules(host)) == 1
            before = after
        assert shown[texts[0]] != shown[texts[1]]
