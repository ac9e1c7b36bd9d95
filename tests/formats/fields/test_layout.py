"""Fields at fixed offsets: reading, checking and writing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import EncodeError, HeaderError
from framing.formats.fields.layout import Layout
from framing.formats.fields.notation import parse_notation

LAYOUT = Layout(parse_notation("start:u8=0xfe|0xfd (kind:3=5 id:13):u16le tag:bytes2=ab count:u24be"))
DATA = bytes((0xFD,)) + ((5 << 13) | 77).to_bytes(2, "little") + b"ab" + (1000).to_bytes(3, "big")


def test_names_and_places():
    assert LAYOUT.size == 8
    assert LAYOUT.names == ("start", "kind", "id", "tag", "count")
    assert LAYOUT.free_names == ("start", "id", "count")
    assert LAYOUT.has_constants
    assert not Layout(parse_notation("a:u8")).has_constants
    assert [LAYOUT.place(name)[0] for name in LAYOUT.names] == [0, 1, 1, 3, 5]


@pytest.mark.parametrize("buffer", [DATA, bytearray(DATA)])
def test_reading(buffer):
    values = LAYOUT.read(b"zz" + buffer, 2)
    assert values == {"start": 0xFD, "kind": 5, "id": 77, "tag": b"ab", "count": 1000}
    assert type(values["tag"]) is bytes
    LAYOUT.check(b"zz" + buffer, 2)


@pytest.mark.parametrize(
    "notation",
    [
        "",
        "a:u8",
        "a:u8 b:u32be c:bytes3 d:u64be",
        "a:u16le b:u8 c:u32le",
        "a:u16le b:u16be",
        "a:u24be b:u8",
        "(a:4 b:4):u8",
    ],
)
@given(data=st.binary(min_size=20, max_size=20))
def test_reading_all_at_once_is_reading_one_by_one(notation, data):
    layout = Layout(parse_notation(notation))
    for buffer in (data, bytearray(data)):
        assert layout.read(buffer, 3) == {name: layout.value(buffer, 3, name) for name in layout.names}


@pytest.mark.parametrize(("place", "name", "offset"), [(0, "start", 0), (2, "kind", 1), (3, "tag", 3), (4, "tag", 3)])
def test_the_first_wrong_constant_is_named(place, name, offset):
    bad = bytearray(b"zz" + DATA)
    bad[2 + place] ^= 0xFF
    with pytest.raises(HeaderError) as caught:
        LAYOUT.check(bad, 2)
    assert (caught.value.field, caught.value.offset) == (name, 2 + offset)


def test_writing_puts_the_first_constant_where_none_is_said():
    assert LAYOUT.write({"id": 77, "count": 1000}) == b"\xfe" + DATA[1:]
    assert LAYOUT.write({"start": 0xFD, "id": 77, "count": 1000, "tag": bytearray(b"ab")}) == DATA


@pytest.mark.parametrize(
    ("values", "path"),
    [({"count": 1}, "id"), ({"id": 1 << 13, "count": 1}, "id"), ({"id": 1, "count": 1 << 24}, "count"),
     ({"id": 1, "count": None}, "count"), ({"id": 1, "count": 1, "kind": 4}, "kind")],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_named(values, path):
    with pytest.raises(EncodeError) as caught:
        LAYOUT.write(values)
    assert caught.value.path == path


@given(st.sampled_from([0xFE, 0xFD]), st.integers(0, (1 << 13) - 1), st.integers(0, (1 << 24) - 1))
def test_what_is_written_is_read(start, number, count):
    values = {"start": start, "id": number, "count": count}
    assert LAYOUT.read(LAYOUT.write(values), 0) == values | {"kind": 5, "tag": b"ab"}
