"""Numbers of variable width."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import EncodeError, HeaderError
from framing.formats.fields.notation import parse_notation
from framing.formats.fields.varints import Gob, Leb128, Quic, make_varint

LARGEST = [Leb128("n", 10), Quic("n", 8), Gob("n", 9)]
ALL = [
    *(Leb128("n", size) for size in range(1, 11)),
    *(Quic("n", size) for size in (1, 2, 4, 8)),
    *(Gob("n", size) for size in range(1, 10)),
]


def named(varint):
    return f"{type(varint).__name__}{varint.size}"


@pytest.mark.parametrize("varint", ALL, ids=named)
@given(st.data())
def test_what_is_written_is_read_and_nothing_shorter_is(varint, data):
    value = data.draw(st.one_of(st.integers(0, varint.largest), st.sampled_from([0, varint.largest])))
    wire = varint.write(value)
    assert len(wire) <= varint.size
    assert varint.read(b"\xff" + wire + b"\xff", 1, len(wire) + 2) == (value, len(wire) + 1)
    assert all(varint.read(wire, 0, size) is None for size in range(len(wire)))
    strict = type(varint)("n", varint.size, minimal=True)
    assert strict.read(wire, 0, len(wire)) == (value, len(wire))


def longer(varint, value, size):
    """Write a number in so many bytes."""
    if type(varint) is Leb128:
        groups = [value >> 7 * place & 0x7F | 0x80 for place in range(size)]
        return bytes([*groups[:-1], groups[-1] & 0x7F])
    if type(varint) is Quic:
        return (value | size.bit_length() - 1 << 8 * size - 2).to_bytes(size, "big")
    return bytes([257 - size]) + value.to_bytes(size - 1, "big")


@pytest.mark.parametrize("varint", LARGEST, ids=named)
@given(st.integers(0, 63), st.sampled_from([2, 4, 8]))
def test_more_bytes_than_needed_are_taken_or_with_minimal_an_error(varint, value, size):
    wire = longer(varint, value, size)
    assert varint.read(wire, 0, len(wire)) == (value, size)
    with pytest.raises(HeaderError, match="n is written with more bytes than it needs") as caught:
        type(varint)("n", varint.size, minimal=True).read(b"." + wire, 1, len(wire) + 1)
    error = caught.value
    assert (error.offset, error.expected, error.found) == (1, bytes([value]), wire)


@pytest.mark.parametrize(
    ("varint", "wire", "reason", "expected", "found"),
    [
        (Leb128("n", 2), "8080", "n does not end within 2 bytes", "a last byte below 80", "8080"),
        (Leb128("n", 1), "ff00", "n does not end within 1 bytes", "a last byte below 80", "ff"),
        (Quic("n", 1), "40", "n has 2 bytes and may have 1", "a first byte below 40", "40"),
        (Quic("n", 2), "80", "n has 4 bytes and may have 2", "a first byte below 80", "80"),
        (Quic("n", 4), "ff", "n has 8 bytes and may have 4", "a first byte below c0", "ff"),
        (Gob("n", 9), "f7", "n has 10 bytes and may have 9", "a first byte below 80, or of f8 to ff", "f7"),
        (Gob("n", 9), "80", "n has 129 bytes and may have 9", "a first byte below 80, or of f8 to ff", "80"),
        (Gob("n", 1), "ff80", "n has 2 bytes and may have 1", "a first byte below 80", "ff"),
    ],
)
def test_what_is_no_number_says_so(varint, wire, reason, expected, found):
    data = bytes.fromhex(wire)
    with pytest.raises(HeaderError) as caught:
        varint.read(b"zz" + data, 2, 2 + len(data))
    error = caught.value
    assert (error.reason, error.offset, error.field) == (reason, 2, "n")
    assert (error.expected, error.found) == (expected, bytes.fromhex(found))


@pytest.mark.parametrize("varint", LARGEST, ids=named)
@pytest.mark.parametrize("value", [-1, 1 << 80, "7", None, 1.5])
def test_what_does_not_fit_is_refused(varint, value):
    with pytest.raises(EncodeError, match="header field n") as caught:
        varint.written(value)
    assert caught.value.path == "n"


def test_a_declared_field_makes_its_varint():
    a, b, c, d = (make_varint(field, minimal=True) for field in parse_notation("a:varint b:varint3 c:quic4 d:gob"))
    made = [(type(one), one.name, one.size, one.minimal) for one in (a, b, c, d)]
    assert made == [(Leb128, "a", 10, True), (Leb128, "b", 3, True), (Quic, "c", 4, True), (Gob, "d", 9, True)]
