"""CBOR data items one after another, a CBOR sequence (RFC 8742): definite and indefinite lengths.

    +--------+--------+- - - - - -+--------+--------+--------+
    |   9f   |   65   |  "hello"  |   18   |   64   |   ff   |        ["hello", 100]
    +--------+--------+- - - - - -+--------+--------+--------+
     array of  text of             number of          break
     any size  5 bytes             1 byte

Spec: [F62] and [F64], after RFC 8949, sections 3 and 5.3.1 and appendix C.
"""

from framing.errors import FrameError, HeaderError
from framing.formats.scans.cbor_shapes import shape
from framing.formats.scans.shapes import Shapes, shaped_scan
from framing.formats.self_delimiting import SelfDelimitingFormat, Walk
from framing.frame import Buffer, Measure

__all__ = ["CborStreamFormat"]

_BREAK = 0xFF
_BYTES, _TEXT, _ARRAY, _MAP, _TAG, _SIMPLE = 2, 3, 4, 5, 6, 7
_COUNTED = 0  # a level whose number of items is known
_INDEFINITE = 31
_NAMES = {_BYTES: "byte string", _TEXT: "text string"}


def _sizes() -> bytes:
    """Return, for each first byte, the size of an item that has nothing in it and is good in itself, or 0."""
    short = {0x18: 2, 0x19: 3, 0x1A: 5, 0x1B: 9}
    sizes = dict.fromkeys((*range(0x18), *range(0x20, 0x38), 0x80, 0xA0, *range(0xE0, 0xF8)), 1)
    sizes |= short | {0x20 + byte: size for byte, size in short.items()} | {0xF9: 3, 0xFA: 5, 0xFB: 9}
    sizes |= {base + size: 1 + size for base in (0x40, 0x60) for size in range(24)}
    return bytes(sizes.get(byte, 0) for byte in range(256))


_SIZES = _sizes()
# For each first byte of a short array, map or tag how many items follow.
_COUNTS = bytes(
    byte & 31 if 0x80 <= byte <= 0x97 else 2 * (byte & 31) if 0xA0 <= byte <= 0xB7 else 0xC0 <= byte <= 0xD7
    for byte in range(256)
)
_NOTHING = bytes(256)  # inside an indefinite string each byte needs a closer look


class CborStreamFormat(SelfDelimitingFormat):
    """Frames that are CBOR data items, well-formed ones; whether they are valid is for a codec to say.

    >>> from framing import FrameParser
    >>> parser = FrameParser(CborStreamFormat())
    >>> parser.feed(bytes.fromhex("9f6568656c6c6f1864ff c11a514b67b0 82"))
    >>> [payload.hex() for payload in parser.take_payloads()]
    ['9f6568656c6c6f1864ff', 'c11a514b67b0']

    Args:
        max_depth: how many arrays, maps, tags and indefinite strings may stand in each other.
        max_frame_size: limit on the whole item.

    Raises:
        DefinitionError: an option is out of range.
    """

    name = "cbor_stream"

    def _prepare(self) -> None:
        super()._prepare()
        self.scan = shaped_scan(Shapes(shape, self.max_frame_size), self._walked)

    def measurer(self) -> Measure:
        """Return a `measure` that goes on where it stopped. [F62]"""
        return _CborWalk(self)

    def _walked(self, buffer: bytes, start: int, end: int, limit: int, out: list[bytes]) -> int:
        """Cut frames of any shape, one after the other; as `FrameFormat.scan`."""
        walk, append, sizes, most = _CborWalk(self), out.append, _SIZES, self.max_frame_size
        try:
            for _ in range(limit):
                if start >= end:
                    break
                byte = buffer[start]
                if byte == 0x58 and start + 1 < end:  # a byte string of up to 255 bytes: what carries other formats
                    size: int | None = 2 + buffer[start + 1]
                else:
                    size = sizes[byte] or walk(buffer, start, end)
                if size is None or start + size > end or size > most:
                    break
                append(buffer[start : start + size])
                start += size
        except FrameError:
            pass  # the next `measure` raises it, when the frames before were delivered
        return start


