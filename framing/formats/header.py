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

What the length counts is said by name, never by a signed adjustment. Four more things are declared the same way, each
in a file of its own: a length of several fields (`length.py`), padding (`padding.py`), a byte order that a field tells
(`byteorder.py`) and checksums (`checked.py`).

Spec: [F10] to [F19], [F70] to [F78].
"""

from collections.abc import Callable, Mapping, Sequence
from struct import Struct
from typing import TYPE_CHECKING, Any

from framing.errors import DefinitionError, EncodeError, HeaderError
from framing.formats.fields.byteorder import ByteOrder
from framing.formats.fields.layout import Layout
from framing.formats.fields.length import Length
from framing.formats.fields.magic import layout_resync
from framing.formats.fields.notation import Field, parse_notation
from framing.formats.fields.parts import field_parts
from framing.formats.scans.decided import decided_scans
from framing.formats.scans.loops import PlainHeader, plain_measure
from framing.formats.scans.regions import Kind, Region, Ruler, Spans, joined
from framing.formats.scans.scanning import scans
from framing.formats.scans.summed import Summed, summed_scan
from framing.frame import (
    DEFAULT_MAX_FRAME_SIZE,
    Buffer,
    FrameFormat,
    Measure,
    OpenFrame,
    Scan,
    check_limit,
    check_option,
)
from framing.picture import Part

if TYPE_CHECKING:
    from framing.formats.fields.checked import Checks

__all__ = ["HeaderFormat"]

_PACK_CODES = {1: "B", 2: "H", 4: "I", 8: "Q"}


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
        header: the fields, in the notation of `framing.formats.fields.notation`.
        trailer: the fields after the payload.
        length: the name of the field that is the length, or of several with plus signs between them. [F70]
        counts: what the length counts, as names: fields, "header", "payload", "pad", "trailer", or "frame" for all.
        payload_size: the size of every payload, for a header without a length. [F18]
        pad: what payloads are filled up to a multiple of, or a table; see `framing.formats.fields.padding`.
        byteorder: which field tells the byte order, a table; see `framing.formats.fields.byteorder`.
        max_frame_size: limit on the whole frame; by default 1 MiB, or what the length's width can announce.

    Attributes:
        declared: every option as it was given, but for the limit.
        smallest: bytes of the smallest frame.
        largest: bytes of the largest one that can be announced.

    Raises:
        DefinitionError: the declaration cannot work; it says which field and why.
    """

    name = "header"
    size_first = True
    resyncs_at = "magic"

    def __init__(
        self,
        header: str = "",
        *,
        trailer: str = "",
        length: str = "length",
        counts: str = "payload",
        payload_size: int | None = None,
        pad: int | str | Mapping[str, Any] | None = None,
        byteorder: str | Mapping[str, Any] | None = None,
        max_frame_size: int | None = None,
    ) -> None:
        texts = {"header": header, "trailer": trailer, "length": length, "counts": counts}
        for key, value in texts.items():
            check_option(key, value, str)
        self.declared: dict[str, Any] = {**texts, "payload_size": payload_size, "pad": pad, "byteorder": byteorder}
        if payload_size is not None:
            check_option("payload_size", payload_size, int)
        self._fixed_payload_size = payload_size
        names = () if payload_size is not None else tuple(name.strip() for name in length.split("+"))
        ordered = byteorder is None
        head = _fixed(parse_notation(header, ordered=ordered, computed=True), header, names)
        tail = _fixed(parse_notation(trailer, "trailer", ordered=ordered, computed=True), trailer, ())
        self._header, self._trailer = Layout(head), Layout(tail)
        self._order = None if byteorder is None else ByteOrder(byteorder, self._header, self._trailer, names)
        self._learn_size(header, length, counts, pad)
        self._checks = _checks(self._header, self._trailer, padded=self._has_pad)
        self._learn_names(trailer)
        default = min(DEFAULT_MAX_FRAME_SIZE, self.largest) if self._length else self.largest
        self.max_frame_size = default if max_frame_size is None else max_frame_size
        check_limit("header", self.max_frame_size, self._least, self.largest)
        if self._trailer.has_constants or (self._checks and self._checks.late):
            self.verify = self._verify
        if self._header.has_constants:
            layouts = [header for header, _ in self._order.layouts.values()] if self._order else [self._header]
            self.resync = layout_resync(layouts)
        self._prepare()

    def _learn_size(self, header: str, length: str, counts: str, pad: object) -> None:
        self._least = self._header.size + self._trailer.size
        self._length: Length | None = None
        size = self._fixed_payload_size
        if size is None:
            self._length = Length(length, counts, pad, header=self._header, trailer=self._trailer, source=header)
        elif not self._least:
            raise DefinitionError(
                "neither a header nor a trailer", source=header, key="header", hint="use the format fixed"
            )
        elif size < 0:
            raise DefinitionError(
                "a payload cannot be so small", source=header, key="payload_size", found=size, allowed="0 or more"
            )
        elif pad is not None:
            raise DefinitionError("payloads of one size need no padding", source=header, key="pad", found=pad)
        self._padding = self._length.padding if self._length else None
        if self._order and self._padding and self._padding.field == self._order.field:
            raise DefinitionError("the byte order is told by a field that is computed", source=header, key="byteorder")
        self._has_pad = self._padding is not None and self._padding.told
        self.largest = self._length.max_total if self._length else self._least + (size or 0)
        self.smallest = self._least if self._length else self.largest
        self.min_size = max(1, self._header.size)
        self.payload_last = not self._trailer.size and not self._has_pad

    def _learn_names(self, trailer: str) -> None:
        pad = ("pad",) if self._has_pad else ()
        self.header_names = (*self._header.names, *pad, *self._trailer.names)
        self._known_names = frozenset(self.header_names)
        for name in self.header_names:
            if self.header_names.count(name) > 1:
                reason = "the padding has the name" if name in pad else "header and trailer both have a field"
                raise DefinitionError(f"{reason} {name}", source=trailer, key=name)
        computed = self._length.names[:1] if self._length else ()
        if self._padding is not None:
            computed += (self._padding.field,)
        names = (*self._header.free_names, *pad, *self._trailer.free_names)
        self.field_names = tuple(name for name in names if name not in computed)

    def _prepare(self) -> None:
        check_limit("header", self.max_frame_size, self.smallest)
        self.max_frame_size = min(self.max_frame_size, self.largest)
        self._fast_measure: Measure | None = None
        self._pack: Callable[[int], bytes] | None = None
        plain = self._plain_header()
        if plain is None or not self.payload_last or self.verify is not None:
            self.scan, self.scan_frames = decided_scans(self, self._region())
            self.scan = self._summed_scan(plain) or self.scan
        if plain is None:
            return
        self._fast_measure = plain_measure(plain, self.measure)
        if self.payload_last and self.verify is None:
            if plain.size == plain.header_size and plain.size in _PACK_CODES and plain.base <= plain.least:
                self._pack = Struct(f"{'<>'[plain.order == 'big']}{_PACK_CODES[plain.size]}").pack
                self._extra, self._most = plain.least - plain.base, plain.most - plain.least
            self.scan, self.scan_frames = scans(plain, self)

    def deciding(self) -> Spans:
        """Tell where the header fields stand that say a frame's size, or may be wrong."""
        return ((0, self._header.size),) if self._checks and self._checks.early else self._telling()

    def _telling(self) -> Spans:
        told = {*self._header.constant_names, *(self._length.names if self._length else ())}
        told |= {self._padding.field} if self._padding and self._padding.field else set()
        return joined(self._header.spans(told | ({self._order.field} if self._order else set())))

    def closing(self, size: int) -> tuple[Summed, Spans] | None:
        """Tell of the only checksum, if it ends that much of the header and covers all of it; and what else decides."""
        closing = self._checks.closing(self._header, size) if self._checks and not self._order else None
        return None if closing is None else (closing, self._telling())

    def _summed_scan(self, plain: PlainHeader | None) -> Scan | None:
        """Return the loop of `summed.py`, for frames that it knows to verify."""
        summed = self._checks.summed(self._header, self._trailer) if self._checks else None
        return None if plain is None or summed is None else summed_scan(plain, summed)

    def _region(self) -> Region:
        alone = not self._checks and not self._has_pad and not self._order
        trailers = self._trailer.only_constants() if alone else None
        return Region(self.deciding(), trailers=trailers, kind=self._kind())

    def _kind(self) -> Kind | None:
        """Return what decides but the length, where no checksum has to fit it, too."""
        if self._length is None or (self._checks and self._checks.early):
            return None
        names = self._header.constant_names | ({self._order.field} if self._order else set())
        size = max((stop for _, stop in self._header.spans(names)), default=0)
        return Kind(size, self._header.mask(names, size), self.ruler)

    @property
    def constant_names(self) -> set[str]:
        """The header fields that are constants."""
        return self._header.constant_names

    def ruler(self, buffer: Buffer, start: int) -> Ruler | None:
        """Return what computes the size of frames like the good one at `start`, where no checksum has to fit it."""
        if self._length is None or (self._checks and self._checks.early):
            return None
        header, _ = self._layouts(buffer, start)
        return self._length.ruler(header, self.max_frame_size)

    def _plain_header(self) -> PlainHeader | None:
        """Return what the quick loops must know, if that is enough to tell a frame's size."""
        if self._length is None or self._order or self._padding or (self._checks and self._checks.early):
            return None
        return self._length.plain(self._header, self.max_frame_size)

    def _layouts(self, buffer: Buffer, start: int) -> tuple[Layout, Layout]:
        """Return header and trailer in the byte order of the frame that begins at `start`."""
        if self._order is None:
            return self._header, self._trailer
        return self._order.layouts[self._order.read(self._header, buffer, start)]

    def measure(self, buffer: Buffer, start: int, end: int) -> int | None:
        """Tell the total size from the header. [F12] [F13]"""
        if end - start < self._header.size:
            return None
        header, _ = self._layouts(buffer, start)
        if header.has_constants:
            header.check(buffer, start)
        if self._checks:
            self._checks.check_header(buffer, start, header)
        return self._length.total(header, buffer, start) if self._length else self.largest

    def length_number(self, payload_size: int) -> int | None:
        """Return what stands in the length of a frame with such a payload and no padding, or `None`: no such frame."""
        return self._length.number(self._least + payload_size) if self._length else None

    def measurer(self) -> Measure:
        """Return the quick twin of `measure` where the header is plain enough for one."""
        return self._fast_measure or self.measure

    def _verify(self, buffer: Buffer, start: int, end: int) -> None:
        header, trailer = self._layouts(buffer, start)
        trailer.check(buffer, end - trailer.size)  # [F17]
        if self._checks:
            first, last = self.bounds(buffer, start, end)
            self._checks.check_frame(buffer, (start, first, last, end - trailer.size, end), header, trailer)

    def bounds(self, buffer: Buffer, start: int, end: int) -> tuple[int, int]:
        """Tell where the payload lies: between header and padding or trailer."""
        last = end - self._trailer.size
        if self._has_pad and self._length:
            header, _ = self._layouts(buffer, start)
            last -= self._length.pad_size(header, buffer, start)
        return start + self._header.size, last

    @property
    def comes_in_pieces(self) -> bool:
        """Always, but for checksums that cannot be computed while the payload passes. [F106]"""
        return not self._checks or self._checks.can_run

    def opened(self, head: bytes, total: int) -> OpenFrame:
        """Return what looks at a frame in pieces: padding, trailer and checksums at its end."""
        return _OpenHeader(self, head, total)

    def header(self, data: bytes) -> dict[str, Any]:
        """Return every named field of header and trailer, and the padding."""
        header, trailer = self._layouts(data, 0)
        fields = header.read(data, 0)
        tail = len(data) - trailer.size
        if self._has_pad:
            fields["pad"] = data[self.bounds(data, 0, len(data))[1] : tail]
        if trailer.size:
            fields.update(trailer.read(data, tail))
        return fields

    def serialize(self, payload: bytes, fields: Mapping[str, Any] | None = None) -> bytes:
        """Return the whole frame; all that is computed is written, the rest comes from `fields`. [F19]"""
        size = len(payload)
        if self._pack is not None and not fields and size <= self._most:
            return self._pack(size + self._extra) + payload
        values = dict(fields or ())
        if unknown := values.keys() - self._known_names:
            raise EncodeError(
                f"this format has no field {', '.join(sorted(unknown))}",
                hint=f"its fields are {', '.join(self.field_names) or 'none'}",
            )
        pad_size = self._padding.size(size, values) if self._padding else 0
        total = self._least + size + pad_size
        self.check_size(total)
        header, trailer = self._header, self._trailer
        if self._order:
            header, trailer = self._order.layouts[self._order.chosen(header, values)]
        if self._length:
            self._length.write(total, pad_size, header, values)
        elif size != self._fixed_payload_size:
            raise EncodeError(f"every payload has {self._fixed_payload_size} bytes here, not {size}")
        pad = (self._has_pad and values.get("pad")) or bytes(pad_size)
        frame = header.write(values) + payload + pad + trailer.write(values)
        return self._checked(frame, size, header, trailer) if self._checks else frame

    def _checked(self, frame: bytes, payload_size: int, header: Layout, trailer: Layout) -> bytes:
        """Return the frame with its checksums, whose places hold zeros."""
        assert self._checks is not None
        written, tail = bytearray(frame), len(frame) - trailer.size
        last = header.size + payload_size if self._has_pad else tail
        self._checks.write(written, (0, header.size, last, tail, len(frame)), header, trailer)
        return bytes(written)

    def serialize_many(self, payloads: Sequence[bytes]) -> bytes:
        """Return the frames of several payloads in a row; each size is checked and packed once."""
        pack, sizes = self._pack, set(map(len, payloads))
        if pack is None or max(sizes, default=0) > self._most:
            return super().serialize_many(payloads)
        headers = {size: pack(size + self._extra) for size in sizes}
        if len(headers) == 1:
            (header,) = headers.values()
            return header + header.join(payloads)
        # No step of this is taken in Python: half the time of a loop.
        pieces: list[bytes] = [b""] * (2 * len(payloads))
        pieces[::2] = map(headers.__getitem__, map(len, payloads))
        pieces[1::2] = payloads
        return b"".join(pieces)

    def layouts(self) -> dict[str, tuple[Part, ...]]:
        """Tell the header's fields, the payload, the padding and the trailer's fields."""
        pad = (Part("pad"),) if self._has_pad else ()
        payload = () if self._fixed_payload_size == 0 else (Part("payload", self._fixed_payload_size),)
        return {"": (*field_parts(self._header.fields), *payload, *pad, *field_parts(self._trailer.fields))}

    def __repr__(self) -> str:
        plain = {"header": None, "trailer": "", "length": "length", "counts": "payload"}
        given = {key: " ".join(self.declared[key].split()) for key in plain}
        shown = [f"{key}={value!r}" for key, value in given.items() if plain[key] != value]
        if self._fixed_payload_size is not None:
            shown.append(f"payload_size={self._fixed_payload_size}")
        if self._padding:
            shown.append(f"pad={self._padding.declared!r}")
        if self._order:
            shown.append(f"byteorder={self._order.declared!r}")
        return f"HeaderFormat({', '.join(shown)}, max_frame_size={self.max_frame_size})"


