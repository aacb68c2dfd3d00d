"""Strategies: what files ask for, what others do, and kernels with a history."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, NamedTuple

from hypothesis import strategies as st

from reconciler.core.change import Change
from reconciler.core.desired import Desired
from reconciler.core.plan import plan
from reconciler.kernel.fake import DeniedError, FakeKernel
from reconciler.resources.iptables.policy import Policy
from reconciler.resources.link.device import Device
from reconciler.resources.registry import KINDS
from reconciler.resources.route import Route
from reconciler.resources.route.value import gateways
from reconciler.resources.rule import Rule
from reconciler.resources.rule_check import overlap
from reconciler.resources.sysctl import Sysctl
from reconciler.resources.wireguard.device import Wireguard
from reconciler.resources.wireguard.peer import Peer
from tests.core import pools

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.core.state import Key, State, Value

OURS = None
BOOT = 3
"""RTPROT_BOOT. A route's protocol 0 is none: it could not be told from others in a deletion."""
FOREIGN = frozenset({0, 3, 4, 16})
"""Marks of what somebody else made: nobody, boot, static, DHCP."""


class Deed(NamedTuple):
    """One thing that somebody else does."""

    value: Value
    mark: int
    gone: bool = False


class Scene(NamedTuple):
    """A kernel, what its file asked for before, and what it asks for now."""

    kernel: FakeKernel
    wish: Desired


def kind_of(value: Value) -> Any:
    return next(kind for kind in KINDS.values() if isinstance(value, kind.value))


def key_of(value: Value) -> Key:
    key: Key = kind_of(value).key(value)
    return key


def keyed(values: Iterable[Value]) -> dict[Key, Value]:
    """Return what a file could ask for: no key twice, and nothing that excludes something else in it."""
    found: dict[Key, Value] = {}
    claimed: set[Key] = set()
    for value in values:
        claims = set(kind_of(value).claims(value))
        if isinstance(value, Peer):
            claims = {(value.dev, prefix) for prefix in value.allowed_ips}
        if key_of(value) not in found and not claims & claimed and not _doubled(value, found.values()):
            found[key_of(value)] = value
            claimed |= claims
    return found


def _doubled(value: Value, others: Iterable[Value]) -> bool:
    """Tell whether this is a rule which no file can hold beside others: of one priority, for one packet."""
    rules = [other for other in others if isinstance(value, Rule) and isinstance(other, Rule)]
    return any(other[:2] == value[:2] and overlap(value, other) for other in rules)


def _mix(*parts: tuple[int, tuple[Value, ...]]) -> st.SearchStrategy[Value]:
    """Draw from several pools, from each as often as its weight says."""
    return st.sampled_from([pool for weight, pool in parts for _ in range(weight)]).flatmap(st.sampled_from)


wishful = _mix(
    (1, pools.LINKS), (2, pools.SETTINGS), (1, pools.PORTS), (5, pools.ADDRESSES), (4, pools.NEAR_4), (2, pools.NEAR_6),
    (2, pools.ROUTES_4), (2, pools.NEXTHOPS), (2, pools.SHARING), (2, pools.ROUTES_6), (2, pools.RULES), (2, pools.NEAR_RULES), (3, pools.CHAINS), (1, pools.JUMPS), (1, pools.POLICIES),
    (3, pools.SYSCTLS), (1, pools.TUNNELS), (2, pools.PEERS),
)  # fmt: skip
alien = _mix(
    (1, pools.LINKS), (1, pools.SETTINGS), (4, pools.ADDRESSES), (3, pools.NEAR_4), (2, pools.NEAR_6),
    (1, pools.ROUTES_4), (1, pools.NEXTHOPS), (1, pools.SHARING), (1, pools.ROUTES_6), (1, pools.RULES), (1, pools.POLICIES), (1, pools.FOREIGN_CHAINS),
    (1, pools.SYSCTLS), (1, (pools.TUNNEL,)), (1, pools.TUNNELS), (1, pools.PEERS),
)  # fmt: skip
values = st.lists(wishful, min_size=4, max_size=20)
trees = st.sampled_from(((), *pools.TREES))
deeds = st.lists(
    st.builds(Deed, alien, st.sampled_from((0, 3, 4, 16)), st.sampled_from((False, False, False, True))), max_size=8
)


