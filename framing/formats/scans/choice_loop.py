"""The hot loop of a choice: a frame of any case after the other, and many of the default at once."""

import re
import struct
from collections.abc import Callable
from typing import Any, NamedTuple

from framing.errors import FrameError
from framing.formats.prefix import UNDECIDED, Prefixes
from framing.formats.scans.decided import MAX_KNOWN, key_reader
from framing.frame import Buffer, FrameFormat, Measure, Scan

__all__ = ["choice_scan"]

# In place of what recalls a header: that the frame ends where something first stands.
_ENDED: Any = object()

_Known = dict[tuple[bytes, ...], tuple[int, int, int]]
_Run = Callable[[bytes, int, int, int, list[bytes]], tuple[int, int]]


class _Case(NamedTuple):
    """What the loop needs of a case's format; `recall` and `known` where a few bytes of a frame decide."""

    measure: Measure
    verify: Callable[[Buffer, int, int], None] | None
    payload: Callable[[bytes, int, int], bytes]
    most: int
    recall: Callable[[bytes, int], tuple[bytes, ...]] | None
    known: _Known


def choice_scan(formats: tuple[FrameFormat, ...], prefixes: Prefixes) -> Scan:
    """Return `scan` for a choice between these formats by these beginnings."""
    run, least = _default_run(formats[-1], prefixes), max(map(len, prefixes.values))
    recalls = [_recall(one, least) for one in formats]
    # A frame of the default that ends where something first stands is quickly cut alone, too.
    delimiter, stripped = (formats[-1].ending() if run is not None and least <= 1 else None) or (b"", b"")
    end_size, most_line, odd = len(delimiter), formats[-1].max_frame_size, stripped[0] if stripped else -1
    # Of the default many are taken at once where it has a scan: that is quicker.
    quicks: list[Any] = [
        None if recall is None or (run is not None and form is formats[-1]) else (recall, known.get, form.verify)
        for form, (recall, known) in zip(formats, recalls, strict=True)
    ]

    if delimiter:
        quicks[-1] = _ENDED

    def scan(buffer: bytes, start: int, end: int, limit: int, out: list[bytes]) -> int:
        # The measures may remember something about a frame that is not whole: they are new for each call.
        cases = [
            _Case(one.measurer(), one.verify, _payload_of(one), one.max_frame_size, *recall)
            for one, recall in zip(formats, recalls, strict=True)
        ]
        by_byte = [None if number == UNDECIDED else cases[number] for number in prefixes.by_byte]
        quick = [None if number == UNDECIDED else quicks[number] for number in prefixes.by_byte]
        append, default, room, tried = out.append, cases[-1] if run is not None else None, len(out) + limit, start
        find, after, left = buffer.find, -1, limit
        try:
            while start < end and left:
                left -= 1
                byte = buffer[start]
                one = quick[byte]
                if one is _ENDED:
                    # Between others, or with a byte in it that begins a case, it is cut alone.
                    if start != after or start < tried:
                        stop = find(delimiter, start, end)
                        if start <= stop <= start + most_line - end_size:
                            append(buffer[start : stop - (start < stop and buffer[stop - 1] == odd)])
                            start = after = stop + end_size
                            continue
                elif one is not None:
                    recall, get, verify = one
                    shape = get(recall(buffer, start))
                    if shape is not None:
                        size, head, body = shape
                        stop = start + size
                        if stop > end:
                            break
                        if verify is not None:
                            verify(buffer, start, stop)
                        append(buffer[start + head : start + body])
                        start = stop
                        continue
                case = by_byte[byte]
                if case is None:
                    break
                if case is default and start >= tried and run is not None:
                    start, tried = run(buffer, start, end, left + 1, out)
                    left = room - len(out)
                    continue
                measure, verify, payload, most, reader, known = case
                total = measure(buffer, start, end)
                if total is None or not least <= total <= most or start + total > end:
                    break
                stop = start + total
                if verify is not None:
                    verify(buffer, start, stop)
                append(payload(buffer, start, stop))
                if reader is not None:
                    _remember(known, reader(buffer, start), formats[prefixes.by_byte[byte]], buffer, (start, stop))
                start = stop
        except (FrameError, struct.error):  # the next `measure` raises it, when the frames before were delivered
            pass
        return start

    return scan


def _recall(form: FrameFormat, least: int) -> tuple[Callable[[bytes, int], tuple[bytes, ...]] | None, _Known]:
    spans = form.deciding()
    if spans is None or least > 1:
        return None, {}
    return key_reader(spans), {}


def _remember(known: _Known, key: tuple[bytes, ...], form: FrameFormat, buffer: bytes, frame: tuple[int, int]) -> None:
    start, stop = frame
    first, last = form.bounds(buffer, start, stop)
    if len(known) >= MAX_KNOWN:
        known.clear()
    known[key] = stop - start, first - start, last - start


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
