"""The hot loops behind a plain header: one length of whole bytes, constants perhaps, nothing behind the payload.

Each is the quick twin of `HeaderFormat.measure`, which is the specification; a property test holds them equal. They
stand here as loops, and as closures over what they need, because a call per frame would cost as much as all the rest.

Frames of one size in a row, which is how measurements, market data and benchmarks come, need no loop to be measured:
the bytes of their lengths lie at equal distances, and a slice with a step compares them all at once.
"""

import struct
from collections.abc import Callable
from itertools import product, repeat
from struct import Struct
from typing import Literal, NamedTuple

from framing.frame import Buffer, Frame, FrameFormat, Measure, Scan, ScanFrames

__all__ = ["CODES", "Marks", "PlainHeader", "frame_scan", "payload_scan", "plain_measure"]

CODES = {1: "B", 2: "H", 4: "I", 8: "Q"}

# What a header with a wrong constant reads as: a length that no frame has.
_ODD = (1 << 80,)

_Unpack = Callable[[Buffer, int], tuple[int]]

# Where in the header a constant stands, and what may stand there: values of one size.
_Constant = tuple[int, tuple[bytes, ...]]


class PlainHeader(NamedTuple):
    """All that a loop must know of a header.

    Attributes:
        offset, size, order: where in the header the length stands, its bytes and their order.
        header_size: bytes of the header.
        base: bytes of the frame that the length does not count; below 0 where it counts more than the frame has.
        least, most: bytes of the smallest and of the largest frame.
        constants: what may stand at other places.
    """

    offset: int
    size: int
    order: Literal["big", "little"]
    header_size: int
    base: int
    least: int
    most: int
    constants: tuple[_Constant, ...] = ()

    def reader(self) -> _Unpack:
        """Return what reads the length of the header at a place.

        It raises `struct.error` where the buffer ends inside the header. A header with a wrong constant has a length
        that is too large for any frame.
        """
        length = f"{self.offset}x{CODES.get(self.size, f'{self.size}s')}"
        if not self.constants:
            plain = Struct(f"{'<>'[self.order == 'big']}{length}{self.header_size - self.offset - self.size}x")
            return plain.unpack_from if self.size in CODES else self._odd_sized(plain)
        return self._checked()

    def _odd_sized(self, plain: Struct) -> _Unpack:
        unpack, order = plain.unpack_from, self.order

        def read(buffer: Buffer, start: int) -> tuple[int]:
            return (int.from_bytes(unpack(buffer, start)[0], order),)

        return read

    def marks(self) -> "Marks | None":
        """Return what reads the constants and the length in one step; `None`: they lie too far apart for that."""
        before, behind = self._split_constants()
        if self.size not in CODES or len(before) > 1 or len(behind) > 1:
            return None
        stop = self.offset + self.size
        first, fronts = before[0] if before else (0, (b"",))
        size = len(fronts[0])
        layout = f"{first}x{size}s{self.offset - first - size}x{CODES[self.size]}"
        first, backs = behind[0] if behind else (stop, (b"",))
        size = len(backs[0])
        layout = f"{'<>'[self.order == 'big']}{layout}{first - stop}x{size}s{self.header_size - first - size}x"
        return Marks(Struct(layout), frozenset(fronts), frozenset(backs))

    def _checked(self) -> _Unpack:
        marks = self.marks()
        if marks is not None:
            return marks.reader()
        before, behind = self._split_constants()
        return self._checked_parts([*before, *behind], len(before))

    def _split_constants(self) -> tuple[list[_Constant], list[_Constant]]:
        before = [part for part in self.constants if part[0] < self.offset]
        return _joined(before), _joined([part for part in self.constants if part[0] > self.offset])

    def _checked_parts(self, constants: list[_Constant], index: int) -> _Unpack:
        known = frozenset(product(*(values for _, values in constants)))
        spans = [(offset, len(values[0])) for offset, values in constants]
        layout, place = "=", 0
        for offset, size in [*spans[:index], (self.offset, self.size), *spans[index:]]:
            layout += f"{offset - place}x{size}s"
            place = offset + size
        unpack, order = Struct(f"{layout}{self.header_size - place}x").unpack_from, self.order

        def read(buffer: Buffer, start: int) -> tuple[int]:
            found = unpack(buffer, start)
            if found[:index] + found[index + 1 :] not in known:
                return _ODD
            return (int.from_bytes(found[index], order),)

        return read

    def columns(self) -> list[int]:
        """Return the offsets of the bytes that tell a frame's size and whether it is good."""
        spans = [(offset, len(values[0])) for offset, values in self.constants]
        return [place for offset, size in [(self.offset, self.size), *spans] for place in range(offset, offset + size)]


