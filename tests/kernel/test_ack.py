from __future__ import annotations

import struct

import pytest

from reconciler.errors import UnavailableError
from reconciler.kernel.ack import Ack, NetlinkError, parse_done, parse_error

CAPPED, TLVS = 0x100, 0x200


def words(text):
    raw = text.encode() + b"\0"
    return struct.pack("=HH", 4 + len(raw), 1) + raw + bytes(-len(raw) % 4)


def error(code, request=b""):
    return struct.pack("=iIHHII", code, 16 + len(request), 24, 5, 7, 0)


def test_zero_is_success_without_words():
    assert parse_error(error(0), CAPPED) == Ack(0, "")


def test_an_error_without_words_gets_those_of_the_c_library():
    assert parse_error(error(-3), CAPPED) == Ack(3, "No such process")


@pytest.mark.parametrize("request_body", [b"", b"x" * 4, b"x" * 13])
def test_the_kernels_words_come_after_the_request_that_it_repeats(request_body):
    padded = request_body + bytes(-len(request_body) % 4)
    body = error(-22, request_body) + padded + struct.pack("=HHI", 8, 2, 40) + words("Nexthop has invalid gateway")
    assert parse_error(body, TLVS) == Ack(22, "Nexthop has invalid gateway")


def test_a_capped_answer_repeats_only_the_header():
    assert parse_error(error(-22, b"x" * 40) + words("Invalid prefix"), TLVS | CAPPED) == Ack(22, "Invalid prefix")


def test_a_warning_of_the_kernel_comes_with_success():
    assert parse_error(error(0) + words("quantum is small"), TLVS | CAPPED) == Ack(0, "quantum is small")


def test_attributes_that_are_cut_short_give_no_words():
    assert parse_error(error(-22) + b"\0\0\0\0\0\0\0\0", TLVS | CAPPED) == Ack(22, "Invalid argument")
    assert parse_error(error(-22) + b"\x10", TLVS | CAPPED) == Ack(22, "Invalid argument")


def test_the_end_of_a_dump_tells_of_a_failure_half_way():
    assert parse_done(struct.pack("=i", 0), 0) == Ack(0, "")
    assert parse_done(b"", 0) == Ack(0, "")
    assert parse_done(struct.pack("=i", -2) + words("FIB table does not exist"), TLVS) == (
        2,
        "FIB table does not exist",
    )
    assert parse_done(struct.pack("=i", -95), 0) == Ack(95, "Operation not supported")


def test_a_refusal_to_read_is_something_that_the_kernel_lacks():
    refusal = NetlinkError(95, "Operation not supported")
    assert isinstance(refusal, UnavailableError)
    assert (refusal.errno, str(refusal)) == (95, "Operation not supported")
