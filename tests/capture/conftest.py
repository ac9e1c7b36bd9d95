"""Hand-made packets and capture files."""

import io
import struct
from collections import defaultdict
from types import SimpleNamespace

import pytest

from framing.capture.packet import Packet

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
CLIENT, SERVER = ("10.0.0.5", 51744), ("10.0.0.9", 9092)


def address(text):
    if ":" in text:
        head, _, tail = text.partition("::")
        parts = [[int(group, 16) for group in side.split(":") if group] for side in (head, tail)]
        groups = parts[0] + [0] * (8 - len(parts[0]) - len(parts[1])) + parts[1]
        return struct.pack(">8H", *groups)
    return bytes(map(int, text.split(".")))


def tcp(source, target, sequence, acknowledged, flags, payload=b"", options=b""):
    head = (20 + len(options)) // 4 << 4
    numbers = source[1], target[1], sequence % 2**32, acknowledged % 2**32, head, flags, 65535, 0, 0
    return struct.pack(">HHIIBBHHH", *numbers) + options + payload


def udp(source_port, target_port, payload, *, size=None):
    size = 8 + len(payload) if size is None else size
    return struct.pack(">HHHH", source_port, target_port, size, 0) + payload


def ipv4(source, target, payload, *, protocol=6, size=None, fragment=0x4000, options=b""):
    words = 5 + len(options) // 4
    total = words * 4 + len(payload) if size is None else size
    head = struct.pack(">BBHHHBBH", 0x40 | words, 0, total, 1, fragment, 64, protocol, 0)
    return head + address(source) + address(target) + options + payload


def ipv6(source, target, payload, *, following=6, size=None):
    size = len(payload) if size is None else size
    return struct.pack(">IHBB", 6 << 28, size, following, 64) + address(source) + address(target) + payload


def ethernet(payload, kind=0x0800, tags=()):
    return bytes(12) + b"".join(struct.pack(">HH", tag, 7) for tag in tags) + struct.pack(">H", kind) + payload


def segment(
    source=CLIENT, target=SERVER, *, sequence=0, acknowledged=0, flags=ACK, payload=b"", number=1, time=None, cut=0
):
    """A packet: Ethernet, IPv4, TCP; the last `cut` bytes of the payload were not captured."""
    data = ethernet(ipv4(source[0], target[0], tcp(source, target, sequence, acknowledged, flags, payload)))
    return Packet(number, 1000 * number if time is None else time, 1, data[: len(data) - cut], len(data))


def pcap(frames, *, order="<", magic=0xA1B2C3D4, link=1, extra=0, fraction=5, snap=262144):
    """A pcap file: frames are bytes, or (bytes, original size)."""
    out = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snap, link)]
    for number, frame in enumerate(frames):
        data, size = frame if isinstance(frame, tuple) else (frame, len(frame))
        out += struct.pack(order + "IIII", 1000 + number, fraction, len(data), size), bytes(extra), data
    return b"".join(out)


def block(order, kind, body):
    body += bytes(-len(body) % 4)
    size = struct.pack(order + "I", 12 + len(body))
    return struct.pack(order + "I", kind) + size + body + size


def option(order, code, value):
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def section(order, major=1):
    return block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, major, 0, -1))


def interface(order, link=1, snap=0, options=b""):
    return block(order, 1, struct.pack(order + "HHI", link, 0, snap) + options)


def enhanced(order, data, *, number=0, ticks=0, size=None):
    size = len(data) if size is None else size
    head = struct.pack(order + "IIIII", number, ticks >> 32, ticks & 0xFFFFFFFF, len(data), size)
    return block(order, 6, head + data)


def simple(order, data, *, size=None):
    return block(order, 3, struct.pack(order + "I", len(data) if size is None else size) + data)


def obsolete(order, data, *, number=0, ticks=0):
    head = struct.pack(order + "HHIIII", number, 0, ticks >> 32, ticks & 0xFFFFFFFF, len(data), len(data))
    return block(order, 2, head + data)


@pytest.fixture(scope="session")
def wire():
    """The makers of this file, under one name: wire.segment(…), wire.pcap([…])."""
    return SimpleNamespace(**{name: value for name, value in globals().items() if not name.startswith("_")})


class Capture:
    """A capture made by hand: connections whose packets are given one by one."""

    def __init__(self, wire):
        self.wire = wire
        self.frames = []
        self.sent = defaultdict(int)

    def packet(self, payload=b"", side="client", *, flags=ACK, lost=0, client=51744, server=9092):
        """Add what a side sends next, after `lost` bytes that the capture has not."""
        ends = ("10.0.0.5", client), ("10.0.0.9", server)
        source, target = ends if side == "client" else ends[::-1]
        self.sent[source, target] += lost
        sequence = self.sent[source, target]
        data = self.wire.segment(
            source, target, sequence=sequence, acknowledged=self.sent[target, source], flags=flags, payload=payload
        ).data
        self.sent[source, target] += len(payload) + bool(flags & (SYN | FIN))
        self.frames.append(data)
        return self

    def opened(self, **ports):
        self.packet(flags=SYN, **ports)
        return self.packet(side="server", flags=SYN | ACK, **ports)

    def file(self, cut=None):
        return io.BytesIO(self.wire.pcap(self.frames)[:cut])


@pytest.fixture
def capture(wire):
    return Capture(wire)
