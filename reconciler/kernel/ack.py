"""How the kernel answers a netlink request: acknowledgements, and refusals in its own words."""

from __future__ import annotations

import os
import struct
from typing import NamedTuple

from reconciler.errors import UnavailableError

NLM_F_CAPPED = 0x100  # the answer repeats only the header of the request
NLM_F_ACK_TLVS = 0x200  # attributes follow
NLMSGERR_ATTR_MSG = 1

HEADER = struct.Struct("=IHHII")  # nlmsghdr: length, type, flags, sequence number, port
_ERROR = struct.Struct("=iIHHII")  # nlmsgerr: -errno, then the header of the request
_ATTRIBUTE = struct.Struct("=HH")  # length, type


class Ack(NamedTuple):
    """What the kernel said to one message."""

    errno: int
    """0, or the number of the error (positive, as in Python's ``errno``)."""
    text: str
    """The kernel's own words, or what the number means. For 0 mostly empty; else a warning of the kernel."""


class NetlinkError(UnavailableError):
    """The kernel refused to read something."""

    def __init__(self, errno: int, text: str) -> None:
        self.errno = errno
        self.text = text
        super().__init__(text)


class InterruptedDumpError(UnavailableError):
    """What was read kept changing while it was read."""


class OverrunError(UnavailableError):
    """The kernel had more to say than the socket could hold; what was done is unknown: read again."""


def describe(errno: int) -> str:
    """What an error number means, in the C library's words; "" for 0."""
    return os.strerror(errno) if errno else ""


def parse_error(body: bytes, flags: int) -> Ack:
    """The Ack that a NLMSG_ERROR holds; ``body`` is all after its nlmsghdr, ``flags`` that header's."""
    code, length, *_ = _ERROR.unpack_from(body)
    text = ""
    if flags & NLM_F_ACK_TLVS:
        repeated = 0 if flags & NLM_F_CAPPED else max(0, length - HEADER.size)
        text = _message(body, _ERROR.size + _align(repeated))
    return Ack(-code, text or describe(-code))


def parse_done(body: bytes, flags: int) -> Ack:
    """The Ack that a NLMSG_DONE holds: a dump that fails half-way says so in its last message."""
    if len(body) < 4:
        return Ack(0, "")
    code = int(struct.unpack_from("=i", body)[0])
    if code >= 0:
        return Ack(0, "")
    text = _message(body, 4) if flags & NLM_F_ACK_TLVS else ""
    return Ack(-code, text or describe(-code))


def _message(body: bytes, offset: int) -> str:
    """The text among the attributes that start at ``offset``; "" where there is none."""
    while offset + _ATTRIBUTE.size <= len(body):
        length, kind = _ATTRIBUTE.unpack_from(body, offset)
        if length < _ATTRIBUTE.size:
            break
        if kind & 0x3FFF == NLMSGERR_ATTR_MSG:
            raw = body[offset + _ATTRIBUTE.size : offset + length]
            return raw.rstrip(b"\0").decode("utf-8", "replace")
        offset += _align(length)
    return ""


def _align(length: int) -> int:
    return (length + 3) & ~3
