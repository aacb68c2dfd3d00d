"""What the kernel changes along with one setting is what the kind says: each is written, then all is read again."""

from __future__ import annotations

from itertools import product

import pytest

from reconciler.core.change import UPDATE, Change
from reconciler.core.state import Held, State
from reconciler.core.world import World
from reconciler.kernel.namespace import Namespace as Where
from reconciler.kernel.procfs import Settings
from reconciler.resources.registry import KINDS
from reconciler.resources.sysctl import Sysctl
from reconciler.resources.sysctl_keys import INTERFACE, IP_FORWARD, IPV6_FORWARD
from reconciler.resources.sysctl_spread import KEPT
from tests.netns.advertise import advertise
from tests.resources.host import Host, ready

KERNEL = 2
KIND = KINDS["sysctl"]
DEVICES = ("lo", "e0", "e1", "e2")
LINES = (
    "ip link set lo up",
    "ip link add name e0 type veth peer name e1",
    "ip link add name e2 type ifb",
    "ip link set e0 up",
    "ip link set e1 up",
    "ip address add 192.0.2.1/24 dev e0",
    "ip address add 2001:db8::1/64 dev e0 nodad",
    "ip address add 2001:db8:1::1/64 dev e1 nodad",
    "ip -6 route add default via fe80::3 dev e1 proto static metric 8 table 7",
    "ip -6 route add unreachable 2001:db8:9::/64",
)
PLACES = ("all", "default", *DEVICES)
EVERY = [IP_FORWARD] + [
    (family, "conf", place, setting.file)
    for setting, place in product(INTERFACE.values(), PLACES)
    for family in setting.families
    if (family, place, setting.file) != ("ipv4", "all", "forwarding")
]


class Machine:
    """One namespace, with all of its settings as a world."""

    def __init__(self, lab):
        self.host = Host.of(lab, "host", *LINES)
        ready(self.host)
        for device, route in (("e1", "e0"), ("e0", "e1")):
            advertise(self.host.namespace, device, route)
        self.settings = Settings(Where.parse(self.host.namespace.path))
        lab.closing(self.settings.namespace.close)

    def read(self):
        return {path: int(text) for path, text in self.settings.read(EVERY).items()}

    def state(self):
        values = [Sysctl(path, number) for path, number in self.read().items()]
        there = self.host.state()
        return State(there.ours, {**there.foreign, **{KIND.key(value): (Held(value, KERNEL),) for value in values}})

    def foretold(self, path, number):
        """What the kind says a write leads to: other numbers, and what goes."""
        state = self.state()
        world = World(KINDS, state)
        before = world.get(KIND.key(Sysctl(path, None)))
        effects = list(KIND.takes(before, before._replace(value=number), world))
        then = {path: number} | {e.after.path: e.after.value for e in effects if e.key[0] == "sysctl"}
        return then, {(e.key, e.mark, e.before.dev) for e in effects if e.after is None}

    def there(self):
        state = self.host.state()
        listed = [
            (key, held) for key, group in state.foreign.items() if key[0] in {"address", "route"} for held in group
        ]
        return {(key, held.mark, held.value.dev) for key, held in listed}


@pytest.fixture
def machine(lab):
    return Machine(lab)


pytestmark = pytest.mark.needs("veth", "ifb", "ipv6")


def local(thing):
    """Tell whether it is one of the kernel's own that come and go by themselves: those of link and multicast."""
    key, mark, _ = thing
    return mark == KERNEL and ("fe80::" in repr(key) or "ff00::" in repr(key))


def check(machine, path, number):
    before, held = machine.read(), machine.there()
    then, gone = machine.foretold(path, number)
    machine.settings.write(path, str(number))
    assert machine.read() == {**before, **then}, (path, number)
    lost = {one for one in held - machine.there() if not local(one)}
    assert lost == {one for one in gone if not local(one)}, (path, number)


@pytest.mark.parametrize("path", [IP_FORWARD, IPV6_FORWARD], ids=".".join)
def test_forwarding_for_all_sets_every_interface(machine, path):
    machine.settings.write((path[0], "conf", "e1", "forwarding"), "1")
    for number in (1, 0, 1):
        check(machine, path, number)


def test_advertised_default_routes_stay_where_they_are_accepted_always(machine):
    machine.settings.write(("ipv6", "conf", "e1", "accept_ra"), "2")
    check(machine, IPV6_FORWARD, 1)


