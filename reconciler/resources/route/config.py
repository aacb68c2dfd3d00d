"""Routes as the file writes them: the section ``tables``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.resources.nexthop_config import families, numbers
from reconciler.resources.prefix import canonical, family_of, network
from reconciler.resources.route.options import COMMON, WAYS, read_options
from reconciler.resources.route.value import Route, with_hops
from reconciler.resources.route.wire import SCOPE_HOST, SCOPE_LINK, SCOPES
from reconciler.resources.scene import Path, Scene, Wanted
from reconciler.resources.tables import KERNEL_TABLES, LARGEST, LOCAL

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NUMBERS = {word: number for number, word in SCOPES.items()}
METRIC_6 = 1024
"""What the kernel takes for an IPv6 route without a metric (IP6_RT_PRIO_USER)."""


def read(scene: Scene) -> Iterator[Wanted]:
    """Yield the routes of all tables."""
    numbers: dict[int, Path] = {}
    for path, entry in scene.entries("tables"):
        table = _number(scene, path, entry or {})
        if table is None:
            continue
        if table in numbers:
            scene.problem(path, f"table {table} is already {numbers[table][-1]}", "give each table its own id")
        numbers.setdefault(table, path)
        if entry and entry.get("exclusive"):
            if table == LOCAL:
                scene.problem((*path, "exclusive"), "the local table is the kernel's", "leave exclusive out")
            scene.exclusive.add(("route", table))
        if entry and entry.get("routes"):
            for at, route in scene.entries(*path, "routes"):
                for value in _routes(scene, at, route, table):
                    yield Wanted(value, scene.origin(at, route), bool(route.get("adopt")))


def _number(scene: Scene, path: Path, entry: Mapping[str, Any]) -> int | None:
    name = str(path[-1])
    number: int | None = entry.get("id")
    if name.isdecimal() and not 0 < int(name) <= LARGEST:
        scene.problem(path, f"there is no table {name}", f"the kernel's tables go from 1 to {LARGEST}")
        return None
    fixed = KERNEL_TABLES.get(name, int(name) if name.isdecimal() else None)
    if fixed is not None:
        if number is not None and number != fixed:
            scene.problem((*path, "id"), f"table {name} is number {fixed}", "leave id out, or use another name")
        return fixed
    if number is None:
        number = dict(scene.facts.tables).get(name)
    if number is None:
        scene.problem(path, f'the table "{name}" has no number', "add id: 100, or any that is free")
    return number


def _routes(scene: Scene, path: Path, entry: Mapping[str, Any], table: int) -> Iterator[Route]:
    """Yield the one or two routes that an entry stands for."""
    words = _checked(scene, path, entry)
    if words is None:
        return
    kind = entry.get("type", "unicast")
    rare = not COMMON.issuperset(entry)
    if kind != "unicast":
        _check_refuge(scene, path, entry, kind)
    elif not any(field in entry for field in WAYS):
        scene.problem(path, "the route leads nowhere", "add via, dev, or a type such as unreachable")
        return
    for family in _families(scene, path, entry, words):
        if family == 6 and not scene.facts.ipv6:
            scene.notices.append(f"IPv6 is off in this kernel: the route at {scene.position(path)} is left out")
            continue
        to = words["to"] if words["to"] != "default" else "0.0.0.0/0" if family == 4 else "::/0"
        metric = entry.get("metric") or (METRIC_6 if family == 6 else 0)
        named = scene.device((*path, "dev"), entry["dev"]) if "dev" in entry else None
        dev = named or (None if kind == "unicast" and "nexthop" not in entry else "")
        route = Route(family, table, to, metric, kind, words["via"], dev, words["src"])
        if rare:
            more, hops = read_options(scene, path, entry, family, kind)
            _check_scope(scene, path, dict(more).get("scope"), kind, bool(words["via"] or any(h.via for h in hops)))
            route = route._replace(options=more)
            route = with_hops(route, hops) if hops else route
        yield route


def _check_scope(scene: Scene, path: Path, scope: Any, kind: str, gateway: bool) -> None:
    """Report a scope that the kernel refuses (net/ipv4/fib_semantics.c, fib_create_info and fib_check_nh)."""
    number = NUMBERS.get(scope, scope)
    if kind == "local" and number is not None and number < SCOPE_HOST:
        scene.problem((*path, "scope"), "a route of type local has the scope host", "leave scope out")
    if gateway and number is not None and number >= SCOPE_LINK:
        scene.problem((*path, "scope"), "a route with a gateway reaches beyond the link", "scope: global, or none")


def _check_refuge(scene: Scene, path: Path, entry: Mapping[str, Any], kind: str) -> None:
    """Report what only a route that leads somewhere has."""
    for field in WAYS if kind == "local" else (*WAYS, "src"):
        if field in entry and not (kind == "local" and field == "dev"):
            scene.problem((*path, field), f"a route of type {kind} has no {field}", f"leave {field} out")
    if kind == "local" and "dev" not in entry:
        scene.problem(path, "a route of type local needs an interface", "add dev: lo")


def _checked(scene: Scene, path: Path, entry: Mapping[str, Any]) -> dict[str, str] | None:
    """Return the entry's addresses in canonical form, or None after reporting what is wrong."""
    words = {"to": "default", "via": "", "src": ""}
    good = True
    for field in words:
        if field not in entry or (field == "to" and entry[field] == "default"):
            continue
        try:
            words[field] = network(entry[field]) if field == "to" else canonical(entry[field])
        except ValueError as error:
            scene.problem((*path, field), str(error))
            good = False
            continue
        if field == "to" and words["to"].split("/", 1)[0] != canonical(entry["to"].split("/", 1)[0]):
            scene.problem(
                (*path, "to"), f"{entry['to']} has bits beyond its length set", f"did you mean {words['to']}?"
            )
            good = False
    return words if good else None


def _families(scene: Scene, path: Path, entry: Mapping[str, Any], words: Mapping[str, str]) -> tuple[int, ...]:
    """Return the families that an entry means: its ends say it, else its gateways, else what only one family has.

    Only a gateway may be of the other family, and only of IPv4 routes.
    """
    ends = {family_of(word) for word in (words["to"], words["src"]) if word and word != "default"}
    gates = {family_of(words["via"])} if words["via"] else set()
    if "nexthops" in entry:
        gates |= {family_of(hop["via"]) for hop in entry["nexthops"] if "via" in hop}
    if len(ends) > 1 or (ends == {6} and 4 in gates):
        scene.problem(path, "IPv4 and IPv6 addresses are mixed in one route", "use one family an entry")
        return ()
    asked = {"ipv4": 4, "ipv6": 6}.get(entry.get("family", ""))
    known = ends or ({4} if 4 in gates else gates)
    if asked and ((ends and asked not in ends) or (asked == 6 and 4 in gates)):
        scene.problem((*path, "family"), f"the addresses are IPv{next(iter(known))}", "leave family out")
        return ()
    if asked:
        return (asked,)
    if not known and ("tos" in entry or "scope" in entry):
        return (4,)
    if not known and "nexthop" in entry and words["to"] == "default":
        number = numbers(scene).get(str(entry["nexthop"]), entry["nexthop"])
        return (families(scene).get(number) or 4,)
    return tuple(known) or ((6,) if "pref" in entry else (4, 6))
