"""A host that boots: eth1 is not there, then down, then without its address, then ready. Nothing fails for it.

The file names neither state nor address of eth1: another program brings them.
"""

from __future__ import annotations

import pytest

from tests.netns.objects import assert_same, objects
from tests.netns.program import Watcher, until
from tests.netns.two_uplinks import STAGES, TwoUplinks

CONFIG = """
marks: {wan2: 0x10/0xff}
tables:
  wan2:
    id: 100
    routes:
      - {to: default, via: 192.168.2.1, dev: eth1}
      - {to: 10.0.0.0/8, via: 192.168.2.1}
      - {to: 192.0.2.0/24, type: unreachable}
rules:
  - {priority: 17000, mark: wan2, table: wan2, family: ipv4}
shaping:
  eth1:
    kind: htb
    default: all
    classes: {all: {id: ":1", rate: 10mbit}}
"""
RULE = "rule v4 17000: mark wan2 (0x10/0xff) → table wan2 (100)"
UNREACHABLE = "route v4 table wan2 (100): 192.0.2.0/24 unreachable"
DEFAULT = "route v4 table wan2 (100): default via 192.168.2.1 dev eth1"
TEN = "route v4 table wan2 (100): 10.0.0.0/8 via 192.168.2.1"
QDISC = "qdisc eth1 htb 5ec0: default all 5ec0:1"
CLASS = "class eth1 all 5ec0:1: rate 10mbit"
NO_ADDRESS = "no address on eth1 reaches 192.168.2.1"
NOWHERE = "no address on any device reaches 192.168.2.1"
ABSENT = "eth1 does not exist yet"
STEPS = {
    "absent": (
        [f"+ {UNREACHABLE}", f"+ {RULE}"],
        [f"{CLASS}: {ABSENT}", f"{QDISC}: {ABSENT}", f"{DEFAULT}: {ABSENT}", f"{TEN}: {NOWHERE}"],
    ),
    "down": ([f"+ {QDISC}", f"+ {CLASS}"], [f"{DEFAULT}: eth1 is down", f"{TEN}: {NOWHERE}"]),
    "up": ([], [f"{DEFAULT}: {NO_ADDRESS}", f"{TEN}: {NOWHERE}"]),
    "ready": ([f"+ {DEFAULT}", f"+ {TEN} dev eth1"], []),
}
"""For each stage: what apply makes, and what still waits, with the reason."""

pytestmark = pytest.mark.needs("htb")


@pytest.fixture
def network(lab):
    return TwoUplinks(lab, stage1="absent")


def table(host):
    return [line for line in objects(host)["ip -d -4 -o route show table all"] if "table 100" in line]


class TestEachStageOfABoot:
    def test_makes_what_it_can_and_says_why_the_rest_waits(self, network, program):
        run = program(network.host, text=CONFIG)
        for stage in STAGES:
            network.bring("eth1", stage)
            makes, waits = STEPS[stage]
            applied = run.process("apply") if stage == "absent" else run("apply")
            assert applied.changes == makes, stage
            assert sorted(applied.pending) == sorted(waits), stage
            if waits:
                assert f"; {len(waits)} pending (" in applied.out
            assert run("diff", "--exit-code").changes == [], "what waits is no difference"
        assert run("diff").pending == []

    @pytest.mark.thorough
    def test_is_exit_status_6_for_who_wants_all_of_it_and_rolls_nothing_back(self, network, program):
        run = program(network.host, text=CONFIG)
        for stage in STAGES[:-1]:
            network.bring("eth1", stage)
            ended = run("apply", "--require-all", status=6)
            assert ended.changes == STEPS[stage][0]
            reason = STEPS[stage][1][-2].split(": ")[-1]
            assert reason in ended.err
            assert "still pending" in ended.err
        assert "unreachable 192.0.2.0/24" in "".join(table(network.host))
        assert "qdisc htb 5ec0:" in "".join(objects(network.host)["tc -d qdisc show"])
        network.bring("eth1", "ready")
        run("apply", "--require-all")

    @pytest.mark.thorough
    def test_can_go_back_and_forth(self, network, program):
        """The device goes away as it came; nothing is left of it that teardown would not find."""
        run = program(network.host, text=CONFIG)
        before = objects(network.host)
        for _ in range(2):
            network.bring("eth1", "ready")
            run("apply")
            network.host.run("ip", "link", "del", "eth1")
            network._stages["eth1"] = "absent"
            assert run("apply").changes == []
        run("teardown")
        assert_same(before, objects(network.host))


class TestWatch:
    def test_completes_the_state_as_each_stage_arrives(self, network, program):
        """By events alone: the next look of its own accord would come after a minute."""
        run = program(network.host, text=CONFIG)
        with Watcher(run) as watch:
            for stage in STAGES:
                network.bring("eth1", stage)
                makes, waits = STEPS[stage]
                for change in makes:
                    watch.says(f": {change}")
                reasons = {line.split(": ")[-1] for line in waits}
                until(
                    lambda reasons=reasons: _last_pending(watch.log) == reasons,
                    lambda stage=stage: f"{stage}:\n{watch.log}",
                )
            assert "error" not in watch.log
            assert len(table(network.host)) == 3
            assert run.converged()
            assert run("diff").pending == []


@pytest.mark.needs("ipv6")
class TestAnAddressThatIsStillCheckedForDuplicates:
    CONFIG = """
tables:
  wan2:
    id: 100
    routes:
      - {to: default, via: "fd00:2::1", dev: eth1, src: "fd00:2::2"}
"""
    ROUTE = "route v6 table wan2 (100): default via fd00:2::1 dev eth1 src fd00:2::2"

    def checked(self, network, milliseconds):
        network.bring("eth1", "up")
        network.host.sysctl("net.ipv6.conf.eth1.accept_dad", 1)
        network.host.sysctl("net.ipv6.conf.eth1.router_solicitation_delay", 0)
        network.host.sysctl("net.ipv6.neigh.eth1.retrans_time_ms", milliseconds)

    def test_lets_a_route_with_that_source_wait(self, network, program):
        self.checked(network, 60_000)
        network.host.run("ip", "address", "add", "fd00:2::2/64", "dev", "eth1")
        applied = program(network.host, text=self.CONFIG)("apply")
        assert applied.changes == []
        assert applied.pending == [f"{self.ROUTE}: fd00:2::2 on eth1 is still checked for duplicates"]

    def test_lets_watch_make_the_route_when_the_check_is_over(self, network, program):
        self.checked(network, 200)
        run = program(network.host, text=self.CONFIG)
        with Watcher(run) as watch:
            assert "1 pending: no address on eth1 reaches fd00:2::1" in watch.log
            network.host.run("ip", "address", "add", "fd00:2::2/64", "dev", "eth1")
            watch.says(f"+ {self.ROUTE}")
            watch.says("nothing is pending any more")
            assert "error" not in watch.log


def _last_pending(log):
    """Return the reasons that the last line about what waits names."""
    lines = [line for line in log.splitlines() if " pending" in line]
    reasons = lines[-1].split("pending: ")[-1].split("; ") if "pending: " in lines[-1] else []
    return {reason.split(" (did you mean")[0] for reason in reasons}
