import pytest

from framing import FrameTooLargeError, TruncatedFrameError, get_format
from framing.testing.cuts import error_facts, every_cut, outcome


@pytest.mark.parametrize("size", [0, 1, 2, 3, 10, 1000])
def test_every_way_to_cut_has_all_the_bytes(size):
    data = bytes(number % 256 for number in range(size))
    ways = list(every_cut(data))
    assert all(b"".join(chunks) == data for chunks in ways)
    assert ways[0] == [data]


def test_a_short_stream_is_cut_at_every_place():
    cuts = {len(chunks[0]) for chunks in every_cut(b"abcdefgh") if len(chunks) == 2}
    assert {1, 2, 3, 4, 5, 6, 7} <= cuts
    assert [b"a", b"b", b"c", b"d", b"e", b"f", b"g", b"h"] in every_cut(b"abcdefgh")


def test_there_are_not_too_many_of_a_long_one():
    assert 256 <= len(list(every_cut(bytes(100_000)))) < 1000


def test_an_outcome_is_all_that_came_out():
    form = get_format("u8")
    whole = outcome(form, [b"\1a\2", b"bc\5de"])
    assert whole.frames == [(0, b"\1a"), (2, b"\2bc")]
    assert whole.payloads == [b"a", b"bc"]
    assert whole.error[0] is TruncatedFrameError
    assert outcome(form, [b"\1a\5de"], finish=False) == ([(0, b"\1a")], [b"a"], None, b"\5de")


def test_error_facts_tell_errors_apart():
    first = FrameTooLargeError("large", offset=1, frame_size=9)
    assert error_facts(first) == error_facts(FrameTooLargeError("large", offset=1, frame_size=9))
    for other in (FrameTooLargeError("large", offset=2, frame_size=9), TruncatedFrameError("large", offset=1)):
        assert error_facts(first) != error_facts(other)
