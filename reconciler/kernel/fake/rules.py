"""The fake kernel's policy rules: what it takes for the same one, and in which order (net/core/fib_rules.c)."""

from __future__ import annotations

from errno import EEXIST, EINVAL, ENOENT
from typing import TYPE_CHECKING

from reconciler.kernel.fake.errors import DeniedError

if TYPE_CHECKING:
    from reconciler.kernel.fake.store import Store, Thing
    from reconciler.resources.rule import Rule

UNSPEC = 0


def add(store: Store, rule: Rule, mark: int | None) -> None:
    """RTM_NEWRULE with NLM_F_CREATE and NLM_F_EXCL: behind all rules of its priority."""
    if rule.action == "goto" and rule.goto <= rule.priority:
        raise DeniedError(EINVAL, "Backward goto not supported")
    if rule.action == "table" and not (rule.table or rule.l3mdev):
        raise DeniedError(EINVAL, "Invalid argument")
    if any(thing.mark == mark and _exists(thing.value, rule) for thing in store.all("rule")):
        raise DeniedError(EEXIST, "File exists")
    behind = (thing for thing in store.all("rule") if thing.value.priority > rule.priority)
    store.add("rule", rule, mark, next(behind, None))


def delete(store: Store, rule: Rule, mark: int | None) -> None:
    """RTM_DELRULE: the first rule that is not unlike the filter goes; RTPROT_UNSPEC is anybody's."""
    makers = (thing for thing in store.all("rule") if mark in (UNSPEC, thing.mark))
    found: Thing | None = next((thing for thing in makers if _found(thing.value, rule)), None)
    if found is None:
        raise DeniedError(ENOENT, "No such file or directory")
    store.remove("rule", found)


def _compare(there: Rule, asked: Rule) -> bool:
    """fib4_rule_compare, fib6_rule_compare: what is not asked for is not compared."""
    return (
        asked.from_ in ("", there.from_)
        and asked.to in ("", there.to)
        and asked.tos in (0, there.tos)
        and there.family == asked.family
    )


def _exists(there: Rule, asked: Rule) -> bool:
    """rule_exists: exact but for addresses and tos, blind for inversion and the target of a goto."""
    return _compare(there, asked) and _exact(there) == _exact(asked)


def _exact(rule: Rule) -> tuple[object, ...]:
    suppressed = (rule.suppress_prefixlength, rule.suppress_interface_group)
    ports = (rule.ip_protocol, rule.sport, rule.dport)
    mark = (rule.mark, rule.mask)
    names = (rule.iif, rule.oif)
    return rule.action, rule.table, rule.priority, names, mark, suppressed, rule.l3mdev, rule.uid, ports


def _found(there: Rule, asked: Rule) -> bool:
    """rule_find: what the request does not say matches anything; one that says nothing is like any."""
    if there.action != asked.action or there.priority != asked.priority or not _compare(there, asked):
        return False
    pairs = (
        (asked.table, there.table),
        (asked.iif, there.iif),
        (asked.oif, there.oif),
        (asked.mark, there.mark),
        (asked.mask, there.mask),
        (asked.l3mdev, there.l3mdev),
        (asked.uid, there.uid),
        (asked.ip_protocol, there.ip_protocol),
        (asked.sport, there.sport),
        (asked.dport, there.dport),
        (asked.suppress_prefixlength + 1, there.suppress_prefixlength + 1),
        (asked.suppress_interface_group + 1, there.suppress_interface_group + 1),
    )
    return all(not said or said == found for said, found in pairs)
