"""Payloads that stand alone: datagrams, and TCP packet by packet. [P24] [P27]"""

import pytest

from framing.capture.alone import PacketAssembler
from framing.capture.assembler import Assembler
from framing.capture.flow import Chunk, FlowEnd, Gap
from framing.capture.packet import Packet

SYN, RST, ACK = 2, 4, 16
A, B = ("10.0.0.5", 40000), ("10.0.0.9", 53)
NAME = "10.0.0.5:40000>10.0.0.9:53"


def datagram(wire, payload, number, *, source=A, target=B, cut=0):
    udp = wire.udp(source[1], target[1], payload)
    data = wire.ethernet(wire.ipv4(source[0], target[0], udp, protocol=17))
    return Packet(number, number * 1000, 1, data[: len(data) - cut], len(data))


def told(assembler, packets):
    events = [event for packet in packets for event in assembler.add(packet)]
    return [*events, *assembler.finish()]


def chunks(events):
    return [(event.flow.name, event.offset, event.data) for event in events if isinstance(event, Chunk)]


class TestDatagrams:
    def test_each_is_a_chunk_of_its_flow(self, wire):
        packets = [
            datagram(wire, b"first", 1),
            datagram(wire, b"answer", 2, source=B, target=A),
            datagram(wire, b"first", 3),
            datagram(wire, b"", 4),
        ]
        events = told(Assembler(datagram_ports=(53,)), packets)
        assert chunks(events) == [
            (f"{NAME}/udp", 0, b"first"),
            ("10.0.0.9:53>10.0.0.5:40000/udp", 0, b"answer"),
            (f"{NAME}/udp", 5, b"first"),
        ]
        assert [event.packet_number for event in events if isinstance(event, Chunk)] == [1, 2, 3]
        ends = {event.flow.direction: event for event in events if isinstance(event, FlowEnd)}
        assert (ends["client"].flow.packet_count, ends["client"].reason) == (3, "capture")
        assert ends["client"].flow.transport == "udp"
        assert ends["client"].flow.is_guessed

    @pytest.mark.parametrize(
        ("ports", "taken"), [((), 0), ((53,), 1), ((40000,), 1), ((54,), 0), (None, 1)], ids=lambda value: str(value)
    )
    def test_those_that_nobody_asked_for_are_counted(self, wire, ports, taken):
        assembler = Assembler(datagram_ports=ports)
        assert len(chunks(told(assembler, [datagram(wire, b"x", 1)]))) == taken
        assert assembler.counts.udp == 1 - taken

    def test_the_side_with_the_port_is_the_server(self, wire):
        for options, side in (
            ({"datagram_ports": (53,)}, "client"),
            ({"datagram_ports": (40000,)}, "server"),
            ({"datagram_ports": None}, "client"),
            ({"datagram_ports": None, "datagram_servers": (40000,)}, "server"),
            ({"datagram_ports": None, "server_ports": (40000,)}, "client"),
        ):
            event, *_ = told(Assembler(**options), [datagram(wire, b"x", 1)])
            assert event.flow.direction == side

    def test_what_the_snap_length_cut_is_a_gap(self, wire):
        events = told(Assembler(datagram_ports=None), [datagram(wire, b"cut off", 1, cut=4), datagram(wire, b"on", 2)])
        chunk, gap, after, end = events
        assert (chunk.data, gap.offset, gap.size, gap.reason) == (b"cut", 3, 4, "cut")
        assert isinstance(gap, Gap)
        assert (after.offset, after.data) == (7, b"on")
        assert (end.flow.size, end.flow.missing_size) == (5, 4)

    def test_tcp_and_udp_on_the_same_ports_are_two_connections(self, wire):
        segment = wire.segment(A, B, payload=b"tcp", number=2)
        events = told(Assembler(datagram_ports=None), [datagram(wire, b"udp", 1), segment])
        assert sorted(chunks(events)) == [(NAME, 0, b"tcp"), (f"{NAME}/udp", 0, b"udp")]

    def test_connections_are_forgotten_as_others_are(self, wire):
        """[P18]"""
        assembler = Assembler(datagram_ports=None, max_connections=8)
        packets = [datagram(wire, b"x", number, source=("10.0.0.5", number)) for number in range(1, 500)]
        events = told(assembler, packets)
        assert sum(1 for event in events if isinstance(event, FlowEnd) and event.reason == "evicted") > 480
        assert len(chunks(events)) == 499


class TestPacketByPacket:
    def test_numbers_are_not_looked_at(self, wire):
        packets = [
            wire.segment(A, B, sequence=sequence, payload=payload, number=number)
            for number, (sequence, payload) in enumerate([(5, b"one"), (5, b"two"), (9_000_000, b"three"), (0, b"")], 1)
        ]
        events = told(PacketAssembler(), packets)
        assert chunks(events) == [(NAME, 0, b"one"), (NAME, 3, b"two"), (NAME, 6, b"three")]
        assert not any(isinstance(event, Gap) for event in events)

    def test_syns_tell_the_sides_and_resets_have_no_payload(self, wire):
        packets = [
            wire.segment(B, A, sequence=1, payload=b"before", number=1),
            wire.segment(B, A, flags=SYN | ACK, number=2),
            wire.segment(A, B, flags=SYN, sequence=77, number=3),
            wire.segment(A, B, sequence=1, payload=b"after", number=4),
            wire.segment(A, B, flags=RST, payload=b"no route", number=5),
        ]
        events = told(PacketAssembler(server_ports=(40000,)), packets)
        assert [event[2] for event in chunks(events)] == [b"before", b"after"]
        ends = [(event.flow.direction, event.flow.name) for event in events if isinstance(event, FlowEnd)]
        assert ends == [("client", NAME), ("server", "10.0.0.9:53>10.0.0.5:40000")]
        assert not any(event.flow.is_guessed for event in events)

    def test_datagrams_are_what_they_are(self, wire):
        assembler = PacketAssembler(datagram_ports=(53,))
        other = datagram(wire, b"other", 2, target=("10.0.0.9", 54))
        assert chunks(told(assembler, [datagram(wire, b"x", 1), other])) == [(f"{NAME}/udp", 0, b"x")]
        assert (assembler.counts.udp, assembler.packet_count) == (1, 2)

    def test_nothing_is_joined(self, wire):
        assembler = PacketAssembler()
        (chunk,) = assembler.add(wire.segment(A, B, payload=b"x"))
        assembler.join(chunk.flow.connection)
        assert assembler.joined == {}
