"""Packets to segments and datagrams, the general way: every layer on the way to them. [P7] to [P11], [P22] to [P24]"""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing.capture.key import transport_of
from framing.capture.layer import IPV6
from framing.capture.packet import Packet
from framing.capture.unpacking import MAX_LAYERS, Unpacker

TEXT = b"the payload"
KEY = bytes([10, 0, 0, 5, 10, 0, 0, 9]) + struct.pack(">HH", 51744, 9092)
SEGMENT = (KEY, 7, 8, 24)


def found(link_type, data, original_size=None):
    """The segment's fields and payload, its cut, and the counts that are not 0."""
    unpacker = Unpacker()
    packet = Packet(1, 0, link_type, data, len(data) if original_size is None else original_size)
    unpacked = unpacker.unpack(packet)
    unpacker.finish()
    counts = unpacker.counts
    listed = {name: getattr(counts, name) for name in counts.__slots__ if getattr(counts, name)}
    assert len(unpacked) <= 1
    return next((fields(one) for one in unpacked), None), listed


def fields(unpacked):
    segment = unpacked.segment
    return segment[:4], unpacked.packet.data[segment[4] : segment[5]], segment[6]


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
    yield "other_transport", 101, wire.ipv4("10.0.0.5", "10.0.0.9", tcp6, protocol=1)
    yield "other_transport", 101, wire.ipv6("::1", "::2", tcp6, following=58)
    yield "other_transport", 101, wire.ipv6("::1", "::2", tcp6, following=59)
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


@given(
    st.sampled_from([0, 1, 9, 12, 14, 50, 51, 101, 104, 105, 107, 108, 113, 119, 127, 163, 166, 192, 228, 276, 999]),
    st.binary(max_size=200),
)
def test_any_bytes_are_a_segment_or_a_count(link_type, data):
    segment, counts = found(link_type, data)
    assert (segment is None) == (sum(count for name, count in counts.items() if name != "cut") == 1)


UDP_KEY = b"\x11\xff\xff\xff\xff" + KEY


class TestDatagrams:
    """[P24]"""

    def test_a_datagram(self, wire):
        data = wire.ipv4("10.0.0.5", "10.0.0.9", wire.udp(51744, 9092, TEXT), protocol=17)
        assert found(101, data + b"padding") == (((UDP_KEY, 0, 0, 0), TEXT, 0), {})
        [unpacked] = Unpacker().unpack(Packet(1, 0, 101, data, len(data)))
        assert unpacked.is_datagram
        assert transport_of(unpacked.segment[0]) == "udp"

    def test_its_own_length_counts_unless_it_is_0(self, wire):
        for size, payload in ((8 + 3, TEXT[:3]), (0, TEXT), (8, b""), (9999, TEXT)):
            data = wire.ipv4("10.0.0.5", "10.0.0.9", wire.udp(51744, 9092, TEXT, size=size), protocol=17)
            assert found(101, data)[0][1:] == (payload, 0)

    def test_what_the_snap_length_cut_is_counted(self, wire):
        data = wire.ipv4("10.0.0.5", "10.0.0.9", wire.udp(51744, 9092, TEXT), protocol=17)
        assert found(101, data[:-4], len(data)) == (((UDP_KEY, 0, 0, 0), TEXT[:-4], 4), {"cut": 1})

    def test_broken_headers(self, wire):
        for udp in (b"1234567", wire.udp(51744, 9092, TEXT, size=7)):
            assert found(101, wire.ipv4("10.0.0.5", "10.0.0.9", udp, protocol=17)) == (None, {"malformed": 1})


def jumbo(size):
    return bytes([6, 0, 0xC2, 4]) + struct.pack(">I", size)


