"""Message, WireFormat and TaggedUnion."""

import copy
import pickle

import pytest

from framing import (
    DecodeError,
    DefinitionError,
    EncodeError,
    FrameTooLargeError,
    Message,
    TaggedUnion,
    WireFormat,
    get_codec,
    get_format,
)

RAW = get_codec("raw")


def test_a_message_has_its_fields_as_attributes():
    message = Message("SELECT", type=0x51)
    assert (message.value, message.type, message.fields) == ("SELECT", 0x51, {"type": 0x51})
    assert message == Message("SELECT", type=0x51)
    assert message != Message("SELECT", type=0x52)
    assert message != "SELECT"
    assert repr(message) == "Message('SELECT', type=81)"
    with pytest.raises(AttributeError, match="no field color"):
        _ = message.color
    with pytest.raises(TypeError):
        hash(message)
    assert copy.deepcopy(message) == pickle.loads(pickle.dumps(message)) == message


def test_bare_values_and_messages_with_fields():
    bare = WireFormat(get_format("u8"), RAW)
    assert bare.encode(b"hi") == bare.encode(Message(b"hi")) == b"\2hi"
    with pytest.raises(EncodeError, match="no fields for type"):
        bare.encode(Message(b"hi", type=1))
    wire = WireFormat(get_format("header", header="type:u8 length:u8"), RAW)
    assert wire.encode(Message(b"hi", type=1)) == b"\1\2hi"
    assert wire.decode(wire.format.frame(b"\1\2hi")) == Message(b"hi", type=1)
    with pytest.raises(EncodeError) as caught:
        wire.encode(b"hi")
    assert "Message(value, type=…)" in str(caught.value)


def test_a_limited_wire_format():
    wire = WireFormat(get_format("u8"), RAW).limited(3)
    assert wire.encode(b"ab") == b"\2ab"
    with pytest.raises(FrameTooLargeError):
        wire.encode(b"abc")


class TestTaggedUnion:
    BY_FIELD = WireFormat(
        get_format("header", header="type:u8 length:u8"),
        TaggedUnion({1: RAW, 2: get_codec("msgpack")}, field="type"),
    )
    BY_PREFIX = WireFormat(get_format("u8"), TaggedUnion({b"\1": RAW, b"\1\2": get_codec("msgpack")}))
    WITH_DEFAULT = WireFormat(get_format("u8"), TaggedUnion({b"\1": RAW}, default=RAW))

    @pytest.mark.parametrize(
        ("wire", "message", "data"),
        [
            (BY_FIELD, Message(b"hi", type=1), b"\1\2hi"),
            (BY_FIELD, Message({"a": 1}, type=2), b"\2\4\x81\xa1a\1"),
            (BY_PREFIX, Message(b"hi", tag=b"\1"), b"\3\1hi"),
            (BY_PREFIX, Message(7, tag=b"\1\2"), b"\3\1\2\7"),
            (WITH_DEFAULT, Message(b"hi", tag=b""), b"\2hi"),
        ],
    )
    def test_both_ways(self, wire, message, data):
        assert wire.encode(message) == data
        assert wire.decode(wire.format.frame(data)) == message

    def test_only_what_is_listed_is_decoded(self):
        with pytest.raises(DecodeError) as caught:
            self.BY_FIELD.decode(self.BY_FIELD.format.frame(b"\3\0"))
        assert (caught.value.path, caught.value.found) == ("type", 3)
        with pytest.raises(DecodeError, match="no codec for tag"):
            self.BY_PREFIX.decode(self.BY_PREFIX.format.frame(b"\1\7"))

    @pytest.mark.parametrize(
        ("wire", "message"),
        [
            (BY_FIELD, Message(b"hi", type=3)),
            (BY_FIELD, Message(b"hi")),
            (BY_FIELD, Message(b"hi", type=[1])),
            (BY_PREFIX, Message(b"hi", tag=b"\7")),
            (BY_PREFIX, Message(b"hi", tag=1)),
            (BY_PREFIX, Message(b"hi")),
            (BY_PREFIX, Message(b"\2hi", tag=b"\1")),  # would be read as the longer tag
            (BY_PREFIX, b"hi"),
            (WITH_DEFAULT, Message(b"\1hi", tag=b"")),
            (WITH_DEFAULT, Message(b"hi", tag=b"\7")),
        ],
    )
    def test_what_would_not_come_back_is_not_written(self, wire, message):
        with pytest.raises(EncodeError):
            wire.encode(message)

    def test_what_cannot_work_is_refused_at_once(self):
        for cases, field in (({}, None), ({1: RAW}, None), ({b"": RAW}, None), ({"a": RAW}, "type")):
            with pytest.raises(DefinitionError):
                TaggedUnion(cases, field=field)
        with pytest.raises(DefinitionError, match="no field of the frame format"):
            WireFormat(get_format("u8"), TaggedUnion({1: RAW}, field="type"))
        with pytest.raises(DefinitionError, match="called tag"):
            WireFormat(get_format("header", header="tag:u8 length:u8"), TaggedUnion({b"a": RAW}))
