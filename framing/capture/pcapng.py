"""pcapng files: sections of blocks.

    type:u32 total:u32 body total:u32                                               each block, a multiple of 4 bytes
    magic:u32 major:u16 minor:u16 section:i64 options                               0x0a0d0d0a  section: starts anew
    link:u16 reserved:u16 snaplen:u32 options                                       1           interface
    interface:u16 drops:u16 high:u32 low:u32 captured:u32 original:u32 data         2           packet (obsolete)
    original:u32 data                                                               3           simple packet
    interface:u32 high:u32 low:u32 captured:u32 original:u32 data options           6           enhanced packet

The section's magic tells the byte order of everything up to the next section [P3].
"""

from collections.abc import Iterator
from struct import Struct

from framing.capture.notes import Note, notes_of
from framing.capture.ordinary import LINK_TYPE, Batch, Joining, PcapngLayout
from framing.capture.packet import Packet
from framing.capture.scanning import pcapng_scan
from framing.capture.source import MAX_RECORD_SIZE, Source

__all__ = ["SECTION", "read_notes", "read_pcapng"]

# Reads the same in both byte orders: that is why this number was chosen.
SECTION = b"\x0a\x0d\x0d\x0a"
_SECTION_TYPE = 0x0A0D0D0A
_INTERFACE_TYPE = 1
_OLD_PACKET_TYPE = 2
_SIMPLE_PACKET_TYPE = 3
_PACKET_TYPE = 6

_SECTION_SIZE = 28
_INTERFACE_SIZE = 20
_SIMPLE_PACKET_SIZE = 16
_PACKET_SIZE = 32

# [P4] As many as the obsolete packet block can name. A file of nothing but interfaces would fill the memory.
_MAX_INTERFACES = 65536

_END_OPTION = 0
_RESOLUTION_OPTION = 9
_OFFSET_OPTION = 14

_ORDERS = {b"\x1a\x2b\x3c\x4d": ">", b"\x4d\x3c\x2b\x1a": "<"}


class _Order:
    """The structs of one byte order."""

    __slots__ = ("block", "interface", "is_big", "offset", "old_packet", "option", "packet", "size", "version")

    def __init__(self, sign: str) -> None:
        self.is_big = sign == ">"
        self.block = Struct(sign + "II")
        self.size = Struct(sign + "I")
        self.version = Struct(sign + "HH")
        self.interface = Struct(sign + "HxxI")
        self.option = Struct(sign + "HH")
        self.offset = Struct(sign + "q")
        self.packet = Struct(sign + "IIIII")
        self.old_packet = Struct(sign + "HxxIIII")


class _Interface:
    """What a packet takes from its interface: the link type, the snap length and how to read its time."""

    __slots__ = ("_divisor", "_factor", "_offset_ns", "link_type", "snap_size")

    def __init__(self, link_type: int, snap_size: int) -> None:
        self.link_type = link_type
        self.snap_size = snap_size
        self.set_resolution(6)
        self._offset_ns = 0

    def set_resolution(self, exponent: int) -> None:
        """[P6] Units of 10**-exponent seconds, or of 2**-exponent with the top bit set."""
        units = 1 << (exponent & 0x7F) if exponent & 0x80 else 10**exponent
        # One integer factor where that is exact, which it is for all but the oddest clocks.
        exact = units <= 1_000_000_000 and 1_000_000_000 % units == 0
        self._factor = 1_000_000_000 // units if exact else 1_000_000_000
        self._divisor = 1 if exact else units

    def set_offset(self, seconds: int) -> None:
        """[P6] Seconds to be added to every time of this interface."""
        self._offset_ns = seconds * 1_000_000_000

    @property
    def clock(self) -> tuple[int, int]:
        """Nanoseconds in a tick and those to add; (0, 0) where a tick is no whole number of them."""
        return (self._factor, self._offset_ns) if self._divisor == 1 else (0, 0)

    def timestamp_ns(self, ticks: int) -> int:
        """Return nanoseconds since 1970."""
        return ticks * self._factor // self._divisor + self._offset_ns


def read_pcapng(source: Source, joining: Joining | None = None) -> Iterator[Packet | Batch]:
    """Yield the packets of a pcapng file; every block that is no packet is passed over.

    Args:
        source: the file.
        joining: as for `read_pcap`.

    Raises:
        CaptureFileError: after the last good packet, where the file is truncated or damaged.
    """
    reader = _Reader(source)
    while source.has(12):
        batch = reader.scan(joining) if joining is not None and joining.flows else None
        if batch is not None:
            yield batch
            continue
        kind, size = reader.next_block()
        packet = reader.packet(kind, size)
        source.start += size
        if packet is not None:
            yield packet
    if source.start < len(source.buffer):
        raise source.truncated("a block header", reader.packet_count + 1)


def read_notes(source: Source) -> Iterator[Note]:
    """Yield the comments and secrets of a pcapng file, in its order.

    Raises:
        CaptureFileError: as `read_pcapng`.
    """
    reader = _Reader(source)
    while source.has(12):
        kind, size = reader.next_block()
        reader.packet(kind, size)
        block = source.buffer[source.start : source.start + size]
        source.start += size
        yield from notes_of(kind, block, reader.packet_count, is_big=reader.is_big)
    if source.start < len(source.buffer):
        raise source.truncated("a block header", reader.packet_count + 1)


