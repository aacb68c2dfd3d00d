"""One netlink socket for requests: dumps cut into messages, batches with every acknowledgement checked.

It packs and decodes no object; it knows headers, sequence numbers, acknowledgements and device indexes. A
batch of rtnetlink messages is no transaction: the kernel carries out what follows a refused message.
"""

from __future__ import annotations

import errno
import socket
import struct
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from reconciler.errors import UnavailableError
from reconciler.kernel.ack import (
    HEADER,
    Ack,
    InterruptedDumpError,
    NetlinkError,
    OverrunError,
    parse_done,
    parse_error,
)
from reconciler.kernel.namespace import Namespace
from reconciler.kernel.sock import NETLINK_ROUTE, RECEIVE, SOL_NETLINK, cut, open_socket, pack

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType
    from typing import Self

    from reconciler.resources.message import Message

__all__ = ["Ack", "InterruptedDumpError", "Netlink", "NetlinkError", "OverrunError"]

NETLINK_CAP_ACK = 10  # an acknowledgement does not repeat the request
NETLINK_EXT_ACK = 11  # refusals come with the kernel's own words
NETLINK_GET_STRICT_CHK = 12  # a dump is filtered by the kernel

NLMSG_ERROR = 2
NLMSG_DONE = 3
NLM_F_REQUEST = 0x1
NLM_F_ACK = 0x4
NLM_F_DUMP_INTR = 0x10
NLM_F_DUMP = 0x300

RTM_GETLINK, RTM_GETNSID = 18, 90
NETNSA_NSID, NETNSA_FD = 1, 3
NAMING = frozenset((16, 17, 18, 19, 108, 109))  # RTM_*LINK, RTM_*LINKPROP: they change which names exist
IFLA_IFNAME = 3
IFLA_EXT_MASK = 29
IFLA_ALT_IFNAME = 53
RTEXT_FILTER_SKIP_STATS = 8
IFNAMSIZ = 16

ROOM = 1 << 20  # bytes of the receive buffer
ACK_COST = 1280  # bytes of it that one acknowledgement may take
ACK_READ = 4096  # bytes: each comes alone, and a buffer for more costs time
BATCH_MESSAGES = 512
BATCH_BYTES = 128 << 10
DUMP_ATTEMPTS = 6
DUMP_WAIT = 0.005  # seconds before the second attempt; doubles each time


