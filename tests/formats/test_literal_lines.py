"""Lines with literals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import DefinitionError, EncodeError, FrameParser, FrameTooLargeError
from framing.formats.literal_lines import LiteralLineFormat
from framing.testing import check_format, outcome

IMAP = LiteralLineFormat()
SMALL = LiteralLineFormat(write="\n", max_frame_size=16)


@pytest.mark.parametrize("form", [IMAP, SMALL], ids=repr)
def test_the_contract(form):
    check_format(form, [b"", b"a", b"a {2}\r\nb\nc", b"{0}\r\n{0+}\r\n"])


@pytest.mark.parametrize(
    ("wire", "payloads"),
    [
        (b"a {3}\r\nb\r\n\r\n", [b"a {3}\r\nb\r\n"]),
        (b"a ~{3+}\nxyz {1}\r\ny)\n", [b"a ~{3+}\nxyz {1}\r\ny)"]),
        (b"a {3}x\r\nb {x}\r\n{}\r\n", [b"a {3}x", b"b {x}", b"{}"]),
        (b"{0}\r\n\r\n\r\n", [b"{0}\r\n", b""]),
        (b"{2}\r\na\r\n", [b"{2}\r\na\r"]),
        (b"{003}\r\nabc\r\n", [b"{003}\r\nabc"]),
        (b"{3}\r\n{3}\r\n\r\n", [b"{3}\r\n{3}", b""]),
    ],
)
def test_a_literal_is_part_of_the_line(wire, payloads):
    parser = FrameParser(IMAP)
    parser.feed(wire)
    assert parser.take_payloads() == payloads


@pytest.mark.parametrize("payload", [b"a\nb", b"a {2}\r\nb", b"a {1}", b"{1}\r\nab\nc", b"{99999999999}\r\n"])
def test_what_is_not_one_frame_is_not_written(payload):
    with pytest.raises(EncodeError):
        IMAP.serialize(payload)


def test_there_are_no_fields():
    with pytest.raises(EncodeError):
        IMAP.serialize(b"", {"tag": 1})


@pytest.mark.parametrize("wire", [b"x" * 16, b"a {99}\r\n", b"a {11}\r\n", b"a {" + b"9" * 9 + b"}\r\n"])
def test_what_is_too_large_is_refused_before_it_is_kept(wire):
    for chunks in ([wire], [bytes((byte,)) for byte in wire]):
        assert outcome(SMALL, chunks).error[0] is FrameTooLargeError


@given(st.lists(st.sampled_from([b"a", b"{2}", b"{3+}", b"{99}", b"\r\n", b"\n", b"\r", b"{"]), max_size=12))
def test_any_cut_gives_the_same(parts):
    data = b"".join(parts)
    for form in (IMAP, SMALL):
        whole = outcome(form, [data])
        for place in range(len(data)):
            assert outcome(form, [data[:place], data[place:]])[:3] == whole[:3]
        assert outcome(form, [bytes((byte,)) for byte in data])[:3] == whole[:3]


def test_no_line_ending():
    with pytest.raises(DefinitionError):
        LiteralLineFormat(write="\r")


def test_it_shows_what_it_is():
    assert repr(SMALL) == "LiteralLineFormat(write=b'\\n', max_frame_size=16)"
