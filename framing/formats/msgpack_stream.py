"""MessagePack values one after another: Fluentd's forward protocol, MessagePack-RPC, Neovim.

    +--------+--------+- - - - - -+--------+- - - - -+
    |   92   |   a5   |  "hello"  |   cd   |   size  |        ["hello", 1024]
    +--------+--------+- - - - - -+--------+- - - - -+
     array of str of               uint of
     2 values 5 bytes              2 bytes

Spec: [F62] and [F63], after the MessagePack specification, "Formats".
"""

from itertools import repeat
from typing import Any

from msgpack import Unpacker
from msgpack.exceptions import UnpackException

from framing.errors import DefinitionError, HeaderError
from framing.formats.self_delimiting import WINDOW_SIZE, SelfDelimitingFormat, Walk
from framing.frame import DEFAULT_MAX_FRAME_SIZE, Buffer, Measure

__all__ = ["MsgpackStreamFormat"]

_NEVER_USED = 0xC1

# Heads behind which a length or a count stands: the size of that number, and what follows for each of its units. An ext
# has one more byte, its type.
_DATA = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xC7: 1, 0xC8: 2, 0xC9: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4}
_COUNTS = {0xDC: (2, 1), 0xDD: (4, 1), 0xDE: (2, 2), 0xDF: (4, 2)}
_EXT = range(0xC7, 0xCA)

_MAPS = frozenset((*range(0x80, 0x90), 0xDE, 0xDF))
_ARRAYS = frozenset((*range(0x90, 0xA0), 0xDC, 0xDD))
_OUTER = {"any": frozenset(range(256)), "array": _ARRAYS, "map": _MAPS}
_NESTING = bytes(sorted(_MAPS | _ARRAYS))

# Below so many frames and bytes the library's start costs more than it saves.
_SCANNED_COUNT = 8
_SCANNED_SIZE = 512


def _sizes() -> bytes:
    """Return, for each first byte, the size of a value that has nothing in it, or 0."""
    sizes = dict.fromkeys((*range(0x80), *range(0xE0, 0x100), 0x80, 0x90, 0xC0, 0xC2, 0xC3), 1)
    sizes |= {0xA0 + size: 1 + size for size in range(32)}
    sizes |= {0xCA: 5, 0xCB: 9, 0xCC: 2, 0xCD: 3, 0xCE: 5, 0xCF: 9, 0xD0: 2, 0xD1: 3, 0xD2: 5, 0xD3: 9}
    sizes |= {0xD4: 3, 0xD5: 4, 0xD6: 6, 0xD7: 10, 0xD8: 18}
    return bytes(sizes.get(byte, 0) for byte in range(256))


_SIZES = _sizes()


