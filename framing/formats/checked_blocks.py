"""A payload in blocks of one size, each with a checksum behind it, as the frames of telecontrol have them.

    CheckedBlocksFormat(HeaderFormat(…), block_size=16, check="crc:u16le=crc16_dnp(payload)")         DNP3

    +- - - - -+----------------------+-------+     +-----------------+-------+
    | header  |  16 bytes            |  crc  |  …  |  the rest       |  crc  |
    +- - - - -+----------------------+-------+     +-----------------+-------+

The header's length counts the payload without the checksums. What the first block begins with may be fields of the
header, as DNP3's transport header is:

    +- - - - -+-----------+------------+-------+
    | header  | transport |  15 bytes  |  crc  |  …        first_block="transport"
    +- - - - -+-----------+------------+-------+

    +- - - - -+
    | header  |        header_alone=True: the length says that nothing follows, so there is no transport either
    +- - - - -+

Spec: [F137] and [F138], after IEC 60870-5-1, format FT3.
"""

from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any, Literal, cast

from framing.errors import ChecksumError, DefinitionError, EncodeError, HeaderError
from framing.formats.fields.checksums import CHECKSUMS, CRC_ORDERS
from framing.formats.fields.notation import Field, parse_notation
from framing.formats.header import HeaderFormat
from framing.formats.scans.blocks import Blocks, Head, block_scans
from framing.formats.scans.summed import Summed
from framing.frame import DEFAULT_MAX_FRAME_SIZE, Buffer, FrameFormat, check_limit, check_option
from framing.picture import Part

__all__ = ["CheckedBlocksFormat"]


