"""Routes in words: as a line of ``ip route``, and for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.resources.prefix import is_default
from reconciler.resources.route.value import hops

if TYPE_CHECKING:
    from reconciler.resources.names import Names
    from reconciler.resources.route.value import Route

PLAIN = ("advmss", "initcwnd", "initrwnd", "hoplimit", "pref")


def words(verb: str, value: Any, protocol: int) -> list[str]:
    """Return the line that adds, appends, replaces or deletes a route."""
    found = dict(value.options)
    line = ["ip", f"-{value.family}", "route", verb]
    line += [] if value.type == "unicast" else [value.type]
    line += [value.to]
    line += ["tos", f"{found['tos']:#x}"] if "tos" in found else []
    line += gateway(value.family, value.via) if value.via else []
    line += ["dev", value.dev] if value.dev else []
    line += ["onlink"] if "onlink" in found else []
    line += ["nhid", str(found["nexthop"])] if "nexthop" in found else []
    line += ["table", str(value.table)]
    line += ["metric", str(value.metric)] if value.metric else []
    line += ["src", value.src] if value.src else []
    line += ["scope", str(found["scope"])] if "scope" in found else []
    if "mtu" in found:
        line += ["mtu", *(["lock"] if "mtu-lock" in found else []), str(found["mtu"])]
    for word in PLAIN:
        line += [word, str(found[word])] if word in found else []
    line += ["proto", f"{protocol:#x}"]
    for via, dev, weight, onlink, _ in hops(value):
        line += ["nexthop", *(gateway(value.family, via) if via else []), *(["dev", dev] if dev else [])]
        line += ["weight", str(weight), *(["onlink"] if onlink else [])]
    return line


def gateway(family: int, via: str) -> list[str]:
    """Return the words for a gateway; iproute2 wants to be told of the other family."""
    if (":" in via) == (family == 6):
        return ["via", via]
    return ["via", "inet6" if family == 4 else "inet", via]


def title(value: Route, names: Names) -> str:
    """Show table and prefix, and what else makes it the one that it is."""
    to = "default" if is_default(value.to) else value.to
    metric = f" metric {value.metric}" if value.metric != (1024 if value.family == 6 else 0) else ""
    tos = "".join(f" tos {number:#x}" for word, number in value.options if word == "tos")
    return f"v{value.family} table {names.table(value.table)}: {to}{tos}{metric}"


def way(value: Route, names: Names) -> str:
    """Show where a route leads, and how."""
    shown = "" if value.type == "unicast" else f" {value.type}"
    shown += f" via {value.via}" if value.via else ""
    shown += f" dev {value.dev}" if value.dev else ""
    shown += f" src {value.src}" if value.src else ""
    for word, found in value.options:
        if word == "nexthops":
            shown += " " + ", ".join(_hop(hop) for hop in found)
        elif word == "nexthop":
            shown += f" nexthop {names.nexthop(found)}"
        elif word != "tos":
            shown += f" {word}" if found is True else f" {word} {found}"
    return shown


def _hop(hop: Any) -> str:
    shown = f"via {hop.via}" if hop.via else ""
    shown += f" dev {hop.dev}" if hop.dev else ""
    shown += f" weight {hop.weight}" if hop.weight != 1 else ""
    return (shown + (" onlink" if hop.onlink else "") + (" (dead)" if hop.dead else "")).strip()
