"""Many connections: names, sides, new ones on old ports, budgets. [P12] [P18] to [P21]"""

import io
import tracemalloc

import pytest

from framing.capture.assembler import Assembler, assemble
from framing.capture.files import read_packets
from framing.capture.flow import Chunk, FlowEnd, Gap
from framing.capture.packet import Packet
from framing.errors import CaptureFileError

FIN, SYN, RST, ACK = 1, 2, 4, 16
A, B = ("10.0.0.5", 51744), ("10.0.0.9", 9092)


class Line:
    """Packets numbered as they are made."""

    def __init__(self, wire, **options):
        self.wire = wire
        self.count = 0
        self.assembler = Assembler(**options)

    def send(self, source, target, sequence, payload=b"", flags=ACK, acknowledged=0):
        self.count += 1
        packet = self.wire.segment(
            source,
            target,
            sequence=sequence,
            acknowledged=acknowledged,
            flags=flags,
            payload=payload,
            number=self.count,
        )
        return list(self.assembler.add(packet))


@pytest.fixture
def line(wire):
    return Line(wire)


def names(events):
    return [event.flow.name for event in events]


def test_events_name_their_flow(line):
    line.send(A, B, 0, flags=SYN)
    line.send(B, A, 0, flags=SYN | ACK)
    (chunk,) = line.send(A, B, 1, b"abc")
    assert (chunk.flow.name, chunk.flow.reverse.name) == (
        "10.0.0.5:51744>10.0.0.9:9092",
        "10.0.0.9:9092>10.0.0.5:51744",
    )
    assert (chunk.flow.source, chunk.flow.destination) == (A, B)
    assert chunk.flow.reverse.reverse is chunk.flow
    assert repr(chunk) == "<Chunk 10.0.0.5:51744>10.0.0.9:9092 offset 0, 3 bytes, packet 3>"


def test_ipv6_stands_in_brackets(wire):
    packet = wire.segment()
    data = wire.ethernet(wire.ipv6("2001:db8::1", "::1", wire.tcp(("", 51744), ("", 443), 1, 0, SYN, b"x")), 0x86DD)
    packet.data, packet.original_size = data, len(data)
    assembler = Assembler()
    (chunk,) = assembler.add(packet)
    assert chunk.flow.name == "[2001:db8::1]:51744>[::1]:443"
    assert chunk.flow.source == ("2001:db8::1", 51744)


@pytest.mark.parametrize(
    ("source", "target", "ports", "direction"),
    [
        (("1.1.1.1", 50000), ("2.2.2.2", 80), (), "client"),
        (("1.1.1.1", 80), ("2.2.2.2", 50000), (), "server"),
        (("1.1.1.1", 50000), ("2.2.2.2", 60000), {60000}, "client"),
        (("1.1.1.1", 60000), ("2.2.2.2", 50000), {60000}, "server"),
        (("1.1.1.1", 50000), ("2.2.2.2", 60000), {50000, 60000}, "server"),
        (("1.1.1.1", 179), ("2.2.2.2", 179), (), "client"),
    ],
)
def test_sides_are_guessed_from_the_ports(wire, source, target, ports, direction):
    """[P12]"""
    line = Line(wire, server_ports=ports)
    line.send(source, target, 5, b"abc")
    (chunk,) = line.send(target, source, 5, acknowledged=8)
    assert (chunk.flow.direction, chunk.flow.is_guessed) == (direction, True)


@pytest.mark.parametrize(("first", "second"), [((A, SYN), (B, SYN | ACK)), ((B, SYN | ACK), (A, SYN))])
def test_sides_are_told_by_a_syn(line, first, second):
    """[P12] Whatever the ports say: here the client has the lower one."""
    low, high = ("10.0.0.5", 5), B
    for end, flags in (first, second):
        source, target = (low, high) if end is A else (high, low)
        line.send(source, target, 0, flags=flags)
    (chunk,) = line.send(low, high, 1, b"abc")
    assert (chunk.flow.direction, chunk.flow.is_guessed) == ("client", False)


