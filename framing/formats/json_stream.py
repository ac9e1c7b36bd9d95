"""JSON objects and arrays one after another, with or without white space between them.

    +- - - - - - - - -+- - - - - - - -+    +- - - - - - -
    |  {"id": 1}      |  [1, "]"]     | 0a |  {"id": …      the line feed belongs to no frame
    +- - - - - - - - -+- - - - - - - -+    +- - - - - - -

Only strings and brackets are looked at: they tell where a value ends. The rest is for the codec to judge. One regular
expression passes over everything between two brackets, another one cuts a whole value of a few levels, so that no byte
is looked at in Python. Neither ever goes back, which would take quadratic time.

Spec: [F62], [F65] and [F66], after RFC 8259.
"""

import re

from framing.errors import HeaderError
from framing.formats.scans.atomic import repeated
from framing.formats.scans.json_pieces import Pieces
from framing.formats.self_delimiting import WINDOW_SIZE, SelfDelimitingFormat, Walk
from framing.frame import Buffer, Measure

__all__ = ["JsonStreamFormat"]

_SPACE = b" \t\r\n"  # RFC 8259 section 2
_SPACES = b"[" + _SPACE + b"]*+"
_CLOSING = {0x7B: 0x7D, 0x5B: 0x5D}
_QUOTE = 0x22

# The levels that one regular expression takes; each one more makes it a third longer.
_LEVELS = 4

# Below so many frames a window holds little but what was looked at in vain.
_SCANNED_COUNT = 8

_STRING_REST = rb'[^"\\]*+' + repeated(rb'(?:\\.[^"\\]*+)')
# Most strings have no backslash before their end, and are passed over at four times the speed.
_STRING = rb'"(?:[^"]*+"(?<!\\")|' + _STRING_REST + rb'")'
_PLAIN = rb'[^]["{}]*+'

_match_spaces = re.compile(_SPACES).match
_match_between = re.compile(rb"[]}][" + _SPACE + rb"]{0,4}[{[]").match
_skip_string = re.compile(_STRING_REST, re.DOTALL).match
_skip_plain = re.compile(_PLAIN + repeated(b"(?:" + _STRING + _PLAIN + b")"), re.DOTALL).match


def _value(levels: int) -> bytes:
    """Return the expression for an object or array of so many levels."""
    inner = _STRING + (b"|" + _value(levels - 1) if levels > 1 else b"")
    content = _PLAIN + repeated(b"(?:(?:" + inner + b")" + _PLAIN + b")")
    return rb"\{" + content + rb"\}|\[" + content + rb"\]"


