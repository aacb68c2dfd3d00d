"""Packets, and what becomes of them: an echo that tells by which device a packet came, and the rate of a stream.

Nothing here sleeps to wait for something, and every stream is bounded in time.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import selectors
import socket
import struct
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.netns.lab import Namespace

PORT = 7777
_SINK_PORT = 8000
_PORTS = itertools.cycle(range(20000, 60000))
"""Where senders send from. A port of one's own is no flow that conntrack knows, with a mark that is restored."""
IP_PKTINFO = 8  # <linux/in.h>; not every Python names it
_PKTINFO4 = struct.Struct("=i4s4s")  # in_pktinfo: device, local address, the header's destination


class NoAnswerError(Exception):
    """A packet was sent, and nothing came back in time."""


class Arrival(NamedTuple):
    """How a packet reached the other side."""

    device: str
    """The device there by which it came in."""
    source: str
    """The address it came from."""


class Echo:
    """Answers UDP and TCP, IPv4 and IPv6, on one device of a namespace: each request with its ``Arrival``.

    The answer leaves by the same device, from the address that was asked, whatever the routes there say.
    """

    def __init__(self, namespace: Namespace, device: str, port: int = PORT) -> None:
        self.arrivals: list[Arrival] = []
        """All that came, answered or not, in order."""
        self._device = device
        self._selector = selectors.DefaultSelector()
        self._wake, self._woken = socket.socketpair()
        self._selector.register(self._woken, selectors.EVENT_READ, None)
        for made, answer in namespace.call(self._sockets, port):
            self._selector.register(made, selectors.EVENT_READ, answer)
        self._thread = threading.Thread(target=self._serve, name=f"echo on {device}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread and close the sockets."""
        self._wake.close()
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()
        self._selector.close()

    def _sockets(self, port: int) -> list[tuple]:
        made = []
        for family, anywhere in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
            for kind, answer in (
                (socket.SOCK_DGRAM, self._answer_datagram),
                (socket.SOCK_STREAM, self._answer_call),
            ):
                try:
                    opened = socket.socket(family, kind)
                except OSError:  # the kernel runs without IPv6
                    continue
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, self._device.encode())
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                    opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
                else:
                    opened.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
                opened.bind((anywhere, port))
                if kind == socket.SOCK_STREAM:
                    opened.listen()
                made.append((opened, answer))
        return made

    def _serve(self) -> None:
        while True:
            for key, _ in self._selector.select():
                if key.data is None:
                    return
                # An answer that cannot be routed, a caller that is gone: the arrival is noted all the same.
                with contextlib.suppress(OSError):
                    key.data(key.fileobj)

    def _arrived(self, source: str) -> bytes:
        self.arrivals.append(Arrival(self._device, source))
        return json.dumps(self.arrivals[-1]).encode()

    def _answer_datagram(self, here: socket.socket) -> None:
        _, ancillary, _, peer = here.recvmsg(2048, 256)
        answer = self._arrived(peer[0])
        level, kind, info = ancillary[0]
        if level == socket.IPPROTO_IP:
            _, local, _ = _PKTINFO4.unpack(info)
            info = _PKTINFO4.pack(0, local, bytes(4))
        here.sendmsg([answer], [(level, kind, info)], 0, peer)

    def _answer_call(self, here: socket.socket) -> None:
        connection, peer = here.accept()
        with connection:
            connection.settimeout(2)
            answer = self._arrived(peer[0])
            if connection.recv(2048):
                connection.sendall(answer)


class Sender(NamedTuple):
    """What a socket is given before it sends; the defaults make a plain one."""

    to: str
    mark: int | None = None
    bind: str | None = None
    """A local address."""
    device: str | None = None
    """For SO_BINDTODEVICE."""

    def open(self, namespace: Namespace, kind: int = socket.SOCK_DGRAM) -> socket.socket:
        """Return the socket, not yet connected."""
        family = socket.AF_INET6 if ":" in self.to else socket.AF_INET
        opened = namespace.call(socket.socket, family, kind)
        try:
            if self.mark is not None:
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, self.mark)
            if self.device is not None:
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, self.device.encode())
            opened.bind((self.bind or ("::" if family == socket.AF_INET6 else "0.0.0.0"), next(_PORTS)))
        except OSError:
            opened.close()
            raise
        return opened


def send(
    namespace: Namespace, sender: Sender, *, protocol: str = "udp", port: int = PORT, timeout: float = 2
) -> Arrival:
    """Send one request to an ``Echo`` and return how it arrived.

    ``NoAnswerError`` after ``timeout`` seconds of silence; ``OSError`` where the kernel refuses to send.
    """
    kind = {"udp": socket.SOCK_DGRAM, "tcp": socket.SOCK_STREAM}[protocol]
    with sender.open(namespace, kind) as opened:
        opened.settimeout(timeout)
        try:
            opened.connect((sender.to, port))
            opened.sendall(b"?")
            answer = opened.recv(2048)
        except TimeoutError:
            raise NoAnswerError(f"{protocol} from {namespace.name}, {sender}: no answer in {timeout} s") from None
    return Arrival(*json.loads(answer))


def rates(
    namespace: Namespace, far: Namespace, senders: Sequence[Sender], *, seconds: float = 1.5, size: int = 1400
) -> list[float]:
    """Send UDP from all senders at once, as fast as they may, and return the bit/s at which each arrives.

    Counted as tc counts, with the Ethernet header. The first quarter of the time, in which saved-up tokens are
    spent, is left out. The time runs ``seconds`` and no longer.
    """
    with contextlib.ExitStack() as open_sockets:
        pairs = []
        for number, sender in enumerate(senders):
            sink = far.call(_sink, sender.to, _SINK_PORT + number)
            open_sockets.enter_context(sink)
            source = open_sockets.enter_context(sender.open(namespace))
            source.connect((sender.to, _SINK_PORT + number))
            source.settimeout(0.1)
            pairs.append((source, sink))
        end = time.monotonic() + seconds
        arrived: list[list[tuple[float, int]]] = [[] for _ in pairs]
        threads = [threading.Thread(target=_flood, args=(source, size, end)) for source, _ in pairs]
        threads += [
            threading.Thread(target=_count, args=(sink, into, end))
            for (_, sink), into in zip(pairs, arrived, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    headers = [14 + (40 if ":" in sender.to else 20) + 8 for sender in senders]
    return [_rate(seen, extra, seconds / 4) for seen, extra in zip(arrived, headers, strict=True)]


def _sink(to: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in to else socket.AF_INET
    made = socket.socket(family, socket.SOCK_DGRAM)
    made.bind((to, port))
    made.settimeout(0.05)
    return made


def _flood(source: socket.socket, size: int, end: float) -> None:
    payload = bytes(size)
    while time.monotonic() < end:
        # A full queue makes the socket wait, or refuse (ENOBUFS); a lost answer (ECONNREFUSED) is no concern.
        with contextlib.suppress(OSError):
            source.send(payload)


def _count(sink: socket.socket, into: list[tuple[float, int]], end: float) -> None:
    while time.monotonic() < end:
        with contextlib.suppress(TimeoutError):
            size = len(sink.recv(65535))
            into.append((time.monotonic(), size))


def _rate(arrived: list[tuple[float, int]], extra: int, left_out: float) -> float:
    """Return the bit/s of (time, size) pairs, each packet ``extra`` bytes larger than it says."""
    if not arrived:
        return 0.0
    start = arrived[0][0] + left_out
    counted = [(when, size) for when, size in arrived if when > start]
    if not counted:
        return 0.0
    return sum(size + extra for _, size in counted) * 8 / (counted[-1][0] - start)
