"""Lengths that are the sum of several fields."""

import pytest

from framing import DefinitionError, EncodeError, FrameParser, HeaderError, get_format
from framing.formats.header import HeaderFormat
from framing.testing import check_format, outcome

FASTCGI = "version:u8=1 type:u8 id:u16be content:u16be padding:u8 reserved:u8=0"
DBUS = "endian:u8=0x6c|0x42 type:u8 flags:u8 version:u8=1 body:u32 serial:u32 fields:u32^8"


def test_the_first_field_is_computed_and_the_others_are_the_applications():
    form = HeaderFormat(FASTCGI, length="content + padding")
    assert form.field_names == ("type", "id", "padding")
    assert form.scan.__module__ == "framing.formats.scans.decided"  # not the plain loop
    wire = form.serialize(b"hello\0\0\0", {"type": 6, "id": 1, "padding": 3})
    assert wire.hex() == "01060001000503006865" + "6c6c6f000000"
    check_format(form, [b"abc", b"x" * 300], fields={"type": 6, "id": 1, "padding": 3})


def test_a_sum_with_scales():
    form = HeaderFormat("words:u8*4 bytes:u8", length="bytes+words")
    assert form.max_frame_size == 2 + 255 * 5
    check_format(form, [b"x" * 8, b"x" * 200], fields={"words": 2})
    with pytest.raises(EncodeError) as caught:
        form.serialize(b"x" * 7, {"words": 2})
    assert caught.value.path == "words"


def test_a_sum_of_bits():
    form = HeaderFormat("(name:6 rest:10):u16be", length="rest + name")
    check_format(form, [b"ab", b"x" * 200], fields={"name": 2})


def test_a_field_that_is_rounded_up():
    form = HeaderFormat(DBUS, length="body + fields", byteorder={"field": "endian", "little": 0x6C, "big": 0x42})
    fields = {"endian": 0x42, "type": 1, "flags": 0, "serial": 7, "fields": 5}
    wire = form.serialize(b"array" + b"\0" * 3 + b"body", fields)
    assert form.frame(wire).header["body"] == 4
    check_format(form, [b"array" + b"\0" * 3, b"x" * 64], fields=fields)
    check_format(form, [b"array" + b"\0" * 3, b"x" * 64], fields=fields | {"endian": 0x6C})


def test_other_fields_must_be_there_and_leave_room():
    form = HeaderFormat(FASTCGI, length="content + padding")
    for fields in ({"type": 1, "id": 1}, {"type": 1, "id": 1, "padding": 256}, {"type": 1, "id": 1, "padding": 9}):
        with pytest.raises(EncodeError) as caught:
            form.serialize(b"12345678", fields)
        assert caught.value.path == "padding"


def test_a_sum_that_is_smaller_than_what_it_counts():
    form = HeaderFormat("a:u8 b:u8*2", length="a + b", counts="frame")
    parser = FrameParser(form)
    parser.feed(b"\0\1\1\0")
    assert parser.take_payloads() == [b""]
    with pytest.raises(HeaderError, match=r"a \+ b are smaller than what they count") as caught:
        parser.take_payloads()
    error = caught.value
    assert (error.offset, error.field, error.found) == (2, "a", 1)
    assert error.expected == "2 or more"


@pytest.mark.parametrize(
    ("options", "key", "position", "text"),
    [
        ({"header": "a:u8 b:u8", "length": "a + c"}, "length", 4, "no header field is called"),
        ({"header": "a:u8 b:u8", "length": "a +"}, "length", 3, "no header field is called"),
        ({"header": "a:u8 b:u8=3", "length": "a + b"}, "length", 4, "free integer"),
        ({"header": "a:u8 b:u8", "length": "a + a"}, "length", 4, "adds a twice"),
        ({"header": "b:u8 a:u8^8", "length": "a + b"}, None, 5, "a is computed"),
        ({"header": "length:u16be^4"}, None, 0, "length is computed"),
        ({"header": "a:u8^4 length:u8"}, None, 0, "a has a multiple"),
        ({"header": "length:u32be=crc32(payload)"}, "length", None, "free integer"),
    ],
)
def test_what_cannot_work_is_refused_at_once(options, key, position, text):
    with pytest.raises(DefinitionError, match=text) as caught:
        HeaderFormat(**options)
    assert (caught.value.key, caught.value.position) == (key, position)


def test_a_multiple_stands_only_where_the_width_is_fixed():
    with pytest.raises(DefinitionError, match="only a header of fixed width has multiples") as caught:
        get_format("varint", header="a:u8^4 length:varint")
    assert caught.value.position == 4


def test_repr_makes_the_format_again():
    form = HeaderFormat(FASTCGI, length="content + padding")
    assert eval(repr(form), {"HeaderFormat": HeaderFormat}) == form
    assert outcome(form, [form.serialize(b"ab", {"type": 1, "id": 2, "padding": 0})]).payloads == [b"ab"]
