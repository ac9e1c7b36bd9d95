"""A byte order that a field of the header tells."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import DefinitionError, EncodeError, HeaderError, get_format
from framing.formats.header import HeaderFormat
from framing.testing import check_format

GIOP = HeaderFormat(
    "magic:bytes4=GIOP major:u8 minor:u8 flags:u8 type:u8 length:u32",
    byteorder={"field": "flags", "mask": 1, "little": 1},
)
GIOP_FIELDS = {"major": 1, "minor": 2, "type": 0}
# DCE 1.1 RPC, 12.6.3.1: the frame's length counts everything; the high half of the first byte of drep is the order.
DCE = HeaderFormat(
    "version:u8=5 minor:u8 type:u8 flags:u8 (integers:4 characters:4):u8 floats:u8 zero:u16be=0"
    " length:u16 auth:u16 call:u32",
    counts="frame",
    byteorder={"field": "integers", "little": 1, "big": 0},
)
AGENTX = HeaderFormat(  # RFC 2741, 6.1
    "version:u8=1 type:u8 flags:u8 zero:u8=0 session:u32 transaction:u32 packet:u32 length:u32",
    byteorder="field=flags mask=0x10 big=0x10",
)
DBUS_LIKE = HeaderFormat(
    "endian:u8=0x6c|0x42 length:u32", trailer="end:u16", byteorder="field=endian little=0x6c big=0x42"
)

DECLARED = [
    (GIOP, GIOP_FIELDS | {"flags": 0}),
    (GIOP, GIOP_FIELDS | {"flags": 1}),
    (GIOP, GIOP_FIELDS | {"flags": 0xFF}),
    (DCE, {"minor": 0, "type": 1, "flags": 3, "integers": 1, "characters": 0, "floats": 0, "auth": 256, "call": 7}),
    (DCE, {"minor": 0, "type": 1, "flags": 3, "integers": 0, "characters": 0, "floats": 0, "auth": 256, "call": 7}),
    (AGENTX, {"type": 1, "flags": 0x10, "session": 1, "transaction": 2, "packet": 3}),
    (AGENTX, {"type": 1, "flags": 0, "session": 1, "transaction": 2, "packet": 3}),
    (DBUS_LIKE, {"endian": 0x42, "end": 1}),
    (DBUS_LIKE, {"end": 1}),
    (HeaderFormat("(a:4 length:12):u16 order:u8", byteorder="field=order big=0"), {"a": 1, "order": 9}),
]


@pytest.mark.parametrize(("form", "fields"), DECLARED, ids=lambda value: repr(value)[:70])
def test_the_contract(form, fields):
    check_format(form, fields=fields)
    assert eval(repr(form), {"HeaderFormat": HeaderFormat}) == form
    assert form.scan.__module__ == "framing.formats.scans.decided"  # not the plain loop


@given(st.integers(0, 255), st.binary(max_size=300))
def test_one_flag_turns_every_integer_without_an_order(flags, payload):
    wire = GIOP.serialize(payload, GIOP_FIELDS | {"flags": flags})
    assert wire[8:12] == len(payload).to_bytes(4, "little" if flags & 1 else "big")
    assert GIOP.frame(wire).header == {"magic": b"GIOP", "flags": flags, "length": len(payload)} | GIOP_FIELDS


def test_integers_with_an_order_keep_it():
    form = HeaderFormat("order:u8 a:u16be b:u16le c:u16 length:u8", byteorder="field=order little=1")
    for order, c in ((1, "0500"), (0, "0005")):
        assert form.serialize(b"", {"order": order, "a": 3, "b": 4, "c": 5}).hex() == f"{order:02x}00030400{c}00"


def test_a_trailer_is_turned_too():
    assert DBUS_LIKE.serialize(b"", {"end": 1})[-2:] == b"\1\0"
    assert DBUS_LIKE.serialize(b"", {"end": 1, "endian": 0x42})[-2:] == b"\0\1"


def test_a_header_that_tells_no_order():
    form = HeaderFormat("order:u8 length:u16", byteorder="field=order mask=0xf little=1 big=2")
    with pytest.raises(HeaderError, match="order tells no byte order") as caught:
        form.measure(b"--\x13\0\0", 2, 5)
    error = caught.value
    assert (error.offset, error.field, error.found) == (2, "order", "0x13")
    assert error.expected == "0x1 or 0x2 in the bits 0xf"
    for value in (3, None, "l", 256):
        with pytest.raises(EncodeError) as refused:
            form.serialize(b"", {"order": value})
        assert refused.value.path == "order"
    with pytest.raises(EncodeError):
        form.serialize(b"")


@pytest.mark.parametrize(
    ("byteorder", "text"),
    [
        ({"field": "none", "little": 1}, "no free field"),
        ({"field": "zero", "little": 1}, "no free field"),
        ({"field": "length", "little": 1}, "no free field"),
        ({"field": "crc", "little": 1}, "no free field"),
        ({"field": "data", "little": 1}, "no integer that can be read"),
        ({"field": "wide", "little": 1}, "no integer that can be read"),
        ({"field": "flags"}, "told apart"),
        ({"field": "flags", "little": 1, "big": 1}, "told apart"),
        ({"field": "flags", "mask": 2, "little": 1}, "do not fit"),
        ({"field": "flags", "mask": 0, "little": 0}, "do not fit"),
        ({"field": "flags", "mask": 256, "little": 0}, "do not fit"),
        ({"field": "flags", "little": 256}, "do not fit"),
        ({"field": "one", "little": 3, "big": 4}, "the constant 0x5 of one tells no byte order"),
        ({"little": 1}, "lacks its field"),
        ({"field": "flags", "little": "l"}, "wrong type"),
        ({"field": "flags", "small": 1}, "no part small"),
        ("field=flags little=x", "wrong type"),
        ("field=flags little=1 little=2", "given twice"),
        ("field=flags little", "needs a value"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_refused_at_once(byteorder, text):
    header = "flags:u8 one:u8=3|5 zero:u8=0 data:bytes2 wide:u16 crc:u8=sum8(flags) length:u32"
    with pytest.raises(DefinitionError, match=text) as caught:
        HeaderFormat(header, byteorder=byteorder)
    assert caught.value.key == "byteorder"


def test_an_order_that_nothing_needs_is_refused():
    with pytest.raises(DefinitionError, match="every field says its byte order"):
        HeaderFormat("flags:u8 length:u16be", byteorder="field=flags little=1")


def test_an_integer_without_an_order_needs_the_option():
    with pytest.raises(DefinitionError, match="byte order is missing") as caught:
        HeaderFormat("flags:u8 length:u16")
    assert caught.value.position == 16


def test_it_is_reached_from_a_shorthand():
    form = get_format('header("order:u8 length:u16", byteorder="field=order little=1")')
    assert form.serialize(b"a", {"order": 1}) == b"\1\1\0a"
