"""Frame and the parts of FrameFormat that every format inherits."""

import pytest

from framing import DefinitionError, FrameFormat, FrameTooLargeError, get_format
from framing.frame import check_limit, check_option

FORM = get_format("header", header="type:u8 length:u16be", trailer="end:u8=0xce")
WIRE = FORM.serialize(b"hello", {"type": 7})


def test_a_frame_reads_its_parts_from_its_bytes():
    frame = FORM.frame(WIRE, 40)
    assert (frame.data, frame.offset, frame.size, frame.format) == (WIRE, 40, 9, FORM)
    assert frame.payload == b"hello"
    assert frame.header == {"type": 7, "length": 5, "end": 0xCE}
    assert frame.fields == {"type": 7}


def test_frames_are_values():
    same = get_format("header", header="type:u8 length:u16be", trailer="end:u8=0xce")
    assert FORM.frame(WIRE, 4) == same.frame(bytes(WIRE), 4)
    assert hash(FORM.frame(WIRE, 4)) == hash(same.frame(bytes(WIRE), 4))
    assert FORM.frame(WIRE, 4) != FORM.frame(WIRE, 5)
    assert FORM.frame(WIRE) != get_format("u8").frame(WIRE)
    assert FORM.frame(WIRE) != WIRE
    assert "offset=4 size=9" in repr(FORM.frame(WIRE, 4))


def test_a_frame_takes_nothing_else():
    with pytest.raises(AttributeError):
        FORM.frame(WIRE).color = "red"


def test_formats_are_equal_if_they_cut_alike():
    assert get_format("u16be") == get_format("u16be")
    assert hash(get_format("u16be")) == hash(get_format("u16be"))
    assert get_format("u16be") != get_format("u16be", max_frame_size=100)
    assert get_format("u16be") != "u16be"


def test_a_limited_copy_leaves_the_original_alone():
    form = get_format("u16be")
    small = form.limited(4)
    assert (form.max_frame_size, small.max_frame_size) == (65537, 4)
    assert small.serialize(b"ab") == b"\0\2ab"
    with pytest.raises(FrameTooLargeError):
        small.serialize(b"abc")
    assert form.serialize(b"abc") == b"\0\3abc"
    assert small.frame(b"\0\2ab").format is small


@pytest.mark.parametrize(
    ("name", "options", "smallest"),
    [
        ("u16be", {}, 2),
        ("header", {"header": "length:u8", "trailer": "end:u16be"}, 3),
        ("header", {"header": "id:u8", "payload_size": 4}, 5),
        ("varint", {}, 1),
        ("varint", {"header": "type:u8 length:varint"}, 2),
        ("netstring", {}, 3),
        ("lines", {}, 1),
        ("lines", {"write": "\r\n"}, 2),
        ("delimiter", {"delimiters": ["ab", "c"], "write": "c"}, 2),
    ],
)
def test_no_limit_is_below_the_smallest_frame(name, options, smallest):
    form = get_format(name, **options)
    assert form.limited(smallest).max_frame_size == smallest
    with pytest.raises(DefinitionError) as caught:
        form.limited(smallest - 1)
    assert caught.value.key == "max_frame_size"


@pytest.mark.parametrize("name", ["u8", "varint1"])
def test_a_limit_above_what_can_be_announced_is_lowered_to_it(name):
    form = get_format(name)
    assert form.limited(10**9) == form


class Bare(FrameFormat):
    """All that a third party has to write."""

    name = "bare"

    def measure(self, buffer, start, end):
        return 1 + buffer[start]

    def bounds(self, buffer, start, end):
        return start + 1, end

    def serialize(self, payload, fields=None):
        data = bytes((len(payload),)) + payload
        self.check_size(len(data))
        return data


def test_what_a_format_inherits():
    form = Bare()
    assert form.measurer() == form.measure
    assert form.measure_last(b"", 0, 0) is None
    assert form.verify is None
    assert form.frame(b"\1a").header == form.frame(b"\1a").fields == {}
    assert form.payload(bytearray(b"xx\1a"), 2, 4) == b"a"
    assert form.serialize_many([b"", b"ab"]) == b"\0\2ab"


def test_an_abstract_format_cannot_be_made():
    with pytest.raises(TypeError):
        FrameFormat()


def test_check_limit():
    check_limit("x", 5, 5, 5)
    for wrong in (4, 6):
        with pytest.raises(DefinitionError) as caught:
            check_limit("x", wrong, 5, 5)
        assert (caught.value.found, caught.value.allowed) == (wrong, "5 to 5 bytes")
    for wrong in ("5", 5.0, None, True):
        with pytest.raises(TypeError):
            check_limit("x", wrong, 1)


def test_check_option():
    check_option("keep", True, bool)
    check_option("write", b"", bytes, str)
    with pytest.raises(TypeError, match="size takes int, not bool"):
        check_option("size", True, int)
    with pytest.raises(TypeError, match="write takes bytes or str, not int"):
        check_option("write", 5, bytes, str)
