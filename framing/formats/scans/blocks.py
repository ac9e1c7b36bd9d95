"""The hot loops for payloads in blocks with checksums behind: many frames are cut first, and then checked at once.

    +----------+-----------------+-----+-----------+-----++----------+-----------------+-----+-----------------+-----+
    |  header  |     a block     | crc |  the rest | crc ||  header  |     a block     | crc |     a block     | crc |
    +----------+-----------------+-----+-----------+-----++----------+-----------------+-----+-----------------+-----+

What stands behind each header is laid in lanes of a block and its checksum, the last one of a frame filled up:

    |     a block     | crc |      going on over its own checksum, a CRC comes to one value, whatever the block is,
    |  the rest | crc | 0 0 |      and over what fills a lane up to another: so all are compared at once, in columns;
    |     a block     | crc |      and all payloads are there when the last columns are deleted
    |     a block     | crc |

They are the quick twins of the format's `measure`, `verify` and `payload`, which have the word about anything odd; a
property test holds them equal.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from itertools import accumulate, repeat
from typing import Literal, NamedTuple

from framing.errors import FrameError
from framing.formats.scans.columns import MAX_SIZE, columns
from framing.formats.scans.regions import Spans
from framing.formats.scans.tables import remember
from framing.frame import Frame, FrameFormat, Scan, ScanFrames

__all__ = ["Blocks", "Head", "block_scans"]

# How much is cut before it is checked, but for the last frame of it, and how many frames.
_WINDOW_SIZE = 1 << 16
_MOST_COUNT = 1024

# What was cut behind a bad frame was cut in vain. So a pull begins with few, and takes more as long as all are good:
# who sends bad ones on purpose, and has them skipped, has each frame looked at so many times at most.
_FIRST_COUNT = 64
_GROWTH = 16

# Below so many lanes, checksums one by one are quicker than in columns.
_FEW_COUNT = 12

# How many headers are remembered, and of frames how long: 3 MiB at most, whatever is sent.
_KNOWN_COUNT = 1024
_KNOWN_SIZE = 4096


class Blocks(NamedTuple):
    """How a payload is divided.

    Attributes:
        size: bytes of a block.
        check_size, order: bytes of its checksum and their order.
        compute: what that is computed with.
        runs_on: whether it is a CRC, and in the order in which it comes to one value when it goes on over itself.
    """

    size: int
    check_size: int
    order: Literal["big", "little"]
    compute: Callable[[bytes], int]
    runs_on: bool


class Head(NamedTuple):
    """What stands before the payload.

    Attributes:
        size: bytes before the first block.
        lead_size: bytes of the first block that are no payload; without any block they are not there.
        spans: which bytes of the frame decide about it.
        closed: whether they end with a CRC, the same as that of the blocks, over all that comes before. Then the spans
            need not cover what else it runs over.
    """

    size: int
    lead_size: int
    spans: Spans
    closed: bool


# What a header says: the frame's size and its payload's; the bytes of its lanes without their checksums; zeros that
# fill the last lane up; a byte for each lane, by how much it is filled up. Plain tuples are taken apart quickest.
_Shape = tuple[int, int, int, bytes, bytes]


class _Batch(NamedTuple):
    """Frames that were cut.

    Attributes:
        shapes: what the header of each says.
        pieces: what fills up in front; then, by turns, what of a frame stands in lanes, and what fills up behind it.
        stop: where the next frame begins.
    """

    shapes: list[_Shape]
    pieces: list[bytes]
    stop: int


# Where the good frames of a batch end, what they are, and the lanes of all.
_Checked = tuple[int, list[_Shape], bytes]

_Walk = Callable[[bytes, int, int, int], _Batch]
_GoodCount = Callable[[_Batch, bytes], int]
_Learn = Callable[[bytes, int, int], _Shape | None]


def block_scans(form: FrameFormat, head: Head, blocks: Blocks) -> tuple[Scan | None, ScanFrames | None]:
    """Return `scan` and `scan_frames` of a format; `None`: blocks or header are too long to fill up lanes of them."""
    step = blocks.size + blocks.check_size
    if step > MAX_SIZE:
        return None, None
    checked = _checking(_walking(form, head, blocks), _counting(head, blocks))
    # What is no payload: the header's lane, if it has one, and the beginning of the first block.
    first = head.lead_size + (blocks.size if head.closed else 0)

    def scan(buffer: bytes, start: int, end: int, limit: int, out: list[bytes]) -> int:
        for stop, shapes, lanes in checked(buffer, start, end, limit):
            payloads, place = _without_checks(lanes, blocks), first
            for _, size, room, _, _ in shapes:
                out.append(payloads[place : place + size])
                place += room
            start = stop
        return start

    def scan_frames(buffer: bytes, start: int, end: int, limit: int, out: list[Frame], base: int) -> int:
        new_frame = form.frame_class
        for _, shapes, _ in checked(buffer, start, end, limit):
            for total, _, _, _, _ in shapes:
                frame = new_frame()
                frame.offset = base + start
                stop = start + total
                frame.data = buffer[start:stop]
                out.append(frame)
                start = stop
        return start

    return scan, scan_frames


def _checking(walk: _Walk, good_count: _GoodCount) -> Callable[[bytes, int, int, int], Iterator[_Checked]]:
    """Return what cuts batch after batch, up to the first frame that is not good."""

    def checked(buffer: bytes, start: int, end: int, limit: int) -> Iterator[_Checked]:
        room = _FIRST_COUNT
        while limit > 0 and start < end:
            batch = walk(buffer, start, end, min(limit, room))
            lanes = b"".join(batch.pieces)
            count = good_count(batch, lanes)
            if count < len(batch.shapes):
                shapes = batch.shapes[:count]
                yield start + sum(shape[0] for shape in shapes), shapes, lanes
                return
            if not count:
                return
            yield batch.stop, batch.shapes, lanes
            start, limit, room = batch.stop, limit - count, min(room * _GROWTH, _MOST_COUNT)

    return checked


def _walking(form: FrameFormat, head: Head, blocks: Blocks) -> _Walk:
    (first, _), (_, last) = head.spans[0], head.spans[-1]
    known: dict[bytes, _Shape] = {}
    learn = _learning(form, head, blocks)
    skipped_size = 0 if head.closed else head.size
    front = bytes(_front_size(head, blocks))

    def walk(buffer: bytes, start: int, end: int, limit: int) -> _Batch:
        recall, skipped, low, high, window = known, skipped_size, first, last, min(end, start + _WINDOW_SIZE)
        shapes: list[_Shape] = []
        pieces = [front]
        for _ in repeat(None, limit):
            try:
                shape = recall[buffer[start + low : start + high]]
            except KeyError as key:
                found = learn(buffer, start, end)
                if found is None:
                    break
                shape = found
                if shape[0] <= _KNOWN_SIZE:
                    remember(known, key.args[0], shape, _KNOWN_COUNT)
            place = start + skipped
            start += shape[0]
            pieces.append(buffer[place:start])
            pieces.append(shape[3])
            shapes.append(shape)
            if start >= window:
                break
        if start > end:  # the last one is not whole
            start -= shapes.pop()[0]
            del pieces[-2:]
        pieces[-1] = pieces[-1][len(front) :]  # no header comes
        return _Batch(shapes, pieces, start)

    return walk


def _front_size(head: Head, blocks: Blocks) -> int:
    return blocks.size + blocks.check_size - head.size if head.closed else 0


def _learning(form: FrameFormat, head: Head, blocks: Blocks) -> _Learn:
    size, check_size = blocks.size, blocks.check_size
    front_size, heads = _front_size(head, blocks), int(head.closed)

    def learn(buffer: bytes, start: int, end: int) -> _Shape | None:
        """Ask the careful method what a header says; `None`: it is not whole, or odd."""
        try:
            total = form.measure(buffer, start, end)
        except FrameError:
            return None
        if total is None or total > form.max_frame_size:
            return None
        count = -(-(total - head.size) // (size + check_size))
        blocks_size = total - head.size - count * check_size
        fill = count * size - blocks_size
        marks = bytes((size,)) * heads + (bytes(count - 1) + bytes((fill,)) if count else b"")
        payload_size = max(0, blocks_size - head.lead_size)  # no block has no lead either
        return total, payload_size, (heads + count) * size, bytes(fill + front_size), marks

    return learn


def _without_checks(lanes: bytes, blocks: Blocks) -> bytes:
    """Return the lanes without the columns of their checksums."""
    kept = bytearray(lanes)
    for left in range(blocks.check_size, 0, -1):
        del kept[blocks.size :: blocks.size + left]
    return bytes(kept)


def _counting(head: Head, blocks: Blocks) -> _GoodCount:
    """Return what tells how many frames of a batch, the first ones, are good."""
    size, width, order, compute, runs_on = blocks
    step = size + width
    first_size = head.size if head.closed else step

    def one_by_one(batch: _Batch, _: bytes) -> int:
        for count, piece in enumerate(batch.pieces[1::2]):
            start, stop = 0, first_size
            while start < len(piece):
                block = piece[start:stop]
                if compute(block[:-width]) != int.from_bytes(block[-width:], order):
                    return count
                start, stop = stop, stop + step
        return len(batch.shapes)

    if not runs_on:
        return one_by_one
    in_columns = _column_counting(head, blocks)

    def good_count(batch: _Batch, lanes: bytes) -> int:
        return (one_by_one if len(lanes) < _FEW_COUNT * step else in_columns)(batch, lanes)

    return good_count


def _column_counting(head: Head, blocks: Blocks) -> _GoodCount:
    """Return the same for many lanes."""
    size, width, order, compute, _ = blocks
    # What the bytes before a checksum are does not matter: so there are none, and zeros in a header.
    behind = compute(b"").to_bytes(width, order)
    ends = [compute(behind + bytes(fill)) for fill in range(size)]
    if head.closed:
        zeros = bytes(head.size - width)
        ends.append(compute(bytes(_front_size(head, blocks)) + zeros + compute(zeros).to_bytes(width, order)))
    tables = [bytes(end >> 8 * one & 0xFF for end in ends).ljust(256, b"\0") for one in range(width)]

    def in_columns(batch: _Batch, lanes: bytes) -> int:
        marks, bad = b"".join([shape[4] for shape in batch.shapes]), 0
        for found, table in zip(columns(compute, size + width, width).sums(lanes), tables, strict=True):
            bad |= found ^ int.from_bytes(marks.translate(table), "little")
        if not bad:
            return len(batch.shapes)
        lane = ((bad & -bad).bit_length() - 1) // 8
        return bisect_right([*accumulate(len(shape[4]) for shape in batch.shapes)], lane)

    return in_columns
