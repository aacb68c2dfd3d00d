"""Every example: applied it stays applied, and whatever breaks is healed, and only that."""

from __future__ import annotations

import os
import re

import pytest

from reconciler.core.change import DELETE, Change
from reconciler.engine.apply import converge
from reconciler.engine.preview import preview
from reconciler.engine.source import read
from reconciler.kernel.events import Events
from reconciler.kernel.live import Kernel
from reconciler.kernel.namespace import Namespace as Where
from reconciler.resources.owner import Owner
from reconciler.resources.registry import KINDS
from tests.netns.breakage import GROUPS, carry_out
from tests.netns.objects import assert_same, difference, objects, variant
from tests.netns.probes import lacks
from tests.netns.program import EXAMPLES, each_example, quiet
from tests.netns.two_uplinks import TwoUplinks

each = pytest.mark.parametrize("example", each_example())


class Deaf:
    """Listens to nothing."""

    def planned(self, found, *, previewed):
        pass

    def noticed(self, words):
        pass


@pytest.fixture(autouse=True)
def _needs():
    for why in (lacks("htb"), "" if variant() else lacks("iptables-nft")):
        if why:
            pytest.skip(why)


@pytest.fixture
def network(lab):
    """Both devices of the host are there and up, and have no addresses."""
    return TwoUplinks(lab, stage0="up", stage1="up")


@pytest.fixture
def kernel(network):
    """The port to the host's kernel, as the program opens it."""
    with Where.parse(network.host.path) as where:
        made = Kernel(where, Owner())
        yield made
        made.close()


@each
class TestAnExampleThatIsApplied:
    def test_is_as_desired_and_nothing_is_left_to_do(self, network, program, example):
        run = program(network.host, path=f"{EXAMPLES}/{example}/reconciler.yaml")
        applied = run.process("apply")
        assert applied.changes
        assert applied.pending == []
        assert "not previewed" not in applied.out
        assert run.process("diff", "--exit-code").changes == []
        assert run("apply").out.count("nothing to do") == 1
        run.process("teardown")

    def test_changes_nothing_and_tells_nobody_when_it_is_only_looked_at(
        self, network, program, example, state, monkeypatch
    ):
        """Neither a request, nor an event, nor a file: on the untouched host, and on the converged one."""
        sent = []
        close = Kernel.close
        monkeypatch.setattr(Kernel, "close", lambda kernel: (sent.append(kernel.requests), close(kernel)))
        run = program(network.host, path=f"{EXAMPLES}/{example}/reconciler.yaml")
        for there_is in (2, 0):
            quiet(network)
            before, files = objects(network.host), _files(state)
            with Where.parse(network.host.path) as where, Events(where, netconf=True) as events:
                assert run("diff", "--exit-code", status=there_is)
                assert run.process("diff", "--exit-code", status=there_is)
                assert run("diff", "-o", "commands")
                assert events.drain().messages == 0
            assert sent == [0, 0]
            assert_same(before, objects(network.host))
            assert _files(state) == files
            run("apply")
            sent.clear()

    @pytest.mark.thorough
    def test_heals_each_object_that_is_deleted(self, network, kernel, program, example):
        """Each that can be deleted by itself, by its own tool; the plan is what is gone, with its cascade."""
        run = program(network.host, path=f"{EXAMPLES}/{example}/reconciler.yaml")
        run("apply")
        document = read(run.path)
        kernel.record = type(kernel.record).load(kernel.namespace, kernel.owner.name)
        whole = preview(document, kernel).observed
        deleted = 0
        for key, value in whole.ours.items():
            for words in KINDS[key[0]].command(Change(DELETE, key, value, None), kernel.owner):
                tool = f"{words[0]}-{variant()}" if "tables" in words[0] else words[0]
                done = network.host.run(tool, *words[1:], check=False)
            if done.returncode:  # a class that others stand on, a chain that is jumped to
                assert key[0] in {"class", "chain"}, done.stderr
            broken = preview(document, kernel)
            lost = {other for other in whole.ours if broken.observed.ours.get(other) != whole.ours[other]}
            assert {change.key for change in broken.plan.changes if not KINDS[change.kind].shared} == lost
            assert lost or done.returncode, key
            deleted += bool(lost)
            outcome = converge(document, kernel, Deaf(), first=broken)
            assert outcome.final.plan.empty
            assert outcome.final.observed.ours == whole.ours
        assert deleted > len(whole.ours) * 0.8


