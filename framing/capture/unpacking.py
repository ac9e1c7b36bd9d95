"""From a packet to the TCP segments and UDP datagrams in it, whatever they are wrapped in.

The walk goes from layer to layer, each of which names the next; it never calls itself. IP is read here, since it is
more than a header to pass over: it gives the addresses, and its fragments must be put together first.

    link ─> tags ─> IP ─> extension headers ─> TCP | UDP
     ^                └─> tunnel ─┐
     └────────────────────────────┘
"""

from collections.abc import Collection
from struct import Struct
from typing import NamedTuple

from framing.capture.fragments import Fragments
from framing.capture.key import TCP, UDP, flow_key
from framing.capture.layer import (
    AMSDU,
    IP_PROTOCOL,
    IPV4,
    IPV6,
    LINK,
    PSEUDOWIRE,
    UDP_PORT,
    Layer,
    LayerReader,
    u16,
)
from framing.capture.link import LINKS
from framing.capture.packet import Packet
from framing.capture.segment import Segment
from framing.capture.serial import SERIAL_LINKS
from framing.capture.tunnel import NETWORK_TUNNELS, TUNNEL_READERS, TUNNELS
from framing.capture.wireless import WIRELESS_LINKS, amsdu

__all__ = ["MAX_LAYERS", "PacketCounts", "Unpacked", "Unpacker"]

# [P23] Headers on the way to TCP or UDP, VLAN tags and MPLS labels not counted. Real ones have five; a packet made of
# nothing but tunnels could have thousands.
MAX_LAYERS = 32

_TCP = Struct(">4sIIBB")
_UDP = Struct(">4sH2x")

# The two low bits are the fragment's offset and "more follows"; "don't fragment" and the reserved bit are not.
_FRAGMENT_MASK, _OFFSET_MASK, _MORE = 0x3FFF, 0x1FFF, 0x2000
_OFFSET6_MASK, _MORE6 = 0xFFF8, 0x0001

# IPv6 extension headers whose size is counted in 8 bytes, less the first: hop-by-hop, routing, destination, mobility,
# host identity, shim6.
_EXTENSIONS = (0, 43, 60, 135, 139, 140)
_HOP_BY_HOP = 0
_FRAGMENT_HEADER = IP_PROTOCOL + 44
_AUTHENTICATION_HEADER = 51
_JUMBO_OPTION = 0xC2

_IP_TCP, _IP_UDP = IP_PROTOCOL + TCP, IP_PROTOCOL + UDP
# The kind of a walk that is over.
_DONE = -1


class PacketCounts:
    """What became of the packets that carry nothing that can be used.

    Attributes:
        unknown_link: of a link type that is not read.
        not_ip: a good link frame with something else inside.
        other_transport: a good IP packet with neither TCP nor UDP inside.
        udp: datagrams that nobody asked for.
        fragments: pieces of an IP packet that is not whole.
        malformed: cut or broken inside a header.
        too_deep: tunnels in tunnels without end.
        cut: payloads that the snap length cut; these are used.
    """

    __slots__ = ("cut", "fragments", "malformed", "not_ip", "other_transport", "too_deep", "udp", "unknown_link")

    def __init__(self) -> None:
        self.cut = self.fragments = self.malformed = self.not_ip = 0
        self.other_transport = self.too_deep = self.udp = self.unknown_link = 0


class Unpacked(NamedTuple):
    """A segment or datagram, and the way to it.

    Attributes:
        packet: whose data the segment's places are in; not the one that was captured if there were fragments.
        segment: see `framing.capture.segment`; a datagram's has no numbers and no flags.
        is_datagram: UDP.
        tunnels: what it came through, the outermost first.
        is_guessed: whether only a port number, or looks, tell that it was a tunnel.
    """

    packet: Packet
    segment: Segment
    is_datagram: bool
    tunnels: tuple[str, ...]
    is_guessed: bool


class _Place:
    """Where in a packet the walk is, and what was met on the way."""

    __slots__ = (
        "addresses",
        "data",
        "depth",
        "end",
        "fallback",
        "is_guessed",
        "kind",
        "network",
        "packet",
        "start",
        "tunnels",
    )

    def __init__(self, packet: Packet) -> None:
        self.packet = packet
        self.data = packet.data
        self.kind, self.start, self.end = LINK + packet.link_type, 0, max(packet.original_size, len(packet.data))
        self.depth = 0
        self.addresses = self.network = b""
        self.tunnels: tuple[str, ...] = ()
        self.is_guessed = False
        # The datagram that this is if it turns out to be no tunnel.
        self.fallback: Unpacked | None = None

    def enter(self, layer: Layer) -> None:
        """Go on to the layer inside the one at hand."""
        kind = self.kind
        name = TUNNELS.get(kind)
        if name is not None:
            self.tunnels += (name,)
            self.is_guessed = self.is_guessed or UDP_PORT <= kind < AMSDU or kind == PSEUDOWIRE
            if kind in NETWORK_TUNNELS:
                self.network = b"\x00" + self.data[self.start + 4 : self.start + 7]
        self.kind, self.start, self.end = layer

    def branch(self, layer: Layer) -> "_Place":
        """Return a place in one of several layers side by side."""
        place = _Place(self.packet)
        for name in _Place.__slots__:
            setattr(place, name, getattr(self, name))
        place.kind, place.start, place.end = layer
        return place

    def found(self, segment: Segment, *, is_datagram: bool) -> Unpacked:
        """Return what is at this place."""
        packet = self.packet
        if self.data is not packet.data:
            packet = Packet(packet.number, packet.timestamp_ns, packet.link_type, self.data, len(self.data))
        return Unpacked(packet, segment, is_datagram, self.tunnels, self.is_guessed)


