"""Frames too large to be held: what comes, at any cut, in how much memory, and what the end says."""

import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framing import DefinitionError, FrameError, FrameTooLargeError, HeaderError, TruncatedFrameError, get_format
from framing.errors import ChecksumError
from framing.events import EventParser, FrameEnd, FramePiece, FrameStart
from framing.frame import Frame
from framing.store import ChunkStore
from framing.testing.observation import peak_memory

WEBSOCKET = get_format(
    "conditional",
    header="(fin:1 reserved:3=0 opcode:4):u8 (masked:1 length:7):u8 medium:u16be?length=126 long:u64be?length=127 "
    "key:bytes4?masked=1",
    length="long | medium | length",
    xor="key",
    minimal=True,
    max_frame_size=20,
)

FORMS = [
    get_format("u16be", max_frame_size=12),
    get_format("header", header="type:u8 length:u16be", trailer="end:u8=0xce", max_frame_size=12),
    get_format("header", header="length:u16be type:u8", trailer="crc:u32le=crc32(header payload)", max_frame_size=20),
    get_format("header", header="sum:u8=xor8(payload type) type:u8 length:u16be", max_frame_size=20),
    get_format("header", header="content:u16be padding:u8", length="content + padding", counts="payload pad",
               pad={"field": "padding", "multiple": 8}, trailer="end:u8=7", max_frame_size=20),
    get_format("varint", max_frame_size=12),
    get_format("pkt_line", max_frame_size=12),
    get_format("netstring", max_frame_size=12),
    get_format("ber", tags=0x04, contents=True, max_frame_size=12),
    get_format("conditional", header="length:u8 long:u32be?length=50", length="long | length", max_frame_size=12),
    get_format("header_block", max_frame_size=30, max_header_size=30),
    WEBSOCKET,
    get_format("conditional", header="(a:1 length:31):u32be key:bytes3?a=1 end:u8",
               trailer="crc:u32le=crc32(payload)?a=1",
               xor="key", max_frame_size=16),
]  # fmt: skip


def pulled(parser, events):
    while (event := parser.next_event()) is not None:
        if isinstance(event, FramePiece) and events and isinstance(events[-1], FramePiece):
            assert event.offset == events[-1].offset + len(events[-1].data)
            events[-1] = FramePiece(events[-1].offset, events[-1].data + event.data)
        else:
            events.append(event)


def run(form, chunks, **options):
    parser, events, error = EventParser(form, **options), [], None
    try:
        for chunk in chunks:
            parser.feed(chunk)
            pulled(parser, events)
        parser.finish()
        pulled(parser, events)
    except FrameError as raised:
        error = raised
    return events, error


def wire_of(form, payload):
    wide = form.limited(70000 if form.name != "pkt_line" else 65520)
    fields = {name: 7 for name in form.field_names if name not in ("pad", "control")}
    if form.name == "header_block":
        fields = {"headers": {}}
    if "key" in fields:
        fields |= {"masked": 1, "fin": 1, "a": 1, "key": bytes.fromhex("37fa213d" if form is WEBSOCKET else "000102")}
        fields = {name: value for name, value in fields.items() if name in form.field_names and name[-1] != "h"}
    return wide.serialize(payload, fields)


@settings(deadline=None)
@given(st.sampled_from(FORMS), st.lists(st.integers(0, 90), min_size=1, max_size=5), st.integers(1, 40))
def test_any_cut_gives_the_same_events_and_whole_frames_among_them(form, sizes, step):
    wires = [wire_of(form, bytes(range(size))) for size in sizes]
    stream = b"".join(wires)
    whole, error = run(form, [stream])
    assert error is None
    assert run(form, [stream[at : at + step] for at in range(0, len(stream), step)]) == (whole, None)
    place = 0
    events = iter(whole)
    for number, wire in enumerate(wires):
        frame = form.limited(1000).frame(wire, place)
        event = next(events)
        if len(wire) <= form.max_frame_size:
            assert (type(event).__mro__[1], event.data, event.offset) == (Frame, wire, place)
        else:
            assert event[:4] == (number, place, len(wire), len(frame.payload))
            piece, end = next(events), next(events)
            assert (piece.data, end.error) == (frame.payload, None)
            assert {**event.header, **end.trailer} == frame.header
        place += len(wire)
    assert next(events, None) is None


