"""Fields that are not always there, and a length that moves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import (
    DefinitionError,
    EncodeError,
    FrameParser,
    FrameTooLargeError,
    HeaderError,
    get_format,
)
from framing.formats.conditional import ConditionalFormat
from framing.formats.header import HeaderFormat
from framing.formats.scans.masked import xored
from framing.testing import check_format, outcome
from framing.toml import parse_protocol

WEBSOCKET = ConditionalFormat(
    "(fin:1 reserved:3=0 opcode:4):u8 (masked:1 length:7):u8 "
    "medium:u16be?length=126 long:u64be?length=127 key:bytes4?masked=1",
    length="long | medium | length",
    xor="key",
    minimal=True,
)
LENIENT = ConditionalFormat(
    "(fin:1 reserved:3=0 opcode:4):u8 (masked:1 length:7):u8 "
    "medium:u16be?length=126 long:u64be?length=127 key:bytes4?masked=1",
    length="long | medium | length",
    xor="key",
)
EPICS = ConditionalFormat(
    "command:u16be size:u16be type:u16be count:u16be channel:u32be parameter:u32be "
    "long_size:u32be?size=0xffff&count=0 long_count:u32be?size=0xffff&count=0",
    length="long_size | size",
)
MAVLINK = ConditionalFormat(
    "start:u8=0xfd length:u8 (flags:7 signed:1):u8 compatible:u8 sequence:u8 system:u8 component:u8 message:u24le",
    trailer="checksum:u16le signature:bytes13?signed=1",
)
MAVLINK_1_AND_2 = ConditionalFormat(
    "start:u8=0xfe|0xfd length:u8 flags:u8?start=0xfd compatible:u8?start=0xfd sequence:u8 "
    "system:u8 component:u8 message:u8?start=0xfe message:u24le?start=0xfd",
    trailer="checksum:u16le",
)
ZMTP = ConditionalFormat(
    "(reserved:5=0 command:1 long:1 more:1):u8 size:u8?long=0 size:u64be?long=1", length="size", minimal=True
)
WS, CA = {"fin": 1, "opcode": 2}, {"command": 1, "type": 6, "channel": 2, "parameter": 3}
MAV = {"sequence": 1, "system": 2, "component": 3, "message": 4, "checksum": 5}
DECLARED = [
    (ConditionalFormat("length:u8 long:u32be?length=255", length="long | length"), None),
    (WEBSOCKET, WS | {"masked": 0}),
    (WEBSOCKET, WS | {"masked": 1, "key": b"\x37\xfa\x21\x3d"}),
    (WEBSOCKET, WS | {"key": b"\0\0\0\0"}),
    (EPICS, CA | {"count": 5}),
    (EPICS, CA | {"count": 0, "long_count": 7}),
    (MAVLINK, MAV | {"flags": 0, "compatible": 0, "signed": 0}),
    (MAVLINK, MAV | {"flags": 3, "compatible": 0, "signed": 1, "signature": b"s" * 13}),
    (MAVLINK_1_AND_2, MAV | {"start": 0xFE}),
    (MAVLINK_1_AND_2, MAV | {"start": 0xFD, "flags": 1, "compatible": 2}),
    (ZMTP, {"command": 0, "more": 1}),
    (ConditionalFormat("length:u8 long:u16be?length=0", length="long | length"), None),
    (ConditionalFormat("kind:u8 length:u8 long:u16be?kind=2", length="long | length", pad=4), {"kind": 1}),
    (
        ConditionalFormat("kind:u8 length:u16 a:u32?kind=1", byteorder={"field": "kind", "little": 1}),
        {"kind": 1, "a": 7},
    ),
    (ConditionalFormat("key:bytes3 length:u8", trailer="crc:u32be=crc32(header payload)", xor="key"), {"key": b"abc"}),
]


@pytest.mark.parametrize(("form", "fields"), DECLARED, ids=lambda value: repr(value)[:60])
def test_the_contract(form, fields):
    sizes = {0, 3, 126, 255, 256}
    payloads = []
    for size in sorted(sizes):
        try:
            form.serialize(b"x" * size, fields)
        except (EncodeError, FrameTooLargeError):
            continue
        payloads.append(b"x" * size)
    assert len(payloads) > 2
    check_format(form, payloads, fields=fields)


def test_the_contract_where_every_payload_has_the_same_size():
    form = ConditionalFormat("kind:u8 extra:u16be?kind=1", payload_size=3)
    check_format(form, [b"abc", b"\0\0\0"], fields={"kind": 0})
    check_format(form, [b"abc", b"\0\0\0"], fields={"kind": 1, "extra": 4})


def websocket_frame(data):
    """Read one frame as RFC 6455 says it, byte by byte: its size and payload. None: bytes are missing."""
    if len(data) < 2:
        return None
    size, place, masked = data[1] & 127, 2, data[1] >> 7
    width, least = {126: (2, 126), 127: (8, 65536)}.get(size, (0, 0))
    if len(data) < 2 + width + 4 * masked:
        return None
    if width:
        size, place = int.from_bytes(data[2 : 2 + width], "big"), 2 + width
    if data[0] & 0x70 or size < least or place + 4 * masked + size > 1 << 20:
        raise ValueError
    key, place = data[place : place + 4] if masked else b"\0\0\0\0", place + 4 * masked
    if len(data) < place + size:
        return None
    return place + size, bytes(byte ^ key[at % 4] for at, byte in enumerate(data[place : place + size]))


good = st.tuples(st.sampled_from([0x82, 0x01]), st.binary(max_size=140), st.sampled_from([None, b"\0\0\0\0", b"abcd"]))


@given(
    st.lists(good), st.one_of(st.binary(max_size=20), st.sampled_from([b"\x92\x01a", b"\x82\x7e\0\x7d" + bytes(125)]))
)
def test_websocket_is_read_as_the_rfc_says(frames, rest):
    data = b"".join(
        WEBSOCKET.serialize(payload, {"fin": first >> 7, "opcode": first & 15, "key": key})
        for first, payload, key in frames
    )
    data += rest
    expected, start, bad = [], 0, False
    try:
        while found := websocket_frame(data[start:]):
            expected.append(found[1])
            start += found[0]
    except ValueError:
        bad = True
    result = outcome(WEBSOCKET, [data], finish=False)
    assert result.payloads == expected
    assert (result.error is not None) == bad or len(
        data
    ) - start >= 2  # too large may be known before the header is whole
    assert expected[: len(frames)] == [payload for _, payload, _ in frames]


@given(st.binary(max_size=300), st.binary(min_size=1, max_size=9))
def test_xored_is_a_loop_over_bytes_and_its_own_reverse(payload, key):
    masked = xored(payload, key)
    assert masked == bytes(byte ^ key[place % len(key)] for place, byte in enumerate(payload))
    assert xored(masked, key) == payload


def test_a_payload_is_what_the_application_sees_whoever_takes_it():
    wire = WEBSOCKET.serialize(b"Hello", WS | {"key": bytes.fromhex("37fa213d")})
    assert wire.hex() == "828537fa213d7f9f4d5158"
    for take in ("take_payloads", "take_views"):
        parser = FrameParser(WEBSOCKET)
        parser.feed(wire * 3)
        assert [bytes(one) for one in getattr(parser, take)()] == [b"Hello"] * 3
    large = WEBSOCKET.serialize(b"x" * 100_000, WS | {"key": b"abcd"})
    parser = FrameParser(WEBSOCKET)
    for place in range(0, len(large), 1000):
        parser.feed(large[place : place + 1000])
        parser.take_payloads() if place + 1000 < len(large) else None
    assert parser.take_payloads() == [b"x" * 100_000]


def test_payload_last_is_promised_where_it_holds():
    assert EPICS.payload_last
    assert not WEBSOCKET.payload_last
    assert not MAVLINK.payload_last
    large = EPICS.serialize(b"y" * 200_000, CA | {"long_count": 1})
    parser = FrameParser(EPICS)
    for place in range(0, len(large), 1000):
        parser.feed(large[place : place + 1000])
    assert parser.take_payloads() == [b"y" * 200_000]


def test_the_shortest_form_is_written_unless_the_fields_are_anothers():
    assert WEBSOCKET.serialize(b"x" * 125, WS)[:2].hex() == "827d"
    assert WEBSOCKET.serialize(b"x" * 126, WS)[:4].hex() == "827e007e"
    assert WEBSOCKET.serialize(b"x" * 65536, WS)[:10].hex() == "827f0000000000010000"
    assert EPICS.serialize(b"x", CA | {"count": 0, "long_count": 1})[:24].hex() == (
        "0001ffff00060000000000020000000300000001" + "00000001"
    )
    # 65535 bytes and a count of 0 would be the extended header
    with pytest.raises(EncodeError, match="read as one of another form"):
        EPICS.serialize(b"x" * 65535, CA | {"count": 0})
    assert EPICS.serialize(b"x" * 65535, CA | {"count": 1})[:4].hex() == "0001ffff"


def test_a_length_in_a_longer_form_than_it_needs():
    wire = bytes.fromhex("827e0001") + b"a"
    assert outcome(LENIENT, [wire]).payloads == [b"a"]
    error = outcome(WEBSOCKET, [wire]).error
    assert error[0] is HeaderError
    frame = LENIENT.frame(wire)
    assert LENIENT.serialize(frame.payload, frame.fields).hex() == "820161"
    with pytest.raises(HeaderError) as caught:
        WEBSOCKET.measure(wire, 0, len(wire))
    assert str(caught.value).startswith("medium is in a longer form than it needs")
    assert (caught.value.offset, caught.value.expected, caught.value.found) == (2, "a frame of 3 bytes", "one of 5")


def test_the_smallest_size_of_a_longer_form_may_be_below_its_escape():
    form = ConditionalFormat("length:u8 long:u16be?length=0", length="long | length", minimal=True)
    assert form.serialize(b"") == b"\0\0\0"
    assert form.serialize(b"a" * 255)[:1] == b"\xff"
    assert form.serialize(b"a" * 256)[:3] == b"\0\1\0"
    assert outcome(form, [b"\0\0\0\0\0\1a"]).payloads == [b""]
    assert outcome(form, [b"\0\0\0\0\0\1a"]).error[0] is HeaderError


@pytest.mark.parametrize(
    ("form", "fields", "path", "text"),
    [
        (WEBSOCKET, WS | {"masked": 1}, "key", "key is missing"),
        (WEBSOCKET, WS | {"masked": 0, "key": b"abcd"}, "key", "key is not in a frame with these others"),
        (WEBSOCKET, WS | {"masked": 2}, "masked", "must be 0 to 1"),
        (WEBSOCKET, WS | {"masked": "1"}, "masked", "must be 0 to 1"),
        (WEBSOCKET, WS | {"key": b"abc"}, "key", "needs 4 bytes"),
        (WEBSOCKET, WS | {"key": "abcd"}, "key", "needs 4 bytes"),
        (WEBSOCKET, {"fin": 1}, "opcode", "opcode is missing"),
        (WEBSOCKET, WS | {"reserved": 1}, "reserved", "must be 0x0"),
        (WEBSOCKET, WS | {"mask": 1}, None, "no field mask"),
        (EPICS, CA, "count", "count is missing"),
        (EPICS, CA | {"count": 2, "long_count": 2}, "long_count", "not in a frame with these others"),
        (MAVLINK_1_AND_2, MAV | {"start": 0xFC}, "start", "must be 0xfe or 0xfd"),
        (ZMTP, {"command": 0, "more": 0, "long": 1}, "size", "longer form than it needs: 3 bytes are enough"),
    ],
)
def test_fields_that_do_not_fit_are_refused_by_name(form, fields, path, text):
    with pytest.raises(EncodeError, match=text) as caught:
        form.serialize(b"a", fields)
    assert caught.value.path == path


def test_none_counts_as_left_out_and_computed_fields_are_not_listened_to():
    fields = WS | {"masked": None, "key": None, "length": 99, "medium": 5}
    assert WEBSOCKET.serialize(b"a", fields) == b"\x82\x01a"


def test_a_form_that_has_no_room_says_so():
    form = ConditionalFormat("kind:u8 length:u8 extra:u16be?kind=1")
    with pytest.raises(FrameTooLargeError, match="length has no room") as caught:
        form.serialize(b"x" * 256, {"kind": 0})
    assert (caught.value.frame_size, caught.value.max_frame_size, caught.value.field) == (258, 257, "length")
    assert len(form.serialize(b"x" * 255, {"kind": 1, "extra": 2})) == 259


def test_a_limit_below_a_forms_smallest_frame_refuses_it_before_its_header_is_whole():
    small = WEBSOCKET.limited(9)
    result = outcome(small, [b"\x81\x01a\x82\xff"], finish=False)
    assert result.payloads == [b"a"]
    assert result.error[0] is FrameTooLargeError
    with pytest.raises(FrameTooLargeError, match="a frame where length is 127 and masked is 1 is too large"):
        small.measure(b"\x82\xff", 0, 2)


@pytest.mark.parametrize(
    ("options", "key", "text"),
    [
        ({"header": "length:u8 a:u8", "length": "length | a"}, "length", "a is never the length"),
        ({"header": "length:u8 a:u8?length=9", "length": "a+length | length", "minimal": True}, "minimal", "one field"),
        ({"header": "length:u8", "pad": 4, "minimal": True}, "minimal", "one field"),
        ({"header": "length:u8", "xor": "key"}, "xor", "a header field of bytes"),
        ({"header": "length:u8 key:u32be", "xor": "key"}, "xor", "a header field of bytes"),
        ({"header": "length:u8 key:bytes2?length=1 key:bytes4?length=2", "xor": "key"}, "xor", "several sizes"),
        ({"header": "length:u8 a:u8?length=1", "max_frame_size": 0}, "max_frame_size", "this limit"),
        ({"header": "length:u8 a:u8?length=1", "max_frame_size": 258}, "max_frame_size", "this limit"),
        ({"header": "length:varint a:u8?length=1"}, None, "no fixed width"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused_at_once(options, key, text):
    with pytest.raises(DefinitionError, match=text) as caught:
        ConditionalFormat(**options)
    assert caught.value.key == key


@pytest.mark.parametrize(
    "options", [{"header": 5}, {"header": "length:u8", "xor": b"key"}, {"header": "length:u8", "minimal": 1}]
)
def test_options_of_another_type_are_a_mistake_of_the_caller(options):
    with pytest.raises(TypeError):
        ConditionalFormat(**options)


@pytest.mark.parametrize("form", [WEBSOCKET, EPICS, MAVLINK, ZMTP], ids=repr)
def test_repr_makes_the_format_again(form):
    assert eval(repr(form)) == form


def test_a_header_with_conditions_is_found_from_toml_and_shorthand():
    header = "length:u8 long:u32be?length=255"
    made = ConditionalFormat(header, length="long | length")
    assert get_format(f'header("{header}", length="long | length")') == made
    assert get_format("header", header=header, length="long | length") == made
    assert get_format("header", header="length:u8 key:bytes4", xor="key").name == "conditional"
    assert get_format("header", header="(a:1 length:7):u8", trailer="b:u8?a=1").name == "conditional"
    text = f'name = "x"\n[both]\nheader = "{header}"\nlength = "long | length"'
    (phase,) = parse_protocol(text, "x.toml").client.phases.values()
    assert phase.wire.format == made
    with pytest.raises(DefinitionError, match="the format conditional has them"):
        HeaderFormat(header)
