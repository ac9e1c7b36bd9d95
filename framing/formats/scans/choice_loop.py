"""The hot loop of a choice: a frame of any case after the other, and many of the default at once.

    +--------+--------+-----------------+- - - - - - -+
    |  "$"   |   id   |     length      |   payload   |     by the first byte { 24: { 00 40 → frame of 68 bytes } }
    +--------+--------+-----------------+- - - - - - -+
                      |<--- decides --->|

What the first byte and a few others have decided once is looked up from then on, as in `decided.py`.
"""

import re
import struct
from collections.abc import Callable
from itertools import repeat
from typing import Any, NamedTuple

from framing.errors import FrameError
from framing.formats.prefix import UNDECIDED, Prefixes
from framing.formats.scans.regions import joined, key_reader
from framing.formats.scans.tables import MAX_KNOWN
from framing.frame import Buffer, Frame, FrameFormat, Measure, Scan, ScanFrames

__all__ = ["choice_scans"]

_Verify = Callable[[Buffer, int, int], None] | None

# The frame's size, where its payload begins and ends, and what verifies it.
_Shape = tuple[int, int, int, _Verify]

# By first byte: what looks up a shape and the key for it, or that the frame ends where something first stands.
_Lookups = list[Any]
_ENDED: Any = object()

_Run = Callable[[bytes, int, int, int, list[bytes]], tuple[int, int]]


class _Case(NamedTuple):
    """What the loop needs of a case's format."""

    measure: Measure
    verify: _Verify
    payload: Callable[[bytes, int, int], bytes]
    most: int
    is_default: bool


class _Key(NamedTuple):
    """Which bytes of a frame decide, beside its first one: those from an offset to another, or of these some, read."""

    first: int
    last: int
    read: Callable[[bytes, int], tuple[bytes, ...]] | None

    def of(self, buffer: bytes, start: int) -> object:
        """Return these bytes of the frame at a place."""
        return buffer[start + self.first : start + self.last] if self.read is None else self.read(buffer, start)


_NOTHING = _Key(1, 1, None)


class _Ending(NamedTuple):
    """What ends each frame of the default, which byte before it is no payload, and how much may stand before it."""

    delimiter: bytes
    odd: int
    most: int


class _Shapes:
    """The shapes of frames met, by their first byte and then by what else decides; forgotten when there are many."""

    __slots__ = ("_count", "by_byte")

    def __init__(self) -> None:
        self.by_byte: tuple[dict[object, _Shape], ...] = tuple({} for _ in range(256))
        self._count = 0

    def add(self, byte: int, key: object, shape: _Shape) -> None:
        """Remember one that was not known."""
        if self._count >= MAX_KNOWN:
            for one in self.by_byte:
                one.clear()
            self._count = 0
        self.by_byte[byte][key] = shape
        self._count += 1


def choice_scans(
    form: FrameFormat, formats: tuple[FrameFormat, ...], prefixes: Prefixes
) -> tuple[Scan, ScanFrames | None]:
    """Return `scan` and perhaps `scan_frames` for a choice between these formats by these beginnings."""
    keys = [_key(byte, formats, prefixes) for byte in range(256)]
    # A checksum would be computed here, and again where it is wrong.
    known = any(keys) and form.verify is None
    return _payload_scan(formats, prefixes, keys), _frame_scan(form, keys) if known else None


def _payload_scan(formats: tuple[FrameFormat, ...], prefixes: Prefixes, keys: list[_Key | None]) -> Scan:
    run, least, shapes, key_of = _default_run(formats[-1], prefixes), max(map(len, prefixes.values)), _Shapes(), keys
    if run is not None:  # of the default many are taken at once where it has a scan: that is quicker
        key_of = [None if at == prefixes.default else one for one, at in zip(key_of, prefixes.by_byte, strict=True)]
    # Without a key nothing is ever added, and nothing found.
    lookups: _Lookups = [(known.get, *(key or _NOTHING)) for known, key in zip(shapes.by_byte, key_of, strict=True)]
    # If it ends where something first stands, it is quickly cut alone, too.
    ending = _ending(formats[-1]) if run is not None and least <= 1 else None
    if ending is not None:
        lookups = [_ENDED if at == prefixes.default else one for one, at in zip(lookups, prefixes.by_byte, strict=True)]
    quick, decide = _quick_loop(lookups, ending or _Ending(b"", -1, 0)), prefixes.decide

    def scan(buffer: bytes, start: int, end: int, limit: int, out: list[bytes]) -> int:
        # The measures may remember something about a frame that is not whole: they are new for each call.
        cases = [
            _Case(one.measurer(), one.verify, _payload_of(one), one.max_frame_size, number == prefixes.default)
            for number, one in enumerate(formats)
        ]
        room, tried = len(out) + limit, start
        try:
            while True:
                start = quick(buffer, start, end, out, room=room, tried=tried)
                number = decide(buffer, start, end) if start < end and len(out) < room else UNDECIDED
                if number == UNDECIDED:
                    break
                measure, verify, payload, most, is_default = cases[number]
                if is_default and start >= tried and run is not None:
                    start, tried = run(buffer, start, end, room - len(out), out)
                    continue
                total = measure(buffer, start, end)
                if total is None or not least <= total <= most or start + total > end:
                    break
                stop = start + total
                if verify is not None:
                    verify(buffer, start, stop)
                out.append(payload(buffer, start, stop))
                remember(buffer, start, stop)
                start = stop
        except FrameError:  # the next `measure` raises it, when the frames before were delivered
            pass
        return start

    def remember(buffer: bytes, start: int, stop: int) -> None:
        byte = buffer[start]
        key = key_of[byte]
        if key is not None and start + key.last <= len(buffer):
            form = formats[decide(buffer, start, stop)]
            first, last = form.bounds(buffer, start, stop)
            shapes.add(byte, key.of(buffer, start), (stop - start, first - start, last - start, form.verify))

    return scan


