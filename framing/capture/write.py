"""The other way round: what went over a connection → a pcap file that every capture tool reads.

    file header, 24 bytes                       nanosecond magic, link type raw IP: packets begin with their IP header
    per packet: seconds, nanoseconds, sizes     16 bytes, then IPv4 or IPv6, TCP, data

Nothing is captured here: somebody who holds both ends of a connection (a demo, a test, a proxy) tells what each side
sent and when, and it is written down as the TCP segments that could have carried it, checksums right.
"""

from ipaddress import IPv4Address, IPv6Address, ip_address
from struct import Struct
from typing import Protocol

from framing.capture.segment import ACK, FIN, SYN
from framing.protocol import SIDES, Side, other_side

__all__ = ["BinaryWriter", "ConnectionWriter", "PcapWriter"]

_MAGIC_NS = 0xA1B23C4D
_LINK_TYPE_RAW = 101
_SNAP_LENGTH = 262144  # tcpdump's own

_FILE_HEADER = Struct("<IHHiIII")
_RECORD = Struct("<IIII")
_IPV4 = Struct(">BBHHHBBH4s4s")
_IPV6 = Struct(">IHBB16s16s")
_TCP = Struct(">HHIIBBHHH")

_TCP_PROTOCOL = 6
_PSH = 0x08
_WINDOW = 65535
_DONT_FRAGMENT = 0x4000
_HOP_LIMIT = 64

# What Ethernet carries behind headers without options, so a large frame is seen to span packets.
_SEGMENT_SIZE = 1440
_SEGMENT_SIZE_OPTION = b"\x02\x04" + _SEGMENT_SIZE.to_bytes(2, "big")

# A real stack draws them at random; fixed ones make the file the same each time.
_FIRST_SEQUENCES: dict[Side, int] = {"client": 1000, "server": 2000}

_Address = IPv4Address | IPv6Address


class BinaryWriter(Protocol):
    """What a capture is written to: anything with `write`."""

    def write(self, data: bytes, /) -> object:
        """Take all of the bytes."""


class PcapWriter:
    """Write packets to a pcap file: first its header, then one record for each `write`.

    Args:
        file: open for writing bytes; it stays open.
    """

    __slots__ = ("_file",)

    def __init__(self, file: BinaryWriter) -> None:
        self._file = file
        file.write(_FILE_HEADER.pack(_MAGIC_NS, 2, 4, 0, 0, _SNAP_LENGTH, _LINK_TYPE_RAW))

    def write(self, packet: bytes, timestamp_ns: int) -> None:
        """Write one packet, which begins with its IP header.

        Args:
            packet: the whole packet.
            timestamp_ns: nanoseconds since 1970 UTC.
        """
        seconds, nanoseconds = divmod(timestamp_ns, 1_000_000_000)
        self._file.write(_RECORD.pack(seconds, nanoseconds, len(packet), len(packet)) + packet)


class ConnectionWriter:
    """Write one TCP connection: `open`, then `send` in the order of time, then `close` for each side.

    >>> from io import BytesIO
    >>> file = BytesIO()
    >>> connection = ConnectionWriter(PcapWriter(file), ("127.0.0.1", 40000), ("127.0.0.1", 7))
    >>> connection.open(0)
    >>> connection.send("client", b"ping", 1_000_000)
    >>> connection.close("client", 2_000_000)
    >>> connection.close("server", 3_000_000)
    >>> len(file.getvalue())
    484

    Args:
        pcap: where the packets go. Several connections may share one.
        client: address and port, as `socket.getpeername` says.
        server: the same, and of the same family.

    Raises:
        ValueError: no IP addresses, or one of each family.
    """

    __slots__ = ("_endpoints", "_identification", "_pcap", "_sequences")

    def __init__(self, pcap: PcapWriter, client: tuple[str, int], server: tuple[str, int]) -> None:
        self._pcap = pcap
        self._endpoints: dict[Side, tuple[_Address, int]] = {
            side: (ip_address(host), port) for side, (host, port) in zip(SIDES, (client, server), strict=True)
        }
        if len({address.version for address, _ in self._endpoints.values()}) > 1:
            raise ValueError(f"{client[0]} and {server[0]} are of different families")
        self._sequences = dict(_FIRST_SEQUENCES)
        self._identification = 0

    def open(self, timestamp_ns: int) -> None:
        """Write the three packets of the handshake."""
        self._segment("client", SYN, timestamp_ns)
        self._segment("server", SYN | ACK, timestamp_ns)
        self._segment("client", ACK, timestamp_ns)

    def send(self, side: Side, data: bytes, timestamp_ns: int) -> None:
        """Write what a side sent, as many segments as it takes."""
        for start in range(0, len(data), _SEGMENT_SIZE):
            part = data[start : start + _SEGMENT_SIZE]
            last = start + len(part) == len(data)
            self._segment(side, ACK | (_PSH if last else 0), timestamp_ns, part)

    def close(self, side: Side, timestamp_ns: int) -> None:
        """Write the end of what a side sends, and that the other side has seen it."""
        self._segment(side, FIN | ACK, timestamp_ns)
        self._segment(other_side(side), ACK, timestamp_ns)

    def _segment(self, side: Side, flags: int, timestamp_ns: int, data: bytes = b"") -> None:
        (source, source_port), (destination, destination_port) = (
            self._endpoints[side],
            self._endpoints[other_side(side)],
        )
        acknowledged = self._sequences[other_side(side)] if flags & ACK else 0
        options = _SEGMENT_SIZE_OPTION if flags & SYN else b""
        head = (source_port, destination_port, self._sequences[side], acknowledged, (20 + len(options)) << 2, flags)
        pseudo = _pseudo_header(source, destination, _TCP.size + len(options) + len(data))
        checksum = _checksum(pseudo + _TCP.pack(*head, _WINDOW, 0, 0) + options + data)
        segment = _TCP.pack(*head, _WINDOW, checksum, 0) + options + data
        self._identification = (self._identification + 1) & 0xFFFF
        self._pcap.write(_packet(source, destination, segment, self._identification), timestamp_ns)
        taken = len(data) + bool(flags & (SYN | FIN))  # both take a sequence number of their own
        self._sequences[side] = (self._sequences[side] + taken) & 0xFFFF_FFFF


def _packet(source: _Address, destination: _Address, segment: bytes, identification: int) -> bytes:
    if source.version == 6:
        addresses = source.packed, destination.packed
        return _IPV6.pack(6 << 28, len(segment), _TCP_PROTOCOL, _HOP_LIMIT, *addresses) + segment
    head = (0x45, 0, _IPV4.size + len(segment), identification, _DONT_FRAGMENT, _HOP_LIMIT, _TCP_PROTOCOL)
    checksum = _checksum(_IPV4.pack(*head, 0, source.packed, destination.packed))
    return _IPV4.pack(*head, checksum, source.packed, destination.packed) + segment


def _pseudo_header(source: _Address, destination: _Address, size: int) -> bytes:
    """Return what the TCP checksum covers beside the segment. The widths differ by family, and the sum does not."""
    return source.packed + destination.packed + Struct(">II").pack(size, _TCP_PROTOCOL)


def _checksum(data: bytes) -> int:
    """Return the Internet checksum of RFC 1071: the complement of the ones' complement sum of 16-bit words."""
    total = int.from_bytes(data + bytes(len(data) % 2), "big") % 0xFFFF
    # 0 and 0xFFFF are both nothing in ones' complement; a sum of words that are not all 0 is the latter.
    return 0xFFFF - (total or 0xFFFF)
