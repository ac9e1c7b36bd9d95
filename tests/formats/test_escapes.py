"""Escape sequences, against a reader that goes a byte at a time."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from framing.formats.escapes import Escapes

SLIP = Escapes(b"\xc0", b"\xdb", for_flag=b"\xdb\xdc", for_escape=b"\xdb\xdd")
HDLC = Escapes(b"\x7e", b"\x7d", for_flag=b"\x7d\x5e", for_escape=b"\x7d\x5d")
# Whose bytes all mean something to the module that looks for them.
STRANGE = Escapes(b"*", b"\\", for_flag=b"\\)", for_escape=b"\\|")

ALL = [SLIP, HDLC, STRANGE]
all_escapes = st.sampled_from(ALL)
# Every place in a content as one of the bytes that mean something, or another one.
indexes = st.lists(st.integers(0, 4), max_size=12)


def bytes_of(escapes, places, *, flag=False):
    """Return bytes, in which an escape is as likely as any other, and the flag only comes if asked for."""
    parts = [escapes.escape, escapes.for_flag[1:], escapes.for_escape[1:], b"a", escapes.flag if flag else b"\xff"]
    return b"".join(parts[place] for place in places)


def read(escapes, content):
    """Return the data; `None`: something else is escaped."""
    data, rest = b"", iter(content)
    for byte in rest:
        if byte == escapes.escape[0]:
            pair = bytes((byte, *([second] if (second := next(rest, None)) is not None else [])))
            if pair not in (escapes.for_flag, escapes.for_escape):
                return None
            data += escapes.flag if pair == escapes.for_flag else escapes.escape
        else:
            data += bytes((byte,))
    return data


@given(all_escapes, indexes)
def test_what_is_done_is_undone(escapes, places):
    data = bytes_of(escapes, places, flag=True)
    content = escapes.done(data)
    assert escapes.flag not in content
    assert read(escapes, content) == escapes.undone(content) == data
    assert escapes.undone_many([content]) == [data]


@given(all_escapes, st.lists(indexes, min_size=1, max_size=4))
@example(HDLC, [[0], [2]])  # at the end of one, and in the next what would complete it
@example(HDLC, [[0, 0, 1, 2]])  # the second escape is escaped itself
@example(HDLC, [[0, 2, 1], [0, 1, 2]])
@example(SLIP, [[0, 1, 0]])
def test_many_are_undone_as_a_reader_does_or_not_at_all(escapes, many):
    contents = [bytes_of(escapes, places) for places in many]
    datas = [read(escapes, content) for content in contents]
    assert escapes.undone_many(contents) == (None if None in datas else datas)


@pytest.mark.parametrize("escapes", ALL)
def test_what_has_nothing_to_undo_stays_itself(escapes):
    contents = [b"abc", b"", escapes.for_flag[1:], escapes.for_escape[1:]]
    assert all(after is before for after, before in zip(escapes.undone_many(contents), contents, strict=True))
