"""Netlink attributes and small number formats: bytes in, bytes out, no socket.

Formats are those of linux/netlink.h; headers are those of linux/if_link.h, if_addr.h, rtnetlink.h,
fib_rules.h and pkt_sched.h. Numbers are of the machine's byte order unless a name says otherwise.
"""

from __future__ import annotations

from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from struct import Struct, pack_into, unpack_from

NLM_F_REQUEST, NLM_F_ACK = 0x1, 0x4
NLM_F_REPLACE, NLM_F_EXCL, NLM_F_CREATE, NLM_F_APPEND = 0x100, 0x200, 0x400, 0x800

NLA_TYPE_MASK = 0x3FFF
NLA_F_NESTED = 0x8000

_HEAD = Struct("=HH")
_PAD = (b"", b"\0\0\0", b"\0\0", b"\0")
_U32 = Struct("=I")

Attributes = dict[int, bytes]


def attribute(kind: int, payload: bytes) -> bytes:
    """Return one attribute, padded to four bytes."""
    size = len(payload)
    return _HEAD.pack(size + 4, kind) + payload + _PAD[size & 3]


def nested(kind: int, *attributes: bytes) -> bytes:
    """Return an attribute that holds others, flagged as nested as newer kernels ask for."""
    return attribute(kind | NLA_F_NESTED, b"".join(attributes))


def u8(kind: int, number: int) -> bytes:
    """Return an attribute that holds one byte."""
    return attribute(kind, bytes((number,)))


def u16(kind: int, number: int) -> bytes:
    """Return an attribute that holds two bytes."""
    return attribute(kind, number.to_bytes(2, "little" if _LITTLE else "big"))


def u32(kind: int, number: int) -> bytes:
    """Return an attribute that holds four bytes."""
    return _HEAD.pack(8, kind) + _U32.pack(number)


def u64(kind: int, number: int) -> bytes:
    """Return an attribute that holds eight bytes."""
    return attribute(kind, number.to_bytes(8, "little" if _LITTLE else "big"))


def text(kind: int, word: str) -> bytes:
    """Return an attribute that holds a zero-terminated string."""
    return attribute(kind, word.encode() + b"\0")


def parse(body: bytes, offset: int = 0) -> Attributes:
    """Cut attributes apart: type without its flags to payload. A broken tail is left out."""
    found: Attributes = {}
    end = len(body)
    while offset + 4 <= end:
        size, kind = _HEAD.unpack_from(body, offset)
        if size < 4 or offset + size > end:
            break
        found[kind & NLA_TYPE_MASK] = body[offset + 4 : offset + size]
        offset += (size + 3) & ~3
    return found


def number(payload: bytes) -> int:
    """Read an unsigned number of one, two, four or eight bytes."""
    return int.from_bytes(payload, "little" if _LITTLE else "big")


def string(payload: bytes) -> str:
    """Read a zero-terminated string."""
    return payload.split(b"\0", 1)[0].decode(errors="replace")


def address(payload: bytes) -> str:
    """Read an IPv4 or IPv6 address as canonical text."""
    return inet_ntop(AF_INET if len(payload) == 4 else AF_INET6, payload)


def packed(word: str) -> bytes:
    """Return the bytes of an address, IPv6 if it has a colon; OSError if it is none."""
    return inet_pton(AF_INET6 if ":" in word else AF_INET, word)


def patch(body: bytearray, offset: int, index: int) -> None:
    """Put an interface's index into its place in a message."""
    pack_into("=I", body, offset, index)


def index_at(body: bytes, offset: int = 4) -> int:
    """Read an interface's index; offset 4 is its place in ifinfomsg, ifaddrmsg and tcmsg."""
    return int(unpack_from("=I", body, offset)[0])


_LITTLE = _U32.pack(1)[0] == 1