def _quick_loop(lookups: _Lookups, ending: _Ending) -> Callable[..., int]:
    """Return a loop over frames that are known by their first bytes, and single ones of a default with this ending."""
    delimiter, odd, most = ending
    size = len(delimiter)

    def quick(buffer: bytes, start: int, end: int, out: list[bytes], *, room: int, tried: int) -> int:
        append, find, after, table = out.append, buffer.find, -1, lookups
        try:
            for _ in repeat(None, room - len(out)):
                lookup = table[buffer[start]]
                if lookup is _ENDED:
                    # Behind another one many may be taken at once, unless a byte in it begins a case: that was tried.
                    if start == after and start >= tried:
                        break
                    stop = find(delimiter, start, end)
                    if not 0 <= stop - start <= most:
                        break
                    last = stop - 1
                    append(buffer[start : last if buffer[last] == odd and start < stop else stop])
                    start = after = stop + size
                    continue
                get, first, last, read = lookup
                shape = get(buffer[start + first : start + last] if read is None else read(buffer, start))
                if shape is None:
                    break
                total, head, body, verify = shape
                stop = start + total
                if stop > end:
                    break
                if verify is not None:
                    verify(buffer, start, stop)
                append(buffer[start + head : start + body])
                start = stop
        except (FrameError, IndexError, struct.error):  # the buffer ends, or the careful methods have the word
            pass
        return start

    return quick


def _frame_scan(form: FrameFormat, keys: list[_Key | None]) -> ScanFrames:
    shapes, lookups = _Shapes(), [key or _NOTHING for key in keys]

    def careful(buffer: bytes, start: int, end: int) -> int:
        """Return the size of the frame at `start` and remember it; 0: it is not whole, or odd."""
        byte = buffer[start]
        key = keys[byte]
        total = None if key is None else form.measure(buffer, start, end)  # without a key it may be long in coming
        if key is None or total is None or not 0 < total <= form.max_frame_size or start + total > end:
            return 0
        if start + key.last <= len(buffer):
            shapes.add(byte, key.of(buffer, start), (total, 0, 0, None))
        return total

    def scan_frames(buffer: bytes, start: int, end: int, limit: int, out: list[Frame], base: int) -> int:
        append, table, known, new_frame = out.append, lookups, shapes.by_byte, form.frame_class
        try:
            for _ in repeat(None, limit):
                byte = buffer[start]
                first, last, read = table[byte]
                shape = known[byte].get(buffer[start + first : start + last] if read is None else read(buffer, start))
                stop = start + (shape[0] if shape is not None else careful(buffer, start, end))
                if not start < stop <= end:
                    break
                frame = new_frame()
                frame.data = buffer[start:stop]
                frame.offset = base + start
                append(frame)
                start = stop
        except (FrameError, IndexError, struct.error):  # as above
            pass
        return start

    return scan_frames


def _ending(form: FrameFormat) -> _Ending | None:
    ending = form.ending()
    if ending is None:
        return None
    delimiter, stripped = ending
    return _Ending(delimiter, stripped[0] if stripped else -1, form.max_frame_size - len(delimiter))


def _key(byte: int, formats: tuple[FrameFormat, ...], prefixes: Prefixes) -> _Key | None:
    """Return which bytes decide all of a frame that begins with this one; `None`: there are none to be named."""
    number = prefixes.by_byte[byte]
    numbers = [number] if number != UNDECIDED else prefixes.possible(bytes((byte,)))
    spans: list[tuple[int, int]] = []
    if number == UNDECIDED:
        spans.append((0, max((len(prefixes.values[one]) for one in numbers), default=0)))
    for one in numbers:
        deciding = formats[one].deciding()
        if deciding is None:
            return None
        spans += deciding
    # What is told by the first byte need not be looked up once more.
    rest = joined((max(first, 1), last) for first, last in spans if last > 1)
    if not rest:
        return _NOTHING if numbers else None
    return _Key(rest[0][0], rest[-1][1], None if len(rest) == 1 else key_reader(rest))


def _default_run(default: FrameFormat, prefixes: Prefixes) -> _Run | None:
    """Return a loop over many frames of the default in a row: its own scan, up to a byte that may begin a case.

    It also returns how far it has looked: until there it need not be tried again, or the time would be quadratic.
    """
    scan = default.scan
    if scan is None or prefixes.default == UNDECIDED:
        return None
    others = bytes(byte for byte, number in enumerate(prefixes.by_byte) if number != prefixes.default)
    search = re.compile(b"[" + re.escape(others) + b"]").search

    def run(buffer: bytes, start: int, end: int, limit: int, out: list[bytes]) -> tuple[int, int]:
        found = search(buffer, start, end)
        stop = found.start() if found else end
        return scan(buffer, start, stop, limit, out), max(stop, start + 1)

    return run


def _payload_of(form: FrameFormat) -> Callable[[bytes, int, int], bytes]:
    """Return the format's `payload`, or a shorter way where that only cuts the buffer."""
    if type(form).payload is not FrameFormat.payload:
        return form.payload
    bounds = form.bounds

    def payload(buffer: bytes, start: int, end: int) -> bytes:
        first, last = bounds(buffer, start, end)
        return buffer[first:last]

    return payload
