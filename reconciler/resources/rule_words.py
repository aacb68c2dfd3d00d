"""Policy rules in words: those of ``ip rule`` for the tool, those of the file for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.resources.rule_value import GOTO, PROTOCOL_NAMES, TABLE, Rule, span_text
from reconciler.resources.wire import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.resources.names import Names

FRA_FLOW = 11


def command(verb: str, rule: Rule, protocol: int) -> list[str]:
    """Return the line of ``ip rule``; what iproute2 has no words for is left out."""
    return [
        "ip", f"-{rule.family}", "rule", verb, "priority", str(rule.priority),
        *_command_selectors(rule), *_command_action(rule), "protocol", f"{protocol:#x}",
    ]  # fmt: skip


def _command_selectors(rule: Rule) -> list[str]:
    words = ["not"] if rule.invert else []
    words += ["from", rule.from_ or "all"]
    words += ["to", rule.to] if rule.to else []
    words += ["tos", f"{rule.tos:#x}"] if rule.tos else []
    words += ["fwmark", f"{rule.mark:#x}/{rule.mask:#x}"] if rule.mask else []
    words += ["iif", rule.iif] if rule.iif else []
    words += ["oif", rule.oif] if rule.oif else []
    words += ["uidrange", "-".join(map(str, rule.uid))] if rule.uid else []
    words += ["ipproto", str(rule.ip_protocol)] if rule.ip_protocol else []
    words += ["sport", span_text(rule.sport)] if rule.sport else []
    words += ["dport", span_text(rule.dport)] if rule.dport else []
    return words


def _command_action(rule: Rule) -> list[str]:
    words = ["l3mdev"] if rule.l3mdev else []
    words += ["table", str(rule.table)] if rule.table else []
    if rule.action == GOTO:
        words += ["goto", str(rule.goto)]
    elif rule.action != TABLE and not rule.action.isdecimal():
        words.append(rule.action)
    for code, value in ((word.partition(":")[0], word.partition(":")[2]) for word in rule.more):
        words += ["realms", str(number(bytes.fromhex(value)))] if int(code) == FRA_FLOW else []
    if rule.suppress_prefixlength >= 0:
        words += ["suppress_prefixlength", str(rule.suppress_prefixlength)]
    if rule.suppress_interface_group >= 0:
        words += ["suppress_ifgroup", str(rule.suppress_interface_group)]
    return words


def describe(rule: Rule, names: Names) -> str:
    """Show family, priority, selectors, and what becomes of the packet."""
    selectors = " ".join(_selectors(rule, names)) or "all"
    return f"v{rule.family} {rule.priority}: {selectors} → {' '.join(_action(rule, names))}"


def _selectors(rule: Rule, names: Names) -> Iterator[str]:
    if rule.invert:
        yield "not"
    if rule.mask:
        yield f"mark {names.mark(rule.mark, rule.mask)}"
    for word, value in (("from", _short(rule.from_)), ("to", _short(rule.to)), ("iif", rule.iif), ("oif", rule.oif)):
        if value:
            yield f"{word} {value}"
    if rule.uid:
        yield f"uid {span_text(rule.uid)}"
    if rule.ip_protocol:
        yield f"ip-protocol {PROTOCOL_NAMES.get(rule.ip_protocol, rule.ip_protocol)}"
    for word, span in (("sport", rule.sport), ("dport", rule.dport)):
        if span:
            yield f"{word} {span_text(span)}"
    if rule.tos:
        yield f"tos {rule.tos:#x}"
    yield from rule.more


def _action(rule: Rule, names: Names) -> Iterator[str]:
    if rule.l3mdev:
        yield "l3mdev"
    elif rule.action == GOTO:
        yield f"goto {rule.goto}"
    elif rule.action != TABLE:
        yield f"action {rule.action}" if rule.action.isdecimal() else rule.action
    if rule.table or (rule.action == TABLE and not rule.l3mdev):
        yield f"table {names.table(rule.table)}"
    if rule.suppress_prefixlength >= 0:
        yield f"suppress-prefixlength {rule.suppress_prefixlength}"
    if rule.suppress_interface_group >= 0:
        yield f"suppress-interface-group {rule.suppress_interface_group}"


def _short(prefix: str) -> str:
    """Leave out the length of a whole address, as iproute2 does."""
    return prefix.removesuffix("/128" if ":" in prefix else "/32")
