"""The hot loop behind a plain header, for frames whose trailer is a checksum of what comes before.

    +-----------------+- - - - - - - - -+-----------------++-----------------+- - - - - - - - -+-----------------+
    |     header      |     payload     |       crc       ||     header      |     payload     |       crc       |
    +-----------------+- - - - - - - - -+-----------------++-----------------+- - - - - - - - -+-----------------+
             |<--- what it runs over -->|<---- read in one step: the crc, and how long the next one is

It is the quick twin of `HeaderFormat.measure`, `bounds` and `verify`, which have the word about anything odd; a
property test holds them equal.
"""

import struct
from collections.abc import Callable
from itertools import repeat
from struct import Struct
from typing import Literal, NamedTuple

from framing.formats.scans.loops import CODES, Marks, PlainHeader
from framing.frame import Scan

__all__ = ["Summed", "summed_scan"]


class Summed(NamedTuple):
    """A trailer that is one checksum.

    Attributes:
        skipped_size: bytes at the frame's beginning that it does not run over; all others before the trailer it does.
        size, order: bytes of the trailer and their order.
        compute: what it is computed with.
    """

    skipped_size: int
    size: int
    order: Literal["big", "little"]
    compute: Callable[[bytes], int]


def summed_scan(plain: PlainHeader, summed: Summed) -> Scan | None:
    """Return `scan`; `None`: header and trailer cannot be read in one step."""
    marks = plain.marks()
    if (
        marks is None
        or summed.size not in CODES
        or (summed.order != plain.order and 1 not in (summed.size, plain.size))
    ):
        return None
    order = "<>"[(plain if summed.size == 1 else summed).order == "big"]
    head = marks.layout.format[1:]
    if not plain.constants and plain.least <= plain.base:
        head = f"{plain.offset}x{CODES[plain.size]}{plain.header_size - plain.offset - plain.size}x"
    code = order + CODES[summed.size]
    ends = _Ends(Struct(order + head), Struct(code), Struct(code + head))
    if plain.constants or plain.least > plain.base:
        return _marked(plain, summed, ends, marks)
    return _unmarked(plain, summed, ends)


class _Ends(NamedTuple):
    """What reads a header, a trailer, and a trailer with the header behind it."""

    head: Struct
    tail: Struct
    both: Struct


def _last_one(plain: PlainHeader, summed: Summed, ends: _Ends) -> Scan:
    """Return what takes the frame, if there is one, behind which the buffer ends inside a header."""
    unpack = ends.tail.unpack_from

    def take(buffer: bytes, start: int, end: int, size: int, out: list[bytes]) -> int:
        last = start + size - summed.size
        if start + size > end or summed.compute(buffer[start + summed.skipped_size : last]) != unpack(buffer, last)[0]:
            return start
        out.append(buffer[start + plain.header_size : last])
        return start + size

    return take


def _unmarked(plain: PlainHeader, summed: Summed, ends: _Ends) -> Scan:
    """Return the loop for a length that only may be too large, in a header without constants."""
    read_head, read_both, take_last = ends.head.unpack_from, ends.both.unpack_from, _last_one(plain, summed, ends)
    (skipped_size, tail_size, _, compute), most = summed, plain.most - plain.base
    # From where the checksum begins: to the payload, to the trailer if the payload is empty, to the next frame.
    head_size, added = plain.header_size - skipped_size, plain.base - tail_size - skipped_size

    def scan(buffer: bytes, start: int, end: int, limit: int, out: list[bytes]) -> int:
        append, unpack, run, size, high, more = out.append, read_both, compute, head_size, most, added
        place, step, last_end, value = start + skipped_size, tail_size + skipped_size, end - tail_size, -1
        try:
            (value,) = read_head(buffer, start)
            for _ in repeat(None, limit):
                last = place + value + more
                if last > last_end or value > high:
                    break
                found, value = unpack(buffer, last)
                data = buffer[place:last]
                if run(data) != found:
                    break
                append(data[size:])
                place = last + step
        except struct.error:  # the buffer ends inside a header
            if value >= 0:
                return take_last(buffer, place - skipped_size, end, value + plain.base, out)
        return place - skipped_size

    return scan


def _marked(plain: PlainHeader, summed: Summed, ends: _Ends, marks: Marks) -> Scan:
    """Return the same for a length that may be too small, too, and constants, which are compared on the way."""
    read_head, read_both, take_last = ends.head.unpack_from, ends.both.unpack_from, _last_one(plain, summed, ends)
    least, most, added = plain.least - plain.base, plain.most - plain.base, plain.base - summed.size
    head_size, (skipped_size, tail_size, _, compute) = plain.header_size, summed
    (_, fronts, backs), least_front = marks, min(marks.front)

    def scan(buffer: bytes, start: int, end: int, limit: int, out: list[bytes]) -> int:
        append, unpack, run, skipped, size = out.append, read_both, compute, skipped_size, head_size - skipped_size
        low, high, more, tail, last_end, value = least, most, added, tail_size, end - tail_size, -1
        try:
            front, value, back = read_head(buffer, start)
            for _ in repeat(None, limit):
                last = start + value + more
                if last > last_end or value > high or value < low or (front != least_front and front not in fronts):
                    return start
                if back and back not in backs:
                    return start
                found, front, value, back = unpack(buffer, last)
                data = buffer[start + skipped : last]
                if run(data) != found:
                    return start
                append(data[size:])
                start = last + tail
        except struct.error:  # as above
            return start if value < 0 else take_last(buffer, start, end, value + plain.base, out)
        return start

    return scan
