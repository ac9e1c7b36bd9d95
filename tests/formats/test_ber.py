"""BER: tag, length, value."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import DefinitionError, EncodeError, FrameParser, FrameTooLargeError, HeaderError, get_format
from framing.formats.ber import BerFormat
from framing.testing import check_format, outcome

WHOLE = [b"\x05\x00", b"\x30\x81\x01\x00", b"\x1f\x81\x80\x80\x11\x84\0\0\0\x05hello", b"\x30\x81\xc8" + b"x" * 200]


@pytest.mark.parametrize(
    ("options", "payloads", "fields"),
    [
        ({}, WHOLE, None),
        ({"tags": 0x30}, WHOLE[1:2], None),
        ({"tags": [0x05, 0x30, 0x1F81808011]}, WHOLE, None),
        ({"contents": True}, [b"", b"a" * 127, b"b" * 128, b"c" * 300], {"tag": 0x30}),
        ({"contents": True}, [b"", b"hello"], {"tag": 0x1F81808011}),
        ({"contents": True, "tags": 0x7F21}, [b"", b"hello"], None),
        ({"contents": True, "tags": [0x30, 0x31]}, [b"", b"hello"], {"tag": 0x31}),
    ],
)
def test_the_contract(options, payloads, fields):
    check_format(BerFormat(**options), payloads, fields=fields)


tags = st.integers(1, 0xFE).filter(lambda tag: tag & 0x1F != 0x1F) | st.integers(31, 127).map(lambda low: 0xBF00 | low)


@given(st.lists(st.tuples(tags, st.binary(max_size=300)), max_size=5))
def test_what_is_written_is_read(items):
    form = BerFormat(contents=True)
    whole = outcome(form, [form.serialize(payload, {"tag": tag}) for tag, payload in items])
    assert (whole.payloads, whole.error) == ([payload for _, payload in items], None)
    assert [form.header(data)["tag"] for _, data in whole.frames] == [tag for tag, _ in items]


@pytest.mark.parametrize(
    ("data", "offset", "reason"),
    [
        ("0000", 0, "an end-of-contents mark outside an indefinite length"),
        ("1f80", 1, "a tag number that begins with zeros"),
        ("1f1e", 1, "a tag number that needs no more bytes"),
        ("1fffffffffff", 5, "a tag of more than 6 bytes"),
        ("3080", 1, "an indefinite length is not taken"),
        ("30ff", 1, "a reserved form of length"),
    ],
)
def test_each_mistake_has_its_words(data, offset, reason):
    with pytest.raises(HeaderError) as caught:
        BerFormat().measure(bytes.fromhex(data), 0, len(data) // 2)
    error = caught.value
    assert (error.reason, error.offset, error.found) == (reason, offset, bytes.fromhex(data)[offset : offset + 1])
    assert error.expected


def test_another_tag_is_refused_with_those_that_may_be():
    with pytest.raises(HeaderError) as caught:
        BerFormat(tags=[0x30, 0x7F21]).measure(b"\x7f\x22\x00", 0, 3)
    assert (caught.value.expected, caught.value.found) == ((b"\x30", b"\x7f\x21"), b"\x7f\x22")


def test_a_huge_length_is_refused_before_anything_is_kept():
    parser = FrameParser(BerFormat())
    parser.feed(b"\x30\xfe" + b"\xff" * 126)
    with pytest.raises(FrameTooLargeError) as caught:
        parser.next_frame()
    assert caught.value.frame_size == 128 + (1 << 126 * 8) - 1
    assert "frame size" in str(caught.value)


@pytest.mark.parametrize("tags", [0, -1, 0x1F, 0x3030, 0x1F1E, 0x1F80, 0x1F81FFFFFFFFFF, [0x30, 0x30], [0x30, 0]])
def test_what_is_no_tag_is_refused(tags):
    with pytest.raises(DefinitionError) as caught:
        BerFormat(tags=tags)
    assert caught.value.key == "tags"


def test_options_of_another_type_are_refused():
    with pytest.raises(TypeError):
        BerFormat(tags=[True])
    with pytest.raises(TypeError):
        BerFormat(contents=1)
    with pytest.raises(DefinitionError):
        BerFormat(tags=0x7F21, max_frame_size=2)


def test_the_tag_is_whole_or_missing():
    form = BerFormat(contents=True)
    for tag in ("0", True, 0x1F, None):
        with pytest.raises(EncodeError):
            form.serialize(b"", {"tag": tag})
    with pytest.raises(EncodeError, match="its fields are tag"):
        form.serialize(b"", {"tags": 4})


def test_repr_makes_the_format_again():
    for form in (BerFormat(), BerFormat(tags=0x30, contents=True), BerFormat(tags=[0x30, 0x1F8101], max_frame_size=99)):
        assert eval(repr(form), {"BerFormat": BerFormat}) == form
    assert get_format("ber(tags=0x30)") == BerFormat(tags=0x30)
