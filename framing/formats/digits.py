"""The length in ASCII digits, so many of them or up to a separator.

    DigitsFormat(4, base=16)                            ADB's host services

    0                4
    +----------------+- - - - - - -+
    |  "000c", hex   |   payload   |                    000chost:version
    +----------------+- - - - - - -+

    NetstringFormat()      12:hello world!,             digits, a colon, the payload, a comma
    OctetCountingFormat()  11 <34>1 - - x               RFC 6587: syslog over TCP
    PktLineFormat()        000bfoobar\\n 0000            git: four hex digits that count themselves; lengths below 4
                                                        are control packets

    DigitsFormat(5, before="start:u8=2 transaction:bytes2 slash:bytes1=/", separator="/", end="\\x03",
                 counts="transaction slash length separator payload")                           UCP

    0        1                 3     4                     9     10                                     length + 2
    +--------+-----------------+-----+---------------------+-----+- - - - - - - - - - - - - - - - - - -+--------+
    |   02   |   transaction   |  /  |   "00070", decimal  |  /  |               payload               |   03   |
    +--------+-----------------+-----+---------------------+-----+- - - - - - - - - - - - - - - - - - -+--------+

Spec: [F50] to [F53], netstrings [F28].
"""

from collections.abc import Mapping
from typing import Any, cast

from framing.errors import DefinitionError, EncodeError, FrameTooLargeError, HeaderError
from framing.formats.fields.counts import check_counted_once, counted_size
from framing.formats.fields.layout import Layout
from framing.formats.fields.magic import layout_resync
from framing.formats.fields.notation import Field, parse_notation
from framing.formats.fields.options import bytes_option
from framing.formats.fields.parts import field_parts
from framing.formats.scans.decided import decided_scans
from framing.formats.scans.known import known_scans
from framing.formats.scans.regions import Region, joined
from framing.frame import DEFAULT_MAX_FRAME_SIZE, Buffer, FrameFormat, OpenFrame, check_limit, check_option
from framing.picture import Part

__all__ = ["DigitsFormat", "NetstringFormat", "OctetCountingFormat", "PktLineFormat"]

_ZERO = ord("0")
_ALPHABETS = {10: b"0123456789", 16: b"0123456789abcdefABCDEF"}
_NUMERALS = {10: b"%d", 16: b"%x"}

# 64 bits in decimal; no peer announces more.
_MAX_DIGIT_COUNT = 20

# git's LARGE_PACKET_MAX: 65516 bytes of data and the four digits (gitprotocol-common).
_PKT_LINE_SIZE = 65520


