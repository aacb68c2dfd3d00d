"""From the words of a file to sysctls: the section ``sysctls``, and the keys of each interface."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.resources.scene import Wanted
from reconciler.resources.sysctl_keys import (
    ALL,
    DEFAULT,
    GLOBAL,
    INTERFACE,
    IPV6_FORWARD,
    V6,
    Path,
    Setting,
    number,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reconciler.core.state import Value
    from reconciler.resources.scene import Path as Place
    from reconciler.resources.scene import Scene

Item = tuple[Path, int, "Callable[[Value], Wanted]"]
"""A file, the number that it shall hold, and what makes an object of the file's wish."""


def wanted(scene: Scene) -> Iterator[Item]:
    """Yield all that a file asks for."""
    for place, said in scene.entries("sysctls"):
        word = str(place[-1])
        if word in GLOBAL:
            setting = GLOBAL[word]
            yield from _families(scene, place, said, setting, setting.families, ())
        elif word == "ipv6-forward":
            if scene.facts.ipv6:
                yield IPV6_FORWARD, int(said), _item(scene, place)
            else:
                _left_out(scene)
        else:
            yield from _conf(scene, place, said or {}, word)
    for place, name, entry in scene.interfaces():
        named = [word for word in INTERFACE if word in entry]
        if named and name in (ALL, DEFAULT):
            hint = f"the settings of all interfaces are under sysctls.{name}"
            scene.problem((*place, named[0]), f"no interface can be called {name}", hint)
            continue
        yield from _conf(scene, place, entry, name)


def _conf(scene: Scene, place: Place, entry: dict[str, Any], dev: str) -> Iterator[Item]:
    for word, setting in INTERFACE.items():
        if word in entry:
            families = setting.all if dev == ALL else setting.families
            yield from _families(scene, (*place, word), entry[word], setting, families, ("conf", dev))


def _families(
    scene: Scene, place: Place, said: Any, setting: Setting, families: tuple[str, ...], between: Path
) -> Iterator[Item]:
    """Yield one file for each family; the one that the kernel lacks is left out unless it alone is meant."""
    each = said if isinstance(said, dict) else dict.fromkeys(families, said)
    for family, value in each.items():
        if family == V6 and not scene.facts.ipv6 and len(families) > 1 and not isinstance(said, dict):
            _left_out(scene)
            continue
        yield (family, *between, setting.file), number(setting, value), _item(scene, place)


def _item(scene: Scene, place: Place) -> Callable[[Value], Wanted]:
    return lambda value: Wanted(value, scene.origin(place))


def _left_out(scene: Scene) -> None:
    scene.notices.append("this kernel runs without IPv6: its part of the sysctls is left out")