def _joined(constants: list[_Constant]) -> list[_Constant]:
    """Return constants in their order, those as one that lie side by side."""
    joined: list[_Constant] = []
    for offset, values in sorted(constants):
        if joined and joined[-1][0] + len(joined[-1][1][0]) == offset:
            start, before = joined.pop()
            joined.append((start, tuple(first + second for first in before for second in values)))
        else:
            joined.append((offset, values))
    return joined


class Marks(NamedTuple):
    """How to read a header with one run of constants at most on each side of its length.

    Attributes:
        layout: unpacks the run before, the length and the run behind; a run that is not there is `b""`.
        front, back: what the runs may be.
    """

    layout: Struct
    front: frozenset[bytes]
    back: frozenset[bytes]

    def reader(self) -> _Unpack:
        """Return what reads the length, as `PlainHeader.reader`."""
        unpack, fronts, backs = self.layout.unpack_from, self.front, self.back

        def read(buffer: Buffer, start: int) -> tuple[int]:
            front, value, back = unpack(buffer, start)
            return (value,) if front in fronts and back in backs else _ODD

        return read


def plain_measure(plain: PlainHeader, careful: Measure) -> Measure:
    """Return `measure`; `careful` has the word about anything odd."""
    unpack, header_size, base, least = plain.reader(), plain.header_size, plain.base, plain.least
    odd = _ODD[0] + base

    def measure(buffer: Buffer, start: int, end: int) -> int | None:
        if end - start < header_size:
            return None
        total: int = unpack(buffer, start)[0] + base
        return total if total >= least and total != odd else careful(buffer, start, end)

    return measure


def _runs(plain: PlainHeader) -> Callable[[bytes, int, int, int], tuple[int, int]]:
    """Return what counts the whole, good frames of one size at a place: (how many, their size), or (0, 0).

    The work is a few steps over one byte of each frame, so asking where the sizes differ costs next to nothing.
    """
    unpack, columns, base, most, header_size = (
        plain.reader(),
        plain.columns(),
        plain.base,
        plain.most,
        plain.header_size,
    )

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


def payload_scan(plain: PlainHeader) -> Scan:
    """Return `scan`."""
    unpack_from, header_size, base, run = plain.reader(), plain.header_size, plain.base, _runs(plain)
    most_value, least_value = plain.most - base, header_size - base

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

    def marked(buffer: bytes, start: int, end: int, limit: int, out: list[bytes]) -> int:
        assert marks is not None
        append, size, added, least, most = out.append, header_size, base, least_value, most_value
        (layout, fronts, backs), least_front = marks, min(marks.front)
        unpack = layout.unpack_from
        try:
            for _ in repeat(None, limit):
                front, value, back = unpack(buffer, start)
                stop = start + value + added
                # One comparison of the commonest case is quicker than a look into a set.
                if stop > end or not least <= value <= most or (front != least_front and front not in fronts):
                    break
                if back and back not in backs:
                    break
                append(buffer[start + size : stop])
                start = stop
        except struct.error:  # as above
            pass
        return start

    marks = plain.marks() if plain.constants else None
    # The commonest length counts the payload alone and needs one comparison and one addition less.
    one_by_one = marked if marks else counting_more if least_value else counting_payload
    return scan


def frame_scan(plain: PlainHeader, format: FrameFormat) -> ScanFrames:
    """Return `scan_frames` for the frames of a format."""
    unpack_from, base, run = plain.reader(), plain.base, _runs(plain)
    most_value, least_value = plain.most - base, plain.header_size - base

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