class DigitsFormat(FrameFormat):
    """Frames whose length stands in ASCII digits.

    >>> DigitsFormat(4, base=16).serialize(b"host:version")
    b'000chost:version'

    Args:
        digits: how many; filled up with zeros from the left. 0: as many as it takes, up to the separator.
        base: 10 or 16. Hex digits are taken in either case and written in lower case. [F51]
        separator: what stands between the digits and the payload; text stands for its UTF-8, or `0x` for hex.
        end: what stands behind the payload.
        before: fixed fields before the digits, in the notation of `framing.formats.fields.notation`.
        counts: what the length counts, as names: "payload", fields of `before`, "separator", "end", and with a fixed
            number of digits "length"; or "header", "trailer", "frame". [F52]
        control_count: so many lengths, from 0 on, announce no payload but are control packets: the field `control` is
            that length, and otherwise the smallest length that is none, with which a frame is data. [F52]
        empty: whether a payload may be empty.
        max_frame_size: limit on the whole frame, by default 1 MiB or what the digits can announce.

    Raises:
        DefinitionError: the options cannot work; it says which one and why.
    """

    name = "digits"
    end_name = "end"
    size_first = True
    resyncs_at = "magic"

    def __init__(
        self,
        digits: int = 0,
        *,
        base: int = 10,
        separator: bytes | str = b"",
        end: bytes | str = b"",
        before: str = "",
        counts: str = "payload",
        control_count: int = 0,
        empty: bool = True,
        max_frame_size: int | None = None,
    ) -> None:
        self._declared: dict[str, Any] = {
            "digits": digits, "base": base, "separator": separator, "end": end, "before": before, "counts": counts,
            "control_count": control_count, "empty": empty,
        }  # fmt: skip
        self._check_options()
        self._digits, self._base, self._empty, self._control_count = digits, base, empty, control_count
        self._alphabet, self._numeral = _ALPHABETS[base], _NUMERALS[base]
        self._separator, self._end = bytes_option("separator", separator), bytes_option("end", end)
        self._check_separator()
        self._before = Layout(_checked(before))
        self._counted = self._count(counts)
        self._least_value = self._counted + (not empty)
        self._least = self._before.size + (digits or 1) + len(self._separator) + len(self._end)
        self._check_control()
        control = ("control",) if control_count else ()
        self.field_names = (*self._before.free_names, *control)
        self.header_names = (*self._before.names, "length", *control)
        self.min_size = max(1, self._least - len(self._end))
        self.payload_last = not self._end
        self._largest = self._least - self._counted + base**digits - 1 if digits else None
        if max_frame_size is None:
            max_frame_size = min(DEFAULT_MAX_FRAME_SIZE, self._largest or DEFAULT_MAX_FRAME_SIZE)
        check_limit(self.name, max_frame_size, self._least, self._largest)
        self.max_frame_size = max_frame_size
        self._prepare()

    def _check_options(self) -> None:
        for key, value in self._declared.items():
            kinds = {"separator": (bytes, str), "end": (bytes, str), "before": (str,), "counts": (str,)}
            check_option(key, value, *kinds.get(key, (bool,) if key == "empty" else (int,)))
        for key, least, most in (("digits", 0, _MAX_DIGIT_COUNT), ("control_count", 0, 1 << 16)):
            if not least <= self._declared[key] <= most:
                found = self._declared[key]
                raise DefinitionError(f"no such number of {key}", key=key, found=found, allowed=f"{least} to {most}")
        if self._declared["base"] not in _ALPHABETS:
            raise DefinitionError("no such base", key="base", found=self._declared["base"], allowed="10 or 16")

    def _check_separator(self) -> None:
        if not self._digits and (not self._separator or self._separator[0] in self._alphabet):
            raise DefinitionError(
                "nothing tells where the digits end",
                key="separator",
                found=self._separator,
                allowed="a separator that begins with no digit, or a fixed number of digits",
            )

    def _count(self, counts: str) -> int:
        """Return how many bytes besides the payload the length counts."""
        fields = [Field("separator", "bytes", len(self._separator), "big", 0)]
        if self._digits:
            fields.insert(0, Field("length", "bytes", self._digits, "big", 0))
        parts = [*self._before.names, *(field.name for field in fields)]
        sizes = {name: self._before.place(name)[1].size for name in self._before.names}
        sizes |= {field.name: field.size for field in fields} | {"payload": 0, "end": len(self._end)}
        sizes["trailer"] = len(self._end)
        if self._digits:
            sizes["header"] = self._before.size + self._digits + len(self._separator)
        counted = counted_size(counts, sizes, counts)
        check_counted_once(counts, self._before, "header", counts)
        words = counts.split()
        if ("header" in words and {*words} & {*parts}) or {"trailer", "end"} <= {*words}:
            raise DefinitionError("a length counts a part twice", key="counts", found=counts)
        return counted

    def _check_control(self) -> None:
        if self._control_count > self._least_value:
            raise DefinitionError(
                "a control packet's length would be one of a frame with a payload",
                key="control_count",
                found=self._control_count,
                allowed=f"0 to {self._least_value}",
            )

    def _prepare(self) -> None:
        check_limit(self.name, self.max_frame_size, self._least + (not self._empty))
        self.max_frame_size = min(self.max_frame_size, self._largest or self.max_frame_size)
        # No length is larger than the frame, so no good one has more digits than the limit.
        self._most_digits = self._digits or len(self._numeral % self.max_frame_size)
        self.verify = self._verify_end if self._end else None
        if self._before.has_constants:
            self.resync = layout_resync([self._before])
        # Free fields before the digits make each header another one, but a fixed number of digits has its place.
        if self._digits and self._before.free_names:
            digits = (self._before.size, self._before.size + self._digits + len(self._separator))
            spans = joined((*self._before.spans(self._before.constant_names), digits))
            self.scan, self.scan_frames = decided_scans(
                self, Region(spans, trailers=frozenset((self._end,)) if self._end else None)
            )
        elif not self._before.free_names:
            size_of = None if self._before.size else self._size_of
            ends = b"" if self._digits else self._separator
            self.scan, self.scan_frames = known_scans(self, self._header_end, self._end, ends=ends, size_of=size_of)

    def measure(self, buffer: Buffer, start: int, end: int) -> int | None:
        """Tell the total size from the digits. [F50]"""
        first = start + self._before.size
        if end < first:
            return None
        if self._before.has_constants:
            self._before.check(buffer, start)
        stop = self._digits_end(buffer, first, end, start)
        if stop is None or end < stop + len(self._separator):
            return None
        if buffer[stop : stop + len(self._separator)] != self._separator:
            raise self._error("the separator is not there", stop, self._separator, len(self._separator), buffer)
        value = int(buffer[first:stop], self._base)
        if value < self._least_value and value >= self._control_count:
            raise self._too_small(value, first)
        return stop - start + len(self._separator) + max(0, value - self._counted) + len(self._end)

    def _digits_end(self, buffer: Buffer, first: int, end: int, start: int) -> int | None:
        """Return where the digits from `first` on end, `None` if more are to come; the first wrong byte is told."""
        most = self._most_digits
        raw = bytes(buffer[first : min(end, first + most + (not self._digits))])
        size = len(raw) - len(raw.lstrip(self._alphabet))
        if not self._digits and size > 1 and raw[0] == _ZERO:
            raise self._bad_digit(buffer, first + 1, "the separator: a length has no leading zeros")
        if size < len(raw) and (self._digits or not size or raw[size] != self._separator[0]):
            wanted = "a digit or the separator" if size and not self._digits else "a digit"
            raise self._bad_digit(buffer, first + size, wanted)
        if size > most:
            raise FrameTooLargeError(
                f"a length of more than {most} digits",
                offset=start,
                max_frame_size=self.max_frame_size,
                hint="raise max_frame_size if the peer is to be trusted with as much memory",
            )
        return None if size == len(raw) and size < (self._digits or most + 1) else first + size

    def _bad_digit(self, buffer: Buffer, place: int, expected: str) -> HeaderError:
        found = bytes(buffer[place : place + 1])
        reason = f"this is no length in digits of base {self._base}"
        return HeaderError(reason, offset=place, field="length", expected=expected, found=found)

    def _error(self, reason: str, place: int, expected: bytes, size: int, buffer: Buffer) -> HeaderError:
        field = "separator" if expected is self._separator else self.end_name
        found = bytes(buffer[place : place + size])
        return HeaderError(reason, offset=place, field=field, expected=expected, found=found)

    def _too_small(self, value: int, place: int) -> HeaderError:
        reason = "a frame must not be empty" if value >= self._counted else "length is smaller than what it counts"
        return HeaderError(reason, offset=place, field="length", expected=f"{self._least_value} or more", found=value)

    def _verify_end(self, buffer: Buffer, start: int, end: int) -> None:  # noqa: ARG002 - the contract's signature
        if not buffer.endswith(self._end, 0, end):
            place, size = end - len(self._end), len(self._end)
            raise self._error(f"the {self.end_name} is not where the length says", place, self._end, size, buffer)

    def _payload_start(self, buffer: Buffer, start: int) -> int:
        first = start + self._before.size
        return (first + self._digits if self._digits else buffer.index(self._separator, first)) + len(self._separator)

    def _header_end(self, buffer: bytes, start: int, end: int) -> int:
        if self._digits:
            return start + self._before.size + self._digits + len(self._separator)
        most = start + self._before.size + self._most_digits + len(self._separator)
        place = buffer.find(self._separator, start + self._before.size, min(end, most))
        return place + len(self._separator) if place >= 0 else -1

    def _size_of(self, header: bytes) -> int | None:
        """Return how many bytes follow digits and separator, if all is well with them."""
        digits = header.removesuffix(self._separator)
        width = len(digits)
        if width != (self._digits or width) or not 0 < width <= self._most_digits:
            return None
        if width + len(self._separator) != len(header) or digits.translate(None, self._alphabet):
            return None
        if not self._digits and width > 1 and digits[0] == _ZERO:
            return None
        value = int(digits, self._base)
        return None if value < self._least_value else value - self._counted + len(self._end)

    def bounds(self, buffer: Buffer, start: int, end: int) -> tuple[int, int]:
        """Tell where the payload lies: from the separator to the end."""
        return self._payload_start(buffer, start), end - len(self._end)

    @property
    def comes_in_pieces(self) -> bool:
        """Always. [F105]"""
        return True

    def opened(self, head: bytes, total: int) -> OpenFrame:
        """Return what looks at the end of a frame in pieces."""
        return _OpenDigits(self, head, total)

    def header(self, data: bytes) -> dict[str, Any]:
        """Return the fields before the digits, the length and, if there are such packets, what it controls."""
        first = self._before.size
        fields = self._before.read(data, 0)
        fields["length"] = value = int(data[first : self._payload_start(data, 0) - len(self._separator)], self._base)
        if self._control_count:
            fields["control"] = min(value, self._least_value)
        return fields

    def serialize(self, payload: bytes, fields: Mapping[str, Any] | None = None) -> bytes:
        """Return the whole frame; the length is written without zeros that it does not need."""
        values = dict(fields or ())
        unknown = values.keys() - {*self._before.names, *self.field_names}
        if unknown:
            raise EncodeError(
                f"this format has no field {', '.join(sorted(unknown))}",
                hint=f"its fields are {', '.join(self.field_names) or 'none'}",
            )
        digits = self._numeral % self._control(values.get("control"), payload)
        # A length with more digits than there is room for is that of a frame over the limit.
        digits_size = self._digits or len(digits)
        self.check_size(self._before.size + digits_size + len(self._separator) + len(payload) + len(self._end))
        parts = (self._before.write(values), digits.rjust(digits_size, b"0"), self._separator, payload, self._end)
        return b"".join(parts)

    def _control(self, control: object, payload: bytes) -> int:
        """Return the value of the length. [F52]"""
        if not self._empty and not payload:
            raise EncodeError("this format has no empty frames")
        if control is None or control == self._least_value:
            return len(payload) + self._counted
        if not isinstance(control, int) or not 0 <= control < self._control_count:
            allowed = f"0 to {self._control_count - 1}, or {self._least_value} for data"
            raise EncodeError(f"the header field control must be {allowed}", path="control", found=control)
        if payload:
            raise EncodeError("a control packet has no payload", path="control", found=control)
        return control

    def layouts(self) -> dict[str, tuple[Part, ...]]:
        """Tell the fields, the digits, what parts them from the payload, the payload, and the end."""
        kind = "hex digits" if self._base == 16 else "decimal digits"
        digits = Part("length", self._digits or None, kind)
        constants = (("separator", self._separator), (self.end_name, self._end))
        separator, end = ((Part(name, len(text), repr(text)[1:]),) if text else () for name, text in constants)
        return {"": (*field_parts(self._before.fields), digits, *separator, Part("payload"), *end)}

    def __repr__(self) -> str:
        defaults = cast(dict[str, Any], DigitsFormat.__init__.__kwdefaults__) | {"digits": 0}
        shown = [f"{key}={value!r}" for key, value in self._declared.items() if value != defaults[key]]
        return f"{type(self).__name__}({', '.join([*shown, f'max_frame_size={self.max_frame_size}'])})"