class _Reader:
    """The state of a file: the section's byte order, its interfaces, the packets so far."""

    __slots__ = ("_clocks", "_interfaces", "_order", "_scan", "_source", "packet_count")

    def __init__(self, source: Source) -> None:
        self._source = source
        self._scan = pcapng_scan()
        self._order = _Order("<")
        self._interfaces: list[_Interface] = []
        self._clocks: list[tuple[int, int]] = []
        self.packet_count = 0

    @property
    def is_big(self) -> bool:
        """Whether the section's numbers are big-endian."""
        return self._order.is_big

    def scan(self, joining: Joining) -> Batch | None:
        """Put the ordinary packets in the blocks at hand into their flows, up to the first block that is no such."""
        source, before = self._source, self.packet_count
        layout = PcapngLayout(self._order.is_big, self._clocks)
        scanned = self._scan(source.buffer, source.start, before, layout, joining)
        source.start, self.packet_count, chunks, ends = scanned
        count = self.packet_count - before
        return Batch(chunks, ends, self.packet_count, count) if count else None

    def next_block(self) -> tuple[int, int]:
        """Return the next block's type and size, once it is whole in the buffer and its frame is right."""
        source = self._source
        if source.buffer.startswith(SECTION, source.start):
            self._begin_section()
        kind, size = self._order.block.unpack_from(source.buffer, source.start)
        if size > MAX_RECORD_SIZE or size < 12 or size % 4:
            raise self._damaged("a block with a length that none can have", size)
        if not source.has(size):
            raise source.truncated("a block", self.packet_count + 1)
        (again,) = self._order.size.unpack_from(source.buffer, source.start + size - 4)
        if again != size:
            raise self._damaged("a block whose two lengths differ", f"{size} and {again}")
        if kind == _SECTION_TYPE:
            self._check_section(size)
        return kind, size

    def packet(self, kind: int, size: int) -> Packet | None:
        """Return the packet in the block at hand, or `None` if it is another kind of block."""
        if kind == _PACKET_TYPE:
            return self._packet(size, self._order.packet)
        if kind == _INTERFACE_TYPE:
            interface = self._interface(size)
            self._interfaces.append(interface)
            self._clocks.append(interface.clock if interface.link_type == LINK_TYPE else (0, 0))
        elif kind == _SIMPLE_PACKET_TYPE:
            return self._simple_packet(size)
        elif kind == _OLD_PACKET_TYPE:
            return self._packet(size, self._order.old_packet)
        return None

    def _begin_section(self) -> None:
        """Learn the byte order, which even the length of this very block is written in."""
        source = self._source
        magic = source.buffer[source.start + 8 : source.start + 12]
        sign = _ORDERS.get(magic)
        if sign is None:
            raise self._damaged("a section without a byte-order magic", magic)
        self._order = _Order(sign)
        self._interfaces, self._clocks = [], []

    def _check_section(self, size: int) -> None:
        if size < _SECTION_SIZE:
            raise self._damaged("a section header that is too short", size)
        major, minor = self._order.version.unpack_from(self._source.buffer, self._source.start + 12)
        if major != 1:
            raise self._damaged("a pcapng section of an unknown version", f"version {major}.{minor}, not 1.x")

    def _interface(self, size: int) -> _Interface:
        if size < _INTERFACE_SIZE:
            raise self._damaged("an interface block that is too short", size)
        if len(self._interfaces) == _MAX_INTERFACES:
            raise self._damaged("a section with more interfaces than any has", _MAX_INTERFACES + 1)
        source = self._source
        interface = _Interface(*self._order.interface.unpack_from(source.buffer, source.start + 8))
        for code, value in self._options(source.start + 16, source.start + size - 4):
            if code == _RESOLUTION_OPTION and len(value) == 1:
                interface.set_resolution(value[0])
            elif code == _OFFSET_OPTION and len(value) == 8:
                interface.set_offset(self._order.offset.unpack(value)[0])
        return interface

    def _options(self, position: int, end: int) -> Iterator[tuple[int, bytes]]:
        while position + 4 <= end:
            code, size = self._order.option.unpack_from(self._source.buffer, position)
            if code == _END_OPTION:
                return
            position += 4
            if position + size > end:
                raise self._damaged("an option that is longer than its block", size)
            yield code, self._source.buffer[position : position + size]
            position += (size + 3) & ~3

    def _packet(self, size: int, layout: Struct) -> Packet:
        if size < _PACKET_SIZE:
            raise self._damaged("a packet block that is too short", size)
        source = self._source
        number, high, low, captured, original = layout.unpack_from(source.buffer, source.start + 8)
        if captured > size - _PACKET_SIZE:
            raise self._damaged("a packet that is longer than its block", captured)
        interface = self._interface_of(number)
        start = source.start + 28
        data = source.buffer[start : start + captured]
        self.packet_count += 1
        ticks = interface.timestamp_ns(high << 32 | low)
        return Packet(self.packet_count, ticks, interface.link_type, data, original)

    def _simple_packet(self, size: int) -> Packet:
        """[P6] A simple packet has no time, and no size but the wire's: the snap length says what was kept."""
        if size < _SIMPLE_PACKET_SIZE:
            raise self._damaged("a packet block that is too short", size)
        source = self._source
        (original,) = self._order.size.unpack_from(source.buffer, source.start + 8)
        interface = self._interface_of(0)
        captured = min(original, interface.snap_size or original)
        if captured > size - _SIMPLE_PACKET_SIZE:
            raise self._damaged("a packet that is longer than its block", captured)
        start = source.start + 12
        self.packet_count += 1
        return Packet(self.packet_count, None, interface.link_type, source.buffer[start : start + captured], original)

    def _interface_of(self, number: int) -> _Interface:
        if number >= len(self._interfaces):
            raise self._damaged("a packet of an interface that the section does not have", number)
        return self._interfaces[number]

    def _damaged(self, reason: str, found: object) -> Exception:
        return self._source.damaged(reason, self.packet_count + 1, found)
