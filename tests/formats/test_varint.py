"""A header with numbers of variable width."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import DefinitionError, EncodeError, FrameTooLargeError, HeaderError
from framing.formats.fields.varints import Leb128
from framing.formats.varint import VarintFormat
from framing.testing import check_format, outcome

DECLARED = [
    (VarintFormat(), None),
    (VarintFormat("length:varint1"), None),
    (VarintFormat("(type:4=1|3 flags:4):u8 length:varint4"), {"type": 3, "flags": 2}),
    (VarintFormat("id:u16be length:varint", counts="id payload"), {"id": 9}),
    (VarintFormat("magic:bytes2=ok (a:1 b:7):u8 length:varint3", counts="a magic payload"), {"a": 1, "b": 5}),
    (VarintFormat("length:varint kind:u8 id:u16le"), {"kind": 1, "id": 2}),
    (VarintFormat("length:varint kind:u8=7 id:u16le", counts="kind payload id"), {"id": 2}),
    (VarintFormat("length:varint3 id:varint5", counts="id payload"), {"id": 300}),
    (VarintFormat("type:quic length:quic"), {"type": 77}),
    (VarintFormat("length:gob", minimal=True), None),
    (VarintFormat("a:gob b:u8 size:quic2 c:varint", length="size", counts="c b payload"), {"a": 999, "b": 1, "c": 200}),
    (VarintFormat("length:u16be id:varint", counts="frame"), {"id": 128}),
    (VarintFormat("(flag:1 length:15):u16be id:varint"), {"id": 128, "flag": 1}),
]


@pytest.mark.parametrize(("form", "fields"), DECLARED, ids=lambda value: repr(value)[:60])
def test_the_contract(form, fields):
    check_format(form, fields=fields)


@given(st.lists(st.tuples(st.binary(max_size=300), st.integers(0, 3)), max_size=4))
def test_a_longer_form_is_taken_as_it_is(frames):
    stream = b""
    for payload, extra in frames:
        length = bytearray(Leb128("length", 10).write(len(payload)))
        if extra:
            length[-1] |= 0x80
            length += b"\x80" * (extra - 1) + b"\0"
        stream += length + payload
    whole = outcome(VarintFormat(), [stream])
    assert (whole.payloads, whole.error) == ([payload for payload, _ in frames], None)


def test_a_length_that_does_not_end():
    form = VarintFormat("type:u8 length:varint2")
    assert form.measure(b"\1\x80", 0, 2) is None
    with pytest.raises(HeaderError) as caught:
        form.measure(b"zz\1\x80\x80\0", 2, 6)
    assert (caught.value.offset, caught.value.found) == (3, b"\x80\x80")


def test_the_largest_number_of_ten_bytes_is_too_large_and_no_crash():
    whole = outcome(VarintFormat(), [b"\xff" * 9 + b"\x7f"])
    assert whole.error[0] is FrameTooLargeError
    assert outcome(VarintFormat(), [b"\xff" * 10]).error[0] is HeaderError


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"header": ""}, "no header field is called length"),
        ({"header": "size:varint"}, "no header field is called length"),
        ({"header": "length:varint", "length": "size"}, "no header field is called size"),
        ({"header": "length:u8"}, "no field has a variable width"),
        ({"header": "length:bytes2 a:varint"}, "a free integer"),
        ({"header": "length:u8=1 a:varint"}, "a free integer"),
        ({"header": "(length:4=1 b:4):u8 a:varint"}, "a free integer"),
        ({"header": "length:u8*2 a:varint"}, "scale"),
        ({"header": "length:varint*4"}, "scale"),
        ({"header": "a:u8*2 length:varint"}, "scale"),
        ({"header": "length:varint", "counts": "length payload"}, "cannot count length"),
        ({"header": "length:varint", "counts": "frame"}, "cannot count header"),
        ({"header": "length:u8 a:varint", "counts": "a header payload"}, "counts a twice"),
        ({"header": "length:u8 a:varint", "counts": "length header payload"}, "counts length twice"),
        ({"header": "length:quic3"}, "no numbers of so many bytes"),
        ({"header": "length:gob10"}, "more than 64 bits"),
        ({"header": "length:varint?a=1"}, "the format conditional"),
        ({"header": "(a:1 b:7):u8 length:varint", "counts": "a b payload"}, "twice"),
        ({"header": "length:varint1", "max_frame_size": 129}, "limit"),
        ({"header": "length:varint1", "max_frame_size": 0}, "limit"),
        ({"header": "pad:bytes2000000 length:varint"}, "limit"),
    ],
)
def test_what_cannot_work_is_refused_at_once(options, text):
    with pytest.raises(DefinitionError, match=text):
        VarintFormat(**options)


@pytest.mark.parametrize(
    ("header", "counts"),
    [
        ("length:varint", "payload"),
        ("length:varint2", "payload"),
        ("a:u16be length:varint3", "payload"),
        ("a:u8 length:varint3 b:u8 c:u16le", "payload"),
        ("a:u8 length:varint b:u8", "b payload a"),
        ("a:u8=1|2 length:varint", "payload"),
        ("length:varint2 id:varint", "id payload"),
        ("length:quic id:gob", "payload"),
    ],
)
@given(
    data=st.lists(st.sampled_from([b"\0", b"\1", b"\2abc", b"\x80\1", b"\x85\0", b"\x80\x80\x80"])).map(b"".join),
    limit=st.integers(0, 9),
)
def test_the_scan_is_a_twin_of_measure(header, counts, data, limit):
    form = VarintFormat(header, counts=counts, max_frame_size=20)
    expected, start = [], 0
    while len(expected) < limit:
        try:
            total = form.measure(data, start, len(data)) if start < len(data) else None
        except HeaderError:
            break
        if total is None or total > 20 or start + total > len(data):
            break
        expected.append(form.payload(data, start, start + total))
        start += total
    out = []
    assert form.scan(data, 0, len(data), limit, out) == start
    assert out == expected


def test_a_length_that_its_field_has_no_room_for():
    for header in ("length:varint1", "length:u8 id:varint", "length:quic2"):
        form = VarintFormat(header, max_frame_size=None)
        with pytest.raises(FrameTooLargeError):
            form.serialize(bytes(20000), {"id": 1} if "id" in header else None)


def test_the_default_limit_is_what_the_length_can_announce():
    assert VarintFormat("length:varint1").max_frame_size == 128
    assert VarintFormat().max_frame_size == 1 << 20


def test_an_unknown_field_is_refused():
    with pytest.raises(EncodeError, match="no field color"):
        VarintFormat().serialize(b"", {"color": 1})


@pytest.mark.parametrize("form", [form for form, _ in DECLARED], ids=repr)
def test_repr_makes_the_format_again(form):
    assert eval(repr(form), {"VarintFormat": VarintFormat}) == form
