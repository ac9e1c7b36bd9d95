"""Thrift's binary protocol without lengths."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import EncodeError, FrameParser, FrameTooLargeError, HeaderError
from framing.formats.thrift_stream import ThriftStreamFormat
from framing.testing import check_format, outcome

FORM = ThriftStreamFormat()
FIXED = {2: 1, 3: 1, 4: 8, 6: 2, 8: 4, 10: 8, 16: 16}


def message(fields, name=b"ping", kind=1):
    return b"\x80\x01\0" + struct.pack(">BI", kind, len(name)) + name + bytes(4) + fields


def field(kind, value, number=1):
    return struct.pack(">BH", kind, number) + value


def string(text):
    return struct.pack(">I", len(text)) + text


def made_list(kind, values):
    return struct.pack(">BI", kind, len(values)) + b"".join(values)


def made_map(key, kind, pairs):
    return struct.pack(">BBI", key, kind, len(pairs)) + b"".join(first + second for first, second in pairs)


MESSAGES = [
    message(b"\0"),
    message(field(11, string(b"hello")) + field(8, bytes(4), 2) + b"\0", b""),
    message(field(12, field(2, b"\1") + b"\0") + b"\0"),
    message(field(15, made_list(11, [string(b"a"), string(b"")])) + field(14, made_list(8, [bytes(4)] * 3), 2) + b"\0"),
    message(field(13, made_map(11, 12, [(string(b"k"), b"\0"), (string(b""), field(3, b"x") + b"\0")])) + b"\0"),
    message(field(13, made_map(8, 10, [(bytes(4), bytes(8))] * 2)) + field(13, made_map(0, 0, [])) + b"\0"),
    message(field(15, made_list(15, [made_list(2, []), made_list(2, [b"\1"])])) + field(16, bytes(16)) + b"\0"),
]


def test_the_contract():
    check_format(FORM, MESSAGES)


@pytest.mark.parametrize("data", MESSAGES)
def test_each_message_ends_where_it_does(data):
    assert outcome(FORM, [data + data]).payloads == [data, data]


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (b"\x80\x02", 1),
        (b"GET / HTTP/1.1", 0),
        (message(field(1, b"")), 16),
        (message(field(15, made_list(7, [b"x"]))), 19),
        (message(field(13, made_map(8, 99, [(bytes(4), b"")]))), 20),
    ],
)
def test_where_the_error_is(data, place):
    parser = FrameParser(FORM)
    parser.feed(MESSAGES[0] + data)
    assert parser.next_frame()
    with pytest.raises(HeaderError) as raised:
        parser.next_frame()
    assert raised.value.offset == len(MESSAGES[0]) + place


def test_structs_stand_in_each_other_so_many_times():
    form = ThriftStreamFormat(max_depth=2)
    assert form.serialize(message(field(12, field(12, b"\0") + b"\0") + b"\0"))
    with pytest.raises(EncodeError) as raised:
        form.serialize(message(field(12, field(12, field(12, b"\0") + b"\0") + b"\0") + b"\0"))
    assert raised.value.offset == 25


@pytest.mark.parametrize("start", [message(b"", b"x" * 9)[:12], message(field(15, struct.pack(">BI", 12, 1 << 31)))])
def test_the_limit_is_said_as_soon_as_a_count_tells(start):
    parser = FrameParser(ThriftStreamFormat(max_frame_size=40))
    parser.feed(start if len(start) > 12 else b"\x80\x01\0\1\0\0\1\0")
    with pytest.raises(FrameTooLargeError):
        parser.next_frame()


values = st.recursive(
    st.sampled_from(sorted(FIXED)).map(lambda kind: (kind, bytes(FIXED[kind])))
    | st.binary(max_size=4).map(lambda text: (11, string(text))),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: (12, b"".join(field(*one) for one in items) + b"\0"))
        | st.tuples(inner, st.integers(0, 3)).map(lambda one: (15, made_list(one[0][0], [one[0][1]] * one[1])))
        | st.tuples(inner, inner, st.integers(0, 3)).map(
            lambda one: (13, made_map(one[0][0], one[1][0], [(one[0][1], one[1][1])] * one[2]))
        )
    ),
    max_leaves=8,
)


@given(st.lists(st.lists(values, max_size=3), max_size=3), st.integers(1, 9))
def test_any_values_at_any_cut(messages, size):
    wires = [message(b"".join(field(*one) for one in fields) + b"\0") for fields in messages]
    stream = b"".join(wires)
    chunks = [stream[at : at + size] for at in range(0, len(stream), size)]
    assert outcome(FORM, chunks).payloads == wires


@given(st.binary(max_size=60), st.integers(0, 70))
def test_any_bytes_at_any_cut(tail, place):
    data = message(b"") + tail
    assert outcome(FORM, [data[:place], data[place:]])[:3] == outcome(FORM, [data])[:3]
