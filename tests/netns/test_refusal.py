"""A change that the kernel or a tool refuses in the middle: all is as it was, and the message says what and why."""

from __future__ import annotations

import pytest

from reconciler.kernel import live
from reconciler.kernel.tools import Iptables
from tests.netns.foreign import EVERYTHING, FOREIGN, make
from tests.netns.objects import assert_same, objects, variant
from tests.netns.probes import lacks
from tests.netns.two_uplinks import TwoUplinks

pytestmark = pytest.mark.needs("htb", "bridge", "ipv6")

AROUND = tuple(name for name in FOREIGN if name not in ("our address already", "routes equal to ours"))
"""What others have in the namespace."""
VOICE = '    counted: [{mark: voip, jump: ACCEPT, comment: "voice"}, {jump: RETURN}]\n'


class Refused:
    """One bad entry in a file that is good otherwise."""

    def __init__(self, old, new, line, *said, before="", before_edit=""):
        self.text = EVERYTHING.replace(old, new)
        assert self.text != EVERYTHING
        self.line = next(n for n, text in enumerate(self.text.splitlines(), 1) if line in text)
        self.said = said
        self.before = before
        self.before_edit = before_edit or before
        """What makes the kernel refuse: a command, or a sysctl."""


REFUSED = {
    "an IPv6 address where IPv6 is off": Refused(
        "v1: {state: up, mtu: 1450}",
        'v1: {state: up, mtu: 1450, addresses: ["fd00:9::2/64"]}',
        "fd00:9",
        "create address fd00:9::2/64 dev v1: refused: ",
        before="net.ipv6.conf.default.disable_ipv6 1",
        before_edit="net.ipv6.conf.v1.disable_ipv6 1",
    ),
    "a gateway that is a broadcast address": Refused(
        "10.61.0.0/16, type: blackhole",
        "10.61.0.0/16, via: 192.168.2.255",
        "192.168.2.255",
        "route v4 table wan2 (100): 10.61.0.0/16 via 192.168.2.255",
        "refused: Nexthop has invalid gateway",
    ),
    "a match that there is not": Refused(
        VOICE,
        VOICE.replace("{mark: voip,", '{raw: "-m nosuch",'),
        "nosuch",
        'iptables v4 filter counted: -m nosuch -m comment --comment "voice" -j ACCEPT: refused: ',
        "Couldn't load match `nosuch'",
    ),
    "a match of the other family, after the first is done": Refused(
        VOICE,
        VOICE.replace("{mark: voip,", '{raw: "-p icmp -m icmp --icmp-type echo-request",'),
        "echo-request",
        "iptables v6 filter counted: -p icmp",
        "icmp",
    ),
    "a bad rule in the second table, after the first is done": Refused(
        "not: {mark: 0x0/0xff}, jump: CONNMARK",
        'raw: "-m owner --uid-owner nobodyofthisname", jump: CONNMARK',
        "nobodyofthisname",
        "iptables v4 mangle OUTPUT: -m owner",
        "nobodyofthisname",
    ),
}


@pytest.fixture(autouse=True)
def _needs_iptables():
    if not variant():
        pytest.skip(lacks("iptables-nft"))


@pytest.fixture
def host(lab):
    made = TwoUplinks(lab, stage0="up", stage1="up").host
    make(made, AROUND, variant())
    return made


def prepare(host, line):
    if line.startswith("net."):
        host.sysctl(*line.split())
    elif line:
        host.run(*line.split())


def assert_told(ran, story, path):
    """The line of the file, the object, the kernel's own words, and what became of the rest."""
    assert f"{path}:{story.line}" in ran.err
    for words in story.said:
        assert words in ran.err
    assert "all changes were rolled back" in ran.err
    assert "Traceback" not in ran.err


EVERYWHERE = ("a bad rule in the second table, after the first is done",)


