"""Lines that may announce a block."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import DefinitionError, EncodeError, FrameParser, FrameTooLargeError, HeaderError, get_format
from framing.formats.line_block import LineBlockFormat
from framing.testing import check_format, outcome
from framing.testing.format import check_scans

NATS = LineBlockFormat(blocks={"PUB": -1, "HPUB": -1})
BDAT = LineBlockFormat(blocks={"BDAT": 1}, end="")
STORAGE = LineBlockFormat(blocks={"set": 4, "VALUE": 3}, ignore_case=False, write="\n")
STREAM = b"PUB a 5\r\nhello\r\nPING\r\n\npub a b 0\r\n\r\nHPUB a 2 4\n\r\n\r\n\r\n"


@pytest.mark.parametrize(
    ("form", "payloads", "line"),
    [
        (NATS, [b"hello", b"\r\n\r\nx", b"PUB 5"], "PUB a.b 5"),
        (NATS, [b""], "PING"),
        (NATS, [b""], ""),
        (NATS, [b""], "pub a \t00"),
        (BDAT, [b"abc"], "bdat 3 LAST"),
        (STORAGE, [b"ab"], "set k 0 0 2"),
        (STORAGE, [b""], "SET k"),
    ],
)
def test_the_contract(form, payloads, line):
    check_format(form, payloads, fields={"line": line})


@pytest.mark.parametrize("form", [NATS, BDAT, STORAGE], ids=repr)
def test_the_contract_of_many_lines(form):
    check_scans(form, STREAM * 20)


@given(st.lists(st.tuples(st.sampled_from(["PUB a", "x", ""]), st.binary(max_size=30)), max_size=8), st.integers(1, 20))
def test_what_is_written_is_read(items, size):
    said = [(f"{line} {len(data)}", data) if line == "PUB a" else (line, b"") for line, data in items]
    stream = b"".join(NATS.serialize(data, {"line": line}) for line, data in said)
    parser, frames = FrameParser(NATS), []
    for place in range(0, len(stream), size):
        parser.feed(stream[place : place + size])
        frames += parser.take_frames()
    assert [(frame.fields["line"], frame.payload) for frame in frames] == said


PARTS = [b"PUB", b"BDAT", b"set", b" ", b"1", b"3", b"\r\n", b"\n", b"\r", b"abc", b"-", b"0"]


@given(st.lists(st.sampled_from(PARTS), max_size=20).map(b"".join), st.integers(4, 30))
def test_any_cut_gives_the_same(data, limit):
    for form in (NATS.limited(limit), BDAT, STORAGE):
        whole = outcome(form, [STREAM[: min(limit, 9)] + data])
        stream = STREAM[: min(limit, 9)] + data
        for size in (1, 3):
            assert outcome(form, [stream[at : at + size] for at in range(0, len(stream), size)])[:3] == whole[:3]


@pytest.mark.parametrize(
    ("data", "offset", "field"),
    [
        (b"PUB\r\n", 0, "length"),
        (b"PUB a b\r\n", 0, "length"),
        (b"pub a -1\r\n", 0, "length"),
        (b"PUB a 1_0\r\n", 0, "length"),
        (b"PUB a \xb2\r\n", 0, "length"),
        (b"PUB a 4\r\nhello\r\n", 13, "end"),
    ],
)
def test_each_way_to_be_malformed_is_told(data, offset, field):
    kind, text, facts = outcome(NATS, [STREAM + data]).error
    assert (kind, facts[0], facts[2]) == (HeaderError, len(STREAM) + offset, field)
    assert "expected" in text
    for place in range(len(data)):
        assert outcome(NATS, [STREAM, data[:place], data[place:]]).error == (kind, text, facts)


def test_limits():
    small = NATS.limited(20)
    assert outcome(small, [b"PUB a 9\r\n123456789\r\n"]).payloads == [b"123456789"]
    for data in (b"PUB a 10\r\n", b"x" * 20, b"PUB a " + b"1" * 13 + b"\n", b"PUB a " + b"0" * 14):
        assert outcome(small, [data]).error[0] is FrameTooLargeError
    assert outcome(NATS, [b"PUB a " + b"9" * 5000 + b"\n"]).error[0] is FrameTooLargeError
    assert outcome(NATS, [b"PUB a " + b"0" * 5000 + b"1\nx\r\n"]).payloads == [b"x"]


def test_a_line_without_end_is_searched_once():
    class Counted(bytearray):
        looked_size = 0

        def find(self, part, start=0, end=None):
            self.looked_size += end - start
            return super().find(part, start, end)

    measure, buffer = NATS.measurer(), Counted()
    for byte in b"x" * 3000:
        buffer.append(byte)
        assert measure(buffer, 0, len(buffer)) is None
    assert buffer.looked_size == 3000


@pytest.mark.parametrize(
    ("payload", "fields"),
    [
        (b"", {}),
        (b"", {"line": 5}),
        (b"", {"line": "\u20ac"}),
        (b"", {"line": "PING\nPONG"}),
        (b"", {"line": "PING\r"}),
        (b"", {"line": "PUB a"}),
        (b"a", {"line": "PING"}),
        (b"a", {"line": "PUB a 2"}),
        (b"a", {"line": "PUB a 1", "length": 1}),
    ],
)
def test_what_cannot_be_written(payload, fields):
    with pytest.raises(EncodeError):
        NATS.serialize(payload, fields)


@pytest.mark.parametrize("blocks", [{}, {"PUB": 0}, {"PUB": -1, "pub": -1}, {"a b": 1}, {"": 1}])
def test_blocks_are_words_and_places(blocks):
    with pytest.raises(DefinitionError) as caught:
        LineBlockFormat(blocks=blocks)
    assert caught.value.key == "blocks"


def test_options_of_the_wrong_kind():
    for options in ({"blocks": ["PUB"]}, {"blocks": {"PUB": "1"}}, {"blocks": {"PUB": 1}, "end": 5}):
        with pytest.raises(TypeError):
            LineBlockFormat(**options)
    with pytest.raises(DefinitionError):
        LineBlockFormat(blocks={"PUB": 1}, write="\r")


def test_repr_makes_the_format_again():
    for form in (NATS, BDAT, STORAGE.limited(99)):
        assert eval(repr(form), {"LineBlockFormat": LineBlockFormat}) == form
    assert get_format("line_block", blocks={"PUB": -1, "HPUB": -1}) == NATS
    assert [len(parts) for parts in NATS.layouts().values()] == [2, 4]
