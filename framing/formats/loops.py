"""The hot loops behind a plain header: one length of 1, 2, 4 or 8 bytes, no constants, nothing behind the payload.

Each is the quick twin of `HeaderFormat.measure`, which is the specification; a property test holds them equal. They
stand here as loops, and as closures over what they need, because a call per frame would cost as much as all the rest.

Frames of one size in a row, which is how measurements, market data and benchmarks come, need no loop to be measured:
the bytes of their lengths lie at equal distances, and a slice with a step compares them all at once.
"""

import struct
from collections.abc import Callable
from itertools import repeat
from struct import Struct

from framing.frame import Buffer, Frame, FrameFormat, Measure, Scan, ScanFrames

__all__ = ["frame_scan", "payload_scan", "plain_measure"]


def plain_measure(length: Struct, header_size: int, base: int, least: int, careful: Measure) -> Measure:
    """Return `measure` for a frame of length + base bytes.

    Args:
        length: reads the length, counted from the header's first byte.
        header_size: bytes of the header.
        base: bytes of the frame that the length does not count; below 0 where it counts more than the frame has.
        least: bytes of the smallest frame.
        careful: has the word about anything odd.
    """
    unpack = length.unpack_from

    def measure(buffer: Buffer, start: int, end: int) -> int | None:
        if end - start < header_size:
            return None
        total: int = unpack(buffer, start)[0] + base
        return total if total >= least else careful(buffer, start, end)

    return measure


def _runs(length: Struct, header_size: int, base: int, most: int) -> Callable[[bytes, int, int, int], tuple[int, int]]:
    """Return what counts the whole, good frames of one size at a place: (how many, their size), or (0, 0).

    The work is a few steps over one byte of each frame, so asking where the sizes differ costs next to nothing.
    """
    unpack, columns = length.unpack_from, range(length.size - struct.calcsize(f"={length.format[-1]}"), length.size)

    def run(buffer: bytes, start: int, end: int, limit: int) -> tuple[int, int]:
        if limit < 2 or end - start < 2 * header_size:
            return 0, 0
        size: int = unpack(buffer, start)[0] + base
        if not header_size <= size <= most:
            return 0, 0
        count = min(limit, (end - start) // size)
        for column in columns:
            found = buffer[start + column : start + count * size : size]
            count = len(found) - len(found.lstrip(found[:1]))
        return (count, size) if count > 1 else (0, 0)

    return run


def payload_scan(length: Struct, header_size: int, base: int, max_frame_size: int) -> Scan:
    """Return `scan` for frames of length + base bytes; arguments as for `plain_measure`."""
    unpack_from, most_value, least_value = length.unpack_from, max_frame_size - base, header_size - base
    run = _runs(length, header_size, base, max_frame_size)

    def scan(buffer: bytes, start: int, end: int, limit: int, out: list[bytes]) -> int:
        count, frame_size = run(buffer, start, end, limit)
        if count:
            first, last = header_size, frame_size
            stop = start + count * frame_size
            out += [buffer[place + first : place + last] for place in range(start, stop, frame_size)]
            start, limit = stop, limit - count
        return one_by_one(buffer, start, end, limit, out)

    def counting_payload(buffer: bytes, start: int, end: int, limit: int, out: list[bytes]) -> int:
        append, size, most, unpack = out.append, header_size, most_value, unpack_from  # a tenth faster than cells
        try:
            for _ in repeat(None, limit):
                (value,) = unpack(buffer, start)
                first = start + size
                start = first + value
                if start > end or value > most:
                    return first - size
                append(buffer[first:start])
        except struct.error:  # the buffer ends inside a header: cheaper than asking before each
            pass
        return start

    def counting_more(buffer: bytes, start: int, end: int, limit: int, out: list[bytes]) -> int:
        append, size, added, least, most, unpack = out.append, header_size, base, least_value, most_value, unpack_from
        try:
            for _ in repeat(None, limit):
                (value,) = unpack(buffer, start)
                stop = start + value + added
                if stop > end or not least <= value <= most:
                    break
                append(buffer[start + size : stop])
                start = stop
        except struct.error:  # as above
            pass
        return start

    # The commonest length counts the payload alone and needs one comparison and one addition less.
    one_by_one = counting_more if least_value else counting_payload
    return scan


def frame_scan(format: FrameFormat, length: Struct, header_size: int, base: int) -> ScanFrames:  # noqa: A002
    """Return `scan_frames` for frames of length + base bytes; arguments as for `plain_measure`."""
    unpack_from, most_value, least_value = length.unpack_from, format.max_frame_size - base, header_size - base
    run = _runs(length, header_size, base, format.max_frame_size)

    def scan_frames(buffer: bytes, start: int, end: int, limit: int, out: list[Frame], offset: int) -> int:
        append, new_frame = out.append, format.frame_class
        count, size = run(buffer, start, end, limit)
        for place in range(start, start + count * size, size or 1):
            frame = new_frame()
            frame.data = buffer[place : place + size]
            frame.offset = offset + place
            append(frame)
        return one_by_one(buffer, start + count * size, end, limit - count, out, offset)

    def one_by_one(buffer: bytes, start: int, end: int, limit: int, out: list[Frame], offset: int) -> int:
        append, added, least, most, unpack = out.append, base, least_value, most_value, unpack_from
        new_frame = format.frame_class
        try:
            for _ in repeat(None, limit):
                (value,) = unpack(buffer, start)
                stop = start + value + added
                if stop > end or value > most or value < least:
                    break
                frame = new_frame()
                frame.data = buffer[start:stop]
                frame.offset = offset + start
                append(frame)
                start = stop
        except struct.error:  # as above
            pass
        return start

    return scan_frames
