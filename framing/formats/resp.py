"""RESP, in which Redis and its clients talk: a type byte, a line, and what that announces.

    *2\\r\\n$3\\r\\nGET\\r\\n$1\\r\\nk\\r\\n         an array of two bulk strings: a command
    +OK\\r\\n                              a simple string: all that is in one line
    $-1\\r\\n                              null, where there is no bulk string
    %1\\r\\n+a\\r\\n:1\\r\\n                   a map of one pair (RESP3)

Lines are passed over, bulks skipped by their size, arrays walked through by their count; what stands in a line is left
to a codec. Spec: [F62] and [F120], after the Redis serialization protocol specification.
"""

import re

from framing.errors import DefinitionError, HeaderError
from framing.formats.scans.resp_shapes import shape
from framing.formats.scans.shapes import Shapes, shaped_scan
from framing.formats.self_delimiting import SelfDelimitingFormat, Walk
from framing.frame import DEFAULT_MAX_FRAME_SIZE, Buffer, Measure, check_option

__all__ = ["RespFormat"]

_CRLF = b"\r\n"
# Simple strings, errors, integers, nulls, booleans, doubles, big numbers: all in one line.
_LINES = frozenset(b"+-:_#,(")
# Bulk strings, bulk errors, verbatim strings: so many bytes, and a line ending.
_BULKS = frozenset(b"$!=")
# Arrays, sets, pushes; maps and attributes, which have two values for each that is counted.
_FACTORS = {0x2A: 1, 0x7E: 1, 0x3E: 1, 0x25: 2, 0x7C: 2}
_ATTRIBUTE = 0x7C
# RESP2 has no nulls of their own.
_NULLABLE = frozenset(b"$*")
_TYPES = _LINES | _BULKS | _FACTORS.keys()

# The shortest value is a type and a line ending.
_LEAST_SIZE = 3
# More than any limit has.
_MAX_DIGIT_COUNT = 20
_match_number = re.compile(rb"0|[1-9][0-9]*").match
# Sizes and counts that are read without a look at their digits.
_NUMBERS = {b"%d" % number: number for number in range(-1, 1024)}


class RespFormat(SelfDelimitingFormat):
    """Frames that are values of RESP2 or RESP3.

    >>> from framing import FrameParser
    >>> parser = FrameParser(RespFormat())
    >>> parser.feed(b"*2\\r\\n$3\\r\\nGET\\r\\n$1\\r\\nk\\r\\n+OK\\r\\n$5\\r\\nhel")
    >>> parser.take_payloads()
    [b'*2\\r\\n$3\\r\\nGET\\r\\n$1\\r\\nk\\r\\n', b'+OK\\r\\n']

    An attribute belongs to the value behind it, and is one frame with it. Inline commands are no RESP: let a `choice`
    have them.

    Args:
        outer: the types that a frame may have, each by its byte, such as "*" for commands; by default all. [F120]
        max_depth: how many arrays, maps and sets may stand in each other.
        max_frame_size: limit on the whole value.

    Raises:
        DefinitionError: an option is out of range.
    """

    name = "resp"
    least_size = _LEAST_SIZE

    def __init__(self, *, outer: str = "", max_depth: int = 512, max_frame_size: int = DEFAULT_MAX_FRAME_SIZE) -> None:
        check_option("outer", outer, str)
        self.outer = outer
        self.first_bytes = frozenset(map(ord, outer)) or _TYPES
        if not self.first_bytes <= _TYPES:
            allowed = "some of " + "".join(map(chr, sorted(_TYPES)))
            raise DefinitionError("no such type", key="outer", found=outer, allowed=allowed)
        super().__init__(max_depth=max_depth, max_frame_size=max_frame_size)

    def _prepare(self) -> None:
        super()._prepare()
        self.scan = shaped_scan(Shapes(shape, self.max_frame_size), self._walked)

    def measurer(self) -> Measure:
        """Return a `measure` that goes on where it stopped. [F62]"""
        return _RespWalk(self)

    def _walked(self, buffer: bytes, start: int, end: int, limit: int, out: list[bytes]) -> int:
        """Cut frames of any shape, one after the other; as `FrameFormat.scan`."""
        first_bytes, most, room = self.first_bytes, self.max_frame_size, len(out) + limit
        while len(out) < room and start < end and buffer[start] in first_bytes:
            stop = self._end(buffer, start, end)
            if not stop or stop - start > most:
                break
            out.append(buffer[start:stop])
            start = stop
        return start

    def _end(self, buffer: bytes, place: int, end: int) -> int:
        """Return where a value ends that is whole and has nothing odd, as attributes and large numbers are; else 0."""
        find, missing, depth = buffer.find, 1, 0
        while missing:
            stop = find(_CRLF, place, end)
            if stop < 0:
                return 0
            kind = buffer[place]
            if kind in _LINES:
                place, missing = stop + 2, missing - 1
                continue
            number = _NUMBERS.get(buffer[place + 1 : stop])
            if number is None:
                return 0
            place, missing = stop + 2, missing - 1
            if number < 0:
                if kind not in _NULLABLE:
                    return 0
            elif kind in _BULKS:
                place += number + 2
                if buffer[place - 2 : place] != _CRLF or place > end:
                    return 0
            elif kind in _FACTORS and kind != _ATTRIBUTE:
                depth += 1
                missing += number * _FACTORS[kind]
            else:
                return 0
        return place if depth <= self.max_depth else 0

    def __repr__(self) -> str:
        outer = f"outer={self.outer!r}, " if self.outer else ""
        return f"RespFormat({outer}max_depth={self.max_depth}, max_frame_size={self.max_frame_size})"


