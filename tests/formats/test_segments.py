"""Segments behind a table of their sizes."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import DefinitionError, EncodeError, FrameParser, FrameTooLargeError, HeaderError
from framing.formats.segments import SegmentsFormat
from framing.testing import check_format, outcome

FORM = SegmentsFormat()
words = st.binary(max_size=5).map(lambda text: text * 8)


def test_the_contract():
    check_format(FORM, [b"", b"x" * 8, b"y" * 40])


@pytest.mark.parametrize("sizes", [[1, 2], [3, 0], [0, 1, 2], [0] * 9 + [3]])
def test_the_contract_of_several_segments(sizes):
    check_format(FORM, [bytes(range(24))], fields={"segments": sizes})


@given(st.lists(st.lists(words, min_size=1, max_size=4), max_size=4), st.lists(st.integers(0, 300), max_size=4))
def test_segments_come_back_at_any_cut(messages, places):
    sizes = [[len(segment) // 8 for segment in message] for message in messages]
    wires = [
        FORM.serialize(b"".join(message), {"segments": counts}) for message, counts in zip(messages, sizes, strict=True)
    ]
    assert all(len(wire) % 8 == 0 for wire in wires)
    stream = b"".join(wires)
    cuts = sorted({0, len(stream), *(place % (len(stream) + 1) for place in places)})
    cut = outcome(FORM, [stream[first:last] for first, last in pairwise(cuts)])
    assert cut.payloads == [b"".join(message) for message in messages]
    assert [FORM.header(wire)["segments"] for _, wire in cut.frames] == sizes


@pytest.mark.parametrize(
    ("data", "place", "field"),
    [("ffffffff", 0, "segments"), ("00020000", 0, "segments"), ("01000000 00000000 00000000 01000000", 12, "pad")],
)
def test_where_the_error_is(data, place, field):
    parser = FrameParser(FORM)
    parser.feed(bytes(8) + bytes.fromhex(data))
    assert parser.next_frame().payload == b""
    with pytest.raises(HeaderError) as raised:
        parser.next_frame()
    assert (raised.value.offset, raised.value.field) == (8 + place, field)


def test_a_table_over_the_limit_is_not_waited_for():
    parser = FrameParser(SegmentsFormat(max_frame_size=16))
    parser.feed(bytes.fromhex("04000000"))
    with pytest.raises(FrameTooLargeError) as raised:
        parser.next_frame()
    assert raised.value.frame_size == 24


@pytest.mark.parametrize(
    ("payload", "fields", "path"),
    [
        (b"abc", {}, None),
        (bytes(8), {"segments": [2]}, "segments"),
        (bytes(8), {"segments": []}, "segments"),
        (bytes(8), {"segments": [-1, 2]}, "segments"),
        (bytes(8), {"segments": 1}, "segments"),
        (bytes(8), {"segments": [0] * 511 + [1]}, "segments"),
        (bytes(8), {"words": 1}, None),
    ],
)
def test_what_is_not_written(payload, fields, path):
    with pytest.raises(EncodeError) as raised:
        FORM.serialize(payload, fields)
    assert raised.value.path == path


def test_no_segments_are_no_limit():
    with pytest.raises(DefinitionError):
        SegmentsFormat(max_segments=0)
