from __future__ import annotations

import contextlib
import errno
import os
import socket
import struct
import subprocess

import pytest

from reconciler.errors import UnavailableError
from reconciler.kernel import netlink as module
from reconciler.kernel.netlink import Ack, InterruptedDumpError, Netlink, NetlinkError, OverrunError
from reconciler.kernel.sock import pack
from reconciler.resources.message import Message

RTM_NEWLINK, RTM_DELLINK, RTM_SETLINK = 16, 17, 19
RTM_GETADDR, RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE, RTM_GETRULE = 22, 24, 25, 26, 34
CREATE = 0x600
RTA_DST, RTA_OIF, RTA_GATEWAY, RTA_TABLE = 1, 4, 5, 15


def attribute(kind, payload):
    return struct.pack("=HH", 4 + len(payload), kind) + payload + bytes(-len(payload) % 4)


def route(prefix, length=32, *, via=None, dev=None, table=100, type=RTM_NEWROUTE):
    """A route of protocol 0x5e; blackhole where no device and no gateway is given."""
    kind = 6 if dev is None and via is None else 1
    scope = 253 if dev and not via else 0
    body = struct.pack("=8BI", socket.AF_INET, length, 0, 0, 0, 0x5E, scope, kind, 0)
    body += attribute(RTA_DST, socket.inet_aton(prefix)) + attribute(RTA_TABLE, struct.pack("=I", table))
    if via:
        body += attribute(RTA_GATEWAY, socket.inet_aton(via))
    devices = ()
    if dev:
        body += attribute(RTA_OIF, bytes(4))
        devices = ((len(body) - 4, dev),)
    return Message(type, CREATE if type == RTM_NEWROUTE else 0, body, devices)


def new_link(name):
    """A veth pair NAME, NAMEp."""
    head = bytes(16)
    peer = attribute(1, head + attribute(3, f"{name}p".encode() + b"\0"))
    info = attribute(1, b"veth\0") + attribute(2 | 0x8000, peer)
    return Message(RTM_NEWLINK, CREATE, head + attribute(3, name.encode() + b"\0") + attribute(18 | 0x8000, info))


def set_link(name, *, rename=None, up=False):
    head = bytes(8) + (struct.pack("=II", 1, 1) if up else bytes(8))
    return Message(RTM_SETLINK, 0, head + (attribute(3, rename.encode() + b"\0") if rename else b""), ((4, name),))


ALL_ROUTES = struct.pack("=8BI", socket.AF_INET, 0, 0, 0, 0, 0, 0, 0, 0)


def table(number):
    return ALL_ROUTES + attribute(RTA_TABLE, struct.pack("=I", number))


@pytest.fixture
def netlink(namespace, inside):
    inside("ip link set lo up")
    with Netlink(namespace) as made:
        yield made


def test_a_dump_gives_every_object_as_its_bytes(netlink, inside):
    inside("ip rule add pref 17000 fwmark 0x10/0xff lookup 100 proto 94")
    rules = netlink.dump(RTM_GETRULE, bytes([socket.AF_INET]) + bytes(11))
    assert len(rules) == len(inside("ip -4 rule").splitlines()) == 4
    assert sum(struct.pack("=HHI", 8, 10, 0x10) in rule for rule in rules) == 1
    assert (netlink.dumps, netlink.requests) == (1, 0)


def test_twenty_thousand_routes_come_back(netlink):
    wanted = {f"10.{n >> 14 & 255}.{n >> 6 & 255}.{n << 2 & 255}" for n in range(20_000)}
    assert len(wanted) == 20_000
    acks = netlink.send(map(route, wanted))
    assert acks == [Ack(0, "")] * 20_000
    assert netlink.requests == 20_000
    bodies = netlink.dump(RTM_GETROUTE, table(100))
    assert {socket.inet_ntoa(body[body.index(b"\x08\0\x01\0", 12) + 4 :][:4]) for body in bodies} == wanted


def test_each_message_of_a_batch_gets_its_own_answer(netlink):
    acks = netlink.send(
        [
            route("10.0.0.1", dev="lo"),
            route("10.0.0.2", via="192.0.2.1", dev="lo"),
            route("10.0.0.3", dev="lo"),
        ]
    )
    assert [ack.errno for ack in acks] == [0, errno.ENETUNREACH, 0]
    assert acks[1].text == "Nexthop has invalid gateway"
    assert len(netlink.dump(RTM_GETROUTE, table(100))) == 2


