"""STOMP frames."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import DefinitionError, EncodeError, FrameParser, FrameTooLargeError, HeaderError, TruncatedFrameError
from framing.formats.stomp import StompFormat
from framing.testing import check_format, outcome

FORM = StompFormat()


def parsed(data, form=FORM):
    parser = FrameParser(form)
    parser.feed(data)
    parser.finish()
    return parser.take_frames()


def failed(data, form=FORM):
    parser = FrameParser(form)
    parser.feed(data)
    parser.finish()
    with pytest.raises((HeaderError, FrameTooLargeError, TruncatedFrameError)) as raised:
        drained(parser)
    return raised.value


def drained(parser):
    while parser.next_frame():
        pass


def test_the_contract():
    check_format(
        FORM, [b"", b"hello", b"\n\n", b"x" * 50], fields={"command": "SEND", "headers": {"destination": "/a"}}
    )


def test_the_contract_with_a_length():
    check_format(FORM, [b"\0a\0b", b"\0" * 4], fields={"command": "SEND", "headers": {"content-length": "4", "é": "ü"}})


def test_heart_beats_and_line_endings_are_no_frames():
    frames = parsed(b"\n\r\nSEND\r\na:b\r\ncontent-length:3\r\n\r\n1\0003\0\r\n\n\nBEGIN\n\n\0\n")
    assert [(frame.offset, frame.header, frame.payload) for frame in frames] == [
        (3, {"command": "SEND", "headers": {"a": "b", "content-length": "3"}}, b"1\x003"),
        (42, {"command": "BEGIN", "headers": {}}, b""),
    ]


def test_the_first_of_several_headers_counts():
    (frame,) = parsed(b"MESSAGE\ncontent-length:1\ncontent-length:5\na:1\na:2\n\n\0\0")
    assert frame.header["headers"] == {"content-length": "1", "a": "1"}
    assert frame.payload == b"\0"


def test_bytes_that_are_no_utf_8_come_back():
    (frame,) = parsed(b"SEND\na:\xff\xc3\xa9\n\nb\0")
    assert FORM.serialize(frame.payload, frame.fields) == frame.data


@pytest.mark.parametrize(
    ("data", "place", "field"),
    [
        (b"SEND\nabc\n\nx\0", 5, "headers"),
        (b"SEND\na:b\n:c\n\nx\0", 9, "headers"),
        (b"SEND\na:\0\n\nx\0", 5, "headers"),
        (b"BEGIN\n\n\0SE\0ND\n\nx\0", 8, "command"),
        (b"SEND\ncontent-length:+1\n\nx\0", 20, "content-length"),
        (b"SEND\ncontent-length:\n\nx\0", 20, "content-length"),
        (b"SEND\ncontent-length:1\n\nxy\0", 24, "content-length"),
    ],
)
def test_where_the_error_is(data, place, field):
    error = failed(data)
    assert type(error) is HeaderError
    assert (error.offset, error.field) == (place, field)


def test_a_block_of_headers_has_a_limit():
    form = StompFormat(max_header_size=16)
    assert len(parsed(b"SEND\n" + b"a:bcdefgh\n\n" + b"x\0", form)) == 1
    assert type(failed(b"SEND\n" + b"a:bcdefghi\n\n" + b"x\0", form)) is HeaderError
    assert failed(b"SEND\n" + b"a:b\n" * 9, StompFormat(max_frame_size=32)).max_frame_size == 32


@pytest.mark.parametrize("digits", ["30", "31", "9" * 5000, "0" * 5000 + "30"])
def test_a_length_over_the_limit(digits):
    form = StompFormat(max_frame_size=5060, max_header_size=5050)
    if len(digits) < 3000:
        form = form.limited(len("SEND\ncontent-length:30\n\n") + 30)
    assert isinstance(
        failed(f"SEND\ncontent-length:{digits}\n\n".encode(), form), FrameTooLargeError | TruncatedFrameError
    )


@pytest.mark.parametrize(
    ("payload", "fields", "path"),
    [
        (b"", {}, "command"),
        (b"", {"command": ""}, "command"),
        (b"", {"command": "SEND\n"}, "command"),
        (b"a\0b", {"command": "SEND"}, "headers"),
        (b"ab", {"command": "SEND", "headers": {"content-length": "1"}}, "headers"),
        (b"ab", {"command": "SEND", "headers": {"content-length": "x"}}, "headers"),
        (b"", {"command": "SEND", "headers": {"a": "b\nc:d"}}, "headers.a"),
        (b"", {"command": "SEND", "headers": {"": "b"}}, "headers."),
        (b"", {"command": "SEND", "headers": {1: "b"}}, "headers.1"),
        (b"", {"command": "SEND", "headers": 1}, "headers"),
        (b"", {"command": "SEND", "headers": {"a:b": "c"}}, "headers.a:b"),
        (b"", {"command": "SEND", "headers": {"a": "c\r"}}, "headers.a"),
    ],
)
def test_what_is_not_written(payload, fields, path):
    with pytest.raises(EncodeError) as raised:
        FORM.serialize(payload, fields)
    assert raised.value.path == path


def test_a_field_that_there_is_not():
    with pytest.raises(EncodeError, match="no field type"):
        FORM.serialize(b"", {"command": "SEND", "type": 1})


def test_no_room_for_headers():
    with pytest.raises(DefinitionError):
        StompFormat(max_header_size=2)


lines = st.text("ab:c\r\0", max_size=5)
frames = st.builds(
    lambda command, headers, body, end: f"{command}\n{''.join(f'{line}{end}' for line in headers)}{end}{body}\0\n",
    st.text("AB", min_size=1, max_size=3),
    st.lists(lines | st.sampled_from(["content-length:2", "content-length:0"]), max_size=3),
    st.text("ab\n", max_size=4),
    st.sampled_from(["\n", "\r\n"]),
)


@given(st.lists(frames, max_size=3).map("".join), st.lists(st.integers(0, 60), max_size=4))
def test_any_cut(text, places):
    data = text.encode()
    cuts = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    chunks = [data[first:last] for first, last in pairwise(cuts)]
    assert outcome(FORM, chunks)[:3] == outcome(FORM, [data])[:3]
