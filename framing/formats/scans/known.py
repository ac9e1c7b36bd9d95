"""The hot loops of formats whose header has no fixed size: one that was met before is known again by its bytes.

Reading digits, lines or numbers of variable width costs several calls; the headers of a stream, though, are much alike,
and a dict of those met costs one. How wide the next header is must be guessed: as wide as the one before, and if that
is none, up to what ends one, or as wide as the last one with the same first bytes.

    widths { 00 40 → 3, 00 30 → 2 }       sizes { 00 40 41 → 65 bytes follow, 00 30 → 48 }        two of QUIC's numbers

Each loop is the quick twin of the format's `measure`, which has the word about every header once and about everything
odd.
"""

from collections.abc import Callable
from itertools import repeat
from typing import NamedTuple

from framing.errors import FrameError
from framing.formats.scans.tables import remember
from framing.frame import Frame, FrameFormat, Scan, ScanFrames

__all__ = ["HeaderEnd", "SizeOf", "known_scans"]

# Headers of more bytes are not remembered: so it is 512 KiB at most for one format, whatever a peer sends.
_KNOWN_SIZE = 128

# What to learn a header returns for one that is not whole, or odd: too small for any frame.
_UNKNOWN = (0, -1)

HeaderEnd = Callable[[bytes, int, int], int]

# A whole header → how many bytes follow it in the frame, tail included; `None`: only `measure` can say.
SizeOf = Callable[[bytes], int | None]
_Learn = Callable[[bytes, int, int], tuple[int, int]]


class _Known(NamedTuple):
    """What is known of a format's headers.

    Attributes:
        sizes: by a header's bytes, how many follow it.
        guess: (buffer, start) → how many bytes the header there may have.
        learn: finds or measures a header that neither guess has found, and returns its width and size.
    """

    sizes: dict[bytes, int]
    guess: Callable[[bytes, int], int]
    learn: _Learn


def known_scans(
    form: FrameFormat,
    header_end: HeaderEnd,
    tail: bytes = b"",
    *,
    ends: bytes = b"",
    size_of: SizeOf | None = None,
) -> tuple[Scan, ScanFrames]:
    """Return `scan` and `scan_frames` for a format.

    Args:
        form: whose `measure` depends on nothing behind the header.
        header_end: `(buffer, start, end)` → where the header ends that begins at `start`, or -1. Whatever begins with
            the bytes of a whole header has that header.
        tail: what ends each frame and is not payload.
        ends: what ends each header and stands first there, or nothing: then its width is guessed by its first bytes.
        size_of: the quick twin of `measure` for ordinary headers.
    """
    widths: dict[bytes, int] = {}
    least = form.min_size

    def guess_by_begin(buffer: bytes, start: int) -> int:
        return widths.get(buffer[start : start + least], 0)

    def guess_by_end(buffer: bytes, start: int) -> int:
        return max(buffer.find(ends, start, start + _KNOWN_SIZE) + len(ends) - start, 0)

    guess = guess_by_end if ends else guess_by_begin
    sizes: dict[bytes, int] = {}
    learn = _learner(form, header_end, size_of, sizes)

    def learn_width(buffer: bytes, start: int, end: int) -> tuple[int, int]:
        width, size = learn(buffer, start, end)
        if 0 < width <= _KNOWN_SIZE:
            remember(widths, buffer[start : start + least], width)
        return width, size

    known = _Known(sizes, guess, learn if ends else learn_width)
    return _payload_scan(form, known, tail), _frame_scan(form, known, tail)


def _learner(form: FrameFormat, header_end: HeaderEnd, size_of: SizeOf | None, sizes: dict[bytes, int]) -> _Learn:
    """Return what finds or measures a header, and puts it into `sizes`."""
    measure = form.measure

    def learn(buffer: bytes, start: int, end: int) -> tuple[int, int]:
        first = header_end(buffer, start, end)
        if first < 0:
            return _UNKNOWN
        header = buffer[start:first]
        size = sizes.get(header)
        if size is None:
            size = size_of(header) if size_of is not None else None
            if size is None:
                size = measured(buffer, start, end, first)
            if size is None:
                return _UNKNOWN
            if len(header) <= _KNOWN_SIZE:
                remember(sizes, header, size)
        return len(header), size

    def measured(buffer: bytes, start: int, end: int, first: int) -> int | None:
        try:
            total = measure(buffer, start, end)
        except FrameError:
            return None
        return None if total is None else start + total - first

    return learn


def _payload_scan(form: FrameFormat, known: _Known, tail: bytes) -> Scan:
    limit_size, tail_size = form.max_frame_size, len(tail)

    def scan(buffer: bytes, start: int, end: int, limit: int, out: list[bytes]) -> int:
        append, width, cut, most = out.append, 0, tail_size, limit_size  # locals are quicker than cells
        get, guess = known.sizes.get, known.guess
        for _ in repeat(None, limit):
            first = start + width
            size = get(buffer[start:first])
            if size is None:
                width = guess(buffer, start)
                first = start + width
                size = get(buffer[start:first])
                if size is None:
                    width, size = known.learn(buffer, start, end)
                    first = start + width
            stop = first + size
            if stop > end or size < cut or stop - start > most:
                break
            if cut:
                last = stop - cut
                if buffer[last:stop] != tail:
                    break
                append(buffer[first:last])
            else:
                append(buffer[first:stop])
            start = stop
        return start

    return scan


def _frame_scan(form: FrameFormat, known: _Known, tail: bytes) -> ScanFrames:
    limit_size, tail_size = form.max_frame_size, len(tail)

    def scan_frames(buffer: bytes, start: int, end: int, limit: int, out: list[Frame], base: int) -> int:
        append, width, cut, most, new_frame = out.append, 0, tail_size, limit_size, form.frame_class
        get, guess = known.sizes.get, known.guess
        for _ in repeat(None, limit):
            first = start + width
            size = get(buffer[start:first])
            if size is None:
                width = guess(buffer, start)
                first = start + width
                size = get(buffer[start:first])
                if size is None:
                    width, size = known.learn(buffer, start, end)
                    first = start + width
            stop = first + size
            if stop > end or size < cut or stop - start > most or (cut and buffer[stop - cut : stop] != tail):
                break
            frame = new_frame()
            frame.data = buffer[start:stop]
            frame.offset = base + start
            append(frame)
            start = stop
        return start

    return scan_frames
