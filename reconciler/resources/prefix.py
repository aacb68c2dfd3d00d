"""Addresses and prefixes as text, and the little arithmetic that routing needs.

No ``ipaddress``: its import and its objects cost more than the rest of a diff.
"""

from __future__ import annotations

from functools import lru_cache

from reconciler.resources.wire import address, packed


def family_of(word: str) -> int:
    """Return 4 or 6 for an address or a prefix as text."""
    return 6 if ":" in word else 4


def canonical(word: str) -> str:
    """Return an address as the kernel would show it; ValueError if it is none."""
    try:
        return address(packed(word))
    except (OSError, UnicodeError) as error:
        msg = f'"{word}" is not an IP address'
        raise ValueError(msg) from error


def parse(word: str) -> tuple[str, int]:
    """Return address and length of ``a/n`` (without ``/n`` the whole address); ValueError if it is none."""
    host, slash, length = word.partition("/")
    host = canonical(host)
    bits = 128 if ":" in host else 32
    if not slash:
        return host, bits
    if not (length.isascii() and length.isdigit() and int(length) <= bits and str(int(length)) == length):
        msg = f'"{word}" is not a prefix: the length is a number from 0 to {bits}'
        raise ValueError(msg)
    return host, int(length)


@lru_cache(maxsize=65536)
def span(word: str) -> tuple[int, int, int]:
    """Return family, network as a number, and length of a prefix that is known to be right."""
    host, _, length = word.partition("/")
    raw = packed(host)
    bits = len(raw) * 8
    size = int(length) if length else bits
    return (4 if bits == 32 else 6), int.from_bytes(raw, "big") >> (bits - size), size


def network(word: str) -> str:
    """Return the prefix of ``a/n`` with its host bits cleared, as ``network/n``; ValueError if it is none."""
    host, length = parse(word)
    raw = packed(host)
    bits = len(raw) * 8
    whole = int.from_bytes(raw, "big") >> (bits - length) << (bits - length)
    return f"{address(whole.to_bytes(len(raw), 'big'))}/{length}"


def contains(prefix: str, inner: str) -> bool:
    """Tell whether an address or prefix lies within a prefix."""
    family, net, size = span(prefix)
    other, inner_net, inner_size = span(inner)
    return family == other and inner_size >= size and inner_net >> (inner_size - size) == net


@lru_cache(maxsize=1024)
def covering(host: str) -> tuple[str, ...]:
    """Return all prefixes that cover an address, the longest first."""
    bits = 128 if ":" in host else 32
    return tuple(network(f"{host}/{length}") for length in range(bits, -1, -1))


def is_default(prefix: str) -> bool:
    """Tell whether a prefix covers everything."""
    return prefix.endswith("/0")


def link_local(host: str) -> bool:
    """Tell whether an IPv6 address is of fe80::/10."""
    return ":" in host and contains("fe80::/10", host)
