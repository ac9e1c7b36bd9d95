"""The hot loop of a choice: a frame of any case after the other, and many of the default at once."""

import re
from collections.abc import Callable
from typing import NamedTuple

from framing.errors import FrameError
from framing.formats.prefix import UNDECIDED, Prefixes
from framing.frame import FrameFormat, Measure, Scan

__all__ = ["choice_scan"]

_Run = Callable[[bytes, int, int, int, list[bytes]], tuple[int, int]]


class _Case(NamedTuple):
    """What the loop needs of a case's format."""

    measure: Measure
    verify: Callable[[bytes, int, int], None] | None
    payload: Callable[[bytes, int, int], bytes]
    most: int


def choice_scan(formats: tuple[FrameFormat, ...], prefixes: Prefixes) -> Scan:
    """Return `scan` for a choice between these formats by these beginnings."""
    run, least = _default_run(formats[-1], prefixes), max(map(len, prefixes.values))

    def scan(buffer: bytes, start: int, end: int, limit: int, out: list[bytes]) -> int:
        # The measures may remember something about a frame that is not whole: they are new for each call.
        cases = [_Case(one.measurer(), one.verify, _payload_of(one), one.max_frame_size) for one in formats]
        by_byte = [None if number == UNDECIDED else cases[number] for number in prefixes.by_byte]
        append, default, room, tried = out.append, cases[-1] if run is not None else None, len(out) + limit, start
        try:
            while start < end and len(out) < room:
                case = by_byte[buffer[start]]
                if case is None:
                    break
                if case is default and start >= tried and run is not None:
                    start, tried = run(buffer, start, end, room - len(out), out)
                    continue
                measure, verify, payload, most = case
                total = measure(buffer, start, end)
                if total is None or not least <= total <= most or start + total > end:
                    break
                stop = start + total
                if verify is not None:
                    verify(buffer, start, stop)
                append(payload(buffer, start, stop))
                start = stop
        except FrameError:  # the next `measure` raises it, when the frames before were delivered
            pass
        return start

    return scan


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
