"""WireFormat, TaggedUnion and MessageReader."""

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import (
    Codec,
    DecodeError,
    DefinitionError,
    EncodeError,
    FrameFormat,
    FrameTooLargeError,
    HeaderError,
    Message,
    MessageReader,
    TaggedUnion,
    TruncatedFrameError,
    WireFormat,
    get_codec,
    get_format,
)
from framing.testing import every_cut

RAW = get_codec("raw")


class Picky(Codec):
    """Upper-case letters only; says how often it was asked."""

    name = "picky"

    def __init__(self):
        self._asked = 0

    @property
    def asked(self):
        return self._asked

    def encode(self, message):
        return message.encode()

    def decode(self, payload):
        self._asked += 1
        if payload != payload.upper():
            raise DecodeError("not upper case", codec=self.name)
        return payload.decode()


class Counting(FrameFormat):
    """One byte of length; counts the payloads that are cut."""

    name = "counting"

    def __init__(self):
        self.cut_count = 0

    def measure(self, buffer, start, end):
        return 1 + buffer[start]

    def bounds(self, buffer, start, end):
        return start + 1, end

    def payload(self, buffer, start, end):
        self.cut_count += 1
        return bytes(buffer[start + 1 : end])

    def serialize(self, payload, fields=None):
        return bytes((len(payload),)) + payload


def drained(reader):
    """Pull until nothing comes, and return messages and the numbers and places of bad ones."""
    messages, bad = [], []
    while True:
        try:
            some = reader.take_messages()
        except DecodeError as error:
            bad.append((error.frame_number, error.frame_offset))
            continue
        if not some:
            return messages, bad
        messages += some


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


