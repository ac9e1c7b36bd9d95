"""What is written reads back: packets, checksums, bytes and times of every flow."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing.capture.assembler import assemble
from framing.capture.files import read_packets
from framing.capture.flow import Chunk, FlowEnd, Gap
from framing.capture.write import ConnectionWriter, PcapWriter

PAIRS = {
    4: (("127.0.0.1", 40000), ("127.0.0.2", 7)),
    6: (("::1", 40000), ("2001:db8::7", 7)),
}
# 2026-11-22T08:15:30Z and a few nanoseconds, which a microsecond capture would lose.
START = 1_795_335_330_000_000_001


def written(sends, family=4, ends=("client", "server")):
    file = io.BytesIO()
    connection = ConnectionWriter(PcapWriter(file), *PAIRS[family])
    connection.open(START)
    for step, (side, data) in enumerate(sends, 1):
        connection.send(side, data, START + step)
    for side in ends:
        connection.close(side, START + len(sends) + 1)
    return file.getvalue()


def events(capture):
    return list(assemble(read_packets(io.BytesIO(capture))))


def sums_to_all_ones(data):
    """RFC 1071, word by word: right bytes and their checksum add up to 0xFFFF."""
    total = 0
    for place in range(0, len(data), 2):
        total += int.from_bytes(data[place : place + 2].ljust(2, b"\0"), "big")
        total = (total & 0xFFFF) + (total >> 16)
    return total == 0xFFFF


def tcp_is_right(packet):
    if packet[0] >> 4 == 4:
        addresses, segment = packet[12:20], packet[20:]
    else:
        addresses, segment = packet[8:40], packet[40:]
    return sums_to_all_ones(addresses + len(segment).to_bytes(4, "big") + b"\0\0\0\x06" + segment)


@pytest.mark.parametrize("family", PAIRS)
def test_each_side_reads_back_with_its_bytes_times_and_ends(family):
    found = events(written([("client", b"ping"), ("server", b"pong!"), ("client", b"bye")], family))

    chunks = [
        (one.flow.connection.client is one.flow, one.offset, one.data, one.timestamp_ns)
        for one in found
        if isinstance(one, Chunk)
    ]
    assert chunks == [
        (True, 0, b"ping", START + 1),
        (False, 0, b"pong!", START + 2),
        (True, 4, b"bye", START + 3),
    ]
    assert [one.reason for one in found if isinstance(one, FlowEnd)] == ["fin", "fin"]
    assert found[0].flow.connection.is_guessed is False


@pytest.mark.parametrize("family", PAIRS)
def test_checksums_are_right_for_odd_even_and_empty_segments(family):
    capture = written([("client", b""), ("client", b"\xff"), ("server", b"\xff\xff"), ("client", bytes(1001))], family)
    packets = [packet.data for packet in read_packets(io.BytesIO(capture))]

    assert len(packets) == 3 + 3 + 4
    assert [packet for packet in packets if not tcp_is_right(packet)] == []
    assert [packet for packet in packets if family == 4 and not sums_to_all_ones(packet[:20])] == []


def test_a_wrong_byte_would_be_noticed():
    packet = bytearray(next(read_packets(io.BytesIO(written([])))).data)
    assert tcp_is_right(packet)

    packet[-1] ^= 1

    assert not tcp_is_right(packet)


@given(st.lists(st.tuples(st.sampled_from(["client", "server"]), st.binary(max_size=5000)), max_size=6))
def test_any_bytes_read_back_without_a_gap(sends):
    found = events(written(sends))

    assert not [one for one in found if isinstance(one, Gap)]
    for side in ("client", "server"):
        wanted = b"".join(data for sender, data in sends if sender == side)
        got = [one.data for one in found if isinstance(one, Chunk) and getattr(one.flow.connection, side) is one.flow]
        assert b"".join(got) == wanted


def test_a_large_send_spans_segments_and_only_the_last_is_pushed():
    packets = [packet.data for packet in read_packets(io.BytesIO(written([("client", bytes(3000))])))][3:6]

    assert [len(packet) - 40 for packet in packets] == [1440, 1440, 120]
    assert [packet[33] & 8 for packet in packets] == [0, 0, 8]


def test_two_connections_share_a_file():
    file = io.BytesIO()
    pcap = PcapWriter(file)
    pairs = [(("127.0.0.1", port), ("127.0.0.1", 7)) for port in (40000, 40001)]
    connections = [ConnectionWriter(pcap, *pair) for pair in pairs]
    for connection in connections:
        connection.open(START)
    for number, connection in enumerate(connections):
        connection.send("client", b"%d" % number, START)

    assert sorted(one.data for one in events(file.getvalue()) if isinstance(one, Chunk)) == [b"0", b"1"]


@pytest.mark.parametrize("pair", [(("127.0.0.1", 1), ("::1", 2)), (("localhost", 1), ("127.0.0.1", 2))])
def test_endpoints_that_no_packet_can_have_are_refused(pair):
    with pytest.raises(ValueError, match=r"different families|does not appear to be"):
        ConnectionWriter(PcapWriter(io.BytesIO()), *pair)