def test_an_error_without_words_of_the_kernel_is_put_in_words(netlink):
    assert netlink.send([route("10.0.0.1")] * 2) == [Ack(0, ""), Ack(errno.EEXIST, "File exists")]
    assert netlink.send([route("10.0.0.2", type=RTM_DELROUTE)]) == [Ack(errno.ESRCH, "No such process")]


def test_nothing_is_sent_after_a_batch_with_a_failure(netlink):
    netlink._batch = 3
    messages = [route(f"10.0.0.{n}") for n in (1, 2, 3, 4, 4, 5, 6, 7)]
    acks = netlink.send(messages)
    assert [ack.errno for ack in acks] == [0, 0, 0, 0, errno.EEXIST, 0]
    assert len(netlink.dump(RTM_GETROUTE, table(100))) == 5
    assert netlink.requests == 6


def test_a_batch_stays_below_the_bytes_that_a_send_takes(netlink, monkeypatch):
    sizes = []
    transmit = netlink._transmit
    monkeypatch.setattr(netlink, "_transmit", lambda packed: (sizes.append(sum(map(len, packed))), transmit(packed)))
    monkeypatch.setattr(module, "BATCH_BYTES", 1000)
    netlink.send(route(f"10.0.0.{n}") for n in range(100))
    assert len(sizes) > 4
    assert max(sizes) <= 1100
    assert len(netlink.dump(RTM_GETROUTE, table(100))) == 100


def test_a_device_name_is_looked_up_after_what_makes_the_device(netlink):
    on_it = [route(f"10.0.0.{n}", dev="made0") for n in (1, 2)]
    acks = netlink.send([new_link("made0"), set_link("made0", up=True), *on_it])
    assert acks == [Ack(0, "")] * 4
    index = struct.pack("=I", netlink.index("made0"))
    assert all(attribute(RTA_OIF, index) in body for body in netlink.dump(RTM_GETROUTE, table(100)))


def test_a_device_that_changes_its_name_on_the_way_is_found_by_its_name_of_then(netlink):
    netlink.send([new_link("one"), new_link("two")])
    one, two = netlink.index("one"), netlink.index("two")
    acks = netlink.send(
        [
            set_link("one", rename="spare"),
            set_link("two", rename="one"),
            set_link("spare", rename="two"),
            set_link("one", up=True),
            route("10.0.0.1", dev="one"),
        ]
    )
    assert acks == [Ack(0, "")] * 5
    assert (netlink.index("one"), netlink.index("two")) == (two, one)
    (body,) = netlink.dump(RTM_GETROUTE, table(100))
    assert attribute(RTA_OIF, struct.pack("=I", two)) in body


def test_an_unknown_device_is_an_answer_and_ends_the_sending(netlink):
    acks = netlink.send([route("10.0.0.1"), route("10.0.0.2", dev="eth9"), route("10.0.0.3")])
    assert acks == [Ack(0, ""), Ack(errno.ENODEV, 'device "eth9" does not exist')]
    assert netlink.requests == 1
    assert len(netlink.dump(RTM_GETROUTE, table(100))) == 1


def test_a_failure_before_an_unknown_device_hides_it(netlink):
    acks = netlink.send([route("10.0.0.1", via="192.0.2.1", dev="lo"), route("10.0.0.2", dev="eth9")])
    assert [ack.errno for ack in acks] == [errno.ENETUNREACH]


def test_an_alternative_name_is_a_name(netlink, inside):
    inside("ip link property add dev lo altname a-name-that-is-longer-than-fifteen")
    inside("ip link property add dev lo altname short")
    assert netlink.index("a-name-that-is-longer-than-fifteen") == netlink.index("short") == netlink.index("lo") == 1


@pytest.mark.parametrize("name", ["eth9", "", "x" * 15, "x" * 16, "x" * 127, "x" * 500, "ä/b"])
def test_a_name_that_no_device_has_has_no_index(netlink, name):
    assert netlink.index(name) is None


def test_a_single_object_is_fetched_and_a_missing_one_refused(netlink):
    (body,) = netlink.get(18, bytes(16) + attribute(3, b"lo\0"))
    assert attribute(3, b"lo\0") in body
    with pytest.raises(NetlinkError) as caught:
        netlink.get(18, bytes(16) + attribute(3, b"eth9\0"))
    assert caught.value.errno == errno.ENODEV
    assert netlink.requests == 0


def test_the_kernels_words_come_with_a_refused_dump(netlink):
    with pytest.raises(NetlinkError) as caught:
        netlink.dump(RTM_GETROUTE, table(4321))
    assert caught.value.errno == errno.ENOENT
    assert "table does not exist" in str(caught.value)
    assert netlink.dump(RTM_GETROUTE, ALL_ROUTES) is not None


