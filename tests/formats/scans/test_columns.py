"""A CRC of many blocks at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing.formats.fields.checksums import CHECKSUMS, CRC_ORDERS, PURE_CRCS
from framing.formats.scans.columns import MAX_SIZE, Columns, columns


def one_by_one(sums, count):
    """Return the CRC of each block from what has a byte of each."""
    rows = [one.to_bytes(count, "little") for one in sums]
    return [int.from_bytes(row, "little") for row in zip(*rows, strict=True)]


@pytest.mark.parametrize("name", [*CRC_ORDERS, "xor8"])
@given(data=st.data())
def test_each_block_has_its_own(name, data):
    size = data.draw(st.sampled_from([1, 2, 3, 8, 18]))
    blocks = data.draw(st.lists(st.binary(min_size=size, max_size=size), max_size=20))
    width, compute = CHECKSUMS[name]
    sums = columns(compute, size, width).sums(b"".join(blocks))
    assert one_by_one(sums, len(blocks)) == [*map(compute, blocks)]


def test_the_longest_blocks():
    blocks = [bytes((start + 7 * place) % 256 for place in range(MAX_SIZE)) for start in range(40)]
    compute = PURE_CRCS["crc32c"]
    sums = Columns(compute, size=MAX_SIZE, width=4).sums(b"".join(blocks))
    assert one_by_one(sums, 40) == [*map(compute, blocks)]


def test_tables_are_made_once():
    compute = CHECKSUMS["crc16_dnp"].compute
    assert columns(compute, 18, 2) is columns(compute, 18, 2)
    assert columns(compute, 18, 2) is not columns(compute, 17, 2)
