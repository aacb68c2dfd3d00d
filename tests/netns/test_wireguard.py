"""WireGuard on a real kernel: tunnels with packets through them, changed in place, kept, and given back.

``wg`` shows what there is: it is no part of what is tested.
"""

from __future__ import annotations

import base64
import os
import subprocess
import sys

import pytest

from tests.netns.objects import assert_same, objects
from tests.netns.program import ROOT, Watcher, until

pytestmark = pytest.mark.needs("wireguard", "wg")


class Host:
    """A namespace with one end of a wire, a key, and peers."""

    def __init__(self, lab, folder, name, address):
        self.namespace = lab.namespace(name)
        self.address = address
        self.private = wg("genkey")
        self.public = wg("pubkey", stdin=self.private)
        self.file = key_file(folder, f"{name}.key", self.private)

    def show(self, what):
        """What ``wg show wg0 WHAT`` shows, by peer."""
        lines = self.namespace.output("wg", "show", "wg0", what).splitlines()
        return dict(line.split("\t", 1) for line in lines)

    def conf(self):
        """What ``wg showconf`` shows, the peers in order: the kernel lists them as they came."""
        return sorted(part.strip() for part in self.namespace.output("wg", "showconf", "wg0").split("\n\n"))

    def handshakes(self):
        return {key: int(seconds) for key, seconds in self.show("latest-handshakes").items()}

    def pings(self, address):
        return self.namespace.works("ping", "-c1", "-W5", address)


def wg(*words, stdin=""):
    return subprocess.run(["wg", *words], input=stdin, capture_output=True, text=True, check=True).stdout.strip()


def key_file(folder, name, content):
    path = str(folder / name)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="ascii") as file:
        file.write(f"{content}\n")
    return path


class Net:
    """Three hosts on one bridge: ours, and two whose tunnels lead to it."""

    def __init__(self, lab, folder):
        switch = lab.namespace("switch")
        switch.run("ip", "link", "add", "br0", "type", "bridge")
        switch.run("ip", "link", "set", "br0", "up")
        self.us, self.left, self.right = self.hosts = [
            Host(lab, folder, name, f"192.0.2.{n}") for n, name in enumerate(("us", "left", "right"), 1)
        ]
        for number, host in enumerate(self.hosts):
            lab.wire(switch, f"p{number}", host.namespace, "eth0")
            switch.run("ip", "link", "set", f"p{number}", "master", "br0")
            host.namespace.run("ip", "address", "add", f"{host.address}/24", "dev", "eth0")
        self.psk = wg("genpsk")
        self.psk_file = key_file(folder, "psk", self.psk)
        for number, host in enumerate(self.hosts[1:], 2):
            host.namespace.batch("ip", [
                "link add wg0 type wireguard", f"address add 10.9.0.{number}/24 dev wg0", "link set wg0 up",
            ])  # fmt: skip
            words = ["preshared-key", self.psk_file] if host is self.left else []
            host.namespace.run(
                "wg", "set", "wg0", "private-key", host.file, "listen-port", "51820", "peer", self.us.public, *words,
                "endpoint", "192.0.2.1:51820", "allowed-ips", "10.9.0.1/32",
            )  # fmt: skip

    @property
    def device(self):
        return [f"private-key-file: {self.us.file}", "listen-port: 51820"]

    def peer(self, host, *more, psk=None, endpoint=None):
        number = self.hosts.index(host) + 1
        words = [f"public-key: {host.public}", f'endpoint: "{endpoint or host.address}:51820"', *more]
        if psk is None and host is self.left:
            words.append(f"preshared-key-file: {self.psk_file}")
        if not any(word.startswith("allowed-ips") for word in more):
            words.append(f"allowed-ips: [10.9.0.{number}/32]")
        return f"{{{', '.join(words)}}}"

    def text(self, *peers, kind="kind: wireguard", device=None):
        lines = [kind, "state: up", "addresses: [10.9.0.1/24]", *(self.device if device is None else device)]
        body = "".join(f"    {line}\n" for line in lines if line)
        return f"interfaces:\n  wg0:\n{body}    peers:\n" + "".join(f"      - {peer}\n" for peer in peers)


@pytest.fixture
def net(lab, tmp_path):
    return Net(lab, tmp_path)


@pytest.fixture
def both(net):
    return net.text(net.peer(net.left), net.peer(net.right))


