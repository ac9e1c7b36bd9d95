"""Thrift messages of the binary protocol one after another, without a length before them: the unframed transport.

    +-----------+--------+--------+- - - - - -+- - - -+--------+- - - - - - -+- - - - - - -+--------+
    |   80 01   |   00   |  type  |   name    | seqid | 0b 0001|    value    |      …      |   00   |
    +-----------+--------+--------+- - - - - -+- - - -+--------+- - - - - - -+- - - - - - -+--------+
     version                       a string    4 bytes  a field: type, id, value            the struct's end

Spec: [F62] and [F119], after Apache Thrift's doc/specs/thrift-binary-protocol.md.
"""

from framing.errors import HeaderError
from framing.formats.self_delimiting import SelfDelimitingFormat, Walk
from framing.frame import Buffer, Measure

__all__ = ["ThriftStreamFormat"]

_VERSION = b"\x80\x01"
_HEAD_SIZE, _SEQUENCE_SIZE = 8, 4

# The bytes of a value that always has so many: bool, i8, double, i16, i32, i64, uuid.
_SIZES = {2: 1, 3: 1, 4: 8, 6: 2, 8: 4, 10: 8, 16: 16}
_STRING, _STRUCT, _MAP, _SET, _LIST = 11, 12, 13, 14, 15
_HEADS = {_STRING: 4, _STRUCT: 0, _MAP: 6, _SET: 5, _LIST: 5}
# A field of a struct: its type and two bytes of its number.
_FIELD_SIZE = 3


class ThriftStreamFormat(SelfDelimitingFormat):
    """Frames that are messages of Thrift's binary protocol, in its strict form.

    >>> from framing import FrameParser
    >>> parser = FrameParser(ThriftStreamFormat())
    >>> parser.feed(bytes.fromhex("80010001 00000004 70696e67 00000000 00 8001"))
    >>> [payload.hex(" ", -4) for payload in parser.take_payloads()]
    ['80010001 00000004 70696e67 00000000 00']

    Args:
        max_depth: how many structs and collections may stand in each other, the message's own struct not counted.
        max_frame_size: limit on the whole message.

    Raises:
        DefinitionError: an option is out of range.
    """

    name = "thrift_stream"
    least_size = _HEAD_SIZE + _SEQUENCE_SIZE + 1

    def measurer(self) -> Measure:
        """Return a `measure` that goes on where it stopped. [F62]"""
        return _ThriftWalk(self)


class _ThriftWalk(Walk):
    """The walk over a message: what is open, the innermost last.

    A struct is `None`, for it ends at a field of type 0; a collection is the types of what it holds, one, or in turns a
    key's and a value's, and how many values are missing there.
    """

    __slots__ = ("_began", "_open")

    def _begin(self) -> None:
        self._looked_size, self._began = 0, False
        self._open: list[tuple[tuple[int, ...], int] | None] = []

    def _walk(self, buffer: Buffer, start: int, stop: int) -> int | None:
        place: int | None = start + self._looked_size
        if not self._began:
            place = self._after_head(buffer, start, stop)
        while place is not None:
            self._looked_size = place - start
            if self._began and not self._open:
                return self._looked_size
            place = self._step(buffer, start, place, stop) if place < stop else None
        return None

    def _after_head(self, buffer: Buffer, start: int, stop: int) -> int | None:
        """Return the place of the first field, `None` as long as the head is not whole."""
        head = bytes(buffer[start : min(stop, start + _HEAD_SIZE)])
        for place, (byte, expected) in enumerate(zip(head, _VERSION, strict=False), start):
            if byte != expected:
                raise HeaderError("no message of this version", offset=place, expected=expected, found=byte)
        if len(head) < _HEAD_SIZE:
            return None
        self._began = True
        self._open.append(None)
        return start + _HEAD_SIZE + int.from_bytes(head[4:], "big") + _SEQUENCE_SIZE

    def _step(self, buffer: Buffer, start: int, place: int, stop: int) -> int | None:
        """Take what comes next; return the place behind it, `None` where more bytes must tell it."""
        inside = self._open[-1]
        if inside is not None:
            return self._step_collection(buffer, start, place, stop, inside)
        if buffer[place] == 0:
            self._open.pop()
            return place + 1
        _check_type(buffer, place)
        return self._value(buffer[place], buffer, start, place + _FIELD_SIZE, stop)

    def _step_collection(
        self, buffer: Buffer, start: int, place: int, stop: int, inside: tuple[tuple[int, ...], int]
    ) -> int | None:
        types, missing = inside
        self._open.pop()
        if not missing:
            return place
        if all(one in _SIZES for one in types):  # nothing is to be seen in these
            return place + sum(_SIZES[one] for one in types) * (missing // len(types))
        self._open.append((types, missing - 1))
        after = self._value(types[missing % len(types)], buffer, start, place, stop)
        if after is None:
            self._open[-1] = inside
        return after

    def _value(self, type: int, buffer: Buffer, start: int, place: int, stop: int) -> int | None:  # noqa: A002 - Thrift's word
        """Pass over a value that begins at `place`, or into it."""
        if type in _SIZES:
            return place + _SIZES[type]
        after = place + _HEADS[type]
        if after > stop:
            return None
        number = int.from_bytes(buffer[max(place, after - 4) : after], "big")
        if type == _STRING:
            return after + number
        if len(self._open) > self._format.max_depth:
            raise self._format.too_deep(place)
        self._open.append(None if type == _STRUCT else self._collection(buffer, start, place, after, number))
        return after

    def _collection(
        self, buffer: Buffer, start: int, place: int, after: int, count: int
    ) -> tuple[tuple[int, ...], int]:
        """Return what a collection holds, of whose head `place` is the first byte and `after` the first one behind."""
        types = tuple(buffer[place : after - 4])
        if after + count * len(types) > start + self._format.max_frame_size:  # each has one byte or more
            raise self._format.too_large(start)
        for number in range(len(types) if count else 0):  # one that is empty need not say of what
            _check_type(buffer, place + number)
        return types, count * len(types)


def _check_type(buffer: Buffer, place: int) -> None:
    if buffer[place] not in _SIZES and buffer[place] not in _HEADS:
        raise HeaderError(
            "no type of a value",
            offset=place,
            expected=bytes(sorted({*_SIZES, *_HEADS})),
            found=bytes(buffer[place : place + 1]),
        )
