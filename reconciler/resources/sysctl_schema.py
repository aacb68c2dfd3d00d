"""The stanzas of the schema for sysctls: the section, and what goes to each interface."""

from __future__ import annotations

from typing import Any

from reconciler.resources.sysctl_keys import GLOBAL, INTERFACE, V4, V6, Setting


def interface() -> dict[str, Any]:
    """Return the properties of an interface."""
    return {word: _property(setting, setting.families) for word, setting in INTERFACE.items()}


def section() -> dict[str, Any]:
    """Return the section ``sysctls``."""
    properties = {word: _property(setting, setting.families) for word, setting in GLOBAL.items()}
    properties["ipv6-forward"] = {
        "type": "boolean",
        "description": "Forward IPv6 packets: on all interfaces, and on those that come later. Router "
        "advertisements are ignored then, and the default routes that they brought go, except where accept-ra "
        "is always. Interfaces for which forwarding is said keep that.",
        "examples": [True],
    }
    everywhere = {word: _property(s, s.all) for word, s in INTERFACE.items() if s.all}
    properties["all"] = {
        "type": ["object", "null"],
        "additionalProperties": False,
        "description": "net.*.conf.all: what holds for all interfaces together with what each one says. Only "
        "those that the kernel looks at; forwarding for all is ip-forward and ipv6-forward.",
        "examples": [{"rp-filter": "loose"}],
        "properties": everywhere,
    }
    properties["default"] = {
        "type": ["object", "null"],
        "additionalProperties": False,
        "description": "net.*.conf.default: what interfaces that come later begin with. In IPv4 also those that "
        "have no address yet, and for which nobody has said it.",
        "examples": [{"rp-filter": "loose"}],
        "properties": interface(),
    }
    return {
        "sysctls": {
            "type": ["object", "null"],
            "additionalProperties": False,
            "description": "Settings of the kernel's network that routing by mark needs. The former values return "
            "when they are taken out.",
            "examples": [{"ip-forward": True, "tcp-fwmark-accept": True}],
            "properties": dict(sorted(properties.items())),
        }
    }


def _property(setting: Setting, families: tuple[str, ...]) -> dict[str, Any]:
    plain = _values(setting)
    ends = {"description": setting.description, "examples": [_example(setting)]}
    if len(families) == 1:
        return {**plain, **ends}
    each = {
        family: {**plain, "description": f"Only in {words}.", "examples": [_example(setting)]}
        for family, words in ((V4, "IPv4"), (V6, "IPv6"))
    }
    return {
        "anyOf": [
            plain,
            {"type": "object", "additionalProperties": False, "minProperties": 1, "properties": each},
        ],
        "x-hint": f"{_hint(setting)}; or a map of ipv4 and ipv6",
        **ends,
    }


def _values(setting: Setting) -> dict[str, Any]:
    if setting.words:
        return {"enum": [*setting.words, *range(len(setting.words))], "x-hint": _hint(setting)}
    if setting.most:
        return {"type": "integer", "minimum": 0, "maximum": setting.most}
    return {"type": "boolean"}


def _hint(setting: Setting) -> str:
    if setting.words:
        return ", ".join(setting.words)
    return f"a number up to {setting.most}" if setting.most else "true or false"


def _example(setting: Setting) -> Any:
    if setting.words:
        return setting.words[-1]
    return 1 if setting.most else True
