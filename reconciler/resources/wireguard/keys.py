"""Keys: 32 bytes, 44 characters of base64. Secrets are turned into what may be shown.

A private key is shown as its public key (X25519, RFC 7748), which anybody may know. A preshared key has none, so
it is shown as a fingerprint: 128 bits of BLAKE2b. Such keys are 256 random bits (``wg genpsk``), so nobody can
find one by trying, and the fingerprint tells nothing but whether two are equal.
"""

from __future__ import annotations

import re
from binascii import a2b_base64, b2a_base64
from functools import lru_cache
from hashlib import blake2b

SIZE = 32
TEXT = "^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$"
NONE = bytes(SIZE)
_PATTERN = re.compile(TEXT)
_P = 2**255 - 19
_A24 = 121665


class Secret(bytes):
    """The bytes of a secret key; it does not show itself."""

    def __repr__(self) -> str:
        """Show that there is one."""
        return "Secret(…)"

    __str__ = __repr__


def looks_like_key(word: str) -> bool:
    """Tell whether a text is a key in base64."""
    return _PATTERN.match(word) is not None


def to_text(key: bytes) -> str:
    """Return a public key in base64; empty for no key."""
    return "" if key == NONE or not key else b2a_base64(key, newline=False).decode()


def to_bytes(word: str) -> bytes:
    """Return the bytes of a public key; zeros for no key."""
    return a2b_base64(word) if word else NONE


def parse(content: bytes) -> Secret:
    """Return the key that a file holds. ValueError says what is wrong, and nothing of the content."""
    words = content.split()
    if len(words) != 1:
        msg = "it is empty" if not words else "it holds more than one word"
        raise ValueError(msg)
    if not looks_like_key(words[0].decode("ascii", "replace")):
        msg = "it holds no key: 32 bytes in base64, as `wg genkey` and `wg genpsk` print them"
        raise ValueError(msg)
    return Secret(a2b_base64(words[0]))


def fingerprint(key: bytes) -> str:
    """Return what a preshared key is recognised by; empty for no key."""
    return "" if key == NONE or not key else blake2b(key, digest_size=16, person=b"reconciler psk").hexdigest()


@lru_cache(maxsize=64)
def public(private: Secret) -> str:
    """Return the public key of a private one, in base64; empty for no key. Costs a millisecond.

    How long it takes depends on the key: whoever can measure that on this host can read the key's file.
    """
    if private == NONE:
        return ""
    raw = bytearray(private)
    raw[0] &= 248
    raw[31] = (raw[31] & 127) | 64
    scalar = int.from_bytes(raw, "little")
    x1, x2, z2, x3, z3, swapped = 9, 1, 0, 9, 1, 0
    for place in reversed(range(255)):
        bit = scalar >> place & 1
        if swapped ^ bit:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swapped = bit
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        aa, bb, da, cb = a * a % _P, b * b % _P, d * a % _P, c * b % _P
        e = aa - bb
        x3, z3 = (da + cb) ** 2 % _P, x1 * (da - cb) ** 2 % _P
        x2, z2 = aa * bb % _P, e * (aa + _A24 * e) % _P
    if swapped:
        x2, z2 = x3, z3
    return to_text((x2 * pow(z2, -1, _P) % _P).to_bytes(SIZE, "little"))