class JsonStreamFormat(SelfDelimitingFormat):
    """Frames that are JSON objects or arrays. White space between them belongs to no frame.

    >>> from framing import FrameParser
    >>> parser = FrameParser(JsonStreamFormat())
    >>> parser.feed(b'{"id": 1}[1, "]"]\\n{"id":')
    >>> parser.take_payloads()
    [b'{"id": 1}', b'[1, "]"]']

    Args:
        max_depth: how many objects and arrays may stand in each other.
        max_frame_size: limit on the whole object or array.

    Raises:
        DefinitionError: an option is out of range.
    """

    name = "json_stream"
    least_size = len(b"{}")

    def _prepare(self) -> None:
        super()._prepare()
        value = b"(?:" + _value(min(_LEVELS, self.max_depth)) + b")"
        self.match_value = re.compile(value, re.DOTALL).match
        self._match_only_value = re.compile(_SPACES + value, re.DOTALL).fullmatch
        # What is no value is taken in one piece: findall would look for one at each place of it, in quadratic time.
        self._find_all = re.compile(_SPACES + value + b"|.++", re.DOTALL).findall
        self._pieces = Pieces(self.max_depth)
        self.scan, self.skip = self._scan, self._skip_space  # bound to this object, whose limits scan needs

    def measurer(self) -> Measure:
        """Return a `measure` that goes on where it stopped. [F62]"""
        return _JsonWalk(self)

    def _skip_space(self, buffer: Buffer, start: int, end: int, ended: bool) -> int:  # noqa: ARG002 - the contract's
        """Tell where white space stops. [F66]"""
        found = _match_spaces(buffer, start, end)
        assert found is not None  # it matches nothing, too
        return found.end()

    def _scan(self, buffer: bytes, start: int, end: int, limit: int, out: list[bytes]) -> int:
        """Cut many frames; see `FrameFormat.scan`."""
        room = len(out) + limit
        first = self._skip_space(buffer, start, end, False)
        if limit < _SCANNED_COUNT or not (found := self.match_value(buffer, first, min(end, start + WINDOW_SIZE))):
            return start
        between = _match_between(buffer, found.end() - 1, end)
        if between:
            start = self._divided(buffer, start, end, between[0], (limit, out))
        return self._matched(buffer, start, end, room - len(out), out)

    def _divided(self, buffer: bytes, start: int, end: int, between: bytes, room: tuple[int, list[bytes]]) -> int:
        """Cut the frames that have the same between them as the first two, as long as most are found so."""
        limit, out = room
        while limit >= _SCANNED_COUNT:
            first = self._skip_space(buffer, start, end, False)
            stop = min(end, start + WINDOW_SIZE, start + limit * 64)
            values = self._pieces.cut(buffer[first:stop], between)[:limit]
            if stop - first > self.max_frame_size:
                values = self._within_limit(values)
            if not values:
                break
            out += values
            start = first + sum(map(len, values)) + (len(values) - 1) * (len(between) - 2)
            limit -= len(values)
            if 2 * (start - first) < stop - first:
                break
        return start

    def _matched(self, buffer: bytes, start: int, end: int, limit: int, out: list[bytes]) -> int:
        """Cut frames of a few levels, whatever is between them."""
        while limit >= _SCANNED_COUNT:
            stop = min(end, start + WINDOW_SIZE, start + limit * 64)
            parts: list[bytes] = self._find_all(buffer, start, stop)
            if parts and not self._match_only_value(parts[-1]):
                del parts[-1]
            del parts[limit:]
            payloads = self._within_limit([part.lstrip(_SPACE) for part in parts])
            if not payloads:
                break
            out += payloads
            del parts[len(payloads) :]
            start += sum(map(len, parts))
            limit -= len(parts)
        return start

    def _within_limit(self, payloads: list[bytes]) -> list[bytes]:
        """Return the payloads up to one that is too large."""
        most = self.max_frame_size
        if payloads and max(map(len, payloads)) > most:
            return payloads[: next(place for place, one in enumerate(payloads) if len(one) > most)]
        return payloads


class _JsonWalk(Walk):
    """The walk over JSON: for each open object or array the bracket that closes it."""

    __slots__ = ("_closing", "_in_string")
    _format: JsonStreamFormat

    def _begin(self) -> None:
        self._looked_size, self._in_string = 0, False
        self._closing = bytearray()

    def _walk(self, buffer: Buffer, start: int, stop: int) -> int | None:
        if not self._looked_size:
            quick = self._format.match_value(buffer, start, stop)
            if quick is not None:
                return quick.end() - start
        place = start + self._looked_size
        while place < stop:
            place = self._skip(buffer, place, stop)
            if place == stop or self._in_string:
                break
            place += 1
            if not self._closing:
                return place - start
        self._looked_size = place - start
        return None

    def _skip(self, buffer: Buffer, place: int, stop: int) -> int:
        """Take all up to the next bracket, and the bracket; return its place."""
        if self._in_string:
            place = self._after_string(buffer, place, stop)
            if self._in_string:
                return place
        if self._closing:
            found = _skip_plain(buffer, place, stop)
            assert found is not None  # it matches nothing, too
            place = found.end()
            if place == stop:
                return place
        if buffer[place] == _QUOTE and self._closing:  # a string whose end is still to come
            self._in_string = True
            return self._after_string(buffer, place + 1, stop)
        self._take_bracket(buffer, place)
        return place

    def _after_string(self, buffer: Buffer, place: int, stop: int) -> int:
        """Go on in a string; a backslash without what it escapes waits at the end."""
        found = _skip_string(buffer, place, stop)
        assert found is not None  # it matches nothing, too
        place = found.end()
        self._in_string = place == stop or buffer[place] != _QUOTE
        return place if self._in_string else place + 1

    def _take_bracket(self, buffer: Buffer, place: int) -> None:
        byte, closing = buffer[place], self._closing
        if byte in _CLOSING:
            if len(closing) >= self._format.max_depth:
                raise self._format.too_deep(place)
            closing.append(_CLOSING[byte])
        elif not closing:
            raise _bad("this begins no object or array", buffer, place, b"{", b"[")
        elif byte != closing[-1]:
            raise _bad("the wrong bracket closes", buffer, place, bytes(closing[-1:]))
        else:
            del closing[-1]


def _bad(reason: str, buffer: Buffer, place: int, *expected: bytes) -> HeaderError:
    return HeaderError(reason, offset=place, expected=expected, found=bytes(buffer[place : place + 1]))
