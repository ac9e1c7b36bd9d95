"""JSON values divided where one seems to end and another to begin, and judged by the few bytes that matter.

    {"id": 1, "at": [1, 2]}  |  {"id": "}{"}     divided at "}{", which the second one has in a string, too
    {"" "" [ ]}              |  {"" "            what matters of each; the last one is no whole value

Dividing, and taking out all bytes but brackets and quotes, is done to many values at once. What is left of values that
a program sends is much alike: each was judged before. It begins outside a string, so that what is judged a whole value
ends where it does, and the next one begins there. Spec: [F62], after RFC 8259.
"""

import re

from framing.formats.scans.atomic import repeated

__all__ = ["Pieces"]

# Stands between the pieces, and for an escaped quote. JSON has no such bytes, not even in strings.
_MARK, _ESCAPED = b"\0", b"\1"
_OTHERS = bytes(sorted(set(range(256)) - set(b'[]{}"' + _MARK + _ESCAPED)))

# Each level more doubles the expression.
_LEVELS = 6

# At most a MiB for one format, whatever a peer sends.
_KNOWN_COUNT = 1024
_KNOWN_SIZE = 1024


def _value(levels: int) -> bytes:
    inner = b'"[^"]*+"' + (b"|" + _value(levels - 1) if levels > 1 else b"")
    content = repeated(b"(?:" + inner + b")")
    return rb"\{" + content + rb"\}|\[" + content + rb"\]"


class Pieces:
    """What divides windows of a stream into values.

    >>> Pieces(512).cut(b'{"a": "]"}{"b": ["}{"]}{', b"}{")
    [b'{"a": "]"}']

    Args:
        max_depth: how many objects and arrays may stand in each other.
    """

    def __init__(self, max_depth: int) -> None:
        self._is_value = re.compile(_value(min(_LEVELS, max_depth)), re.DOTALL).fullmatch
        self._known: set[bytes] = set()

    def cut(self, window: bytes, between: bytes) -> list[bytes]:
        """Return the whole values from the window's first byte on, as long as they are certain.

        The last one in the window never is, even if it is whole.

        Args:
            window: bytes that begin with a value.
            between: the bracket that ends a value, white space, and the bracket that begins the next one.
        """
        marked = window.replace(between, between[:1] + _MARK + between[-1:])
        kept = marked
        if b"\\" in window:  # an escaped backslash escapes nothing
            kept = marked.replace(b"\\\\", b"").replace(b'\\"', _ESCAPED)
        if window[:1] not in (b"{", b"[") or _MARK in window or _ESCAPED in window:
            return []
        values, judged = marked.split(_MARK), kept.translate(None, _OTHERS).split(_MARK)
        del values[-1], judged[-1]
        if not self._known.issuperset(judged):
            del values[next((place for place, one in enumerate(judged) if not self._judge(one)), len(values)) :]
        return values

    def _judge(self, piece: bytes) -> bool:
        """Tell whether a piece, of which only brackets and quotes are left, is one whole value."""
        if piece in self._known:
            return True
        if not self._is_value(piece):
            return False
        if len(self._known) >= _KNOWN_COUNT:
            self._known.clear()
        if len(piece) <= _KNOWN_SIZE:
            self._known.add(piece)
        return True