def test_syn_with_another_number_is_a_new_connection(line):
    """[P19]"""
    line.send(A, B, 100, flags=SYN)
    line.send(A, B, 101, b"first")
    ends = line.send(A, B, 900, flags=SYN)
    assert [(event.flow.name, event.reason) for event in ends] == [("10.0.0.5:51744>10.0.0.9:9092", "replaced")]
    (chunk,) = line.send(A, B, 901, b"second")
    assert (chunk.flow.name, chunk.data, chunk.offset) == ("10.0.0.5:51744>10.0.0.9:9092#2", b"second", 0)
    line.send(B, A, 5, flags=SYN | ACK)
    (chunk,) = line.send(B, A, 6, b"answer")
    assert chunk.flow.name == "10.0.0.9:9092>10.0.0.5:51744#2"
    line.send(A, B, 5000, flags=SYN)
    assert line.send(A, B, 5001, b"x")[0].flow.name.endswith("#3")
    assert line.assembler.connection_count == 3


def test_what_waits_is_delivered_before_the_new_connection(line):
    """[P19] [P20]"""
    line.send(A, B, 100, flags=SYN)
    line.send(A, B, 104, b"late")
    gap, chunk, end = line.send(A, B, 900, flags=SYN)
    assert (type(gap), gap.size, chunk.data, end.reason) == (Gap, 3, b"late", "replaced")


def test_syn_after_an_end_is_a_new_connection(line):
    """[P19]"""
    line.send(A, B, 100, flags=SYN)
    line.send(A, B, 101, b"x", flags=ACK | FIN)
    line.send(A, B, 900, flags=SYN)
    assert names(line.send(A, B, 901, b"y")) == ["10.0.0.5:51744>10.0.0.9:9092#2"]


def test_answer_with_another_number_is_a_new_connection(line):
    """[P19] Where only the server's side was captured."""
    line.send(B, A, 100, flags=SYN | ACK)
    line.send(B, A, 101, b"x")
    line.send(B, A, 900, flags=SYN | ACK)
    assert names(line.send(B, A, 901, b"y")) == ["10.0.0.9:9092>10.0.0.5:51744#2"]


def test_syn_after_the_rest_of_an_old_connection_is_a_new_one(line):
    """[P19]"""
    line.send(A, B, 100, b"rest")
    line.send(A, B, 900, flags=SYN)
    assert names(line.send(A, B, 901, b"y")) == ["10.0.0.5:51744>10.0.0.9:9092#2"]
    line.send(("10.0.0.9", 1), A, 100, b"rest", acknowledged=7)
    line.send(A, ("10.0.0.9", 1), 900, flags=SYN)
    assert names(line.send(A, ("10.0.0.9", 1), 901, b"y")) == ["10.0.0.5:51744>10.0.0.9:1#2"]


def test_host_that_talks_to_its_own_port(line):
    """[P12] Both directions have the same name; they cannot be told apart, and nothing breaks."""
    own = ("127.0.0.1", 7000)
    line.send(own, own, 0, flags=SYN)
    assert names(line.send(own, own, 1, b"abc")) == ["127.0.0.1:7000>127.0.0.1:7000"]
    assert len(line.assembler.finish()) == 1


def test_flow_budget_turns_the_oldest_hole_into_a_gap(wire):
    """[P18]"""
    line = Line(wire, flow_budget=10_000)
    line.send(A, B, 0, flags=SYN)
    assert line.send(A, B, 101, bytes(4000)) == []
    assert line.send(A, B, 5001, bytes(4000)) == []
    gap, chunk = line.send(A, B, 10_001, bytes(4000))
    assert (gap.offset, gap.size, gap.reason, chunk.offset) == (0, 100, "budget", 100)
    assert [type(event) for event in line.send(A, B, 4101, bytes(900))] == [Chunk, Chunk]


def test_total_budget_takes_the_oldest_hole_of_all(wire):
    """[P18]"""
    line = Line(wire, total_budget=10_000)
    ends = [(f"10.0.1.{host}", 50000) for host in range(4)]
    for end in ends:
        line.send(end, B, 0, flags=SYN)
    assert line.send(ends[0], B, 101, bytes(3000)) == []
    assert line.send(ends[1], B, 101, bytes(3000)) == []
    assert line.send(ends[2], B, 101, bytes(3000)) == []
    gap, chunk = line.send(ends[3], B, 101, bytes(3000))
    assert gap.flow is chunk.flow
    assert (gap.flow.source, gap.reason) == (ends[0], "budget")
    assert line.send(ends[1], B, 1, bytes(100))[0].flow.source == ends[1]


