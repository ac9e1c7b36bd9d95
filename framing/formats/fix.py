"""FIX tag=value messages: a begin string, the body's length, the body, the checksum.

    FixFormat()

    +--------------------+-----------+- - - - - - - - - - - - -+--------------+
    | 8=FIX.4.4 SOH      | 9=5 SOH   |  payload: 35=0 SOH      | 10=163 SOH   |     SOH is 01
    +--------------------+-----------+- - - - - - - - - - - - -+--------------+
                                       length counts this        sum of all bytes before, modulo 256

Spec: [F59], after the FIX session layer, "FIX TagValue Encoding", 1.1.
"""

from collections.abc import Mapping
from typing import Any

from framing.errors import ChecksumError, DefinitionError, EncodeError, FrameTooLargeError, HeaderError
from framing.formats.fields.magic import bytes_pattern, constants_resync
from framing.formats.scans.fix_loop import MAX_DIGIT_COUNT, SOH, TRAILER_SIZE, checksum, fix_scan
from framing.frame import DEFAULT_MAX_FRAME_SIZE, Buffer, FrameFormat, check_limit, check_option
from framing.picture import Part

__all__ = ["FixFormat"]

_DIGITS = b"0123456789"


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
        self._least = min(map(len, self._heads)) + len(b"9=1\x01\x01") + TRAILER_SIZE
        self.max_frame_size = max_frame_size
        self._prepare()

    def _prepare(self) -> None:
        check_limit(self.name, self.max_frame_size, self._least)
        self.resync = constants_resync(bytes_pattern(head + b"9=") for head in self._heads)
        self.verify = self._verify
        self.scan = fix_scan(self, self._heads)

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
        raw = bytes(buffer[first : min(end, first + MAX_DIGIT_COUNT + 1)])
        size = len(raw) - len(raw.lstrip(_DIGITS))
        if size < len(raw) and (not size or raw[size : size + 1] != SOH):
            found = raw[size : size + 1]
            raise _error("BodyLength is no number", first + size, "length", "a digit or SOH", found)
        if size > MAX_DIGIT_COUNT:
            raise FrameTooLargeError(
                f"a BodyLength of more than {MAX_DIGIT_COUNT} digits", offset=start, max_frame_size=self.max_frame_size
            )
        if size == len(raw):
            return None
        value = int(raw[:size])
        if not value:
            raise _error("a message without a body", first, "length", "1 or more", value)
        return first + size + len(SOH) + value + TRAILER_SIZE - start

    def _verify(self, buffer: Buffer, start: int, end: int) -> None:
        """Check that the trailer is where the length says, and the sum. [F59]"""
        place = end - TRAILER_SIZE
        trailer = bytes(buffer[place:end])
        if buffer[place - 1 : place] != SOH:
            found = bytes(buffer[place - 1 : place])
            raise _error("the body does not end where BodyLength says", place - 1, "length", SOH, found)
        if trailer[:3] != b"10=" or trailer[3:6].translate(None, _DIGITS) or trailer[6:] != SOH:
            raise _error("no checksum stands where BodyLength says", place, "checksum", "10=, 3 digits, SOH", trailer)
        expected = checksum(buffer[start:place])
        if int(trailer[3:6]) != expected:
            raise ChecksumError(
                "the checksum is wrong", offset=place, field="checksum", expected=expected, found=int(trailer[3:6])
            )

    def bounds(self, buffer: Buffer, start: int, end: int) -> tuple[int, int]:
        """Tell where the payload lies: between the length and the checksum."""
        length_start = buffer.index(SOH, start) + 1
        return buffer.index(SOH, length_start) + 1, end - TRAILER_SIZE

    def header(self, data: bytes) -> dict[str, Any]:
        """Return begin string, length and checksum."""
        begin, length, _ = data.split(SOH, 2)
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
        if payload[-1:] != SOH:
            raise EncodeError("a body is fields that each end with SOH", found=payload)
        data = b"8=%b\x019=%d\x01%b" % (begin.encode(), len(payload), payload)
        self.check_size(len(data) + TRAILER_SIZE)
        return data + b"10=%03d\x01" % checksum(data)

    def layouts(self) -> dict[str, tuple[Part, ...]]:
        """Tell the fields that frame the others."""
        begin = Part("begin string", None, f"8={self._begin_string}" if isinstance(self._begin_string, str) else "8=…")
        return {"": (begin, Part("body length", None, "9=…"), Part("payload"), Part("checksum", 7, "10=…"))}

    def __repr__(self) -> str:
        return f"FixFormat(begin_string={self._begin_string!r}, max_frame_size={self.max_frame_size})"


def _error(reason: str, offset: int, field: str, expected: object, found: object) -> HeaderError:
    return HeaderError(reason, offset=offset, field=field, expected=expected, found=found)
