"""A header whose last field is a length of variable width: LEB128, as Protocol Buffers, MQTT and many others write it.

    VarintFormat("(type:4 flags:4):u8 length:varint4")        MQTT

    0        1                         1 to 4 bytes later
    +----+---+- - - - - - - - - - - - -+- - - - - - -+
    |type|flg|  length, 7 bits a byte  |   payload   |     300 = ac 02: lowest group first,
    +----+---+- - - - - - - - - - - - -+- - - - - - -+     the top bit says that another byte follows

Spec: [F20] to [F22].
"""

from collections.abc import Mapping
from typing import Any

from framing.errors import DefinitionError, EncodeError, HeaderError
from framing.formats.counts import check_counted_once, counted_size
from framing.formats.layout import Layout
from framing.formats.notation import parse_notation
from framing.frame import DEFAULT_MAX_FRAME_SIZE, Buffer, FrameFormat, Scan, check_limit, check_option
from framing.picture import Part

__all__ = ["VarintFormat", "varint_bytes"]


class VarintFormat(FrameFormat):
    """Frames whose header ends with a length of variable width.

    >>> format = VarintFormat()
    >>> format.serialize(b"x" * 300)[:4].hex(" ")
    'ac 02 78 78'

    Args:
        header: fixed fields, then the length as `varint` or `varintN` (at most N bytes, so at most 7 × N bits).
        counts: what the length counts besides the payload: any of the fixed fields, but not itself.
        max_frame_size: limit on the whole frame, by default 1 MiB or what the length can announce.

    A number written with more bytes than it needs is taken as it is: Protocol Buffers allows it, and refusing it would
    cut off peers that reserve room for the length beforehand. `serialize` writes the shortest form. [F21]
    """

    name = "varint"
    payload_last = True

    def __init__(
        self, header: str = "length:varint", *, counts: str = "payload", max_frame_size: int | None = None
    ) -> None:
        check_option("header", header, str)
        check_option("counts", counts, str)
        self._header, self._counts = header, counts
        fields = parse_notation(header)
        if not fields or fields[-1].kind != "varint" or any(field.kind == "varint" for field in fields[:-1]):
            raise DefinitionError("the last header field, and no other, must be the varint", source=header)
        scaled = next((field for field in fields if field.scale != 1), None)
        if scaled:
            raise DefinitionError(
                f"{scaled.name} has a scale, which only a length of fixed width can have", source=header
            )
        self._length, self._length_size = fields[-1].name, fields[-1].size
        self._layout = Layout(fields[:-1])
        sizes = {"payload": 0} | {name: self._layout.place(name)[1].size for name in self._layout.names}
        self._counted = counted_size(counts, sizes, header)
        check_counted_once(counts, self._layout, "header", header)
        self.field_names = self._layout.free_names
        self.header_names = (*self._layout.names, self._length)
        self.min_size = self._layout.size + 1
        self._largest = self._layout.size + self._length_size + (1 << 7 * self._length_size) - 1 - self._counted
        self.max_frame_size = min(DEFAULT_MAX_FRAME_SIZE, self._largest) if max_frame_size is None else max_frame_size
        check_limit("varint", self.max_frame_size, self.min_size, self._largest)
        self._prepare()

    def _prepare(self) -> None:
        self.max_frame_size = min(self.max_frame_size, self._largest)
        self.scan = None if self._layout.size else self._make_scan()

    def _read_length(self, buffer: Buffer, start: int, end: int) -> tuple[int, int] | None:
        """Return the length's value and where it ends. [F20]"""
        value = shift = 0
        first = start + self._layout.size
        for place in range(first, min(end, first + self._length_size)):
            byte = buffer[place]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value, place + 1
            shift += 7
        if end - first >= self._length_size:
            raise HeaderError(
                f"{self._length} does not end within {self._length_size} bytes",
                offset=first,
                field=self._length,
                expected="a last byte below 80",
                found=bytes(buffer[first : first + self._length_size]),
            )
        return None

    def measure(self, buffer: Buffer, start: int, end: int) -> int | None:
        """Tell the total size from the header. [F22]"""
        if self._layout.has_constants and end - start >= self._layout.size:
            self._layout.check(buffer, start)
        length = self._read_length(buffer, start, end)
        if length is None:
            return None
        value, payload_start = length
        if value < self._counted:
            raise HeaderError(
                f"{self._length} is smaller than what it counts",
                offset=start + self._layout.size,
                field=self._length,
                expected=f"{self._counted} or more",
                found=value,
            )
        return payload_start - start + value - self._counted

    def _make_scan(self) -> Scan:
        limit_size, size = self.max_frame_size, self._length_size

        def scan(buffer: bytes, start: int, end: int, limit: int, out: list[bytes]) -> int:
            append = out.append
            while start < end and limit:
                value, first = buffer[start], start + 1
                if value >= 0x80:
                    shift, value = 7, value & 0x7F
                    while True:
                        if first == end or first - start == size:
                            return start
                        byte = buffer[first]
                        first += 1
                        value |= (byte & 0x7F) << shift
                        if byte < 0x80:
                            break
                        shift += 7
                stop = first + value
                if stop > end or stop - start > limit_size:
                    break
                append(buffer[first:stop])
                start = stop
                limit -= 1
            return start

        return scan

    def bounds(self, buffer: Buffer, start: int, end: int) -> tuple[int, int]:
        """Tell where the payload lies: from the length to the end."""
        first = start + self._layout.size
        while buffer[first] >= 0x80:
            first += 1
        return first + 1, end

    def header(self, data: bytes) -> dict[str, Any]:
        """Return the fixed fields and the length."""
        fields = self._layout.read(data, 0)
        length = self._read_length(data, 0, len(data))
        fields[self._length] = length[0] if length else None
        return fields

    def serialize(self, payload: bytes, fields: Mapping[str, Any] | None = None) -> bytes:
        """Return the whole frame; the length is written in its shortest form."""
        values = dict(fields or ())
        unknown = values.keys() - {*self.header_names}
        if unknown:
            raise EncodeError(
                f"this format has no field {', '.join(sorted(unknown))}",
                hint=f"its fields are {', '.join(self.field_names) or 'none'}",
            )
        length = varint_bytes(len(payload) + self._counted)
        self.check_size(self._layout.size + len(length) + len(payload))
        return self._layout.write(values) + length + payload

    def layouts(self) -> dict[str, tuple[Part, ...]]:
        """Tell the fields, the length and the payload."""
        length = Part(self._length, None, f"varint{self._length_size}")
        return {"": (*self._layout.parts(), length, Part("payload"))}

    def __repr__(self) -> str:
        counts = f", counts={self._counts!r}" if self._counts != "payload" else ""
        return f"VarintFormat({self._header!r}{counts}, max_frame_size={self.max_frame_size})"


def varint_bytes(value: int) -> bytes:
    """Return the shortest LEB128 form of a number.

    >>> varint_bytes(300).hex(" ")
    'ac 02'
    """
    groups = bytearray()
    while value >= 0x80:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    groups.append(value)
    return bytes(groups)
