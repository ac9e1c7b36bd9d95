"""Items that are built alike, cut many at once by regular expressions made from some of them.

    a2 | 62 "id" | 19 03e8 | 64 "name" | 66 "sensor"            {"id": 1000, "name": "sensor"}
    a2 | text    | number  | text      | text                   its shape, which {"id": 7, "name": "bob"} has, too

What a program sends is mostly built from a few shapes. A shape is an expression that matches nothing but whole, good
items, nested as deeply as the one it was made from. Whatever has no known shape is walked over, and learned from.
"""

import re
from collections.abc import Callable

from framing.frame import Scan

__all__ = ["MAX_PARTS", "MAX_STRING_SIZE", "Shapes", "shaped_scan"]

# More parts, or strings of more bytes, take longer to compile than they are worth.
MAX_PARTS = 64
MAX_STRING_SIZE = 1024

# Of so many items that were walked over one is learned from, so that who never repeats a shape pays little for it.
_WALKED_COUNT = 16

_MAX_SHAPES = 8
_MAX_SEEN = 64

# Below so many frames a window holds little but what was looked at in vain.
_SCANNED_COUNT = 8
_WINDOW_SIZE = 1 << 16


class Shapes:
    """The shapes that were met several times, and what cuts items which have one of them.

    Args:
        shape: a whole, good item → the expression for items built like it, or `None`.
        most: bytes of the largest item to be cut.
    """

    def __init__(self, shape: Callable[[bytes], bytes | None], most: int) -> None:
        self._shape, self._most = shape, most
        # Returns the items up to one of no known shape, for which an empty one stands at the end.
        self._find_all: Callable[[bytes, int, int], list[bytes]] | None = None
        self._known: list[bytes] = []
        self._seen: dict[bytes, int] = {}
        self._needed = 2

    def learn(self, item: bytes) -> None:
        """Take note of a whole item that was walked over.

        Compiling takes a thousand times as long as the walk, so that each time it must be worth twice as much: a peer
        that changes its shapes all the time gains nothing by it.
        """
        expression = self._shape(item)
        if expression is None or expression in self._known:
            return
        if len(self._seen) >= _MAX_SEEN:
            self._seen.clear()
        count = self._seen[expression] = self._seen.get(expression, 0) + 1
        if count >= self._needed:
            self._needed *= 2
            del self._seen[expression]
            self._known = [expression, *self._known[: _MAX_SHAPES - 1]]
            self._find_all = re.compile(b"(" + b"|".join(self._known) + b")|.+", re.DOTALL).findall

    def cut(self, buffer: bytes, start: int, end: int, limit: int, out: list[bytes]) -> int:
        """Cut the frames that have known shapes, up to one that has none; as `FrameFormat.scan`."""
        find_all, most = self._find_all, self._most
        while find_all is not None and limit >= _SCANNED_COUNT:
            stop = min(end, start + _WINDOW_SIZE, start + limit * 64)
            parts = find_all(buffer, start, stop)
            if parts and not parts[-1]:
                del parts[-1]
            del parts[limit:]
            if stop - start > most and any(len(part) > most for part in parts):
                del parts[next(place for place, part in enumerate(parts) if len(part) > most) :]
            if not parts:
                break
            out += parts
            start += sum(map(len, parts))
            limit -= len(parts)
        return start


def shaped_scan(shapes: Shapes, walked: Scan) -> Scan:
    """Return `scan` for items that are frames; `walked` is what cuts those of any shape, one after the other."""

    def scan(buffer: bytes, start: int, end: int, limit: int, out: list[bytes]) -> int:
        room = len(out) + limit
        while True:
            start = shapes.cut(buffer, start, end, room - len(out), out)
            count = min(_WALKED_COUNT, room - len(out))
            wanted = len(out) + count
            start = walked(buffer, start, end, count, out)
            if len(out) < wanted or wanted == room:
                return start
            shapes.learn(out[-1])

    return scan
