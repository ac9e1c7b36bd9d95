"""The hot loop of frames with constants behind the payload: those and the next header are looked up in one step.

    +--------+-----------------+- - - - - - - -+--------++--------+-----------------+- - - - - - - -+--------+
    |   01   |     length      |    payload    |   ce   ||   02   |     length      |    payload    |   ce   |
    +--------+-----------------+- - - - - - - -+--------++--------+-----------------+- - - - - - - -+--------+
             |<- read first -->|               |<- read in one step, met before? -->|

The table holds nothing behind a wrong trailer, so what is found in it is good on both sides. It is the quick twin of
`decided.py`, which has the word about the last frame and about what is odd; a property test holds both equal to the
careful methods.
"""

import struct
from itertools import repeat

from framing.formats.scans.regions import Key, Learn, Region, Shape, key_reader
from framing.formats.scans.tables import remember
from framing.frame import Scan

__all__ = ["trailed_scan"]


def trailed_scan(plain: Scan, region: Region, learn: Learn, shapes: dict[Key, Shape]) -> Scan | None:
    """Return `scan`; `None`: there are no trailers of one size.

    Args:
        plain: cuts the same frames.
        region: says what decides about them; none may have a key.
        learn: tells the shape of a frame,
        shapes: and puts it in here if that is the shape of all that begin with the same region.
    """
    trailers = region.trailers or frozenset()
    size = max(map(len, trailers), default=0)
    if not size or min(map(len, trailers)) < size or region.key is not None:
        return None
    read_head = key_reader(region.spans)
    read_both = key_reader(((0, size), *((first + size, stop + size) for first, stop in region.spans)))
    met: dict[Key, Shape] = {}  # by a trailer and what decides about the frame behind it

    def scan(buffer: bytes, start: int, end: int, limit: int, out: list[bytes]) -> int:
        append, get, unpack, room = out.append, met.get, read_both, len(out) + limit
        try:
            key = read_head(buffer, start)
            shape = shapes.get(key) or learn(buffer, start, end, key)
            for _ in repeat(None, limit):
                if shape is None:
                    break
                total, head, body, _, _ = shape
                last, stop = start + body, start + total
                if stop > end:
                    break
                key = unpack(buffer, last)
                shape = get(key)
                if shape is None:
                    if key[0] not in trailers:
                        break
                    behind = key[1:]
                    shape = shapes.get(behind) or learn(buffer, stop, end, behind)
                    if shape is not None and behind in shapes:
                        remember(met, key, shape)
                append(buffer[start + head : last])
                start = stop
        except struct.error:  # the buffer ends inside a header
            pass
        return plain(buffer, start, end, room - len(out), out)

    return scan
