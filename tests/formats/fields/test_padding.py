"""Payloads that are filled up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import DefinitionError, EncodeError, FrameTooLargeError, HeaderError, get_format
from framing.formats.header import HeaderFormat
from framing.testing import check_format, outcome

FASTCGI = HeaderFormat(
    "version:u8=1 type:u8 id:u16be content:u16be padding:u8 reserved:u8=0",
    length="content + padding",
    counts="payload pad",
    pad={"field": "padding", "multiple": 8},
)
STUN = HeaderFormat("channel:u16be length:u16be", pad=4)  # RFC 8656, 12.5: the length does not count the padding
X11 = HeaderFormat("opcode:u8 data:u8 length:u16le*4", counts="frame", pad=4)

DECLARED = [
    (FASTCGI, {"type": 6, "id": 1}),
    (FASTCGI, {"type": 6, "id": 1, "pad": b"filler"}),
    (STUN, {"channel": 0x4000}),
    (HeaderFormat("length:u8", pad=8, trailer="end:u16le", counts="payload"), {"end": 9}),
    (HeaderFormat("length:u8", pad=3, trailer="end:u16le", counts="header payload trailer"), {"end": 9}),
    (HeaderFormat("length:u16be padding:u8", pad="field=padding"), None),
    (HeaderFormat("length:u16be (flags:4 padding:4):u8", pad="field=padding multiple=16"), {"flags": 3}),
    (HeaderFormat("length:u16be padding:u8", pad={"field": "padding"}, counts="frame"), {"pad": b"1234"}),
]


@pytest.mark.parametrize(("form", "fields"), DECLARED, ids=lambda value: repr(value)[:70])
def test_the_contract(form, fields):
    check_format(form, fields=fields)
    assert eval(repr(form), {"HeaderFormat": HeaderFormat}) == form
    assert form.scan.__module__ == "framing.formats.scans.decided"  # not the plain loop


def test_padding_that_the_length_counts_comes_with_the_payload():
    wire = X11.serialize(b"abcde", {"opcode": 1, "data": 2})
    assert wire == b"\1\2\3\0abcde\0\0\0"
    assert X11.header_names == ("opcode", "data", "length")
    assert X11.frame(wire).payload == b"abcde\0\0\0"
    assert X11.payload_last
    check_format(X11, [b"", b"abcd", b"x" * 200], fields={"opcode": 1, "data": 2})


def test_what_the_padding_is_comes_back():
    wire = b"\1\6\0\1\0\5\3\0helloXYZ"
    frame = FASTCGI.frame(wire)
    assert frame.payload == b"hello"
    assert frame.fields == {"type": 6, "id": 1, "pad": b"XYZ"}
    assert frame.header["padding"] == 3
    assert FASTCGI.serialize(frame.payload, frame.fields) == wire
    assert FASTCGI.serialize(frame.payload, frame.header) == wire
    assert FASTCGI.serialize(b"hello", {"type": 6, "id": 1, "pad": None}) == wire[:-3] + b"\0\0\0"


@given(st.binary(max_size=40), st.sampled_from([2, 3, 4, 8, 64]))
def test_payload_and_padding_are_a_multiple(payload, multiple):
    form = HeaderFormat("length:u8", pad=multiple)
    wire = form.serialize(payload)
    assert (len(wire) - 1) % multiple == 0
    assert len(wire) - 1 - len(payload) < multiple
    assert wire == bytes((len(payload),)) + payload + bytes(len(wire) - 1 - len(payload))
    assert outcome(form, [wire]).payloads == [payload]


def test_the_limit_is_on_the_padded_frame():
    form = HeaderFormat("length:u8", pad=8, max_frame_size=16)
    assert len(form.serialize(b"x" * 8)) == 9
    with pytest.raises(FrameTooLargeError) as caught:
        form.serialize(b"x" * 9)
    assert caught.value.frame_size == 17
    assert HeaderFormat("length:u8", pad=8).max_frame_size == 1 + 256


@pytest.mark.parametrize(
    ("form", "payload", "pad"),
    [
        (STUN, b"abc", b""),
        (STUN, b"abc", b"ab"),
        (STUN, b"abcd", b"wxyz"),
        (STUN, b"abc", 7),
        (FASTCGI, b"", b"x" * 256),
    ],
)
def test_padding_that_cannot_stand_there_is_refused(form, payload, pad):
    with pytest.raises(EncodeError) as caught:
        form.serialize(payload, {"channel": 1, "pad": pad} if form is STUN else {"type": 1, "id": 1, "pad": pad})
    assert caught.value.path == "pad"


@pytest.mark.parametrize(
    ("form", "wire", "field", "offset", "text"),
    [
        (HeaderFormat("a:u8 length:u8", pad=4, counts="payload pad"), b"\0\5abcde", "length", 1, "not filled up"),
        (HeaderFormat("length:u8 n:u8", pad="field=n", counts="frame"), b"\4\3ab", "n", 1, "larger than payload and"),
    ],
)
def test_bad_headers(form, wire, field, offset, text):
    with pytest.raises(HeaderError, match=text) as caught:
        form.measure(b"--" + wire, 2, 2 + len(wire))
    error = caught.value
    assert (error.field, error.offset) == (field, 2 + offset)
    assert error.expected is not None
    assert error.found is not None


@pytest.mark.parametrize(
    ("options", "key", "text"),
    [
        ({"pad": 1}, "pad", "no such padding"),
        ({"pad": -4}, "pad", "no such padding"),
        ({"pad": 1 << 17}, "pad", "no such padding"),
        ({"pad": {}}, "pad", "lacks its field"),
        ({"pad": {"field": "n", "zeros": True}}, "pad", "no part zeros"),
        ({"pad": {"field": 3}}, "pad", "wrong type"),
        ({"pad": "field=zero"}, "pad", "no free integer"),
        ({"pad": "field=data"}, "pad", "no free integer"),
        ({"pad": "field=n multiple=1000"}, "pad", "cannot tell as much"),
        ({"pad": "field=length"}, "pad", "cannot be the length"),
        ({"pad": "field=n", "length": "length + n"}, "counts", "so it counts the padding"),
        ({"pad": 4, "length": "words"}, "counts", "is in units of 4 bytes, so it counts the padding"),
        ({"counts": "payload pad"}, "counts", "cannot count pad"),
        ({"pad": 4, "trailer": "pad:u8"}, "pad", "the padding has the name"),
        ({"pad": 4, "payload_size": 8}, "pad", "need no padding"),
        ({"pad": "field=n", "byteorder": "field=n little=1"}, "byteorder", "is computed"),
    ],
)
def test_what_cannot_work_is_refused_at_once(options, key, text):
    header = "n:u8 zero:u8=0 data:bytes2 length:u16be"
    header += " extra:u16" * ("byteorder" in options) + " words:u8*4" * ("words" in options.values())
    with pytest.raises(DefinitionError, match=text) as caught:
        HeaderFormat(header, **options)
    assert caught.value.key == key


def test_a_field_may_be_called_pad_where_nothing_is_filled_up():
    assert HeaderFormat("pad:u8 length:u8", counts="pad payload").serialize(b"a", {"pad": 1}) == b"\1\2a"


@pytest.mark.parametrize("pad", [True, 4.0, ["field"]])
def test_a_pad_of_a_wrong_type_is_a_bug(pad):
    with pytest.raises(TypeError):
        HeaderFormat("length:u8", pad=pad)


def test_it_is_reached_from_a_shorthand():
    form = get_format('header("length:u8 n:u8", counts="payload pad", pad="field=n multiple=4")')
    assert form.serialize(b"abc") == b"\4\1abc\0"
    assert get_format('header("length:u8", pad=4)').serialize(b"abc") == b"\3abc\0"
