"""Keys are recognised without being shown."""

from __future__ import annotations

import pytest

from reconciler.resources.wireguard.keys import (
    NONE,
    Secret,
    fingerprint,
    looks_like_key,
    parse,
    public,
    to_bytes,
    to_text,
)
from tests.resources.wireguard.samples import OFFICE, OTHER_PRIVATE, OTHER_PUBLIC, PRESHARED, PRIVATE, PUBLIC


@pytest.mark.parametrize(("private", "expected"), [(PRIVATE, PUBLIC), (OTHER_PRIVATE, OTHER_PUBLIC)])
def test_a_private_key_is_shown_as_the_public_key_that_wg_gives_for_it(private, expected):
    assert public(parse(private.encode())) == expected


def test_the_public_key_is_that_of_rfc_7748():
    """Section 6.1."""
    bob = Secret.fromhex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")
    assert to_bytes(public(bob)).hex() == "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"


def test_bits_that_the_kernel_sets_in_a_private_key_make_no_difference():
    raw = bytearray(parse(PRIVATE.encode()))
    raw[0] ^= 7
    raw[31] ^= 128
    assert public(Secret(raw)) == PUBLIC


def test_no_key_is_empty():
    assert (public(Secret(NONE)), fingerprint(NONE), to_text(NONE), to_bytes("")) == ("", "", "", NONE)


def test_a_fingerprint_is_short_and_tells_nothing_but_equality():
    key = parse(PRESHARED.encode())
    assert len(fingerprint(key)) == 32
    assert fingerprint(key) == fingerprint(Secret(bytes(key)))
    assert fingerprint(key) != fingerprint(parse(PRIVATE.encode()))
    assert key.hex()[:8] not in fingerprint(key)


@pytest.mark.parametrize("show", [repr, str, "{}".format, "{!r}".format, lambda key: f"{(key,)}"])
def test_a_secret_does_not_show_itself(show):
    assert show(parse(PRIVATE.encode())) in ("Secret(…)", "(Secret(…),)")


@pytest.mark.parametrize("content", [b"", b"\n", b"nonsense", PRIVATE[:-1].encode(), f"{PRIVATE} {PRIVATE}".encode(),
                                     b"\xff" * 44, PRIVATE.replace("U=", "V=").encode(), b"\0" * 32])  # fmt: skip
def test_what_is_no_key_is_refused_without_being_repeated(content):
    with pytest.raises(ValueError, match="it ") as caught:
        parse(content)
    assert content.strip() == b"" or content.decode("latin-1") not in str(caught.value)


def test_a_key_file_may_end_in_blanks_and_lines():
    assert parse(f" {PRIVATE}\r\n\n".encode()) == parse(PRIVATE.encode())


def test_what_looks_like_a_key():
    assert looks_like_key(OFFICE)
    assert not any(map(looks_like_key, ("/etc/wireguard/wg0.key", OFFICE + "\n" + OFFICE, OFFICE[1:], "")))
