"""All kinds, in the order in which they are made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.resources.address import AddressKind
from reconciler.resources.iptables.chain import ChainKind
from reconciler.resources.iptables.jump import JumpKind
from reconciler.resources.iptables.policy import PolicyKind
from reconciler.resources.link.device import DeviceKind
from reconciler.resources.link.link import LinkKind
from reconciler.resources.link.port import PortKind
from reconciler.resources.nexthop import NexthopKind
from reconciler.resources.route.kind import RouteKind
from reconciler.resources.rule import RuleKind
from reconciler.resources.sysctl import SysctlKind
from reconciler.resources.tc.class_ import ClassKind
from reconciler.resources.tc.filter import FilterKind
from reconciler.resources.tc.qdisc import QdiscKind
from reconciler.resources.wireguard.device import WireguardKind
from reconciler.resources.wireguard.peer import PeerKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.resources.base import Resource

KINDS: Mapping[str, Resource[Any]] = {
    "sysctl": SysctlKind(),
    "link": LinkKind(),
    "wireguard": WireguardKind(),
    "wireguard-peer": PeerKind(),
    "device": DeviceKind(),
    "port": PortKind(),
    "address": AddressKind(),
    "nexthop": NexthopKind(),
    "route": RouteKind(),
    "rule": RuleKind(),
    "chain": ChainKind(),
    "jump": JumpKind(),
    "policy": PolicyKind(),
    "qdisc": QdiscKind(),
    "class": ClassKind(),
    "filter": FilterKind(),
}