class _CborWalk(Walk):
    """The walk over CBOR: for each open level its kind, and how many items are missing or, below zero, were there."""

    __slots__ = ("_kind", "_missing", "_outer")

    def _begin(self) -> None:
        self._looked_size, self._missing, self._kind = 0, 1, _COUNTED
        self._outer: list[tuple[int, int]] = []

    def _walk(self, buffer: Buffer, start: int, stop: int) -> int | None:
        place, outer, max_depth = start + self._looked_size, self._outer, self._format.max_depth
        missing, counts, room = self._missing, _COUNTS, start + self._format.max_frame_size - 1
        sizes = _NOTHING if self._kind in _NAMES else _SIZES
        while place < stop:
            byte = buffer[place]
            size = sizes[byte]
            if size:
                place += size
                missing -= 1
            elif (count := counts[byte]) and sizes is _SIZES and place + count <= room and len(outer) < max_depth:
                outer.append((missing - 1, self._kind))
                missing, self._kind = count, _COUNTED
                place += 1
            else:
                self._missing = missing
                size = self._look(buffer, start, place, stop)
                if not size:
                    break
                place += size
                missing = self._missing
                sizes = _NOTHING if self._kind in _NAMES else _SIZES
            while not missing:
                if not outer:
                    return place - start
                missing, self._kind = outer.pop()
        self._looked_size, self._missing = place - start, missing
        return None

    def _look(self, buffer: Buffer, start: int, place: int, stop: int) -> int:
        """Take the item, or the head of one, at `place`; return its size, 0 if the head is not whole."""
        byte = buffer[place]
        major, info = byte >> 5, byte & 31
        if byte == _BREAK:
            return self._break(place)
        if self._kind in _NAMES and (major != self._kind or info == _INDEFINITE):
            name = _NAMES[self._kind]
            raise _bad(f"a chunk of an indefinite {name} is another item", buffer, place, f"a definite {name}")
        if info == _INDEFINITE:
            return self._open_indefinite(buffer, place, major)
        if info > 27:
            raise _bad("reserved additional information", buffer, place, "0 to 27, or 31")
        width = 1 << info - 24 if info >= 24 else 0
        if place + 1 + width > stop:
            return 0
        number = int.from_bytes(buffer[place + 1 : place + 1 + width], "big") if width else info
        return self._take(buffer, start, place, major, 1 + width, number)

    def _take(self, buffer: Buffer, start: int, place: int, major: int, size: int, number: int) -> int:
        """Take an item whose head of `size` bytes has this number."""
        self._missing -= 1
        if major in _NAMES:
            return size + number
        if major in (_ARRAY, _MAP, _TAG):
            count = 1 if major == _TAG else number * (2 if major == _MAP else 1)
            if place + size + count > start + self._format.max_frame_size:  # each item has one byte or more
                raise self._format.too_large(start)
            if count:
                self._open(place, _COUNTED, count)
        elif major == _SIMPLE and size == 2 and number < 32:
            raise _bad("a simple value below 32 in two bytes", buffer, place + 1, "32 or more")
        return size

    def _open_indefinite(self, buffer: Buffer, place: int, major: int) -> int:
        if major not in (_BYTES, _TEXT, _ARRAY, _MAP):
            raise _bad("an item that cannot be indefinite", buffer, place, "a string, an array or a map")
        self._missing -= 1
        self._open(place, major, -1)
        return 1

    def _open(self, place: int, kind: int, missing: int) -> None:
        if len(self._outer) >= self._format.max_depth:
            raise self._format.too_deep(place)
        self._outer.append((self._missing, self._kind))
        self._missing, self._kind = missing, kind

    def _break(self, place: int) -> int:
        if self._kind == _COUNTED:
            raise HeaderError("a break outside an indefinite item", offset=place, expected="an item", found=b"\xff")
        if self._kind == _MAP and not self._missing & 1:
            raise HeaderError("a break where a key's value is missing", offset=place, expected="a value", found=b"\xff")
        self._missing, self._kind = self._outer.pop()
        return 1


def _bad(reason: str, buffer: Buffer, place: int, expected: str) -> HeaderError:
    return HeaderError(reason, offset=place, expected=expected, found=bytes(buffer[place : place + 1]))