class MsgpackStreamFormat(SelfDelimitingFormat):
    """Frames that are MessagePack values.

    >>> from framing import FrameParser
    >>> parser = FrameParser(MsgpackStreamFormat())
    >>> parser.feed(bytes.fromhex("92a568656c6c6fcd0400 8101c0 92"))
    >>> [payload.hex() for payload in parser.take_payloads()]
    ['92a568656c6c6fcd0400', '8101c0']

    Args:
        outer: what the value must be, "array" or "map", or "any" of all. Nearly any byte begins some value, so this is
            what tells another protocol's bytes. [F63]
        max_depth: how many arrays and maps may stand in each other.
        max_frame_size: limit on the whole value.

    Raises:
        DefinitionError: an option is out of range.
    """

    name = "msgpack_stream"

    def __init__(
        self, *, outer: str = "any", max_depth: int = 512, max_frame_size: int = DEFAULT_MAX_FRAME_SIZE
    ) -> None:
        if outer not in _OUTER:
            raise DefinitionError("no such kind of value", key="outer", found=outer, allowed=", ".join(_OUTER))
        self.outer = outer
        self.first_bytes = _OUTER[outer]
        super().__init__(max_depth=max_depth, max_frame_size=max_frame_size)

    def _prepare(self) -> None:
        super()._prepare()
        self.scan = self._scan  # bound to this object, whose limits it needs

    def measurer(self) -> Measure:
        """Return a `measure` that goes on where it stopped. [F62]"""
        return _MsgpackWalk(self)

    def _scan(self, buffer: bytes, start: int, end: int, limit: int, out: list[bytes]) -> int:
        """Cut many frames with the library's own way of skipping values; see `FrameFormat.scan`."""
        if limit < _SCANNED_COUNT:
            return start  # for these few the library is not worth its start
        room = len(out) + limit
        while len(out) < room and end - start >= _SCANNED_SIZE:
            # What the library is given it copies, so that a few frames must not cost a whole window.
            stop = self._skipped(buffer, start, min(end, start + WINDOW_SIZE, start + limit * 64), room - len(out), out)
            if stop == start:
                break
            start = stop
        return start

    def _skipped(self, buffer: bytes, start: int, end: int, limit: int, out: list[bytes]) -> int:
        unpacker: Any = Unpacker(max_buffer_size=WINDOW_SIZE)
        unpacker.feed(memoryview(buffer)[start:end])
        skip, tell, append, base = unpacker.skip, unpacker.tell, out.append, start
        most = min(self.max_depth, self.max_frame_size)  # so many bytes cannot be nested too deeply either
        first_bytes = None if self.outer == "any" else self.first_bytes
        try:
            for _ in repeat(None, limit):
                skip()
                stop = base + tell()
                data = buffer[start:stop]
                wrong = first_bytes is not None and data[0] not in first_bytes
                if wrong or (len(data) > most and self._is_odd(data)):
                    break
                append(data)
                start = stop
        except (UnpackException, ValueError, RecursionError):  # not whole, no MessagePack, nested too deeply for it
            pass
        return start

    def _is_odd(self, data: bytes) -> bool:
        """Tell whether a value is over the limit, or holds so many bytes that might nest that it must be walked."""
        return len(data) > self.max_frame_size or len(data) - len(data.translate(None, _NESTING)) > self.max_depth

    def __repr__(self) -> str:
        outer = "" if self.outer == "any" else f"outer={self.outer!r}, "
        return f"MsgpackStreamFormat({outer}max_depth={self.max_depth}, max_frame_size={self.max_frame_size})"


class _MsgpackWalk(Walk):
    """The walk over MessagePack: for each open array or map, how many values are missing there."""

    __slots__ = ("_missing", "_outer")
    _format: MsgpackStreamFormat

    def _begin(self) -> None:
        self._looked_size, self._missing = 0, 1
        self._outer: list[int] = []

    def _walk(self, buffer: Buffer, start: int, stop: int) -> int | None:
        place, missing, outer = start + self._looked_size, self._missing, self._outer
        if place == start < stop and buffer[start] not in self._format.first_bytes:
            raise HeaderError(
                f"the value must be one {self._format.outer}",
                offset=start,
                expected=self._format.outer,
                found=bytes(buffer[start : start + 1]),
            )
        while place < stop:
            size = _SIZES[buffer[place]]
            if not size:
                head = self._head(buffer, place, stop)
                if head is None:
                    break
                size, count = head
                if count:
                    self._check(start, place + size, count)
                    outer.append(missing - 1)
                    missing = count + 1
            place += size
            missing -= 1
            while not missing:
                if not outer:
                    return place - start
                missing = outer.pop()
        self._looked_size, self._missing = place - start, missing
        return None

    def _head(self, buffer: Buffer, place: int, stop: int) -> tuple[int, int] | None:
        """Return how many bytes to pass over, and how many values follow them; `None`: the head is not whole."""
        byte = buffer[place]
        if 0x80 <= byte < 0xA0:
            return 1, byte - 0x90 if byte >= 0x90 else 2 * (byte - 0x80)
        if byte == _NEVER_USED:
            raise HeaderError("no value begins with c1", offset=place, expected="a value", found=b"\xc1")
        width, factor = _COUNTS.get(byte) or (_DATA[byte], 0)
        if place + 1 + width > stop:
            return None
        number = int.from_bytes(buffer[place + 1 : place + 1 + width], "big")
        return (1 + width, number * factor) if factor else (1 + width + number + (byte in _EXT), 0)

    def _check(self, start: int, place: int, count: int) -> None:
        """Refuse so many values where the next one would begin at `place`: each has one byte or more."""
        if len(self._outer) >= self._format.max_depth:
            raise self._format.too_deep(place)
        if place + count > start + self._format.max_frame_size:
            raise self._format.too_large(start)
