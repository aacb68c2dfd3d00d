"""What is ours and what is foreign, at the edges: equal objects, contested keys, two owners, two instances."""

from __future__ import annotations

import re
import subprocess

import pytest

import reconciler.cli.apply
from tests.netns.foreign import EVERYTHING, FOREIGN, make
from tests.netns.objects import assert_same, difference, objects, variant
from tests.netns.probes import lacks
from tests.netns.program import LONGEST, ROOT, Watcher
from tests.netns.two_uplinks import TwoUplinks

ROUTE = "tables: {wan2: {id: 100, routes: [{to: default, via: 192.168.2.1, dev: eth1}]}}\n"
THEIRS = "ip route add default via 192.168.2.7 dev eth1 table 100 proto static"
SHAPED = "shaping: {eth1: {kind: htb, default: a, classes: {a: {id: ':1', rate: 1mbit}}}}\n"
TBF = "tc qdisc add dev eth1 root handle 9: tbf rate 1mbit burst 10kb latency 50ms"


@pytest.fixture
def host(two_uplinks):
    return two_uplinks.host


def do(host, *commands):
    for command in commands:
        host.run(*command.split())


@pytest.mark.needs("bridge", "htb", "ipv6")
class TestAForeignObjectThatEqualsTheDesiredOne:
    SATISFYING = ("our address already", "routes equal to ours", "rules under other protocols")

    @pytest.mark.thorough
    def test_satisfies_and_survives_teardown(self, lab, program):
        host = TwoUplinks(lab, stage0="up", stage1="up").host
        make(host, self.SATISFYING, variant())
        before = objects(host)
        run = program(host, text=EVERYTHING)
        made = run("apply").changes
        for words in ("17000: mark wan2", "192.168.2.2/24", "fd00:1::2/64", "blackhole", "unreachable"):
            assert not [line for line in made if words in line], made
        assert run.converged()
        run("teardown")
        assert_same(before, objects(host))

    @pytest.mark.thorough
    def test_is_made_anew_as_ours_when_its_maker_takes_it_away(self, host, program):
        do(host, "ip route add default via 192.168.2.1 dev eth1 table 100 proto static")
        run = program(host, text=ROUTE)
        assert run("apply").changes == []
        do(host, "ip route del default table 100")
        assert run("apply").changes == ["+ route v4 table wan2 (100): default via 192.168.2.1 dev eth1"]
        assert "proto 94" in host.output("ip", "route", "show", "table", "100")

    def test_satisfies_as_a_root_qdisc_only_as_a_whole(self, host, program):
        """One class more, and it is somebody else's tree: then that is a conflict."""
        run = program(host, text=SHAPED.replace("kind: htb", 'kind: htb, handle: "5:"'))
        do(
            host,
            "tc qdisc add dev eth1 root handle 5: htb default 1",
            "tc class add dev eth1 parent 5: classid 5:1 htb rate 1mbit",
            "tc class add dev eth1 parent 5: classid 5:2 htb rate 1mbit",
        )
        assert run("apply", status=7).conflicts
        do(host, "tc class del dev eth1 classid 5:2")
        assert run("apply").changes == []


