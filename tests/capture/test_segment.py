"""Packets to segments, the fast way: held equal to the general one of test_unpacking.py. [P9] [P11]"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing.capture.packet import Packet
from framing.capture.segment import find_segment
from framing.capture.unpacking import Unpacker


@pytest.fixture(scope="module")
def ip(wire):
    return wire.ipv4("10.0.0.5", "10.0.0.9", wire.tcp(("", 51744), ("", 9092), 7, 8, 24, b"the payload"))


def test_an_ordinary_packet(wire, ip):
    data = wire.ethernet(ip) + b"padding"
    key = wire.address("10.0.0.5") + wire.address("10.0.0.9") + (51744).to_bytes(2, "big") + (9092).to_bytes(2, "big")
    assert find_segment(Packet(1, 0, 1, data, len(data))) == (key, 7, 8, 24, 54, 65, 0)


def test_anything_else_is_left_to_the_general_way(wire, ip):
    for link_type, data in (
        (101, ip[:33]),
        (9, b"\0\x21" + ip),
        (999, ip),
        (101, b"\x46" + ip[1:]),
        (1, wire.ethernet(ip)[:-1]),
        (1, wire.ethernet(wire.ipv4("10.0.0.5", "10.0.0.9", ip[20:], fragment=0x2000))),
        (1, wire.ethernet(wire.ipv4("10.0.0.5", "10.0.0.9", ip[20:], options=bytes(4)))),
        (1, wire.ethernet(wire.ipv4("10.0.0.5", "10.0.0.9", ip[20:], size=0))),
        (1, wire.ethernet(wire.ipv4("10.0.0.5", "10.0.0.9", ip[20:], protocol=17))),
        (1, wire.ethernet(ip, 0x0806)),
    ):
        assert find_segment(Packet(1, 0, link_type, data, len(data))) is None


def test_behind_other_links_and_tags(wire, ip):
    ordinary = find_segment(Packet(1, 0, 1, wire.ethernet(ip), 0))
    for link_type, data in ((101, ip), (1, wire.ethernet(ip, tags=(0x8100,))), (113, bytes(14) + b"\x08\0" + ip)):
        packet = Packet(1, 0, link_type, data + b"padding", len(data))
        offset = len(data) - len(ip)
        assert find_segment(packet) == (*ordinary[:4], ordinary[4] + offset - 14, ordinary[5] + offset - 14, 0)


@given(data=st.data())
def test_fast_way_is_the_general_way(wire, ip, data):
    """What the fast way finds in packets with any few bytes changed, cut or added, the general way finds too."""
    link_type = data.draw(st.sampled_from([1, 1, 101, 113]))
    whole = {
        1: wire.ethernet(ip, tags=(0x8100,) * data.draw(st.integers(0, 1))),
        101: ip,
        113: bytes(14) + b"\x08\0" + ip,
    }
    changed = bytearray(whole[link_type])
    for _ in range(data.draw(st.integers(0, 3))):
        changed[data.draw(st.integers(0, 50))] = data.draw(st.integers(0, 255))
    size = data.draw(st.integers(0, len(changed) + 10))
    kept = bytes(changed[:size]).ljust(size, b"\0")
    packet = Packet(1, 0, link_type, kept, data.draw(st.none() | st.integers(0, 100)) or size)
    if (segment := find_segment(packet)) is not None:
        assert [one.segment for one in Unpacker().unpack(packet)] == [segment]
