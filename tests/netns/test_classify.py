"""Where the kernel has neither classifier, iptables CLASSIFY sends marks to their class."""

from __future__ import annotations

import os

import pytest

from reconciler.engine.apply import converge
from reconciler.engine.preview import preview
from reconciler.engine.source import read
from reconciler.kernel.live import Kernel
from reconciler.kernel.namespace import Namespace
from reconciler.kernel.record import FOLDER_VARIABLE
from reconciler.resources.owner import Owner
from tests.cases.record import Silent

EXAMPLE = os.path.join(
    os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))),
    "examples/two-uplinks/reconciler.yaml",
)


@pytest.fixture
def kernel(two_uplinks, tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    made = Kernel(Namespace.parse(two_uplinks.host.path), Owner())
    made.facts = made.facts._replace(classifier="classify", classifier_source="as if there were neither")
    yield made
    made.close()


def sent(host, classid):
    """Return how many packets a class has sent."""
    shown = host.output("tc", "-s", "class", "show", "dev", "eth1", "classid", classid)
    return int(shown.split(" bytes ")[1].split(" pkt")[0])


@pytest.mark.needs("htb")
def test_marked_packets_go_to_their_class_and_others_do_not(two_uplinks, kernel):
    document = read(EXAMPLE)
    converge(document, kernel, Silent())
    assert preview(document, kernel).plan.changes == ()
    host = two_uplinks.host
    assert not host.output("tc", "filter", "show", "dev", "eth1")
    before = sent(host, "1:10")
    for _ in range(5):
        two_uplinks.send(mark=0x10)
    marked = sent(host, "1:10") - before
    for _ in range(5):
        two_uplinks.send(bind="192.168.2.2")
    assert marked >= 5
    assert sent(host, "1:10") - before == marked


@pytest.mark.needs("htb")
def test_teardown_takes_the_rules_away(two_uplinks, kernel):
    document = read(EXAMPLE)
    converge(document, kernel, Silent())
    assert any("CLASSIFY" in line for line in rules(two_uplinks.host, kernel))
    converge(None, kernel, Silent())
    assert not any("CLASSIFY" in line for line in rules(two_uplinks.host, kernel))


def rules(host, kernel):
    return host.output(f"iptables-{kernel.facts.iptables}-save").splitlines()
