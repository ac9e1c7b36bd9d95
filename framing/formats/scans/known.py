"""The hot loops of formats whose header has no fixed size: one that was met before is known again by its bytes.

Reading digits, lines or numbers of variable width costs several calls; the headers of a stream, though, are much alike,
and a dict of those met costs one. Each loop is the quick twin of the format's `measure`, which has the word about every
header once and about everything odd.
"""

from collections.abc import Callable
from itertools import repeat

from framing.errors import FrameError
from framing.frame import Frame, FrameFormat, Scan, ScanFrames

__all__ = ["HeaderEnd", "known_scans"]

# At most 128 KiB for one format, whatever a peer sends.
_KNOWN_COUNT = 1024
_KNOWN_SIZE = 128

# What to learn a header returns for one that is not whole, or odd: too small for any frame.
_UNKNOWN = (0, -1)

HeaderEnd = Callable[[bytes, int, int], int]
_Learn = Callable[[bytes, int, int], tuple[int, int]]


def known_scans(form: FrameFormat, header_end: HeaderEnd, tail: bytes = b"") -> tuple[Scan, ScanFrames]:
    """Return `scan` and `scan_frames` for a format.

    Args:
        form: whose `measure` depends on nothing behind the header.
        header_end: `(buffer, start, end)` → where the header ends that begins at `start`, or -1. Whatever begins with
            the bytes of a whole header has that header.
        tail: what ends each frame and is not payload.
    """
    known: dict[bytes, int] = {}
    learn = _make_learn(form, header_end, known)
    return _payload_scan(form, learn, known, tail), _frame_scan(form, learn, known, tail)


def _make_learn(form: FrameFormat, header_end: HeaderEnd, known: dict[bytes, int]) -> _Learn:
    """Return what tells the size of a header, and the size of what follows it, where a guess of the first failed."""
    measure, widths = form.measure, dict[int, None]()

    def learn(buffer: bytes, start: int, end: int) -> tuple[int, int]:
        for width in widths:
            if (size := known.get(buffer[start : start + width])) is not None:
                return width, size
        first = header_end(buffer, start, end)
        if first < 0:
            return _UNKNOWN
        header = buffer[start:first]
        size = known.get(header)
        if size is None:
            try:
                total = measure(buffer, start, end)
            except FrameError:
                return _UNKNOWN
            if total is None:
                return _UNKNOWN
            size = total - len(header)
            if len(known) < _KNOWN_COUNT and len(header) <= _KNOWN_SIZE:
                known[header] = size
                widths[len(header)] = None
        return len(header), size

    return learn


def _payload_scan(form: FrameFormat, learn: _Learn, known: dict[bytes, int], tail: bytes) -> Scan:
    limit_size, tail_size, recall = form.max_frame_size, len(tail), known.get

    def scan(buffer: bytes, start: int, end: int, limit: int, out: list[bytes]) -> int:
        append, get, width, cut, most = out.append, recall, 0, tail_size, limit_size  # locals are quicker than cells
        for _ in repeat(None, limit):
            first = start + width
            size = get(buffer[start:first])
            if size is None:
                width, size = learn(buffer, start, end)
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


def _frame_scan(form: FrameFormat, learn: _Learn, known: dict[bytes, int], tail: bytes) -> ScanFrames:
    limit_size, tail_size, recall = form.max_frame_size, len(tail), known.get

    def scan_frames(buffer: bytes, start: int, end: int, limit: int, out: list[Frame], base: int) -> int:
        append, get, width, cut, most, new_frame = out.append, recall, 0, tail_size, limit_size, form.frame_class
        for _ in repeat(None, limit):
            first = start + width
            size = get(buffer[start:first])
            if size is None:
                width, size = learn(buffer, start, end)
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
