"""Making tun and tap interfaces: an open file, a few ioctls, and it persists (drivers/net/tun.c)."""

from __future__ import annotations

import fcntl
import os
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.kernel.namespace import Namespace
    from reconciler.resources.message import Tap

DEVICE = "/dev/net/tun"
TUNSETIFF, TUNSETPERSIST, TUNSETOWNER, TUNSETGROUP = 0x400454CA, 0x400454CB, 0x400454CC, 0x400454CE
IFREQ = struct.Struct("=16sH22x")


def make(namespace: Namespace, tap: Tap) -> None:
    """Make a persistent interface. OSError, with the file's name, where that is refused.

    The kernel would attach to one of that name that is there already: look first.
    """
    namespace.run(lambda: _make(tap))


def _make(tap: Tap) -> None:
    opened = os.open(DEVICE, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.ioctl(opened, TUNSETIFF, IFREQ.pack(tap.name.encode(), tap.flags))
        if tap.owner is not None:
            fcntl.ioctl(opened, TUNSETOWNER, _signed(tap.owner))
        if tap.group is not None:
            fcntl.ioctl(opened, TUNSETGROUP, _signed(tap.group))
        fcntl.ioctl(opened, TUNSETPERSIST, 1)
    finally:
        os.close(opened)


def _signed(number: int) -> int:
    """Return the same 32 bits as the signed number that ioctl takes."""
    return number - (1 << 32) if number >= 1 << 31 else number
