"""Settings of the kernel: written when they differ, put back when they are no longer asked for."""

from __future__ import annotations

import subprocess

import pytest

from tests.netns.advertise import advertise
from tests.netns.program import ROOT, Watcher, until

pytestmark = pytest.mark.needs("veth", "ipv6")


@pytest.fixture
def host(lab):
    made = lab.namespace("host")
    for line in (
        "ip link set lo up",
        "ip link add name eth0 type veth peer name far0",
        "ip link add name eth1 type veth peer name far1",
        "ip address add 192.0.2.1/24 dev eth0",
    ):
        made.run(*line.split())
    return made


WATCHED = ("forwarding", "rp_filter", "accept_redirects", "src_valid_mark", "arp_ignore")
WATCHED_6 = ("forwarding", "accept_ra", "disable_ipv6", "ignore_routes_with_linkdown", "addr_gen_mode")


def values(host):
    """All that these tests touch."""
    devices = ("all", "default", "lo", "eth0", "eth1", "far0", "far1")
    names = [f"net.ipv4.conf.{dev}.{leaf}" for dev in devices for leaf in WATCHED]
    names += [f"net.ipv6.conf.{dev}.{leaf}" for dev in devices for leaf in WATCHED_6]
    names += [f"net.ipv4.{leaf}" for leaf in ("ip_forward", "tcp_fwmark_accept", "fwmark_reflect")]
    names.append("net.ipv6.fwmark_reflect")
    shown = host.output("sysctl", "-e", *names)
    return dict(line.split(" = ") for line in shown.splitlines())


FILE = """
sysctls:
  ip-forward: true
  tcp-fwmark-accept: true
  fwmark-reflect: {ipv6: true}
  all: {src-valid-mark: true}
  default: {rp-filter: loose}
interfaces:
  eth0: {rp-filter: strict, forwarding: {ipv4: false}, accept-ra: always}
  eth1: {arp-ignore: 1, addr-gen-mode: none}
"""
WRITTEN = {
    "net.ipv4.ip_forward": "1",
    "net.ipv4.tcp_fwmark_accept": "1",
    "net.ipv6.fwmark_reflect": "1",
    "net.ipv4.conf.all.src_valid_mark": "1",
    "net.ipv4.conf.default.rp_filter": "2",
    "net.ipv4.conf.eth0.rp_filter": "1",
    "net.ipv4.conf.eth0.forwarding": "0",
    "net.ipv6.conf.eth0.accept_ra": "2",
    "net.ipv4.conf.eth1.arp_ignore": "1",
    "net.ipv6.conf.eth1.addr_gen_mode": "1",
}


class TestApply:
    def test_writes_what_differs_and_is_done(self, host, program):
        run = program(host, text=FILE)
        applied = run("apply")
        assert "~ sysctl net.ipv4.ip_forward: 0 → 1" in applied.changes
        now = values(host)
        assert {name: now[name] for name in WRITTEN} == WRITTEN
        assert run.converged()
        assert run("apply").changes == []

    def test_is_what_the_diff_says(self, host, program):
        run = program(host, text=FILE)
        before = values(host)
        shown = run("diff")
        assert values(host) == before, "a diff never writes"
        assert run("apply").changes == shown.changes

    def test_as_commands_does_the_same(self, host, program):
        commands = program(host, text=FILE)("diff", "-o", "commands").out
        assert "sysctl -w net.ipv4.ip_forward=1\n" in commands
        for line in commands.splitlines():
            host.run(*line.split())
        assert program(host, text=FILE).converged()

    def test_touches_nothing_that_is_right_already(self, host, program):
        host.sysctl("net.ipv4.tcp_fwmark_accept", 1)
        run = program(host, text="sysctls: {tcp-fwmark-accept: true}")
        assert run("apply").changes == []
        run("teardown")
        assert host.sysctl("net.ipv4.tcp_fwmark_accept") == "1", "somebody else's, not ours to take back"

    def test_of_a_name_with_a_dot(self, host, program):
        host.run("ip", "link", "add", "name", "eth0.5", "type", "veth", "peer", "name", "far5")
        run = program(host, text="interfaces: {eth0.5: {rp-filter: loose}}")
        assert run("apply").changes == ["~ sysctl net/ipv4/conf/eth0.5/rp_filter: 0 → 2"]
        assert host.sysctl("net.ipv4.conf.eth0/5.rp_filter") == "2"
        run("teardown")
        for line in run("diff", "-o", "commands").out.splitlines():
            host.run(*line.split())
        assert host.sysctl("net.ipv4.conf.eth0/5.rp_filter") == "2"

    def test_sets_what_an_interface_of_the_file_begins_with(self, host, program):
        text = """
        sysctls: {default: {rp-filter: loose}}
        interfaces:
          v0: {kind: veth, peer: v1, state: up, accept-ra: off}
          v1: {rp-filter: strict}
        """
        run = program(host, text=text)
        run("apply")
        assert host.sysctl("net.ipv4.conf.v0.rp_filter") == "2"
        assert host.sysctl("net.ipv4.conf.v1.rp_filter") == "1"
        assert host.sysctl("net.ipv6.conf.v0.accept_ra") == "0"
        assert run.converged()
        run("teardown")
        assert host.sysctl("net.ipv4.conf.default.rp_filter") == "0"


