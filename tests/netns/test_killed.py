"""Killed at any moment, the next run converges: nothing foreign is harmed, nothing of ours is orphaned."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time

import pytest

from reconciler.kernel import record
from reconciler.kernel.netlink import Netlink
from reconciler.kernel.tools import Iptables
from tests.netns.foreign import EVERYTHING, make
from tests.netns.objects import assert_same, objects, variant
from tests.netns.probes import lacks
from tests.netns.two_uplinks import TwoUplinks

pytestmark = [pytest.mark.needs("htb", "bridge", "ipv6"), pytest.mark.timeout(300), pytest.mark.thorough]

AROUND = ("appended routes", "rules under other protocols", "rules and chains of iptables", "policies", "mtu values")
EDITED = (
    EVERYTHING.replace("mtu: 1400", "mtu: 1300").replace("192.168.1.3/24", "192.168.1.4/24")
    .replace("via: 192.168.2.1, dev", "via: 192.168.2.5, dev").replace('via: "fd00:2::1"', 'via: "fd00:2::5"')
    .replace("metric: 7", "metric: 8").replace("17030", "17031").replace("peer: v1", "peer: v2")
    .replace("  v1: {state: up, mtu: 1450}\n", "").replace("rate: 5mbit", "rate: 4mbit")
    .replace("default: bulk", "default: premium").replace("policy: DROP", "policy: ACCEPT")
    .replace('jump: ACCEPT, comment: "voice"', "jump: DROP").replace("connmark: 0x0/0xff", "connmark: 0x0/0xf0")
)  # fmt: skip


class Killed(BaseException):
    """As by SIGKILL: nothing of the program's that catches errors sees it."""


class Killer:
    """Ends the program right after the n-th thing that it did to the kernel or to its record."""

    def __init__(self, monkeypatch):
        self.moment = None
        self.done = 0
        self.process = os.getpid()
        send, restore = Netlink.send, Iptables.restore

        def one_by_one(netlink, messages):
            acks = []
            for message in messages:
                acks += self.after(send(netlink, [message]))
                if acks[-1].errno:
                    break
            return acks

        monkeypatch.setattr(Netlink, "send", one_by_one)
        monkeypatch.setattr(Iptables, "restore", lambda *words: self.after(restore(*words)))
        for name in ("_write", "_remove"):
            function = getattr(record, name)
            monkeypatch.setattr(record, name, lambda *words, function=function: self.after(function(*words)))

    def after(self, result):
        if os.getpid() != self.process:  # a child that finds out what the kernel can
            return result
        self.done += 1
        if self.done == self.moment:
            raise Killed
        return result

    def kills(self, action, moment):
        """Do something until the moment; tell whether it was killed before it had ended."""
        self.moment, self.done = moment, 0
        try:
            action()
        except Killed:
            return True
        finally:
            self.moment = None
        return False


@pytest.fixture(autouse=True)
def _needs_iptables():
    if not variant():
        pytest.skip(lacks("iptables-nft"))


@pytest.fixture
def host(lab):
    made = TwoUplinks(lab, stage0="up", stage1="up").host
    make(made, AROUND, variant())
    return made


@pytest.fixture
def killer(monkeypatch):
    return Killer(monkeypatch)


def moments(step):
    """Count up from the first: all of those in which links are made, then every so many, to save time."""
    return [*range(1, 7), *range(7, 400, step)]


def is_gone(state):
    return not state.exists() or not list(state.iterdir())


class TestAProgramThatIsKilledAfterAnyRequest:
    def test_of_a_first_apply_converges_when_it_runs_again(self, host, program, state, killer):
        before = objects(host)
        run = program(host, text=EVERYTHING)
        for moment in moments(5):
            if not killer.kills(lambda: run("apply"), moment):
                break
            run("apply")
            assert run.converged(), moment
            run("teardown")
            assert_same(before, objects(host), moment)
            assert is_gone(state)
        assert moment > 30

    def test_of_a_first_apply_leaves_nothing_when_it_is_torn_down_at_once(self, host, program, state, killer):
        before = objects(host)
        run = program(host, text=EVERYTHING)
        for moment in moments(9):
            if not killer.kills(lambda: run("apply"), moment):
                break
            run("teardown")
            assert_same(before, objects(host), moment)
            assert is_gone(state)
        assert moment > 30

    def test_of_an_edit_converges_to_the_new_file_when_it_runs_again(self, host, program, state, killer):
        before = objects(host)
        run = program(host, text=EVERYTHING)
        for moment in moments(8):
            run.write(EVERYTHING)("apply")
            run.write(EDITED)
            if not killer.kills(lambda: run("apply"), moment):
                break
            run("apply")
            assert run.converged(), moment
            run("teardown")
            assert_same(before, objects(host), moment)
            assert is_gone(state)
        assert moment > 20

    def test_of_a_teardown_leaves_nothing_when_it_runs_again(self, host, program, state, killer):
        before = objects(host)
        run = program(host, text=EVERYTHING)
        for moment in moments(8):
            run("apply")
            if not killer.kills(lambda: run("teardown"), moment):
                break
            run("teardown")
            assert_same(before, objects(host), moment)
            assert is_gone(state)
        assert moment > 20


class TestAProcessThatIsKilled:
    def test_after_any_time_converges_when_it_runs_again(self, host, program, state):
        before = objects(host)
        run = program(host, text=EVERYTHING)
        for part in range(4):
            process = run.start("apply")
            began = time.monotonic()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.1 + 0.03 * part)
            process.send_signal(signal.SIGKILL)
            process.wait()
            assert run("apply", status=None).status == 0, time.monotonic() - began
            assert run.converged()
            run("teardown")
            assert_same(before, objects(host))
            assert is_gone(state)
