"""When to look again: at growing intervals after a write or a failure, and not faster than somebody undoes."""

from __future__ import annotations

import time

AFTER_WRITE = (0.05, 0.2, 0.8)
"""Seconds after a write of our own at which to look for a concurrent writer."""
FIRST_RETRY, LAST_RETRY = 0.5, 30.0
BURST, WINDOW = 20, 2.0
"""How many repairs in how many seconds are taken as ordinary; more is a fight, which is slowed down."""
SLOW = 1.0


class Pace:
    """The loop's clock."""

    def __init__(self, poll: float) -> None:
        self.poll = poll
        """Seconds between two looks at what has no events."""
        self._looks: list[float] = []
        self._retry = FIRST_RETRY
        self._repairs: list[float] = []
        self._last = 0.0

    def wait(self) -> float:
        """Return the seconds until the next look that is planned."""
        return max(0.0, min([*self._looks, self._last + self.poll]) - time.monotonic())

    def due(self) -> bool:
        """Tell whether a look that was planned is due now."""
        return self.wait() <= 0

    def looked(self, now: float) -> None:
        """Note a look; hold it back if repairs come too fast."""
        self._last = now
        self._looks = [at for at in self._looks if at > now]
        self._repairs = [at for at in self._repairs if at > now - WINDOW]
        if len(self._repairs) >= BURST:
            time.sleep(SLOW)

    def done(self, changes: int) -> None:
        """Note a look that went well, and how much it changed."""
        self._retry = FIRST_RETRY
        now = time.monotonic()
        if changes:
            self._repairs.append(now)
            self._looks = [now + after for after in AFTER_WRITE]

    def failed(self) -> None:
        """Note a look that failed; the next try comes later each time."""
        self._looks = [time.monotonic() + self._retry]
        self._retry = min(self._retry * 2, LAST_RETRY)