class TestAConflict:
    """Somebody else has what the file wants, with another value."""

    CONFLICTS = {
        "route": (ROUTE, THEIRS, "default via 192.168.2.1 dev eth1", "(protocol 4) has", "default via 192.168.2.7 dev eth1"),
        "blackhole": (
            "tables: {main: {routes: [{to: 10.0.0.0/8, type: blackhole}]}}\n",
            "ip route add 10.0.0.0/8 via 192.168.1.1",
            "10.0.0.0/8 blackhole",
            "(protocol 3) has",
            "10.0.0.0/8 via 192.168.1.1 dev eth0",
        ),
        "qdisc": (SHAPED, TBF, "eth1 htb 5ec0:", "has", "eth1 tbf 9:"),
        "link": (
            "interfaces: {br0: {kind: bridge}}\n",
            "ip link add br0 type veth peer name br1",
            "br0: bridge",
            "has",
            "br0: veth peer br1",
        ),
    }  # fmt: skip

    @pytest.mark.needs("htb", "tbf", "bridge")
    @pytest.mark.parametrize(
        "kind",
        ["qdisc", *(pytest.param(kind, marks=pytest.mark.thorough) for kind in CONFLICTS if kind != "qdisc")],
    )
    def test_is_refused_with_both_sides_and_nothing_is_written(self, host, program, state, kind):
        text, command, *words = self.CONFLICTS[kind]
        do(host, command)
        before = objects(host)
        run = program(host, text=text + "rules: [{priority: 17000, mark: 0x10/0xff, table: 100}]\n")
        refused = run.process("apply", status=7) if kind == "route" else run("apply", status=7)
        (conflict,) = refused.conflicts
        for word in words:
            assert word in conflict
        assert f"{run.path.rpartition('/')[2]}:1" in refused.out
        assert "1 in conflict" in refused.out
        assert "--adopt" in refused.err
        assert_same(before, objects(host))
        assert not state.exists()
        assert run("diff", "--exit-code", status=2).conflicts == [conflict]

    @pytest.mark.parametrize("how", ["--adopt", "adopt: true"])
    @pytest.mark.thorough
    def test_ends_when_it_is_taken_over(self, host, program, how):
        do(host, THEIRS)
        text = ROUTE if how == "--adopt" else ROUTE.replace("dev: eth1", "dev: eth1, adopt: true")
        run = program(host, text=text)
        (change,) = run("apply", *(["--adopt"] if how == "--adopt" else [])).changes
        assert change.startswith("~ route")
        assert change.endswith("taken over")
        assert host.output("ip", "route", "show", "table", "100").split() == (
            "default via 192.168.2.1 dev eth1 proto 94".split()
        )
        assert run("apply").changes == []
        run("teardown")
        assert host.output("ip", "route", "show", "table", "100") == ""

    @pytest.mark.needs("htb", "tbf")
    @pytest.mark.parametrize("how", ["--adopt", "adopt: true", "exclusive: true"])
    @pytest.mark.thorough
    def test_about_a_root_qdisc_ends_when_it_is_taken_over(self, host, program, how):
        do(host, TBF)
        run = program(host, text=SHAPED if how == "--adopt" else SHAPED.replace("kind: htb", f"kind: htb, {how}"))
        assert run("apply", *(["--adopt"] if how == "--adopt" else [])).changes == [
            "-/+ qdisc eth1 htb 5ec0: tbf → htb, 9: → 5ec0:, default none → a 5ec0:1 taken over disruptive: drops all classes",
            "+ class eth1 a 5ec0:1: rate 1mbit",
        ]
        assert run.converged()

    @pytest.mark.needs("htb", "tbf")
    def test_lets_what_stands_on_it_wait_and_the_rest_is_kept(self, host, program):
        """The watcher repairs what is not in conflict; a class of ours has no place in somebody's qdisc."""
        run = program(host, text=SHAPED + "rules: [{priority: 17000, mark: 0x10/0xff, table: 100}]\n")
        with Watcher(run) as watch:
            do(host, TBF.replace("add", "replace"))
            watch.says("conflict: somebody else")
            assert run("diff").pending == ["class eth1 a 5ec0:1: rate 1mbit: the qdisc eth1 is somebody else's"]
            at = len(watch.log)
            do(host, "ip rule del priority 17000")
            watch.says("+ rule v4 17000", after=at)
            do(host, "tc qdisc del dev eth1 root")
            watch.says("+ class eth1 a 5ec0:1", after=at)
            watch.says("the kernel is well again", after=at)
            assert "refused" not in watch.log
        assert run.converged()


class TestExclusive:
    def test_removes_what_the_file_does_not_name_but_for_the_kernels(self, host, program):
        do(host, "ip route add 10.0.0.0/8 via 192.168.2.7 table 100", "ip route add 10.1.0.0/16 dev eth1 table 100 proto dhcp",
           "ip address add 10.2.0.1/24 dev eth1")  # fmt: skip
        run = program(
            host,
            text="interfaces: {eth1: {exclusive: true, addresses: [192.168.2.2/24]}}\n"
            + ROUTE.replace("id: 100", "id: 100, exclusive: true"),
        )
        gone = [line for line in run("apply").changes if line[0] == "-"]
        assert [line.split(" foreign")[0] for line in gone] == [
            "- route v4 table wan2 (100): 10.0.0.0/8 via 192.168.2.7 dev eth1",
            "- address 10.2.0.1/24 dev eth1",
            "- address fd00:2::2/64 dev eth1",
        ]
        assert all(line.endswith("foreign, removed: the file says exclusive") for line in gone)
        assert "10.1.0.0/16 dev eth1 proto dhcp" in host.output("ip", "route", "show", "table", "100")
        assert host.output("ip", "-6", "-o", "address", "show", "dev", "eth1").count("fe80::") == 1
        assert run.converged()


