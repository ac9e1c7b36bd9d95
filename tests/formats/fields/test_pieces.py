"""Checksums carried on from piece to piece are those computed at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing.errors import ChecksumError
from framing.formats.fields.checksums import CHECKSUMS
from framing.formats.fields.pieces import RUNNING, RunningCheck, Sums


@given(st.sampled_from(sorted(RUNNING)), st.lists(st.binary(max_size=30), max_size=6))
def test_the_sum_of_pieces_is_that_of_the_whole(name, pieces):
    running = RUNNING[name]()
    for piece in pieces:
        running.update(piece)
    assert running.value == CHECKSUMS[name].compute(b"".join(pieces))


def test_parts_come_in_their_order_and_the_field_may_be_in_front():
    def sums(found):
        check = RunningCheck("crc32", b"head", True, [slice(1, 3), b"\0\0"], ("crc", 5, "big"), found)
        return Sums([check])

    expected = CHECKSUMS["crc32"].compute(b"headpayloadbc\0\0")
    right, wrong = sums(expected), sums(slice(0, 4))
    for one in (right, wrong):
        one.update(b"pay")
        one.update(b"load")
    right.close(b"abcd")
    with pytest.raises(ChecksumError) as caught:
        wrong.close(b"abcd")
    assert (caught.value.offset, caught.value.field, caught.value.found) == (5, "crc", "0x61626364")
