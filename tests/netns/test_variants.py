"""Both variants of iptables, one at a time; what cannot be seen is unknown, and never empty."""

from __future__ import annotations

import re
import sys

import pytest

from tests.netns.objects import assert_same, objects
from tests.netns.probes import lacks
from tests.netns.program import EXAMPLES, ROOT
from tests.netns.two_uplinks import TwoUplinks

VARIANTS = [
    pytest.param(name, marks=pytest.mark.needs(f"iptables-{name}", f"ip6tables-{name}")) for name in ("nft", "legacy")
]
OTHER = {"nft": "legacy", "legacy": "nft"}
FIREWALL = """
marks: {wan2: 0x10/0xff, voip: 0x20/0xff}
iptables:
  filter:
    OUTPUT:
      - {mark: wan2, jump: LOG, log-prefix: "wan2 "}
      - {protocol: udp, dport: 7777, jump: RETURN}
      - {mark: wan2, out: eth0, jump: RETURN}
      - {mark: voip, jump: DROP}
    counted: [{jump: RETURN}]
  mangle:
    OUTPUT:
      - {jump: MARK, set-mark: voip, protocol: tcp, dport: 25}
      - {not: {mark: 0x0/0xff}, jump: CONNMARK, save-mark: 0xff}
"""
FOUR_LINES = f"{EXAMPLES}/four-lines/reconciler.yaml"
TWO_UPLINKS = f"{EXAMPLES}/two-uplinks/reconciler.yaml"


def saved(host, name):
    """Return what a variant holds, without empty tables."""
    found = objects(host)
    return [line for tool in ("iptables", "ip6tables") for line in found.get(f"{tool}-{name}-save", ())]


@pytest.mark.parametrize("name", VARIANTS)
class TestAVariant:
    @pytest.mark.parametrize("how", ["option", pytest.param("settings", marks=pytest.mark.thorough)])
    def test_that_is_asked_for_is_used_and_the_other_one_is_not(self, two_uplinks, program, name, how):
        host = two_uplinks.host
        before = objects(host)
        if how == "option":
            run = program(host, "--iptables", name, text=FIREWALL)
        else:
            run = program(host, text=f"{FIREWALL}settings: {{iptables: {name}}}\n")
        assert run.process("apply").changes
        assert len([line for line in saved(host, name) if "rc:default" in line]) == 2 * 9
        assert saved(host, OTHER[name]) == []
        assert run("diff", "--exit-code").changes == []
        assert run("apply").changes == []
        run("teardown")
        assert_same(before, objects(host))

    def test_lets_the_counters_go_on_when_a_rule_is_edited(self, two_uplinks, program, name):
        host = two_uplinks.host
        run = program(host, "--iptables", name, text=FIREWALL)
        run("apply")
        for _ in range(3):
            two_uplinks.send(mark=0x10)
        before = counted(host, name)
        assert before[:4] == [("rc.default.OUTPUT", 3), ("LOG", 3), ("RETURN", 3), ("RETURN", 0)]
        edited = FIREWALL.replace("{mark: voip, jump: DROP}", "{mark: voip, jump: ACCEPT}").replace(
            "out: eth0", "out: eth1"
        )
        changes = run.write(edited)("apply").changes
        assert [line.split(":")[0] for line in changes] == [
            f"{sign} iptables v{v} filter OUTPUT" for v in (4, 6) for sign in "--++"
        ]
        assert counted(host, name)[:3] == before[:3]
        moved = edited.replace('      - {mark: wan2, jump: LOG, log-prefix: "wan2 "}\n', "")
        run.write(moved)("apply")
        assert ("RETURN", 3) in counted(host, name)
        assert run.converged()

    def test_is_the_one_that_the_host_uses_already(self, two_uplinks, program, name):
        host = two_uplinks.host
        host.run(f"iptables-{name}", "-A", "INPUT", "-s", "192.0.2.1", "-j", "DROP")
        before = objects(host)
        run = program(host, text=FIREWALL)
        run("apply")
        assert [line for line in saved(host, name) if "rc:default" in line]
        assert saved(host, OTHER[name]) == []
        assert run.converged()
        run("teardown")
        assert_same(before, objects(host))

    def test_shows_what_it_would_do_as_commands_that_do_it(self, two_uplinks, lab, program, name):
        """The lines of `diff -o commands`, run by hand in another namespace, leave nothing for apply to do."""
        run = program(two_uplinks.host, "--iptables", name, text=FIREWALL)
        lines = run("diff", "-o", "commands").out
        lines = re.sub(r"^(ip6?tables) ", rf"\1-{name} ", lines, flags=re.MULTILINE)
        other = TwoUplinks(lab).host
        other.run("sh", "-e", stdin=lines)
        assert program(other, "--iptables", name, text=FIREWALL)("diff", "--exit-code").changes == []


