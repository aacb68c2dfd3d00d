"""When the loop looks again."""

from __future__ import annotations

import pytest

from reconciler.watch import pace
from reconciler.watch.pace import Pace


class Clock:
    """Time that passes only when told to."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self.now += seconds


@pytest.fixture
def clock(monkeypatch):
    found = Clock()
    monkeypatch.setattr(pace, "time", found)
    return found


def test_what_has_no_events_is_looked_at_every_poll_interval(clock):
    one = Pace(2.0)
    one.looked(clock.now)
    assert one.wait() == pytest.approx(2.0)
    assert not one.due()
    clock.now += 2.0
    assert one.due()


def test_after_a_write_it_looks_again_at_growing_intervals(clock):
    one = Pace(100.0)
    began = clock.now
    one.looked(clock.now)
    one.done(1)
    waits = []
    for _ in pace.AFTER_WRITE:
        clock.now += one.wait()
        assert one.due()
        waits.append(clock.now - began)
        one.looked(clock.now)
        one.done(0)
    assert waits == pytest.approx(pace.AFTER_WRITE)
    assert one.wait() > 50


def test_a_failure_is_tried_again_later_each_time_and_at_last_every_half_minute(clock):
    one = Pace(1000.0)
    waits = []
    for _ in range(10):
        one.looked(clock.now)
        one.failed()
        waits.append(one.wait())
        clock.now += one.wait()
    assert waits[0] == pytest.approx(pace.FIRST_RETRY)
    assert waits == sorted(waits)
    assert waits[-1] == pytest.approx(pace.LAST_RETRY)
    one.looked(clock.now)
    one.done(0)
    one.looked(clock.now)
    one.failed()
    assert one.wait() == pytest.approx(pace.FIRST_RETRY)


def test_a_fight_is_slowed_down_and_ordinary_repairs_are_not(clock):
    one = Pace(2.0)
    for _ in range(pace.BURST):
        one.looked(clock.now)
        one.done(1)
        clock.now += 0.001
    assert clock.slept == 0
    one.looked(clock.now)
    assert clock.slept > 0
