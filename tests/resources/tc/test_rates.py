"""Rates and bursts: as people write them, as tc makes them, as the kernel keeps them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.resources.registry import KINDS
from reconciler.resources.tc import rates
from reconciler.resources.tc.class_ import Class
from tests.resources.host import Host, create, delete, update

MICROSECOND = 1e-6 * rates.TICKS_PER_SECOND
BITS = [
    8_000, 16_000, 64_000, 100_000, 512_000, 777_776, 10**6, 1_500_000, 3 * 10**6, 10**7, 33_333_336, 10**8, 3 * 10**8,
    10**9, 2_500_000_000, 10**10, 25 * 10**9, 34_359_738_352, 34_359_738_360, 34_359_738_368, 34_359_738_376,
    4 * 10**10, 10**11,
]  # fmt: skip


@pytest.mark.parametrize(("word", "bits"), [
    ("8kbit", 8_000),
    ("10mbit", 10**7),
    ("10Mbit", 10**7),
    ("1.5gbit", 1_500_000_000),
    ("100gbit", 10**11),
    ("1tbit", 10**12),
    ("100kbps", 800_000),
    ("1mibit", 2**20),
    ("1kibps", 8 * 1024),
    ("800bit", 800),
    ("100bps", 800),
    ("64000", 64_000),
    (64_000, 64_000),
    ("12bit", 8),
    ("0.5kbit", 496),
])  # fmt: skip
def test_rates_are_read(word, bits):
    assert rates.parse(word) == bits


@pytest.mark.parametrize("word", ["", "bit", "fast", "-1mbit", "1e6", "1.mbit", "1,5mbit", "10mb", "10 mbit", "10mbits", "1..5mbit", "10m", "\u0661mbit"])  # fmt: skip
def test_what_is_no_rate_is_refused(word):
    with pytest.raises(ValueError, match="is not a rate"):
        rates.parse(word)


@given(st.integers(1, 10**13).map(lambda n: n * 8))
def test_a_rate_that_is_shown_is_read_again_as_it_was(bits):
    assert rates.parse(rates.text(bits)) == bits


@pytest.mark.parametrize(
    ("bits", "word"), [(10**7, "10mbit"), (1_500_000_000, "1500mbit"), (10**11, "100gbit"), (8, "8bit")]
)
def test_rates_are_shown_in_the_largest_unit_that_leaves_a_whole_number(bits, word):
    assert rates.text(bits) == word


@given(st.integers(1000, 2 * 10**10), st.integers(1, 2**32 - 1))
def test_a_burst_in_bytes_loses_no_tick_on_the_way(rate, ticks):
    size = rates.burst_bytes(ticks, rate * 8)
    assert (size - 1) * rates.TICKS_PER_SECOND < ticks * rate <= size * rates.TICKS_PER_SECOND


@pytest.fixture
def host(lab):
    return Host.of(lab, "host", "ip link add e0 type ifb", "tc qdisc add dev e0 root handle 1: htb")


def single(host):
    (value,) = host.values("class")
    return value


@pytest.mark.needs("ifb", "htb")
@pytest.mark.parametrize("bits", BITS)
def test_a_class_of_ours_is_the_same_as_one_of_tc(host, bits):
    kind = KINDS["class"]
    wanted = Class("e0", "1:10", "1:", bits, 2 * bits)
    host.prepare([f"tc class add dev e0 parent 1: classid 1:10 htb rate {bits}bit ceil {2 * bits}bit"])
    theirs = single(host)
    assert kind.same(kind.fill(wanted, theirs, {}), theirs), "nothing would be done"
    assert kind.same(wanted, theirs)
    host.ask(delete(theirs))
    host.ask(create(wanted))
    ours = single(host)
    assert ours == single(host)
    assert kind.fill(wanted, ours, {}) == ours
    assert ours._replace(burst=0, cburst=0) == theirs._replace(burst=0, cburst=0)
    for one, other, rate in ((ours.burst, theirs.burst, bits), (ours.cburst, theirs.cburst, 2 * bits)):
        assert one == rates.default_burst(rate)
        # tc 6.1 cuts off below a microsecond; newer ones round ticks up.
        exact = rates.MTU * rates.TICKS_PER_SECOND * 8 / rate
        old = int(int(rates.MTU * 8 * 10**6 / rate) * MICROSECOND)
        assert abs(one - exact) <= 1
        assert min(abs(other - old), abs(other - math.ceil(exact))) <= 1


@pytest.mark.needs("ifb", "htb")
@pytest.mark.parametrize("bits", BITS)
def test_a_class_that_is_changed_and_changed_back_is_as_it_was(host, bits):
    first = Class("e0", "1:10", "1:", bits, bits)
    second = first._replace(rate=8_000, ceil=10**11)
    host.ask(create(first))
    before = single(host)
    host.ask(update(first, second))
    assert single(host)[:5] == second[:5]
    host.ask(update(second, first))
    assert single(host) == before


@pytest.mark.needs("ifb", "htb")
def test_what_the_file_leaves_open_is_kept(host):
    kind = KINDS["class"]
    host.prepare(
        [
            "tc class add dev e0 parent 1: classid 1:10 htb rate 1mbit ceil 2mbit burst 20k cburst 30k quantum 9000 prio 4"
        ]
    )
    seen = single(host)
    wanted = kind.fill(Class("e0", "1:10", "1:", 10**6, 2 * 10**6), seen, {})
    assert wanted == seen
    faster = kind.fill(Class("e0", "1:10", "1:", 10**6, 3 * 10**6), seen, {})
    host.ask(update(seen, faster))
    now = single(host)
    assert (now.ceil, now.prio, now.burst) == (3 * 10**6, 4, rates.default_burst(10**6))
    assert kind.same(faster, now)
