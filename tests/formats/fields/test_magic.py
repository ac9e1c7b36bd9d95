"""Where a header may begin: its constants, in every place and shape that a header can have them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import FrameError, get_format
from framing.formats.fields.magic import bytes_pattern, constants_resync, masked_pattern

HEADERS = [
    get_format("header", header="magic:bytes2=MG length:u8"),
    get_format("header", header="length:u8 magic:bytes2=MG|GM kind:u8=1"),
    get_format("header", header="length:u8 magic:u16le=0x4d47|0x0102"),
    get_format("header", header="(version:2=1 flags:6):u8 length:u8"),
    get_format("header", header="(a:4 b:8=0x4d c:4):u16le length:u8"),
    get_format("header", header="order:u8=1|2 magic:u16=0x4d47 length:u8", byteorder={"field": "order", "little": 1}),
    get_format("varint", header="magic:bytes1=M length:varint2"),
    get_format("digits", digits=2, before="magic:bytes1=M"),
    get_format("fix", begin_string="M|MM"),
]


def begins(form, data, place):
    """Whether `measure` sees nothing wrong with a header here, at least as far as it goes."""
    try:
        form.measure(data, place, len(data))
    except FrameError as error:
        return error.field not in ("magic", "kind", "version", "b", "order", "begin_string")
    return True


@given(st.sampled_from(HEADERS), st.lists(st.sampled_from(b"MG\x01\x02\x40\x7f=8"), max_size=24).map(bytes))
def test_no_place_is_passed_over_where_a_header_may_begin(form, data):
    place, found = form.resync(data, 1, len(data), False) if data else (0, False)
    whole = [at for at in range(1, len(data)) if len(data) - at >= form.min_size and begins(form, data, at)]
    if whole:
        assert place <= whole[0]
    assert found or place > len(data) - 24
    assert not found or place >= 1


def test_the_place_is_that_of_the_header_and_not_of_its_constant():
    form = get_format("header", header="length:u16be magic:bytes2=MG")
    assert form.resync(b"xxxxxx\0\3MG", 0, 10, False) == (6, True)
    assert form.resync(b"MGMG", 1, 4, False) == (1, False)
    assert form.resync(b"xxMG", 1, 4, False) == (1, False)


def test_what_may_have_begun_is_kept():
    form = get_format("header", header="magic:bytes4=GIOP length:u8")
    assert form.resync(b"xxxxxxGIO", 0, 9, False) == (6, False)
    assert form.resync(b"", 0, 0, True) == (0, False)


@pytest.mark.parametrize("form", ["u16be", 'header("type:u8 length:u16be")', "varint", "netstring", "ber"])
def test_without_constants_there_is_nothing_to_go_by(form):
    assert get_format(form).resync is None


def test_many_constants_in_many_fields_are_sought_byte_by_byte():
    values = "|".join(map(str, range(0x50, 0x60)))
    form = get_format(
        "header", header=" ".join(f"f{one}:u8={values}" for one in range(8)) + " t:bytes2=]^|-a length:u8"
    )
    wire = form.serialize(b"x")
    assert form.resync(b"xxx" + wire, 1, 3 + len(wire), False) == (3, True)
    assert form.resync(b"xxx" + wire.replace(b"P", b"Q", 3), 1, 14, False) == (3, True)
    assert form.resync(b"xxx" + wire.replace(b"]", b"~"), 1, 14, False)[1] is False


def test_one_header_without_constants_spoils_it_for_all():
    assert constants_resync([bytes_pattern(b"M"), masked_pattern(b"\0", b"\0")]) is None


def test_a_choice_with_a_default_may_begin_with_anything():
    cases = {"M": get_format("u8"), "0x40/0xc0": get_format("u16be")}
    assert get_format("choice", cases=cases).resync(b"xx\x3f\x7f", 0, 4, False) == (0, True)
    assert get_format("choice", cases=cases).resync(b"\x3f\x8f\x7f", 0, 3, False) == (2, True)
    assert get_format("choice", cases=cases, default=get_format("u8")).resync is None
