"""Lines of headers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import EncodeError, FrameTooLargeError, HeaderError
from framing.formats.header_lines import checked_header, has_controls, header_line, is_token, read_length, text_line


def test_a_header_is_read_without_the_blanks_around_its_value():
    assert checked_header(b"Name: \t value \t", 10) == (b"Name", b"value", 18)
    assert checked_header(b"A:", 0) == (b"A", b"", 2)


@pytest.mark.parametrize("line", [b" a: b", b"\ta: b", b"ab", b": b", b"a : b", b"a\xff: b", b"a: \x00", b"a: b\rc"])
def test_what_is_no_header(line):
    with pytest.raises(HeaderError) as caught:
        checked_header(line, 5)
    assert caught.value.field == "headers"


@given(
    st.lists(st.sampled_from([*map(bytes, zip(range(256))), *[b":", b" ", b"\t", b"a", b"-"] * 60]), max_size=9).map(
        b"".join
    )
)
def test_a_header_is_a_token_a_colon_and_text(line):
    name, colon, value = line.partition(b":")
    text = value.strip(b" \t")
    if colon and is_token(name.decode("latin-1")) and not has_controls(text):
        assert checked_header(line, 5) == (name, text, 5 + len(line) - len(value.lstrip(b" \t")))
    else:
        with pytest.raises(HeaderError):
            checked_header(line, 5)


@pytest.mark.parametrize(("text", "size"), [(b"0", 0), (b"17", 17)])
def test_a_length(text, size):
    assert read_length("Size", text, 0, start=0, limit=100) == size


@pytest.mark.parametrize("text", [b"", b"+1", b"-1", b"1_0", b" 1", b"01", b"1,1", b"\xb2"])
def test_no_length(text):
    with pytest.raises(HeaderError) as caught:
        read_length("Size", text, 3, start=0, limit=100)
    assert caught.value.offset == 3


def test_a_length_of_more_digits_than_the_limit_is_not_computed():
    with pytest.raises(FrameTooLargeError):
        read_length("Size", b"1000", 3, start=0, limit=100)


def test_names_and_controls():
    assert is_token("X-1~")
    assert not any(map(is_token, ["", "a b", "a:", "\u00e9", "\ud800"]))
    assert has_controls(b"a\x7f")
    assert not has_controls(b"a\tb\xff")


@pytest.mark.parametrize(("name", "value"), [("a b", "c"), (1, "c"), ("a", 1), ("a", None), ("a", " b"), ("a", "b\n")])
def test_what_could_not_be_read_back_is_not_written(name, value):
    with pytest.raises(EncodeError):
        header_line(name, value)


def test_text_has_no_other_alphabet():
    with pytest.raises(EncodeError):
        text_line("reason", "\u20ac")
