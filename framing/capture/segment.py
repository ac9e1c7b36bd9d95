"""From a packet to its TCP segment.

A segment is a plain tuple: this runs once for every packet of a file, and a tuple costs a fifth of the smallest object.
Ethernet, IPv4 without options, TCP is what nearly every packet is: one `unpack` tells it and gives all of its fields.
Everything else takes the general way, which a test holds equal to the fast one.
"""

from struct import Struct

from framing.capture.link import ETHERNET, IPV4, IPV6, LINKS
from framing.capture.packet import Packet

__all__ = ["ACK", "FIN", "RST", "SYN", "PacketCounts", "Segment", "find_segment"]

FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10

# (key, sequence number, acknowledgement number, flags, payload start, payload end, cut)
#
# key: source address, destination address, source port, destination port as they stand on the wire, 12 or 36 bytes.
# cut: payload bytes that were on the wire but not in the capture, behind those that are.
Segment = tuple[bytes, int, int, int, int, int, int]

# Ethernet's type, IPv4's version, length, fragment, protocol, addresses and ports, TCP's numbers, offset and flags.
_ORDINARY = Struct(">12xHBxH2xHxB2x12sIIBB")
_ORDINARY_SIZE = 14 + 20 + 20

_TCP = Struct(">4sIIBB")
_TCP_PROTOCOL = 6

# The two low bits are the fragment's offset and "more follows"; "don't fragment" and the reserved bit are not.
_FRAGMENT_MASK = 0x3FFF

# IPv6 extension headers whose size is counted in 8 bytes, less the first: hop-by-hop, routing, destination, mobility,
# host identity, shim6.
_EXTENSIONS = frozenset((0, 43, 60, 135, 139, 140))
_FRAGMENT_HEADER = 44
_AUTHENTICATION_HEADER = 51


class PacketCounts:
    """What became of the packets that carry no segment that can be used.

    Attributes:
        unknown_link: of a link type that is not read.
        not_ip: a good link frame with something else inside.
        not_tcp: a good IP packet with something else inside, tunnels among them.
        fragments: a piece of an IP packet.
        malformed: cut or broken inside a header.
        cut: segments whose payload the snap length cut; these are used.
    """

    __slots__ = ("cut", "fragments", "malformed", "not_ip", "not_tcp", "unknown_link")

    def __init__(self) -> None:
        self.cut = self.fragments = self.malformed = self.not_ip = self.not_tcp = self.unknown_link = 0


def find_segment(packet: Packet, counts: PacketCounts) -> Segment | None:
    """Return the TCP segment in a packet, or `None` after counting why there is none."""
    data = packet.data
    if packet.link_type == ETHERNET and len(data) >= _ORDINARY_SIZE:
        kind, version, size, fragment, protocol, key, sequence, acknowledged, head, flags = _ORDINARY.unpack_from(data)
        if kind == IPV4 and version == 0x45 and protocol == _TCP_PROTOCOL and not fragment & _FRAGMENT_MASK:
            start, end = 34 + (head >> 4) * 4, 14 + size
            if head >= 0x50 and start <= end <= len(data):
                return key, sequence, acknowledged, flags, start, end, 0
    return find_any_segment(packet, counts)


def find_any_segment(packet: Packet, counts: PacketCounts) -> Segment | None:
    """Return what `find_segment` returns, by the general way."""
    link = LINKS.get(packet.link_type)
    if link is None:
        counts.unknown_link += 1
        return None
    network = link(packet.data)
    if network is None:
        counts.malformed += 1
        return None
    kind, offset = network
    if kind == IPV4:
        return _ipv4(packet, offset, counts)
    if kind == IPV6:
        return _ipv6(packet, offset, counts)
    counts.not_ip += 1
    return None


def _ipv4(packet: Packet, offset: int, counts: PacketCounts) -> Segment | None:
    """[P9] version:4 words:4 service:u8 size:u16 id:u16 fragment:u16 ttl:u8 protocol:u8 sum:u16 source:4 target:4"""
    data = packet.data
    if len(data) < offset + 20 or data[offset] >> 4 != 4 or (header_size := (data[offset] & 15) * 4) < 20:
        counts.malformed += 1
        return None
    if int.from_bytes(data[offset + 6 : offset + 8], "big") & _FRAGMENT_MASK:
        counts.fragments += 1
        return None
    if data[offset + 9] != _TCP_PROTOCOL:
        counts.not_tcp += 1
        return None
    size = int.from_bytes(data[offset + 2 : offset + 4], "big")
    # A total length of 0 is written by network cards that cut the packet later: what was captured is the packet.
    end = offset + size if size else packet.original_size
    return _tcp(packet, data[offset + 12 : offset + 20], offset + header_size, end, counts)


def _ipv6(packet: Packet, offset: int, counts: PacketCounts) -> Segment | None:
    """[P10] version:4 class:8 label:20 size:u16 next:u8 hops:u8 source:16 destination:16, then extension headers"""
    data = packet.data
    if len(data) < offset + 40 or data[offset] >> 4 != 6:
        counts.malformed += 1
        return None
    size = int.from_bytes(data[offset + 4 : offset + 6], "big")
    # A payload length of 0 is a jumbogram or a card that cuts the packet later.
    end = offset + 40 + size if size else packet.original_size
    start = _past_extensions(data, data[offset + 6], offset + 40, counts)
    return None if start is None else _tcp(packet, data[offset + 8 : offset + 40], start, end, counts)


def _past_extensions(data: bytes, following: int, position: int, counts: PacketCounts) -> int | None:
    """Return where the TCP header starts, walking the chain of extension headers: each advances by at least 8 bytes."""
    while following != _TCP_PROTOCOL:
        head = data[position : position + 8]
        if following == _FRAGMENT_HEADER and len(head) == 8 and int.from_bytes(head[2:4], "big") & 0xFFF9:
            counts.fragments += 1
            return None
        if following in _EXTENSIONS or following in (_FRAGMENT_HEADER, _AUTHENTICATION_HEADER):
            if len(head) < 8:
                counts.malformed += 1
                return None
            position += _extension_size(following, head[1])
            following = head[0]
            continue
        counts.not_tcp += 1
        return None
    return position


def _extension_size(kind: int, units: int) -> int:
    if kind == _FRAGMENT_HEADER:
        return 8
    # The authentication header alone counts in 4 bytes, less the first two.
    return max(8, (units + 2) * 4) if kind == _AUTHENTICATION_HEADER else (units + 1) * 8


def _tcp(packet: Packet, addresses: bytes, offset: int, end: int, counts: PacketCounts) -> Segment | None:
    """[P11] source:u16 destination:u16 sequence:u32 acknowledged:u32 words:4 reserved:4 flags:u8 …, up to `end`"""
    data = packet.data
    if len(data) < offset + _TCP.size:
        counts.malformed += 1
        return None
    ports, sequence, acknowledged, head, flags = _TCP.unpack_from(data, offset)
    start = offset + (head >> 4) * 4
    # A length that promises more than was on the wire is wrong; one that promises less cuts Ethernet's padding.
    end = min(end, max(packet.original_size, len(data)))
    if head < 0x50 or start > end:
        counts.malformed += 1
        return None
    stop = min(end, len(data))
    if end > stop:
        counts.cut += 1
    return addresses + ports, sequence, acknowledged, flags, min(start, stop), stop, end - max(start, stop)
