"""The watcher: it heals what breaks, follows the file, and keeps the last good one when the file goes bad."""

from __future__ import annotations

import os
import re
import signal
import subprocess

import pytest

from tests.netns.breakage import FIREWALL, GROUPS, LINKS, ROUTING, SHAPING, Break, carry_out
from tests.netns.objects import assert_same, difference, objects, variant
from tests.netns.probes import lacks
from tests.netns.program import EXAMPLES, Watcher, quiet, until
from tests.netns.two_uplinks import TwoUplinks

EXAMPLE = f"{EXAMPLES}/two-uplinks/reconciler.yaml"
RULES = """
marks: {wan2: 0x10/0xff}
rules:
  - {priority: 17000, mark: wan2, table: 100, family: ipv4}
"""
MORE = RULES + "  - {priority: 17001, from: 192.168.2.2, table: 100}\n"


@pytest.fixture
def network(lab):
    return TwoUplinks(lab, stage0="up", stage1="up")


@pytest.fixture
def host(network):
    return network.host


def needs_all():
    for why in (lacks("htb"), lacks("ipv6"), "" if variant() else lacks("iptables-nft")):
        if why:
            pytest.skip(why)


def priorities(host):
    """Return the priorities of our rules, IPv4."""
    shown = host.output("ip", "-4", "rule", "show")
    return [int(line.split(":")[0]) for line in shown.splitlines() if "proto 94" in line]


def reaches(host, *wanted):
    until(lambda: priorities(host) == list(wanted), lambda: host.output("ip", "rule"))


class TestWhatSomebodyBreaksWhileItWatches:
    STORIES = {
        "routing": ROUTING,
        "links and addresses": [story for story in LINKS if "of two" not in story.name],
        "shaping": SHAPING,
        "firewall": FIREWALL,
    }

    @pytest.mark.parametrize(
        "group",
        ["firewall", *(pytest.param(name, marks=pytest.mark.thorough) for name in GROUPS if name != "firewall")],
    )
    def test_is_healed_at_once(self, network, program, group):
        """By events alone, but for iptables-legacy, which has none."""
        needs_all()
        host = network.host
        legacy = group == "firewall" and variant() == "legacy"
        with Watcher(program(host, path=EXAMPLE), poll="0.2" if legacy else "60") as watch:
            whole = objects(host)
            for story in self.STORIES[group]:
                at = len(watch.log)
                plan = carry_out(story, host, variant(), watched=True)
                if len(story.commands) == 1:  # between two commands it may already have healed the first
                    for line in plan:
                        watch.says(line[:20], after=at)
                until(
                    lambda: not difference(whole, objects(host)),
                    lambda story=story: "\n".join([story.name, *difference(whole, objects(host)), watch.log]),
                )
            # somebody who types between our reading and writing may draw an error, which must pass
            assert "error" not in watch.log or "the kernel is well again" in watch.log

    @pytest.mark.thorough
    def test_is_healed_when_a_device_was_deleted_and_made_again(self, network, program):
        needs_all()
        host = network.host
        with Watcher(program(host, path=EXAMPLE)) as watch:
            whole = objects(quiet(network).host)
            host.run("ip", "link", "del", "eth1")
            watch.says("pending: eth1 does not exist yet")
            network.lab.wire(host, "eth1", network.far, "uplink2", up=False)
            network.far.run("ip", "link", "set", "uplink2", "up")
            watch.says("nothing is pending any more")
            until(lambda: not difference(whole, objects(host)), lambda: "\n".join(difference(whole, objects(host))))

    @pytest.mark.parametrize("legacy", [pytest.param("legacy", marks=pytest.mark.needs("iptables-legacy"))])
    def test_is_healed_by_looking_where_there_are_no_events(self, host, program, legacy):
        run = program(
            host, "--iptables", legacy, text=RULES + "iptables: {filter: {INPUT: [{mark: wan2, jump: ACCEPT}]}}\n"
        )
        with Watcher(run, poll="0.2") as watch:
            story = Break("", ("IPTABLES -F rc.default.INPUT",), ())
            carry_out(story, host, legacy)
            watch.says("drift: + iptables v4 filter INPUT: -m mark --mark 0x10/0xff -j ACCEPT")
            healed = "-A rc.default.INPUT -m mark"  # it says so before it does so
            until(lambda: healed in host.output("iptables-legacy-save"), lambda: "said, and not done")

    @pytest.mark.thorough
    def test_is_healed_again_and_again(self, host, program):
        run = program(host, text=RULES)
        with Watcher(run) as watch:
            for _ in range(10):
                at = len(watch.log)
                host.run("ip", "rule", "del", "priority", "17000")
                watch.says("drift: + rule v4 17000", after=at)
                reaches(host, 17000)
            assert "error" not in watch.log


