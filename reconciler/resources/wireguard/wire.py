"""The messages of the generic netlink family "wireguard" (linux/wireguard.h): bytes in, bytes out.

A device with many peers comes in several messages, and a peer with many prefixes may be cut in two: the second
part then has nothing but its key and more prefixes. A message that is sent has room for a secret, not the secret.
"""

from __future__ import annotations

from socket import AF_INET, AF_INET6, inet_ntop
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from reconciler.resources.prefix import parse as parse_prefix
from reconciler.resources.wire import address, attribute, nested, number, packed, parse, string, text, u8, u16, u32
from reconciler.resources.wireguard.keys import NONE, Secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

FAMILY = "wireguard"
GET_DEVICE, SET_DEVICE = 0, 1
GENLMSGHDR = Struct("=BBH")
DEVICE_IFNAME, DEVICE_PRIVATE_KEY, DEVICE_PUBLIC_KEY, DEVICE_LISTEN_PORT, DEVICE_FWMARK, DEVICE_PEERS = 2, 3, 4, 6, 7, 8
PEER_PUBLIC_KEY, PEER_PRESHARED_KEY, PEER_FLAGS, PEER_ENDPOINT, PEER_KEEPALIVE, PEER_ALLOWEDIPS = 1, 2, 3, 4, 5, 9
ALLOWEDIP_FAMILY, ALLOWEDIP_IPADDR, ALLOWEDIP_CIDR_MASK = 1, 2, 3
REMOVE_ME, REPLACE_ALLOWEDIPS, UPDATE_ONLY = 1, 2, 4
MOST_PREFIXES = 1000
"""So many prefixes of a peer go in one message: an attribute holds at most 64 KiB."""

_PORT = Struct("!H")
_IPV4 = Struct("=H2s4s8x")
_IPV6 = Struct("=H2sI16sI")


class RawPeer(NamedTuple):
    """A peer as the kernel shows it, with its secret."""

    public_key: bytes
    preshared_key: Secret
    endpoint: str
    keepalive: int
    allowed_ips: tuple[str, ...]


class RawDevice(NamedTuple):
    """A device as the kernel shows it, with its secret."""

    name: str
    private_key: Secret
    public_key: bytes
    listen_port: int
    fwmark: int
    peers: tuple[RawPeer, ...]


def question(name: str) -> bytes:
    """Return the body of WG_CMD_GET_DEVICE."""
    return GENLMSGHDR.pack(GET_DEVICE, 1, 0) + text(DEVICE_IFNAME, name)


def answer(bodies: Iterable[bytes]) -> RawDevice | None:
    """Put one device together from all messages of its dump; None if there are none."""
    head, peers = None, dict[bytes, RawPeer]()
    for body in bodies:
        found = parse(body, GENLMSGHDR.size)
        if head is None:
            head = RawDevice(
                string(found[DEVICE_IFNAME]),
                Secret(found.get(DEVICE_PRIVATE_KEY, NONE)),
                found.get(DEVICE_PUBLIC_KEY, NONE),
                number(found[DEVICE_LISTEN_PORT]),
                number(found[DEVICE_FWMARK]),
                (),
            )
        for part in _listed(found.get(DEVICE_PEERS, b"")):
            peer = _peer(part)
            first = peers.get(peer.public_key)
            more = first._replace(allowed_ips=first.allowed_ips + peer.allowed_ips) if first else peer
            peers[peer.public_key] = more
    return head and head._replace(peers=tuple(peers.values()))


def _peer(body: bytes) -> RawPeer:
    found = parse(body)
    return RawPeer(
        found[PEER_PUBLIC_KEY],
        Secret(found.get(PEER_PRESHARED_KEY, NONE)),
        endpoint_text(found[PEER_ENDPOINT]) if PEER_ENDPOINT in found else "",
        number(found.get(PEER_KEEPALIVE, b"\0")),
        tuple(map(_allowed_ip, _listed(found.get(PEER_ALLOWEDIPS, b"")))),
    )


def _allowed_ip(body: bytes) -> str:
    found = parse(body)
    return f"{address(found[ALLOWEDIP_IPADDR])}/{number(found[ALLOWEDIP_CIDR_MASK])}"


def _listed(body: bytes) -> Iterator[bytes]:
    """Cut an array of attributes apart, all of which have the same type."""
    offset = 0
    while offset + 4 <= len(body):
        size = number(body[offset : offset + 2])
        if size < 4:
            return
        yield body[offset + 4 : offset + size]
        offset += (size + 3) & ~3


def device(name: str, *attributes: bytes) -> bytes:
    """Return the body of WG_CMD_SET_DEVICE."""
    return GENLMSGHDR.pack(SET_DEVICE, 1, 0) + text(DEVICE_IFNAME, name) + b"".join(attributes)


def room(kind: int) -> bytes:
    """Return the attribute of a secret, without the secret; that goes into its last 32 bytes."""
    return attribute(kind, NONE)


def peer(public_key: bytes, flags: int, *attributes: bytes) -> bytes:
    """Return DEVICE_PEERS with one peer in it; the attributes are the last thing in it."""
    return nested(DEVICE_PEERS, nested(0, attribute(PEER_PUBLIC_KEY, public_key), u32(PEER_FLAGS, flags), *attributes))


def allowed_ips(prefixes: Sequence[str]) -> bytes:
    """Return PEER_ALLOWEDIPS."""
    return nested(PEER_ALLOWEDIPS, *map(_pack_prefix, prefixes))


def _pack_prefix(prefix: str) -> bytes:
    host, length = parse_prefix(prefix)
    family = AF_INET6 if ":" in host else AF_INET
    return nested(
        0,
        u16(ALLOWEDIP_FAMILY, family),
        attribute(ALLOWEDIP_IPADDR, packed(host)),
        u8(ALLOWEDIP_CIDR_MASK, length),
    )


def keepalive(seconds: int) -> bytes:
    """Return PEER_KEEPALIVE."""
    return u16(PEER_KEEPALIVE, seconds)


def endpoint(word: str) -> bytes:
    """Return PEER_ENDPOINT: a struct sockaddr_in or sockaddr_in6."""
    host, _, port = word.rpartition(":")
    raw = packed(host.strip("[]"))
    name = _PORT.pack(int(port))
    if len(raw) == 4:
        return attribute(PEER_ENDPOINT, _IPV4.pack(AF_INET, name, raw))
    return attribute(PEER_ENDPOINT, _IPV6.pack(AF_INET6, name, 0, raw, 0))


def endpoint_text(raw: bytes) -> str:
    """Return an endpoint as people write it: ``192.0.2.1:51820``, ``[2001:db8::1]:51820``."""
    port = _PORT.unpack_from(raw, 2)[0]
    if len(raw) < _IPV6.size:
        return f"{inet_ntop(AF_INET, raw[4:8])}:{port}"
    return f"[{inet_ntop(AF_INET6, raw[8:24])}]:{port}"
