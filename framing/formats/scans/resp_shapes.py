r"""The shapes of RESP values: commands mostly differ in what their bulk strings hold, and in how long those are.

    *2\r\n | $3\r\nGET\r\n | $2\r\nk1\r\n          and    *2\r\n | $4\r\nMGET\r\n | $3\r\nk22\r\n      have one

Spec: [F62] and [F120].
"""

import re
from functools import cache

from framing.formats.scans.shapes import MAX_PARTS, MAX_STRING_SIZE

__all__ = ["shape"]

_CRLF = b"\r\n"
_BULKS, _AGGREGATES = b"$!=", b"*~>%"
_ATTRIBUTE = 0x7C
# Sizes that a bulk string may have, whatever that of the first one was.
_SIZES = range(64)


def shape(value: bytes) -> bytes | None:
    """Return the expression for values built like this whole, good one; `None`: it has too much in it, or attributes.

    >>> shape(b"*1\\r\\n$3\\r\\nGET\\r\\n") == shape(b"*1\\r\\n$3\\r\\nSET\\r\\n")
    True
    """
    parts: list[bytes] = []
    place = 0
    while place < len(value) and len(parts) < MAX_PARTS:
        kind, stop = value[place : place + 1], value.index(_CRLF, place) + 2
        line = value[place:stop]
        if kind[0] == _ATTRIBUTE:
            return None
        if kind in _BULKS and line[1:2] != b"-":
            size = int(line[1:-2])
            if size > MAX_STRING_SIZE:
                return None
            parts.append(_bulks(kind, size))
            stop += size + 2
        elif kind in _AGGREGATES or (line[1:2] == b"-" and kind in _BULKS):
            parts.append(re.escape(line))
        else:
            parts.append(re.escape(kind) + rb"[^\r\n]*\r\n")
        place = stop
    return b"".join(parts) if place == len(value) else None


@cache
def _bulks(kind: bytes, first: int) -> bytes:
    """Return the expression for bulk strings, which tries this size first."""
    sizes = (first, *(size for size in _SIZES if size != first))
    return re.escape(kind) + b"(?:" + b"|".join(rb"%d\r\n.{%d}\r\n" % (size, size) for size in sizes) + b")"
