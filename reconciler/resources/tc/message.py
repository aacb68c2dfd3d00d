"""What qdiscs, classes and filters have in common on the wire: struct tcmsg (linux/rtnetlink.h)."""

from __future__ import annotations

from struct import Struct

from reconciler.resources.wire import text

TCMSG = Struct("=BxxxiIII")
TCA_KIND, TCA_OPTIONS = 1, 2


def body(handle: int, parent: int, kind: str, rest: bytes = b"", info: int = 0) -> bytes:
    """Return a request's body; the device's index goes to offset 4."""
    return TCMSG.pack(0, 0, handle, parent, info) + text(TCA_KIND, kind) + rest