class _OpenDigits(OpenFrame):
    """A frame of this format whose payload comes in pieces."""

    __slots__ = ("_format", "_total")

    def __init__(self, format: DigitsFormat, head: bytes, total: int) -> None:
        super().__init__(format.header(head))
        self._format, self._total = format, total

    def close(self, rest: bytes) -> dict[str, Any]:
        """Check what ends the frame."""
        if self._format.verify is not None:
            try:
                self._format.verify(rest, 0, len(rest))
            except HeaderError as error:
                error.offset = self._total - len(rest) + (error.offset or 0)
                raise
        return {}


def _checked(before: str) -> list[Field]:
    """Return the fields before the digits."""
    fields = parse_notation(before)
    for field in fields:
        if field.kind == "varint" or field.scale != 1 or {*field.names} & {"length", "separator", "end", "control"}:
            raise DefinitionError(
                "a field that cannot stand before the digits",
                source=before,
                key="before",
                position=field.position,
                allowed="fields of fixed width with other names than length, separator, end and control",
            )
    return fields


class NetstringFormat(DigitsFormat):
    """Netstrings: digits, a colon, the payload, a comma. [F28]

    >>> NetstringFormat().serialize(b"hello world!")
    b'12:hello world!,'

    Args:
        max_frame_size: limit on the whole frame: digits, colon, payload and comma. No more digits are read than the
            limit has, so that a run of digits costs nothing.
    """

    name = "netstring"
    end_name = "comma"

    def __init__(self, *, max_frame_size: int = DEFAULT_MAX_FRAME_SIZE) -> None:
        super().__init__(separator=b":", end=b",", max_frame_size=max_frame_size)
        self._declared = {}


