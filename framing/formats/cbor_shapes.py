"""Data items that are built alike, cut many at once by a regular expression made from one of them.

    a2 | 62 "id" | 19 03e8 | 64 "name" | 66 "sensor"            {"id": 1000, "name": "sensor"}
    a2 | text    | number  | text      | text                   its shape, which {"id": 7, "name": "bob"} has, too

What a program sends is mostly built from a few shapes. An expression takes a shape's heads as they are, numbers of any
width, and strings of any length up to 255 bytes; so it matches nothing but whole, well-formed items, which are nested
as deeply as the one it was made from. Spec: [F64].
"""

import re
from collections.abc import Callable
from functools import cache

__all__ = ["LEARNED_COUNT", "Shapes", "shape"]

# Of so many items that were walked over one is learned from, so that who never repeats a shape pays little for it.
LEARNED_COUNT = 16

# More heads, or strings of more bytes, take longer to compile than they are worth.
_MAX_PARTS = 64
_MAX_STRING_SIZE = 1024
_MAX_MEDIUM_COUNT = 2

_MAX_SHAPES = 8
_MAX_SEEN = 64

_NUMBER = rb"(?:[\x00-\x17]|\x18.|\x19..|\x1a....|\x1b.{8}|[\x20-\x37]|\x38.|\x39..|\x3a....|\x3b.{8})"
_SIMPLE = rb"(?:[\xe0-\xf7]|\xf9..|\xfa....|\xfb.{8}|\xf8[\x20-\xff])"
_ONE_BYTE_SIZE = 24
_INDEFINITE = 31


class Shapes:
    """The shapes that were met several times, and what cuts items which have one of them.

    Attributes:
        find_all: `(buffer, start, end)` → the items from `start` on, up to one of no such shape, which an empty one at
            the end stands for; `None` as long as no shape is known.
    """

    def __init__(self) -> None:
        self.find_all: Callable[[bytes, int, int], list[bytes]] | None = None
        self._known: list[bytes] = []
        self._seen: dict[bytes, int] = {}
        self._needed = 2

    def learn(self, item: bytes) -> None:
        """Take note of a whole item that was walked over.

        Compiling takes a thousand times as long as the walk, so that each time it must be worth twice as much: a peer
        that changes its shapes all the time gains nothing by it.
        """
        expression = shape(item)
        if expression is None or expression in self._known:
            return
        if len(self._seen) >= _MAX_SEEN:
            self._seen.clear()
        count = self._seen[expression] = self._seen.get(expression, 0) + 1
        if count >= self._needed:
            self._needed *= 2
            del self._seen[expression]
            self._known = [expression, *self._known[: _MAX_SHAPES - 1]]
            self.find_all = re.compile(b"(" + b"|".join(self._known) + b")|.+", re.DOTALL).findall


def shape(item: bytes) -> bytes | None:
    """Return the expression for items built like this whole one; `None`: it has too much in it, or what is indefinite.

    >>> shape(bytes.fromhex("820563616263")) == shape(bytes.fromhex("821903e863646566"))
    True
    """
    parts: list[bytes] = []
    place = medium_count = 0
    while place < len(item) and len(parts) < _MAX_PARTS:
        major, info = item[place] >> 5, item[place] & 31
        if info == _INDEFINITE:
            return None
        stop = place + 1 + (1 << info - _ONE_BYTE_SIZE if info >= _ONE_BYTE_SIZE else 0)
        if major in (2, 3):
            number = int.from_bytes(item[place + 1 : stop], "big") if info >= _ONE_BYTE_SIZE else info
            medium_count += info == _ONE_BYTE_SIZE
            parts.append(_string(item[place:stop], number, medium_count <= _MAX_MEDIUM_COUNT))
            stop += number
            if number > _MAX_STRING_SIZE:
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
