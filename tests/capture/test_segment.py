"""Packets to segments: links, IP, TCP headers. [P7] to [P11]"""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing.capture.link import IPV6
from framing.capture.packet import Packet
from framing.capture.segment import PacketCounts, find_any_segment, find_segment

TEXT = b"the payload"
KEY = bytes([10, 0, 0, 5, 10, 0, 0, 9]) + struct.pack(">HH", 51744, 9092)
SEGMENT = (KEY, 7, 8, 24)


def found(link_type, data, original_size=None):
    """The segment's fields and payload, its cut, and the counts that are not 0."""
    counts = PacketCounts()
    packet = Packet(1, 0, link_type, data, len(data) if original_size is None else original_size)
    segment = find_segment(packet, counts)
    assert segment == find_any_segment(packet, PacketCounts())
    listed = {name: getattr(counts, name) for name in counts.__slots__ if getattr(counts, name)}
    return (None if segment is None else (segment[:4], data[segment[4] : segment[5]], segment[6])), listed


@pytest.fixture(scope="module")
def ip(wire):
    return wire.ipv4("10.0.0.5", "10.0.0.9", wire.tcp(("", 51744), ("", 9092), 7, 8, 24, TEXT))


@pytest.fixture(scope="module")
def tcp6(wire):
    return wire.tcp(("", 51744), ("", 9092), 7, 8, 24, TEXT)


GOOD = (SEGMENT, TEXT, 0)


@pytest.mark.parametrize("tags", [(), (0x8100,), (0x88A8, 0x8100), (0x9100, 0x8100), (0x9200,), (0x8100,) * 3])
def test_ethernet_with_tags(wire, ip, tags):
    """[P8]"""
    assert found(1, wire.ethernet(ip, tags=tags)) == (GOOD, {})
    assert found(1, wire.ethernet(ip, tags=tags) + b"padding")[0] == GOOD


def test_ethernet_with_a_snap_header(ip):
    """[P8]"""
    snap = bytes(12) + struct.pack(">H", 8 + len(ip)) + b"\xaa\xaa\x03\0\0\0\x08\0"
    assert found(1, snap + ip) == (GOOD, {})


@pytest.mark.parametrize(
    ("link_type", "head"),
    [
        (0, "02000000"),
        (0, "00000002"),
        (108, "00000002"),
        (12, ""),
        (14, ""),
        (101, ""),
        (228, ""),
        (113, "0004 0001 0006 000000000000 0000 0800"),
        (113, "0004 0001 0006 000000000000 0000 8100 0007 0800"),
        (276, "0800 0000 00000001 0001 04 06 0000000000000000"),
        (276, "8100 0000 00000001 0001 04 06 0000000000000000 0007 0800"),
    ],
)
def test_other_links(ip, link_type, head):
    """[P7]"""
    assert found(link_type, bytes.fromhex(head) + ip) == (GOOD, {})


@pytest.mark.parametrize("family", [10, 24, 28, 30, 23])
@pytest.mark.parametrize("order", ["<", ">"])
def test_loopback_families_of_ipv6(wire, tcp6, family, order):
    """[P7]"""
    data = struct.pack(order + "I", family) + wire.ipv6("2001:db8::1", "::1", tcp6)
    assert found(0, data)[0][1:] == (TEXT, 0)


@pytest.mark.parametrize("link_type", [101, 229])
def test_ipv6(wire, tcp6, link_type):
    """[P10]"""
    (fields, payload, cut), counts = found(link_type, wire.ipv6("2001:db8::1", "::2", tcp6) + b"padding")
    assert (payload, cut, counts) == (TEXT, 0, {})
    assert fields[0] == wire.address("2001:db8::1") + wire.address("::2") + KEY[-4:]