def test_budget_settles_a_start(wire):
    """[P18] [P14]"""
    line = Line(wire, flow_budget=10_000)
    assert line.send(A, B, 6000, bytes(5000)) == []
    first, second = line.send(A, B, 1000, bytes(5000))
    assert (first.packet_number, first.offset, second.packet_number, second.offset) == (2, 0, 1, 5000)


def test_what_waits_is_bounded_whatever_the_segments(wire):
    """[P18] One-byte segments with holes between them, each in its own packet."""
    line = Line(wire, flow_budget=100_000)
    line.send(A, B, 0, flags=SYN)
    most = 0
    for at in range(2000):
        for event in line.send(A, B, 2 + 2 * at, b"x"):
            most = max(most, event.flow.pending_size)
    flow = event.flow
    assert flow.gap_count > 1500
    assert flow.pending_size <= 100_000
    assert len(flow.pending) < 400


def test_connection_that_was_quiet_for_longest_is_forgotten(wire):
    """[P18] [P19]"""
    line = Line(wire, max_connections=8)
    ends = [(f"10.0.1.{host}", 50000) for host in range(9)]
    for end in ends[:8]:
        line.send(end, B, 0, flags=SYN)
    line.send(ends[0], B, 1, b"a")
    (end,) = line.send(ends[8], B, 0, flags=SYN)
    assert (type(end), end.reason, end.flow.source) == (FlowEnd, "evicted", ends[1])
    # What comes of it later is another flow.
    line.send(ends[1], B, 50, b"b")
    assert names(line.send(B, ends[1], 1, acknowledged=51)) == ["10.0.1.1:50000>10.0.0.9:9092#2"]


def test_memory_follows_what_is_in_flight(wire):
    """[P18] 40 MB of packets in 4000 connections, of which 64 may be known."""
    assembler = Assembler(max_connections=64)
    packet = wire.segment()
    tracemalloc.start()
    try:
        for number in range(4000):
            source = (f"10.{number >> 8}.{number & 255}.1", 50000)
            for at in range(10):
                packet = wire.segment(source, B, sequence=at * 1000, payload=bytes(1000), number=number * 10 + at)
                assembler.add(packet)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # What the newest 512 packets brought, ten pieces for each of 64 flows, and forgotten flows until the garbage
    # collector comes.
    assert peak < 8_000_000


def test_events_come_before_the_error_of_a_file(wire):
    """[P5] [P20]"""
    frames = [wire.segment(sequence=at, payload=b"abc", number=0).data for at in (0, 3, 9)]
    data = wire.pcap(frames)
    events = []
    with pytest.raises(CaptureFileError) as caught:
        events.extend(assemble(read_packets(io.BytesIO(data[:-1]))))
    assert [type(event) for event in events] == [Chunk, Chunk, FlowEnd]
    assert (caught.value.truncated, caught.value.packet_number) == (True, 3)


def test_packets_without_segments_are_counted(wire):
    packet = wire.segment()
    packet.link_type = 147
    assembler = Assembler()
    assert list(assemble([packet, packet], assembler)) == []
    assert assembler.counts.unknown_link == 2


def vxlan(wire, inner, network):
    header = b"\x08\0\0\0" + network.to_bytes(3, "big") + b"\0"
    return wire.ethernet(wire.ipv4("192.0.2.1", "192.0.2.2", wire.udp(40000, 4789, header + inner), protocol=17))


def test_a_virtual_network_has_connections_of_its_own(wire):
    """[P12]"""
    plain = wire.segment(A, B, sequence=0, payload=b"plain").data
    assembler, told = Assembler(), []
    for number, data in enumerate((vxlan(wire, plain, 7), vxlan(wire, plain, 8), plain, vxlan(wire, plain, 7))):
        told += assembler.add(Packet(number + 1, 0, 1, data, len(data)))
    told += assembler.finish()
    named = "10.0.0.5:51744>10.0.0.9:9092"
    assert {event.flow.name: event.data for event in told if isinstance(event, Chunk)} == {
        f"{named}/vni7": b"plain",
        f"{named}/vni8": b"plain",
        named: b"plain",
    }
    tunnels = {
        event.flow.name: (event.flow.connection.tunnels, event.flow.connection.is_tunnel_guessed) for event in told
    }
    assert tunnels == {f"{named}/vni7": (("vxlan",), True), f"{named}/vni8": (("vxlan",), True), named: ((), False)}
    assert [event.flow.retransmitted_size for event in told if isinstance(event, FlowEnd)] == [5, 0, 0]


