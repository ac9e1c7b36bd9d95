"""What formats tell of their frames, for pictures."""

import pytest

from framing import get_format


@pytest.mark.parametrize(
    ("name", "options", "names"),
    [
        ("header", {"header": "(a:4 b:4=1):u8 n:u16be", "length": "n", "trailer": "c:u8=xor8(header)"}, " n payload c"),
        ("header", {"header": "id:bytes2=ok", "payload_size": 0}, "id"),
        ("header", {"header": "length:u8 p:u8", "pad": {"field": "p", "multiple": 4}}, "length p payload pad"),
        ("varint", {"header": "type:u8 length:varint4"}, "type length payload"),
        ("digits", {"digits": 4, "base": 16, "before": "x:u8", "end": ";"}, "x length payload end"),
        ("netstring", {}, "length separator payload comma"),
        ("lines", {}, "payload delimiter"),
        ("enclosed", {"start": "\x0b", "stop": "\x1c\r"}, " payload "),
        ("cobs", {}, "payload flag"),
        ("hdlc", {}, "flag payload fcs flag"),
        (
            "conditional",
            {"header": "length:u8 long:u16be?length=255", "length": "long | length"},
            "length long payload",
        ),
        ("varint", {"header": "id:quic length:quic"}, "id length payload"),
        ("ber", {"tags": [0x60]}, "tag length contents"),
        ("header_block", {"start_line": True}, "start headers empty line payload"),
        ("json_stream", {}, "payload"),
        ("stomp", {}, "command headers  payload "),
        ("fix", {}, "begin string body length payload checksum"),
        ("opaque", {}, "payload"),
    ],
)
def test_formats_tell_their_parts(name, options, names):
    layouts = get_format(name, **options).layouts()
    assert (None if not layouts else " ".join(part.name for part in layouts[""])) == names


def test_types_and_constants_are_as_they_are_declared():
    form = get_format("header", header="m:bytes3=ff*3 t:bytes2=ok h:bytes2=0x0a0d o:u16be=1|2 length:u24le*2")
    assert [part.text for part in form.layouts()[""][:-1]] == [
        "bytes3=ff*3",
        "bytes2=ok",
        "bytes2=0x0a0d",
        "u16be=1|2",
        "u24le*2",
    ]


def test_a_field_that_is_not_always_there_says_when_and_has_no_fixed_size():
    form = get_format("conditional", header="length:u8 (long:16):u16be?length=255", length="long | length")
    _, long, _ = form.layouts()[""]
    assert (long.size, long.text, long.bits) == (None, "u16be if length=255", ("long:16",))