class TestAnEditOfTheFile:
    def test_by_rename_and_replace_is_followed(self, host, program):
        run = program(host, text=RULES)
        with Watcher(run) as watch:
            run.write(MORE)
            watch.says("config: + rule v4 17001")
            reaches(host, 17000, 17001)
            run.write(RULES)
            watch.says("config: - rule v4 17001")
            reaches(host, 17000)

    def test_in_place_in_two_halves_is_followed_when_it_is_whole(self, host, program):
        """The first half is a valid file by itself, and would take the second rule away for a moment."""
        run = program(host, text=MORE)
        with Watcher(run) as watch:
            edited = MORE.replace("17001", "17002")
            half = edited.index("  - {priority: 17002")
            with open(run.path, "w", encoding="utf-8") as file:
                file.write(edited[:half])
                file.flush()
                file.write(edited[half:])
            watch.says("config: + rule v4 17002")
            reaches(host, 17000, 17002)
            changes = re.findall(r"config: ([+-]) rule v4 (\d+)", watch.log)
            assert changes in ([("+", "17002"), ("-", "17001")], [("-", "17001"), ("+", "17002")])

    @pytest.mark.thorough
    def test_by_git_checkout_is_followed(self, host, program, tmp_path):
        if why := lacks("git"):
            pytest.skip(why)
        folder = tmp_path / "checkout"
        folder.mkdir()

        def git(*words):
            settings = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main")
            subprocess.run(["git", "-C", str(folder), *settings, *words], check=True, capture_output=True)

        run = program(host, path=str(folder / "reconciler.yaml"))
        git("init")
        for branch, text in (("one", RULES), ("two", MORE)):
            git("checkout", "-b", branch)
            run.write(text)
            git("add", ".")
            git("commit", "-m", branch)
        with Watcher(run) as watch:
            reaches(host, 17000, 17001)
            git("checkout", "one")
            watch.says("config: - rule v4 17001")
            git("checkout", "two")
            watch.says("config: + rule v4 17001")
            reaches(host, 17000, 17001)

    def test_of_what_a_link_leads_to_is_followed(self, host, program, tmp_path):
        """As a ConfigMap does it: the file is a link to a link to a folder, and that link is what changes."""
        mount = tmp_path / "mount"
        for name, text in (("..one", RULES), ("..two", MORE)):
            (mount / name).mkdir(parents=True)
            (mount / name / "reconciler.yaml").write_text(text)
        (mount / "..data").symlink_to("..one")
        (mount / "reconciler.yaml").symlink_to("..data/reconciler.yaml")
        with Watcher(program(host, path=str(mount / "reconciler.yaml"))) as watch:
            (mount / "..next").symlink_to("..two")
            os.replace(mount / "..next", mount / "..data")
            watch.says("config: + rule v4 17001")
            reaches(host, 17000, 17001)

    @pytest.mark.thorough
    def test_that_changes_nothing_writes_nothing(self, host, program):
        run = program(host, text=RULES)
        with Watcher(run) as watch:
            run.write(f"# a remark\n{RULES}")
            run.write(MORE)
            watch.says("config: 1 changes")
            assert watch.log.count("config: ") == 2, "one change, and the line that says so"


