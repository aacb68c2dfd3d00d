"""What interfaces do to each other, and to what stands on them: masters and ports, lower ones and upper ones.

Sources: net/core/dev.c, net/bridge/br_if.c (br_mtu_auto_adjust), drivers/net/bonding/bond_main.c (bond_enslave,
__bond_release_one), drivers/net/vrf.c (cycle_netdev), net/8021q/vlan.c (vlan_device_event), drivers/net/macvlan.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.core.kind import Effect, Lack
from reconciler.resources.cascade import connected, ways, without_ipv6
from reconciler.resources.link.device_wire import bounces
from reconciler.resources.link.port_value import NEW_PORT
from reconciler.resources.route import LEAST_MTU_6

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.core.state import Value
    from reconciler.core.world import World

DEVICE = "device"
KERNEL = 2
MASTERS = {"bridge": "bridge", "bond": "bond", "team": "team", "vrf": "VRF"}
"""Types of links that can be a master, and their names."""
FOLLOWERS = ("vlan", "macvlan")
"""Types of links whose mtu is at most that of the one they stand on."""
SHADOWS = ("ipvlan",)
"""Types of links that get each new mtu of the one they stand on (ipvlan_adjust_mtu)."""


def unfit(value: Any, world: World) -> Iterator[Lack]:
    """Yield why an interface cannot be a port of its master."""
    link = world.get(("link", value.master))
    own = world.get(("link", value.name))
    if link is not None and link.type not in MASTERS:
        yield Lack(f"{value.master} is no bridge, bond or VRF")
        return
    word = MASTERS[link.type] if link is not None else "bridge"
    if value.name == "lo" or (own is not None and own.type == "bridge" and word == "bridge"):
        yield Lack(f"{value.name} cannot be a port of a {word}")


def limits(value: Any, world: World) -> Iterator[Lack]:
    """Yield what the interface below does not allow."""
    link = world.get(("link", value.name))
    if link is None or link.type not in FOLLOWERS:
        return
    lower = world.get((DEVICE, dict(link.options).get("link", "")))
    if lower is None:
        return
    now = world.get((DEVICE, value.name))
    if value.mtu is not None and lower.mtu is not None and value.mtu > lower.mtu and (not now or now.mtu != value.mtu):
        yield Lack(f"the mtu of {lower.name} is only {lower.mtu}")
    if link.type == "vlan" and value.state == "up" and lower.state == "down":
        yield Lack(f"{lower.name} is down")


def changed(before: Any, after: Any, world: World) -> Iterator[Effect]:
    """Yield what an interface loses, and does to others, when its settings change."""
    name = before.name
    if (before.state == "up" and after.state == "down") or bounces(before, after):
        yield from _down(name, world)
    elif before.mtu is not None and after.mtu is not None and before.mtu >= LEAST_MTU_6 > after.mtu:
        yield from without_ipv6(name, world, gone=True)
    if before.state == "up" and after.state == "down":
        yield from _vlans(name, "down", world)
    if before.state == "down" and after.state == "up":
        yield from _vlans(name, "up", world)
    if after.mtu is not None and before.mtu != after.mtu:
        yield from _carried(name, after.mtu, world)
    if before.master != after.master:
        yield from _no_port(name, world)
    if (before.mtu, before.master) != (after.mtu, after.master):
        for bridge in sorted({before.master, after.master} - {"", None}):
            yield from _adjusts(bridge, {name: after}, world)


def returned(before: Any, after: Any, world: World) -> Iterator[tuple[Value, int]]:
    """Yield the routes to the subnets of an interface that is up again, and what a new port of a bridge has."""
    if after.slave == "bridge" and after.master != before.master:
        yield NEW_PORT._replace(dev=after.name), KERNEL
    if after.state == "up" and (before.state == "down" or bounces(before, after)):
        for _, address, _ in world.within(("address", after.name)):
            if address.family == 4 or after.slave != "bond":  # IPv6 does not start on a bond's port (addrconf_notify)
                yield from connected(address, world)


def gone(name: str, world: World) -> Iterator[Effect]:
    """Yield what vanishes or changes with a device: itself, its ports' master, its own master's mtu."""
    link = world.get(("link", name))
    for key, device, mark in world.every(DEVICE):
        if device.name == name:
            yield Effect(key, device, mark)
            yield from _no_port(name, world)
            if device.master:
                yield from _adjusts(device.master, {name: None}, world)
        elif device.master == name:
            left = device._replace(master="", slave="")
            if link is not None and link.type == "bond":
                left = left._replace(state="down")
            if device.state == "up" and link is not None and link.type in ("bond", "vrf"):
                yield from _down(device.name, world)
            yield Effect(key, device, mark, left)
            yield from _no_port(device.name, world)


def _no_port(name: str, world: World) -> Iterator[Effect]:
    """Yield what an interface was set to as a bridge's port: with the bridge it goes."""
    yield from (Effect(("port", name), value, mark) for value, mark in world.holders(("port", name)))


