"""Rates as people write them, in bits per second; bursts as the kernel keeps them, in ticks of 64 ns."""

from __future__ import annotations

UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40}
TICKS_PER_SECOND = 15_625_000
"""PSCHED_TICKS_PER_SEC (include/net/pkt_sched.h): one tick is 64 ns."""
MTU = 1600
"""The packet size that tc adds to a default burst, in bytes (tc/q_htb.c)."""
RESOLUTION = 10**9
"""The timer's resolution that tc divides a rate by for a default burst (/proc/net/psched, last word)."""


def parse(word: object) -> int:
    """Read ``10mbit``, ``1.5gbit``, ``100kbps`` (bytes) or a number of bits per second.

    Returns bits per second, a multiple of 8, since the kernel counts bytes; ValueError says what is wrong.
    """
    if isinstance(word, int):
        return word // 8 * 8
    lower = str(word).lower()
    number, factor = lower, 1
    if lower.endswith("bit"):
        number = lower[:-3]
    elif lower.endswith("bps"):
        number, factor = lower[:-3], 8
    digits = number.rstrip("kmgti")
    unit = number[len(digits) :]
    whole, point, part = digits.partition(".")
    plain = (whole + part).isascii() and (whole + part).isdigit() and (bool(part) or not point)
    if unit not in UNITS or not plain or (unit and number is lower):
        msg = f'"{word}" is not a rate: 500kbit, 10mbit, 1.5gbit'
        raise ValueError(msg)
    bits: int = int(whole + part) * UNITS[unit] * factor // 10 ** len(part)
    return bits // 8 * 8


def text(bits: int) -> str:
    """Return a rate as tc shows it: the largest decimal unit that leaves a whole number."""
    for unit in ("t", "g", "m", "k"):
        if bits and bits % UNITS[unit] == 0:
            return f"{bits // UNITS[unit]}{unit}bit"
    return f"{bits}bit"


def default_burst(bits: int) -> int:
    """Return the burst that tc sets where none is given, in ticks, rounded up.

    So does newer tc; 6.1 cuts off below a microsecond, which leaves nothing at 13 Gbit/s and above.
    """
    rate = bits // 8
    size = rate // RESOLUTION + MTU
    return min(-(-size * TICKS_PER_SECOND // rate) if rate else 0, 0xFFFFFFFF)


def burst_bytes(ticks: int, bits: int) -> int:
    """Return a burst as tc takes it, in bytes, so that no tick is lost on the way."""
    return -(-ticks * (bits // 8) // TICKS_PER_SECOND)