class TestJumbograms:
    """[P10]"""

    def test_its_option_tells_the_length(self, wire, tcp6):
        data = wire.ipv6("::1", "::2", jumbo(8 + len(tcp6)) + tcp6, following=0, size=0)
        assert found(101, data + b"padding")[0][1:] == (TEXT, 0)

    def test_other_options_before_it(self, wire, tcp6):
        header = bytes([6, 1, 0, 1, 1, 0, 0, 0xC2, 4]) + struct.pack(">I", 16 + len(tcp6)) + bytes(3)
        data = wire.ipv6("::1", "::2", header + tcp6, following=0, size=0)
        assert found(101, data + b"padding")[0][1:] == (TEXT, 0)

    def test_without_it_what_was_captured_counts(self, wire, tcp6):
        data = wire.ipv6("::1", "::2", extension(6) + tcp6, following=0, size=0)
        assert found(101, data)[0][1:] == (TEXT, 0)

    def test_a_length_that_is_there_counts(self, wire, tcp6):
        data = wire.ipv6("::1", "::2", jumbo(12) + tcp6, following=0)
        assert found(101, data + b"padding")[0][1:] == (TEXT, 0)


def fragments4(wire, tcp, *bounds):
    """Fragments of a packet, cut at multiples of 8."""
    for start, stop in zip((0, *bounds), (*bounds, None), strict=True):
        flags = start // 8 | (0 if stop is None else 0x2000)
        yield wire.ipv4("10.0.0.5", "10.0.0.9", tcp[start:stop], fragment=flags)


def unpack_all(packets, link_type=101, times=None):
    unpacker, unpacked = Unpacker(), []
    for number, data in enumerate(packets):
        time_ns = times[number] if times else 1000 * number
        unpacked += unpacker.unpack(Packet(number + 1, time_ns, link_type, data, len(data)))
    unpacker.finish()
    return unpacked, unpacker.counts.fragments


class TestFragments:
    """[P22] What is held, and for how long, is tested in test_fragments.py."""

    @pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
    def test_ipv4(self, wire, tcp6, order):
        parts = list(fragments4(wire, tcp6, 8, 24))
        [unpacked], lost = unpack_all([parts[index] for index in order])
        assert fields(unpacked) == GOOD
        assert lost == 0
        assert (unpacked.packet.number, unpacked.packet.timestamp_ns) == (3, 2000)

    def test_ipv6(self, wire, tcp6):
        def part(offset, more, data, following=6):
            head = bytes([following, 0]) + struct.pack(">HI", offset | more, 7)
            return wire.ipv6("::1", "::2", head + data, following=44)

        [unpacked], lost = unpack_all([part(16, 0, tcp6[16:]), part(0, 1, tcp6[:16])])
        assert (fields(unpacked)[1:], lost) == ((TEXT, 0), 0)

        # Extension headers that only the receiver reads are in the fragments.
        inner = extension(6) + tcp6
        [unpacked], _ = unpack_all([part(0, 1, inner[:16], 60), part(16, 0, inner[16:], 60)])
        assert fields(unpacked)[1:] == (TEXT, 0)

    def test_padding_is_no_part_of_a_fragment(self, wire, tcp6):
        [unpacked], _ = unpack_all([part + b"padding" for part in fragments4(wire, tcp6, 16)])
        assert fields(unpacked) == GOOD

    def test_packets_are_told_apart_by_addresses_protocol_and_number(self, wire, tcp6):
        first, last = fragments4(wire, tcp6, 16)
        others = (
            wire.ipv4("10.0.0.6", "10.0.0.9", tcp6[16:], fragment=2),
            wire.ipv4("10.0.0.5", "10.0.0.9", tcp6[16:], fragment=2, protocol=17),
            last[:4] + b"\x99\x99" + last[6:],
        )
        for other in others:
            assert unpack_all([first, other]) == ([], 2)

    def test_a_fragment_that_the_snap_length_cut_is_lost(self, wire, tcp6):
        first, last = fragments4(wire, tcp6, 16)
        unpacker = Unpacker()
        assert unpacker.unpack(Packet(1, 0, 101, first[:-1], len(first))) == []
        assert unpacker.unpack(Packet(2, 0, 101, last, len(last))) == []
        unpacker.finish()
        assert unpacker.counts.fragments == 2

    def test_a_tunnel_in_fragments(self, wire, ip):
        gre = bytes.fromhex("0000 0800") + ip
        first, last = fragments4(wire, gre, 16)
        parts = [part[:9] + b"\x2f" + part[10:] for part in (first, last)]
        [unpacked], _ = unpack_all(parts)
        assert (fields(unpacked), unpacked.tunnels) == (GOOD, ("gre",))


