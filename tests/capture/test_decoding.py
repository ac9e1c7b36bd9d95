"""One connection: bytes and gaps in, records out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import DecodeError, FrameTooLargeError, HeaderError, Message, TruncatedFrameError, get_protocol
from framing.capture import FrameRecord, GapRecord
from framing.capture.decoding import ConversationDecoder, DatagramDecoder
from framing.toml import parse_protocol

NAMES = {"client": "a:1>b:2", "server": "b:2>a:1"}

# The server answers 8 bytes of a certain kind with one byte that is no frame of its usual format.
PHASED = parse_protocol(
    """
    name = "phased"
    [client.phases.startup]
    header = "length:u8"
    after = [{ payload = "0x3f", server = "answer" }, { client = "messages" }]
    [client.phases.messages]
    header = "type:u8 length:u8"
    [server]
    start = "messages"
    [server.phases.answer]
    header = "answer:u8"
    payload_size = 0
    after = [{ server = "messages" }]
    [server.phases.messages]
    header = "type:u8 length:u8"
    """,
    "phased.toml",
)


def fed(decoder, side, *chunks):
    """Feed chunks, each as the packet with its number; return all records."""
    records = []
    for number, chunk in enumerate(chunks, 1):
        records += decoder.feed(side, chunk, 1000 * number, number)
    return records


def plain():
    return ConversationDecoder(get_protocol("u8(max_frame_size=20)/msgpack"), NAMES)


def test_a_frame_is_of_the_packet_that_completed_it():
    records = fed(plain(), "client", b"\x03\xa2", b"h", b"i\x01\x07\x01", b"\x08")

    assert [(one.number, one.offset, one.size, one.message, one.packet_number, one.time_ns) for one in records] == [
        (0, 0, 4, "hi", 3, 3000),
        (1, 4, 2, 7, 3, 3000),
        (2, 6, 2, 8, 4, 4000),
    ]
    assert {(one.flow, one.direction, one.is_guessed) for one in records} == {("a:1>b:2", "client", False)}


def test_a_bad_message_leaves_its_neighbours_alone():
    decoder = plain()

    first, bad, last = fed(decoder, "client", b"\x01\x07\x01\xc1\x01\x08")

    assert (first.message, last.message, last.number) == (7, 8, 2)
    assert isinstance(bad.error, DecodeError)
    assert (bad.number, bad.offset, bad.head) == (1, 2, b"\x01\xc1")
    assert (bad.error.flow, bad.error.frame_number, bad.error.frame_offset) == ("a:1>b:2", 1, 2)
    summary = decoder.summary("client")
    assert (summary.frame_count, summary.size, summary.error_count, summary.skipped_size) == (3, 6, 1, 0)


def test_a_bad_frame_ends_its_direction_and_no_other():
    decoder = plain()

    first, bad = fed(decoder, "client", b"\x01\x07", b"\xc8" + bytes(40), b"\x01\x07")
    answer = fed(decoder, "server", b"\x01\x09")

    assert first.message == 7
    assert isinstance(bad.error, FrameTooLargeError)
    assert (bad.number, bad.offset, bad.packet_number, bad.head) == (1, 2, 2, b"\xc8" + bytes(31))
    assert "--max-frame-size" in str(bad.error)
    assert [one.message for one in answer] == [9]
    assert list(decoder.finish("client")) == []
    summary = decoder.summary("client")
    assert (summary.size, summary.skipped_size, summary.tail_size, summary.error_count) == (45, 43, 0, 1)
    assert decoder.summary("server").skipped_size == 0


def test_an_end_inside_a_frame():
    decoder = plain()

    records = [*fed(decoder, "client", b"\x01\x07", b"\x05ab"), *decoder.finish("client")]

    assert isinstance(records[1].error, TruncatedFrameError)
    assert (records[1].number, records[1].offset, records[1].packet_number, records[1].head) == (1, 2, 2, b"\x05ab")
    summary = decoder.summary("client", "fin", 5)
    assert (summary.tail_size, summary.skipped_size, summary.error_count) == (3, 0, 1)
    assert (summary.end, summary.packet_count) == ("fin", 5)


def test_a_last_line_without_its_end_is_a_frame():
    decoder = ConversationDecoder(get_protocol("lines(final=true)/raw"), NAMES)

    records = [*fed(decoder, "client", b"one\ntw", b"o"), *decoder.finish("client")]

    assert [(one.message, one.packet_number) for one in records] == [(b"one", 1), (b"two", 2)]
    assert decoder.summary("client").tail_size == 0


@pytest.mark.parametrize("sent", [b"\x01\x07", b"\x01\x07\x05ab"], ids=["between frames", "inside a frame"])
def test_nothing_is_cut_behind_a_gap_where_nothing_speaks_for_it(sent):
    decoder = plain()
    fed(decoder, "client", sent)

    assert list(decoder.gap("client", (len(sent), 30, "acknowledged"), 9000, 9)) == []
    assert fed(decoder, "client", b"\x01\x08") == []
    assert list(decoder.finish("client")) == [
        GapRecord("a:1>b:2", "client", False, 9000, 9, len(sent), 30, "acknowledged", len(sent) - 2)
    ]
    summary = decoder.summary("client")
    assert (summary.gap_count, summary.missing_size, summary.error_count, summary.tail_size) == (1, 30, 0, 0)
    assert (summary.frame_count, summary.skipped_size) == (1, len(sent))


def test_a_gap_in_a_flow_that_is_skipped_is_told_too():
    decoder = plain()
    fed(decoder, "client", b"\xc8")
    gaps = [*decoder.gap("client", (1, 5, "cut"), None, 3), *decoder.gap("client", (9, 1, "end"), None, 4)]

    assert [(gap.offset, gap.pending_size) for gap in gaps] == [(1, 0), (9, 0)]
    assert decoder.summary("client").missing_size == 6


def test_both_directions_share_a_conversation():
    decoder = ConversationDecoder(PHASED, NAMES)

    records = [
        *fed(decoder, "client", b"\x01?"),
        *fed(decoder, "server", b"N\x01\x00"),
        *fed(decoder, "client", b"\x01!\x05\x01x"),
    ]

    assert [(one.direction, one.number, one.message) for one in records] == [
        ("client", 0, b"?"),
        ("server", 0, Message(b"", answer=ord("N"))),
        ("server", 1, Message(b"", type=1)),
        ("client", 1, b"!"),
        ("client", 2, Message(b"x", type=5)),
    ]


def test_what_one_side_says_may_free_bytes_of_the_other():
    decoder = ConversationDecoder(PHASED, NAMES)

    early = fed(decoder, "server", b"S")
    records = fed(decoder, "client", b"\x01?")

    assert early == []
    assert [(one.direction, one.packet_number) for one in records] == [("client", 1), ("server", 1)]
    assert records[1].message == Message(b"", answer=ord("S"))


def test_midstream_is_a_guess_and_skips_the_beginning():
    decoder = ConversationDecoder(PHASED, NAMES, midstream=True)

    (record,) = fed(decoder, "client", b"\x05\x01x")

    assert record.is_guessed
    assert record.message == Message(b"x", type=5)


def test_one_side_alone():
    decoder = ConversationDecoder(PHASED, {"client": "file"})

    records = [*fed(decoder, "client", b"\x01?\x01!"), *decoder.finish("client")]

    assert [one.message for one in records] == [b"?", b"!"]


def test_a_header_error_says_where():
    decoder = ConversationDecoder(get_protocol('header("length:u8", trailer="end:u8=0xce")/raw'), NAMES)

    (record,) = fed(decoder, "client", b"\x01a\xcf")

    assert isinstance(record.error, HeaderError)
    assert (record.offset, record.error.offset, record.error.field) == (0, 2, "end")


@given(st.lists(st.binary(max_size=30), max_size=8), st.sets(st.integers(0, 7)))
def test_each_byte_is_accounted_for(chunks, gaps):
    decoder = plain()
    records = []
    for number, chunk in enumerate(chunks):
        if number in gaps:
            place = sum(map(len, chunks[:number]))  # bytes behind the gap are counted as if it had not been
            records += decoder.gap("client", (place, 1, "end"), None, 1)
        records += decoder.feed("client", chunk, None, None)
    records += decoder.finish("client")
    summary = decoder.summary("client")

    framed = [one.size for one in records if isinstance(one, FrameRecord)]
    refused = [one for one in records if one.type == "error" and isinstance(one.error, DecodeError)]
    framed += [one.head[0] + 1 for one in refused]
    assert summary.size == sum(map(len, chunks)) == sum(framed) + summary.skipped_size + summary.tail_size
    assert summary.frame_count == len(framed)
    assert summary.error_count == sum(one.type == "error" for one in records)


def test_a_payload_that_stands_alone_owes_nothing_to_the_next():
    """[R8] Cut behind a message's first frame, or bad: the next payload begins anew. Phases go on."""
    decoder = DatagramDecoder(get_protocol("u8/raw"), {"client": "a>b"})
    found = [
        (one.type, one.packet_number, one.offset, one.number)
        for number, payload in enumerate([b"\1a\2b", b"\1c", b""], 1)
        for one in decoder.feed("client", payload, number, number)
    ]
    assert found == [("frame", 1, 0, 0), ("error", 1, 2, 1), ("frame", 2, 4, 1)]
    assert not decoder.is_settled
    assert list(decoder.finish("client")) == []
    summary = decoder.summary("client")
    assert (summary.frame_count, summary.size, summary.skipped_size, summary.tail_size) == (2, 6, 2, 0)