@st.composite
def wishes(draw: Any, old: Desired | None = None, *, strict: bool = False) -> Desired:
    """What a file asks for: something new, or much of what it asked for before and something new."""
    found: list[Value] = []
    if old is not None and old.values and draw(st.booleans()):
        lost = draw(st.sets(st.sampled_from(sorted(old.values, key=repr)), max_size=6))
        found = [value for key, value in old.values.items() if key not in lost]
    found += [*draw(st.sampled_from(pools.FURNITURE)), *draw(values), *draw(trees)]
    wish = Desired(keyed(found))
    if not strict:
        return wish
    scopes = (("address", "eth0"), ("address", "v0"), ("route", 100), ("route", 254), ("qdisc", "eth0"))
    taken = draw(st.sets(st.sampled_from(sorted(wish.values, key=repr)), max_size=3)) if wish.values else set()
    return wish._replace(exclusive=frozenset(draw(st.sets(st.sampled_from(scopes)))), adopt=frozenset(taken))


@st.composite
def scenes(draw: Any, *, strict: bool = False) -> Scene:
    """A kernel with a history, and a new wish.

    Others made things, a file was applied, others did more, and some of ours was lost.
    """
    kernel = draw(st.sampled_from(BASES)).copy()
    for value in draw(trees) if draw(st.booleans()) else ():
        kernel.make(value, 0)
    for deed in draw(deeds):
        act(kernel, deed)
    old = draw(wishes())
    perform(kernel, plan(KINDS, old, kernel.state()).changes)
    for deed in draw(deeds):
        act(kernel, deed)
    if draw(st.booleans()):
        kernel.finish_detection()
    state = kernel.state()
    for key in draw(st.lists(st.sampled_from(sorted(state.ours, key=repr)), max_size=3)) if state.ours else ():
        kernel.remove(state.ours[key], OURS)
    return Scene(kernel, draw(wishes(old, strict=strict)))


def act(kernel: FakeKernel, deed: Deed) -> None:
    """Let somebody else do it, if the kernel lets them."""
    value = deed.value
    if isinstance(value, Device):
        try:
            kernel.set_device(value, *(f for f in ("state", "mtu", "master") if getattr(value, f) is not None))
        except DeniedError:
            return
    elif isinstance(value, Sysctl):
        kernel.make(value, 2)
    elif isinstance(value, Wireguard):
        fields = tuple(f for f in ("public_key", "listen_port", "fwmark") if getattr(value, f) is not None)
        with contextlib.suppress(DeniedError):
            kernel.execute(Change("update", key_of(value), value, value, 2, fields=fields))
    elif isinstance(value, Policy):
        kernel.execute(Change("update", key_of(value), value, value, 2))
    elif deed.gone:
        kernel.remove(value, deed.mark)
    elif not _merges(kernel, value):
        kernel.make(value, BOOT if isinstance(value, Route) and not deed.mark else deed.mark)


def _merges(kernel: FakeKernel, value: Value) -> bool:
    """Tell whether an IPv6 route would become a next hop of somebody else's: such a route is opaque to us."""
    if not isinstance(value, Route) or value.family == 4 or not gateways(value):
        return False
    return any(gateways(held.value) for held in kernel.state().foreign.get(key_of(value), ()))


def perform(kernel: FakeKernel, changes: Iterable[Change]) -> None:
    """Execute changes one by one, in their order."""
    for change in changes:
        kernel.execute(change)


def leaves(state: State) -> Iterator[tuple[Key, Value, int | None]]:
    """Yield every object of a state."""
    for key, value in state.ours.items():
        yield key, value, OURS
    for key, held in state.foreign.items():
        for one in held:
            yield key, one.value, one.mark


def _base(*settings: Device, promoting: tuple[str, ...] = (), keeping: tuple[str, ...] = ()) -> FakeKernel:
    kernel = FakeKernel(promoting=promoting, keeping=keeping)
    for setting in settings:
        kernel.set_device(setting, "state")
    return kernel


UP = tuple(pools.device(name, "up") for name in ("eth0", "eth1"))
BASES = (_base(*UP), _base(*UP, promoting=("eth0",)), _base(*UP, keeping=("eth0",)), _base(*UP[:1]), _base())