class TestWhatIsTakenOut:
    def test_gets_its_former_value(self, host, program, state):
        before = values(host)
        run = program(host, text=FILE)
        run("apply")
        left = run.write("sysctls: {tcp-fwmark-accept: true}")("apply")
        assert left.changes
        assert values(host) == {**before, "net.ipv4.tcp_fwmark_accept": "1"}
        assert run.converged()
        run("teardown")
        assert values(host) == before
        assert list(state.iterdir()) == []

    def test_gives_back_what_changed_along_with_it(self, host, program, state):
        """ip_forward is copied to all interfaces; one had another value, which only the record knows."""
        for name in ("net.ipv4.conf.eth1.forwarding", "net.ipv6.conf.far0.forwarding"):
            host.sysctl(name, 1)
        before = values(host)
        run = program(
            host, text="sysctls: {ip-forward: true, ipv6-forward: true, all: {ignore-routes-with-linkdown: true}}"
        )
        assert len(run("apply").changes) == 3
        assert run.converged()
        assert values(host) != before
        run("teardown")
        assert values(host) == before
        assert list(state.iterdir()) == []

    def test_of_an_interface_that_came_meanwhile_stays_as_the_kernel_made_it(self, host, program):
        run = program(host, text="sysctls: {ip-forward: true}")
        run("apply")
        host.run("ip", "link", "add", "name", "v0", "type", "veth", "peer", "name", "v1")
        assert run.converged()
        run("teardown")
        assert host.sysctl("net.ipv4.conf.v0.forwarding") == "0"
        assert run.write("sysctls: {ip-forward: false}").converged()

    def test_of_an_interface_that_was_made_anew_is_the_new_ones(self, host, program):
        host.sysctl("net.ipv4.conf.eth1.rp_filter", 1)
        run = program(host, text="interfaces: {eth1: {rp-filter: loose}}")
        run("apply")
        host.run("ip", "link", "del", "eth1")
        host.run("ip", "link", "add", "name", "eth1", "type", "veth", "peer", "name", "far1")
        assert run("apply").changes == ["~ sysctl net.ipv4.conf.eth1.rp_filter: 0 → 2"]
        run("teardown")
        assert host.sysctl("net.ipv4.conf.eth1.rp_filter") == "0"

    def test_of_a_default_goes_from_those_that_followed_it_too(self, host, program):
        """Who has written to an interface cannot be seen: eth1 looks as if nobody had, and does not follow."""
        for number in (1, 0):
            host.sysctl("net.ipv4.conf.eth1.rp_filter", number)
        before = values(host)
        run = program(host, text="sysctls: {default: {rp-filter: loose}}\ninterfaces: {far1: {rp-filter: off}}")
        run("apply")
        now = {dev: host.sysctl(f"net.ipv4.conf.{dev}.rp_filter") for dev in ("eth0", "eth1", "far0", "far1")}
        assert now == {"eth0": "0", "eth1": "0", "far0": "2", "far1": "0"}
        assert run.converged()
        run("teardown")
        assert values(host) == before


