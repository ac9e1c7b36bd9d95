"""A stream with bad bytes in it, cut in every way: what a recovery policy makes of it must never depend on the cut."""

from collections.abc import Iterable
from typing import Any, NamedTuple, NoReturn

from framing.errors import FrameError
from framing.frame import FrameFormat
from framing.parser import FrameParser
from framing.recovery import POLICY_NAMES, can_recover
from framing.testing.cuts import error_facts

__all__ = ["Recovered", "check_accounts", "check_recoveries", "recovered"]

# What is done to a byte: its lowest bit, its highest, all of them.
_DAMAGES = (0x01, 0x80, 0xFF)

# Damaging each byte of a long stream says nothing new and takes quadratic time.
_DAMAGED_COUNT = 64


class Recovered(NamedTuple):
    """What a parser made of a stream, in order.

    Attributes:
        frames: offset and bytes of each frame.
        regions: offset and size of each bad region, and how many frames came before it.
        facts: all that their errors say.
        error: the facts of the error that ended the stream after all, or `None`.
    """

    frames: list[tuple[int, bytes]]
    regions: list[tuple[int, int, int]]
    facts: list[tuple[Any, ...]]
    error: tuple[Any, ...] | None


def recovered(format: FrameFormat, chunks: Iterable[bytes], policy: str) -> Recovered:
    """Feed the chunks, say the end, and return everything that comes out.

    >>> from framing import get_format
    >>> recovered(get_format("lines", max_frame_size=4), [b"one", b"\\nthirteen\\ntwo\\n"], "delimiter").regions
    [(4, 9, 1)]
    """
    parser = FrameParser(format, recovery=policy)
    result = Recovered([], [], [], None)
    for chunk in chunks:
        parser.feed(chunk)
        _pull(parser, result)
    parser.finish()
    _pull(parser, result)
    return result if parser.error is None else result._replace(error=error_facts(parser.error))


def _pull(parser: FrameParser, result: Recovered) -> None:
    while True:
        try:
            frames = parser.take_frames()
        except FrameError as error:
            if error.region_offset is None or error.region_size is None:
                return  # poison: parser.error has it
            result.regions.append((error.region_offset, error.region_size, len(result.frames)))
            result.facts.append(error_facts(error))
            continue
        if not frames:
            return
        result.frames.extend((frame.offset, frame.data) for frame in frames)


def check_recoveries(format: FrameFormat, stream: bytes) -> None:
    """Whatever is wrong with a good stream, each policy accounts for every byte, once, and the same at any cut.

    Raises:
        AssertionError: one does not.
    """
    for policy in POLICY_NAMES[1:]:
        if not can_recover(policy, format):
            continue
        for place in range(0, len(stream), max(1, len(stream) // _DAMAGED_COUNT)):
            for damage in _DAMAGES:
                bad = bytearray(stream)
                bad[place] ^= damage
                _check_damaged(format, policy, bytes(bad), place)
            _check_damaged(format, policy, stream[:place] + stream[place + 1 :], place)
            _check_damaged(format, policy, stream[:place] + b"\xa5\0\xff" + stream[place:], place)


def _check_damaged(format: FrameFormat, policy: str, bad: bytes, place: int) -> None:
    whole = recovered(format, [bad], policy)
    check_accounts(format, whole, len(bad))
    for chunks in ([bad[:place], bad[place:]], [bad[: place + 1], bad[place + 1 :]], [bytes((one,)) for one in bad]):
        cut = recovered(format, chunks, policy)
        if cut != whole:
            _fail(f"with {policy}, {bad!r} cut into {list(map(len, chunks))[:8]} gives {cut}, whole {whole}")


def check_accounts(format: FrameFormat, found: Recovered, size: int) -> None:
    """Frames, regions and filler follow each other and are the whole stream.

    Raises:
        AssertionError: they are not.
    """
    pieces = sorted([(at, len(data)) for at, data in found.frames] + [(at, length) for at, length, _ in found.regions])
    place = 0
    for at, length in pieces:
        if length < 1 or at < place or (at > place and format.skip is None):
            _fail(f"{length} bytes at {at} do not follow what ends at {place}")
        place = at + length
    if found.error is None and place != size and (format.skip is None or place > size):
        _fail(f"{place} of {size} bytes are in frames and regions")
    for at, length, count in found.regions:
        before = found.frames[count - 1] if count else (0, b"")
        if before[0] + len(before[1]) > at or (len(found.frames) > count and found.frames[count][0] < at + length):
            _fail("a region is not reported between the frames around it")


def _fail(reason: str) -> NoReturn:
    # No assert statement: this is a promise to others, and Python leaves those out with -O.
    raise AssertionError(reason)