def counted(host, name):
    """Return target and packets of each rule of the filter's OUTPUT, IPv4, ours behind the jump."""
    rules = host.counters(name)
    return [
        (rule.rule.split(" -j ")[1].split()[0], rule.packets)
        for rule in rules
        if "OUTPUT" in rule.rule or "counted" in rule.rule
    ]


@pytest.mark.needs("iptables-nft", "nft")
class TestATableThatIptablesCannotShow:
    """Made by nft itself, with what iptables has no word for."""

    TABLE = "table ip mangle {\n chain theirs {\n  ct state new accept\n }\n}\n"

    @pytest.fixture
    def host(self, two_uplinks):
        two_uplinks.host.run("nft", "-f", "-", stdin=self.TABLE)
        assert "is incompatible, use 'nft' tool" in two_uplinks.host.output("iptables-nft-save")
        return two_uplinks.host

    def test_is_an_error_and_not_an_empty_table(self, host, program):
        before, rules = objects(host), host.output("nft", "list", "ruleset")
        run = program(host, text=FIREWALL)
        looked = run.process("diff", status=4)
        assert "iptables: unknown: iptables-nft-save cannot show a table: Table `mangle' is incompatible" in looked.out
        assert looked.changes == []
        refused = run("apply", status=4)
        assert "nothing was applied" in refused.err
        assert "nft list ruleset" in refused.err
        assert_same(before, objects(host))
        assert host.output("nft", "list", "ruleset") == rules

    def test_is_no_concern_of_a_file_without_iptables(self, host, program):
        run = program(host, path=FOUR_LINES)
        assert len(run("apply").changes) == 2
        assert run.converged()
        run("teardown")
        assert "ct state new accept" in host.output("nft", "list", "ruleset")

    def test_that_comes_later_stops_apply_and_harms_nothing(self, two_uplinks, program):
        host = two_uplinks.host
        run = program(host, text=FIREWALL)
        run("apply")
        rules = host.output("nft", "list", "ruleset")
        host.run("nft", "add", "rule", "ip", "mangle", "OUTPUT", "ct", "state", "new", "accept")
        for command in ("apply", "teardown"):
            assert "incompatible" in run(command, status=4).err
        host.run("nft", "flush", "chain", "ip", "mangle", "OUTPUT")
        run("apply")
        assert "rc.default.OUTPUT" in rules
        assert run.converged()


@pytest.mark.needs("setpriv")
class TestWithoutThePrivilege:
    """Rules, routes, links and tc can be read by anybody, iptables cannot."""

    def run(self, host, drop, *words):
        """Run the program inside the namespace, as a process that lacks capabilities."""
        dropped = [f"--bounding-set={drop}", f"--inh-caps={drop}"]
        return host.run(
            "env", f"PYTHONPATH={ROOT}", "setpriv", *dropped, sys.executable, "-m", "reconciler", *words, check=False
        )

    DROPPED = (
        pytest.param("-net_admin", marks=pytest.mark.thorough),
        pytest.param("-net_admin,-net_raw,-sys_admin", marks=pytest.mark.thorough),
        "-all",
    )

    @pytest.mark.needs("iptables-nft")
    @pytest.mark.parametrize("drop", DROPPED)
    def test_to_look_at_iptables_it_is_unknown_and_never_empty(self, two_uplinks, drop):
        two_uplinks.host.run("iptables-nft", "-P", "FORWARD", "DROP")
        looked = self.run(two_uplinks.host, drop, "diff", TWO_UPLINKS)
        assert looked.returncode == 4
        assert "iptables: unknown: iptables-nft-save needs CAP_NET_ADMIN" in looked.stdout
        assert "+ rule" in looked.stdout
        assert "+ iptables" not in looked.stdout
        assert "Traceback" not in looked.stderr

    @pytest.mark.parametrize("drop", DROPPED)
    def test_the_rest_is_shown_as_it_is(self, two_uplinks, program, drop):
        host = two_uplinks.host
        looked = self.run(host, drop, "diff", "--exit-code", FOUR_LINES)
        assert looked.returncode == 2
        assert looked.stdout.count("+ rule") == 1 + (not lacks("ipv6"))
        program(host, path=FOUR_LINES)("apply")
        assert self.run(host, drop, "diff", "--exit-code", FOUR_LINES).returncode == 0

    @pytest.mark.parametrize("drop", DROPPED)
    def test_to_change_the_network_it_says_so_and_changes_nothing(self, two_uplinks, state, drop):
        host = two_uplinks.host
        before = objects(host)
        refused = self.run(host, drop, "apply", FOUR_LINES)
        assert refused.returncode == 4
        assert "CAP_NET_ADMIN" in refused.stderr
        assert "Operation not permitted" in refused.stderr
        assert_same(before, objects(host))
        assert not state.exists()

    def test_validate_and_schema_need_none(self, two_uplinks):
        assert self.run(two_uplinks.host, "-all", "validate", TWO_UPLINKS).returncode == 0
        assert self.run(two_uplinks.host, "-all", "schema").stdout.startswith("{")
