"""pcap files: a file header, then records.

    magic:4 version:4 zone:4 accuracy:4 snaplen:4 link:u32                          file header, 24 bytes
    seconds:u32 fraction:u32 captured:u32 original:u32 [4 or 8 more bytes] data     each record

The magic's byte order is that of all numbers, its value says what a fraction is [P2].
"""

from collections.abc import Iterator
from struct import Struct
from typing import Literal

from framing.capture.ordinary import LINK_TYPE, Batch, Joining, PcapLayout
from framing.capture.packet import Packet
from framing.capture.scanning import pcap_scan
from framing.capture.source import MAX_RECORD_SIZE, Source

__all__ = ["MAGICS", "read_pcap"]

_FILE_HEADER_SIZE = 24
_FILE_HEADER_FIELDS = "20xI"
_RECORD_FIELDS = "IIII"

# Nanoseconds in one fraction, and the record header's sizes to try. Nokia's tcpdump and Red Hat 6.1's put 4 and 8 bytes
# more into each record under the ordinary magic, so only the records themselves can tell. Kuznetzov's has its own.
_VARIANTS = {
    0xA1B2C3D4: (1000, (16, 20, 24)),
    0xA1B23C4D: (1, (16, 20, 24)),
    0xA1B2CD34: (1000, (24,)),
}

_SIGNS: tuple[tuple[Literal["big", "little"], str], ...] = (("big", ">"), ("little", "<"))

# The four first bytes of a pcap file → byte order, nanoseconds in a fraction, record header sizes.
MAGICS = {
    number.to_bytes(4, order): (sign, scale, sizes)
    for number, (scale, sizes) in _VARIANTS.items()
    for order, sign in _SIGNS
}

# [P7] The upper bits of the link field are flags and the length of the frame check sequence.
_LINK_TYPE_MASK = 0x03FF_FFFF

# How many records must look right before a variant is believed.
_PROBED_COUNT = 4


def read_pcap(source: Source, joining: Joining | None = None) -> Iterator[Packet | Batch]:
    """Yield the packets of a pcap file whose magic was recognised.

    Args:
        source: the file.
        joining: where a scan puts packets if it can; a batch is yielded instead of them.

    Raises:
        CaptureFileError: after the last good packet, where the file is truncated or damaged.
    """
    if not source.has(_FILE_HEADER_SIZE):
        raise source.truncated("its file header", 1)
    sign, scale, sizes = MAGICS[source.buffer[source.start : source.start + 4]]
    # [P2] The version is not looked at: it has been 2.4 since 1998, but for writers that have its bytes the wrong way.
    (link,) = Struct(sign + _FILE_HEADER_FIELDS).unpack_from(source.buffer, source.start)
    source.start += _FILE_HEADER_SIZE
    record = Struct(sign + _RECORD_FIELDS)
    layout = PcapLayout(sign == ">", _header_size(source, record, scale, sizes), scale)
    yield from _records(source, record, layout, link & _LINK_TYPE_MASK, joining)


def _records(
    source: Source, record: Struct, layout: PcapLayout, link_type: int, joining: Joining | None
) -> Iterator[Packet | Batch]:
    """Yield packets block by block: inside a block nothing is copied but the packet's own bytes."""
    _, header_size, scale = layout
    scan = pcap_scan()
    unpack, number, needed = record.unpack_from, 0, header_size
    while source.has(needed):
        buffer, position, needed = source.buffer, source.start, header_size
        last = len(buffer) - header_size
        while position <= last:
            if joining is not None and joining.flows and link_type == LINK_TYPE:
                before = number
                position, number, chunks, ends = scan(buffer, position, number, layout, joining)
                if number > before:
                    yield Batch(chunks, ends, number, number - before)
                if position > last:
                    break
            seconds, fraction, captured, original = unpack(buffer, position)
            stop = position + header_size + captured
            if captured > MAX_RECORD_SIZE:
                source.start = position
                raise source.damaged("a packet larger than any can be", number + 1, captured)
            if stop > len(buffer):
                needed = stop - position
                break
            number += 1
            data = buffer[position + header_size : stop]
            position = stop
            yield Packet(number, seconds * 1_000_000_000 + fraction * scale, link_type, data, original)
        source.start = position
    if source.start < len(source.buffer):
        raise source.truncated("a packet", number + 1)


def _header_size(source: Source, record: Struct, scale: int, sizes: tuple[int, ...]) -> int:
    """Return the first record header size under which the records at hand make sense, the ordinary one if none does.

    Only those at hand: waiting for more would hold back the first packet of a capture that is still being written.
    """
    for size in sizes:
        if _is_plausible(source.buffer, source.start, record, scale, size):
            return size
    return sizes[0]


def _is_plausible(buffer: bytes, position: int, record: Struct, scale: int, size: int) -> bool:
    for _ in range(_PROBED_COUNT):
        if position + size > len(buffer):
            return True
        _, fraction, captured, original = record.unpack_from(buffer, position)
        if captured > min(original, MAX_RECORD_SIZE) or fraction * scale >= 1_000_000_000:
            return False
        position += size + captured
    return True
