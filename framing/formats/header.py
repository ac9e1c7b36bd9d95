"""The fixed-layout header: named fields of fixed width, one of which says how long the frame is.

    HeaderFormat("type:u8 length:u32be", counts="length payload")        PostgreSQL

    0        1                                  5
    +--------+----------------------------------+- - - - - - -+
    |  type  |  length = 4 + size of payload    |   payload   |
    +--------+----------------------------------+- - - - - - -+

    HeaderFormat("type:u8 channel:u16be length:u32be", trailer="end:u8=0xce")        AMQP 0-9-1

    0        1                 3                          7                length + 7    length + 8
    +--------+-----------------+--------------------------+- - - - - - - - - -+--------+
    |  type  |     channel     |          length          |      payload      |   ce   |
    +--------+-----------------+--------------------------+- - - - - - - - - -+--------+

What the length counts is said by name, never by a signed adjustment. Spec: [F10] to [F19].
"""

from collections.abc import Mapping, Sequence
from struct import Struct
from typing import Any, Literal, cast

from framing.errors import DefinitionError, EncodeError, FrameTooLargeError, HeaderError
from framing.formats.counts import check_counted_once, counted_size
from framing.formats.layout import Layout
from framing.formats.loops import frame_scan, payload_scan, plain_measure
from framing.formats.notation import Field, parse_notation
from framing.frame import (
    DEFAULT_MAX_FRAME_SIZE,
    Buffer,
    FrameFormat,
    Measure,
    check_limit,
    check_option,
)

__all__ = ["HeaderFormat"]

_STRUCT_CODES = {1: "B", 2: "H", 4: "I", 8: "Q"}


