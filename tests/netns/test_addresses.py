"""Addresses with all that the file can say of them, by the program, on the real kernel."""

from __future__ import annotations

import pytest

from reconciler.kernel.live import Kernel
from reconciler.kernel.namespace import Namespace
from reconciler.resources.owner import Owner
from tests.netns.probes import older_than

KEEPS_MARK = older_than(6, 4)
"""Whether an IPv4 address that is replaced keeps the protocol it had (net/ipv4/devinet.c, inet_rtm_newaddr)."""
FILE = "interfaces: {{e0: {{addresses: [{}]}}}}\n"


@pytest.fixture
def host(lab):
    """A host with two devices that are up; ifb, since its carrier never changes."""
    namespace = lab.namespace("host")
    for dev in ("e0", "e1"):
        namespace.run("ip", "link", "add", dev, "type", "ifb")
        namespace.run("ip", "link", "set", dev, "addrgenmode", "none")
        namespace.run("ip", "link", "set", dev, "up")
    return namespace


def shown(host, *options):
    """The addresses of e0 that the tools show."""
    found = host.json("ip", "-json", *options, "address", "show", "dev", "e0")
    return [one for entry in found for one in entry.get("addr_info", ())]


def routes(host, family=4):
    return {
        (one["dst"], one.get("metric", 0))
        for one in host.json("ip", "-json", f"-{family}", "route", "show", "dev", "e0", "proto", "kernel")
    }


def applied(run, *entries):
    """Apply a file with these addresses; a second diff must be empty. Returns the changes."""
    run.write(FILE.format(", ".join(entries)))
    done = run("apply")
    assert run.converged(), run("diff").out
    return done.changes


LIVES = {
    "broadcast": ("10.0.0.1/24", "broadcast: 10.0.0.7", "broadcast: auto", {"broadcast": "10.0.0.255"}, "-/+"),
    "label": ("10.0.0.1/24", 'label: "e0:1"', 'label: "e0:2"', {"label": "e0:2"}, "-/+"),
    "scope": ("10.0.0.1/24", "scope: link", "scope: 7", {"scope": "7"}, "-/+"),
    "noprefixroute": ("10.0.0.1/24", "noprefixroute: false", "noprefixroute: true", {"noprefixroute": True}, "-/+"),
    "metric": ("10.0.0.1/24", "metric: 5", "metric: 7", {"metric": 7}, "~"),
    "valid": ("10.0.0.1/24", "valid-lifetime: 5000", "valid-lifetime: 1000", {"dynamic": True}, "~"),
    "preferred": ("10.0.0.1/24", "valid-lifetime: forever", "preferred-lifetime: 0", {"deprecated": True}, "~"),
    "peer": ("10.0.0.1", "peer: 10.0.1.1", "peer: 10.0.2.0/24", {"address": "10.0.2.0", "prefixlen": 24}, "+"),
    "noprefixroute 6": ("2001:db8::1/64", "metric: 7", "noprefixroute: true", {"noprefixroute": True}, "~"),
    "metric 6": ("2001:db8::1/64", "metric: 5", "metric: 7", {"metric": 7}, "~"),
    "valid 6": ("2001:db8::1/64", "valid-lifetime: 5000", "valid-lifetime: 1000", {"dynamic": True}, "~"),
    "preferred 6": ("2001:db8::1/64", "metric: 256", "preferred-lifetime: 0", {"deprecated": True}, "~"),
    "nodad 6": ("2001:db8::1/64", "nodad: true", "nodad: true, metric: 7", {"nodad": True}, "~"),
    "peer 6": ("2001:db8::1", "peer: '2001:db8:1::1'", "peer: '2001:db8:2::1/64'", {"address": "2001:db8:2::1"}, "+"),
}  # fmt: skip


@pytest.mark.needs("ifb", "ipv6")
@pytest.mark.parametrize("name", LIVES)
def test_what_is_said_is_made_changed_healed_and_removed(host, program, name):
    address, first, second, seen, how = LIVES[name]
    run = program(host)
    family = 6 if ":" in address else 4
    before = host.output("ip", "-d", "address")
    assert [line.split()[0] for line in applied(run, f"{{address: '{address}', {first}}}")] == ["+"]
    changed = applied(run, f"{{address: '{address}', {second}}}")
    assert how in {line.split()[0] for line in changed}, changed
    (one,) = shown(host, f"-{family}", "-d")
    assert seen.items() <= one.items()
    for made in shown(host, f"-{family}"):
        ends = [made["local"], "peer", f"{made['address']}/{made['prefixlen']}"] if "address" in made else [
            f"{made['local']}/{made['prefixlen']}"
        ]  # fmt: skip
        host.run("ip", "address", "del", *ends, "dev", "e0")
    assert [line.split()[0] for line in run("apply").changes] == ["+"], "it heals"
    assert run.converged()
    run("teardown")
    assert host.output("ip", "-d", "address") == before


