"""Numbers and constants of the notation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import DefinitionError
from framing.formats.fields.constants import Source, byte_constant, integer, integers, is_count, number

SOURCE = Source("the text", "trailer")


@given(st.integers(0, 255))
def test_integers_are_decimal_or_hex(value):
    assert integer(SOURCE, str(value), 0, 256) == integer(SOURCE, hex(value), 0, 256) == value


def test_several_integers_each_at_its_place():
    assert list(integers(SOURCE, "1|0x10|3", 5, 17)) == [1, 16, 3]
    with pytest.raises(DefinitionError) as caught:
        list(integers(SOURCE, "1|0x10|17", 5, 17))
    assert (caught.value.position, caught.value.found, caught.value.source) == (12, "17", "the text")


@pytest.mark.parametrize("text", ["", "-1", "+1", " 1", "1_0", "0b1", "0x", "0xg", "256", "٣", "1.0", "9" * 5000])
def test_no_integer(text):
    with pytest.raises(DefinitionError, match="trailer: not a constant that fits"):
        integer(SOURCE, text, 0, 256)


@pytest.mark.parametrize(
    ("text", "value"),
    [("0x00ff", b"\0\xff"), ("ab", b"ab"), ("ff*2", b"\xff\xff"), ("0aFF*1", b"\n\xff"), ("0x", b"0x")],
)
def test_bytes(text, value):
    assert byte_constant(SOURCE, 2, text, 0) == value


@pytest.mark.parametrize("text", ["", "a", "abc", "0x0", "0x000", "f*2", "ff*3", "ff*x", "ff*999999999", "é"])
def test_no_bytes(text):
    with pytest.raises(DefinitionError, match="not a constant of 2 bytes") as caught:
        byte_constant(SOURCE, 2, text, 7)
    assert caught.value.position == 7


def test_a_constant_of_very_many_bytes_is_refused_before_they_are_made():
    assert len(byte_constant(SOURCE, 1 << 16, "ff*65536", 0)) == 1 << 16
    with pytest.raises(DefinitionError, match="too many bytes") as caught:
        byte_constant(SOURCE, 999_999_999, "ff*999999999", 7)
    assert (caught.value.position, caught.value.allowed) == (7, "65536 at most")


def test_numbers():
    assert number(SOURCE, "12", 0, "a size", 12) == 12
    for text in ("11", "", "x", "1" * 10):
        with pytest.raises(DefinitionError, match="a size is missing or no number"):
            number(SOURCE, text, 0, "a size", 12)
    assert is_count("123456789")
    assert not any(map(is_count, ("1234567890", "", "-1", "1 ", "²")))
