"""Frames that all have the same size."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import DefinitionError, EncodeError, FrameParser, TruncatedFrameError, get_format
from framing.formats.fixed import FixedFormat
from framing.testing import check_format, outcome


@pytest.mark.parametrize("size", [1, 2, 188])
def test_the_contract(size):
    check_format(FixedFormat(size), [b"a" * size, b"\0" * size, b"\xff" * size])


@given(st.binary(max_size=60), st.integers(1, 9), st.integers(0, 9))
def test_the_scan_is_a_twin_of_measure(data, size, limit):
    form, out = FixedFormat(size), []
    assert form.scan(data, 0, len(data), limit, out) == size * len(out)
    assert out == [data[place : place + size] for place in range(0, len(data) - size + 1, size)][:limit]


def test_the_end_inside_a_frame_says_how_much_there_should_be():
    parser = FrameParser(FixedFormat(4))
    parser.feed(b"abcdef")
    parser.finish()
    assert parser.take_payloads() == [b"abcd"]
    with pytest.raises(TruncatedFrameError) as caught:
        parser.take_payloads()
    assert (caught.value.pending_size, caught.value.frame_size) == (2, 4)


def test_a_payload_of_another_size_or_a_field_is_refused():
    form = FixedFormat(4)
    for payload in (b"", b"abc", b"abcde"):
        with pytest.raises(EncodeError, match=f"every payload has 4 bytes here, not {len(payload)}"):
            form.serialize(payload)
    with pytest.raises(EncodeError, match="no field kind"):
        form.serialize(b"abcd", {"kind": 1})


def test_the_limit_is_the_size():
    assert FixedFormat(4).limited(1000) == FixedFormat(4)
    with pytest.raises(DefinitionError, match="this limit"):
        FixedFormat(4).limited(3)


def test_how_it_is_declared():
    assert (
        get_format("fixed(188)") == get_format("fixed(size=188)") == get_format("fixed", size=188) == FixedFormat(188)
    )
    assert eval(repr(FixedFormat(7))) == FixedFormat(7)
    with pytest.raises(DefinitionError, match="a frame of no bytes"):
        get_format("fixed(0)")
    with pytest.raises(DefinitionError, match="fixed") as caught:
        get_format("fixed")
    assert caught.value.allowed == "size"
    assert outcome(get_format("fixed(2)"), [b"ab", b"c", b"d"]).payloads == [b"ab", b"cd"]