def extension(following, size=8):
    return bytes([following, size // 8 - 1]) + bytes(size - 2)


@pytest.mark.parametrize(
    ("first", "chain"),
    [
        (0, extension(6)),
        (0, extension(43) + extension(60, 24) + extension(6)),
        (135, extension(6, 16)),
        (51, bytes([6, 4]) + bytes(22)),
        (44, bytes([6, 0, 0, 0, 0, 0, 0, 1])),
    ],
    ids=["hop-by-hop", "three", "mobility", "authentication", "a fragment that is the whole packet"],
)
def test_extension_headers_are_walked(wire, tcp6, first, chain):
    """[P10]"""
    (_, payload, cut), counts = found(101, wire.ipv6("::1", "::2", chain + tcp6, following=first))
    assert (payload, cut, counts) == (TEXT, 0, {})


def test_options_are_passed_over(wire):
    """[P9] [P11]"""
    tcp = wire.tcp(("", 51744), ("", 9092), 7, 8, 24, TEXT, options=bytes(12))
    data = wire.ethernet(wire.ipv4("10.0.0.5", "10.0.0.9", tcp, options=bytes(8)))
    assert found(1, data) == (GOOD, {})
    assert found(1, wire.ethernet(wire.ipv4("10.0.0.5", "10.0.0.9", tcp))) == (GOOD, {})


def test_length_0_means_what_was_captured(wire, tcp6):
    """[P9] [P10]"""
    assert found(101, wire.ipv4("10.0.0.5", "10.0.0.9", tcp6, size=0)) == (GOOD, {})
    assert found(101, wire.ipv6("::1", "::2", tcp6, size=0))[0][1:] == (TEXT, 0)


def test_what_the_snap_length_cut_is_counted(wire, ip):
    """[P11]"""
    data = wire.ethernet(ip)
    assert found(1, data[:-4], len(data)) == ((SEGMENT, TEXT[:-4], 4), {"cut": 1})
    assert found(1, data[: -len(TEXT)], len(data)) == ((SEGMENT, b"", len(TEXT)), {"cut": 1})


def test_cut_inside_the_tcp_options_loses_the_payload_only(wire):
    """[P11]"""
    tcp = wire.tcp(("", 51744), ("", 9092), 7, 8, 24, TEXT, options=bytes(12))
    data = wire.ethernet(wire.ipv4("10.0.0.5", "10.0.0.9", tcp))
    assert found(1, data[: 14 + 20 + 24], len(data)) == ((SEGMENT, b"", len(TEXT)), {"cut": 1})


def test_length_beyond_the_wire_promises_nothing(wire, tcp6):
    """[P11]"""
    data = wire.ethernet(wire.ipv4("10.0.0.5", "10.0.0.9", tcp6, size=9999))
    assert found(1, data) == (GOOD, {})


def unusable(wire, ip, tcp6):
    fragment = wire.ipv4("10.0.0.5", "10.0.0.9", tcp6, fragment=0x2000)
    yield "fragments", 101, fragment
    yield "fragments", 101, wire.ipv4("10.0.0.5", "10.0.0.9", tcp6, fragment=5)
    yield "fragments", 101, wire.ipv6("::1", "::2", bytes([6, 0, 0, 1, 0, 0, 0, 1]) + tcp6, following=44)
    yield "fragments", 101, wire.ipv6("::1", "::2", bytes([6, 0, 0, 8, 0, 0, 0, 1]) + tcp6, following=44)
    yield "not_tcp", 101, wire.ipv4("10.0.0.5", "10.0.0.9", tcp6, protocol=17)
    yield "not_tcp", 101, wire.ipv6("::1", "::2", tcp6, following=58)
    yield "not_tcp", 101, wire.ipv6("::1", "::2", tcp6, following=59)
    yield "not_ip", 1, wire.ethernet(b"who has", 0x0806)
    yield "not_ip", 101, b"\x00" + ip
    yield "not_ip", 0, b"\x07\0\0\0" + ip
    yield "unknown_link", 147, ip
    yield "malformed", 1, b"short"
    yield "malformed", 1, wire.ethernet(b"", 0x0800, tags=(0x8100,))[:-2]
    yield "malformed", 276, b"\x08\0"
    yield "malformed", 0, b"\2\0"
    yield "malformed", 101, b""
    yield "malformed", 101, ip[:30]
    yield "malformed", 101, b"\x44" + ip[1:]
    yield "malformed", 1, wire.ethernet(b"\x65" + ip[1:])
    yield "malformed", 1, wire.ethernet(ip, IPV6)
    yield "malformed", 101, wire.ipv6("::1", "::2", b"\x06\0", following=0)
    yield "malformed", 101, wire.ipv4("10.0.0.5", "10.0.0.9", tcp6[:12] + b"\x40" + tcp6[13:])
    yield "malformed", 101, wire.ipv4("10.0.0.5", "10.0.0.9", tcp6, size=30)


def test_packets_without_a_segment_are_counted(wire, ip, tcp6):
    for reason, link_type, data in unusable(wire, ip, tcp6):
        assert found(link_type, data) == (None, {reason: 1})


@given(data=st.data())
def test_fast_way_is_the_general_way(wire, ip, data):
    """Both give the same for packets with any few bytes changed, cut or added. `found` compares them."""
    packet = bytearray(wire.ethernet(ip))
    for _ in range(data.draw(st.integers(0, 3))):
        packet[data.draw(st.integers(0, 50))] = data.draw(st.integers(0, 255))
    size = data.draw(st.integers(0, len(packet) + 10))
    found(1, bytes(packet[:size]).ljust(size, b"\0"), data.draw(st.none() | st.integers(0, 100)))


@given(st.sampled_from([0, 1, 12, 14, 101, 108, 113, 228, 229, 276, 999]), st.binary(max_size=200))
def test_any_bytes_are_a_segment_or_a_count(link_type, data):
    segment, counts = found(link_type, data)
    assert (segment is None) == (sum(count for name, count in counts.items() if name != "cut") == 1)
