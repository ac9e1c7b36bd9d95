"""One stream cut in every way: whole, byte by byte, at each place. What comes out must never depend on it."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from framing.errors import FrameError
from framing.frame import FrameFormat
from framing.parser import FrameParser

__all__ = ["Outcome", "error_facts", "every_cut", "outcome"]

# So many single cuts are tried at most: all of them in a short stream, evenly spread ones in a long one.
_CUT_COUNT = 256


class Outcome(NamedTuple):
    """What a parser made of a stream.

    Attributes:
        frames: offset and bytes of each frame.
        payloads: their payloads.
        error: class, text and facts of the error that ended it, or `None`.
        rest: the bytes that were no frame.
    """

    frames: list[tuple[int, bytes]]
    payloads: list[bytes]
    error: tuple[Any, ...] | None
    rest: bytes


def every_cut(data: bytes) -> Iterator[list[bytes]]:
    """Yield the chunks of `data` for each way to cut it: whole, byte by byte, in twos and threes, at each single place.

    >>> list(every_cut(b"abc"))[:3]
    [[b'abc'], [b'a', b'b', b'c'], [b'ab', b'c']]
    """
    yield [data]
    for size in (1, 2, 3, 7):
        if size < len(data):
            yield [data[place : place + size] for place in range(0, len(data), size)]
    for place in _spread(1, len(data)):
        yield [data[:place], data[place:]]
        yield [data[:place], b"", data[place : place + 1], data[place + 1 :]]


def _spread(first: int, stop: int) -> Iterable[int]:
    return range(first, stop, max(1, (stop - first) // _CUT_COUNT))


def outcome(format: FrameFormat, chunks: Iterable[bytes], *, finish: bool = True) -> Outcome:
    """Parse chunks, pulling after each, and return all that came out.

    >>> from framing import get_format
    >>> outcome(get_format("u8"), [b"\\x02o", b"k\\x03"], finish=False)
    Outcome(frames=[(0, b'\\x02ok')], payloads=[b'ok'], error=None, rest=b'\\x03')

    Args:
        format: how the frames are cut.
        chunks: the stream.
        finish: whether the stream ends behind the last chunk.
    """
    parser = FrameParser(format)
    result = Outcome([], [], None, b"")
    try:
        for chunk in chunks:
            parser.feed(chunk)
            _pull(parser, result)
        if finish:
            parser.finish()
            _pull(parser, result)
    except FrameError as error:
        return result._replace(error=error_facts(error))
    return result._replace(rest=parser.unread())


def _pull(parser: FrameParser, result: Outcome) -> None:
    while frames := parser.take_frames():
        result.frames.extend((frame.offset, frame.data) for frame in frames)
        result.payloads.extend(frame.payload for frame in frames)


def error_facts(error: FrameError) -> tuple[Any, ...]:
    """Return all that an error says, to be compared."""
    return type(error), str(error), tuple(getattr(error, name) for name in error.facts)
