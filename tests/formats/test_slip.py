"""SLIP."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import DefinitionError, HeaderError
from framing.formats.slip import SlipFormat
from framing.testing import check_format, outcome


@pytest.mark.parametrize("opening", [False, True])
def test_the_contract(opening):
    check_format(SlipFormat(opening=opening), [b"a", b"hello", b"x" * 100])
    check_format(SlipFormat(opening=opening), [b"\xc0", b"\xdb", b"\xdc\xdd", b"\xdb\xdc\xc0\xdb\xdd", b"a"])


@given(st.lists(st.sampled_from([b"\xc0", b"\xdb", b"\xdc", b"\xdd", b"a"]), min_size=1).map(b"".join))
def test_escapes_do_not_touch_each_other(payload):
    wire = SlipFormat().serialize(payload)
    # A byte at a time, as the code of RFC 1055 does it.
    expected = b"".join({0xC0: b"\xdb\xdc", 0xDB: b"\xdb\xdd"}.get(byte, bytes((byte,))) for byte in payload) + b"\xc0"
    assert wire == expected
    assert SlipFormat().payload(wire, 0, len(wire)) == payload


@pytest.mark.parametrize(
    ("data", "offset", "found"),
    [
        (b"\xdba\xc0", 0, b"\xdba"),
        (b"a\xdb\xdc\xdb\xc0", 3, b"\xdb\xc0"),
        (b"\xc0\xdb\xdd\xdb\xdb\xdc\xc0", 3, b"\xdb\xdb"),
        (b"\xdd\xdb\x00\xdb\xdc\xc0", 1, b"\xdb\x00"),
    ],
)
def test_an_escape_of_anything_else_is_told(data, offset, found):
    for count in (0, 40):  # one by one, and many at once
        kind, text, facts = outcome(SlipFormat(), [b"a\xc0" * count + data]).error
        assert (kind, facts[0], facts[2]) == (HeaderError, 2 * count + offset, "escape")
        assert facts[3:5] == ((b"\xdb\xdc", b"\xdb\xdd"), found)
        assert "nothing but END and ESC" in text


def test_what_is_refused():
    for options in ({"max_frame_size": 1}, {"opening": True, "max_frame_size": 2}):
        with pytest.raises(DefinitionError):
            SlipFormat(**options)
    with pytest.raises(TypeError):
        SlipFormat(opening=1)


@pytest.mark.parametrize("options", [{}, {"opening": True, "max_frame_size": 77}])
def test_repr_makes_the_format_again(options):
    form = SlipFormat(**options)
    assert eval(repr(form), {"SlipFormat": SlipFormat}) == form