def _down(name: str, world: World) -> Iterator[Effect]:
    device = world.get((DEVICE, name))
    yield from without_ipv6(name, world, keep=device is not None and bool(device.keep))
    yield from ways(name, world, 4)
    if name == "lo":
        yield from _refusals(world)


def _upper(name: str, world: World, *types: str) -> list[Any]:
    """Return the interfaces of some types that stand on one."""
    names = [link.name for _, link, _ in world.within(("link", "on", name)) if link.type in types]
    return [device for device in (world.get((DEVICE, upper)) for upper in names) if device is not None]


def _vlans(name: str, state: str, world: World) -> Iterator[Effect]:
    """The VLANs on an interface go down and up with it, whatever they were before (vlan_device_event)."""
    for upper in _upper(name, world, "vlan"):
        if upper.state != state:
            yield from _becomes(upper, upper._replace(state=state), world)


def _carried(name: str, mtu: int, world: World) -> Iterator[Effect]:
    """Yield the interfaces that get another mtu with this one: those that stand on it, and a bond's ports."""
    others = [upper for upper in _upper(name, world, *FOLLOWERS) if upper.mtu is not None and upper.mtu > mtu]
    others += [upper for upper in _upper(name, world, *SHADOWS) if upper.mtu != mtu]
    link = world.get(("link", name))
    if link is not None and link.type == "bond":
        others += [port for _, port, _ in world.every(DEVICE) if port.master == name and port.mtu != mtu]
    for other in others:
        yield from _becomes(other, other._replace(mtu=mtu), world)


def _becomes(device: Any, after: Any, world: World) -> Iterator[Effect]:
    """Yield that another interface changes along, with all that this takes."""
    key = (DEVICE, device.name)
    for _, mark in world.holders(key):
        yield Effect(key, device, mark, after)
    yield from changed(device, after, world)


def _adjusts(bridge: str, ports: Mapping[str, Any], world: World) -> Iterator[Effect]:
    """Yield a bridge's new mtu, and what that takes along; ``ports`` are those that change, None if gone.

    A bridge takes the smallest mtu of its ports, as long as nobody has set another one.
    """
    own = world.get((DEVICE, bridge))
    link = world.get(("link", bridge))
    if own is None or (link is not None and link.type != "bridge"):
        return
    now = {device.name: device for _, device, _ in world.every(DEVICE)}
    then = {name: device for name, device in {**now, **ports}.items() if device is not None}
    sizes = [
        min((d.mtu for d in devices.values() if d.master == bridge and d.mtu is not None), default=1500)
        for devices in (now, then)
    ]
    if own.mtu == sizes[0] != sizes[1]:
        yield from _becomes(own, own._replace(mtu=sizes[1]), world)


def _refusals(world: World) -> Iterator[Effect]:
    """IPv6 routes that lead nowhere: the kernel keeps them at the loopback interface."""
    for key, route, mark in world.every("route"):
        if route.family == 6 and route.type != "unicast":
            yield Effect(key, route, mark)