class Unpacker:
    """Packets in, segments and datagrams out.

    Args:
        plain_ports: UDP ports whose datagrams are looked at as they are, even if tunnels use them.

    Attributes:
        counts: what became of packets that carry neither.

    Spec: [P7] to [P11], [P22], [P23]
    """

    __slots__ = ("_fragments", "_plain_ports", "counts")

    def __init__(self, plain_ports: Collection[int] = ()) -> None:
        self.counts = PacketCounts()
        self._plain_ports = frozenset(plain_ports)
        self._fragments = Fragments()

    def unpack(self, packet: Packet) -> list[Unpacked]:
        """Return what a packet carries: mostly one or nothing."""
        found: list[Unpacked] = []
        places = [_Place(packet)]
        while places:
            place = places.pop()
            reason = None
            while reason is None and place.kind != _DONE:
                reason = self._step(place, found, places)
            if reason == "malformed" and place.fallback is not None:
                found.append(place.fallback)
            elif reason is not None:
                setattr(self.counts, reason, getattr(self.counts, reason) + 1)
        return found

    def finish(self) -> None:
        """Count the fragments whose packets stay unfinished."""
        self._fragments.finish()
        self.counts.fragments = self._fragments.lost_count

    def _step(self, place: _Place, found: list[Unpacked], places: list[_Place]) -> str | None:
        """Read one layer; return the reason if it ends the walk without a result."""
        place.depth += 1
        if place.depth > MAX_LAYERS:
            return "too_deep"
        kind = place.kind
        reader = _READERS.get(kind)
        if reader is not None:
            layer = reader(place.data, place.start, place.end)
            if layer is None:
                return "malformed"
            place.enter(layer)
            return None
        if kind == IPV4:
            return self._ipv4(place)
        if kind == _IP_TCP:
            return self._tcp(place, found)
        if kind == IPV6:
            return _ipv6(place)
        if kind == _IP_UDP:
            return self._udp(place, found)
        if kind == _FRAGMENT_HEADER:
            return self._fragment_header(place)
        if kind == AMSDU:
            places.extend(map(place.branch, reversed(amsdu(place.data, place.start, place.end))))
            place.kind = _DONE
            return None
        return "unknown_link" if LINK <= kind < IP_PROTOCOL else "not_ip" if kind < LINK else "other_transport"

    def _ipv4(self, place: _Place) -> str | None:
        """[P9] version:4 words:4 service:u8 size:u16 id:u16 fragment:u16 ttl:u8 protocol:u8 sum:u16 source:4 dest:4"""
        data, start = place.data, place.start
        if len(data) < start + 20 or data[start] >> 4 != 4 or (header_size := (data[start] & 15) * 4) < 20:
            return "malformed"
        # A total length of 0 is written by network cards that cut the packet later: what was captured is the packet.
        size = u16(data, start + 2)
        if size:
            if size < header_size:
                return "malformed"
            place.end = min(place.end, start + size)
        place.addresses = data[start + 12 : start + 20]
        place.kind, place.start = IP_PROTOCOL + data[start + 9], start + header_size
        fragment = u16(data, start + 6) & _FRAGMENT_MASK
        if fragment:
            key = data[start + 9 : start + 10] + data[start + 4 : start + 6]
            self._fragment(place, key, (fragment & _OFFSET_MASK) * 8, is_last=not fragment & _MORE)
        return None

    def _fragment_header(self, place: _Place) -> str | None:
        """[P10] next:u8 reserved:u8 offset:13 reserved:2 more:1 id:u32"""
        data, start = place.data, place.start
        if len(data) < start + 8:
            return "malformed"
        place.kind, place.start = IP_PROTOCOL + data[start], start + 8
        fragment = u16(data, start + 2)
        if fragment & (_OFFSET6_MASK | _MORE6):
            is_last = not fragment & _MORE6
            self._fragment(place, data[start + 4 : start + 8], fragment & _OFFSET6_MASK, is_last=is_last)
        return None

    def _fragment(self, place: _Place, key: bytes, offset: int, *, is_last: bool) -> None:
        """[P22] Go on in the packet that this fragment completes, or not at all."""
        # A fragment that the snap length cut can complete nothing.
        data = place.data[place.start : place.end] if place.end <= len(place.data) else b""
        key = b"".join((place.addresses, place.network, key))
        whole = self._fragments.add(key, offset, data, is_last=is_last, time_ns=place.packet.timestamp_ns)
        self.counts.fragments = self._fragments.lost_count
        if whole is None:
            place.kind = _DONE
        else:
            place.data, place.start, place.end = whole, 0, len(whole)

    def _tcp(self, place: _Place, found: list[Unpacked]) -> str | None:
        """[P11] source:u16 destination:u16 sequence:u32 acknowledged:u32 words:4 reserved:4 flags:u8 …, up to `end`"""
        data, offset, end = place.data, place.start, place.end
        if len(data) < offset + _TCP.size:
            return "malformed"
        ports, sequence, acknowledged, head, flags = _TCP.unpack_from(data, offset)
        start = offset + (head >> 4) * 4
        if head < 0x50 or start > end:
            return "malformed"
        stop = min(end, len(data))
        if end > stop:
            self.counts.cut += 1
        key = flow_key(TCP, place.network, place.addresses, ports)
        segment = key, sequence, acknowledged, flags, min(start, stop), stop, end - max(start, stop)
        found.append(place.found(segment, is_datagram=False))
        place.kind = _DONE
        return None

    def _udp(self, place: _Place, found: list[Unpacked]) -> str | None:
        """[P24] source:u16 destination:u16 size:u16 sum:u16, up to `size`, or to `end` if that is 0"""
        data, offset = place.data, place.start
        if len(data) < offset + _UDP.size:
            return "malformed"
        ports, size = _UDP.unpack_from(data, offset)
        start = offset + _UDP.size
        end = min(place.end, offset + size) if size else place.end
        if start > end:
            return "malformed"
        stop = min(end, len(data))
        key = flow_key(UDP, place.network, place.addresses, ports)
        datagram = place.found((key, 0, 0, 0, start, stop, end - stop), is_datagram=True)
        place.start, place.end = start, end
        if not self._enters_tunnel(place, ports):
            self.counts.cut += end > stop
            found.append(datagram)
            place.kind = _DONE
        elif place.fallback is None:
            place.fallback = datagram
        return None

    def _enters_tunnel(self, place: _Place, ports: bytes) -> bool:
        """[P23] Take a datagram for a tunnel's if its port, and what it begins with, say so."""
        source, destination = u16(ports, 0), u16(ports, 2)
        if source in self._plain_ports or destination in self._plain_ports:
            return False
        for kind in (UDP_PORT + destination, UDP_PORT + source):
            reader = _READERS.get(kind)
            if reader is not None and (layer := reader(place.data, place.start, place.end)) is not None:
                place.kind = kind
                place.enter(layer)
                return True
        return False


