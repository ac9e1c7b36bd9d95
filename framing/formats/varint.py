"""A header with numbers of variable width: the length, and perhaps others.

    VarintFormat("(type:4 flags:4):u8 length:varint4")        MQTT

    0        1                         1 to 4 bytes later
    +----+---+- - - - - - - - - - - - -+- - - - - - -+
    |type|flg|  length, 7 bits a byte  |   payload   |
    +----+---+- - - - - - - - - - - - -+- - - - - - -+

    VarintFormat("type:quic length:quic")                     HTTP/3 (RFC 9114, 7.1)
    VarintFormat("length:varint3 id:varint5", counts="id payload")                     Minecraft, uncompressed

    0                 1 to 3 bytes later   1 to 5 bytes later
    +- - - - - - - - -+- - - - - - - - - - +- - - - - - -+
    |     length      |         id         |   payload   |
    +- - - - - - - - -+- - - - - - - - - - +- - - - - - -+
                      |<------------ length ------------>|

Spec: [F20] to [F22], [F97], [F98].
"""

from collections.abc import Mapping
from typing import Any

from framing.errors import DefinitionError, EncodeError, FrameError, FrameTooLargeError, HeaderError
from framing.formats.fields.counts import check_counted_once, counted_size
from framing.formats.fields.layout import Layout
from framing.formats.fields.magic import layout_resync
from framing.formats.fields.notation import Field, parse_notation
from framing.formats.fields.parts import field_parts
from framing.formats.fields.varints import Leb128, Quic, Varint, make_varint
from framing.formats.scans.known import known_scans
from framing.formats.scans.numbers import leb128_scan, quic_scan
from framing.frame import DEFAULT_MAX_FRAME_SIZE, Buffer, FrameFormat, Scan, check_limit, check_option
from framing.picture import Part

__all__ = ["VarintFormat"]