class TestMessageReader:
    def test_messages_at_any_cut(self):
        wire = WireFormat(get_format("u8"), get_codec("msgpack"))
        stream = b"".join(map(wire.encode, [1, "two", None, [4], True]))
        for chunks in every_cut(stream):
            reader, taken = MessageReader(wire), []
            for chunk in chunks:
                reader.feed(chunk)
                taken += reader.take_messages()
            assert taken == [1, "two", None, [4], True]
            assert (reader.offset, reader.frame_count) == (len(stream), 5)

    @given(st.text("aA", max_size=30), st.lists(st.integers(1, 8), max_size=12))
    def test_a_bad_message_concerns_itself_alone(self, letters, limits):
        wire = WireFormat(get_format("u8"), Picky())
        reader = MessageReader(wire)
        reader.feed(b"".join(map(wire.encode, letters)))
        messages, bad = [], []
        for limit in [*limits, *[None] * 100]:
            try:
                some = reader.take_messages(limit)
            except DecodeError as error:
                bad.append((error.frame_number, error.frame_offset))
            else:
                assert limit is None or len(some) <= limit
                messages += some
        assert messages == ["A"] * letters.count("A")
        assert bad == [(number, 2 * number) for number, letter in enumerate(letters) if letter == "a"]
        assert reader.frame_count == len(letters)

    def test_messages_before_a_bad_one_come_first(self):
        reader = MessageReader(WireFormat(get_format("u8"), Picky()))
        reader.feed(b"\1A\1B\1c\1D")
        assert reader.take_messages() == ["A", "B"]
        with pytest.raises(DecodeError) as caught:
            reader.take_messages()
        assert (caught.value.frame_number, caught.value.frame_offset) == (2, 4)
        assert reader.next_message() == "D"
        assert reader.next_message() is None

    @pytest.mark.parametrize("letters", ["a" * 2000, "Aa" * 1000, "A" * 63 + "a" * 500, ("A" * 8 + "a") * 200])
    def test_bad_messages_cost_no_quadratic_work(self, letters):
        codec, form = Picky(), Counting()
        reader = MessageReader(WireFormat(form, codec))
        reader.feed(b"".join(b"\1" + letter.encode() for letter in letters))
        messages, bad = drained(reader)
        assert (len(messages), len(bad)) == (letters.count("A"), letters.count("a"))
        assert codec.asked <= 2 * len(letters)
        assert form.cut_count <= 6 * len(letters)

    def test_a_bad_last_line_is_met_once(self):
        reader = MessageReader(WireFormat(get_format("lines", final=True), Picky()))
        reader.feed(b"A\nb")
        reader.finish()
        assert drained(reader) == (["A"], [(1, 2)])

    def test_a_bad_message_behind_a_large_one(self):
        wire = WireFormat(get_format("u16be"), Picky())
        stream = b"".join(map(wire.encode, ["A" * 4000, "b", "C", "d" * 4000, "E"]))
        for size in (1500, 2048, 4003):
            reader, messages, bad = MessageReader(wire), [], []
            for begin in range(0, len(stream), size):
                reader.feed(stream[begin : begin + size])
                some, wrong = drained(reader)
                messages += some
                bad += wrong
            assert messages == ["A" * 4000, "C", "E"]
            assert bad == [(1, 4002), (3, 4008)]

    def test_one_at_a_time_behind_a_large_one(self):
        reader = MessageReader(WireFormat(get_format("u16be"), RAW))
        reader.feed(b"\x0f\xa0" + b"x" * 1500)
        assert reader.next_message() is None
        reader.feed(b"x" * 1500)
        reader.feed(b"x" * 1000 + b"\0\1a\0\1b")
        assert [reader.next_message() for _ in range(4)] == [b"x" * 4000, b"a", b"b", None]

    def test_a_frame_error_ends_it_behind_the_messages_before(self):
        reader = MessageReader(WireFormat(get_format("netstring"), Picky()))
        reader.feed(b"1:A,1:b,1:C,x")
        reader.finish()
        assert reader.take_messages() == ["A"]
        with pytest.raises(DecodeError):
            reader.take_messages()
        assert reader.take_messages() == ["C"]
        for _ in range(2):
            with pytest.raises(HeaderError) as caught:
                reader.take_messages()
            assert (caught.value.offset, caught.value.frame_number) == (12, 3)
        assert reader.error is caught.value

    def test_the_end_inside_a_frame(self):
        reader = MessageReader(WireFormat(get_format("u8"), RAW), offset=100, frame_count=5)
        reader.feed(b"\1a\3b")
        assert (reader.pending_size, reader.peek(2)) == (4, b"\1a")
        assert reader.take_messages() == [b"a"]
        assert (reader.needed_size, reader.finished) == (2, False)
        reader.finish()
        with pytest.raises(TruncatedFrameError) as caught:
            reader.next_message()
        assert (caught.value.offset, caught.value.frame_number) == (102, 6)

    def test_none_is_a_message_too(self):
        reader = MessageReader(WireFormat(get_format("u8"), get_codec("msgpack")))
        reader.feed(b"\1\xc0")
        assert reader.take_messages(1) == [None]
        assert reader.take_messages(1) == []

    def test_frames_undecoded(self):
        wire = WireFormat(get_format("u8"), Picky())
        reader = MessageReader(wire)
        reader.feed(b"\1A\1b\2")
        assert [reader.next_frame().payload, reader.next_frame().payload] == [b"A", b"b"]
        assert (reader.next_frame(), reader.unread()) == (None, b"\2")

    def test_bad_messages_that_wait_are_not_copied_for_each_chunk_that_comes(self):
        # One pull a chunk of two bad messages: what waits grows, and must not be joined to each chunk anew.
        wire = WireFormat(get_format("u8"), Picky())
        reader = MessageReader(wire)
        copied_size = 0
        for _ in range(500):
            reader.feed(b"\1a\1b")
            before = reader._parser._buffer
            with pytest.raises(DecodeError):
                reader.take_messages()
            if reader._parser._buffer is not before:
                copied_size += len(reader._parser._buffer)
        assert copied_size <= 10 * 500 * 4