def _ipv6(place: _Place) -> str | None:
    """[P10] version:4 class:8 label:20 size:u16 next:u8 hops:u8 source:16 destination:16, then extension headers"""
    data, start = place.data, place.start
    if len(data) < start + 40 or data[start] >> 4 != 6:
        return "malformed"
    following = data[start + 6]
    # A payload length of 0 is a jumbogram or a card that cuts the packet later.
    size = u16(data, start + 4) or (_jumbo_size(data, start + 40) if following == _HOP_BY_HOP else 0)
    if size:
        place.end = min(place.end, start + 40 + size)
    place.addresses = data[start + 8 : start + 40]
    place.kind, place.start = IP_PROTOCOL + following, start + 40
    return None


def _jumbo_size(data: bytes, start: int) -> int:
    """Return the length that a jumbogram's hop-by-hop header tells, or 0: next:u8 units:u8 [kind:u8 size:u8 value]*"""
    position, stop = start + 2, min(len(data), start + 8 + 8 * data[start + 1]) if len(data) > start + 1 else 0
    while position + 6 <= stop:
        if data[position] == _JUMBO_OPTION:
            return int.from_bytes(data[position + 2 : position + 6], "big")
        # A pad of one byte has no length.
        position += 2 + data[position + 1] if data[position] else 1
    return 0


def _extension(data: bytes, start: int, end: int) -> Layer | None:
    """[P10] next:u8 units:u8 …, of 8 bytes and 8 for each unit"""
    return (IP_PROTOCOL + data[start], start + 8 + 8 * data[start + 1], end) if len(data) >= start + 8 else None


def _authentication(data: bytes, start: int, end: int) -> Layer | None:
    """[P10] next:u8 units:u8 …, of 8 bytes and 4 for each unit"""
    return (IP_PROTOCOL + data[start], start + 8 + 4 * data[start + 1], end) if len(data) >= start + 8 else None


_READERS: dict[int, LayerReader] = {
    **LINKS,
    **SERIAL_LINKS,
    **WIRELESS_LINKS,
    **TUNNEL_READERS,
    **{IP_PROTOCOL + number: _extension for number in _EXTENSIONS},
    IP_PROTOCOL + _AUTHENTICATION_HEADER: _authentication,
}