def test_one_connection_in_a_tunnel_and_out_of_it(wire):
    """[P12] [P23] The copy that came later is a retransmission, and the flow says that it was in a tunnel."""
    plain = wire.segment(A, B, sequence=0, payload=b"plain").data
    gre = wire.ethernet(wire.ipv4("192.0.2.1", "192.0.2.2", b"\0\0\x65\x58" + plain, protocol=47))
    assembler = Assembler()
    for number, data in enumerate((plain, gre)):
        assembler.add(Packet(number + 1, 0, 1, data, len(data)))
    chunk, end = assembler.finish()
    assert (chunk.data, end.flow.retransmitted_size) == (b"plain", 5)
    assert (end.flow.connection.tunnels, end.flow.connection.is_tunnel_guessed) == (("gre",), False)


def test_fragments_that_stay_unfinished_are_counted_at_the_end(wire):
    """[P22]"""
    data = wire.ethernet(wire.ipv4("10.0.0.5", "10.0.0.9", bytes(24), fragment=0x2000))
    assembler = Assembler()
    assembler.add(Packet(1, 0, 1, data, len(data)))
    assert assembler.counts.fragments == 0
    assembler.finish()
    assert assembler.counts.fragments == 1


class TestPortsUsedAgainWithoutASyn:
    """[P19]"""

    def told(self, line, number, *, flags=FIN | ACK, payload=b"again"):
        line.send(A, B, 0, flags=SYN)
        line.send(B, A, 500, flags=SYN | ACK)
        line.send(A, B, 1, b"abc", flags=flags)
        line.send(B, A, 501, b"de", flags=FIN | ACK)
        return line.send(A, B, number, payload)

    def test_far_away_numbers_after_both_ends_are_a_new_connection(self, line):
        self.told(line, 3_000_000_000)
        more = line.send(B, A, 1_000_000_000, b"answer", acknowledged=3_000_000_005)
        chunks = [event for event in [*more, *line.assembler.finish()] if isinstance(event, Chunk)]
        assert sorted((chunk.flow.name, chunk.data, chunk.flow.direction) for chunk in chunks) == [
            ("10.0.0.5:51744>10.0.0.9:9092#2", b"again", "client"),
            ("10.0.0.9:9092>10.0.0.5:51744#2", b"answer", "server"),
        ]
        assert all(chunk.flow.is_guessed for chunk in chunks)

    def test_and_after_a_reset(self, line):
        line.send(A, B, 0, flags=SYN)
        line.send(A, B, 1, b"abc")
        line.send(B, A, 0, flags=RST)
        line.send(A, B, 3_000_000_000, b"again")
        events = line.assembler.finish()
        assert [event.flow.name for event in events if isinstance(event, Chunk)] == ["10.0.0.5:51744>10.0.0.9:9092#2"]

    def test_sides_stay_what_they_were_whatever_the_ports_look_like(self, wire):
        line = Line(wire)
        high, low = ("10.0.0.5", 9), ("10.0.0.9", 9092)
        for source, target, number, flags in (
            (high, low, 0, SYN),
            (low, high, 0, SYN | ACK),
            (high, low, 1, RST),
            (low, high, 3_000_000_000, ACK),
        ):
            line.send(source, target, number, b"x" if flags == ACK else b"", flags=flags)
        (chunk,) = [event for event in line.assembler.finish() if isinstance(event, Chunk)]
        assert (chunk.flow.connection.number, chunk.flow.direction) == (2, "server")

    @pytest.mark.parametrize(
        ("number", "payload"),
        [(1, b"abc"), (5, b"behind"), (16_000_000, b"still near"), (3_000_000_000, b"")],
        ids=["again", "behind the end", "near", "without bytes"],
    )
    def test_anything_else_is_of_the_old_one(self, line, number, payload):
        self.told(line, number, payload=payload)
        assert names(line.assembler.finish()) == []
        assert line.assembler.connection_count == 1

    def test_far_away_numbers_of_a_connection_that_goes_on_are_stray(self, line):
        self.told(line, 3_000_000_000, flags=ACK)
        assert line.assembler.connection_count == 1