@pytest.mark.parametrize("header", ["length:u32be", "kind:u8 length:u64be"])
def test_a_frame_of_4_gib_passes_in_the_memory_of_a_chunk(header):
    """[F105] Its size, less its header, is what a u32 can announce at most."""
    chunk, size = bytes(1 << 22), (1 << 32) - 1
    form = get_format("header", header=header)
    parser = EventParser(form)
    passed = 0

    def pull():
        nonlocal passed
        while (event := parser.next_event()) is not None:
            if isinstance(event, FramePiece):
                passed += len(event.data)
            else:
                ends.append(event)

    def feed_all():
        head = (b"" if "u32" in header else b"\1") + size.to_bytes(4 if "u32" in header else 8, "big")
        parser.feed(head)
        for _ in range(size // len(chunk)):
            parser.feed(chunk)
            pull()
        parser.feed(chunk[: size % len(chunk)])
        pull()

    ends = []
    assert peak_memory(feed_all) < 3 * len(chunk)
    assert passed == size
    assert [type(end) for end in ends] == [FrameStart, FrameEnd]
    assert ends[0].payload_size == size
    assert parser.frame_count == 1


def test_a_checksum_is_computed_while_the_payload_passes():
    form = get_format("header", header="length:u32be", trailer="crc:u32be=crc32(header payload)")
    chunk, count = b"\x5a" * (1 << 20), 40
    head = (len(chunk) * count).to_bytes(4, "big")
    crc = zlib.crc32(head)
    for _ in range(count):
        crc = zlib.crc32(chunk, crc)

    def verdict(trailer):
        parser, last = EventParser(form), None
        parser.feed(head)
        for _ in range(count):
            parser.feed(chunk)
            while (event := parser.next_event()) is not None:
                last = event
        parser.feed(trailer)
        while (event := parser.next_event()) is not None:
            last = event
        return last

    assert peak_memory(lambda: verdict(crc.to_bytes(4, "big"))) < 4 * len(chunk)
    assert verdict(crc.to_bytes(4, "big")) == FrameEnd({"crc": crc}, None)
    bad = verdict(b"\0\0\0\0")
    assert bad.trailer == {}
    assert (type(bad.error), bad.error.offset, bad.error.field) == (ChecksumError, 4 + len(chunk) * count, "crc")


def test_what_is_wrong_at_the_end_of_one_frame_is_told_and_the_next_is_fine():
    """[F106]"""
    form = get_format("header", header="length:u8", trailer="end:u8=0xce", max_frame_size=4)
    events, error = run(form, [b"\x09123456789\xcf" + b"\1a\xce"])
    assert error is None
    assert [type(event).__name__ for event in events] == ["FrameStart", "FramePiece", "FrameEnd", "Frame"]
    assert isinstance(events[2].error, HeaderError)
    assert (events[2].error.offset, events[2].error.frame_number) == (10, 0)
    events, error = run(get_format("netstring", max_frame_size=9), [b"10:0123456789.1:a,"])
    assert error is None
    assert [type(event).__name__ for event in events] == ["FrameStart", "FramePiece", "FrameEnd", "Frame"]
    assert (events[2].error.offset, events[2].error.field, events[2].error.found) == (13, "comma", b".")
    _, error = run(form, [b"\1a\xcf"])
    assert isinstance(error, HeaderError)


def test_limits_and_ends():
    """[F107]"""
    form = get_format("u32be", max_frame_size=8)
    _, error = run(form, [b"\0\0\0\2hi\0\0\1\0"], max_size=100)
    assert isinstance(error, FrameTooLargeError)
    assert (error.offset, error.frame_size, error.max_frame_size, error.frame_number) == (6, 260, 100, 1)
    for stream, pending in ((b"\0\0\0\x09abc", 7), (b"\0\0\0\2h", 5), (b"\0\0", 2)):
        _, error = run(form, [stream])
        assert isinstance(error, TruncatedFrameError)
        assert (error.offset, error.pending_size) == (0, pending)
    padded = get_format("header", header="length:u32be padding:u16be", pad={"field": "padding", "multiple": 2},
                        counts="payload pad", max_frame_size=1000)  # fmt: skip
    _, error = run(padded, [b"\0\1\0\0\xff\xff"])
    assert isinstance(error, FrameTooLargeError)


def test_the_error_stays_and_nothing_more_is_taken():
    parser = EventParser(get_format("header", header="m:u8=1 length:u8"))
    parser.feed(b"\2\0")
    for _ in range(2):
        with pytest.raises(HeaderError):
            parser.next_event()
        parser.feed(b"\1\0")
        assert parser.pending_size == 0
    parser.finish()
    with pytest.raises(RuntimeError, match="finish"):
        parser.feed(b"x")


@pytest.mark.parametrize("form", ["lines", "cobs", "json_stream", "fix"])
def test_formats_that_cannot_refuse_by_name(form):
    with pytest.raises(DefinitionError, match=f"format {form} do not come in pieces"):
        EventParser(get_format(form))


@pytest.mark.parametrize("trailer", ["crc:u16be=crc16_modbus(payload)", "a:u8 sum:u8=sum8(a payload)"])
def test_so_do_checksums_that_cannot_be_carried_on(trailer):
    with pytest.raises(DefinitionError, match="do not come in pieces"):
        EventParser(get_format("header", header="length:u8", trailer=trailer))


@pytest.mark.parametrize("cut", [1, 7, 1000])
def test_a_header_over_the_limit_is_refused_as_a_whole_where_its_end_is_sought_within_it(cut):
    """[F107] The limit that bounds what comes whole says nothing about where a header ends."""
    for form, head in (
        (get_format("header_block", max_frame_size=21), b"GET: /\r\nContent-Length: 30\r\n\r\n"),
        (get_format("varint", max_frame_size=1), b"\x81\x00"),
    ):
        stream = head + b"x" * 30
        events, error = run(form, [stream[at : at + cut] for at in range(0, len(stream), cut)])
        assert events == []
        assert isinstance(error, FrameTooLargeError)
        assert (error.offset, error.max_frame_size) == (0, form.max_frame_size)


def test_a_header_that_comes_byte_by_byte_is_not_read_from_its_beginning_for_each():
    class Remembering(type(get_format("header_block"))):
        def measure(self, buffer, start, end):
            raise AssertionError("not with what a measurer remembers")

    parser, events = EventParser(Remembering(max_frame_size=8192)), []
    head = b"".join(b"name-%d: value\r\n" % number for number in range(400)) + b"Content-Length: 9000\r\n\r\n"
    for place in range(len(head)):
        parser.feed(head[place : place + 1])
        pulled(parser, events)
    assert [event.size for event in events] == [len(head) + 9000]


def test_a_backlog_is_not_copied_for_each_event(monkeypatch):
    copied = []
    replace = ChunkStore._replace
    monkeypatch.setattr(
        ChunkStore, "_replace", lambda store, buffer: copied.append(len(buffer)) or replace(store, buffer)
    )
    for form in (get_format("u8"), get_format("u16be", max_frame_size=4).limited(4)):
        copied.clear()
        parser, wire = EventParser(form), form.limited(200).serialize(b"x" * 8)
        for _ in range(400):
            parser.feed(wire * 10)
            assert parser.next_event() is not None
        while parser.next_event() is not None:
            pass
        assert parser.frame_count == 4000
        assert sum(copied) < 4 * 4000 * len(wire)