class TestWhatIsNotThere:
    def test_waits_for_an_interface(self, host, program):
        run = program(host, text="interfaces: {wan7: {rp-filter: loose}}")
        waiting = run("apply")
        assert waiting.pending == ["sysctl net.ipv4.conf.wan7.rp_filter = 2: wan7 does not exist yet"]
        host.run("ip", "link", "add", "name", "wan7", "type", "veth", "peer", "name", "far7")
        run("apply")
        assert host.sysctl("net.ipv4.conf.wan7.rp_filter") == "2"

    def test_waits_for_ipv6_on_an_interface_that_is_too_small_for_it(self, host, program):
        host.run("ip", "link", "set", "eth1", "mtu", "1000")
        run = program(host, text="interfaces: {eth1: {accept-ra: always}}")
        assert run("apply").pending == ["sysctl net.ipv6.conf.eth1.accept_ra = 2: eth1 has no IPv6"]
        assert program(host, text="interfaces: {eth1: {disable-ipv6: true, accept-ra: off}}").converged()


class TestOtherThings:
    def test_ipv6_switched_off_takes_the_addresses_of_others_only_by_force(self, host, program):
        host.run("ip", "link", "set", "eth0", "up")
        host.run("ip", "address", "add", "2001:db8::1/64", "dev", "eth0", "nodad")
        run = program(host, text="interfaces: {eth0: {disable-ipv6: true}}")
        refused = run("apply", status=7)
        assert any("FOREIGN address 2001:db8::1/64" in line for line in refused.along), refused.out
        assert host.sysctl("net.ipv6.conf.eth0.disable_ipv6") == "0"
        run("apply", "--force")
        assert "inet6" not in host.output("ip", "address", "show", "dev", "eth0")
        assert run.converged()
        run("teardown")
        assert host.sysctl("net.ipv6.conf.eth0.disable_ipv6") == "0"

    def test_forwarding_is_refused_where_it_would_end_an_advertised_default_route(self, host, program):
        host.run("ip", "link", "set", "eth0", "up")
        host.run("ip", "link", "set", "far0", "up")
        advertise(host, "far0", "eth0")
        run = program(host, text="sysctls: {ipv6-forward: true}")
        refused = run("apply", status=7)
        assert "the IPv6 default route of the main table would be gone" in refused.err
        assert host.sysctl("net.ipv6.conf.all.forwarding") == "0"
        run.write("sysctls: {ipv6-forward: true}\ninterfaces: {eth0: {accept-ra: always}}")
        assert [line.split()[2] for line in run("apply").changes] == [
            "net.ipv6.conf.eth0.accept_ra:",
            "net.ipv6.conf.all.forwarding:",
        ]
        assert "default via" in host.output("ip", "-6", "route", "show", "proto", "ra")

    def test_a_stricter_value_for_all_is_told(self, host, program):
        host.sysctl("net.ipv4.conf.all.rp_filter", 2)
        run = program(host, text="interfaces: {eth0: {rp-filter: strict}}")
        assert (
            "rp-filter strict on eth0 has no effect while net.ipv4.conf.all.rp_filter is 2 (loose)" in run("diff").err
        )

    def test_a_value_that_the_kernel_refuses_rolls_back_what_came_before(self, host, program, state):
        """A stable address needs a secret; ip_forward, before it, had spread."""
        host.sysctl("net.ipv4.conf.far1.forwarding", 1)
        before = values(host)
        text = "sysctls: {ip-forward: true}\ninterfaces: {eth1: {arp-ignore: 2, addr-gen-mode: stable-secret}}\n"
        refused = program(host, text=text)("apply", status=5)
        assert ":2:" in refused.err
        assert (
            "net.ipv6.conf.eth1.addr_gen_mode = 2: refused: Invalid argument; all changes were rolled back"
            in refused.err
        )
        assert values(host) == before
        assert not state.exists() or list(state.iterdir()) == []


