"""Ordinary packets, many at a time.

Ethernet, IPv4 without options, TCP with ACK and no RST, in order, of a flow that is known and waits for nothing: nearly
every packet of a capture is that. The answer to a SYN is one of them, and a FIN, and what is acknowledged behind it;
and a SYN, for which a connection is asked for. A scan takes them from the records of a file where they lie, up to the
first packet that is anything else, and joins what each flow has got. It is the quick twin of `find_segment` and
`Assembler.add`, which have the word about everything else; a property test holds both ways equal.

    pcap or pcapng records ──scan──> where it stopped, packets so far, one Chunk for each flow with new bytes, FlowEnds

Spec: [P9] [P11] [P13] [P21]
"""

from collections.abc import Callable, Sequence
from struct import Struct
from typing import NamedTuple

from framing.capture.flow import ENDED, UNSETTLED, Chunk, Flow, FlowEnd, pack_mark
from framing.capture.source import MAX_RECORD_SIZE

__all__ = [
    "LINK_TYPE",
    "Batch",
    "Begin",
    "Joining",
    "PcapLayout",
    "PcapngLayout",
    "Taken",
    "finish",
    "scan_pcap",
    "scan_pcapng",
]

# What a scan returns: the position of the first record that was not taken, the number of the last packet, the chunks,
# the ends of flows.
Taken = tuple[int, int, list[Chunk], list[FlowEnd]]
_Flows = dict[bytes, Flow]

# Asked to begin a connection with a SYN: its flow's key, sequence number and packet number. It says whether it did.
Begin = Callable[[bytes, int, int], bool]

# Ethernet, in the files' count of link types.
LINK_TYPE = 1

# Ethernet's type and IPv4's version and length, its size, fragment and protocol, addresses and ports, TCP's sequence
# and acknowledgement numbers, offset and flags.
_HEADERS = Struct(">12x3sxH2xHxB2x12sIIH")
_HEADERS_SIZE = 14 + 20 + 20
_IPV4 = b"\x08\x00\x45"
_FRAGMENT_MASK = 0x3FFF
_TCP_PROTOCOL = 6
# FIN, SYN, RST and ACK.
_FLAGS_MASK = 0x17
_SYN, _ACK, _FIN_ACK, _SYN_ACK = 0x02, 0x10, 0x11, 0x12
_SEQUENCE_MASK = 0xFFFF_FFFF


class Joining(NamedTuple):
    """Where a scan puts packets.

    Attributes:
        flows: key → flow, those that it may go on with; may change between one scan and the next.
        begin: begins a connection, or leaves the SYN to the slow way.
    """

    flows: dict[bytes, Flow]
    begin: Begin


class Batch(NamedTuple):
    """What a scan has taken from a capture, instead of as many packets.

    Attributes:
        chunks: one for each flow that has new bytes, in the order of their first packets.
        ends: of flows, in the order of their packets; each comes behind all bytes of its flow.
        last_number: of the last packet taken.
        packet_count: how many were taken, those without payload included.
    """

    chunks: list[Chunk]
    ends: list[FlowEnd]
    last_number: int
    packet_count: int


class PcapLayout(NamedTuple):
    """How the records of a pcap file are read.

    Attributes:
        is_big: whether numbers are big-endian.
        header_size: bytes of a record's header, of which the first 16 are known.
        scale: nanoseconds in a fraction.
    """

    is_big: bool
    header_size: int
    scale: int


class PcapngLayout(NamedTuple):
    """How the packet blocks of a pcapng section are read.

    Attributes:
        is_big: whether numbers are big-endian.
        clocks: of each interface: nanoseconds in a tick, and those to add; 0 in a tick where nothing is ordinary.
    """

    is_big: bool
    clocks: Sequence[tuple[int, int]]


def scan_pcap(buffer: bytes, position: int, number: int, layout: PcapLayout, joining: Joining) -> Taken:
    """Take ordinary packets from the pcap records that begin at `position`.

    Args:
        buffer: whole records, the last one perhaps cut.
        position: where a record begins.
        number: of the last packet before.
        layout: how records are read.
        joining: where to put packets.
    """
    is_big, header_size, scale = layout
    unpack, last, take = _RECORDS[is_big].unpack_from, len(buffer) - header_size, _take
    taken, ends = dict[Flow, _Run](), list[FlowEnd]()
    while position <= last:
        seconds, fraction, captured, _ = unpack(buffer, position)
        start = position + header_size
        stop = start + captured
        time_ns = seconds * 1_000_000_000 + fraction * scale
        if captured > MAX_RECORD_SIZE or not take(buffer, start, stop, time_ns, number + 1, joining, taken, ends):
            break
        position = stop
        number += 1
    return position, number, [run.chunk() for run in taken.values()], ends