class _OpenHeader(OpenFrame):
    """A frame of this format whose payload comes in pieces."""

    __slots__ = ("_format", "_head", "_sums", "_total", "_trailer")

    def __init__(self, format: HeaderFormat, head: bytes, total: int) -> None:
        header, self._trailer = format._layouts(head, 0)
        super().__init__(header.read(head, 0))
        self._format, self._head, self._total = format, head, total
        first, last = format.bounds(head, 0, total)
        edges = 0, first, last, total - self._trailer.size, total
        self._sums = format._checks.running(head, edges, header, self._trailer) if format._checks else None

    def update(self, piece: bytes) -> bytes:
        """Run over the next piece of the payload."""
        if self._sums is not None:
            self._sums.update(piece)
        return piece

    def close(self, rest: bytes) -> dict[str, Any]:
        """Check trailer and checksums, and return padding and trailer."""
        tail = len(rest) - self._trailer.size
        try:
            self._trailer.check(rest, tail)
        except HeaderError as error:
            error.offset = self._total - len(rest) + (error.offset or 0)
            raise
        if self._sums is not None:
            self._sums.close(rest)
        # What stands behind the payload is read without it.
        fields = self._format.header(self._head + rest)
        return {name: value for name, value in fields.items() if name not in self.header}


def _fixed(fields: list[Field], source: str, length: tuple[str, ...]) -> list[Field]:
    for field in fields:
        if field.kind == "varint":
            raise DefinitionError(
                "a varint has no fixed width", source=source, position=field.position, hint="use the format varint"
            )
        for part in field.bits or (field,):
            if (part.scale != 1 or field.multiple != 1) and part.name not in length:
                what = "scale" if part.scale != 1 else "multiple"
                raise DefinitionError(
                    f"{part.name} has a {what}, which only a length can have", source=source, position=field.position
                )
    return fields


def _checks(header: Layout, trailer: Layout, *, padded: bool) -> "Checks | None":
    if not any(field.checksum for layout in (header, trailer) for field in layout.fields):
        return None
    from framing.formats.fields.checked import Checks  # most headers have none, and need not wait for their tables

    return Checks(header, trailer, padded=padded)