def tunnelled(wire, payload, port=None, **options):
    if port is not None:
        payload, options = wire.udp(40000, port, payload), {"protocol": 17}
    return wire.ipv4("192.0.2.1", "192.0.2.2", payload, **options)


class TestTunnels:
    """[P23] The headers are tested in test_tunnel.py."""

    def test_what_was_passed_through_is_told(self, wire, ip):
        data = tunnelled(wire, bytes.fromhex("1000 88be 00000001") + bytes(8) + wire.ethernet(ip), protocol=47)
        [unpacked] = Unpacker().unpack(Packet(1, 0, 101, data, len(data)))
        assert fields(unpacked) == GOOD
        assert (unpacked.tunnels, unpacked.is_guessed) == (("gre", "erspan"), False)

    def test_by_port_number_it_is_a_guess(self, wire, ip):
        gtp = b"\x30\xff" + struct.pack(">H", len(ip)) + bytes(4) + ip
        mpls = bytes.fromhex("00000140") + ip
        for data in (tunnelled(wire, gtp, 2152), tunnelled(wire, mpls, 6635)):
            [unpacked] = Unpacker().unpack(Packet(1, 0, 101, data, len(data)))
            assert (fields(unpacked), unpacked.is_guessed) == (GOOD, True)

    def test_either_port_will_do(self, wire, ip):
        udp = wire.udp(2152, 40000, b"\x30\xff" + struct.pack(">H", len(ip)) + bytes(4) + ip)
        assert found(101, wire.ipv4("192.0.2.1", "192.0.2.2", udp, protocol=17))[0] == GOOD

    def test_a_datagram_that_is_no_tunnel_after_all(self, wire):
        for payload in (b"\x08 but something else", b"hello", b"\x08" + bytes(19) + b"\x08\x00\x77 no IPv4"):
            data = tunnelled(wire, payload, 4789)
            [unpacked] = Unpacker().unpack(Packet(1, 0, 101, data, len(data)))
            assert unpacked.is_datagram
            assert (fields(unpacked)[1], unpacked.tunnels, unpacked.is_guessed) == (payload, (), False)

    def test_ports_that_are_asked_for_are_no_tunnels(self, wire, ip):
        data = tunnelled(wire, b"\x30\xff" + struct.pack(">H", len(ip)) + bytes(4) + ip, 2152)
        [unpacked] = Unpacker(plain_ports=(2152,)).unpack(Packet(1, 0, 101, data, len(data)))
        assert unpacked.is_datagram

    def test_a_virtual_network_is_part_of_the_key(self, wire, ip):
        """[P12]"""
        data = tunnelled(wire, bytes.fromhex("08000000 000007 00") + wire.ethernet(ip), 4789)
        assert found(101, data)[0][0][0] == b"\x06\x00\x00\x00\x07" + KEY
        data = tunnelled(wire, bytes.fromhex("0000 6558 000007 00") + wire.ethernet(ip), 6081)
        assert found(101, data)[0][0][0] == b"\x06\x00\x00\x00\x07" + KEY

    def test_tunnels_in_tunnels_end_somewhere(self, wire, ip):
        deep = ip
        for _ in range(MAX_LAYERS // 2):
            deep = wire.ipv4("192.0.2.1", "192.0.2.2", deep, protocol=4)
        assert found(101, deep) == (None, {"too_deep": 1})
        for _ in range(2000):
            deep = wire.ipv4("192.0.2.1", "192.0.2.2", deep, protocol=4, size=0)
        assert found(101, deep) == (None, {"too_deep": 1})
        few = ip
        for _ in range(8):
            few = wire.ipv4("192.0.2.1", "192.0.2.2", few, protocol=4)
        assert found(101, few)[0] == GOOD

    def test_an_aggregate_has_several(self, wire, ip):
        """[P8]"""
        part = bytes(12) + struct.pack(">H", 8 + len(ip)) + b"\xaa\xaa\x03\0\0\0\x08\0" + ip
        data = b"\x88\x01" + bytes(22) + b"\x80\0" + part + bytes(-len(part) % 4) + part
        unpacked = Unpacker().unpack(Packet(1, 0, 105, data, len(data)))
        assert [fields(one) for one in unpacked] == [GOOD, GOOD]