class VarintFormat(FrameFormat):
    """Frames whose header has fields of variable width.

    >>> format = VarintFormat()
    >>> format.serialize(b"x" * 300)[:4].hex(" ")
    'ac 02 78 78'

    Args:
        header: fields of fixed width, and of the types `varint`, `quic` and `gob`, perhaps with the most bytes that one
            may have: `varint4`. One of the fields is the length.
        length: the name of the field that is the length.
        counts: what the length counts besides the payload: fields by name, or "header" for all; not itself, if its
            width is variable.
        minimal: whether a number in more bytes than it needs is an error. If not, it is taken as it is: Protocol
            Buffers allows it, and some peers reserve room for the length. The shortest form is written. [F21]
        max_frame_size: limit on the whole frame, by default 1 MiB or what the length can announce.
    """

    name = "varint"
    payload_last = True
    size_first = True
    resyncs_at = "magic"

    def __init__(
        self,
        header: str = "length:varint",
        *,
        length: str = "length",
        counts: str = "payload",
        minimal: bool = False,
        max_frame_size: int | None = None,
    ) -> None:
        for key, value in (("header", header), ("length", length), ("counts", counts)):
            check_option(key, value, str)
        check_option("minimal", minimal, bool)
        self._header, self._length, self._counts, self._minimal = header, length, counts, minimal
        fields = parse_notation(header)
        self._check_fields(fields)
        self._fields, self._parts = fields, _parts(fields, minimal=minimal)
        self._learn_names()
        self._learn_counts(fields)
        self._learn_size()
        self.max_frame_size = min(DEFAULT_MAX_FRAME_SIZE, self._largest) if max_frame_size is None else max_frame_size
        check_limit("varint", self.max_frame_size, self.min_size, self._largest)
        first = self._parts[0]
        if isinstance(first, Layout) and first.has_constants:
            self.resync = layout_resync([first])
        self._prepare()

    def _check_fields(self, fields: list[Field]) -> None:
        names = [name for field in fields for name in field.names]
        if self._length not in names:
            raise DefinitionError(
                f"no header field is called {self._length}, so nothing tells where a frame ends",
                source=self._header,
                key="length",
                found=self._length,
                allowed=", ".join(names) or "a field",
            )
        if all(field.kind != "varint" for field in fields):
            raise DefinitionError(
                "no field has a variable width", source=self._header, key="header", hint="use the format header"
            )
        for field in fields:
            if field.scale != 1:
                raise DefinitionError(
                    f"{field.name} has a scale, which only a length of fixed width can have",
                    source=self._header,
                    position=field.position,
                )
            if self._length in field.names and (field.kind == "bytes" or not _is_free(field, self._length)):
                raise DefinitionError(
                    "a length must be a free integer", source=self._header, key="length", found=self._length
                )

    def _learn_names(self) -> None:
        self._varints = {part.name: part for part in self._parts if isinstance(part, Varint)}
        layouts = [part for part in self._parts if isinstance(part, Layout)]
        self._length_layout = next((layout for layout in layouts if self._length in layout.names), None)
        named = [part.names if isinstance(part, Layout) else (part.name,) for part in self._parts]
        self.header_names = tuple(name for names in named for name in names)
        free = {name for layout in layouts for name in layout.free_names} | self._varints.keys()
        self.field_names = tuple(name for name in self.header_names if name in free and name != self._length)

    def _learn_counts(self, fields: list[Field]) -> None:
        sizes = {name: 0 if field.kind == "varint" else field.size for field in fields for name in field.names}
        fixed = {part for part in self._parts if isinstance(part, Layout)}
        if self._length in self._varints:
            sizes.pop(self._length)
        else:
            sizes |= {"header": sum(layout.size for layout in fixed), "trailer": 0}
        self._counted = counted_size(self._counts, {"payload": 0} | sizes, self._header)
        for layout in fixed:
            check_counted_once(self._counts, layout, "header", self._header)
        words = self._counts.split()
        everything = "header" in words or words == ["frame"]
        if everything and (strange := [name for name in self._varints if name in words]):
            raise DefinitionError(
                f"a length counts {strange[0]} twice: it is part of the header",
                source=self._header,
                key="counts",
                found=self._counts,
            )
        self._counted_varints = {name for name in self._varints if everything or name in words}

    def _learn_size(self) -> None:
        fixed = sum(part.size for part in self._parts if isinstance(part, Layout))
        self.min_size = fixed + len(self._varints)
        length = self._length_layout
        most = self._varints[self._length].largest if length is None else length.largest(self._length)
        uncounted = [one.size for one in self._varints.values() if one.name not in self._counted_varints]
        self._largest = most + fixed - self._counted + sum(uncounted)

    def _prepare(self) -> None:
        self.max_frame_size = min(self.max_frame_size, self._largest)
        known, self.scan_frames = known_scans(self, self._header_end)
        self.scan = self._make_scan() or known

    def _header_end(self, buffer: bytes, start: int, end: int) -> int:
        try:
            walked = self._walk(buffer, start, end)
        except FrameError:
            return -1
        return -1 if walked is None else walked[3]

    def _walk(self, buffer: Buffer, start: int, end: int) -> tuple[int, int, int, int] | None:
        """Return the length, how much of the header it counts, where it stands and where the header ends."""
        place, counted, value, length_place, excess = start, self._counted, 0, start, 0
        for part in self._parts:
            if isinstance(part, Layout):
                if end - place < part.size:
                    return None
                if part.has_constants:
                    part.check(buffer, place)
                if part is self._length_layout:
                    number = part.value(buffer, place, self._length)
                    assert isinstance(number, int)
                    value, length_place = number, place + part.place(self._length)[0]
                place += part.size
                continue
            read, begin = part.read(buffer, place, end), place
            if read is None:
                return None
            if part.name == self._length:
                value, length_place = read[0], place
            elif part.name in self._counted_varints:
                counted += read[1] - place
            place = read[1]
            excess += place - begin - 1
            if excess > self.max_frame_size - self.min_size:
                raise self._too_large(start, self.min_size + excess)
        return value, counted, length_place, place

    def _too_large(self, start: int, header_size: int) -> FrameTooLargeError:
        """Return the error about a header that is itself larger than the limit, before more of it is waited for."""
        return FrameTooLargeError(
            "a frame of format varint is too large, whatever its payload",
            offset=start,
            frame_size=header_size,
            max_frame_size=self.max_frame_size,
        )

    def measure(self, buffer: Buffer, start: int, end: int) -> int | None:
        """Tell the total size from the header. [F22]"""
        walked = self._walk(buffer, start, end)
        if walked is None:
            return None
        value, counted, place, payload_start = walked
        if value < counted:
            raise HeaderError(
                f"{self._length} is smaller than what it counts",
                offset=place,
                field=self._length,
                expected=f"{counted} or more",
                found=value,
            )
        return payload_start - start + value - counted

    def _make_scan(self) -> Scan | None:
        """Return a loop for a header about which there is nothing to check but its length."""
        length = self._varints.get(self._length)
        layouts = [part for part in self._parts if isinstance(part, Layout)]
        if self._minimal or any(layout.has_constants for layout in layouts):
            return None
        if type(length) is Leb128 and len(self._varints) == 1:
            before = self._parts[0].size if isinstance(self._parts[0], Layout) else 0
            after = sum(layout.size for layout in layouts) - before
            return leb128_scan(before, after, length_size=length.size, counted=self._counted, most=self.max_frame_size)
        if {*map(type, self._parts)} == {Quic} and self._parts[1:] in ([], [length]) and not self._counted_varints:
            before = self._parts[0].size if self._parts[1:] else 0
            assert length is not None
            return quic_scan(before, length.size, self.max_frame_size)
        return None

    def bounds(self, buffer: Buffer, start: int, end: int) -> tuple[int, int]:
        """Tell where the payload lies: from the header to the end."""
        walked = self._walk(buffer, start, end)
        assert walked is not None
        return walked[3], end

    def header(self, data: bytes) -> dict[str, Any]:
        """Return every field."""
        fields: dict[str, Any] = {}
        place = 0
        for part in self._parts:
            if isinstance(part, Layout):
                fields |= part.read(data, place)
                place += part.size
            elif (read := part.read(data, place, len(data))) is not None:
                fields[part.name], place = read
        return fields

    def serialize(self, payload: bytes, fields: Mapping[str, Any] | None = None) -> bytes:
        """Return the whole frame; every number is written in its shortest form."""
        values = dict(fields or ())
        if unknown := values.keys() - {*self.header_names}:
            raise EncodeError(
                f"this format has no field {', '.join(sorted(unknown))}",
                hint=f"its fields are {', '.join(self.field_names) or 'none'}",
            )
        varints = {name: one.written(values.get(name)) for name, one in self._varints.items() if name != self._length}
        counted = len(payload) + self._counted + sum(len(varints[name]) for name in self._counted_varints)
        size = sum(part.size for part in self._parts if isinstance(part, Layout)) + len(payload)
        size += sum(map(len, varints.values()))
        if self._length_layout is None:
            length = self._varints[self._length]
            self._check_room(counted, length.largest, size + length.size)
            varints[self._length] = length.write(counted)
            size += len(varints[self._length])
        else:
            self._check_room(counted, self._length_layout.largest(self._length), size)
            values[self._length] = counted
        self.check_size(size)
        parts = [part.write(values) if isinstance(part, Layout) else varints[part.name] for part in self._parts]
        return b"".join((*parts, payload))

    def _check_room(self, counted: int, largest: int, size: int) -> None:
        if counted > largest:
            self.check_size(size)
            raise FrameTooLargeError("the length does not fit its field", frame_size=size, field=self._length)

    def layouts(self) -> dict[str, tuple[Part, ...]]:
        """Tell the fields and the payload."""
        return {"": (*field_parts(self._fields), Part("payload"))}

    def __repr__(self) -> str:
        plain = {"length": "length", "counts": "payload", "minimal": False}
        given = {"length": self._length, "counts": self._counts, "minimal": self._minimal}
        shown = "".join(f", {key}={value!r}" for key, value in given.items() if value != plain[key])
        return f"VarintFormat({' '.join(self._header.split())!r}{shown}, max_frame_size={self.max_frame_size})"


def _parts(fields: list[Field], *, minimal: bool) -> list[Layout | Varint]:
    """Return the header as runs of fixed fields and the numbers of variable width between them."""
    parts: list[Layout | Varint] = []
    run: list[Field] = []
    for field in fields:
        if field.kind != "varint":
            run.append(field)
            continue
        if run:
            parts.append(Layout(run))
        parts.append(make_varint(field, minimal=minimal))
        run = []
    return [*parts, Layout(run)] if run else parts


def _is_free(field: Field, name: str) -> bool:
    bits = next((part for part in field.bits if part.name == name), None)
    return not (bits.allowed if bits else field.allowed)
