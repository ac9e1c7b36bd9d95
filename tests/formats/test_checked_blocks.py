"""A checksum behind every so many bytes of the payload."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import ChecksumError, DefinitionError, EncodeError, FrameParser, FrameTooLargeError, HeaderError
from framing.formats.checked_blocks import CheckedBlocksFormat
from framing.formats.delimiter import DelimiterFormat
from framing.formats.header import HeaderFormat
from framing.testing import check_format, outcome

FRAME = HeaderFormat("kind:u8 length:u8")
SMALL = CheckedBlocksFormat(FRAME, block_size=4, check="sum:u8=sum8(payload)")
DNP3 = CheckedBlocksFormat(
    HeaderFormat(
        "start:u16be=0x0564 length:u8 control:u8 to:u16le from:u16le crc:u16le=crc16_dnp(start length control to from)",
        counts="control to from payload",
    ),
    block_size=16,
    check="crc:u16le=crc16_dnp(payload)",
)


SEGMENTS = CheckedBlocksFormat(
    HeaderFormat("length:u8 to:u8 (last:1 number:7):u8 kind:u8", counts="kind payload"),
    block_size=4,
    check="sum:u8=sum8(payload)",
    first_block="last",
)


PARTED = CheckedBlocksFormat(
    HeaderFormat("to:u8 length:u8 (last:1 number:7):u8 kind:u16be", counts="last kind payload"),
    block_size=4,
    check="sum:u8=sum8(payload)",
    first_block="last",
    header_alone=True,
)


@pytest.mark.parametrize(
    ("form", "fields"),
    [
        (PARTED, {"to": 1, "last": 1, "number": 3, "kind": 9}),
        (SEGMENTS, {"to": 1, "last": 1, "number": 3, "kind": 9}),
        (SMALL, {"kind": 7}),
        (DNP3, {"control": 0xC4, "to": 1, "from": 3}),
        (SMALL.limited(20), {"kind": 0}),
    ],
)
def test_the_contract(form, fields):
    check_format(form, [b"", b"a", b"abcd", b"abcde", b"abcdefgh"], fields=fields)


def test_the_checksums_of_real_frames():
    # tests/corpus/dnp3/zeek__dnp3.pcap, the server's first frame and the client's third.
    for wire, payload in (
        ("05640a44030004007caee6f78210004fbd", "e6f7821000"),
        ("056412c4040003001e7cc1c10232010701ebe45a87ff002801", "c1c10232010701ebe45a87ff00"),
    ):
        parser = FrameParser(DNP3)
        parser.feed(bytes.fromhex(wire))
        assert [one.hex() for one in parser.take_payloads()] == [payload]


@given(st.binary(max_size=60), st.integers(1, 20))
def test_what_is_written_is_read(payload, size):
    form = CheckedBlocksFormat(FRAME, block_size=size, check="crc:u16be=crc16_xmodem(payload)")
    wire = form.serialize(payload, {"kind": 1})
    assert len(wire) == 2 + len(payload) + 2 * -(-len(payload) // size)
    parser = FrameParser(form)
    parser.feed(wire * 2)
    assert parser.take_payloads() == [payload, payload]


def test_the_first_block_begins_with_fields_of_the_header():
    wire = SEGMENTS.serialize(b"abcd", {"to": 1, "last": 1, "number": 3, "kind": 9})
    assert wire.hex(" ") == "05 01 83 09 61 62 4f 63 64 c7"
    parser = FrameParser(SEGMENTS)
    parser.feed(wire)
    frame = parser.next_frame()
    assert (frame.payload, frame.header["number"], frame.header["kind"]) == (b"abcd", 3, 9)
    damaged = bytes((*wire[:2], wire[2] ^ 1, *wire[3:]))
    assert outcome(SEGMENTS, [damaged]).error[2][0] == 6
    assert "first_block='last'" in repr(SEGMENTS)
    assert SEGMENTS.layouts()[""][-1].text == "of each 4 bytes before it, from last on"


def test_a_header_may_be_alone():
    check_format(PARTED, [b""], fields={"to": 1})
    check_format(PARTED, [b""], fields={"to": 1, "last": None, "number": None, "kind": None})
    assert PARTED.serialize(b"", {"to": 1}) == b"\x01\x00"
    assert PARTED.limited(2).serialize(b"", {"to": 1}) == b"\x01\x00"
    assert "header_alone=True" in repr(PARTED)
    texts = {part.text for part in PARTED.layouts()[""] if part.size is None}
    assert texts == {"u8 if blocks follow", "u16be if blocks follow", ""}


def test_no_byte_behind_a_header_that_is_alone_is_waited_for():
    parser = FrameParser(PARTED)
    parser.feed(b"\x01\x00\x02")
    frame = parser.next_frame()
    assert (frame.data, frame.payload) == (b"\x01\x00", b"")
    assert frame.header == {"to": 1, "length": 0, "last": None, "number": None, "kind": None}
    assert parser.next_frame() is None


@pytest.mark.parametrize("length", [1, 2])
def test_a_frame_that_ends_inside_the_fields_of_its_first_block_is_told_by_its_length(length):
    parser = FrameParser(PARTED)
    parser.feed(PARTED.serialize(b"abc", {"to": 1, "last": 0, "number": 1, "kind": 2}) + bytes((1, length)))
    assert parser.next_frame().payload == b"abc"
    with pytest.raises(HeaderError) as caught:
        parser.next_frame()
    error = caught.value
    assert (error.offset, error.field, error.found) == (11, "length", f"one of {2 + length}")
    assert error.expected == "without checksums a frame of 2 bytes, or of 5 or more"


def test_a_payload_needs_the_fields_that_its_first_block_begins_with():
    with pytest.raises(EncodeError, match="they are last, number, kind"):
        PARTED.serialize(b"a", {"to": 1})
    with pytest.raises(EncodeError, match="number is missing"):
        PARTED.serialize(b"a", {"to": 1, "last": 1, "kind": 2})
    with pytest.raises(EncodeError, match="kind is missing"):
        PARTED.serialize(b"", {"to": 1, "last": 1, "number": 2})


def test_a_field_of_the_first_block_is_there_with_another_one_of_it():
    assert PARTED.has_field("to", {})
    assert not PARTED.has_field("last", {"to": 1, "last": 1})
    assert not PARTED.has_field("last", {"number": None})
    assert PARTED.has_field("last", {"number": 0})
    assert SEGMENTS.has_field("last", {})


@pytest.mark.parametrize(
    "options",
    [
        {"header": "length:u8"},
        {"header": "length:u8 kind:u8"},
        {"header": "length:u8 kind:u8=7", "counts": "kind payload"},
        {"header": "kind:u8 length:u8", "counts": "kind payload"},
        {"header": "length:u8 sum:u8=sum8(kind) kind:u8", "counts": "kind payload"},
        {"header": "length:u8 kind:u8", "counts": "kind payload pad", "pad": 2},
        {"header": "length:u8*2 kind:u8", "counts": "frame"},
    ],
)
def test_a_header_that_cannot_be_alone_is_refused(options):
    frame = HeaderFormat(**options)
    first = "kind" if "kind" in options["header"] else ""
    with pytest.raises(DefinitionError) as caught:
        CheckedBlocksFormat(frame, block_size=4, check="sum:u8=sum8(payload)", first_block=first, header_alone=True)
    assert caught.value.key == "header_alone"


@pytest.mark.parametrize("place", [2, 5, 6, 7, 8])
def test_a_wrong_byte_is_told_at_the_checksum_behind_it(place):
    wire = bytearray(SMALL.serialize(b"abcdef", {"kind": 1}))
    wire[place] ^= 1
    for chunks in ([bytes(wire)], [bytes((byte,)) for byte in wire]):
        kind, _, facts = outcome(SMALL, chunks).error[:3]
        assert kind.__name__ == "ChecksumError"
        assert facts[0] == (6 if place < 7 else 9)


def test_it_goes_on_at_the_next_start_where_that_is_asked_for():
    fields = {"control": 0xC4, "to": 1, "from": 3}
    wires = [DNP3.serialize(payload, fields) for payload in (b"first", b"second", b"third", b"fourth")]
    wires[1] = wires[1][:-1] + bytes((wires[1][-1] ^ 1,))
    parser = FrameParser(DNP3, recovery="magic")
    parser.feed(b"".join(wires))
    parser.finish()
    payloads, errors = [], []
    while not payloads or payloads[-1] != b"fourth":
        try:
            payloads.append(parser.next_frame().payload)
        except ChecksumError as error:
            errors.append(error.offset)
    assert (payloads, errors) == ([b"first", b"third", b"fourth"], [len(wires[0]) + 16])


def test_checksums_count_against_the_limit():
    form = SMALL.limited(10)
    assert len(form.serialize(b"abcdef", {"kind": 1})) == 10
    with pytest.raises(FrameTooLargeError):
        form.serialize(b"abcdefg", {"kind": 1})
    with pytest.raises(EncodeError):
        form.serialize(b"", {})


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"block_size": 0}, "block_size"),
        ({"check": "crc:u16le"}, "check"),
        ({"check": "crc:u16le=crc16_dnp(start length control to from)"}, "check"),
        ({"check": "crc:u16le=crc16_dnp(payload) more:u8"}, "check"),
        ({"frame": DelimiterFormat(";")}, "frame"),
        ({"frame": HeaderFormat("a:u8", payload_size=3)}, "frame"),
        ({"frame": HeaderFormat("length:u8", trailer="end:u8=0")}, "frame"),
        ({"first_block": "no"}, "first_block"),
        ({"first_block": "kind", "block_size": 1}, "first_block"),
    ],
)
def test_options_that_cannot_be(options, key):
    with pytest.raises(DefinitionError) as caught:
        CheckedBlocksFormat(**{"frame": FRAME, "block_size": 4, "check": "sum:u8=sum8(payload)"} | options)
    assert caught.value.key == key


def test_it_shows_what_it_is():
    assert "block_size=4" in repr(SMALL)
    assert [part.name for part in SMALL.layouts()[""]] == ["kind", "length", "payload", "sum"]