@pytest.mark.needs("ipv6")
class TestWhatSomebodyBreaks:
    """The example with two uplinks, with tools of the kernel's own; what is broken, and how, is in breakage.py."""

    @pytest.mark.parametrize(
        "group", ["shaping", *(pytest.param(name, marks=pytest.mark.thorough) for name in GROUPS if name != "shaping")]
    )
    def test_is_healed_and_nothing_else_is_touched(self, network, program, group):
        host = network.host
        run = program(host, path=f"{EXAMPLES}/two-uplinks/reconciler.yaml")
        run("apply")
        for _ in range(2):
            network.send(mark=0x10)
        whole, counted = objects(host), counters(host)
        for story in GROUPS[group]:
            plan = carry_out(story, host, variant())
            left = counters(host)
            healed = run("apply")
            assert tuple(healed.changes) == plan, story.name
            assert "not previewed" not in healed.out, story.name
            foreign = [line for line in difference(whole, objects(host)) if "10.9.9." not in line]
            assert foreign == [], story.name
            now = counters(host)
            for what, number in counted.items():
                if what in left and left[what] >= number:
                    assert now[what] >= number, f"{story.name}: the counter of {what} began anew"
            assert any(counted.values())
            counted = now

    def test_is_healed_when_a_device_was_deleted_and_made_again(self, network, program):
        host = network.host
        run = program(host, path=f"{EXAMPLES}/two-uplinks/reconciler.yaml")
        run("apply")
        whole = objects(host)
        host.run("ip", "link", "del", "eth1")
        gone = run("apply")
        assert gone.changes == []
        assert {line.split(": ")[-1] for line in gone.pending} == {"eth1 does not exist yet"}
        network.lab.wire(host, "eth1", network.far, "uplink2", up=False)
        network.far.run("ip", "link", "set", "uplink2", "up")
        assert [line.split()[1] for line in run("apply").changes] == [
            "link", "address", "route", "qdisc", "class", "class", "class", "filter",
        ]  # fmt: skip
        assert_same(whole, objects(host))

    @pytest.mark.thorough
    def test_is_only_shown_by_diff_with_status_2(self, network, program):
        run = program(network.host, path=f"{EXAMPLES}/two-uplinks/reconciler.yaml")
        run("apply")
        story = GROUPS["routing"][0]
        plan = carry_out(story, network.host, variant())
        broken = objects(network.host)
        assert tuple(run.process("diff", "--exit-code", status=2).changes) == plan
        assert run.process("diff").status == 0
        assert run("diff", "-o", "commands").out == (
            "ip -4 rule add priority 17000 from all fwmark 0x10/0xff table 100 protocol 0x5e\n"
        )
        assert_same(broken, objects(network.host))


def counters(host):
    """Return what each iptables rule and each class has counted, by its text."""
    found = {}
    for tool in ("iptables", "ip6tables"):
        text = host.output(f"{tool}-{variant()}-save", "-c")
        for table in text.split("*")[1:]:
            name = table.split("\n", 1)[0]
            rules = re.findall(r"^\[(\d+):\d+\] (-A .*)$", table, re.MULTILINE)
            found.update({f"{tool} {name} {rule}": int(packets) for packets, rule in rules})
    shown = host.output("tc", "-s", "class", "show", "dev", "eth1")
    found.update({name: int(sent) for name, sent in re.findall(r"class htb (\S+) .*\n Sent (\d+) bytes", shown)})
    return found


def _files(folder):
    return (
        {entry.path: (entry.stat().st_mtime_ns, entry.stat().st_ino) for entry in os.scandir(folder)}
        if folder.exists()
        else {}
    )
