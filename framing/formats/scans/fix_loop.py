"""The hot loop of FIX messages: a window is cut at once, and believed where its bodies make the same bytes again.

    8=FIX.4.4|9=5|35=0|10=163|8=FIX.4.4|9=5|35=0|10=163|8=FIX.4.4|9=12|35=0|11      | is SOH
                  |<->|       cut here      |<->|        and here      |<---
                  bodies

No step of that is taken for each message by itself: one search cuts out the bodies, and what length and checksum they
must have is looked up for all of them. A loop over the messages takes the rest: the first ones, the last one, and what
is odd. Both are the quick twins of `FixFormat.measure`, `verify` and `payload`, and a property test holds them equal.
Spec: [F59].
"""

import re
import sys
from array import array
from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import repeat
from operator import itemgetter
from zlib import adler32

from framing.errors import FrameError
from framing.formats.scans.tables import remember
from framing.frame import Buffer, FrameFormat, Scan

__all__ = ["MAX_DIGIT_COUNT", "SOH", "TRAILER_SIZE", "checksum", "fix_scan"]

SOH = b"\x01"
TRAILER_SIZE = len(b"10=000\x01")
_TRAILERS = tuple(b"10=%03d\x01" % number for number in range(256))

# As wide as a length may be that is filled up with zeros, which FIX allows.
MAX_DIGIT_COUNT = 10

# The low half of Adler-32 is a sum modulo 65521, in less time than sum() takes, and so many bytes do not reach that,
# counted from 255: its low byte is that of the sum. Twice as many ASCII characters do not either.
_ADLER_SIZE = 255

# Where the low bytes lie in an array of values.
_STEP = array("I").itemsize
_LOW = 0 if sys.byteorder == "little" else _STEP - 1

# At most so many headers are known again, of 30 bytes, and so many sizes of bodies.
_KNOWN_COUNT = 1024

# Messages taken one by one before a window of 16 times as many is tried, and behind it, if it is good, one of 16 times
# as many again. Behind one that is not, more are taken one by one each time, and windows grow slower: what is looked at
# in vain stays in proportion.
_COUNT = 4
_GROWTH = 16
_WINDOW_SIZE = 1 << 16

# Messages that are longer than this are cut no quicker in windows.
_LONG_SIZE = 512


