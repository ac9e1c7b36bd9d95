"""What payloads that end themselves share, shown with a notation of one byte for each level."""

import pytest

from framing import EncodeError, FrameTooLargeError
from framing.formats.self_delimiting import SelfDelimitingFormat, Walk
from framing.testing import check_format, outcome


class UntilDot(Walk):
    def _walk(self, buffer, start, stop):
        place = buffer.find(b".", start + self._looked_size, stop)
        self._looked_size = stop - start
        if b"(" * (self._format.max_depth + 1) in bytes(buffer[start:stop]):
            raise self._format.too_deep(start)
        return None if place < 0 else place + 1 - start


class DotFormat(SelfDelimitingFormat):
    name = "dot"

    def measurer(self):
        return UntilDot(self)


def test_the_contract():
    check_format(DotFormat(), [b".", b"abc.", b"x" * 200 + b"."])


def test_the_limit_is_met_without_an_end():
    with pytest.raises(FrameTooLargeError) as caught:
        DotFormat(max_frame_size=4).measure(b"abcde.", 0, 6)
    assert (caught.value.offset, caught.value.max_frame_size) == (0, 4)


def test_a_walk_begins_anew_behind_an_item_and_an_error():
    walk = DotFormat(max_frame_size=4).measurer()
    assert walk(b"ab", 0, 2) is None
    assert walk(b"ab.c", 0, 4) == 3
    with pytest.raises(FrameTooLargeError):
        walk(b"cdef.", 0, 5)
    assert walk(b"g.", 0, 2) == 2


def test_depth_is_told():
    assert outcome(DotFormat(max_depth=1), [b"((."]).error[2][3] == "at most 1 levels"


@pytest.mark.parametrize(
    ("payload", "reason", "offset"),
    [
        (b"", "the payload ends inside an item of format dot", 0),
        (b"a", "the payload ends inside an item of format dot", 1),
        (b"a.b", "something follows the item of format dot", 2),
        (b"((.", "the payload is no item of format dot: nested too deeply", 0),
    ],
)
def test_what_is_not_one_item_is_not_written(payload, reason, offset):
    with pytest.raises(EncodeError) as caught:
        DotFormat(max_depth=1).serialize(payload)
    assert (caught.value.reason, caught.value.offset) == (reason, offset)


def test_there_are_no_fields():
    with pytest.raises(EncodeError):
        DotFormat().serialize(b".", {"a": 1})


def test_repr_tells_the_limits():
    assert repr(DotFormat(max_depth=2, max_frame_size=9)) == "DotFormat(max_depth=2, max_frame_size=9)"
