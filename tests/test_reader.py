"""MessageReader: bad messages, batches and what is put back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import (
    Codec,
    DecodeError,
    FrameFormat,
    HeaderError,
    MessageReader,
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

    def test_all_frames_undecoded(self):
        reader = MessageReader(WireFormat(get_format("u8"), Picky()))
        reader.feed(b"\1A\1b\1C\2")
        assert [frame.payload for frame in reader.take_frames(1)] == [b"A"]
        assert [frame.payload for frame in reader.take_frames()] == [b"b", b"C"]
        assert (reader.take_frames(), reader.unread()) == ([], b"\2")

    def test_bad_messages_that_wait_are_not_copied_for_each_chunk_that_comes(self, counted_store):
        # One pull a chunk of two bad messages: what waits grows, and must not be joined to each chunk anew.
        wire = WireFormat(get_format("u8"), Picky())
        reader = MessageReader(wire)
        reader.parser._store = counted_store
        for _ in range(500):
            reader.feed(b"\1a\1b")
            with pytest.raises(DecodeError):
                reader.take_messages()
        assert 0 < counted_store.copied_size <= 10 * 500 * 4