@pytest.mark.needs("ifb", "ipv6")
@pytest.mark.parametrize(
    ("address", "said", "drift"),
    [
        ("10.0.0.1/24", "metric: 5", "metric 9"),
        ("10.0.0.1/24", "preferred-lifetime: 0", "preferred_lft forever"),
        ("10.0.0.1/24", "valid-lifetime: 4000", "valid_lft 100 preferred_lft 100"),
        ("2001:db8::1/64", "metric: 5", "metric 9"),
        ("2001:db8::1/64", "noprefixroute: true", ""),
        ("2001:db8::1/64", "preferred-lifetime: 0", "preferred_lft forever"),
        ("2001:db8::1/64", "valid-lifetime: 4000", "valid_lft 9000 preferred_lft 100"),
    ],
)
def test_what_somebody_changes_of_what_is_said_is_changed_back_in_place(host, program, address, said, drift):
    run = program(host)
    applied(run, f"{{address: '{address}', {said}}}")
    good = host.output("ip", "-d", "route", "show", "table", "main")
    host.run("ip", "address", "change", address, "dev", "e0", *drift.split())
    (line,) = run("apply").changes
    assert line.startswith("~ address"), line
    assert run.converged()
    assert host.output("ip", "-d", "route", "show", "table", "main") == good


@pytest.mark.needs("ifb")
def test_what_is_taken_out_of_the_file_goes_from_an_address_of_ours(host, program):
    run = program(host)
    applied(run, "{address: 10.0.0.1/24, metric: 5, label: 'e0:1', broadcast: auto, preferred-lifetime: 0}")
    applied(run, "10.0.0.1/24")
    (one,) = shown(host, "-4")
    assert {"metric", "broadcast", "deprecated"}.isdisjoint(one)
    assert one["label"] == "e0"
    assert routes(host) == {("10.0.0.0/24", 0)}


@pytest.mark.needs("ifb")
def test_an_address_of_somebody_else_will_do_if_it_has_what_is_named(host, program):
    host.run("ip", "address", "add", "10.0.0.1/24", "brd", "+", "label", "e0:9", "dev", "e0", "metric", "5")
    before = host.output("ip", "-d", "address")
    run = program(host)
    for entry in ("10.0.0.1/24", "{address: 10.0.0.1/24, metric: 5}", "{address: 10.0.0.1/24, broadcast: auto}"):
        assert applied(run, entry) == []
    run.write(FILE.format("{address: 10.0.0.1/24, metric: 6}"))
    assert run("apply", status=7).conflicts
    assert host.output("ip", "-d", "address") == before


@pytest.mark.needs("ifb")
@pytest.mark.parametrize("said", ["metric: 6", "label: 'e0:1'"])
def test_an_address_of_somebody_else_is_taken_over_where_the_file_says_so(host, program, said):
    host.run("ip", "address", "add", "10.0.0.1/24", "dev", "e0")
    run = program(host)
    applied(run, f"{{address: 10.0.0.1/24, {said}, adopt: true}}")
    assert said.split(": ")[1].strip("'") in {str(word) for word in shown(host)[0].values()}
    run("teardown")
    assert shown(host, "-4") == []


@pytest.mark.needs("ifb", "ipv6")
@pytest.mark.parametrize(("address", "other"), [("10.0.0.1/24", "10.0.1.1/24"), ("2001:db8::1/64", "2001:db8:1::1/64")])
def test_a_lifetime_that_the_file_does_not_say_is_left_alone(host, program, address, other):
    run = program(host)
    applied(run, f"'{address}'")
    host.run("ip", "address", "replace", address, "dev", "e0", "valid_lft", "900", "preferred_lft", "800")
    if ":" not in address and KEEPS_MARK:
        lines = [f"~ address {address} dev e0: valid-lifetime 900 → forever, preferred-lifetime 800 → forever"]
        assert run("apply").changes == lines, "nothing shows that it is not ours any more"
        assert run.converged()
        return
    assert run.converged()
    assert applied(run, f"'{address}'", f"'{other}'") == [f"+ address {other} dev e0"]
    assert any(one.get("dynamic") for one in shown(host))