class HeaderFormat(FrameFormat):
    """Frames whose header is named fields of fixed width.

    >>> from framing import FrameParser
    >>> format = HeaderFormat("type:u8 length:u32be", counts="length payload")
    >>> wire = format.serialize(b"SELECT 1\\0", {"type": 0x51})
    >>> wire.hex(" ", 1)
    '51 00 00 00 0d 53 45 4c 45 43 54 20 31 00'
    >>> parser = FrameParser(format)
    >>> parser.feed(wire)
    >>> frame = parser.next_frame()
    >>> frame.header, frame.payload
    ({'type': 81, 'length': 13}, b'SELECT 1\\x00')

    Args:
        header: the fields, in the notation of `framing.formats.notation`.
        trailer: the fields after the payload.
        length: the name of the field that is the length.
        counts: what the length counts, as names: fields, "header", "payload", "trailer", or "frame" for all.
        payload_size: the size of every payload, for a header without a length. [F18]
        max_frame_size: limit on the whole frame; by default 1 MiB, or what the length's width can announce.

    Raises:
        DefinitionError: the declaration cannot work; it says which field and why.
    """

    name = "header"

    def __init__(
        self,
        header: str = "",
        *,
        trailer: str = "",
        length: str = "length",
        counts: str = "payload",
        payload_size: int | None = None,
        max_frame_size: int | None = None,
    ) -> None:
        self._declared = {"header": header, "trailer": trailer, "length": length, "counts": counts}
        for key, value in self._declared.items():
            check_option(key, value, str)
        if payload_size is not None:
            check_option("payload_size", payload_size, int)
        self._fixed_payload_size = payload_size
        self._length = length if payload_size is None else ""
        self._header = Layout(_fixed(parse_notation(header), header, self._length))
        self._trailer = Layout(_fixed(parse_notation(trailer, "trailer"), trailer, ""))
        self._least = self._header.size + self._trailer.size
        self.min_size = max(1, self._header.size)
        self.payload_last = not self._trailer.size
        self._base = self._least
        self._scale, self._max_value, self._max_total = 1, 0, self._base + (payload_size or 0)
        if payload_size is None:
            self._learn_length(header, length, counts)
        elif not self._max_total or payload_size < 0:
            raise DefinitionError("a frame of no bytes", source=header, key="payload_size", found=payload_size)
        names = (*self._header.free_names, *self._trailer.free_names)
        self.field_names = tuple(name for name in names if name != self._length)
        self.header_names = self._header.names + self._trailer.names
        _check_unique(self.header_names, trailer)
        self.max_frame_size = self._default_limit() if max_frame_size is None else max_frame_size
        check_limit("header", self.max_frame_size, self._least, self._max_total)
        if self._trailer.has_constants:
            self.verify = self._verify_trailer
        self._prepare()

    def _learn_length(self, header: str, length: str, counts: str) -> None:
        """Work out total = value × scale + base, the one formula of every length field."""
        if length not in self._header.names:
            raise DefinitionError(
                f"no header field is called {length}, so nothing tells where a frame ends",
                source=header,
                key="length",
                found=length,
                allowed=f"{', '.join(self._header.names) or 'a field'} as length=…, or payload_size=…",
            )
        offset, field, part = self._header.place(length)
        if field.kind != "uint" or (part.allowed if part else field.allowed):
            raise DefinitionError("a length must be a free integer", source=header, key="length", found=length)
        sizes = {"header": self._header.size, "trailer": self._trailer.size, "payload": 0}
        for layout in (self._header, self._trailer):
            sizes.update((name, layout.place(name)[1].size) for name in layout.names)
        self._base -= counted_size(counts, sizes, header)
        check_counted_once(counts, self._header, "header", header)
        check_counted_once(counts, self._trailer, "trailer", header)
        self._scale = field.scale
        self._length_offset, self._length_field = offset, field
        self._shift, self._max_value = (part.shift, (1 << part.count) - 1) if part else (0, (1 << 8 * field.size) - 1)
        self._max_total = self._max_value * self._scale + self._base
        if self._max_total < self._least:
            raise DefinitionError(
                f"the length cannot count as much as {counts} always is", source=header, key="counts", found=counts
            )

    def _default_limit(self) -> int:
        return min(DEFAULT_MAX_FRAME_SIZE, self._max_total) if self._length else self._max_total

    def _prepare(self) -> None:
        check_limit("header", self.max_frame_size, self._least if self._length else self._max_total)
        self.max_frame_size = min(self.max_frame_size, self._max_total)
        plain = self._length and self._scale == 1 and self._length_field.size in _STRUCT_CODES
        if not plain or self._length_field.bits or self._header.has_constants:
            self._fast_measure: Measure | None = None
            self._pack = None
            return
        order = "<" if self._length_field.byteorder == "little" else ">"
        length = Struct(f"{order}{self._length_offset}x{_STRUCT_CODES[self._length_field.size]}")
        self._fast_measure = plain_measure(length, self._header.size, self._base, self._least, self.measure)
        self._pack = length.pack if self._header.names == (self._length,) else None
        if self.payload_last:
            self.scan = payload_scan(length, self._header.size, self._base, self.max_frame_size)
            self.scan_frames = frame_scan(self, length, self._header.size, self._base)

    def measure(self, buffer: Buffer, start: int, end: int) -> int | None:
        """Tell the total size from the header. [F12] [F13]"""
        if end - start < self._header.size:
            return None
        if self._header.has_constants:
            self._header.check(buffer, start)
        if not self._length:
            return self._max_total
        first = start + self._length_offset
        raw = buffer[first : first + self._length_field.size]
        number = int.from_bytes(raw, cast(Literal["big", "little"], self._length_field.byteorder))
        value = (number >> self._shift) & self._max_value
        total = value * self._scale + self._base
        if total < self._least:  # [F16]
            raise HeaderError(
                f"{self._length} is smaller than what it counts",
                offset=first,
                field=self._length,
                expected=f"{-(-(self._least - self._base) // self._scale)} or more",
                found=value,
            )
        return total

    def measurer(self) -> Measure:
        """Return the quick twin of `measure` where the header is plain enough for one."""
        return self._fast_measure or self.measure

    def _verify_trailer(self, buffer: Buffer, start: int, end: int) -> None:  # noqa: ARG002 - the contract's signature
        self._trailer.check(buffer, end - self._trailer.size)  # [F17]

    def bounds(self, buffer: Buffer, start: int, end: int) -> tuple[int, int]:  # noqa: ARG002 - the contract's signature
        """Tell where the payload lies: between header and trailer."""
        return start + self._header.size, end - self._trailer.size

    def header(self, data: bytes) -> dict[str, Any]:
        """Return every named field of header and trailer."""
        fields = self._header.read(data, 0)
        if self._trailer.size:
            fields.update(self._trailer.read(data, len(data) - self._trailer.size))
        return fields

    def serialize(self, payload: bytes, fields: Mapping[str, Any] | None = None) -> bytes:
        """Return the whole frame; the length and the constants are written, the rest comes from `fields`. [F19]"""
        total = self._least + len(payload)
        self.check_size(total)
        if self._pack and not fields and not self._trailer.size:
            value = total - self._base
            if 0 <= value <= self._max_value:
                return self._pack(value) + payload
        values = dict(fields or ())
        unknown = values.keys() - {*self.header_names}
        if unknown:
            raise EncodeError(
                f"this format has no field {', '.join(sorted(unknown))}",
                hint=f"its fields are {', '.join(self.field_names) or 'none'}",
            )
        if self._length:
            values[self._length] = self._value(total)
        elif len(payload) != self._fixed_payload_size:
            raise EncodeError(f"every payload has {self._fixed_payload_size} bytes here, not {len(payload)}")
        return self._header.write(values) + payload + self._trailer.write(values)

    def serialize_many(self, payloads: Sequence[bytes]) -> bytes:
        """Return the frames of several payloads in a row; each size is checked and packed once."""
        extra, pack, sizes = self._least - self._base, self._pack, set(map(len, payloads))
        if pack is None or self._trailer.size or extra < 0 or self._least + max(sizes, default=0) > self.max_frame_size:
            return super().serialize_many(payloads)
        headers = {size: pack(size + extra) for size in sizes}
        if len(headers) == 1:
            (header,) = headers.values()
            return header + header.join(payloads)
        # No step of this is taken in Python: half the time of a loop.
        pieces: list[bytes] = [b""] * (2 * len(payloads))
        pieces[::2] = map(headers.__getitem__, map(len, payloads))
        pieces[1::2] = payloads
        return b"".join(pieces)

    def _value(self, total: int) -> int:
        value, rest = divmod(total - self._base, self._scale)
        if rest or value < 0:
            raise EncodeError(
                f"a frame of {total} bytes has no {self._length}, which counts in units of {self._scale}",
                path=self._length,
            )
        if value > self._max_value:
            raise FrameTooLargeError("the length does not fit its field", frame_size=total, field=self._length)
        return value

    def __repr__(self) -> str:
        plain = {"trailer": "", "length": "length", "counts": "payload"}
        shown = [f"{key}={value!r}" for key, value in self._declared.items() if plain.get(key) != value]
        if self._fixed_payload_size is not None:
            shown.append(f"payload_size={self._fixed_payload_size}")
        return f"HeaderFormat({', '.join(shown)}, max_frame_size={self.max_frame_size})"


def _fixed(fields: list[Field], source: str, length: str) -> list[Field]:
    for field in fields:
        if field.kind == "varint":
            raise DefinitionError(
                "a varint has no fixed width", source=source, position=field.position, hint="use the format varint"
            )
        if field.scale != 1 and field.name != length:
            raise DefinitionError(
                f"{field.name} has a scale, which only a length can have", source=source, position=field.position
            )
    return fields


def _check_unique(names: tuple[str, ...], source: str) -> None:
    for name in names:
        if names.count(name) > 1:
            raise DefinitionError(f"header and trailer both have a field {name}", source=source, key=name)
