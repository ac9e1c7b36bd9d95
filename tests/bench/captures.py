"""Large captures made of small real ones: every copy of a capture becomes connections of its own."""

from pathlib import Path
from struct import Struct

from framing.capture.files import read_packets
from framing.capture.ordinary import LINK_TYPE
from framing.capture.packet import Packet

__all__ = ["grow"]

_FILE_HEADER = Struct("<IHHiIII")
_RECORD = Struct("<IIII")

# As many connections are open at a time as in this many copies of the capture: their packets alternate.
_WOVEN = 8

_BEGIN_NS = 1_795_335_330_000_000_000
_STEP_NS = 10_000


def grow(path: Path, size: int, target: Path) -> int:
    """Write a pcap file of at least `size` bytes, made of copies of the capture at `path`; return its packets.

    In each copy the two middle bytes of both IPv4 addresses are the copy's number, and a packet comes 10 microseconds
    after the one before it. The rest, sequence numbers and payloads included, is as it was captured.
    """
    packets = [packet for packet in read_packets(str(path)) if packet.link_type == LINK_TYPE and _is_ipv4(packet.data)]
    count, written = 0, _FILE_HEADER.size
    with target.open("wb") as file:
        file.write(_FILE_HEADER.pack(0xA1B23C4D, 2, 4, 0, 0, 262144, LINK_TYPE))
        for turn in range(0, 65536, _WOVEN):
            for packet in packets:
                for number in range(turn, turn + _WOVEN):
                    written += file.write(_copied(packet, number, count * _STEP_NS))
                    count += 1
            if written >= size:
                return count
    raise SystemExit(f"{path} is too small to be made so large")


def _is_ipv4(data: bytes) -> bool:
    return data[12:14] == b"\x08\x00" and len(data) >= 34


def _copied(packet: Packet, number: int, later_ns: int) -> bytes:
    label, data = number.to_bytes(2, "big"), packet.data
    seconds, fraction = divmod(_BEGIN_NS + later_ns, 1_000_000_000)
    header = _RECORD.pack(seconds, fraction, len(data), packet.original_size)
    return header + data[:27] + label + data[29:31] + label + data[33:]
