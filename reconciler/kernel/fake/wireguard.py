"""The fake kernel's WireGuard (drivers/net/wireguard/netlink.c): settings of a device, and its peers."""

from __future__ import annotations

from errno import ENODEV
from typing import TYPE_CHECKING

from reconciler.kernel.fake.errors import DeniedError
from reconciler.kernel.fake.store import KERNEL
from reconciler.resources.wireguard.device import Wireguard

if TYPE_CHECKING:
    from reconciler.kernel.fake.store import Store
    from reconciler.resources.wireguard.peer import Peer

CHOSEN = 40000
"""The port that the kernel takes where nobody has said one."""


def begin(store: Store, name: str) -> None:
    """A new device has neither key nor peers."""
    store.add("wireguard", Wireguard(name, "", 0, 0), KERNEL)


def vanish(store: Store, name: str) -> None:
    """With the device go its peers."""
    store.purge("wireguard", lambda device: device.name == name)
    store.purge("wireguard-peer", lambda peer: peer.dev == name)


def change(store: Store, wanted: Wireguard, fields: tuple[str, ...]) -> None:
    """WG_CMD_SET_DEVICE without peers. A peer that has the device's own key goes."""
    thing = store.first("wireguard", lambda device: device.name == wanted.name)
    if thing is None:
        raise DeniedError(ENODEV, "No such device")
    said = {field: getattr(wanted, field) for field in fields}
    up = store.first("device", lambda device: (device.name, device.state) == (wanted.name, "up"))
    if said.get("listen_port") == 0 and up is not None:
        said["listen_port"] = CHOSEN
    store.write(thing, thing.value._replace(**said))
    if "public_key" in said:
        key = said["public_key"]
        store.purge("wireguard-peer", lambda peer: (peer.dev, peer.public_key) == (wanted.name, key))


def put_peer(store: Store, peer: Peer, mark: int | None) -> None:
    """WG_CMD_SET_DEVICE with one peer: each prefix leaves whoever had it. The device's own key is passed over."""
    device = store.first("wireguard", lambda one: one.name == peer.dev)
    if device is None:
        raise DeniedError(ENODEV, "No such device")
    if device.value.public_key == peer.public_key:
        return
    shown = peer._replace(preshared_key_file=None)
    for thing in store.where("wireguard-peer", lambda p: p.dev == peer.dev and p.public_key != peer.public_key):
        left = tuple(prefix for prefix in thing.value.allowed_ips if prefix not in peer.allowed_ips)
        store.write(thing, thing.value._replace(allowed_ips=left))
    known = store.first("wireguard-peer", lambda p: (p.dev, p.public_key) == (peer.dev, peer.public_key))
    if known is None:
        store.add("wireguard-peer", shown, mark)
    else:
        store.write(known, shown)
        known.mark = mark


def remove_peer(store: Store, peer: Peer) -> None:
    """WGPEER_F_REMOVE_ME."""
    store.purge("wireguard-peer", lambda p: (p.dev, p.public_key) == (peer.dev, peer.public_key))
