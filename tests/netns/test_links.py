"""The life of a link of each type on the real kernel: made, changed, replaced, drifted, taken out."""

from __future__ import annotations

import re

import pytest

from tests.netns.link_stories import EACH
from tests.netns.objects import assert_same, objects

ADDRESS = "198.51.100.1/24"


def text(said, **more):
    """The file: the link with its options and an address."""
    entry = ", ".join(part for part in (said, *(f"{key}: {value}" for key, value in more.items())) if part)
    return f"interfaces:\n  x0: {{{entry}, state: up, addresses: [{ADDRESS}]}}\n"


def shown(host):
    (link,) = host.json("ip", "-json", "-details", "link", "show", "dev", "x0")
    return link


@pytest.fixture(params=EACH)
def story(request):
    return request.param


@pytest.fixture
def host(lab, story):
    made = lab.namespace("host")
    made.run("sysctl", "-q", "-w", "net.ipv6.conf.default.accept_dad=0", check=False)
    made.batch("ip", story.below or ["link set lo up"])
    return made


@pytest.fixture
def run(story, host, program):
    """The program, told to make the link."""
    return program(host, text=text(f"kind: {story.type}", **base(story)))


def base(story):
    """What the file says of the link from the beginning, by key."""
    return dict(part.split(": ", 1) for part in re.split(r", (?=[a-z-]+: )", story.said)) if story.said else {}


def file(story, **more):
    return text(f"kind: {story.type}", **{**base(story), **more})


class TestALink:
    def test_is_made_and_is_then_as_wanted(self, story, host, run):
        before = objects(host)
        made = run("apply")
        assert made.changes[0].startswith(f"+ link x0: {story.type}")
        assert made.pending == []
        assert run.converged(), run("diff").out
        assert shown(host)["linkinfo"]["info_kind"] == story.type
        run("teardown")
        assert_same(before, objects(host))

    @pytest.mark.thorough
    def test_goes_when_it_is_taken_out(self, host, run):
        before = objects(host)
        run("apply")
        run.write("interfaces: {}")("apply")
        assert run.converged()
        assert_same(before, objects(host))

    def test_that_drifted_is_as_wanted_again(self, story, host, run):
        run("apply")
        host.run("ip", "link", "set", "x0", "down")
        host.run("ip", "link", "set", "x0", "txqueuelen", "77")
        again = run("apply")
        assert again.changes[0] == "~ link x0: state down → up"
        assert run.converged(), run("diff").out
        host.run("ip", "link", "del", "x0")
        again = run("apply")
        assert again.changes[0].startswith(f"+ link x0: {story.type}")
        assert run.converged(), run("diff").out

    def test_changes_in_place(self, story, host, run):
        """Each option, by the file and by hand: it is the same link afterwards, with the same address."""
        run("apply")
        index = shown(host)["ifindex"]
        for turn in story.turns:
            run.write(file(story, **{turn.key: turn.one}))("apply")
            assert run.converged(), (turn, run("diff").out)
            changed = run.write(file(story, **{turn.key: turn.other}))("apply")
            assert len(changed.changes) == 1, (turn, changed.out)
            assert changed.changes[0].startswith(f"~ link x0: {story.type}: {turn.key} "), turn
            assert run.converged(), (turn, run("diff").out)
            if turn.by_hand:
                host.run("ip", "link", "set", "dev", "x0", "type", story.type, *turn.by_hand.split())
                found = run("diff")
                assert len(found.changes) == 1, (turn, found.out)
                run("apply")
                assert run.converged(), (turn, run("diff").out)
            assert shown(host)["ifindex"] == index, turn

    def test_is_replaced_for_an_option_that_is_fixed(self, story, host, run):
        """What stood on it is back in the same plan."""
        for key, value in story.fixed:
            run.write(file(story))("apply")
            index = shown(host)["ifindex"]
            run.write(file(story, **{key: value}))
            planned = run("diff")
            assert planned.changes[0].startswith("-/+ link x0: "), planned.out
            assert "disruptive: drops its addresses, routes and queues" in planned.out
            assert any(f"+ address {ADDRESS} dev x0" in line for line in planned.changes), planned.out
            run("apply")
            assert run.converged(), ((key, value), run("diff").out)
            assert shown(host)["ifindex"] != index
