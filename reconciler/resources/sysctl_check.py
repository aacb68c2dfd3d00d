"""What does not go together in a file's sysctls, and what will not do what its author may expect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.errors import Problem
from reconciler.resources.sysctl_keys import ALL, INTERFACE, IPV6_FORWARD, V4, V6, name, own

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reconciler.core.desired import Desired
    from reconciler.core.state import Key, State
    from reconciler.resources.scene import Scene, Wanted
    from reconciler.resources.sysctl_keys import Path

EVERYWHERE = (V4, "conf", ALL, "rp_filter")
STRICT = 1
WORDS = INTERFACE["rp-filter"].words
ON = 1


def check(scene: Scene, wanted: Mapping[Key, Wanted]) -> None:
    """Report contradictions as problems, and what is doubtful as warnings."""
    mine: dict[Path, Any] = {key[2]: item for key, item in wanted.items() if key[0] == "sysctl"}
    if not mine:
        return
    addressed = {key[1] for key in wanted if key[0] == "address" and key[2] == 6}
    unanswered = _marked(wanted)
    everywhere = _value(mine, (V6, "conf", ALL, "disable_ipv6"))
    for dev in sorted(addressed if everywhere else ()):
        if _value(mine, (V6, "conf", dev, "disable_ipv6")) is None:
            _say(scene.problems, mine[V6, "conf", ALL, "disable_ipv6"], f"{dev} has an IPv6 address in this file",
                 f"say disable-ipv6: false for {dev}, or take the address out")  # fmt: skip
    for path, item in mine.items():
        dev, leaf, value = own(path), path[-1], item.value.value
        if leaf == "disable_ipv6" and value and dev in addressed:
            _say(scene.problems, item, f"{dev} has an IPv6 address in this file", "take one of them out")
        elif leaf == "accept_ra" and value == ON and _forwards(mine, dev):
            _say(scene.warnings, item, f"{dev} forwards IPv6, so router advertisements are ignored",
                 "accept-ra: always")  # fmt: skip
        elif leaf == "rp_filter" and dev:
            everywhere = _value(mine, EVERYWHERE)
            if everywhere is not None and everywhere > value:
                _say(scene.warnings, item, overruled(dev, value, everywhere), "the larger one counts")
        if leaf == "rp_filter" and value == STRICT and unanswered and not _uses_mark(mine, dev):
            _say(scene.warnings, item,
                 f"a strict check of the way back does not see marks: answers to what {unanswered} sends elsewhere "
                 "may be dropped", "src-valid-mark: true beside it, or rp-filter: loose")  # fmt: skip


def advice(desired: Desired, observed: State) -> Iterator[str]:
    """Yield what only the kernel's present values show to be doubtful."""
    mine = {key: value for key, value in desired.values.items() if key[0] == "sysctl" and key[2][-1] == "rp_filter"}
    if not mine or any(key[2] == EVERYWHERE for key in mine):
        return
    present: Any = next((held[0].value for key, held in observed.foreign.items() if key[2:] == (EVERYWHERE,)), None)
    for key, wanted in mine.items():
        value: Any = wanted
        if own(key[2]) and present is not None and present.value is not None and present.value > value.value:
            origin = desired.origins.get(key)
            where = f"{origin.position}: " if origin is not None else ""
            yield f"{where}{overruled(own(key[2]), value.value, present.value)}: the larger one counts"


def overruled(dev: str, value: int, everywhere: int) -> str:
    """Say that the value for all interfaces counts, not that of one."""
    theirs = f"{name(EVERYWHERE)} is {everywhere} ({WORDS[everywhere]})"
    return f"rp-filter {WORDS[value]} on {dev} has no effect while {theirs}"


def _say(told: list[Problem], item: Wanted, message: str, hint: str) -> None:
    told.append(Problem(item.origin.position, item.origin.path, message, hint))


def _value(mine: Mapping[Path, Any], path: Path) -> int | None:
    return mine[path].value.value if path in mine else None


def _forwards(mine: Mapping[Path, Any], dev: str) -> bool:
    """Tell whether the file says that an interface forwards IPv6."""
    said = _value(mine, (V6, "conf", dev, "forwarding"))
    return bool(_value(mine, IPV6_FORWARD) if said is None else said)


def _uses_mark(mine: Mapping[Path, Any], dev: str) -> bool:
    """Tell whether the file lets the check of an interface (or, without one, of all) look at marks."""
    return any(_value(mine, (V4, "conf", one, "src_valid_mark")) for one in (dev or ALL, ALL))


def _marked(wanted: Mapping[Key, Wanted]) -> str:
    """Name a rule that chooses a table by mark, and that no rule by source address stands beside."""
    rules: list[Any] = [item.value for key, item in wanted.items() if key[0] == "rule" and key[1] == 4]
    sourced = {rule.table for rule in rules if rule.from_}
    return next((f"rule {r.priority}" for r in rules if r.mask and r.table not in sourced), "")