def test_packets_go_through_the_tunnel_and_there_is_nothing_left_to_do(net, program, both):
    before = objects(net.us.namespace)
    run = program(net.us.namespace, text=both)
    assert run("diff").changes == run("apply").changes
    assert net.us.pings("10.9.0.2")
    assert net.us.pings("10.9.0.3")
    assert run("apply").changes == []
    assert run.converged()
    assert net.us.show("preshared-keys") == {net.left.public: net.psk, net.right.public: "(none)"}
    run("teardown")
    assert_same(before, objects(net.us.namespace))


def test_a_peer_is_changed_in_place_and_the_sessions_of_the_others_go_on(net, program, both):
    run = program(net.us.namespace, text=both)
    run("apply")
    assert net.us.pings("10.9.0.2")
    assert net.us.pings("10.9.0.3")
    shaken = net.us.handshakes()
    assert all(shaken.values())
    run.write(net.text(net.peer(net.left, "persistent-keepalive: 25", "allowed-ips: [10.9.0.2/32, 10.8.0.0/16]"),
                       net.peer(net.right)))  # fmt: skip
    assert run("apply").changes == [
        f"~ peer wg0 {net.left.public}: allowed-ips +10.8.0.0/16, keepalive none → 25",
    ]
    assert run.converged()
    assert net.us.handshakes() == shaken
    assert net.us.show("persistent-keepalive")[net.left.public] == "25"
    run.write(both)
    assert run("apply").changes == [f"~ peer wg0 {net.left.public}: allowed-ips -10.8.0.0/16, keepalive 25 → none"]
    assert net.us.show("allowed-ips") == {net.left.public: "10.9.0.2/32", net.right.public: "10.9.0.3/32"}
    assert net.us.handshakes() == shaken
    assert net.us.pings("10.9.0.2")


def test_a_peer_that_is_taken_out_goes_alone(net, program, both):
    run = program(net.us.namespace, text=both)
    run("apply")
    assert net.us.pings("10.9.0.3")
    shaken = net.us.handshakes()[net.right.public]
    run.write(net.text(net.peer(net.right)))
    assert [line.split(":")[0] for line in run("apply").changes] == [f"- peer wg0 {net.left.public}"]
    assert net.us.handshakes() == {net.right.public: shaken}
    assert run.converged()


def test_prefixes_that_change_hands_cost_no_session(net, program):
    run = program(net.us.namespace, text=net.text(
        net.peer(net.left, "allowed-ips: [10.9.0.2/32, 10.7.0.0/16]"),
        net.peer(net.right, "allowed-ips: [10.9.0.3/32, 10.8.0.0/16]"),
    ))  # fmt: skip
    run("apply")
    assert net.us.pings("10.9.0.2")
    assert net.us.pings("10.9.0.3")
    shaken = net.us.handshakes()
    run.write(net.text(
        net.peer(net.left, "allowed-ips: [10.9.0.2/32, 10.8.0.0/16]"),
        net.peer(net.right, "allowed-ips: [10.9.0.3/32, 10.7.0.0/16]"),
    ))  # fmt: skip
    assert [line[0] for line in run("apply").changes] == ["~", "~"]
    assert run.converged()
    assert net.us.handshakes() == shaken
    found = {key: set(words.split()) for key, words in net.us.show("allowed-ips").items()}
    assert found == {net.left.public: {"10.9.0.2/32", "10.8.0.0/16"}, net.right.public: {"10.9.0.3/32", "10.7.0.0/16"}}


def test_what_others_change_is_put_right(net, program, both):
    run = program(net.us.namespace, text=both)
    run("apply")
    stranger = wg("pubkey", stdin=wg("genkey"))
    for words, sign in (
        (["peer", net.left.public, "remove"], "+ peer"),
        (["peer", net.right.public, "allowed-ips", "10.9.0.3/32,10.0.0.0/8"], "~ peer"),
        (["peer", net.right.public, "preshared-key", net.psk_file], "~ peer"),
        (["peer", net.left.public, "preshared-key", "/dev/null"], "~ peer"),
        (["peer", net.right.public, "persistent-keepalive", "9"], "~ peer"),
        (["peer", stranger, "allowed-ips", "10.9.0.2/32"], "- peer"),
        (["listen-port", "4711"], "~ wireguard"),
        (["private-key", net.left.file], "~ wireguard"),
    ):
        net.us.namespace.run("wg", "set", "wg0", *words)
        changes = run("apply").changes
        assert sign in {" ".join(line.split()[:2]) for line in changes}, (words, changes)
        assert run.converged(), words
    assert set(net.us.show("allowed-ips")) == {net.left.public, net.right.public}
    assert net.us.pings("10.9.0.2")
    assert net.us.pings("10.9.0.3")


