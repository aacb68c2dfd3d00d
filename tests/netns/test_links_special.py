"""Links that no single rtnetlink message makes: tun and tap, and a veth whose other end is in another namespace."""

from __future__ import annotations

import os

import pytest

from tests.netns.objects import assert_same, objects

TUN = """
interfaces:
  t0: {kind: tun, mode: tun, owner: OWNER, state: up, addresses: [10.9.0.1/24]}
  t1: {kind: tun, mode: tap, multi-queue: true}
"""
VETH = """
interfaces:
  v0: {kind: veth, peer: eth0, peer-netns: NAMESPACE, state: up, addresses: [10.9.0.1/24]}
"""


@pytest.mark.needs("tun")
@pytest.mark.skipif(not os.access("/dev/net/tun", os.W_OK), reason="/dev/net/tun is not ours to open")
class TestTun:
    def test_is_made_persists_and_goes(self, lab, program):
        host = lab.namespace("host")
        before = objects(host, ())
        run = program(host, text=TUN.replace("OWNER", "0"))
        assert run("apply").changes[:2] == ["+ link t0: tun mode tun owner 0", "+ link t1: tun mode tap multi-queue on"]
        assert run("diff", "--exit-code").changes == []
        shown = host.output("ip", "-d", "-o", "link", "show", "t0")
        assert "tun type tun pi off" in shown
        assert "persist on user root" in shown
        run("teardown")
        assert_same(before, objects(host, ()))

    def test_what_is_fixed_is_replaced_and_what_stood_on_it_is_back(self, lab, program):
        host = lab.namespace("host")
        run = program(host, text=TUN.replace("owner: OWNER, ", ""))
        run("apply")
        run.write(TUN.replace("OWNER", "0"))
        changes = run("apply").changes
        assert changes[0].startswith("-/+ link t0: tun: owner none → 0 disruptive")
        assert changes[1:] == ["~ link t0: state down → up", "+ address 10.9.0.1/24 dev t0"]
        assert run("diff", "--exit-code").changes == []

    def test_one_that_is_there_already_is_not_taken_for_ours(self, lab, program):
        host = lab.namespace("host")
        host.run("ip", "tuntap", "add", "dev", "t1", "mode", "tun")
        run = program(host, text=TUN.replace("OWNER", "0"))
        assert run("apply", status=7).conflicts
        assert "t0" not in host.output("ip", "-o", "link")
        run("teardown")
        assert "t1" in host.output("ip", "-o", "link")


@pytest.mark.needs("veth")
class TestAPeerInAnotherNamespace:
    def test_is_made_there_seen_as_away_and_healed(self, lab, program):
        host, blue = lab.namespace("host"), lab.namespace("blue")
        run = program(host, text=VETH.replace("NAMESPACE", blue.path))
        before = objects(host, ())
        run("apply")
        assert "eth0@" in blue.output("ip", "-o", "link")
        assert "eth0@" not in host.output("ip", "-o", "link")
        assert run("diff", "--exit-code").changes == []
        blue.run("ip", "link", "del", "eth0")
        assert run("apply").changes[0].startswith("+ link v0: veth peer eth0 peer-netns")
        assert run("diff", "--exit-code").changes == []
        run("teardown")
        assert_same(before, objects(host, ()))
        assert "eth0" not in blue.output("ip", "-o", "link")

    def test_comes_home_when_the_file_says_so(self, lab, program):
        host, blue = lab.namespace("host"), lab.namespace("blue")
        run = program(host, text=VETH.replace("NAMESPACE", blue.path))
        run("apply")
        run.write(VETH.replace(", peer-netns: NAMESPACE", ""))
        assert run("apply").changes[0].startswith("-/+ link v0: veth: peer none → eth0")
        assert run("diff", "--exit-code").changes == []
        assert "eth0@v0" in host.output("ip", "-o", "link")

    def test_a_namespace_that_is_not_there_is_a_refusal_that_names_it(self, lab, program):
        host = lab.namespace("host")
        run = program(host, text=VETH.replace("NAMESPACE", "nowhere-at-all"))
        ended = run("apply", status=5)
        assert "network namespace nowhere-at-all does not exist" in ended.err
        assert "all changes were rolled back" in ended.err
        assert "v0" not in host.output("ip", "-o", "link")

    def test_is_made_anew_in_another_namespace_when_the_file_names_another(self, lab, program):
        host, blue, red = (lab.namespace(name) for name in ("host", "blue", "red"))
        run = program(host, text=VETH.replace("NAMESPACE", blue.path))
        run("apply")
        run.write(VETH.replace("NAMESPACE", red.path))
        assert run("apply").changes[0].startswith("-/+ link v0: veth: peer none → eth0")
        assert run("diff", "--exit-code").changes == []
        assert "eth0@" in red.output("ip", "-o", "link")
        assert "eth0@" not in blue.output("ip", "-o", "link")


@pytest.mark.needs("ifb")
def test_a_link_of_ours_that_was_renamed_is_still_ours(lab, program):
    host = lab.namespace("host")
    run = program(host, text="interfaces: {z: {kind: ifb, state: up}}")
    run("apply")
    for line in ("link set z down", "link set z name zz"):
        host.run("ip", *line.split())
    assert run("apply").changes == ["- link zz: ifb", "+ link z: ifb", "~ link z: state down → up"]
    for line in ("link set z down", "link set z name zz"):
        host.run("ip", *line.split())
    run("teardown")
    assert "zz" not in host.output("ip", "-o", "link")