class TestAForeignRouteUnderOurKey:
    """IPv4 keeps several under one key, if they are appended."""

    APPENDED = "ip route append default via 192.168.2.7 dev eth1 table 100 proto static"

    @pytest.fixture
    def run(self, host, program):
        made = program(host, text=ROUTE)
        made("apply")
        do(host, self.APPENDED)
        return made

    def routes(self, host):
        return [line.strip() for line in host.output("ip", "route", "show", "table", "100").splitlines()]

    THEIRS = "default via 192.168.2.7 dev eth1 proto static"

    @pytest.mark.thorough
    def test_is_left_alone(self, host, run):
        assert run.converged()
        assert run("apply").changes == []
        assert self.routes(host) == ["default via 192.168.2.1 dev eth1 proto 94", self.THEIRS]

    def test_survives_an_edit_of_ours(self, host, run):
        edited = run.write(ROUTE.replace("192.168.2.1", "192.168.2.5"))("apply")
        assert edited.changes == [
            "~ route v4 table wan2 (100): default: via 192.168.2.1 dev eth1 → via 192.168.2.5 dev eth1"
        ]
        assert sorted(self.routes(host)) == ["default via 192.168.2.5 dev eth1 proto 94", self.THEIRS]

    def test_survives_teardown(self, host, run):
        run("teardown")
        assert self.routes(host) == [self.THEIRS]

    @pytest.mark.needs("ipv6")
    def test_survives_in_ipv6_where_the_kernel_makes_it_a_next_hop_of_ours(self, host, program):
        """An edit of ours would take it along: that is listed, and refused without --force."""
        text = ROUTE.replace("192.168.2.1", '"fd00:2::1"')
        run = program(host, text=text)
        run("apply")
        do(host, "ip -6 route append default via fd00:2::7 dev eth1 table 100 proto static")
        both = objects(host)
        assert run("apply").changes == []
        refused = run.write(text.replace("fd00:2::1", "fd00:2::5"))("apply", status=7)
        assert refused.along == ["takes along FOREIGN route v6 table wan2 (100): default via fd00:2::7 dev eth1"]
        assert_same(both, objects(host))
        run.write(text)("teardown")
        left = host.output("ip", "-6", "route", "show", "table", "100")
        assert "via fd00:2::7 dev eth1 proto static" in left
        assert "fd00:2::1" not in left


class TestForeignThingsThatTheKernelTakesAlong:
    TEXT = "interfaces: {eth1: {addresses: [10.8.0.1/24]}}\nmarks: {a: 0x1/0x1}\n"

    @pytest.fixture
    def run(self, host, program):
        made = program(host, text=self.TEXT)
        made("apply")
        return made

    def test_are_listed_and_refused_without_force(self, host, run):
        do(host, "ip address add 10.8.0.2/24 dev eth1", "ip address add 10.8.0.3/24 dev eth1")
        before = objects(host)
        for refused in (run("teardown", status=7), run.write("marks: {a: 0x1/0x1}\n")("apply", status=7)):
            assert refused.along == [
                "takes along FOREIGN address 10.8.0.2/24 dev eth1",
                "takes along FOREIGN address 10.8.0.3/24 dev eth1",
            ]
            assert "--force" in refused.err
            assert_same(before, objects(host))
        run("teardown", "--force")
        assert "10.8.0." not in host.output("ip", "address", "show", "dev", "eth1")

    def test_are_none_when_the_kernel_promotes_a_secondary(self, host, run):
        do(host, "ip address add 10.8.0.2/24 dev eth1")
        host.sysctl("net.ipv4.conf.eth1.promote_secondaries", 1)
        run("teardown", "--force")
        assert "10.8.0.2/24" in host.output("ip", "address", "show", "dev", "eth1")

    def test_are_routes_of_the_device_when_its_last_address_goes(self, host, program):
        do(host, "ip -4 address flush dev eth1", "ip route add 10.50.0.0/16 dev eth1 table 100")
        run = program(host, text=self.TEXT)
        run("apply")
        refused = run("teardown", status=7)
        assert refused.along == ["takes along FOREIGN route v4 table 100: 10.50.0.0/16 dev eth1"]
        assert "10.50.0.0/16" in host.output("ip", "route", "show", "table", "100")


@pytest.mark.needs("ipv6")
class TestForeignRulesOfIptables:
    TEXT = "marks: {wan2: 0x10/0xff}\niptables: {filter: {INPUT: [{mark: wan2, jump: ACCEPT}]}}\n"

    @pytest.fixture(autouse=True)
    def _needs_iptables(self):
        if not variant():
            pytest.skip(lacks("iptables-nft"))

    def test_before_our_jump_are_said_and_not_fought(self, host, program):
        run = program(host, text=self.TEXT)
        run("apply")
        do(host, f"iptables-{variant()} -I INPUT 1 -s 192.0.2.1 -j DROP")
        looked = run("diff", "--exit-code")
        assert looked.changes == []
        assert "v4 filter INPUT: foreign rules stand before our jump, and are asked first" in looked.err
        run("teardown")
        assert "-A INPUT -s 192.0.2.1/32 -j DROP" in host.output(f"iptables-{variant()}-save")

    @pytest.mark.thorough
    def test_that_equal_ours_do_not_satisfy(self, host, program):
        """Their place matters, and who deletes them."""
        do(host, f"iptables-{variant()} -A INPUT -m mark --mark 0x10/0xff -j ACCEPT")
        run = program(host, text=self.TEXT)
        assert "+ iptables v4 filter INPUT: -m mark --mark 0x10/0xff -j ACCEPT" in run("apply").changes