def test_the_key_is_changed_and_the_file_of_the_key_is_looked_at_again(net, program, both, tmp_path):
    run = program(net.us.namespace, text=both)
    run("apply")
    other = wg("genkey")
    key_file(tmp_path, "us.key", other)
    ran = run("apply")
    assert ran.changes == [
        f"~ wireguard wg0: public key {net.us.public} → {wg('pubkey', stdin=other)} disruptive: no peer knows the new key yet"
    ]
    assert net.us.namespace.output("wg", "show", "wg0", "private-key").strip() == other
    assert run.converged()


def test_a_peer_that_moves_is_followed_and_that_is_no_drift(net, program, both):
    run = program(net.us.namespace, text=both)
    run("apply")
    assert net.us.pings("10.9.0.2")
    net.left.namespace.batch("ip", ["address del 192.0.2.2/24 dev eth0", "address add 192.0.2.77/24 dev eth0"])
    assert net.left.pings("10.9.0.1")
    assert net.us.show("endpoints")[net.left.public] == "192.0.2.77:51820"
    assert run.converged()
    assert run("apply").changes == []
    assert net.us.show("endpoints")[net.left.public] == "192.0.2.77:51820"
    run.write(net.text(net.peer(net.left, endpoint="192.0.2.78"), net.peer(net.right)))
    assert run("apply").changes == [f"~ peer wg0 {net.left.public}: endpoint 192.0.2.2:51820 → 192.0.2.78:51820"]
    assert net.us.show("endpoints")[net.left.public] == "192.0.2.78:51820"
    assert run.converged()


def test_watch_polls_for_what_has_no_events(net, program, both):
    run = program(net.us.namespace, text=both)
    with Watcher(run, poll="0.5") as watcher:
        net.us.namespace.run("wg", "set", "wg0", "peer", net.left.public, "remove")
        until(lambda: net.left.public in net.us.show("allowed-ips"), lambda: watcher.log)
        assert net.psk not in watcher.log
        assert net.us.private not in watcher.log


class TestOnAnInterfaceOfSomebodyElse:
    """``wg0`` is there: only what the file names is set."""

    @pytest.fixture
    def stranger(self, net):
        key = wg("pubkey", stdin=wg("genkey"))
        net.us.namespace.batch(
            "ip", ["link add wg0 type wireguard", "link set wg0 up", "address add 10.9.0.1/24 dev wg0"]
        )
        net.us.namespace.run("wg", "set", "wg0", "private-key", net.us.file, "listen-port", "4711", "peer", key,
                             "allowed-ips", "10.5.0.0/16", "persistent-keepalive", "7")  # fmt: skip
        return key

    def test_its_own_peers_and_settings_are_left_alone_and_come_back(self, net, program, stranger):
        before = net.us.conf()
        run = program(net.us.namespace, text=net.text(net.peer(net.left), kind="", device=["listen-port: 51820"]))
        assert len(run("apply").changes) == 2
        assert net.us.pings("10.9.0.2")
        assert run.converged()
        assert net.us.show("persistent-keepalive")[stranger] == "7"
        run("teardown")
        assert net.us.conf() == before

    def test_a_prefix_of_its_peer_is_not_taken_away(self, net, program, stranger):
        more = "allowed-ips: [10.9.0.2/32, 10.5.0.0/16]"
        run = program(net.us.namespace, text=net.text(net.peer(net.left, more), kind="", device=[]))
        ran = run("apply", status=7)
        assert stranger in ran.conflicts[0]
        assert net.us.show("allowed-ips") == {stranger: "10.5.0.0/16"}

    def test_its_peer_that_differs_is_a_conflict_until_it_is_adopted(self, net, program, stranger):
        text = net.text(f"{{public-key: {stranger}, allowed-ips: [10.6.0.0/16]}}", kind="", device=[])
        run = program(net.us.namespace, text=text)
        assert run("apply", status=7).conflicts
        assert net.us.show("allowed-ips") == {stranger: "10.5.0.0/16"}
        run("apply", "--adopt")
        assert net.us.show("allowed-ips") == {stranger: "10.6.0.0/16"}
        assert run.converged()
        run("teardown")
        assert net.us.show("allowed-ips") == {}

    @pytest.mark.usefixtures("stranger")
    def test_without_a_word_of_wireguard_it_is_not_even_looked_at(self, net, program, monkeypatch):
        monkeypatch.setattr("reconciler.kernel.live.Kernel.wireguard", None)
        run = program(net.us.namespace, text="interfaces: {wg0: {mtu: 1380}}\n")
        run("apply")
        assert run.converged()
        run("teardown")


