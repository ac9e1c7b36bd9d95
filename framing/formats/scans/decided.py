"""A hot loop for headers of which some bytes decide everything: what they decided once is looked up from then on.

Lengths in bits, sums, padding, a told byte order and conditional fields take many steps to read, but the bytes that say
them, a length and a flag or two, come again and again. So the careful methods of the format are asked once for each
different run of those bytes, and the loop is a slice, a dictionary and a slice.

    0        1        2                 4
    +--------+--------+-----------------+- - - - - - -+
    | flags  |   id   |     length      |   payload   |      known: { 01 07 00 40 → frame of 68 bytes, payload at 4 }
    +--------+--------+-----------------+- - - - - - -+
    |<-- the bytes that decide: 4 ----->|

Bytes between them that decide nothing, an id or a sequence number, are passed over. For headers without fixed offsets
`known.py` does the same. It is the quick twin of `measure`, `bounds`, `verify` and `payload`, and a property test holds
it equal to them.
"""

import struct
from collections.abc import Callable, Iterable
from itertools import repeat
from struct import Struct
from typing import NamedTuple

from framing.errors import FrameError
from framing.frame import FrameFormat, Scan

__all__ = ["MAX_KNOWN", "Region", "Spans", "decided_scan", "joined", "key_reader", "xored"]

# How many runs of bytes are remembered: a sender of ever different ones must not fill memory with them.
MAX_KNOWN = 1024


Spans = tuple[tuple[int, int], ...]


class Region(NamedTuple):
    """Which bytes of a header decide.

    Attributes:
        spans: where in the header they lie: from an offset to another.
        decided: tells of the frame at a place whether they are all that decides; `None`: always.
        trailers: what may stand behind the payload, where that is all there is to verify; or `None`.
        key: tells where the key of the frame at a place lies in it, with which its payload is xored, and how many bytes
            it has: 0 if there is none; `None`: no frame has one.
    """

    spans: Spans
    decided: Callable[[bytes, int], bool] | None = None
    trailers: frozenset[bytes] | None = None
    key: Callable[[bytes, int], tuple[int, int]] | None = None


# The frame's size, where its payload begins and ends, where its key does.
_Shape = tuple[int, int, int, int, int]


def decided_scan(form: FrameFormat, region: Region) -> Scan:
    """Return `scan` for a format whose frames are told by a region of their headers."""
    look, decided, trailers = _looking(form, region), region.decided, region.trailers
    verify = form.verify if trailers is None else None
    read = key_reader(region.spans)
    # Shared by all streams of the format, as what it holds is true of all of them; forgotten when it is full.
    known: dict[tuple[bytes, ...], _Shape] = {}

    def scan(buffer: bytes, start: int, end: int, limit: int, out: list[bytes]) -> int:
        append, get, unpack = out.append, known.get, read
        try:
            for _ in repeat(None, limit):
                key = unpack(buffer, start)
                shape = get(key)
                if shape is None:
                    shape = look(buffer, start, end)
                    if shape is None:
                        break
                    if decided is None or decided(buffer, start):
                        if len(known) >= MAX_KNOWN:
                            known.clear()
                        known[key] = shape
                total, head, body, mask, mask_stop = shape
                stop = start + total
                if stop > end:
                    break
                if trailers is not None and buffer[start + body : stop] not in trailers:
                    break
                if verify is not None:
                    verify(buffer, start, stop)
                payload = buffer[start + head : start + body]
                append(xored(payload, buffer[start + mask : start + mask_stop]) if mask_stop else payload)
                start = stop
        except (FrameError, struct.error):  # what is wrong the next `measure` or `verify` says; or the buffer ends
            pass
        return start

    return scan


def joined(spans: Iterable[tuple[int, int]]) -> Spans:
    """Return spans in order, those that touch or overlap as one.

    >>> joined([(4, 6), (0, 1), (5, 8), (1, 2)])
    ((0, 2), (4, 8))
    """
    made: list[tuple[int, int]] = []
    for first, stop in sorted(spans):
        if made and first <= made[-1][1]:
            made[-1] = (made[-1][0], max(stop, made[-1][1]))
        else:
            made.append((first, stop))
    return tuple(made)


def key_reader(spans: Spans) -> Callable[[bytes, int], tuple[bytes, ...]]:
    """Return what reads the bytes of these spans in the frame at a place; `struct.error`: the buffer ends before."""
    layout, place = "=", 0
    for first, stop in spans:
        layout += f"{first - place}x{stop - first}s"
        place = stop
    return Struct(layout).unpack_from


def _looking(form: FrameFormat, region: Region) -> Callable[[bytes, int, int], _Shape | None]:
    least, most, key_of = form.min_size, form.max_frame_size, region.key

    def look(buffer: bytes, start: int, end: int) -> _Shape | None:
        """Ask the careful methods; `None`: the frame is not whole, or it is too large."""
        if end - start < max(least, 1):
            return None
        total = form.measure(buffer, start, end)
        if total is None or not 0 < total <= most or start + total > end:
            return None
        head, body = form.bounds(buffer, start, start + total)
        key, size = (0, 0) if key_of is None else key_of(buffer, start)
        return total, head - start, body - start, key, key + size

    return look


def xored(payload: bytes, key: bytes) -> bytes:
    """Return a payload xored with a key, again and again; done twice it is the payload.

    >>> xored(bytes.fromhex("7f9f4d5158"), bytes.fromhex("37fa213d"))
    b'Hello'
    """
    size = len(payload)
    # As one long integer: a loop over the bytes would take a hundred times as long.
    stream = (key * (size // len(key) + 1))[:size]
    return (int.from_bytes(payload, "little") ^ int.from_bytes(stream, "little")).to_bytes(size, "little")