class TestAFileThatIsWrong:
    def still_heals(self, host, watch):
        at = len(watch.log)
        host.run("ip", "rule", "del", "priority", "17000")
        watch.says("drift: + rule v4 17000", after=at)
        reaches(host, 17000)

    def gone_bad(self, how, run):
        if how == "wrong":
            run.write(RULES.replace("table: 100", "tabel: 100"))
        elif how == "no yaml":
            run.write(f"{RULES}\t- {{")
        elif how == "of no meaning":
            run.write(RULES.replace("mark: wan2", "mark: wan3"))
        elif how == "empty":
            run.write("")
        elif how == "gone":
            os.unlink(run.path)
        elif how == "a folder":
            os.unlink(run.path)
            os.mkdir(run.path)

    BAD = {
        "wrong": "{path}:4:35: rules[0].tabel: ",
        "no yaml": "{path}:5:1: ",
        "of no meaning": "{path}:4:23: rules[0].mark: ",
        "empty": "{path}: ",
        "gone": "{path}",
        "a folder": "{path}",
    }

    @pytest.mark.parametrize(
        "how",
        [
            "wrong",
            "gone",
            *(pytest.param(how, marks=pytest.mark.thorough) for how in BAD if how not in ("wrong", "gone")),
        ],
    )
    def test_changes_nothing_and_the_last_good_one_stays_in_force(self, host, program, how):
        run = program(host, text=RULES)
        with Watcher(run) as watch:
            self.gone_bad(how, run)
            watch.says("error   " + self.BAD[how].format(path=run.path))
            watch.says("the last good version stays in force")
            assert priorities(host) == [17000]
            self.still_heals(host, watch)
            if how == "a folder":
                os.rmdir(run.path)
            run.write(MORE)
            watch.says("the file is well again")
            reaches(host, 17000, 17001)

    @pytest.mark.thorough
    def test_is_said_once_and_not_at_every_look(self, host, program):
        run = program(host, text=RULES)
        with Watcher(run, poll="0.1") as watch:
            self.gone_bad("wrong", run)
            watch.says("the last good version stays in force")
            for _ in range(5):
                self.still_heals(host, watch)
            assert watch.log.count("the last good version stays in force") == 1

    def test_is_no_file_to_start_with(self, host, program):
        run = program(host, text=RULES.replace("table: 100", "tabel: 100"))
        ended = run.process("watch", status=3)
        assert f"{run.path}:4:35: rules[0].tabel" in ended.err
        assert priorities(host) == []


class TestSignals:
    def test_sigterm_ends_it_and_leaves_the_state(self, host, program):
        run = program(host, text=RULES)
        with Watcher(run) as watch:
            before = objects(host)
            assert watch.end() == 0
            assert "stopped; the state stays in place" in watch.log
        assert_same(before, objects(host))
        assert run.converged()

    @pytest.mark.thorough
    def test_sigint_is_the_same(self, host, program):
        with Watcher(program(host, text=RULES)) as watch:
            watch.signal(signal.SIGINT)
            assert watch.process.wait(20) == 0
        assert priorities(host) == [17000]

    def test_sighup_reads_the_file_again(self, host, program):
        run = program(host, text=RULES)
        with Watcher(run) as watch:
            self.swap(run, MORE)
            watch.signal(signal.SIGHUP)
            watch.says("config: + rule v4 17001")
            reaches(host, 17000, 17001)

    def swap(self, run, text):
        with open(run.path, "w", encoding="utf-8") as file:
            file.write(text)

    @pytest.mark.thorough
    def test_a_second_watcher_goes_on_where_a_killed_one_left_off(self, host, program):
        run = program(host, text=RULES)
        with Watcher(run) as watch:
            watch.process.kill()
            watch.process.wait()
        host.run("ip", "rule", "del", "priority", "17000")
        with Watcher(run) as watch:
            assert "start: + rule v4 17000" in watch.log
            reaches(host, 17000)


class TestSomethingThatCannotBeRepaired:
    def test_is_said_and_tried_again_when_it_may_work(self, host, program):
        """The gateway is a broadcast address until somebody makes the subnet larger; an event of that is enough."""
        host.run("ip", "address", "add", "192.168.2.2/24", "dev", "eth1")
        run = program(
            host, text=RULES + "tables: {t: {id: 100, routes: [{to: default, via: 192.168.2.255, dev: eth1}]}}\n"
        )
        with Watcher(run) as watch:
            assert "refused: Nexthop has invalid gateway" in watch.log
            host.run("ip", "address", "add", "192.168.2.3/16", "dev", "eth1")
            host.run("ip", "address", "del", "192.168.2.2/24", "dev", "eth1")
            watch.says("the kernel is well again")
            assert "via 192.168.2.255" in host.output("ip", "route", "show", "table", "100")