class CheckedBlocksFormat(FrameFormat):
    """Frames of which each block of the payload has a checksum behind it; the payload comes without them.

    >>> frame = HeaderFormat("length:u8")
    >>> form = CheckedBlocksFormat(frame, block_size=4, check="sum:u8=sum8(payload)")
    >>> form.serialize(b"abcdef").hex(" ", 1)
    '06 61 62 63 64 8a 65 66 cb'

    Args:
        frame: what the frames would be without checksums: a header with a length, and nothing behind the payload. Its
            limit does not count.
        block_size: bytes of payload in each block but the last, which may have fewer. [F137]
        check: the checksum's field in the notation of a header, over `payload`, which is the block.
        first_block: the header's field that the first block begins with; by default it begins behind the header.
        header_alone: whether a frame may end where its first block would begin. It has none of the fields that the
            block begins with: they are `None`, and one without payload is written so if none of them is given. Only
            who defines the protocol knows whether such a length is a frame or a mistake, so that it must be asked for.
        max_frame_size: limit on the whole frame, checksums included.

    Raises:
        DefinitionError: an option that cannot work.
    """

    name = "checked_blocks"
    resyncs_at = "magic"

    def __init__(
        self,
        frame: FrameFormat,
        *,
        block_size: int,
        check: str,
        first_block: str = "",
        header_alone: bool = False,
        max_frame_size: int = DEFAULT_MAX_FRAME_SIZE,
    ) -> None:
        check_option("frame", frame, FrameFormat)
        check_option("block_size", block_size, int)
        check_option("check", check, str)
        check_option("first_block", first_block, str)
        check_option("header_alone", header_alone, bool)
        if not isinstance(frame, HeaderFormat) or not _is_divisible(frame):
            allowed = "a header with a length, and nothing else that ends with the frame"
            raise DefinitionError(
                "this frame has no payload to divide", key="frame", found=repr(frame), allowed=allowed
            )
        if block_size < 1:
            raise DefinitionError("no such block", key="block_size", found=block_size, allowed="1 or more bytes")
        self._first_block, lead = first_block, _lead(frame, first_block, block_size)
        self._lead_size = sum(field.size for field in lead)
        self._lead_names = tuple(name for field in lead for name in field.names)
        self._lead_count = len(lead)
        self._lead_is_checked = not {*self._lead_names} <= {*frame.field_names} - frame.constant_names
        self._alone = _alone(frame, lead) if header_alone else None
        shown = f", first_block={first_block!r}" if first_block else ""
        shown += ", header_alone=True" if header_alone else ""
        self._declared = f"block_size={block_size}, check={check!r}{shown}"
        self._check, self._block_size = _check_field(check), block_size
        self._compute = CHECKSUMS[self._function].compute
        self._frame = frame.limited(frame.largest)
        self.field_names, self.header_names = frame.field_names, frame.header_names
        shortest = self._alone or frame
        self.min_size, self.max_frame_size = shortest.min_size, max_frame_size
        self.verify, self.resync = self._verify, shortest.resync
        # Where in the frame the blocks begin.
        self._head_size = frame.min_size - self._lead_size
        self._prepare()

    @property
    def _function(self) -> str:
        assert self._check.checksum is not None
        return self._check.checksum.function

    def _prepare(self) -> None:
        largest = self._wire_size(self._frame.largest)
        check_limit(self.name, self.max_frame_size, (self._alone or self._frame).smallest)
        self.max_frame_size = min(self.max_frame_size, largest)
        runs_on = CRC_ORDERS.get(self._function) == self._order
        blocks = Blocks(self._block_size, self._check.size, self._order, self._compute, runs_on)
        self.scan, self.scan_frames = block_scans(self, self._head(blocks), blocks)

    def _head(self, blocks: Blocks) -> Head:
        """Tell what stands before the blocks, and whether its checksum may be computed along with theirs."""
        size, lead_size = self._head_size, self._lead_size
        closing = self._frame.closing(size)
        if closing and blocks.runs_on and size <= blocks.size + blocks.check_size:
            check, spans = closing
            if check == Summed(0, blocks.check_size, blocks.order, blocks.compute):
                return Head(size, lead_size, spans, closed=True)
        return Head(size, lead_size, self._frame.deciding(), closed=False)

    def _wire_size(self, size: int) -> int:
        blocks = -(-(size - self._frame.smallest + self._lead_size) // self._block_size)
        return size + blocks * self._check.size

    def measure(self, buffer: Buffer, start: int, end: int) -> int | None:
        """Tell the total size from the header: what it says, and the checksums. [F137]"""
        alone, frame = self._alone, self._frame
        if alone is None:
            size = frame.measure(buffer, start, end)
        else:
            size = alone.measure(buffer, start, end)
            if size is None or size == alone.smallest:
                return size
            if size < frame.smallest:
                raise self._broken_lead(alone, start, size)
            if self._lead_is_checked:
                size = frame.measure(buffer, start, end)
        return None if size is None else self._wire_size(size)

    def _broken_lead(self, alone: HeaderFormat, start: int, size: int) -> HeaderError:
        name = alone.declared["length"].split("+")[0].strip()
        return HeaderError(
            f"{name} ends the frame inside {', '.join(self._lead_names)}, which the first block begins with",
            offset=start + _offset(alone, name),
            field=name,
            expected=f"without checksums a frame of {alone.smallest} bytes, or of {self._frame.smallest} or more",
            found=f"one of {size}",
        )

    def bounds(self, buffer: Buffer, start: int, end: int) -> tuple[int, int]:
        """Tell where what is behind the header lies, with the blocks' checksums."""
        first, last = self._frame.bounds(buffer, start, end)
        return min(first, last), last  # which of a header alone is its end

    def _verify(self, buffer: Buffer, start: int, end: int) -> None:
        step = self._block_size + self._check.size
        for place in range(start + self._head_size, end, step):
            last = min(place + step, end) - self._check.size
            found = int.from_bytes(buffer[last : last + self._check.size], self._order)
            expected = self._compute(bytes(buffer[place:last]))
            if found != expected:
                raise ChecksumError(
                    f"{self._check.name} does not fit the block before it",
                    offset=last,
                    field=self._check.name,
                    expected=hex(expected),
                    found=hex(found),
                )

    @property
    def _order(self) -> Literal["big", "little"]:
        return cast(Literal["big", "little"], self._check.byteorder or "big")

    def payload(self, buffer: Buffer, start: int, end: int) -> bytes:
        """Return the blocks without their checksums."""
        first = start + self._head_size
        size, step = self._block_size, self._block_size + self._check.size
        last = end - self._check.size
        blocks = b"".join(bytes(buffer[place : min(place + size, last)]) for place in range(first, last, step))
        return blocks[self._lead_size :]

    def header(self, data: bytes) -> dict[str, Any]:
        """Return the fields of the header; those of the first block are `None` where there is no block."""
        if self._alone is not None and len(data) == self._alone.smallest:
            return self._alone.header(data) | dict.fromkeys(self._lead_names)
        return self._frame.header(data)

    def serialize(self, payload: bytes, fields: Mapping[str, Any] | None = None) -> bytes:
        """Return the whole frame, each checksum computed. [F138]

        With `header_alone`, fields of the first block that are `None` count as left out.
        """
        if self._alone is not None:
            names = self._lead_names
            fields = {key: value for key, value in (fields or {}).items() if value is not None or key not in names}
            if fields.keys().isdisjoint(names):
                return self._written_alone(self._alone, payload, fields)
        frame = self._frame.serialize(payload, fields)
        self.check_size(self._wire_size(len(frame)))
        first, size = len(frame) - len(payload) - self._lead_size, self._block_size
        parts = [frame[:first]]
        for place in range(first, len(frame), size):
            block = frame[place : place + size]
            parts += [block, self._compute(block).to_bytes(self._check.size, self._order)]
        return b"".join(parts)

    def _written_alone(self, alone: HeaderFormat, payload: bytes, fields: Mapping[str, Any]) -> bytes:
        if payload:
            reason = "a payload needs the fields that its first block begins with"
            raise EncodeError(reason, path=self._lead_names[0], hint=f"they are {', '.join(self._lead_names)}")
        return alone.serialize(b"", fields)

    def has_field(self, name: str, fields: Mapping[str, Any]) -> bool:
        """Tell whether a frame with these other fields has a field: one of the first block, with another one of it."""
        if self._alone is None or name not in self._lead_names:
            return super().has_field(name, fields)
        others = (fields.get(one) for one in self._lead_names if one != name)
        return name in self.field_names and any(value is not None for value in others)

    def layouts(self) -> dict[str, tuple[Part, ...]]:
        """Tell the header's fields, and the first block."""
        (parts,) = self._frame.layouts().values()
        if self._alone is not None:
            head, lead = parts[: -1 - self._lead_count], parts[-1 - self._lead_count : -1]
            parts = (*head, *(one._replace(size=None, text=f"{one.text} if blocks follow") for one in lead), parts[-1])
        begin = f", from {self._first_block} on" if self._first_block else ""
        text = f"of each {self._block_size} bytes before it{begin}"
        return {"": (*parts[:-1], Part("payload"), Part(self._check.name, self._check.size, text))}

    def __repr__(self) -> str:
        shown = f"{self._frame!r}, {self._declared}, max_frame_size={self.max_frame_size}"
        return f"CheckedBlocksFormat({shown})"


def _is_divisible(frame: HeaderFormat) -> bool:
    return frame.payload_last and frame.verify is None and frame.smallest < frame.largest


def _header_fields(frame: HeaderFormat) -> list[Field]:
    return parse_notation(frame.declared["header"], ordered=frame.declared["byteorder"] is None, computed=True)


def _lead(frame: HeaderFormat, name: str, block_size: int) -> list[Field]:
    """Return the fields of the header that are the first block's."""
    if not name:
        return []
    fields = _header_fields(frame)
    number = next((number for number, field in enumerate(fields) if name in field.names), None)
    if number is None:
        allowed = ", ".join(frame.header_names)
        raise DefinitionError(f"the header has no field {name}", key="first_block", found=name, allowed=allowed)
    lead = fields[number:]
    size = sum(field.size for field in lead)
    if size > block_size:
        reason = "so much of the header is no block's beginning"
        raise DefinitionError(reason, key="first_block", found=size, allowed=f"{block_size} bytes at most")
    return lead


def _alone(frame: HeaderFormat, lead: Sequence[Field]) -> HeaderFormat:
    """Return the header without the fields of the first block, which its length counts like a payload.

    Raises:
        DefinitionError: it is none, the length does not count all of them, or none is the application's, which tells
            the two apart when a frame without payload is written.
    """
    names = {name for field in lead for name in field.names}
    if names.isdisjoint(frame.field_names):
        allowed = "a first_block that begins with a field of the application's"
        raise DefinitionError(
            "a frame without payload could be either", key="header_alone", found=True, allowed=allowed
        )
    header, counts = frame.declared["header"], frame.declared["counts"].split()
    options = {key: value for key, value in frame.declared.items() if value is not None}
    options |= {"header": header[: lead[0].position], "counts": " ".join(one for one in counts if one not in names)}
    try:
        alone = HeaderFormat(**options)
    except DefinitionError as error:
        reason = f"the header cannot be without {lead[0].names[0]}: {error}"
        raise DefinitionError(reason, key="header_alone", found=True) from error
    # The same number says as much with all that the fields have counted as without: as much as the largest one does.
    if alone.largest != frame.largest or alone.length_number(0) is None or "pad" in options:
        allowed = f"a length that counts all from {lead[0].names[0]} on, without padding"
        raise DefinitionError(
            "no length says that the header is alone", key="header_alone", found=True, allowed=allowed
        )
    return alone


def _offset(frame: HeaderFormat, name: str) -> int:
    """Return where a field of the header stands."""
    return sum(field.size for field in takewhile(lambda field: name not in field.names, _header_fields(frame)))


def _check_field(check: str) -> Field:
    fields = parse_notation(check, "check", computed=True)
    if len(fields) != 1 or fields[0].checksum is None or [*fields[0].checksum.parts] != ["payload"]:
        allowed = "such as crc:u16le=crc16_dnp(payload)"
        raise DefinitionError("this is not one checksum over the payload", key="check", found=check, allowed=allowed)
    return fields[0]
