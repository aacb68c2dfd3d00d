"""What a resource packs and the kernel port sends: a netlink message, its device names still open."""

from __future__ import annotations

from typing import NamedTuple


class Message(NamedTuple):
    """One netlink message without its header: length and sequence number are the sender's business."""

    type: int
    """``nlmsg_type``: RTM_NEWROUTE and so on."""
    flags: int
    """The message's own ``nlmsg_flags``: NLM_F_CREATE, NLM_F_EXCL… (the sender adds REQUEST and ACK)."""
    body: bytes
    """All that follows ``nlmsghdr``: the family's fixed header and the attributes."""
    devices: tuple[tuple[int, str], ...] = ()
    """(offset in ``body``, device name): where the u32 index of that device is put just before sending."""
    namespaces: tuple[tuple[int, str], ...] = ()
    """(offset in ``body``, name of a network namespace): where the u32 descriptor of that namespace is put."""
    secrets: tuple[tuple[int, str], ...] = ()
    """(offset in ``body``, what the key is known by): where a secret is put just before sending."""


class Tap(NamedTuple):
    """A tun or tap interface to be made: no netlink message does it (drivers/net/tun.c)."""

    name: str
    flags: int
    """IFF_TUN or IFF_TAP, with IFF_NO_PI and others (linux/if_tun.h)."""
    owner: int | None = None
    """A user's number; None for none."""
    group: int | None = None


Request = Message | Tap
"""What a resource asks of the kernel."""