class Netlink:
    """A request socket in one namespace, for one thread at a time.

    ``requests`` counts the messages sent that change something, ``dumps`` the dumps asked for, with retries.
    """

    def __init__(self, namespace: Namespace, protocol: int = NETLINK_ROUTE) -> None:
        self._namespace = namespace
        self._protocol = protocol
        self._sequence = 0
        self.requests = 0
        self.dumps = 0
        self._open()

    def dump(self, type: int, body: bytes = b"", flags: int = 0) -> list[bytes]:
        """All objects that a request of ``type`` (RTM_GETROUTE…) lists, each as its bytes after nlmsghdr.

        ``body`` is the family's whole fixed header and the attributes to filter by: the kernel checks it
        strictly. Raises NetlinkError where the kernel refuses, InterruptedDumpError where all kept changing.
        """
        wait = DUMP_WAIT
        for attempt in range(DUMP_ATTEMPTS):
            if attempt:
                time.sleep(wait)
                wait *= 2
            bodies = self._dump(type, body, flags)
            if bodies is not None:
                return bodies
        raise InterruptedDumpError(
            f"{self._namespace.describe()} changed while it was read (netlink request {type}),"
            f" {DUMP_ATTEMPTS} times in a row: `ip monitor` shows what keeps changing it; try again"
        )

    def get(self, type: int, body: bytes, flags: int = 0) -> list[bytes]:
        """The answer to a request for one object: mostly one body (the bytes after nlmsghdr).

        Raises NetlinkError where the kernel refuses, with ENODEV, ENOENT and so on where there is none.
        """
        number = self._next()
        self._transmit([pack(type, NLM_F_REQUEST | NLM_F_ACK | flags, number, body)])
        bodies: list[bytes] = []
        while True:
            for kind, kind_flags, sequence, reply in cut(self._receive()):
                if sequence != number:
                    continue
                if kind != NLMSG_ERROR:
                    bodies.append(reply)
                    continue
                ack = parse_error(reply, kind_flags)
                if ack.errno:
                    raise NetlinkError(*ack)
                return bodies

    def index(self, name: str) -> int | None:
        """The index of the device that has this name or alternative name now; None where there is none."""
        raw = name.encode("utf-8", "surrogateescape") + b"\0"
        kind = IFLA_IFNAME if len(raw) <= IFNAMSIZ else IFLA_ALT_IFNAME
        body = b"".join(
            (
                bytes(16),  # ifinfomsg
                struct.pack("=HHI", 8, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS),
                struct.pack("=HH", 4 + len(raw), kind),
                raw,
                bytes(-len(raw) % 4),
            )
        )
        try:
            replies = self.get(RTM_GETLINK, body)
        except NetlinkError as error:
            if error.errno in (errno.ENODEV, errno.ERANGE):  # there is no such name, or cannot be one
                return None
            raise
        return int(struct.unpack_from("=i", replies[0], 4)[0])

    def number_of(self, name: str) -> int | None:
        """The number by which the kernel knows another namespace here (RTM_GETNSID); None where it has none."""
        try:
            with Namespace.parse(name) as other:
                replies = self.get(RTM_GETNSID, bytes(4) + struct.pack("=HHI", 8, NETNSA_FD, other.fileno()))
        except (UnavailableError, NetlinkError):
            return None
        kind, number = struct.unpack_from("=2xHi", replies[0], 4) if replies else (0, -1)
        return number if kind == NETNSA_NSID and number >= 0 else None

    def send(self, messages: Iterable[Message]) -> list[Ack]:
        """Send messages that change something; returns the acknowledgements, in their order.

        They go in batches of up to 512 messages or 128 KB. After a batch with a failure in it nothing more is
        sent, so the list is then shorter than ``messages``: what it does not cover was not tried.

        Names of devices are looked up just before their message goes, after all earlier messages that may
        make or rename a device. An unknown one gives ``Ack(ENODEV, …)`` unsent, and ends the sending.

        Raises OverrunError, or NetlinkError where the socket itself fails: what was done is then unknown.
        """
        acks: list[Ack] = []
        queue: list[Message] = []
        size = 0
        naming = False  # something in the queue may change which names exist
        indexes: dict[str, int | None] = {}  # never kept longer: others rename devices too
        for message in messages:
            full = len(queue) >= self._batch or size + len(message.body) > BATCH_BYTES
            if full or (naming and message.devices):
                if not self._flush(queue, acks):
                    return acks
                if naming:
                    indexes.clear()
                size, naming = 0, False
            placed, missing = self._place(message, indexes)
            if message.namespaces and not missing:
                acks += self._elsewhere(placed) if self._flush(queue, acks) else []
                if acks and acks[-1].errno:
                    return acks
                continue
            if missing:
                if self._flush(queue, acks):
                    acks.append(Ack(errno.ENODEV, f'device "{missing}" does not exist'))
                return acks
            queue.append(placed)
            size += len(message.body) + HEADER.size
            naming = naming or message.type in NAMING
        self._flush(queue, acks)
        return acks

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open(self) -> None:
        self._socket = open_socket(self._namespace, self._protocol, ROOM)
        for option in (NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK):
            try:
                self._socket.setsockopt(SOL_NETLINK, option, 1)
            except OSError:  # it only makes answers better
                continue
        room = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
        self._batch = max(1, min(BATCH_MESSAGES, room // ACK_COST))

    def _next(self) -> int:
        self._sequence = self._sequence % 0xFFFFFFFF + 1
        return self._sequence

    def _place(self, message: Message, indexes: dict[str, int | None]) -> tuple[Message, str]:
        """The message with the indexes of its devices put in; and the name of the first that is missing."""
        if not message.devices:
            return message, ""
        body = bytearray(message.body)
        for offset, name in message.devices:
            if name not in indexes:
                indexes[name] = self.index(name)
            index = indexes[name]
            if index is None:
                return message, name
            struct.pack_into("=I", body, offset, index)
        return message._replace(body=bytes(body)), ""

    def _elsewhere(self, message: Message) -> list[Ack]:
        """Send one message that names other namespaces; they are held until it is answered."""
        body, acks = bytearray(message.body), list[Ack]()
        with ExitStack() as held:
            try:
                for offset, name in message.namespaces:
                    namespace = held.enter_context(Namespace.parse(name))
                    struct.pack_into("=I", body, offset, namespace.fileno())
            except UnavailableError as error:
                return [Ack(errno.ENOENT, str(error))]
            self._flush([message._replace(body=bytes(body))], acks)
        return acks

    def _flush(self, queue: list[Message], acks: list[Ack]) -> bool:
        """Send what is queued as one batch, empty the queue, add the acknowledgements; True if all are 0."""
        waiting: dict[int, int] = {}
        packed = []
        for position, message in enumerate(queue):
            number = self._next()
            waiting[number] = position
            flags = message.flags | NLM_F_REQUEST | NLM_F_ACK
            packed.append(pack(message.type, flags, number, message.body))
        if not packed:
            return True
        self._transmit(packed)
        self.requests += len(queue)
        answers = [Ack(0, "")] * len(queue)
        queue.clear()
        while waiting:
            for kind, flags, sequence, reply in cut(self._receive(ACK_READ)):
                if kind == NLMSG_ERROR and sequence in waiting:
                    answers[waiting.pop(sequence)] = parse_error(reply, flags)
        acks.extend(answers)
        return not any(ack.errno for ack in answers)

    def _dump(self, type: int, body: bytes, flags: int) -> list[bytes] | None:
        """One attempt; None where the kernel marked it as interrupted by a change."""
        self.dumps += 1
        number = self._next()
        self._transmit([pack(type, NLM_F_REQUEST | NLM_F_DUMP | flags, number, body)])
        bodies: list[bytes] = []
        seen = 0  # any message may carry the mark, the last one too
        unpack, keep = HEADER.unpack_from, bodies.append
        while True:
            data = self._receive()
            offset, end = 0, len(data)
            while offset + 16 <= end:  # cut(), without a generator: 100,000 routes come by here
                length, kind, flags, sequence, _ = unpack(data, offset)
                start, offset = offset + 16, offset + ((length + 3) & ~3)
                if sequence != number:
                    continue
                seen |= flags
                if kind > NLMSG_DONE:
                    keep(data[start : start - 16 + length])
                elif kind >= NLMSG_ERROR:
                    parse = parse_done if kind == NLMSG_DONE else parse_error
                    ack = parse(data[start : start - 16 + length], flags)
                    if ack.errno:
                        raise NetlinkError(*ack)
                    return None if seen & NLM_F_DUMP_INTR else bodies

    def _transmit(self, packed: list[bytes]) -> None:
        try:
            self._socket.send(b"".join(packed))
        except OSError as error:
            raise self._failure(error) from error

    def _receive(self, size: int = RECEIVE) -> bytes:
        """What the kernel says next: one or more whole messages."""
        while True:
            try:
                data, (port, _) = self._socket.recvfrom(size)
            except OSError as error:
                raise self._failure(error) from error
            if port == 0:  # what another process sends us are not the kernel's words
                return data

    def _failure(self, error: OSError) -> UnavailableError:
        """What to raise for a socket that failed: its conversation is lost, so it gets replaced."""
        self._socket.close()
        self._open()
        where = self._namespace.describe()
        if error.errno == errno.ENOBUFS:
            return OverrunError(
                f"the kernel had more answers for {where} than the socket holds (ENOBUFS): what was done is"
                " unknown until it is read again"
            )
        return NetlinkError(error.errno or 0, f"netlink in {where} failed: {error.strerror}")
