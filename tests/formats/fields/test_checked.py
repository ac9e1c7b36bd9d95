"""Checksums over named parts."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import ChecksumError, DefinitionError, FrameError, FrameParser, get_format
from framing.formats.fields.checksums import CHECKSUMS
from framing.formats.header import HeaderFormat
from framing.testing import check_format, every_cut, outcome

UBX = HeaderFormat(
    "sync:bytes2=0xb562 class:u8 id:u8 length:u16le", trailer="crc:u16le=fletcher8(class id length payload)"
)

DECLARED = [
    (HeaderFormat("length:u16be", trailer="crc:u32le=crc32(header payload)"), None),
    (HeaderFormat("length:u16be crc:u32be=crc32(payload)"), None),
    (HeaderFormat("type:u8 length:u16be sum:u8=sum8(type length)"), {"type": 3}),
    (HeaderFormat("type:u8 length:u16be sum:u16be=internet(header payload)"), {"type": 3}),
    (HeaderFormat("head:u8=xor8(length) length:u16be", trailer="body:u32be=crc32c(header payload trailer)"), None),
    (HeaderFormat("length:u8 n:u8", trailer="crc:u16be=crc16_ccitt(pad payload)", pad="field=n multiple=4"), None),
    (HeaderFormat("length:u8", trailer="a:u16be=crc16_x25(payload b) b:u16be=crc16_arc(payload)"), None),
    (HeaderFormat("o:u8 length:u16", trailer="crc:u32=crc32(header payload)", byteorder="field=o big=1"), {"o": 0}),
    (HeaderFormat("o:u8 length:u16", trailer="crc:u32=crc32(header payload)", byteorder="field=o big=1"), {"o": 1}),
    (HeaderFormat("(a:4 b:4):u8 length:u8 crc:u8=xor8(a)", trailer="end:u8=0xce"), {"a": 1, "b": 2}),
    (HeaderFormat("length:u16be*4", counts="frame", trailer="crc:u16be=crc16_dnp(payload)", pad=4), None),
    (UBX, {"class": 6, "id": 1}),
    (
        HeaderFormat(
            "flags:u8 content:u32 padding:u8 names:u16^4 check:u16=crc16_x25(flags content padding names)",
            trailer="end:u16=7 crc:u32=crc32(header payload pad end)",
            length="content + padding + names",
            counts="frame",
            pad={"field": "padding", "multiple": 4},
            byteorder={"field": "flags", "mask": 0x10, "little": 0x10},
        ),
        {"flags": 0x10, "names": 3},
    ),
]


@pytest.mark.parametrize(("form", "fields"), DECLARED, ids=lambda value: repr(value)[:70])
def test_the_contract(form, fields):
    padded = "u16be*4" in repr(form)
    check_format(form, *([[b"", b"abcd"]] if padded else []), fields=fields)
    assert eval(repr(form), {"HeaderFormat": HeaderFormat}) == form


@pytest.mark.parametrize("name", CHECKSUMS)
def test_each_function_by_its_name(name):
    size = CHECKSUMS[name].size
    order = "be" if size > 1 else ""
    form = HeaderFormat("length:u8", trailer=f"check:u{8 * size}{order}={name}(payload)")
    assert form.serialize(b"123456789")[-size:] == CHECKSUMS[name].compute(b"123456789").to_bytes(size, "big")


def test_parts_are_run_over_in_the_order_in_which_they_are_named():
    form = HeaderFormat("a:u8 length:u8", trailer="z:u8 crc:u32be=crc32(z payload length)")
    wire = form.serialize(b"hi", {"a": 1, "z": 2})
    assert wire[-4:] == zlib.crc32(b"\2hi\2").to_bytes(4, "big")


def test_a_checksum_is_not_the_applications():
    form = HeaderFormat("length:u8", trailer="crc:u8=sum8(payload)")
    assert form.field_names == ()
    assert form.header_names == ("length", "crc")
    wire = form.serialize(b"\1\2")
    assert form.frame(wire).header == {"length": 2, "crc": 3}
    assert form.serialize(b"\1\2", {"crc": 99}) == wire


def test_one_that_covers_itself_counts_its_own_bytes_as_zeros():
    form = HeaderFormat("a:u8 crc:u16be=internet(header payload) length:u8")
    wire = form.serialize(b"xyz", {"a": 7})
    assert wire[1:3] == CHECKSUMS["internet"].compute(b"\7\0\0\3xyz").to_bytes(2, "big")
    named = HeaderFormat("a:u8 crc:u16be=internet(a crc length payload) length:u8")
    assert named.serialize(b"xyz", {"a": 7}) == wire


def test_one_that_covers_another_comes_after_it():
    form = HeaderFormat("outer:u32be=crc32(header payload) inner:u8=sum8(length) length:u8")
    wire = form.serialize(b"ab")
    assert wire[4:6] == b"\2\2"
    assert wire[:4] == zlib.crc32(b"\0\0\0\0\2\2ab").to_bytes(4, "big")


@pytest.mark.parametrize(("form", "fields"), DECLARED, ids=lambda value: repr(value)[:70])
@given(place=st.integers(0, 3), bit=st.integers(0, 7))
def test_a_changed_bit_of_the_payload_is_found_if_it_is_covered(form, fields, place, bit):
    wire = bytearray(form.serialize(b"abcd", fields))
    wire[form.bounds(wire, 0, len(wire))[0] + place] ^= 1 << bit
    covered = repr(form).partition("counts")[0].count("payload") or "crc16_dnp" in repr(form)
    error = outcome(form, [bytes(wire)]).error
    assert (error and error[0]) is (ChecksumError if covered else None)


def test_the_error_says_where_and_what():
    form = HeaderFormat("length:u8", trailer="crc:u16be=crc16_ccitt(payload)")
    wire = form.serialize(b"123456789")
    bad = b"\0\xff\xff" + wire[:-1] + b"\0"
    for chunks in every_cut(bad):
        parser = FrameParser(form)
        for chunk in chunks:
            parser.feed(chunk)
        assert parser.take_payloads() == [b""]
        with pytest.raises(ChecksumError) as caught:
            parser.take_payloads()
        error = caught.value
        assert (error.offset, error.frame_number, error.field) == (13, 1, "crc")
        assert (error.expected, error.found) == ("0x29b1", "0x2900")


def test_a_checksum_of_the_header_is_compared_before_the_length_is_believed():
    form = HeaderFormat("length:u32be check:u8=xor8(length)", max_frame_size=1 << 32)
    parser = FrameParser(form)
    parser.feed(b"\x40\0\0\1\x40")
    with pytest.raises(ChecksumError) as caught:
        parser.take_frames()
    assert (caught.value.offset, caught.value.field) == (4, "check")


@pytest.mark.parametrize(("form", "fields"), DECLARED, ids=repr)
def test_loops_stop_in_front_of_a_checksum_that_differs(form, fields):
    wire = form.serialize(b"abcd", fields)
    told = 0
    for place in range(len(wire)):
        bad = bytearray(wire)
        bad[place] ^= 1
        stream = wire + bytes(bad) + wire
        try:
            total = form.measure(stream, len(wire), len(stream))
            form.verify and form.verify(stream, len(wire), len(wire) + total)
        except ChecksumError:
            told += 1
            payloads, frames = [], []
            assert form.scan(stream, 0, len(stream), 9, payloads) == len(wire)
            assert payloads == [b"abcd"]
            if form.scan_frames is not None:
                assert form.scan_frames(stream, 0, len(stream), 9, frames, 0) == len(wire)
                assert [frame.data for frame in frames] == [wire]
        except FrameError:
            continue
    assert told


@pytest.mark.parametrize(
    ("header", "trailer", "spans"),
    [
        ("mark:u8=1 a:u8 length:u8 crc:u16le=crc16_dnp(mark a length)", "", ((0, 1), (2, 3))),
        ("a:u8 length:u8 crc:u16be=crc16_dnp(a length)", "", ((1, 2),)),
        ("a:u8 length:u8 crc:u16be=crc16_dnp(length)", "", None),
        ("a:u8 length:u8 crc:u16be=crc16_dnp(length a)", "", None),
        ("a:u8 length:u8 crc:u16be=crc16_dnp(a length) b:u8=2", "", ((1, 2), (4, 5))),
        ("a:u8 b:u8 length:u8 crc:u16be=crc16_dnp(a b length)", "", None),
        ("a:u8 length:u8 crc:u16be=crc16_dnp(header)", "", None),
        ("a:u8=1 length:u8 crc:u16be=crc16_dnp(a length)", "sum:u8=sum8(payload)", None),
        ("a:u8 length:u8", "", None),
    ],
)
def test_what_closes_a_header(header, trailer, spans):
    closing = HeaderFormat(header, trailer=trailer).closing(5 if "mark" in header else 4)
    assert (closing and closing[1]) == spans
    if closing:
        check = CHECKSUMS["crc16_dnp"]
        assert closing[0] == (0, 2, "little" if "u16le" in header else "big", check.compute)


@pytest.mark.parametrize(
    ("declared", "text"),
    [
        ("crc:u32be=!crc33(payload)", "no such checksum"),
        ("!crc:u16be=crc32(payload)", "crc32 has 4 bytes, and crc 2"),
        ("crc:bytes4=!crc32(payload)", "only a plain integer"),
        ("crc:u32be*2=!crc32(payload)", "only a plain integer"),
        ("crc:u32be^2=!crc32(payload)", "only a plain integer"),
        ("crc:u32be=!crc32()", "over nothing"),
        ("crc:u32be=crc32(!body)", "over what is not there"),
        ("crc:u32be=crc32(payload !pad)", "over what is not there"),
        ("crc:u32be=crc32(payload !payload)", "payload is covered twice"),
        ("crc:u32be=crc32(header payload !length)", "length is covered twice"),
        ("crc:u32be=crc32(length !header)", "header is covered twice"),
        ("(a:4 b:4):u8 crc:u32be=crc32(a !b)", "b is covered twice"),
        ("a:u32be=!crc32(b) b:u32be=crc32(a)", "a and b cover each other"),
        ("!(a:4 b:4):u8=crc32(payload)", "only an integer has bits"),
    ],
)
def test_a_mistake_is_pointed_at(declared, text):
    position = declared.index("!")
    header = declared.replace("!", "") + " length:u16be"
    with pytest.raises(DefinitionError, match=text) as caught:
        HeaderFormat(header)
    assert (caught.value.position, caught.value.source) == (position, header)


def test_other_headers_have_none():
    with pytest.raises(DefinitionError, match="only a header of fixed width has checksums") as caught:
        get_format("varint", header="crc:u8=sum8(payload) length:varint")
    assert caught.value.position == 7
