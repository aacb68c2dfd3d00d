"""Values of the kinds as Hypothesis makes them: only such as a kernel can hold."""

from __future__ import annotations

from hypothesis import strategies as st

from reconciler.resources.address import Address
from reconciler.resources.prefix import network
from reconciler.resources.route import Route
from reconciler.resources.route.value import options
from reconciler.resources.rule import Rule
from reconciler.resources.wire import address

DEVICES = ("e0", "e1")
INDEXES = {"lo": 1, "e0": 2, "e1": 3}
u32 = st.integers(0, 0xFFFFFFFF)
family = st.sampled_from((4, 6))


def host(family):
    """An address, of the whole range."""
    size = 4 if family == 4 else 16
    return st.binary(min_size=size, max_size=size).map(address)


@st.composite
def unicast(draw, family):
    """An address that a host may have: not of 0/8, 127/8, multicast, link-local, nor IPv4 in IPv6."""
    raw = draw(host(family))
    return (
        f"{draw(st.integers(1, 99))}.{raw.split('.', 1)[1]}" if family == 4 else address(b"\x20\x01" + _packed(raw)[2:])
    )


def _packed(word):
    from socket import AF_INET6, inet_pton

    return inet_pton(AF_INET6, word)


@st.composite
def prefix(draw, family, shortest=0):
    """A prefix without bits beyond its length."""
    return network(f"{draw(unicast(family))}/{draw(st.integers(shortest, 32 if family == 4 else 128))}")


TYPES = ("unicast",) * 4 + ("blackhole", "unreachable", "prohibit", "throw", "local")
METRICS = ("mtu", "advmss", "initcwnd", "initrwnd")


@st.composite
def route_options(draw, family, kind, via):
    """What few routes have, for a route that leads somewhere; most have nothing."""
    found = {}
    if draw(st.booleans()):
        return ()
    if family == 4:
        found["tos"] = draw(st.sampled_from((0, 4, 16, 252)))
    if kind not in ("unicast", "local"):
        return options(found)
    if family == 6:
        found["pref"] = draw(st.sampled_from((None, "low", "high")))
    if family == 4 and kind == "unicast" and not via:
        found["scope"] = draw(st.sampled_from((None, "global", "host", 77)))
    for word in METRICS:
        if draw(st.booleans()):
            found[word] = draw(st.integers(1300, 65000))
    found["hoplimit"] = draw(st.integers(0, 255))
    found["mtu-lock"] = "mtu" in found and draw(st.booleans())
    found["onlink"] = bool(via) and draw(st.booleans())
    return options(found)


@st.composite
def routes(draw, families=family):
    """A route of any kind that the file can ask for."""
    number = draw(families)
    kind = draw(st.sampled_from(TYPES))
    plain = kind == "unicast"
    gateway = unicast(draw(st.sampled_from((4, 4, 6)))) if number == 4 else unicast(6)
    via = draw(st.one_of(st.just(""), gateway)) if plain else ""
    return Route(
        number,
        draw(
            st.one_of(st.integers(1, 252), st.sampled_from((254, 256, 300, 0xFFFFFFFF)), st.integers(256, 0xFFFFFFFF))
        ),
        draw(prefix(number)),
        draw(st.integers(1 if number == 6 else 0, 0xFFFFFFFF)),
        kind,
        via,
        draw(st.sampled_from(DEVICES)) if plain else "lo" if kind == "local" else "",
        draw(st.one_of(st.just(""), unicast(number))) if plain else "",
        draw(route_options(number, kind, via)),
    )


def spans(first, last):
    """No range, one number, or more."""
    pairs = st.tuples(st.integers(first, last), st.integers(first, last)).map(lambda pair: tuple(sorted(pair)))
    return st.one_of(st.just(()), st.integers(first, last).map(lambda one: (one, one)), pairs)


@st.composite
def rules(draw, *, users=True):
    """A rule of any selectors and any action; a kernel may have no way to name users."""
    number = draw(family)
    mask = draw(st.one_of(st.just(0), u32))
    prefixes = st.one_of(st.just(""), prefix(number, 1))
    names = st.one_of(st.just(""), st.sampled_from(("lo", "e0", "fifteen-letters")))
    priority = draw(st.integers(1, 0xFFFFFFFE))
    action = draw(st.sampled_from(("table", "table", "l3mdev", "goto", "nop", "blackhole", "unreachable", "prohibit")))
    suppressed = st.one_of(st.just(-1), st.integers(0, 128)) if action in ("table", "l3mdev") else st.just(-1)
    return Rule(
        number,
        priority,
        draw(u32) & mask,
        mask,
        draw(prefixes),
        draw(prefixes),
        draw(names),
        draw(names),
        draw(st.integers(1, 0xFFFFFFFF)) if action == "table" else 0,
        draw(st.booleans()) if action != "l3mdev" else False,
        uid=draw(spans(0, 0xFFFFFFFE)) if users else (),
        ip_protocol=draw(st.one_of(st.just(0), st.integers(1, 255))),
        sport=draw(spans(1, 0xFFFE)),
        dport=draw(spans(1, 0xFFFE)),
        tos=4 * draw(st.integers(0, 7 if number == 4 else 63)),
        action="table" if action == "l3mdev" else action,
        goto=draw(st.integers(priority + 1, 0xFFFFFFFF)) if action == "goto" else 0,
        l3mdev=action == "l3mdev",
        suppress_prefixlength=draw(suppressed),
        suppress_interface_group=draw(suppressed),
    )


lifetimes = st.one_of(
    st.just((0xFFFFFFFF, 0xFFFFFFFF)),
    st.integers(1, 0xFFFFFFFE).flatmap(lambda valid: st.tuples(st.just(valid), st.integers(1, valid))),
)
labels = st.sampled_from(("", "", "e0:1", "e1:fifteen-lett"))
scopes = st.sampled_from(("", "", "site", "link", "host", "7"))


@st.composite
def addresses(draw):
    """An address of an interface, with or without a peer; what the kernel decides is as it is for the first."""
    number = draw(family)
    whole = 32 if number == 4 else 128
    one, other = draw(unicast(number)), draw(unicast(number))
    dev = draw(st.sampled_from(DEVICES))
    ends = (f"{one}/{draw(st.integers(8, whole))}", "")
    if one != other and draw(st.booleans()):
        ends = (f"{one}/{whole}", f"{other}/{draw(st.integers(8, whole))}")
    value = Address(dev, number, *ends, False, False)
    if draw(st.booleans()):
        return value
    valid, preferred = draw(lifetimes)
    value = value._replace(
        metric=draw(u32.filter(lambda metric: metric != 256)),
        noprefixroute=draw(st.booleans()),
        valid=valid,
        preferred=preferred,
    )
    if number == 6:
        return value._replace(nodad=draw(st.booleans()))
    broadcast = draw(st.one_of(st.just(""), unicast(4)))
    return value._replace(broadcast=broadcast, label=draw(labels), scope=draw(scopes))
