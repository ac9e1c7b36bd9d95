"""Shapes of CBOR items."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import FrameParser
from framing.formats.cbor_stream import CborStreamFormat
from framing.formats.scans.cbor_shapes import shape
from framing.testing.format import check_scans

COUNT = 48


def number(value):
    width = next((width for width in (1, 2, 4, 8) if value < 1 << 8 * width), 8)
    return bytes((value,)) if value < 24 else bytes((23 + width.bit_length(),)) + value.to_bytes(width, "big")


def text(data):
    return bytes((0x60 + len(data),)) + data if len(data) < 24 else b"\x78%c" % len(data) + data


def reading(value, name):
    return b"\xa2\x62id" + number(value) + b"\x64name" + text(name)


readings = st.builds(reading, st.integers(0, 2**64 - 1), st.binary(max_size=255))


def scanned_once(stream, **limits):
    form = CborStreamFormat(**limits)
    assert form.scan(stream, 0, len(stream), 1 << 62, []) == len(stream)
    return form


@given(st.lists(readings | st.sampled_from([b"\x01", b"\x9f\xff", b"\x82\x01"]), max_size=60), st.integers(0, 70))
def test_what_was_learned_cuts_what_the_walk_cuts(items, limit):
    form = scanned_once(reading(5, b"x") * COUNT + reading(5, b"x" * 40) * COUNT * 2, max_frame_size=200)
    stream = b"".join(items)
    walked, scanned = [], []
    stop = CborStreamFormat(max_frame_size=200)._walked(stream, 0, len(stream), limit, walked)
    assert form.scan(stream, 0, len(stream), limit, scanned) == stop
    assert scanned == walked


@given(st.binary(max_size=30), st.integers(0, 40), st.integers(0, 255))
def test_a_changed_byte_is_seen(name, place, byte):
    item = reading(1000, name)
    changed = bytearray(item)
    changed[place % len(item)] = byte
    expression = shape(item)
    if re.fullmatch(expression, changed, re.DOTALL):
        assert CborStreamFormat().measure(changed, 0, len(changed)) == len(changed)


def test_the_contract_of_many_items_built_alike():
    form = scanned_once(reading(5, b"x") * COUNT)
    check_scans(form, b"".join(reading(3**size, b"y" * size) for size in range(40)))


@pytest.mark.parametrize(
    "item", [b"\x9f\xff", b"\x7f\x61a\xff", b"\x98\x80" + bytes(128), b"\x5a\0\1\0\0" + bytes(65536)]
)
def test_what_has_no_shape(item):
    assert shape(item) is None


@pytest.mark.parametrize("item", [b"\xd8\x20\x81\x39\1\0", b"\x58\x05abcde", b"\x59\0\x03abc", b"\xf8\xff", b"\xa0"])
def test_a_shape_fits_what_it_was_made_from(item):
    assert re.fullmatch(shape(item), item, re.DOTALL)
    assert not re.fullmatch(shape(item), item + b"\0", re.DOTALL)
    assert not re.fullmatch(shape(item), item[:-1], re.DOTALL)


def test_a_simple_value_that_is_not_allowed_fits_no_shape():
    assert not re.fullmatch(shape(b"\x81\xf5"), b"\x81\xf8\x18", re.DOTALL)


def test_an_item_over_the_limit_ends_what_is_cut():
    good, large = reading(1, b"x" * 10), reading(1, b"x" * 23)
    form, out = scanned_once(good * COUNT, max_frame_size=30), []
    stream = good * 50 + large + good
    assert form.scan(stream, 0, len(stream), 1 << 20, out) == len(good) * 50
    assert out == [good] * 50


def test_many_in_chunks():
    parser = FrameParser(CborStreamFormat())
    items = [reading(one, b"n%d" % one) for one in range(3000)]
    stream, taken = b"".join(items), []
    for at in range(0, len(stream), 1000):
        parser.feed(stream[at : at + 1000])
        taken += parser.take_payloads()
    assert taken == items