class OctetCountingFormat(DigitsFormat):
    """Syslog over TCP and TLS: digits, a blank, the message, which is never empty. [F53]

    >>> OctetCountingFormat().serialize(b"<34>1 - - x")
    b'11 <34>1 - - x'

    Args:
        max_frame_size: limit on the whole frame, digits and blank included.
    """

    name = "octet_counting"

    def __init__(self, *, max_frame_size: int = DEFAULT_MAX_FRAME_SIZE) -> None:
        super().__init__(separator=b" ", empty=False, max_frame_size=max_frame_size)
        self._declared = {}


class PktLineFormat(DigitsFormat):
    """git's pkt-lines: four hex digits that count themselves, and control packets. [F52]

    >>> format = PktLineFormat()
    >>> format.serialize(b"a\\n") + format.serialize(b"", {"control": format.FLUSH})
    b'0006a\\n0000'
    >>> format.frame(b"0000").fields == {"control": format.FLUSH}, format.frame(b"0005a").fields
    (True, {'control': 4})

    Args:
        max_frame_size: limit on the whole frame; by default git's own.

    Attributes:
        FLUSH, DELIM, RESPONSE_END, DATA: values of the field `control`.
    """

    name = "pkt_line"
    FLUSH, DELIM, RESPONSE_END, DATA = 0, 1, 2, 4

    def __init__(self, *, max_frame_size: int = _PKT_LINE_SIZE) -> None:
        super().__init__(4, base=16, counts="length payload", control_count=3, max_frame_size=max_frame_size)
        self._declared = {}
