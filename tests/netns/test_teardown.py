"""Whatever is in the kernel before: apply, then teardown, leaves the same objects, and no record."""

from __future__ import annotations

import itertools
import os
import random

import pytest

from tests.netns.foreign import EVERYTHING, FOREIGN, make
from tests.netns.objects import assert_same, difference, objects, variant
from tests.netns.probes import lacks
from tests.netns.program import EXAMPLES, each_example
from tests.netns.two_uplinks import TwoUplinks

ALONE = [pytest.param((name,), id=name, marks=pytest.mark.thorough) for name in FOREIGN]
DICE = random.Random(7)
MIXED = [
    pytest.param(
        tuple(DICE.sample(sorted(FOREIGN), count)), id=f"{count} of them, by chance", marks=pytest.mark.thorough
    )
    for count in (3, 5, 8, 10)
]
ALL = pytest.param(tuple(FOREIGN), id="all of it")

pytestmark = pytest.mark.needs("htb", "bridge", "ipv6")


@pytest.fixture(autouse=True)
def _needs_iptables():
    if not variant():
        pytest.skip(lacks("iptables-nft"))


@pytest.fixture
def host(lab):
    """Both devices are there and up, and have no addresses."""
    return TwoUplinks(lab, stage0="up", stage1="up").host


def remembered(state):
    return sorted(os.listdir(state)) if state.exists() else []


class TestWhatWasThereBefore:
    @pytest.mark.parametrize("names", [*ALONE, *MIXED, ALL])
    def test_is_there_after_teardown_and_nothing_else(self, host, program, state, names):
        make(host, names, variant())
        before = objects(host)
        run = program(host, text=EVERYTHING)
        applied = run("apply")
        assert applied.pending == []
        assert difference(before, objects(host))
        assert run.converged()
        assert remembered(state)
        run("teardown")
        assert_same(before, objects(host))
        assert remembered(state) == []

    @pytest.mark.parametrize("example", each_example(thorough=False))
    @pytest.mark.thorough
    def test_is_there_after_an_example_too(self, host, program, state, example):
        make(host, ("mtu values", "policies", "other rules"), variant())
        before = objects(host)
        program(host, path=f"{EXAMPLES}/{example}/reconciler.yaml").process("apply")
        program(host, path=None).process("teardown")
        assert_same(before, objects(host))
        assert remembered(state) == []

    @pytest.mark.thorough
    def test_is_untouched_by_a_teardown_of_nothing(self, host, program, state):
        make(host, FOREIGN, variant())
        before = objects(host)
        ended = program(host, text="marks: {a: 0x1/0x1}")("teardown")
        assert ended.changes == []
        assert "nothing to do" in ended.out
        assert_same(before, objects(host))
        assert remembered(state) == []

    @pytest.mark.thorough
    def test_is_there_when_sections_are_taken_out_one_by_one(self, host, program, state):
        """What a section made goes, what it changed gets its former value; the last file is nearly empty."""
        make(host, FOREIGN, variant())
        before = objects(host)
        run = program(host, text=EVERYTHING)
        run("apply")
        sections = EVERYTHING.strip().split("\n")
        starts = [number for number, line in enumerate(sections) if line[0] != " "] + [len(sections)]
        whole = ["\n".join(sections[a:b]) for a, b in itertools.pairwise(starts)]
        for kept in range(len(whole) - 1, 0, -1):
            assert run.write("\n".join(whole[:kept]) + "\n")("apply").changes
            assert run.converged()
        assert_same(before, objects(host))
        assert remembered(state) == []


class TestADeviceThatWeDidNotMake:
    def test_stays_up_and_gets_its_mtu_back(self, lab, program):
        host = TwoUplinks(lab, stage0="down", stage1="down").host
        host.run("ip", "link", "set", "eth1", "mtu", "1480")
        run = program(host, text="interfaces: {eth1: {state: up, mtu: 1400}}")
        run("apply")
        run("teardown")
        (link,) = host.json("ip", "-json", "link", "show", "eth1")
        assert link["mtu"] == 1480
        assert "UP" in link["flags"]

    def test_keeps_the_value_that_somebody_gave_it_since_when_it_is_not_named_any_more(self, host, program, state):
        """We give back what was there before us, which is what the file promises, and only once."""
        run = program(host, text="interfaces: {eth1: {mtu: 1400}}")
        run("apply")
        run("teardown")
        host.run("ip", "link", "set", "eth1", "mtu", "1300")
        assert run("teardown").changes == []
        assert host.json("ip", "-json", "link", "show", "eth1")[0]["mtu"] == 1300
        assert remembered(state) == []


def lose(path):
    path.unlink()


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path):
    path.write_bytes(b"")


def garble(path):
    path.write_bytes(os.urandom(500))


def of_another_namespace(path):
    """Its content speaks of another namespace, whose objects have the same keys."""
    text = path.read_text()
    cookie = path.name.rsplit("-", 2)[-2]
    path.write_text(text.replace(f'"cookie":{cookie}', f'"cookie":{int(cookie) + 1}'))


class TestARecordThatIs:
    WAYS = (lose, *(pytest.param(w, marks=pytest.mark.thorough) for w in (cut, empty, garble, of_another_namespace)))
    ONLY_REMEMBERED = (" mtu 1400 ", " mtu 1480 ", "filter :INPUT DROP", "filter :INPUT ACCEPT")
    """What is ours by the record alone, or was given back by it: former values."""

    @pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
    def test_lost_or_broken_costs_a_warning_and_never_a_wrong_delete(self, host, program, state, way):
        """What the kernel itself shows to be ours goes; nothing foreign is harmed."""
        foreign = [name for name in FOREIGN if name != "our address already"]
        make(host, foreign, variant())
        before = objects(host)
        run = program(host, text=EVERYTHING)
        run("apply")
        (record,) = state.iterdir()
        way(record)
        ended = run("teardown")
        left = difference(before, objects(host))
        assert [line for line in left if not any(word in line for word in self.ONLY_REMEMBERED)] == []
        assert ("warning: the record" in ended.err) == (way is not lose)
        assert remembered(state) == []

    @pytest.mark.thorough
    @pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
    def test_lost_or_broken_does_not_make_apply_do_anything_again(self, host, program, state, way):
        run = program(host, text=EVERYTHING)
        run("apply")
        whole = objects(host)
        (record,) = state.iterdir()
        way(record)
        assert run("apply").changes == []
        assert_same(whole, objects(host))

    @pytest.mark.thorough
    def test_lost_leaves_a_root_qdisc_with_a_handle_of_the_files_own(self, host, program, state):
        """Nothing in the kernel shows whose it is; apply finds it equal to the file's, and remembers it again."""
        run = program(host, text="shaping: {eth1: {kind: htb, handle: '1:', classes: {all: {rate: 1mbit}}}}")
        before = objects(host)
        run("apply")
        whole = objects(host)
        (record,) = state.iterdir()
        lose(record)
        run("teardown")
        assert_same(whole, objects(host))
        assert run("apply").changes == []
        run("teardown")
        assert_same(before, objects(host))
