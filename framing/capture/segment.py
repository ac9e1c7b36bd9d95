"""From a packet to its TCP segment, by the fast way.

A segment is a plain tuple: this runs once for every packet of a file, and a tuple costs a fifth of the smallest object.
Ethernet, IPv4 without options, TCP is what nearly every packet is: one `unpack` tells it and gives all of its fields;
behind another link, or tags, it takes a second step. Everything else is `unpacking.py`'s, the general way, which a test
holds equal to this one.
"""

from struct import Struct

from framing.capture.layer import IPV4, LINK
from framing.capture.link import LINKS
from framing.capture.packet import Packet

__all__ = ["ACK", "FIN", "RST", "SYN", "Segment", "find_segment"]

FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10

# (key, sequence number, acknowledgement number, flags, payload start, payload end, cut)
#
# key: source address, destination address, source port, destination port as they stand on the wire; see `key.py`.
# cut: payload bytes that were on the wire but not in the capture, behind those that are.
Segment = tuple[bytes, int, int, int, int, int, int]

# Ethernet's type, IPv4's version, length, fragment, protocol, addresses and ports, TCP's numbers, offset and flags.
_ORDINARY = Struct(">12xHBxH2xHxB2x12sIIBB")
_ORDINARY_SIZE = 14 + 20 + 20
# The same without Ethernet.
_IP = Struct(">BxH2xHxB2x12sIIBB")
_IP_SIZE = 20 + 14

_LINK_TYPE = 1
_TCP_PROTOCOL = 6

# The two low bits are the fragment's offset and "more follows"; "don't fragment" and the reserved bit are not.
_FRAGMENT_MASK = 0x3FFF


def find_segment(packet: Packet) -> Segment | None:
    """Return the TCP segment in an ordinary packet; `None` for any other packet, which may carry one all the same."""
    data = packet.data
    if packet.link_type == _LINK_TYPE and len(data) >= _ORDINARY_SIZE:
        kind, version, size, fragment, protocol, key, sequence, acknowledged, head, flags = _ORDINARY.unpack_from(data)
        if kind == IPV4 and version == 0x45 and protocol == _TCP_PROTOCOL and not fragment & _FRAGMENT_MASK:
            start, end = 34 + (head >> 4) * 4, 14 + size
            if head >= 0x50 and start <= end <= len(data):
                return key, sequence, acknowledged, flags, start, end, 0
    return _behind_link(data, LINK + packet.link_type)


def _behind_link(data: bytes, kind: int) -> Segment | None:
    """Return the segment where only tags, or the link, are unusual: `tcpdump -i any` writes such files."""
    reader = LINKS.get(kind)
    layer = None if reader is None else reader(data, 0, len(data))
    if layer is None or layer[0] != IPV4 or len(data) < layer[1] + _IP_SIZE:
        return None
    offset = layer[1]
    version, size, fragment, protocol, key, sequence, acknowledged, head, flags = _IP.unpack_from(data, offset)
    if version == 0x45 and protocol == _TCP_PROTOCOL and not fragment & _FRAGMENT_MASK:
        start, end = offset + 20 + (head >> 4) * 4, offset + size
        if head >= 0x50 and start <= end <= len(data):
            return key, sequence, acknowledged, flags, start, end, 0
    return None
