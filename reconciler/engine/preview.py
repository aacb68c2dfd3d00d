"""What would be done: the plan, and all that it came from. Reads only."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reconciler.core.desired import Desired
from reconciler.core.plan import plan
from reconciler.engine.guard import dangers
from reconciler.engine.settings import kept, sealed
from reconciler.engine.wireguard import keyed
from reconciler.errors import UnavailableError, UnsafeError
from reconciler.kernel.peers import peers
from reconciler.resources.desired import desire
from reconciler.resources.names import Names
from reconciler.resources.registry import KINDS
from reconciler.resources.sysctl_check import advice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.config.document import Map
    from reconciler.core.change import Plan
    from reconciler.core.state import State
    from reconciler.kernel.live import Kernel

CARRIES = frozenset({"link", "device", "address", "route", "nexthop", "sysctl", "wireguard", "wireguard-peer"})
"""Kinds that a connection could stand on."""


class Preview(NamedTuple):
    """A plan with its two sides and the names for showing it."""

    plan: Plan
    desired: Desired
    observed: State
    names: Names
    dangers: tuple[str, ...] = ()
    """Who would be locked out, in words."""
    sealed: tuple[str, ...] = ()
    """Which settings have to be changed and cannot be written, in words."""
    blind: str = ""
    """Why the plan cannot be the whole one: what the file or the record names could not be read."""


def wanted(document: Map | None, kernel: Kernel) -> tuple[Desired, Names]:
    """Return what a file asks for on this kernel; without a file, nothing but what is to be given back.

    Raises ConfigError where the file's meaning is wrong, UnavailableError where the kernel or a tool lacks
    what it needs.
    """
    if document is None:
        return Desired({}, former=kernel.record.former), Names()
    desired, names = desire(document, kernel.facts, interfaces=kernel.interfaces())
    if kernel.facts.iptables == "none":
        for key, origin in desired.origins.items():
            if key[0] in ("chain", "jump", "policy"):
                msg = f"{origin.position}: {origin.path} needs iptables: {kernel.facts.iptables_source}"
                raise UnavailableError(msg)
    return keyed(desired, kernel)._replace(former=kernel.record.former), names


def preview(document: Map | None, kernel: Kernel, *, adopt: bool = False, around: bool = False) -> Preview:
    """Return what would turn the kernel into what the file says.

    :param around: leave out settings that cannot be written, instead of planning what will be refused.
    """
    desired, names = wanted(document, kernel)
    observed = kernel.read(desired.values)
    found = plan(KINDS, desired, observed, adopt=adopt)
    stuck = sealed(found, desired, observed, kernel)
    if around and stuck:
        left = desired._replace(
            values={key: value for key, value in desired.values.items() if key not in stuck},
            former={key: fields for key, fields in desired.former.items() if key not in stuck},
        )
        found = plan(KINDS, left, observed, adopt=adopt)
    noticed = (*_behind(desired, observed), *advice(desired, observed), *kept(desired, observed, kernel))
    desired = desired._replace(notices=desired.notices + noticed)
    cut = dangers(observed, found.predicted, peers(kernel.namespace)) if _may_cut(found) else ()
    concerned = [key for key in (*desired.values, *kernel.record.texts) if key[0] in observed.unknown]
    blind = observed.unknown[concerned[0][0]] if concerned else ""
    return Preview(found, desired, observed, names, tuple(cut), tuple(stuck.values()), blind)


def _may_cut(found: Plan) -> bool:
    """Tell whether a plan takes anything away that a connection could stand on, or puts a rule before it."""
    return any(c.kind == "rule" or (c.before is not None and c.kind in CARRIES) for c in found.changes)


def _behind(desired: Desired, observed: State) -> Iterator[str]:
    """Say where somebody has put rules before our jump. We do not fight over the first place."""
    for key, value in observed.ours.items():
        if key[0] == "jump" and value.position == "later" and key in desired.values:  # type: ignore[attr-defined]
            wanted = desired.values[key]
            if wanted.position == "first":  # type: ignore[attr-defined]
                yield f"v{key[1]} {key[2]} {key[3]}: foreign rules stand before our jump, and are asked first"


def refuse(found: Preview, *, force: bool = False, around: bool = False) -> None:
    """Raise UnsafeError for a plan that must not be executed; UnavailableError if it is not the whole one.

    :param around: conflicts are no reason: what is not in conflict is done all the same.
    """
    plan = found.plan
    if found.dangers and not force:
        msg = f"this would cut connections: {'; '.join(found.dangers)}. Nothing was applied. --force accepts that"
        raise UnsafeError(msg)
    if found.sealed and not around:
        listed = "\n".join(found.sealed)
        what = "set them from outside (of a container: where it is started), or take them out of the file"
        raise UnavailableError(f"{listed}\nnothing was applied: {what}")
    if found.blind:
        msg = f"nothing was applied: what is there now cannot be seen wholly: {found.blind}"
        raise UnavailableError(msg)
    if plan.conflicts and not around:
        msg = (
            f"{len(plan.conflicts)} foreign object(s) hold what the file wants, with other values (marked ! above); "
            "nothing was applied. Remove them, change the file, or take them over with --adopt"
        )
        raise UnsafeError(msg)
    if plan.collateral and not force:
        msg = (
            f"the kernel would remove or change {len(plan.collateral)} foreign object(s) along with ours "
            "(listed above); nothing was applied. --force accepts that"
        )
        raise UnsafeError(msg)