def fix_scan(form: FrameFormat, begins: Sequence[bytes]) -> Scan:
    """Return `scan` for the messages of a format.

    Args:
        form: the format.
        begins: the begin strings, as fields.
    """
    one_by_one, windows = _one_by_one(form, begins), [_Windows(begin, form.max_frame_size) for begin in begins]

    def scan(buffer: bytes, start: int, end: int, limit: int, out: list[bytes]) -> int:
        room, count, growth = len(out) + limit, _COUNT, _GROWTH
        while True:
            begin, wanted = start, len(out) + count
            start = one_by_one(buffer, start, end, min(count, room - len(out)), out)
            if len(out) < wanted:
                return start
            least = size = (start - begin) * _COUNT // count
            last = end - 2 * least if least <= _COUNT * _LONG_SIZE else -1
            while start <= last and room - len(out) >= _COUNT:
                size = min(growth * size, _WINDOW_SIZE)
                start, good = cut(buffer, start, min(end, start + size), room - len(out), out)
                if not good:
                    growth = 2
                    break
                count = max(_COUNT, count // 2)
            count *= 2

    def cut(buffer: bytes, start: int, end: int, limit: int, out: list[bytes]) -> tuple[int, bool]:
        for one in windows:
            if buffer.startswith(one.head, start):
                return one.cut(buffer, start, end, limit, out)
        return start, False

    return scan


class _Windows:
    """What cuts windows of messages that have the same begin string.

    What it knows is shared by all streams of the format, as it is true of all of them.
    """

    __slots__ = ("_ascii_sums", "_headers", "_most", "_split", "_sums", "head")

    def __init__(self, begin: bytes, max_frame_size: int) -> None:
        self.head = begin + b"9="
        between = len(b"163\x01") + len(self.head)
        self._split = re.compile(rb"10=(?<=\x01...).{%d}+[0-9]++\x01" % between, re.DOTALL).split
        self._most = max_frame_size
        self._headers: dict[int, bytes] = {}  # by the size of the body
        self._sums: dict[int, int] = {}  # of the header, where Adler-32 sums up such a body
        self._ascii_sums: dict[int, int] = {}  # and where it does if that is ASCII

    def cut(self, buffer: bytes, start: int, end: int, limit: int, out: list[bytes]) -> tuple[int, bool]:
        """Cut what is good; return where that stops, and whether all is but for the last message."""
        place = start + len(self.head)
        first = buffer.find(SOH, place, end) + 1
        if not first or buffer.startswith(b"0", place):  # one who fills lengths up with zeros does so each time
            return start, False
        bodies = self._split(memoryview(buffer)[first:end], limit)
        bodies.pop()  # the rest
        if len(bodies) < 2:
            return start, False
        # All end with SOH, and none is empty, so if the messages with these bodies are what is there, no others are.
        parts = self._parts(bodies)
        messages = b"".join(parts)
        if parts and buffer.startswith(messages, start, end):
            out += bodies
            return start + len(messages), True

        def differs(place: int) -> bool:
            return not buffer.startswith(b"".join(parts[: 3 * place + 3]), start, end)

        count = bisect_left(range(len(parts) // 3), True, key=differs)
        out += bodies[:count]
        return start + sum(map(len, parts[: 3 * count])), False

    def _parts(self, bodies: list[bytes]) -> list[bytes]:
        """Return headers, bodies and trailers of the messages with these bodies; none: one of them cannot be."""
        pick = itemgetter(*map(len, bodies))
        try:
            headers = pick(self._headers)
        except KeyError:
            return self._parts(bodies) if self._learn({*map(len, bodies)}) else []
        parts = [b""] * (3 * len(bodies))
        parts[::3], parts[1::3] = headers, bodies
        parts[2::3] = itemgetter(*self._checksums(bodies, headers, pick))(_TRAILERS)
        return parts

    def _checksums(
        self, bodies: list[bytes], headers: Sequence[bytes], pick: "itemgetter[tuple[int, ...]]"
    ) -> Sequence[int]:
        """Return the checksums of the messages with these headers and bodies; `pick` looks up the bodies' sizes."""
        for known in (self._sums, self._ascii_sums):
            try:
                return array("I", map(adler32, bodies, pick(known))).tobytes()[_LOW::_STEP]
            except KeyError:  # one is too long for that
                if not all(map(bytes.isascii, bodies)):
                    break
        return [*map(checksum, bodies, map(checksum, headers))]

    def _learn(self, sizes: set[int]) -> bool:
        """Get to know the headers of bodies of these sizes; false: one is too small, or its message too large."""
        made = {size: b"%b%d\x01" % (self.head, size) for size in sizes}
        longest = max(sizes)
        if 0 in sizes or len(made[longest]) + longest + TRAILER_SIZE > self._most:
            return False
        if len(self._headers) + len(made) > _KNOWN_COUNT:  # all those of one window are fewer
            self._headers.clear()
        self._headers.update(made)
        for known, most in ((self._sums, _ADLER_SIZE), (self._ascii_sums, 2 * _ADLER_SIZE)):
            known.update((size, checksum(header)) for size, header in made.items() if size <= most)
        return True


def _one_by_one(form: FrameFormat, begins: Sequence[bytes]) -> Scan:
    """Return a loop over messages, which knows headers again, as those of `known.py` do."""
    most_size, learn = form.max_frame_size, _learner(form, max(map(len, begins)))
    known: dict[bytes, int] = {}

    def scan(buffer: bytes, start: int, end: int, limit: int, out: list[bytes]) -> int:
        append, get, width, most, trailers = out.append, known.get, 0, most_size, _TRAILERS
        for _ in repeat(None, limit):
            first = start + width
            size = get(buffer[start:first])
            if size is None:
                width, size = learn(buffer, start, end, known)
                first = start + width
            last = first + size
            stop = last + TRAILER_SIZE
            if not size or stop > end or stop - start > most or buffer[last - 1] != 1:
                break
            size = last - start
            number = adler32(buffer[start:last], 0) & 0xFF if size <= _ADLER_SIZE else checksum(buffer[start:last])
            if buffer[last:stop] != trailers[number]:
                break
            append(buffer[first:last])
            start = stop
        return start

    return scan


def _learner(form: FrameFormat, begin_size: int) -> Callable[[bytes, int, int, dict[bytes, int]], tuple[int, int]]:
    most_size = begin_size + len(b"9=\x01") + MAX_DIGIT_COUNT

    def learn(buffer: bytes, start: int, end: int, known: dict[bytes, int]) -> tuple[int, int]:
        """Return the size of the header at `start` and that of the body; 0: not whole, or odd."""
        most = min(end, start + most_size)
        first = buffer.find(SOH, buffer.find(SOH, start, most) + 1, most) + 1
        header = buffer[start:first]
        size = known.get(header)
        if size is None:
            try:
                total = form.measure(buffer, start, end)
            except FrameError:
                total = None
            if total is None:
                return 0, 0
            size = total - len(header) - TRAILER_SIZE
            remember(known, header, size, _KNOWN_COUNT)
        return len(header), size

    return learn


def checksum(data: Buffer, value: int = 0) -> int:
    """Return the sum of all bytes modulo 256, counted from `value`, 255 at most.

    >>> checksum(b"8=FIX.4.4\\x019=5\\x0135=0\\x01")
    163
    """
    size = 2 * _ADLER_SIZE if data.isascii() else _ADLER_SIZE
    if len(data) <= size:
        return adler32(data, value) & 0xFF
    for place in range(0, len(data), size):
        value = adler32(data[place : place + size], value) & 0xFF
    return value
