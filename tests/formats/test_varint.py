"""A header that ends with a LEB128 length."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import DefinitionError, EncodeError, FrameTooLargeError, HeaderError
from framing.formats.varint import VarintFormat, varint_bytes
from framing.testing import check_format, outcome

DECLARED = [
    (VarintFormat(), None),
    (VarintFormat("length:varint1"), None),
    (VarintFormat("(type:4=1|3 flags:4):u8 length:varint4"), {"type": 3, "flags": 2}),
    (VarintFormat("id:u16be length:varint", counts="id payload"), {"id": 9}),
    (VarintFormat("magic:bytes2=ok (a:1 b:7):u8 length:varint3", counts="a magic payload"), {"a": 1, "b": 5}),
]


@pytest.mark.parametrize(("form", "fields"), DECLARED, ids=lambda value: repr(value)[:60])
def test_the_contract(form, fields):
    check_format(form, fields=fields)


@given(st.integers(0, 1 << 64))
def test_the_shortest_form(value):
    data = varint_bytes(value)
    assert sum((byte & 0x7F) << 7 * place for place, byte in enumerate(data)) == value
    assert [byte >= 0x80 for byte in data] == [True] * (len(data) - 1) + [False]
    assert len(data) == max(1, -(-value.bit_length() // 7))


@given(st.lists(st.tuples(st.binary(max_size=300), st.integers(0, 3)), max_size=4))
def test_a_longer_form_is_taken_as_it_is(frames):
    stream = b""
    for payload, extra in frames:
        length = bytearray(varint_bytes(len(payload)))
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
        ({"header": ""}, "must be the varint"),
        ({"header": "length:u8"}, "must be the varint"),
        ({"header": "length:varint a:u8"}, "must be the varint"),
        ({"header": "a:varint length:varint"}, "must be the varint"),
        ({"header": "length:varint*4"}, "scale"),
        ({"header": "a:u8*2 length:varint"}, "scale"),
        ({"header": "length:varint", "counts": "length payload"}, "cannot count length"),
        ({"header": "(a:1 b:7):u8 length:varint", "counts": "a b payload"}, "twice"),
        ({"header": "length:varint1", "max_frame_size": 129}, "limit"),
        ({"header": "length:varint1", "max_frame_size": 0}, "limit"),
        ({"header": "pad:bytes2000000 length:varint"}, "limit"),
    ],
)
def test_what_cannot_work_is_refused_at_once(options, text):
    with pytest.raises(DefinitionError, match=text):
        VarintFormat(**options)


def test_the_default_limit_is_what_the_length_can_announce():
    assert VarintFormat("length:varint1").max_frame_size == 128
    assert VarintFormat().max_frame_size == 1 << 20


def test_an_unknown_field_is_refused():
    with pytest.raises(EncodeError, match="no field color"):
        VarintFormat().serialize(b"", {"color": 1})


@pytest.mark.parametrize("form", [form for form, _ in DECLARED], ids=repr)
def test_repr_makes_the_format_again(form):
    assert eval(repr(form), {"VarintFormat": VarintFormat}) == form
