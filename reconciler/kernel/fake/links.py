"""The fake kernel's interfaces (net/core/rtnetlink.c, net/bridge/br_if.c, drivers/net/veth.c)."""

from __future__ import annotations

from errno import EEXIST, EINVAL, ELOOP, ENODEV, EOPNOTSUPP
from typing import TYPE_CHECKING, Any

from reconciler.kernel.fake import addresses, nexthops, routes, wireguard
from reconciler.kernel.fake.errors import DeniedError
from reconciler.kernel.fake.store import KERNEL
from reconciler.resources.address import Address
from reconciler.resources.address_value import FOREVER
from reconciler.resources.link.device import Device
from reconciler.resources.link.link import HARDWARE, Link
from reconciler.resources.link.port_value import NEW_PORT, Port

if TYPE_CHECKING:
    from reconciler.kernel.fake.store import Store, Thing

STANDARD_MTU, TUNNEL_MTU = 1500, 1420


def create(store: Store, link: Link, mark: int | None) -> None:
    """RTM_NEWLINK with NLM_F_CREATE and NLM_F_EXCL. Both ends of a veth are there at once."""
    if link.type not in ("bridge", "veth", "wireguard"):
        raise DeniedError(EOPNOTSUPP, f"Unknown device type {link.type}.")
    ends = [link]
    if link.type == "veth":
        ends.append(Link(dict(link.options)["peer"], "veth", (("peer", link.name),)))
    for end in ends:
        if store.first("device", lambda d, name=end.name: d.name == name) is not None:  # type: ignore[misc]
            raise DeniedError(EEXIST, "File exists")
    for end in ends:
        store.add("link", end, mark if end is link else mark or 0)
        store.add("device", _new(end.name, TUNNEL_MTU if link.type == "wireguard" else STANDARD_MTU), KERNEL)
    if link.type == "wireguard":
        wireguard.begin(store, link.name)


def plug(store: Store, name: str, *, promote: bool = False, keep: bool = False) -> None:
    """Put a piece of hardware in."""
    store.add("link", Link(name, HARDWARE), KERNEL)
    store.add("device", _new(name)._replace(promote=promote, keep=keep), KERNEL)


def delete(store: Store, name: str) -> None:
    """RTM_DELLINK."""
    link = store.first("link", lambda one: one.name == name)
    if link is None:
        raise DeniedError(ENODEV, f"Cannot find device {name}")
    if link.value.type == HARDWARE:
        raise DeniedError(EOPNOTSUPP, "Operation not supported")
    for end in {name, *dict(link.value.options).values()}:
        _vanish(store, end)


def change(store: Store, device: Device, fields: tuple[str, ...]) -> None:
    """RTM_SETLINK: first the mtu, then the master, then the flags (do_setlink)."""
    thing = _find(store, device.name)
    if "mtu" in fields and device.mtu is not None:
        _set_mtu(store, thing, device.mtu)
        thing.fixed = True
    if "master" in fields and device.master is not None:
        _enslave(store, thing, device.master)
    if "state" in fields and device.state != thing.value.state:
        store.write(thing, thing.value._replace(state=device.state))
        if device.state == "up":
            _up(store, thing.value)
        else:
            _down(store, device.name)


def _new(name: str, mtu: int = STANDARD_MTU) -> Device:
    return Device(name, "down", mtu, "", promote=False, alias="", group=0, slave="", keep=False)


def set_port(store: Store, port: Port, fields: tuple[str, ...]) -> None:
    """RTM_NEWLINK with a bridge port's settings (br_port_slave_changelink)."""
    thing = store.first("port", lambda one: one.dev == port.dev)
    if thing is None:
        raise DeniedError(EINVAL, "Invalid argument")
    store.write(thing, thing.value._replace(**{field: getattr(port, field) for field in fields}))


def _find(store: Store, name: str) -> Thing:
    thing = store.first("device", lambda d: d.name == name)
    if thing is None:
        raise DeniedError(ENODEV, f"Cannot find device {name}")
    return thing


