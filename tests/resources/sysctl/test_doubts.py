"""What will not do what its author may expect draws a warning, and nothing else does."""

from __future__ import annotations

import pytest

from reconciler.config.load import loads
from reconciler.core.desired import Desired
from reconciler.core.state import Held, State
from reconciler.resources.desired import ANYWHERE, desire
from reconciler.resources.sysctl import Sysctl, SysctlKind
from reconciler.resources.sysctl_check import advice

MARKED = "marks: {a: 0x10/0xff}\nrules: [{priority: 5, mark: a, table: 100}%s]\n"
ALL = ("ipv4", "conf", "all", "rp_filter")


def warnings(text):
    return [str(problem) for problem in desire(loads(text, "net.yaml", {}), ANYWHERE)[0].warnings]


class TestAStrictCheckOfTheWayBack:
    @pytest.mark.parametrize("place", ["interfaces: {eth1: {%s}}", "sysctls: {all: {%s}}"])
    def test_beside_a_rule_by_mark_draws_a_warning_that_says_what_to_do(self, place):
        [told] = warnings(MARKED % "" + place % "rp-filter: strict")
        assert told.startswith("net.yaml:3:")
        assert "answers to what rule 5 sends elsewhere may be dropped" in told
        assert "src-valid-mark: true beside it, or rp-filter: loose" in told

    @pytest.mark.parametrize(
        "text",
        [
            "interfaces: {eth1: {rp-filter: loose}}",
            "interfaces: {eth1: {rp-filter: off}}",
            "interfaces: {eth1: {rp-filter: strict, src-valid-mark: true}}",
            "interfaces: {eth1: {rp-filter: strict}}\nsysctls: {all: {src-valid-mark: true}}",
            "sysctls: {all: {rp-filter: strict, src-valid-mark: true}}",
        ],
    )
    def test_that_looks_at_marks_or_is_none_draws_no_warning(self, text):
        assert warnings(MARKED % "" + text) == []

    def test_beside_a_rule_by_source_for_the_same_table_draws_no_warning(self):
        text = MARKED % ", {priority: 6, from: 192.0.2.1, table: 100}"
        assert warnings(text + "interfaces: {eth1: {rp-filter: strict}}") == []

    def test_without_rules_by_mark_draws_no_warning(self):
        assert warnings("interfaces: {eth1: {rp-filter: strict}}") == []


def test_a_value_that_the_one_for_all_overrules():
    [told] = warnings(
        "sysctls: {all: {rp-filter: loose}}\ninterfaces: {eth1: {rp-filter: strict}, eth2: {rp-filter: 2}}"
    )
    assert "rp-filter strict on eth1 has no effect while net.ipv4.conf.all.rp_filter is 2 (loose)" in told


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("sysctls: {ipv6-forward: true}\ninterfaces: {eth1: {accept-ra: on}}", 1),
        ("interfaces: {eth1: {accept-ra: on, forwarding: true}}", 1),
        ("sysctls: {ipv6-forward: true}\ninterfaces: {eth1: {accept-ra: always}}", 0),
        ("sysctls: {ipv6-forward: true}\ninterfaces: {eth1: {accept-ra: on, forwarding: {ipv6: false}}}", 0),
        ("sysctls: {ip-forward: true}\ninterfaces: {eth1: {accept-ra: on}}", 0),
    ],
)
def test_advertisements_that_forwarding_ignores(text, count):
    told = warnings(text)
    assert len(told) == count
    assert all("eth1 forwards IPv6, so router advertisements are ignored (accept-ra: always)" in one for one in told)


@pytest.mark.parametrize(
    ("there", "wanted", "count"), [(2, 1, 1), (1, 0, 1), (1, 1, 0), (1, 2, 0), (0, 1, 0), (None, 1, 0)]
)
def test_what_overrules_in_the_kernel_is_told_when_the_file_does_not_say_it(there, wanted, count):
    kind = SysctlKind()
    one = Sysctl(("ipv4", "conf", "eth1", "rp_filter"), wanted)
    everywhere = Sysctl(ALL, there)
    state = State({}, {kind.key(everywhere): (Held(everywhere, 2),)})
    told = list(advice(Desired({kind.key(one): one}), state))
    assert len(told) == count
    said = Desired({kind.key(one): one, kind.key(everywhere): everywhere})
    assert list(advice(said, state)) == [], "that one shall become another, and is a matter of the file alone"