def scan_pcapng(buffer: bytes, position: int, number: int, layout: PcapngLayout, joining: Joining) -> Taken:
    """Take ordinary packets from the enhanced packet blocks that begin at `position`; arguments as for `scan_pcap`."""
    is_big, clocks = layout
    block, again = _BLOCKS[is_big].unpack_from, _SIZES[is_big].unpack_from
    last, take, taken, ends = len(buffer) - _BLOCK_SIZE, _take, dict[Flow, _Run](), list[FlowEnd]()
    while position <= last:
        kind, size, interface, high, low, captured, _ = block(buffer, position)
        stop = position + size
        if kind != _PACKET_TYPE or size % 4 or not _BLOCK_SIZE + captured <= size <= MAX_RECORD_SIZE:
            break
        if stop > len(buffer) or again(buffer, stop - 4)[0] != size or interface >= len(clocks):
            break
        factor, offset_ns = clocks[interface]
        time_ns, start = (high << 32 | low) * factor, position + _BLOCK_SIZE - 4
        if not factor or time_ns > _FAR or not -_FAR <= offset_ns < _FAR:
            break
        if not take(buffer, start, start + captured, time_ns + offset_ns, number + 1, joining, taken, ends):
            break
        position = stop
        number += 1
    return position, number, [run.chunk() for run in taken.values()], ends


_RECORDS = Struct("<IIII"), Struct(">IIII")
# type, size, interface, high and low half of the time, captured and original size; and the size again at the end.
_BLOCKS = Struct("<IIIIIII"), Struct(">IIIIIII")
_SIZES = Struct("<I"), Struct(">I")
_BLOCK_SIZE = 32
_PACKET_TYPE = 6
# A mark has 8 bytes for a time, which is the sum of two numbers.
_FAR = 1 << 62


class _Run:
    """What one flow has got so far."""

    __slots__ = ("_flow", "_last", "_marks", "_offset", "_pieces", "size")

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._offset = flow.offset
        self._pieces: list[bytes] = []
        self._marks: list[bytes] = []
        self._last = 0, 0
        self.size = 0

    def add(self, piece: bytes, time_ns: int, number: int) -> None:
        self._pieces.append(piece)
        self.size += len(piece)
        self._marks.append(pack_mark(self.size, time_ns, number))
        self._last = time_ns, number

    def chunk(self) -> Chunk:
        time_ns, number = self._last
        marks = b"".join(self._marks) if len(self._marks) > 1 else b""
        return Chunk(self._flow, time_ns, self._offset, b"".join(self._pieces), number, marks)


def _take(
    buffer: bytes,
    start: int,
    stop: int,
    time_ns: int,
    number: int,
    joining: Joining,
    taken: dict[Flow, _Run],
    ends: list[FlowEnd],
) -> bool:
    """Take the packet `buffer[start:stop]` if it is an ordinary one."""
    if stop - start < _HEADERS_SIZE or stop > len(buffer):
        return False
    head, size, fragment, protocol, key, sequence, acknowledged, bits = _HEADERS.unpack_from(buffer, start)
    if head != _IPV4 or protocol != _TCP_PROTOCOL or fragment & _FRAGMENT_MASK or bits < 0x5000:
        return False
    first, end = start + 34 + (bits >> 12) * 4, start + 14 + size
    flags = bits & _FLAGS_MASK
    if not first <= end <= stop:
        return False
    if flags == _SYN:
        return first == end and joining.begin(key, sequence, number)
    flow = joining.flows.get(key)
    if flow is None or flow.pending or flow.reverse.pending:
        return False
    if sequence != flow.next_sequence:
        if first < end or not _is_at_edge(flow, sequence, flags):
            return False
    elif flags != _ACK and flags != _FIN_ACK:
        return False
    flow.packet_count += 1
    flow.last_number = number
    flow.last_ack = acknowledged
    if first < end:
        run = taken.get(flow)
        if run is None:
            run = taken[flow] = _Run(flow)
        run.add(buffer[first:end], time_ns, number)
        flow.next_sequence = sequence + end - first & _SEQUENCE_MASK
        flow.offset += end - first
    if flags == _FIN_ACK:
        ends.append(finish(flow, flow.next_sequence, number, flow.packet_count))
    return True


def _is_at_edge(flow: Flow, sequence: int, flags: int) -> bool:
    """Whether a packet without payload answers a SYN, which begins the flow, or acknowledges behind the flow's end."""
    if flags == _ACK:
        return flow.next_sequence == ENDED
    if flags != _SYN_ACK or flow.packet_count or flow.next_sequence != UNSETTLED or flow.reverse.syn_sequence < 0:
        return False
    flow.syn_sequence = sequence
    flow.next_sequence = sequence + 1 & _SEQUENCE_MASK
    return True


def finish(flow: Flow, sequence: int, number: int, packet_count: int) -> FlowEnd:
    """End a flow in which nothing is missing with a FIN.

    Args:
        flow: the flow.
        sequence: the number of the FIN.
        number: of its packet.
        packet_count: packets of the flow up to that one.
    """
    flow.base, flow.next_sequence = sequence, ENDED
    flow.fin_offset = flow.offset
    flow.end_reason = "fin"
    return FlowEnd(flow, "fin", number, packet_count)
