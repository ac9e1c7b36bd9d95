"""Hand-made packets and capture files."""

import struct
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