def test_default_routes_of_a_program_under_that_protocol_stay(machine):
    machine.settings.write(("ipv6", "conf", "e1", "accept_ra"), "0")
    machine.host.namespace.run("ip", "-6", "route", "del", "default", "dev", "e1")
    machine.host.namespace.run(
        "ip", "-6", "route", "add", "default", "via", "fe80::9", "dev", "e1", "proto", "ra", "metric", "5"
    )
    check(machine, IPV6_FORWARD, 1)
    assert "default via fe80::9 dev e1" in machine.host.namespace.output("ip", "-6", "route")


def test_forwarding_on_one_interface_ends_advertised_default_routes_of_the_others_too(machine):
    check(machine, ("ipv6", "conf", "e2", "forwarding"), 1)
    check(machine, ("ipv6", "conf", "e2", "forwarding"), 0)


@pytest.mark.parametrize("place", ["e0", "lo", "all", "default"])
def test_ipv6_switched_off_takes_its_addresses_and_routes(machine, place):
    check(machine, ("ipv6", "conf", place, "disable_ipv6"), 1)


@pytest.mark.parametrize("leaf", ["ignore_routes_with_linkdown", "addr_gen_mode"])
def test_some_of_ipv6_are_copied_from_all_to_every_interface(machine, leaf):
    check(machine, ("ipv6", "conf", "all", leaf), 1)


@pytest.mark.parametrize("place", ["all", "default"])
def test_no_other_is_copied_from_all_and_those_of_ipv4_from_default_where_nobody_said_it(machine, place):
    for setting in INTERFACE.values():
        for family in setting.families:
            if setting.file not in {"forwarding", "disable_ipv6", "addr_gen_mode", "ignore_routes_with_linkdown"}:
                path = (family, "conf", place, setting.file)
                now = machine.read()[path]
                check(machine, path, 0 if now == 1 else 1)


def test_what_somebody_has_written_is_not_copied_to_although_it_looks_alike(machine):
    """The kernel remembers who has written; it cannot be seen, so the forecast is wrong here and is mended later."""
    path = ("ipv4", "conf", "e2", "rp_filter")
    for number in "20":
        machine.settings.write(path, number)
    then, _ = machine.foretold(("ipv4", "conf", "default", "rp_filter"), 1)
    machine.settings.write(("ipv4", "conf", "default", "rp_filter"), "1")
    assert (machine.read()[path], then[path]) == (0, 1)
    assert "rp_filter" not in KEPT


def test_secondaries_are_promoted_from_then_on(machine):
    state = machine.state()
    world = World(KINDS, state)
    before = world.get(KIND.key(Sysctl(("ipv4", "conf", "e0", "promote_secondaries"), None)))
    [effect] = KIND.takes(before, before._replace(value=1), world)
    assert (effect.key, effect.after.promote) == (("device", "e0"), True)
    machine.settings.write(before.path, "1")
    assert machine.host.state().foreign["device", "e0"][0].value == effect.after


def test_writing_what_is_there_already_does_nothing(machine):
    machine.settings.write(IP_FORWARD, "1")
    machine.settings.write(("ipv4", "conf", "e0", "forwarding"), "0")
    before = machine.read()
    machine.settings.write(IP_FORWARD, "1")
    assert machine.read() == before


def test_a_new_interface_begins_with_the_defaults(machine):
    for leaf, number in (("rp_filter", "2"), ("arp_ignore", "1"), ("forwarding", "1")):
        machine.settings.write(("ipv4", "conf", "default", leaf), number)
    for leaf, number in (("accept_ra", "0"), ("forwarding", "1"), ("disable_ipv6", "1")):
        machine.settings.write(("ipv6", "conf", "default", leaf), number)
    world = World(KINDS, machine.state())
    machine.host.namespace.run("ip", "link", "add", "name", "n0", "type", "veth", "peer", "name", "n1")
    born = machine.host.state().foreign["device", "n0"][0].value
    said = {value.path: value.value for value, _ in KIND.begins_with(born, world)}
    assert said
    assert {path: int(text) for path, text in machine.settings.read(said).items()} == said


def test_a_change_names_only_its_value():
    before = Sysctl(IP_FORWARD, 0)
    assert KIND.changed(before, before._replace(value=1)) == ("value",)
    assert Change(UPDATE, KIND.key(before), before, before).fields == ()
