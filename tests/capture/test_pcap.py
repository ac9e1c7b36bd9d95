import io

import pytest

from framing.capture.files import read_packets
from framing.capture.source import BLOCK_SIZE, MAX_RECORD_SIZE
from framing.errors import CaptureFileError

ONE, TWO = bytes(range(60)), b"another packet"


def packets(data):
    return list(read_packets(io.BytesIO(data)))


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(
    ("magic", "extra", "nanoseconds"),
    [(0xA1B2C3D4, 0, 5000), (0xA1B23C4D, 0, 5), (0xA1B2CD34, 8, 5000), (0xA1B2C3D4, 4, 5000), (0xA1B2C3D4, 8, 5000)],
    ids=["microseconds", "nanoseconds", "kuznetzov", "nokia", "red hat 6.1"],
)
def test_every_variant_gives_the_same_packets(wire, order, magic, extra, nanoseconds):
    """[P2]"""
    found = packets(wire.pcap([ONE, TWO, ONE], order=order, magic=magic, extra=extra))
    assert [(packet.number, packet.data, packet.original_size, packet.link_type) for packet in found] == [
        (1, ONE, 60, 1),
        (2, TWO, 14, 1),
        (3, ONE, 60, 1),
    ]
    assert [packet.timestamp_ns for packet in found] == [(1000 + n) * 10**9 + nanoseconds for n in range(3)]


def test_packet_cut_by_the_snap_length_keeps_its_size_on_the_wire(wire):
    """[P2]"""
    (packet,) = packets(wire.pcap([(ONE, 1500)]))
    assert (packet.data, packet.original_size) == (ONE, 1500)


def test_upper_bits_of_the_link_field_are_flags(wire):
    """[P7]"""
    (packet,) = packets(wire.pcap([ONE], link=0xF400_0071))
    assert packet.link_type == 113


def test_the_version_is_not_looked_at(wire):
    """[P2]"""
    data = bytearray(wire.pcap([ONE]))
    data[4:8] = b"\0\2\0\4"
    assert [packet.data for packet in packets(data)] == [ONE]


def test_capture_without_packets(wire):
    assert packets(wire.pcap([])) == []


class Dribble:
    """A pipe that gives a few bytes at a time."""

    def __init__(self, data, step):
        self.file = io.BytesIO(data)
        self.step = step

    def read(self, size):
        return self.file.read(min(size, self.step))


@pytest.mark.parametrize("step", [1, 7, 1000])
def test_file_may_come_in_pieces(wire, step):
    data = wire.pcap([ONE, TWO, b"", ONE])
    assert [packet.data for packet in read_packets(Dribble(data, step))] == [ONE, TWO, b"", ONE]


def test_packets_across_blocks(wire):
    frames = [bytes([number % 251]) * (number * 37 % 9000) for number in range(300)]
    data = wire.pcap(frames)
    assert len(data) > 4 * BLOCK_SIZE
    assert [packet.data for packet in packets(data)] == frames


def test_packets_come_before_the_file_is_read_to_its_end(wire):
    """[P5] Memory is bounded by the block, not by the file."""
    file = io.BytesIO(wire.pcap([bytes(1000)] * 2000))
    reader = read_packets(file)
    next(reader)
    assert file.tell() <= 2 * BLOCK_SIZE


def test_every_truncation_gives_a_prefix_and_one_error(wire):
    """[P5]"""
    data = wire.pcap([ONE, TWO, b"", ONE])
    ends = [24]
    for frame in (ONE, TWO, b"", ONE):
        ends.append(ends[-1] + 16 + len(frame))
    for size in range(1, len(data)):
        check_truncation(data, size, ends)


def drain(reader, found):
    for packet in reader:
        found.append(packet)


def check_truncation(data, size, ends):
    if size in ends:
        assert len(packets(data[:size])) == ends.index(size)
        return
    found, reader = [], read_packets(io.BytesIO(data[:size]))
    with pytest.raises(CaptureFileError) as caught:
        drain(reader, found)
    with pytest.raises(StopIteration):
        next(reader)
    whole = [end for end in ends if end <= size]
    assert len(found) == max(len(whole) - 1, 0)
    assert caught.value.truncated is True
    assert caught.value.offset == (whole[-1] if whole else 0)
    assert caught.value.packet_number == len(found) + 1


def test_length_that_no_packet_has_is_refused_before_it_is_read(wire):
    """[P4]"""
    data = bytearray(wire.pcap([ONE, TWO]))
    at = 24 + 16 + 60
    data[at + 8 : at + 12] = (MAX_RECORD_SIZE + 1).to_bytes(4, "little")
    file = io.BytesIO(data + bytes(4 * BLOCK_SIZE))
    reader = read_packets(file)
    assert next(reader).data == ONE
    with pytest.raises(CaptureFileError, match="larger than any can be") as caught:
        next(reader)
    assert (caught.value.offset, caught.value.packet_number, caught.value.truncated) == (at, 2, False)
    assert caught.value.found == MAX_RECORD_SIZE + 1
    assert file.tell() <= 2 * BLOCK_SIZE


def test_every_changed_byte_gives_packets_or_a_capture_error(wire):
    """[P5]"""
    data = bytearray(wire.pcap([ONE, TWO, ONE]))
    failed = 0
    for at in range(len(data)):
        for value in (0, 255, data[at] ^ 1, data[at] ^ 128):
            changed = data[:at] + bytes([value]) + data[at + 1 :]
            try:
                assert len(packets(changed)) <= 5
            except CaptureFileError:
                failed += 1
    assert failed > 20
