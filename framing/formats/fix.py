"""FIX tag=value messages: a begin string, the body's length, the body, the checksum.

    FixFormat()

    +--------------------+-----------+- - - - - - - - - - - - -+--------------+
    | 8=FIX.4.4 SOH      | 9=5 SOH   |  payload: 35=0 SOH      | 10=163 SOH   |     SOH is 01
    +--------------------+-----------+- - - - - - - - - - - - -+--------------+
                                       length counts this        sum of all bytes before, modulo 256

Spec: [F59], after the FIX session layer, "FIX TagValue Encoding", 1.1.
"""

from collections.abc import Mapping
from itertools import repeat
from typing import Any
from zlib import adler32

from framing.errors import ChecksumError, DefinitionError, EncodeError, FrameError, FrameTooLargeError, HeaderError
from framing.formats.fields.magic import bytes_pattern, constants_resync
from framing.frame import DEFAULT_MAX_FRAME_SIZE, Buffer, FrameFormat, Scan, check_limit, check_option
from framing.picture import Part

__all__ = ["FixFormat"]

_SOH = b"\x01"
_DIGITS = b"0123456789"
_TRAILER_SIZE = len(b"10=000\x01")
_TRAILERS = tuple(b"10=%03d\x01" % number for number in range(256))

# The low half of Adler-32 is 1 + the sum modulo 65521, which so many bytes do not reach: its low byte is that of
# 1 + the sum, in less time than sum() takes.
_ADLER_SIZE = 256

# The hot loop knows so many headers again, of 30 bytes.
_KNOWN_COUNT = 1024

# As wide as a length may be that is filled up with zeros, which FIX allows.
_MAX_DIGIT_COUNT = 10