@pytest.mark.parametrize(
    "story",
    [
        pytest.param(story, id=name, marks=() if name in EVERYWHERE else pytest.mark.thorough)
        for name, story in REFUSED.items()
    ],
)
class TestARefusal:
    def test_of_a_first_apply_leaves_the_kernel_exactly_as_it_was(self, host, program, state, story):
        prepare(host, story.before)
        before = objects(host)
        run = program(host, text=story.text)
        assert_told(run("apply", status=5), story, run.path)
        assert_same(before, objects(host))
        assert not state.exists() or not list(state.iterdir()), "nothing is ours, so nothing is remembered"

    @pytest.mark.thorough
    def test_of_an_edit_leaves_the_kernel_as_the_last_good_file_says(self, host, program, story):
        """Other edits of every kind are in the same file, before the bad one and after it."""
        run = program(host, text=EVERYTHING)
        before = objects(host)
        run("apply")
        prepare(host, story.before_edit)
        whole = objects(host)
        edited = (
            story.text.replace("mtu: 1400", "mtu: 1300").replace("10.20.0.2/24", "10.20.0.3/24")
            .replace("metric: 7", "metric: 8").replace("17030", "17031").replace("rate: 5mbit", "rate: 4mbit")
            .replace("default: bulk", "default: premium").replace("policy: DROP", "policy: ACCEPT")
            .replace("{not: {connmark: 0x0/0xff}, jump", "{not: {connmark: 0x0/0xf0}, jump")
        )  # fmt: skip
        assert_told(run.write(edited)("apply", status=5), story, run.path)
        assert_same(whole, objects(host))
        assert run.write(EVERYTHING).converged()
        run("teardown")
        if " add " in story.before_edit:
            host.run(*story.before_edit.replace(" add ", " del ").split())
        assert_same(before, objects(host))


class TestAfterARefusal:
    @pytest.mark.thorough
    def test_a_process_says_the_same_and_the_corrected_file_applies(self, host, program):
        story = REFUSED["a match that there is not"]
        run = program(host, text=story.text)
        before = objects(host)
        refused = run.process("apply", status=5)
        assert_told(refused, story, run.path)
        assert_same(before, objects(host))
        assert run.write(EVERYTHING)("apply").changes
        assert run.converged()

    def test_a_classifier_that_was_only_assumed_is_learned_not_to_be_there(self, host, program, monkeypatch):
        """All is rolled back, and planned again with the next best; the plan that was not previewed is shown."""
        if not lacks("fw"):
            pytest.skip("this kernel has the classifier fw: nothing to learn")
        found = live.find_facts
        assumed = {"classifier": "fw", "classifier_source": "assumed"}
        before = objects(host)
        run = program(host, text=EVERYTHING)
        with monkeypatch.context() as patch:
            patch.setattr(live, "find_facts", lambda *words, **more: found(*words, **more)._replace(**assumed))
            learned = run("apply")
        assert "note: this kernel has no classifier fw: TC classifier not found" in learned.err
        assert "not previewed" in learned.out
        assert objects(host)["tc -d filter show dev eth1"]
        run("teardown")
        assert_same(before, objects(host))

    @pytest.mark.thorough
    def test_what_others_changed_meanwhile_stays(self, host, program, monkeypatch):
        """The way back covers what the plan touched, and nothing else."""
        story = REFUSED["a match that there is not"]
        before = objects(host)
        restore = Iptables.restore
        commands = ("ip route add 10.70.0.0/16 via 172.17.0.2", "ip rule add priority 77 table 77")

        def meanwhile(tool, family, text):
            while commands_left:
                host.run(*commands_left.pop().split())
            return restore(tool, family, text)

        commands_left = list(commands)
        monkeypatch.setattr(Iptables, "restore", meanwhile)
        program(host, text=story.text)("apply", status=5)
        for command in commands:
            host.run(*command.replace(" add ", " del ").split())
        assert_same(before, objects(host))
