"""The shapes of CBOR items: heads as they are, numbers of any width, strings of any length up to 255 bytes.

    a2 | 62 "id" | 19 03e8 | 64 "name" | 66 "sensor"            {"id": 1000, "name": "sensor"}
    a2 | text    | number  | text      | text                   its shape, which {"id": 7, "name": "bob"} has, too

Spec: [F64].
"""

import re
from functools import cache

from framing.formats.scans.shapes import MAX_PARTS, MAX_STRING_SIZE

__all__ = ["shape"]

# Strings of 24 to 255 bytes take a long expression, so that only the first ones in an item may have any such length.
_MAX_MEDIUM_COUNT = 2

_NUMBER = rb"(?:[\x00-\x17]|\x18.|\x19..|\x1a....|\x1b.{8}|[\x20-\x37]|\x38.|\x39..|\x3a....|\x3b.{8})"
_SIMPLE = rb"(?:[\xe0-\xf7]|\xf9..|\xfa....|\xfb.{8}|\xf8[\x20-\xff])"
_ONE_BYTE_SIZE = 24
_INDEFINITE = 31


def shape(item: bytes) -> bytes | None:
    """Return the expression for items built like this whole one; `None`: it has too much in it, or what is indefinite.

    >>> shape(bytes.fromhex("820563616263")) == shape(bytes.fromhex("821903e863646566"))
    True
    """
    parts: list[bytes] = []
    place = medium_count = 0
    while place < len(item) and len(parts) < MAX_PARTS:
        major, info = item[place] >> 5, item[place] & 31
        if info == _INDEFINITE:
            return None
        stop = place + 1 + (1 << info - _ONE_BYTE_SIZE if info >= _ONE_BYTE_SIZE else 0)
        if major in (2, 3):
            number = int.from_bytes(item[place + 1 : stop], "big") if info >= _ONE_BYTE_SIZE else info
            medium_count += info == _ONE_BYTE_SIZE
            parts.append(_string(item[place:stop], number, medium_count <= _MAX_MEDIUM_COUNT))
            stop += number
            if number > MAX_STRING_SIZE:
                return None
        else:
            parts.append(_NUMBER if major < 2 else _SIMPLE if major == 7 else re.escape(item[place:stop]))
        place = stop
    return b"".join(parts) if place == len(item) else None


def _string(head: bytes, size: int, is_free: bool) -> bytes:
    """Return the expression for strings, which tries this one's size first; `is_free`: others are allowed, too."""
    first = head[:1]
    if len(head) == 1:
        return _sizes(b"", first[0] & 0xE0, size, 0, _ONE_BYTE_SIZE)
    if len(head) == 2 and is_free and size >= _ONE_BYTE_SIZE:
        return _sizes(re.escape(first), 0, size, _ONE_BYTE_SIZE, 256)
    return re.escape(head) + b".{%d}" % size


@cache
def _sizes(before: bytes, base: int, first: int, least: int, end: int) -> bytes:
    """Return the expression for a byte that is a size added to `base`, and so many bytes."""
    sizes = (first, *range(least, first), *range(first + 1, end))
    return before + b"(?:" + b"|".join(rb"\x%02x.{%d}" % (base + size, size) for size in sizes) + b")"
