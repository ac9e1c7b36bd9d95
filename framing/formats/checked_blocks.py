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

Spec: [F137] and [F138], after IEC 60870-5-1, format FT3.
"""

from collections.abc import Mapping
from typing import Any, Literal, cast

from framing.errors import ChecksumError, DefinitionError
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
        max_frame_size: int = DEFAULT_MAX_FRAME_SIZE,
    ) -> None:
        check_option("frame", frame, FrameFormat)
        check_option("block_size", block_size, int)
        check_option("check", check, str)
        check_option("first_block", first_block, str)
        if not isinstance(frame, HeaderFormat) or not _is_divisible(frame):
            allowed = "a header with a length, and nothing else that ends with the frame"
            raise DefinitionError(
                "this frame has no payload to divide", key="frame", found=repr(frame), allowed=allowed
            )
        if block_size < 1:
            raise DefinitionError("no such block", key="block_size", found=block_size, allowed="1 or more bytes")
        self._first_block, self._lead_size = first_block, _lead_size(frame, first_block, block_size)
        shown = f", first_block={first_block!r}" if first_block else ""
        self._declared = f"block_size={block_size}, check={check!r}{shown}"
        self._check, self._block_size = _check_field(check), block_size
        self._compute = CHECKSUMS[self._function].compute
        self._frame = frame.limited(frame.largest)
        self.field_names, self.header_names = frame.field_names, frame.header_names
        self.min_size = frame.min_size
        self.max_frame_size = max_frame_size
        self.verify, self.resync = self._verify, frame.resync
        self._prepare()

    @property
    def _function(self) -> str:
        assert self._check.checksum is not None
        return self._check.checksum.function

    def _prepare(self) -> None:
        largest = self._wire_size(self._frame.largest)
        check_limit(self.name, self.max_frame_size, self._frame.smallest)
        self.max_frame_size = min(self.max_frame_size, largest)
        runs_on = CRC_ORDERS.get(self._function) == self._order
        blocks = Blocks(self._block_size, self._check.size, self._order, self._compute, runs_on)
        self.scan, self.scan_frames = block_scans(self, self._head(blocks), blocks)

    def _head(self, blocks: Blocks) -> Head:
        """Tell what stands before the blocks, and whether its checksum may be computed along with theirs."""
        lead_size = self._lead_size
        size = self._frame.min_size - lead_size
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
        size = self._frame.measure(buffer, start, end)
        return None if size is None else self._wire_size(size)

    def bounds(self, buffer: Buffer, start: int, end: int) -> tuple[int, int]:
        """Tell where what is behind the header lies, with the blocks' checksums."""
        return self._frame.bounds(buffer, start, end)

    def _verify(self, buffer: Buffer, start: int, end: int) -> None:
        first, _ = self.bounds(buffer, start, end)
        step = self._block_size + self._check.size
        for place in range(first - self._lead_size, end, step):
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
        first = self.bounds(buffer, start, end)[0] - self._lead_size
        size, step = self._block_size, self._block_size + self._check.size
        last = end - self._check.size
        blocks = b"".join(bytes(buffer[place : min(place + size, last)]) for place in range(first, last, step))
        return blocks[self._lead_size :]

    def header(self, data: bytes) -> dict[str, Any]:
        """Return the fields of the header."""
        return self._frame.header(data)

    def serialize(self, payload: bytes, fields: Mapping[str, Any] | None = None) -> bytes:
        """Return the whole frame, each checksum computed. [F138]"""
        frame = self._frame.serialize(payload, fields)
        self.check_size(self._wire_size(len(frame)))
        first, size = len(frame) - len(payload) - self._lead_size, self._block_size
        parts = [frame[:first]]
        for place in range(first, len(frame), size):
            block = frame[place : place + size]
            parts += [block, self._compute(block).to_bytes(self._check.size, self._order)]
        return b"".join(parts)

    def layouts(self) -> dict[str, tuple[Part, ...]]:
        """Tell the header's fields, and the first block."""
        (parts,) = self._frame.layouts().values()
        begin = f", from {self._first_block} on" if self._first_block else ""
        text = f"of each {self._block_size} bytes before it{begin}"
        return {"": (*parts[:-1], Part("payload"), Part(self._check.name, self._check.size, text))}

    def __repr__(self) -> str:
        shown = f"{self._frame!r}, {self._declared}, max_frame_size={self.max_frame_size}"
        return f"CheckedBlocksFormat({shown})"


def _is_divisible(frame: HeaderFormat) -> bool:
    return frame.payload_last and frame.verify is None and frame.smallest < frame.largest


def _lead_size(frame: HeaderFormat, name: str, block_size: int) -> int:
    """Return how many bytes of the header are the first block's."""
    if not name:
        return 0
    (parts,) = frame.layouts().values()
    fields = [part for part in parts if part.size is not None]
    for number, part in enumerate(fields):
        if name in (part.name, *(bit.partition(":")[0] for bit in part.bits)):
            size = sum(one.size or 0 for one in fields[number:])
            if size > block_size:
                reason = "so much of the header is no block's beginning"
                raise DefinitionError(reason, key="first_block", found=size, allowed=f"{block_size} bytes at most")
            return size
    allowed = ", ".join(frame.header_names)
    raise DefinitionError(f"the header has no field {name}", key="first_block", found=name, allowed=allowed)


def _check_field(check: str) -> Field:
    fields = parse_notation(check, "check", computed=True)
    if len(fields) != 1 or fields[0].checksum is None or [*fields[0].checksum.parts] != ["payload"]:
        allowed = "such as crc:u16le=crc16_dnp(payload)"
        raise DefinitionError("this is not one checksum over the payload", key="check", found=check, allowed=allowed)
    return fields[0]
