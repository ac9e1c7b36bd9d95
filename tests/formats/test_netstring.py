"""Netstrings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import DefinitionError, EncodeError, FrameTooLargeError, HeaderError
from framing.formats.digits import NetstringFormat
from framing.testing import check_format, outcome


def test_the_contract():
    check_format(NetstringFormat())
    check_format(NetstringFormat(max_frame_size=13), [b"", b"0", b"12:3,", b"123456789"])


@given(st.lists(st.binary(max_size=120), max_size=4))
def test_what_is_written_is_read(payloads):
    whole = outcome(NetstringFormat(), map(NetstringFormat().serialize, payloads))
    assert (whole.payloads, whole.error) == (payloads, None)


@pytest.mark.parametrize(
    ("data", "offset", "field"),
    [(b"x:", 0, "length"), (b":,", 0, "length"), (b"1x", 1, "length"), (b"01:a,", 1, "length"), (b"00", 1, "length"),
     (b"-1:", 0, "length"), (b"1:a;", 3, "comma"), (b"0:x", 2, "comma"), (b" 1:a,", 0, "length")],
)  # fmt: skip
def test_the_first_wrong_byte_is_told(data, offset, field):
    kind, _, facts = outcome(NetstringFormat(), [data]).error
    assert (kind, facts[0], facts[2]) == (HeaderError, offset, field)


def test_a_run_of_digits_is_refused_before_it_is_a_number():
    form = NetstringFormat(max_frame_size=100)
    assert form.measure(b"999", 0, 3) is None
    with pytest.raises(FrameTooLargeError):
        form.measure(b"9999", 0, 4)
    assert outcome(NetstringFormat(), [b"9" * 100_000]).error[0] is FrameTooLargeError


def test_what_is_refused():
    with pytest.raises(DefinitionError):
        NetstringFormat(max_frame_size=2)
    with pytest.raises(TypeError):
        NetstringFormat(max_frame_size="9")
    with pytest.raises(EncodeError):
        NetstringFormat().serialize(b"", {"length": 0})


def test_repr_makes_the_format_again():
    form = NetstringFormat(max_frame_size=77)
    assert eval(repr(form), {"NetstringFormat": NetstringFormat}) == form
