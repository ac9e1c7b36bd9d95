"""The hot loop of payloads that are xored with a key of each frame's own, as a WebSocket client's are.

    82 85 37 fa 21 3d 7f 9f 4d 51 58 82 83 0f 01 …      what is sent: headers, keys, payloads
    00 00 00 00 00 00 37 fa 21 3d 37 fa 21 00 00 …      the keys, again and again under their payloads

Python has no xor of bytes but that of integers, and to make one of a payload and bytes of it again costs as much as to
cut out the frame. So the keys of many frames are laid under them, and all are one integer each. It is the quick twin
of `payload`, and a property test holds it equal. Spec: [F96], after RFC 6455, section 5.3.
"""

import struct
from collections.abc import Callable, Mapping
from itertools import repeat
from struct import Struct

from framing.formats.scans.regions import Key, Learn, Shape
from framing.formats.scans.tables import remember
from framing.frame import Scan

__all__ = ["masked_scan", "xored"]

# Bytes that are xored at once, unless one frame has more: their integers fit into the processor's nearer caches.
_WINDOW_SIZE = 1 << 15

# Size, begin and end of the payload, place of the key; how often it stands under the payload, and zeros behind that.
_Entry = tuple[int, int, int, int, int, bytes]


def masked_scan(plain: Scan, learn: Learn, shapes: Mapping[Key, Shape], *, region_size: int, key_size: int) -> Scan:
    """Return `scan`, for frames with keys and others.

    Args:
        plain: cuts the others, up to the first one with a key.
        learn: tells the shape of a frame,
        shapes: and puts it in here if that is the shape of all that begin with the same region.
        region_size: bytes at a frame's beginning that say its shape, or that it must be learnt.
        key_size: bytes of each key, which lies behind them.
    """
    window = _window_scan(learn, shapes, region_size, key_size)

    def alone(buffer: bytes, start: int, end: int, out: list[bytes]) -> int:
        """Take a frame that is larger than a window, and return its size, or 0."""
        try:
            shape = learn(buffer, start, end, (buffer[start : start + region_size],))
        except struct.error:
            return 0
        if shape is None or not shape[4]:
            return 0
        total, head, body, first, last = shape
        out.append(xored(buffer[start + head : start + body], buffer[start + first : start + last]))
        return total

    def scan(buffer: bytes, start: int, end: int, limit: int, out: list[bytes]) -> int:
        room = len(out) + limit
        while True:
            stop = plain(buffer, start, end, room - len(out), out)
            if stop < end and len(out) < room:
                size = window(buffer[stop : min(end, stop + _WINDOW_SIZE)], room - len(out), out)
                stop += size or alone(buffer, stop, end, out)
            if stop == start or len(out) == room:
                return stop
            start = stop

    return scan


def _window_scan(
    learn: Learn, shapes: Mapping[Key, Shape], size: int, key_size: int
) -> Callable[[bytes, int, list[bytes]], int]:
    """Return what cuts the frames with keys at the beginning of a window, and returns their size."""
    # Shared by all streams of the format, as in `decided.py`.
    known: dict[bytes, _Entry] = {}
    read = Struct(f"{size}s{key_size}s").unpack_from

    def met(window: bytes, start: int, region: bytes) -> _Entry | None:
        shape = learn(window, start, len(window), (region,))
        if shape is None or not shape[4]:
            return None
        total, head, body, place, _ = shape
        count = -(-(body - head) // key_size)
        entry = total, head, body, place, count, bytes(total - count * key_size)
        if (region,) in shapes:
            remember(known, region, entry)
        return entry

    def scan(window: bytes, limit: int, out: list[bytes]) -> int:
        keys: list[bytes] = []
        firsts: list[int] = []
        lasts: list[int] = []
        add, first, last, get, unpack = keys.append, firsts.append, lasts.append, known.get, read
        start, end, key_place, usual, least = 0, len(window), size, 0, 0
        try:
            for _ in repeat(None, limit):
                region, key = unpack(window, start)
                entry = get(region) or met(window, start, region)
                if entry is None:
                    break
                total, head, body, place, count, gap = entry
                stop = start + total
                if stop > end:
                    break
                if head != usual:
                    if place != key_place:
                        key = window[start + place : start + place + key_size]
                    if head < least:
                        break
                    if not least:
                        least = head
                        usual = head if place == key_place else 0
                    add(bytes(head - least))  # a longer header than the first one has more before its payload
                    gap = gap[head - least :]
                add(key * count)
                add(gap)
                first(start + head)
                last(start + body)
                start = stop
        except struct.error:  # the window ends inside a header: cheaper than asking before each
            pass
        if start:
            stream = b"".join([bytes(least), *keys])[:start]
            data = _xored(window[:start], stream)
            out += [data[place:stop] for place, stop in zip(firsts, lasts, strict=True)]
        return start

    return scan


def xored(payload: bytes, key: bytes) -> bytes:
    """Return a payload xored with a key, again and again; done twice it is the payload.

    >>> xored(bytes.fromhex("7f9f4d5158"), bytes.fromhex("37fa213d"))
    b'Hello'
    """
    size = len(payload)
    return _xored(payload, (key * (size // len(key) + 1))[:size])


def _xored(data: bytes, stream: bytes) -> bytes:
    # As one long integer: a loop over the bytes would take a hundred times as long.
    return (int.from_bytes(data, "little") ^ int.from_bytes(stream, "little")).to_bytes(len(data), "little")
