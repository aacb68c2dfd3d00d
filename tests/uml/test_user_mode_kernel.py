"""What the user-mode kernel is there for: that it has it, so that no test is skipped there without a word."""

from __future__ import annotations

import pytest

from tests.netns.probes import lacks, on_user_mode_kernel

pytestmark = pytest.mark.skipif(not on_user_mode_kernel(), reason="only on the user-mode kernel: make test-uml")

HAS = (
    "veth bridge dummy vlan vrf ifb ipv6 htb fq_codel netem fw bpf u32 flower matchall mirred police"
    " iptables-legacy ip6tables-legacy"
)


@pytest.mark.parametrize("name", HAS.split())
def test_the_user_mode_kernel_has(name):
    assert lacks(name) == ""


def test_the_fw_classifier_is_added_and_shown(lab):
    host = lab.namespace("host")
    host.batch(
        "tc",
        [
            "qdisc add dev lo root handle 1: htb",
            "class add dev lo parent 1: classid 1:10 htb rate 5mbit",
            "filter add dev lo parent 1: protocol ip handle 0x10/0xff fw flowid 1:10",
        ],
    )
    assert "fw chain 0 handle 0x10/0xff classid 1:10" in host.output("tc", "filter", "show", "dev", "lo")
