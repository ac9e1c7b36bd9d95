"""A checksum behind every so many bytes of the payload."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import ChecksumError, DefinitionError, EncodeError, FrameParser, FrameTooLargeError
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


@pytest.mark.parametrize(
    ("form", "fields"),
    [
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