class _RespWalk(Walk):
    """The walk over RESP: for each open array or map, how many values are missing there."""

    __slots__ = ("_in_bulk", "_missing", "_outer", "_searched_size")
    _format: RespFormat

    def _begin(self) -> None:
        self._looked_size = self._searched_size = 0
        self._missing, self._in_bulk = 1, False
        self._outer: list[int] = []

    def _walk(self, buffer: Buffer, start: int, stop: int) -> int | None:
        place = start + self._looked_size
        if place == start < stop and buffer[start] not in self._format.first_bytes:
            expected = self._format.outer or "a type"
            raise _error("no frame begins like this", start, expected, buffer[start : start + 1])
        while place < stop:
            after = self._passed(buffer, start, place, stop)
            if after is None:
                break
            place = after
            while not self._missing:
                if not self._outer:
                    return place - start
                self._missing = self._outer.pop()
        self._looked_size = place - start
        return None

    def _passed(self, buffer: Buffer, start: int, place: int, stop: int) -> int | None:
        """Take the line at `place`, or what ends a bulk there; return where the next one begins, `None`: not whole."""
        if self._in_bulk:
            self._in_bulk = place + 2 > stop
            _check_end(buffer, place, stop)
            self._missing -= not self._in_bulk
            return None if self._in_bulk else place + 2
        kind = buffer[place]
        if kind in _LINES:
            found = buffer.find(_CRLF, max(place + 1, start + self._searched_size), stop)
            if found < 0:
                self._searched_size = stop - start - 1  # a CR may be the last byte
                return None
            self._missing -= 1
            return found + 2
        if kind not in _TYPES:
            raise _error("no value begins with this byte", place, "a type", buffer[place : place + 1])
        line = self._number(buffer, start, place, stop)
        return None if line is None else self._announced(kind, start, *line)

    def _announced(self, kind: int, start: int, number: int, place: int) -> int:
        """Expect what a line has announced that ends at `place`; return where to go on."""
        if kind in _BULKS and number >= 0:
            self._check_room(start, place, number + 2)
            self._in_bulk = True
            return place + number
        self._missing -= kind != _ATTRIBUTE
        if number > 0:
            count = number * _FACTORS[kind]
            if len(self._outer) >= self._format.max_depth:
                raise self._format.too_deep(place)
            self._check_room(start, place, count * _LEAST_SIZE)
            self._outer.append(self._missing)
            self._missing = count
        return place

    def _check_room(self, start: int, place: int, size: int) -> None:
        if place + size > start + self._format.max_frame_size:
            raise self._format.too_large(start)

    def _number(self, buffer: Buffer, start: int, place: int, stop: int) -> tuple[int, int] | None:
        """Read the line of a size or a count; return the number, and where the line ends."""
        first = place + 1
        raw = bytes(buffer[first : min(stop, first + _MAX_DIGIT_COUNT + 2)])
        if raw[:1] == b"-" and buffer[place] in _NULLABLE:
            size, number = (2, -1) if raw[:2] == b"-1" else (1, -1)
        else:
            found = _match_number(raw)
            size, number = (found.end(), int(found[0])) if found else (0, 0)
        if size > _MAX_DIGIT_COUNT:
            raise self._format.too_large(start)
        rest = raw[size:]
        ended = size > (number < 0)
        if rest and (not ended or rest[:1] != b"\r" or rest[1:2] not in (b"", b"\n")):
            wrong = int(ended and rest[:1] == b"\r")
            expected = "LF" if wrong else "digits and CR LF" if not size else "a digit or CR LF"
            raise _error("no size or count", first + size + wrong, expected, rest[wrong : wrong + 1])
        return (number, first + size + 2) if len(rest) > 1 else None


def _check_end(buffer: Buffer, place: int, stop: int) -> None:
    for at, wanted in enumerate(_CRLF, place):
        if at < stop and buffer[at] != wanted:
            raise _error("a bulk does not end where its size says", at, _CRLF, buffer[at : at + 1])


def _error(reason: str, offset: int, expected: object, found: Buffer) -> HeaderError:
    return HeaderError(reason, offset=offset, expected=expected, found=bytes(found))
