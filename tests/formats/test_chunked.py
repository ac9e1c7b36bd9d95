"""Chunked transfer coding."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import EncodeError, FrameTooLargeError, HeaderError
from framing.formats.chunked import Chunks, chunk_lines, chunk_size, chunked_bytes, pairs, unchunked


@given(st.lists(st.binary(min_size=1, max_size=20), max_size=6), st.lists(st.just(["A", "b"]), max_size=2))
def test_what_is_written_is_read(parts, trailers):
    lines = [*(f"{len(part):X}" for part in parts), "0"]
    body = b"".join(parts)
    wire = chunked_bytes(body, lines, trailers)
    assert unchunked(wire, 0) == (body, lines, trailers)
    chunks = Chunks(0, 100, 1000)
    assert [chunks.measure(wire, 0, end) for end in range(len(wire))] == [None] * len(wire)
    assert chunks.measure(wire, 0, len(wire)) == len(wire)


def test_a_body_is_one_chunk_unless_said_otherwise():
    assert chunk_lines(b"x" * 16) == ["10", "0"]
    assert chunk_lines(b"") == ["0"]


@pytest.mark.parametrize("line", [b"", b"g", b"-1", b"+1", b"0x1", b" 1", b"1 ", b"1" * 17, b"1;\x00"])
def test_no_size(line):
    with pytest.raises(HeaderError) as caught:
        chunk_size(line, 7)
    assert caught.value.offset == 7


@pytest.mark.parametrize(("line", "size"), [(b"a", 10), (b"00A", 10), (b"1 ;x", 1), (b'2;a="b;c"', 2)])
def test_a_size(line, size):
    assert chunk_size(line, 0) == size


def test_a_chunk_that_is_too_large_is_refused_when_it_is_announced():
    with pytest.raises(FrameTooLargeError):
        Chunks(10, 100, 20).measure(bytes(10) + b"9\r\n", 0, 13)


def test_a_line_that_does_not_end_is_refused():
    with pytest.raises(HeaderError):
        Chunks(0, 5, 100).measure(b"1;abc", 0, 5)


@pytest.mark.parametrize("value", [None, "ab", [["a"]], [["a", "b", "c"]], ["ab"], {"a": "b"}])
def test_what_are_no_pairs(value):
    with pytest.raises(EncodeError):
        pairs("headers", value)
