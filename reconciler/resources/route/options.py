"""What few routes have, as the file writes it: from an entry to a route's options and next hops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.resources.nexthop_config import families, resolve
from reconciler.resources.prefix import canonical
from reconciler.resources.route.value import Hop, options
from reconciler.resources.route.wire import SCOPES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.resources.scene import Path, Scene

COMMON = frozenset({"to", "via", "dev", "src", "metric", "type", "family", "name", "comment", "adopt"})
"""What an entry may hold of a route without options."""
WAYS = ("via", "dev", "onlink", "nexthops", "nexthop")
"""What says where a route leads."""
ONE_FAMILY = {"tos": 4, "scope": 4, "pref": 6}
METRICS = ("mtu", "mtu-lock", "advmss", "initcwnd", "initrwnd", "hoplimit")
ECN = 3
"""The bits of the field that belong to congestion notification; the kernel refuses them."""


def read_options(
    scene: Scene, path: Path, entry: Mapping[str, Any], family: int, kind: str
) -> tuple[tuple[tuple[str, Any], ...], tuple[Hop, ...]]:
    """Return options and next hops of an entry; problems go to the scene."""
    _check(scene, path, entry, family, kind)
    _check_ways(scene, path, entry)
    found: tuple[Hop, ...] = ()
    if "nexthops" in entry:
        found = tuple(_hops(scene, (*path, "nexthops"), entry["nexthops"], family))
    chosen = {word: entry.get(word) for word in ("tos", "onlink", *METRICS)}
    if "nexthop" in entry:
        chosen["nexthop"] = _object(scene, (*path, "nexthop"), entry["nexthop"], family)
    chosen["scope"] = SCOPES.get(entry["scope"], entry["scope"]) if "scope" in entry else None
    chosen["pref"] = None if entry.get("pref") == "medium" else entry.get("pref")
    return options(chosen), found


def _check(scene: Scene, path: Path, entry: Mapping[str, Any], family: int, kind: str) -> None:
    """Report what does not go with the family or the type, or not with each other."""
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


def _check_ways(scene: Scene, path: Path, entry: Mapping[str, Any]) -> None:
    """Report two sayings of where the route leads."""
    whole = next((word for word in ("nexthop", "nexthops") if word in entry), "")
    hint = "the object says the whole way" if whole == "nexthop" else "put it into the list"
    for word in ("via", "dev", "onlink", "nexthops") if whole else ():
        if word in entry and word != whole:
            scene.problem((*path, word), f"{word} stands beside {whole}", hint)
    if entry.get("onlink") and not whole:
        _check_onlink(scene, path, entry)


def _object(scene: Scene, path: Path, word: object, family: int) -> int | None:
    number = resolve(scene, path, word)
    if number is not None and family == 6 and families(scene).get(number) == 4:
        message = "an IPv6 route cannot use an IPv4 nexthop"
        scene.problem(path, message, "give the nexthop an IPv6 gateway, or family: ipv6")
    return number


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