class FixFormat(FrameFormat):
    """FIX messages; the payload is the body with its last SOH.

    >>> FixFormat(begin_string="FIX.4.4").serialize(b"35=0\\x01")
    b'8=FIX.4.4\\x019=5\\x0135=0\\x0110=163\\x01'

    Args:
        begin_string: those that are accepted, separated by `|`. If there are several, the field `begin_string` is the
            application's, and the first one is written where it is left out. [F59]
        max_frame_size: limit on the whole frame.
    """

    name = "fix"
    header_names = ("begin_string", "length", "checksum")
    size_first = True
    resyncs_at = "magic"

    def __init__(
        self,
        *,
        begin_string: str = "FIX.4.4|FIX.4.2|FIXT.1.1|FIX.4.0|FIX.4.1|FIX.4.3",
        max_frame_size: int = DEFAULT_MAX_FRAME_SIZE,
    ) -> None:
        check_option("begin_string", begin_string, str)
        self._begin_string, self._allowed = begin_string, begin_string.split("|")
        if not all(one.isascii() and one.isprintable() and one for one in self._allowed):
            allowed = "printable ASCII, such as FIX.4.4|FIXT.1.1"
            raise DefinitionError("no begin string", key="begin_string", found=begin_string, allowed=allowed)
        self._heads = tuple(b"8=%b\x01" % one.encode() for one in self._allowed)
        self.field_names = ("begin_string",) if len(self._allowed) > 1 else ()
        self._least = min(map(len, self._heads)) + len(b"9=1\x01\x01") + _TRAILER_SIZE
        self.max_frame_size = max_frame_size
        self._prepare()

    def _prepare(self) -> None:
        check_limit(self.name, self.max_frame_size, self._least)
        self.resync = constants_resync(bytes_pattern(head + b"9=") for head in self._heads)
        self.verify = self._verify
        self.scan = self._make_scan()

    def measure(self, buffer: Buffer, start: int, end: int) -> int | None:
        """Tell the total size from the begin string and the length. [F59]"""
        head = next((one for one in self._heads if buffer.startswith(one, start, end)), None)
        if head is None:
            self._check_head(buffer, start, end)
            return None
        first = start + len(head)
        tag = bytes(buffer[first : min(end, first + 2)])
        for place, (found, wanted) in enumerate(zip(tag, b"9=", strict=False), first):
            if found != wanted:
                raise _error("the second field is not BodyLength", place, "length", b"9=", bytes((found,)))
        return self._total(buffer, start, first + 2, end)

    def _check_head(self, buffer: Buffer, start: int, end: int) -> None:
        """Refuse the first byte with which no begin string goes on."""
        size = max(map(len, self._heads))
        found = bytes(buffer[start : min(end, start + size)])
        right = next(size for size in range(len(found), -1, -1) if any(h.startswith(found[:size]) for h in self._heads))
        if right < len(found):
            reason = "no message of these versions begins like this"
            expected = tuple(self._allowed)
            raise _error(reason, start + right, "begin_string", expected, found[right : right + 1])

    def _total(self, buffer: Buffer, start: int, first: int, end: int) -> int | None:
        raw = bytes(buffer[first : min(end, first + _MAX_DIGIT_COUNT + 1)])
        size = len(raw) - len(raw.lstrip(_DIGITS))
        if size < len(raw) and (not size or raw[size : size + 1] != _SOH):
            found = raw[size : size + 1]
            raise _error("BodyLength is no number", first + size, "length", "a digit or SOH", found)
        if size > _MAX_DIGIT_COUNT:
            raise FrameTooLargeError(
                f"a BodyLength of more than {_MAX_DIGIT_COUNT} digits", offset=start, max_frame_size=self.max_frame_size
            )
        if size == len(raw):
            return None
        value = int(raw[:size])
        if not value:
            raise _error("a message without a body", first, "length", "1 or more", value)
        return first + size + len(_SOH) + value + _TRAILER_SIZE - start

    def _make_scan(self) -> Scan:
        """Make the hot loop; it knows headers again, as those of `known.py` do."""
        most_size, learn = self.max_frame_size, self._learn
        known: dict[bytes, int] = {}

        def scan(buffer: bytes, start: int, end: int, limit: int, out: list[bytes]) -> int:
            append, get, width, most, trailers = out.append, known.get, 0, most_size, _TRAILERS
            for _ in repeat(None, limit):
                first = start + width
                size = get(buffer[start:first])
                if size is None:
                    width, size = learn(buffer, start, end, known)
                    first = start + width
                last = first + size
                stop = last + _TRAILER_SIZE
                if not size or stop > end or stop - start > most or buffer[last - 1] != 1:
                    break
                size = last - start
                number = adler32(buffer[start:last]) - 1 & 0xFF if size <= _ADLER_SIZE else _sum(buffer[start:last])
                if buffer[last:stop] != trailers[number]:
                    break
                append(buffer[first:last])
                start = stop
            return start

        return scan

    def _learn(self, buffer: bytes, start: int, end: int, known: dict[bytes, int]) -> tuple[int, int]:
        """Return the size of the header at `start` and that of the body; 0: not whole, or odd."""
        try:
            total = self.measure(buffer, start, end)
        except FrameError:
            total = None
        if total is None:
            return 0, 0
        first, last = self.bounds(buffer, start, start + total)
        if len(known) < _KNOWN_COUNT:
            known[buffer[start:first]] = last - first
        return first - start, last - first

    def _verify(self, buffer: Buffer, start: int, end: int) -> None:
        """Check that the trailer is where the length says, and the sum. [F59]"""
        place = end - _TRAILER_SIZE
        trailer = bytes(buffer[place:end])
        if buffer[place - 1 : place] != _SOH:
            found = bytes(buffer[place - 1 : place])
            raise _error("the body does not end where BodyLength says", place - 1, "length", _SOH, found)
        if trailer[:3] != b"10=" or trailer[3:6].translate(None, _DIGITS) or trailer[6:] != _SOH:
            raise _error("no checksum stands where BodyLength says", place, "checksum", "10=, 3 digits, SOH", trailer)
        expected = _sum(buffer[start:place])
        if int(trailer[3:6]) != expected:
            raise ChecksumError(
                "the checksum is wrong", offset=place, field="checksum", expected=expected, found=int(trailer[3:6])
            )

    def bounds(self, buffer: Buffer, start: int, end: int) -> tuple[int, int]:
        """Tell where the payload lies: between the length and the checksum."""
        length_start = buffer.index(_SOH, start) + 1
        return buffer.index(_SOH, length_start) + 1, end - _TRAILER_SIZE

    def header(self, data: bytes) -> dict[str, Any]:
        """Return begin string, length and checksum."""
        begin, length, _ = data.split(_SOH, 2)
        return {
            "begin_string": begin[2:].decode("ascii"),
            "length": int(length[2:]),
            "checksum": int(data[-4:-1]),
        }

    def serialize(self, payload: bytes, fields: Mapping[str, Any] | None = None) -> bytes:
        """Return the whole message; length and checksum are computed.

        Raises:
            EncodeError: the payload does not end with SOH, or the begin string is none of those that were declared.
        """
        values = dict(fields or ())
        begin = values.pop("begin_string", self._allowed[0])
        if values:
            raise EncodeError(f"this format has no field {', '.join(sorted(values))}", hint="it has begin_string")
        if begin not in self._allowed:
            raise EncodeError(f"begin_string must be {' or '.join(self._allowed)}", path="begin_string", found=begin)
        if payload[-1:] != _SOH:
            raise EncodeError("a body is fields that each end with SOH", found=payload)
        data = b"8=%b\x019=%d\x01%b" % (begin.encode(), len(payload), payload)
        self.check_size(len(data) + _TRAILER_SIZE)
        return data + b"10=%03d\x01" % _sum(data)

    def layouts(self) -> dict[str, tuple[Part, ...]]:
        """Tell the fields that frame the others."""
        begin = Part("begin string", None, f"8={self._begin_string}" if isinstance(self._begin_string, str) else "8=…")
        return {"": (begin, Part("body length", None, "9=…"), Part("payload"), Part("checksum", 7, "10=…"))}

    def __repr__(self) -> str:
        return f"FixFormat(begin_string={self._begin_string!r}, max_frame_size={self.max_frame_size})"


def _sum(data: Buffer) -> int:
    pieces = range(0, len(data), _ADLER_SIZE)
    return sum([adler32(data[place : place + _ADLER_SIZE]) - 1 for place in pieces]) & 0xFF


def _error(reason: str, offset: int, field: str, expected: object, found: object) -> HeaderError:
    return HeaderError(reason, offset=offset, field=field, expected=expected, found=found)
