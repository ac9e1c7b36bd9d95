"""RTMP's chunks, whose ends depend on the chunks before."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import DefinitionError, EncodeError, FrameParser, FrameTooLargeError, HeaderError, WireFormat, get_codec
from framing.formats.choice import ChoiceFormat
from framing.formats.rtmp_chunks import RtmpChunksFormat
from framing.join import Join
from framing.testing import check_format, outcome

CHUNKS = RtmpChunksFormat()


def begin(length, kind=8, stream=3, timestamp=0, **more):
    fields = {"chunk_type": 0, "chunk_stream": stream, "timestamp": timestamp, "message_length": length}
    return fields | {"message_type": kind, "message_stream": 1} | more


def go_on(stream=3):
    return {"chunk_type": 3, "chunk_stream": stream}


def chunk_size(size):
    return CHUNKS.serialize(size.to_bytes(4, "big"), begin(4, kind=1, stream=2))


@pytest.mark.parametrize("stream", [2, 63, 64, 319, 320, 65599])
def test_the_contract(stream):
    check_format(CHUNKS, [b"abc" * 20, b"xyz" * 20], fields=begin(60, stream=stream))


def test_the_contract_with_an_extended_timestamp():
    check_format(CHUNKS, [b"abc" * 20], fields=begin(60, timestamp=0xFFFFFF, extended_timestamp=0x01000000))


def chunks_of(messages, size):
    """Return the chunks of messages (chunk stream, data), whose chunks come in turns."""
    rest = dict(messages)
    first = dict.fromkeys(rest, True)
    wires = []
    while rest:
        for stream, data in list(rest.items()):
            fields = begin(len(data), stream=stream) if first[stream] else go_on(stream)
            wires.append(CHUNKS.serialize(data[:size], fields))
            first[stream], rest[stream] = False, data[size:]
            if not rest[stream]:
                del rest[stream]
    return wires


@given(
    st.dictionaries(st.integers(3, 400), st.binary(min_size=1, max_size=40), min_size=1, max_size=4),
    st.integers(4, 20),
    st.integers(1, 30),
)
def test_chunks_that_come_in_turns_are_cut_where_they_end(messages, size, cut):
    wires = [chunk_size(size), *chunks_of(messages.items(), size), *chunks_of(messages.items(), size)]
    stream = b"".join(wires)
    assert [wire for _, wire in outcome(CHUNKS, [stream]).frames] == wires
    chunks = [stream[at : at + cut] for at in range(0, len(stream), cut)]
    assert [wire for _, wire in outcome(CHUNKS, chunks).frames] == wires
    one_by_one = FrameParser(CHUNKS)
    one_by_one.feed(stream)
    assert [one_by_one.next_frame().data for _ in wires] == wires


def test_equal_chunks_in_a_row_are_counted_each():
    wires = [CHUNKS.serialize(b"\0" * 128, begin(128 * 3)), *[CHUNKS.serialize(b"\0" * 128, go_on())] * 2]
    stream = b"".join(wires) + CHUNKS.serialize(b"ab", begin(2))
    for size in (1, 129, 131, 200, len(stream)):
        chunks = [stream[at : at + size] for at in range(0, len(stream), size)]
        whole = outcome(CHUNKS, chunks)
        assert (whole.error, len(whole.frames)) == (None, 4)


def test_a_chunk_without_a_header_begins_a_message_like_the_last_one():
    stream = CHUNKS.serialize(b"abc", begin(3)) + CHUNKS.serialize(b"def", go_on())
    stream += CHUNKS.serialize(b"gh", {"chunk_type": 1, "chunk_stream": 3, "timestamp": 5} | of_length(2))
    stream += CHUNKS.serialize(b"ij", {"chunk_type": 2, "chunk_stream": 3, "timestamp": 5})
    assert outcome(CHUNKS, [stream]).payloads == [b"abc", b"def", b"gh", b"ij"]


def of_length(length):
    return {"message_length": length, "message_type": 9}


def test_an_extended_timestamp_is_repeated():
    first = CHUNKS.serialize(b"x" * 128, begin(130, timestamp=0xFFFFFF, extended_timestamp=0x01020304))
    whole = outcome(CHUNKS, [first + b"\xc3" + bytes.fromhex("01020304") + b"yz" + CHUNKS.serialize(b"a", begin(1))])
    assert whole.payloads == [b"x" * 128, bytes.fromhex("01020304") + b"yz", b"a"]
    assert CHUNKS.frame(first).header["extended_timestamp"] == 0x01020304


def test_an_abort_ends_a_message():
    first = CHUNKS.serialize(b"x" * 128, begin(300))
    abort = CHUNKS.serialize((3).to_bytes(4, "big"), begin(4, kind=2, stream=2))
    unknown = CHUNKS.serialize((9).to_bytes(4, "big"), begin(4, kind=2, stream=2))
    whole = outcome(CHUNKS, [first + abort + unknown + CHUNKS.serialize(b"a", begin(1))])
    assert (whole.error, whole.payloads[-1]) == (None, b"a")


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (b"\xc5", "chunk_type"),
        (b"\x85\0\0\0", "chunk_type"),
        (CHUNKS.serialize(b"x" * 128, begin(300)) + CHUNKS.serialize(b"", begin(0)), "chunk_type"),
        (CHUNKS.serialize(b"abcd", begin(5, stream=2)).replace(b"\x08", b"\1"), "message_length"),
        (chunk_size(3), "payload"),
        (chunk_size(1 << 31), "payload"),
    ],
)
def test_each_mistake_is_told_the_same_at_any_cut(data, field):
    good = CHUNKS.serialize(b"ab", begin(2, stream=7))
    kind, text, facts = outcome(CHUNKS, [good + data]).error
    assert (kind, facts[2]) == (HeaderError, field)
    assert facts[0] in (len(good), len(good) + 140)
    for place in range(len(data)):
        assert outcome(CHUNKS, [good, data[:place], data[place:]]).error == (kind, text, facts)


def test_a_backlog_is_measured_with_the_chunk_size_that_holds():
    # Without it the next chunk would seem to be whole where the first of these pieces ends.
    chunk = CHUNKS.serialize(b"x" * 1000, begin(1000))
    parser = FrameParser(CHUNKS)
    parser.feed(chunk_size(4096) + CHUNKS.serialize(b"abc", begin(3)) + chunk[:200])
    assert [parser.next_frame().payload[-3:] for _ in range(2)] == [b"\x00\x10\x00", b"abc"]
    parser.feed(chunk[200:])
    assert parser.next_frame().payload == b"x" * 1000


def test_limits():
    wire = CHUNKS.serialize(b"x" * 100, begin(100))
    assert outcome(CHUNKS.limited(len(wire)), [wire]).payloads == [b"x" * 100]
    assert outcome(CHUNKS.limited(len(wire) - 1), [wire]).error[0] is FrameTooLargeError
    with pytest.raises(DefinitionError):
        RtmpChunksFormat(max_frame_size=0)


@pytest.mark.parametrize(
    ("payload", "fields"),
    [
        (b"", {}),
        (b"", {"chunk_type": 4, "chunk_stream": 3}),
        (b"", {"chunk_type": 3, "chunk_stream": 1}),
        (b"", {"chunk_type": 3, "chunk_stream": 65600}),
        (b"", {"chunk_type": 3, "chunk_stream": 3, "timestamp": 1}),
        (b"", {"chunk_type": 2, "chunk_stream": 3}),
        (b"", {"chunk_type": 2, "chunk_stream": 3, "timestamp": 0xFFFFFF}),
        (b"", begin(0, extended_timestamp=1)),
        (b"ab", begin(1)),
        (b"abc", begin(5)),
        (b"abcde", begin(5, kind=1)),
        (b"", begin(0, colour=1)),
    ],
)
def test_what_cannot_be_written(payload, fields):
    with pytest.raises(EncodeError):
        CHUNKS.serialize(payload, fields)


def test_frames_that_cannot_be_put_back_have_no_codec_that_may_refuse_them():
    assert WireFormat(CHUNKS, get_codec("raw")).takes_all
    for options in ({"join": Join(more={"chunk_type": 0})}, {"recovery": "skip"}):
        with pytest.raises(DefinitionError):
            WireFormat(CHUNKS, get_codec("raw"), **options)
    with pytest.raises(DefinitionError):
        WireFormat(CHUNKS, get_codec("msgpack"))
    with pytest.raises(DefinitionError) as caught:
        ChoiceFormat({"\x03": CHUNKS})
    assert caught.value.key == "cases"


def test_repr_makes_the_format_again():
    form = CHUNKS.limited(77)
    assert eval(repr(form), {"RtmpChunksFormat": RtmpChunksFormat}) == form
    assert [len(parts) for parts in CHUNKS.layouts().values()] == [7, 6, 4, 3]