def test_all_goes_back_when_the_kernel_refuses_something(net, program, both):
    run = program(net.us.namespace, text=both)
    run("apply")
    before = net.us.conf()
    net.us.namespace.sysctl("net.ipv6.conf.wg0.disable_ipv6", 1)
    changed = net.text(net.peer(net.left, "allowed-ips: [10.6.0.0/16]"), device=[f"private-key-file: {net.right.file}"])
    run.write(changed.replace("addresses: [10.9.0.1/24]", 'addresses: [10.9.0.1/24, "fd00:9::1/64"]'))
    ran = run("apply", status=5)
    assert "rolled back" in ran.err
    assert net.us.conf() == before
    for words in (ran.out, ran.err):
        for secret in (net.us.private, net.right.private, net.psk):
            assert secret not in words


def test_no_secret_leaves_the_key_files(net, program, both, tmp_path):
    run = program(net.us.namespace, text=both)
    said = []
    for words in (["validate"], ["diff"], ["diff", "-o", "commands"], ["apply"], ["diff"], ["apply"]):
        ran = run(*words)
        said += [ran.out, ran.err]
    for folder, _, names in os.walk(tmp_path / "state"):
        for name in names:
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                said.append(file.read())
    assert any(net.left.public in text for text in said[-1:]), "the record was looked at"
    ran = run("teardown")
    said += [ran.out, ran.err]
    for secret in (net.us.private, net.psk):
        raw = base64.b64decode(secret)
        for shape in (secret, raw.hex(), raw.hex().upper(), repr(raw)[2:-1]):
            assert not [text for text in said if shape in text]


def test_without_the_privilege_it_is_unknown_and_not_empty(net, program, both):
    run = program(net.us.namespace, text=both)
    run("apply")
    done = subprocess.run(["setpriv", "--bounding-set", "-net_admin", *run.argv("diff")],
                          cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)  # fmt: skip
    assert done.returncode == 4
    assert "wireguard: unknown: WireGuard shows wg0 only with CAP_NET_ADMIN" in done.stdout
    assert "+ peer" not in done.stdout


def test_a_tunnel_that_a_connection_runs_through_is_not_cut(net, program, both):
    run = program(net.us.namespace, text=both)
    run("apply")
    listener = "import socket; s = socket.create_server(('10.9.0.1', 2222)); c, _ = s.accept(); print('in', flush=True); c.recv(1)"
    server = net.us.namespace.start(sys.executable, "-c", listener)
    caller = "import socket, time; c = socket.create_connection(('10.9.0.1', 2222)); time.sleep(600)"
    until(lambda: "2222" in net.us.namespace.output("ss", "-ltn"), lambda: "nobody listens")
    net.left.namespace.start(sys.executable, "-c", caller)
    assert server.stdout.readline() == "in\n"
    run.write(net.text(net.peer(net.right)))
    ran = run("apply", status=7)
    assert "the WireGuard peer of wg0 that has 10.9.0.2 would be gone" in ran.err
    assert net.left.public in net.us.show("allowed-ips")
    run("apply", "--force")
    assert set(net.us.show("allowed-ips")) == {net.right.public}


@pytest.mark.thorough
def test_a_peer_with_thousands_of_prefixes(net, program):
    prefixes = ", ".join(f"10.{n >> 8}.{n & 255}.0/24" for n in range(4 * 256, 4 * 256 + 3000))
    run = program(net.us.namespace, text=net.text(net.peer(net.left, f"allowed-ips: [{prefixes}]")))
    run("apply")
    assert run.converged()
    assert len(net.us.show("allowed-ips")[net.left.public].split()) == 3000
    run.write(net.text(net.peer(net.left, f"allowed-ips: [{prefixes}, 10.200.0.0/16]")))
    run("apply")
    assert run.converged()
