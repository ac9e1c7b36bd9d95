import io
import struct

import pytest

from framing.capture.files import read_packets
from framing.capture.source import MAX_RECORD_SIZE
from framing.errors import CaptureFileError

ONE, TWO = bytes(range(61)), b"another packet"


def packets(data):
    return list(read_packets(io.BytesIO(data)))


def drain(reader, found):
    for packet in reader:
        found.append(packet)


def small(wire, order="<"):
    return [
        wire.section(order),
        wire.interface(order),
        wire.enhanced(order, ONE, ticks=5),
        wire.block(order, 5, b"statistics"),
        wire.simple(order, TWO),
    ]


@pytest.mark.parametrize("order", "<>")
def test_every_kind_of_packet(wire, order):
    """[P3]"""
    data = b"".join(small(wire, order)) + wire.obsolete(order, ONE, ticks=(7 << 32) + 1)
    found = packets(data)
    assert [(p.number, p.data, p.original_size, p.link_type) for p in found] == [
        (1, ONE, 61, 1),
        (2, TWO, 14, 1),
        (3, ONE, 61, 1),
    ]
    # [P6] microseconds if the interface does not say otherwise; a simple packet has no time
    assert [p.timestamp_ns for p in found] == [5000, None, ((7 << 32) + 1) * 1000]


def test_sections_have_their_own_byte_order_and_interfaces(wire):
    """[P3]"""
    first = wire.section("<") + wire.interface("<", 1) + wire.interface("<", 101) + wire.enhanced("<", ONE, number=1)
    second = wire.section(">") + wire.interface(">", 113) + wire.enhanced(">", TWO)
    assert [(p.number, p.link_type, p.data) for p in packets(first + second)] == [(1, 101, ONE), (2, 113, TWO)]
    with pytest.raises(CaptureFileError, match="an interface that the section does not have") as caught:
        packets(first + wire.section("<") + wire.enhanced("<", TWO))
    assert (caught.value.packet_number, caught.value.found) == (2, 0)


def test_other_blocks_are_passed_over(wire):
    """[P3]"""
    parts = small(wire)
    others = [wire.block("<", kind, b"whatever it is") for kind in (4, 5, 9, 10, 0xBAD, 0x40000BAD, 0x80000001)]
    data = b"".join([parts[0], *others, parts[1], *others, parts[2], *others])
    assert [p.data for p in packets(data)] == [ONE]


@pytest.mark.parametrize(
    ("resolution", "ticks", "nanoseconds"),
    [
        (6, 1_700_000_000_123_456, 1_700_000_000_123_456_000),
        (9, 1_700_000_000_123_456_789, 1_700_000_000_123_456_789),
        (0, 1_700_000_000, 1_700_000_000_000_000_000),
        (12, 1_700_000_000_123_456_789, 1_700_000_000_123_456),
        (0x80 | 10, 1_700_000_000 << 10 | 512, 1_700_000_000_500_000_000),
        (0x80 | 32, 1_700_000_000 << 32 | 1 << 31, 1_700_000_000_500_000_000),
        (127, 1, 0),
        (255, 1, 0),
    ],
)
def test_resolution_of_times(wire, resolution, ticks, nanoseconds):
    """[P6]"""
    options = wire.option("<", 9, bytes([resolution])) + wire.option("<", 0, b"")
    data = wire.section("<") + wire.interface("<", options=options) + wire.enhanced("<", ONE, ticks=ticks)
    assert [p.timestamp_ns for p in packets(data)] == [nanoseconds]


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("seconds", [3600, -3600])
def test_offset_of_times(wire, order, seconds):
    """[P6]"""
    options = wire.option(order, 2, b"eth0") + wire.option(order, 14, struct.pack(order + "q", seconds))
    data = wire.section(order) + wire.interface(order, options=options) + wire.enhanced(order, ONE, ticks=10**10)
    assert [p.timestamp_ns for p in packets(data)] == [(10**4 + seconds) * 10**9]


def test_snap_length_says_what_a_simple_packet_kept(wire):
    """[P6]"""
    data = wire.section("<") + wire.interface("<", snap=10) + wire.simple("<", TWO[:10], size=len(TWO))
    assert [(p.data, p.original_size) for p in packets(data)] == [(TWO[:10], len(TWO))]


def test_interfaces_are_limited(wire):
    """[P4]"""
    section, interface, *_ = small(wire)

    assert packets(section + interface * 65536 + section) == []
    with pytest.raises(CaptureFileError, match="more interfaces than any has") as caught:
        packets(section + interface * 65537)
    assert caught.value.offset == len(section) + 65536 * len(interface)


def damaged(wire):
    section, interface, packet, *_ = small(wire)
    good = section + interface + packet
    yield "two lengths differ", good + packet[:-4] + b"\x10\0\0\0"
    yield "length that none can have", good + struct.pack("<II", 6, MAX_RECORD_SIZE + 4)
    yield "length that none can have", good + struct.pack("<III", 6, 8, 8)
    yield "length that none can have", good + struct.pack("<III", 6, 15, 15)
    yield "without a byte-order magic", good + section[:8] + b"?" + section[9:]
    yield "unknown version", good + wire.section("<", major=2)
    yield "section header that is too short", good + wire.block("<", 0x0A0D0D0A, struct.pack("<I", 0x1A2B3C4D))
    yield "interface block that is too short", good + wire.block("<", 1, b"")
    yield "packet block that is too short", good + wire.block("<", 6, b"1234")
    yield "packet block that is too short", good + wire.block("<", 3, b"")
    yield "packet that is longer than its block", good + wire.block("<", 3, b"\xff\0\0\0")
    yield "packet that is longer than its block", good + wire.block("<", 6, struct.pack("<IIIII", 0, 0, 0, 9, 9))
    yield "option that is longer", good + wire.interface("<", options=struct.pack("<HH", 9, 200))


def test_damage_is_named_after_everything_before_it(wire):
    """[P4] [P5]"""
    at = sum(map(len, small(wire)[:3]))
    for text, data in damaged(wire):
        reader = read_packets(io.BytesIO(data + bytes(200)))
        assert next(reader).data == ONE
        with pytest.raises(CaptureFileError, match=text) as caught:
            next(reader)
        assert (caught.value.offset, caught.value.packet_number, caught.value.truncated) == (at, 2, False)


def test_every_truncation_gives_a_prefix_and_one_error(wire):
    """[P5]"""
    parts = small(wire)
    data = b"".join(parts)
    ends = [sum(map(len, parts[:count])) for count in range(len(parts) + 1)]
    for size in range(1, len(data)):
        found, reader = [], read_packets(io.BytesIO(data[:size]))
        if size in ends:
            assert len(list(reader)) == (ends.index(size) >= 3)
            continue
        with pytest.raises(CaptureFileError) as caught:
            drain(reader, found)
        assert len(found) == (size >= ends[3])
        assert caught.value.truncated is True
        assert caught.value.offset == max(end for end in ends if end <= size)


def test_every_changed_byte_gives_packets_or_a_capture_error(wire):
    """[P5]"""
    data = b"".join(small(wire))
    failed = 0
    for at in range(len(data)):
        for value in (0, 255, data[at] ^ 1, data[at] ^ 128):
            try:
                assert len(packets(data[:at] + bytes([value]) + data[at + 1 :])) <= 2
            except CaptureFileError:
                failed += 1
    assert failed > 100