def test_messages_that_change_nothing_need_no_send(netlink):
    assert netlink.send([]) == []


class Script:
    """A socket that says what it is told to, whatever is asked."""

    def __init__(self, *replies):
        self.replies = list(replies)
        self.sequence = 0

    def send(self, data):
        self.sequence = struct.unpack_from("=I", data, 8)[0]

    def recvfrom(self, _size):
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        port, messages = reply if isinstance(reply, tuple) else (0, reply)
        return b"".join(pack(kind, flags, self.sequence + late, body) for kind, flags, late, body in messages), (
            port,
            0,
        )

    def close(self):
        pass


@pytest.fixture
def scripted(netlink, monkeypatch):
    monkeypatch.setattr(module.time, "sleep", lambda _: None)
    real = netlink._socket

    def script(*replies):
        netlink._socket = Script(*replies)
        return netlink

    yield script
    real.close()


OBJECT, DONE = (24, 2, 0, b"object.."), (3, 2, 0, bytes(4))


@pytest.mark.parametrize(
    "interrupted",
    [
        [[(24, 0x12, 0, b"object..")], [OBJECT, DONE]],
        [[OBJECT, (24, 0x12, 0, b"object..")], [DONE]],
        [[OBJECT], [OBJECT, (3, 0x12, 0, bytes(4))]],
    ],
)
def test_a_dump_that_was_interrupted_anywhere_is_asked_for_again(scripted, interrupted):
    netlink = scripted(*interrupted, [OBJECT, DONE])
    assert netlink.dump(26) == [b"object.."]
    assert netlink.dumps == 2


def test_a_dump_that_is_always_interrupted_is_given_up_with_the_reason(scripted):
    netlink = scripted(*[[(3, 0x12, 0, bytes(4))]] * 6)
    with pytest.raises(InterruptedDumpError, match="6 times in a row"):
        netlink.dump(26)
    assert netlink.dumps == 6


def test_answers_to_earlier_requests_and_words_of_other_processes_are_not_believed(scripted):
    stale = (24, 2, -1, b"stale...")
    netlink = scripted([stale], (4321, [(24, 2, 0, b"forged..")]), [OBJECT, stale, DONE])
    assert netlink.dump(26) == [b"object.."]


def test_an_overrun_is_told_and_the_next_request_works(scripted):
    netlink = scripted(OSError(errno.ENOBUFS, "No buffer space available"))
    with pytest.raises(OverrunError, match="unknown until it is read again"):
        netlink.send([route("10.0.0.1")])
    assert netlink.send([route("10.0.0.2")]) == [Ack(0, "")]


def test_acknowledgements_fit_into_a_receive_buffer_that_may_not_grow(namespace, monkeypatch):
    real = module.open_socket
    monkeypatch.setattr(module, "open_socket", lambda *where: real(*where[:2], 4096))
    with Netlink(namespace) as netlink:
        assert netlink._batch < 512
        acks = netlink.send([route("10.0.0.1"), *[route("10.0.0.1")] * (netlink._batch - 1)])
        assert [ack.errno for ack in acks] == [0] + [errno.EEXIST] * (netlink._batch - 1)


def test_objects_that_change_while_they_are_read_are_read_again(netlink, namespace, inside, entering):
    count = 2000
    addresses = "".join(f"address add 10.1.{n >> 8}.{n & 255}/32 dev lo\n" for n in range(count))
    inside("ip -batch -", stdin=addresses)
    flips = "address add 10.2.0.1/32 dev lo\naddress del 10.2.0.1/32 dev lo\n" * 200_000
    churn = subprocess.Popen(
        [*entering(namespace), "ip", "-force", "-batch", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        os.set_blocking(churn.stdin.fileno(), False)
        asked = 0
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module.time, "sleep", lambda _: None)
            rest = flips.encode()
            while netlink.dumps == asked and asked < 2000:
                with contextlib.suppress(BlockingIOError):
                    rest = rest[os.write(churn.stdin.fileno(), rest) :]
                asked += 1
                try:
                    bodies = netlink.dump(RTM_GETADDR, bytes([socket.AF_INET]) + bytes(7))
                except InterruptedDumpError:
                    continue
                assert count + 1 <= len(bodies) <= count + 2
        assert netlink.dumps > asked, "no dump was ever interrupted: the test has lost its ground"
    finally:
        churn.kill()
        churn.wait()
        churn.stdin.close()


def test_a_protocol_that_the_kernel_has_not_is_told(namespace):
    with pytest.raises(UnavailableError, match=r"no netlink \(protocol 31\) socket: Protocol not supported"):
        Netlink(namespace, 31)