class TestTheWatcher:
    def test_puts_back_what_somebody_writes_when_it_looks(self, host, program):
        run = program(host, text="sysctls: {tcp-fwmark-accept: true}")
        with Watcher(run, poll="0.2"):
            assert host.sysctl("net.ipv4.tcp_fwmark_accept") == "1"
            host.sysctl("net.ipv4.tcp_fwmark_accept", 0)
            until(lambda: host.sysctl("net.ipv4.tcp_fwmark_accept") == "1", lambda: "it never came back")

    def test_puts_back_at_once_what_the_kernel_tells_of(self, host, program):
        run = program(host, text="interfaces: {eth0: {rp-filter: loose}, eth1: {forwarding: {ipv4: true}}}")
        with Watcher(run, poll="600"):
            for name, wanted in (("net.ipv4.conf.eth0.rp_filter", "2"), ("net.ipv4.conf.eth1.forwarding", "1")):
                host.sysctl(name, 0)
                until(lambda: host.sysctl(name) == wanted, lambda: f"{name} never came back")  # noqa: B023

    def test_sets_up_an_interface_that_comes_and_one_that_comes_again(self, host, program):
        run = program(host, text="interfaces: {v0: {rp-filter: loose}}")
        with Watcher(run):
            for _ in range(2):
                host.run("ip", "link", "add", "name", "v0", "type", "veth", "peer", "name", "v1")
                until(lambda: host.sysctl("net.ipv4.conf.v0.rp_filter") == "2", lambda: "never set")
                host.run("ip", "link", "del", "v0")


SEALED = "mount --make-rprivate / && mount -o bind /proc/sys /proc/sys && mount -o remount,ro,bind /proc/sys"


class TestWhereProcSysIsReadOnly:
    """As in most containers, even for root."""

    @staticmethod
    def sealed(run, command, status):
        words = ["unshare", "-m", "sh", "-c", f'{SEALED} && exec "$@"', "sh", *run.argv(command)]
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == status, done.stderr
        assert "Traceback" not in done.stderr
        return done

    def test_a_file_that_agrees_is_applied_and_the_danger_is_told(self, host, program):
        host.sysctl("net.ipv4.tcp_fwmark_accept", 1)
        run = program(
            host,
            text="sysctls: {tcp-fwmark-accept: true}\nrules: [{priority: 5, mark: 0x1/0x1, table: 9, family: ipv4}]",
        )
        done = self.sealed(run, "apply", 0)
        assert "net.ipv4.tcp_fwmark_accept cannot be written (it is mounted read-only here)" in done.stderr
        assert "fwmark 0x1/0x1" in host.output("ip", "rule")
        self.sealed(run, "teardown", 0)

    def test_a_file_that_does_not_agree_is_refused_before_anything_is_done(self, host, program):
        run = program(host, text="rules: [{priority: 5, mark: 0x1/0x1, table: 9}]\nsysctls:\n  ip-forward: true\n")
        done = self.sealed(run, "apply", 4)
        said = f"{run.path}:3:3: /proc/sys/net/ipv4/ip_forward is 0 and should be 1, but it is mounted read-only here"
        assert said in done.stderr
        assert "fwmark" not in host.output("ip", "rule")
        assert "is mounted read-only here" in self.sealed(run, "diff", 0).stderr

    def test_a_watcher_goes_on_healing_the_rest(self, host, program):
        """What it cannot write is said; a rule that goes comes back all the same."""
        host.sysctl("net.ipv4.tcp_fwmark_accept", 1)
        text = "sysctls: {tcp-fwmark-accept: true}\nrules: [{priority: 5, mark: 0x1/0x1, table: 9, family: ipv4}]\n"
        run = program(host, text=text)
        watcher = Watcher(run, poll="0.2", prefix=["unshare", "-m", "sh", "-c", f'{SEALED} && exec "$@"', "sh"])
        with watcher:
            host.sysctl("net.ipv4.tcp_fwmark_accept", 0)
            watcher.says("/proc/sys/net/ipv4/tcp_fwmark_accept is 0 and should be 1, but it is mounted read-only here")
            host.run("ip", "rule", "del", "priority", "5")
            until(lambda: "fwmark 0x1/0x1" in host.output("ip", "rule"), lambda: watcher.log)
            host.sysctl("net.ipv4.tcp_fwmark_accept", 1)
            watcher.says("the kernel is well again")