@pytest.mark.needs("bridge", "htb", "ipv6")
@pytest.mark.thorough
class TestTwoOwnersInOneNamespace:
    OTHER = re.sub(
        r"(?s)interfaces:.*?tables:",
        "interfaces:\n  eth1: {addresses: [10.77.0.1/24]}\n  br7: {kind: bridge, state: up}\ntables:",
        EVERYTHING.split("shaping:")[0].replace("id: 100", "id: 200").replace("170", "180").replace("policy: DROP, ", ""),
    ) + "settings: {owner: {name: other, protocol: 0x5f}}\n" + SHAPED.replace("eth1", "eth0")  # fmt: skip

    def test_leave_each_other_alone(self, lab, program, tmp_path):
        host = TwoUplinks(lab, stage0="up", stage1="up").host
        one = program(host, text=EVERYTHING)
        one("apply")
        with_one = objects(host)
        other = type(one)(host, tmp_path / "other.yaml").write(self.OTHER)
        assert other("apply").changes
        with_both = objects(host)
        assert one("apply").changes == []
        assert other("apply").changes == []
        assert_same(with_both, objects(host))
        one("teardown")
        assert other("apply").changes == []
        one("apply")
        other("teardown")
        assert one.converged()
        assert_same(with_one, objects(host))

    def test_share_what_both_want_and_heal_it_when_one_of_them_leaves(self, host, program, tmp_path):
        rule = "rules: [{priority: 17000, mark: 0x10/0xff, table: 100, family: ipv4}]\n"
        one = program(host, text=rule)
        one("apply")
        other = type(one)(host, tmp_path / "other.yaml").write(
            rule + "settings: {owner: {name: other, protocol: 0x5f}}\n"
        )
        assert other("apply").changes == []
        one("teardown")
        assert other("apply").changes == ["+ rule v4 17000: mark 0x10/0xff → table 100"]
        assert one("teardown").changes == []


class TestASecondInstance:
    TEXT = "marks: {a: 0x1/0xff}\nrules: [{priority: 17000, mark: a, table: 100}]\n"

    def test_is_refused_and_told_who_is_at_work(self, host, program, monkeypatch):
        run = program(host, text=self.TEXT)
        with Watcher(run) as watch:
            second = run.process("watch", status=4)
            assert f"watch (pid {watch.process.pid}) already works as owner default" in second.err
            monkeypatch.setattr(reconciler.cli.apply, "LOCK_WAIT", 0.1)
            assert f"watch (pid {watch.process.pid})" in run("apply", status=4).err
            assert run("diff", "--exit-code").changes == [], "to look is allowed"
            assert watch.process.poll() is None

    @pytest.mark.thorough
    def test_waits_a_while_for_the_first_to_end(self, host, program):
        run = program(host, text=self.TEXT)
        with Watcher(run) as watch:
            do(host, "ip rule del priority 17000")
            watch.says("drift: + rule v4 17000")
            waiting = subprocess.Popen(
                run.argv("apply"), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
            assert watch.end() == 0
            out, err = waiting.communicate(timeout=LONGEST)
            assert waiting.returncode == 0, err
            assert "nothing to do" in out

    @pytest.mark.thorough
    def test_works_beside_another_owner_and_in_another_namespace(self, lab, host, program, tmp_path):
        run = program(host, text=self.TEXT)
        other = type(run)(host, tmp_path / "other.yaml").write(
            self.TEXT.replace("17000", "18000") + "settings: {owner: {name: other, protocol: 0x5f}}\n"
        )
        elsewhere = program(lab.namespace("elsewhere"), text=self.TEXT)
        with Watcher(run), Watcher(other), Watcher(elsewhere):
            assert run.converged()
            assert other.converged()
            assert elsewhere.converged()


@pytest.mark.thorough
def test_foreign_objects_of_every_kind_are_untouched_by_apply(lab, program):
    for name in ("bridge", "htb", "ipv6"):
        if why := lacks(name):
            pytest.skip(why)
    host = TwoUplinks(lab, stage0="up", stage1="up").host
    make(host, FOREIGN, variant())
    before = objects(host)
    program(host, text=EVERYTHING)("apply")
    lost = [line for line in difference(before, objects(host)) if ": - " in line]
    allowed = ("ip -d -o link show", "filter :INPUT", "qdisc noqueue 0: dev eth1", "tc -d qdisc show: - qdisc noqueue")
    assert [line for line in lost if not any(word in line for word in allowed)] == []