@pytest.mark.needs("ifb")
def test_a_lifetime_is_renewed_when_half_of_it_is_over(host, program):
    run = program(host)
    applied(run, "{address: 10.0.0.1/24, valid-lifetime: 1000, preferred-lifetime: 1000}")

    def left(valid, preferred):
        host.run(
            "ip", "address", "change", "10.0.0.1/24", "dev", "e0", "valid_lft", str(valid),
            "preferred_lft", str(preferred),
        )  # fmt: skip
        return run.converged()

    assert left(600, 600)
    assert not left(600, 300)
    assert not left(499, 499)
    (line,) = run("apply").changes
    assert "preferred-lifetime" in line
    assert line.endswith("→ 1000")
    assert 990 < shown(host)[0]["valid_life_time"] <= 1000


@pytest.mark.needs("ifb")
def test_an_address_that_has_expired_is_made_again(host, program):
    run = program(host)
    applied(run, "10.0.0.1/24")
    host.run("ip", "address", "replace", "10.0.0.1/24", "dev", "e0", "valid_lft", "1", "preferred_lft", "1")
    while shown(host, "-4"):
        pass
    assert run("apply").changes == ["+ address 10.0.0.1/24 dev e0"]


@pytest.mark.needs("ifb")
def test_a_replaced_address_says_what_it_takes_along_and_all_of_ours_is_put_back(host, program):
    run = program(host)
    tables = "tables: {wan: {id: 100, routes: [{to: default, via: 10.0.0.254, dev: e0}]}}\n"
    run.write(FILE.format("10.0.0.1/24, 10.0.0.2/24, 10.0.0.3/24") + tables)
    run("apply")
    run.write(FILE.format("{address: 10.0.0.1/24, label: 'e0:1'}, 10.0.0.2/24, 10.0.0.3/24") + tables)
    diff = run("diff")
    assert "disruptive: the address is gone for a moment" in diff.out
    run("apply")
    assert run.converged()
    assert [one["local"] for one in shown(host, "-4")] == ["10.0.0.1", "10.0.0.2", "10.0.0.3"]
    assert "default via 10.0.0.254" in host.output("ip", "route", "show", "table", "100")


@pytest.mark.needs("ifb")
def test_secondaries_of_others_are_not_lost_for_a_label(host, program):
    run = program(host)
    applied(run, "10.0.0.1/24")
    host.run("ip", "address", "add", "10.0.0.9/24", "dev", "e0")
    run.write(FILE.format("{address: 10.0.0.1/24, label: 'e0:1'}"))
    refused = run("apply", status=7)
    assert "10.0.0.9/24" in refused.out + refused.err


@pytest.mark.needs("ifb")
def test_flags_that_do_not_fit_the_header_are_read(host):
    host.run("ip", "address", "add", "10.0.0.1/24", "dev", "e0", "noprefixroute")
    kernel = Kernel(Namespace.parse(host.path), Owner(), "nft")
    held = kernel.read({}).foreign["address", "e0", 4, "10.0.0.1/24", ""]
    kernel.close()
    assert held[0].value.noprefixroute


@pytest.mark.needs("ifb")
def test_a_lifetime_that_runs_down_between_preview_and_apply_is_no_reason_to_plan_anew(host, program, monkeypatch):
    """The plan that is executed is the one that was shown."""
    run = program(host)
    host.run("ip", "address", "add", "10.0.0.9/24", "dev", "e0", "valid_lft", "900", "preferred_lft", "800")
    run.write(FILE.format("{address: 10.0.0.9/24, metric: 5, adopt: true}"))
    read, left = Kernel.read, [790, 800]

    def later(kernel, desired):
        if left:
            words = ["valid_lft", str(left.pop()), "preferred_lft", "100"]
            host.run("ip", "address", "change", "10.0.0.9/24", "dev", "e0", *words)
        return read(kernel, desired)

    monkeypatch.setattr(Kernel, "read", later)
    done = run("apply")
    assert done.out.count("~ address") == 1, done.out
    assert "not previewed" not in done.out