def _up(store: Store, device: Device) -> None:
    """Link up: routes to the interface's own subnets, and an IPv6 address of the link."""
    if device.mtu is not None and device.mtu >= routes.LEAST_MTU_6 and device.name != "lo":
        number = sum(map(ord, device.name))
        local = Address(device.name, 6, f"fe80::{number:x}/64", "", secondary=False, tentative=True)
        store.add("address", local, KERNEL)
    for thing in store.where("address", lambda a: a.dev == device.name):
        addresses.connect(store, thing.value)
    for family in (4, 6):
        routes.revive(store, device.name, family)


def _down(store: Store, name: str) -> None:
    """Link down: IPv4 loses its routes, IPv6 its addresses as well; their use as a source is not noticed."""
    keep = _find(store, name).value.keep
    store.purge("address", lambda a: a.dev == name and a.family == 6 and not (keep and _stays(a)))
    for thing in store.where("address", lambda a: a.dev == name and a.family == 6):
        store.write(thing, thing.value._replace(tentative=not thing.value.nodad))
    routes.lose(store, name)
    nexthops.flush(store, name)
    if name == "lo":
        store.purge("route", lambda r: r.family == 6 and r.type != "unicast")


def _stays(address: Address) -> bool:
    """Tell whether an IPv6 address is one that keep_addr_on_down keeps."""
    return address.valid == FOREVER and not address.address.startswith("fe80:") and address.dev != "lo"


def _set_mtu(store: Store, thing: Thing, mtu: int) -> None:
    before = thing.value.mtu
    store.write(thing, thing.value._replace(mtu=mtu))
    if before >= routes.LEAST_MTU_6 > mtu:
        name = thing.value.name
        store.purge("address", lambda a: a.dev == name and a.family == 6)
        routes.lose(store, name, 6, gone=True)
    if thing.value.master:
        _adjust(store, thing.value.master)


def _enslave(store: Store, thing: Thing, master: str) -> None:
    device: Any = thing.value
    if device.master == master:
        return
    if master:
        bridge = store.first("link", lambda link: link.name == master)
        if bridge is None:
            raise DeniedError(ENODEV, f"Device does not exist: {master}")
        if bridge.value.type != "bridge":
            raise DeniedError(EOPNOTSUPP, "Operation not supported")
        own = store.first("link", lambda link: link.name == device.name)
        if own is not None and own.value.type == "bridge":
            raise DeniedError(ELOOP, "Can not enslave a bridge to a bridge.")
        if device.name == "lo":
            raise DeniedError(EINVAL, "Invalid argument")
    store.write(thing, device._replace(master=master, slave="bridge" if master else ""))
    store.purge("port", lambda port: port.dev == device.name)
    if master:
        store.add("port", NEW_PORT._replace(dev=device.name), KERNEL)
    for bridge_ in (device.master, master):
        if bridge_:
            _adjust(store, bridge_)


def _adjust(store: Store, bridge: str) -> None:
    """A bridge takes the smallest mtu of its ports, until somebody sets it."""
    thing = store.first("device", lambda d: d.name == bridge)
    if thing is not None and not thing.fixed:
        ports = [port.value.mtu for port in store.where("device", lambda d: d.master == bridge)]
        mtu = min(ports, default=STANDARD_MTU)
        if mtu != thing.value.mtu:
            _set_mtu(store, thing, mtu)


def _vanish(store: Store, name: str) -> None:
    """Take an interface out, with all that stands on it."""
    thing = _find(store, name)
    _down(store, name)
    routes.lose(store, name, gone=True)
    primaries = [a.value.host for a in store.where("address", lambda a: a.dev == name and not a.secondary)]
    store.purge("address", lambda a: a.dev == name and not a.secondary)
    for host in primaries:
        addresses.forget_source(store, host)
    store.purge("address", lambda a: a.dev == name)
    for kind in ("qdisc", "class", "filter"):
        store.purge(kind, lambda one: one.dev == name)
    wireguard.vanish(store, name)
    for port in store.where("device", lambda d: d.master == name):
        store.write(port, port.value._replace(master="", slave=""))
        store.purge("port", lambda one, name=port.value.name: one.dev == name)  # type: ignore[misc]
    store.purge("port", lambda one: one.dev == name)
    store.remove("device", thing)
    store.purge("link", lambda link: link.name == name)
    if thing.value.master:
        _adjust(store, thing.value.master)
