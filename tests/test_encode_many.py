"""Encoding several messages at once is a second path to the same bytes and the same errors."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import EncodeError, FrameTooLargeError, Message, get_protocol

WIRES = {
    text: get_protocol(text).client.wire
    for text in [
        "u32be/raw",
        "u8/raw",
        "u16le(max_frame_size=40)/raw",
        "header(header='length:u32be', counts='frame')/raw",
        "header(header='length:u16be', trailer='end:u8=0xce')/raw",
        "varint/raw",
        "netstring/raw",
        "u32be/msgpack",
    ]
}


def outcome(encode):
    try:
        return encode()
    except (EncodeError, FrameTooLargeError) as error:
        return type(error), str(error)


@pytest.mark.parametrize("text", WIRES)
@given(messages=st.lists(st.one_of(st.binary(max_size=50), st.sampled_from([b"", b"x" * 300, bytearray(b"y"), None]))))
def test_many_are_encoded_as_one_after_the_other(text, messages):
    wire = WIRES[text]
    one_by_one = outcome(lambda: b"".join([wire.encode(message) for message in messages]))

    if isinstance(one_by_one, bytes):
        assert wire.encode_many(messages) == one_by_one
    else:
        # Which of several bad messages is met first is not promised.
        with pytest.raises((EncodeError, FrameTooLargeError)):
            wire.encode_many(messages)


def test_messages_with_fields_keep_them():
    wire = get_protocol("header(header='type:u8 length:u32be')/raw").client.wire

    assert wire.encode_many([Message(b"a", type=1), Message(b"bc", type=2)]) == b"\1\0\0\0\1a\2\0\0\0\2bc"


def test_a_bare_message_may_stand_in_a_message():
    assert WIRES["u8/raw"].encode_many([b"a", Message(b"b"), b"c"]) == b"\1a\1b\1c"


def test_a_subclass_of_bytes_is_encoded():
    class Name(bytes):
        __slots__ = ()

    assert WIRES["u8/raw"].encode_many([Name(b"a"), b"b"]) == b"\1a\1b"
