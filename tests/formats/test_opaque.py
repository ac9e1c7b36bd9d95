"""Blocks of bytes that are not cut."""

import pytest

from framing import DefinitionError, EncodeError, FrameParser, FrameTooLargeError
from framing.formats.opaque import OpaqueFormat
from framing.testing import check_format, outcome


def test_the_contract():
    check_format(OpaqueFormat(size=5), [b"hello", b"world"])


def test_what_is_left_at_the_end_is_a_frame_at_any_cut():
    for size in range(1, 12):
        cut = outcome(OpaqueFormat(size=4), [b"abcdefghi"[at : at + size] for at in range(0, 9, size)])
        assert cut.payloads == [b"abcd", b"efgh", b"i"]
        assert cut.error is None


def test_nothing_is_left_where_the_blocks_are_whole():
    parser = FrameParser(OpaqueFormat(size=4))
    parser.feed(b"abcd")
    parser.finish()
    assert parser.take_payloads() == [b"abcd"]
    assert parser.next_frame() is None


@pytest.mark.parametrize(
    ("payload", "error"), [(b"abc", EncodeError), (b"abcde", FrameTooLargeError), (b"", EncodeError)]
)
def test_only_a_whole_block_is_written(payload, error):
    with pytest.raises(error):
        OpaqueFormat(size=4).serialize(payload)


def test_there_are_no_fields():
    with pytest.raises(EncodeError, match="no header fields"):
        OpaqueFormat(size=4).serialize(b"abcd", {"type": 1})


@pytest.mark.parametrize(
    ("options", "key"), [({"size": 0}, "size"), ({"size": 5, "max_frame_size": 4}, "max_frame_size")]
)
def test_sizes_that_cannot_be(options, key):
    with pytest.raises(DefinitionError) as raised:
        OpaqueFormat(**options)
    assert raised.value.key == key


def test_unread_gives_back_what_is_no_block_yet():
    parser = FrameParser(OpaqueFormat(size=4))
    parser.feed(b"abcdef")
    assert parser.take_payloads() == [b"abcd"]
    assert parser.unread() == b"ef"
