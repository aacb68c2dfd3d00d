"""What few routes have, as the file writes it: from an entry to a route's options and next hops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.resources.prefix import canonical
from reconciler.resources.route.value import Hop, options
from reconciler.resources.route.wire import SCOPES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.resources.scene import Path, Scene

COMMON = frozenset({"to", "via", "dev", "src", "metric", "type", "family", "name", "comment", "adopt"})
"""What an entry may hold of a route without options."""
WAYS = ("via", "dev", "onlink", "nexthops")
"""What says where a route leads."""
ONE_FAMILY = {"tos": 4, "scope": 4, "pref": 6}
METRICS = ("mtu", "mtu-lock", "advmss", "initcwnd", "initrwnd", "hoplimit")
ECN = 3
"""The bits of the field that belong to congestion notification; the kernel refuses them."""


def read_options(
    scene: Scene, path: Path, entry: Mapping[str, Any], family: int, kind: str
) -> tuple[tuple[tuple[str, Any], ...], tuple[Hop, ...]]:
    """Return options and next hops of an entry; problems go to the scene."""
    for word, only in ONE_FAMILY.items():
        if word in entry and family != only:
            scene.problem((*path, word), f"a route of IPv{family} has no {word}", f"leave {word} out")
    if kind not in ("unicast", "local"):
        for word in (*METRICS, "pref"):  # the kernel keeps none of them, or cannot use them
            if word in entry:
                scene.problem((*path, word), f"a route of type {kind} has no {word}", f"leave {word} out")
    if entry.get("mtu-lock") and "mtu" not in entry:
        scene.problem((*path, "mtu-lock"), "there is no mtu to lock", "add mtu")
    if entry.get("tos", 0) & ECN:
        message = f"tos {entry['tos']} has bits of congestion notification set"
        scene.problem((*path, "tos"), message, f"did you mean {entry['tos'] & ~ECN}?")
    if "nexthops" not in entry:
        if entry.get("onlink"):
            _check_onlink(scene, path, entry)
        found: tuple[Hop, ...] = ()
    else:
        for word in ("via", "dev", "onlink"):
            if word in entry:
                scene.problem((*path, word), f"{word} stands beside nexthops", "put it into the list")
        found = tuple(_hops(scene, (*path, "nexthops"), entry["nexthops"], family))
    chosen = {word: entry.get(word) for word in ("tos", "onlink", *METRICS)}
    chosen["scope"] = SCOPES.get(entry["scope"], entry["scope"]) if "scope" in entry else None
    chosen["pref"] = None if entry.get("pref") == "medium" else entry.get("pref")
    return options(chosen), found


def _check_onlink(scene: Scene, path: Path, entry: Mapping[str, Any]) -> None:
    for word in ("via", "dev"):
        if word not in entry:
            scene.problem((*path, "onlink"), f"onlink needs {word}", f"add {word}")


def _hops(scene: Scene, path: Path, entries: list[Mapping[str, Any]], family: int) -> Iterator[Hop]:
    seen: dict[tuple[str, str | None], int] = {}
    for number, entry in enumerate(entries):
        at = (*path, number)
        if "via" not in entry and ("dev" not in entry or family == 6):
            why = "a next hop of IPv6 needs a gateway" if "dev" in entry else "the next hop leads nowhere"
            scene.problem(at, why, "add via")
            continue
        if entry.get("onlink"):
            _check_onlink(scene, at, entry)
        if "weight" in entry and len(entries) == 1:
            scene.problem((*at, "weight"), "a weight needs several next hops", "leave weight out")
        try:
            via = canonical(entry["via"]) if "via" in entry else ""
        except ValueError as error:
            scene.problem((*at, "via"), str(error))
            continue
        dev = scene.device((*at, "dev"), entry["dev"]) if "dev" in entry else None
        if (via, dev) in seen:
            hint = "give one of them the weight of both"
            scene.problem(at, f"{path[-1]}[{seen[via, dev]}] is the same next hop", hint)
        seen.setdefault((via, dev), number)
        yield Hop(via, dev, entry.get("weight", 1), bool(entry.get("onlink")))
