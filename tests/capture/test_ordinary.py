"""Scans take ordinary packets as `find_segment`, `Assembler.add` and a parser fed packet by packet do."""

import io
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framing.capture import source
from framing.capture.assembler import Assembler
from framing.capture.files import read_batches
from framing.capture.flow import Chunk, FlowEnd
from framing.capture.ordinary import Batch
from framing.capture.overview import survey
from framing.capture.reading import read
from framing.compiled import twins
from framing.toml import parse_protocol

B = ("10.0.0.9", 9092)
ENDS = [(("10.0.0.5", 51744), B), (("10.0.0.6", 51745), B), (("10.0.0.7", 51746), ("10.0.0.9", 9093))]
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16

PROTOCOLS = {
    "plain": "name = 'plain'\n[both]\nheader = 'length:u8'\nmax_frame_size = 40",
    "constant": "name = 'constant'\n[both]\nheader = 'type:u8=3|4 length:u8'",
    "decoded": "name = 'decoded'\n[both]\nheader = 'length:u8'\ncodec = 'msgpack'",
    "lines": "name = 'lines'\n[both]\nformat = 'lines'",
    "phased": """
        name = "phased"
        [client.phases.hello]
        header = "length:u8"
        after = [{ client = "rest", server = "rest" }]
        [client.phases.rest]
        header = "type:u8 length:u8"
        [server]
        start = "hello"
        [server.phases.hello]
        header = "length:u8"
        [server.phases.rest]
        header = "type:u8 length:u8"
        """,
}


class Talk:
    """Connections whose packets are mostly ordinary, and now and then of every other kind."""

    def __init__(self, wire, seed):
        self.wire, self.rng = wire, random.Random(seed)
        self.sequences = {}
        self.held = []
        self.frames = []

    def packets(self, count):
        for client, server in ENDS[: self.rng.randint(1, 3)]:
            self.add(client, server, b"", SYN)
            self.add(server, client, b"", SYN | ACK)
        for _ in range(count):
            client, server = self.rng.choice(ENDS)
            ends = (client, server) if self.rng.random() < 0.6 else (server, client)
            self.add(*ends, self.payload(), self.flags())
            if self.held and self.rng.random() < 0.4:
                self.frames.append(self.held.pop(0))
        self.frames += self.held
        return self.frames

    def payload(self):
        rng = self.rng
        if rng.random() < 0.03:
            return rng.randbytes(rng.randint(0, 30))
        frames = [bytes((3, size)) + bytes(size) for size in rng.choices(range(6), k=rng.randint(0, 4))]
        return b"".join(frames)[: rng.choice((None, None, None, 5))]

    def flags(self):
        return self.rng.choices((ACK, ACK | PSH, ACK | FIN, RST, SYN), (50, 40, 2, 1, 1))[0]

    def add(self, source, target, payload, flags):
        rng = self.rng
        sequence = self.sequences.get((source, target), 0xFFFF_FFE0)
        back = self.sequences.get((target, source), 0xFFFF_FFE0)
        segment = self.wire.tcp(source, target, sequence, back, flags, payload, bytes(4 * rng.choice((0, 0, 3))))
        odd = rng.random()
        options = {"options": bytes(4)} if odd < 0.02 else {"fragment": 0x2000} if odd < 0.03 else {}
        packet = self.wire.ipv4(source[0], target[0], segment, **options)
        frame = self.wire.ethernet(packet, tags=(0x8100,) if 0.03 < odd < 0.05 else ()) + bytes(rng.choice((0, 0, 6)))
        if odd < 0.97:
            self.sequences[source, target] = sequence + len(payload) + bool(flags & (SYN | FIN)) & 0xFFFF_FFFF
        if 0.1 < odd < 0.13:
            self.held.append(frame)
        elif 0.14 < odd < 0.16:
            broken = bytearray(frame)
            broken[rng.randrange(12, 54)] ^= 1 << rng.randrange(8)
            self.frames.append(bytes(broken))
        elif not 0.13 < odd < 0.135:
            self.frames.append(frame if odd > 0.06 else (frame[: rng.randint(10, len(frame))], len(frame)))


def records_of(data, protocol, **options):
    try:
        return [repr(record) for record in read(io.BytesIO(data), protocol, every_flow=True, **options)]
    except Exception as error:  # noqa: BLE001 - the same error is what is asked for
        return repr(error)


@pytest.mark.parametrize("twin", ["pure", "compiled"])
@pytest.mark.parametrize("name", PROTOCOLS)
@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1 << 40),
    order=st.sampled_from("<>"),
    form=st.sampled_from(("pcap", "pcapng")),
    block=st.sampled_from((100, 1000, 1 << 18)),
    cut=st.integers(0, 60),
    frames=st.booleans(),
)
def test_records_are_those_of_packets_one_by_one(wire, twin, name, seed, order, form, block, cut, frames):
    packets = Talk(wire, seed).packets(60)
    data = wire.pcap(packets, order=order) if form == "pcap" else pcapng(wire, packets, order)
    data = data[: len(data) - cut]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(source, "BLOCK_SIZE", block)
        choose(twin, patch)
        protocol = parse_protocol(PROTOCOLS[name], "test.toml")
        joined = records_of(data, protocol, frames=frames)
        seen = list(map(repr, survey(io.BytesIO(data))))
        patch.setattr(Assembler, "join", lambda *_: None)
        assert joined == records_of(data, protocol, frames=frames)
        assert seen == list(map(repr, survey(io.BytesIO(data))))


def choose(twin, patch):
    patch.setenv("FRAMING_PURE", "1" if twin == "pure" else "")
    if twin == "compiled" and not twins().modules:
        pytest.skip(twins().reason)


@pytest.mark.parametrize("twin", ["pure", "compiled"])
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("form", ["pcap", "pcapng"])
def test_ordinary_packets_come_together(wire, twin, form, order, monkeypatch):
    choose(twin, monkeypatch)
    client, server = ENDS[0]
    make = wire.segment
    packets = [make(client, server, sequence=9, flags=SYN).data, make(server, client, sequence=9, flags=SYN | ACK).data]
    packets += [make(client, server, sequence=10 + at, payload=b"abc").data for at in range(0, 30, 3)]
    packets += [make(server, client, sequence=10, payload=b"d").data, make(client, server, sequence=40).data]
    data = wire.pcap(packets, order=order) if form == "pcap" else pcapng(wire, packets, order)
    assembler = Assembler()
    batches = []
    for item in read_batches(io.BytesIO(data), assembler.joining):
        if isinstance(item, Batch):
            batches.append(item)
            assembler.add_batch(item)
        else:
            for event in assembler.add(item):
                assembler.join(event.flow.connection)
    (batch,) = batches
    assert (batch.last_number, batch.packet_count, assembler.packet_count) == (14, 11, 14)
    first, second = batch.chunks
    assert (first.data, first.offset, first.packet_number) == (b"abc" * 9, 3, 12)
    assert [(stop, number) for stop, _, number in first.marks] == [(3 * count, 3 + count) for count in range(1, 10)]
    assert (second.data, second.offset, second.packet_number, second.packed_marks) == (b"d", 0, 13, b"")
    assert list(second.marks) == [(1, second.timestamp_ns, 13)]
    assert second.timestamp_ns > first.timestamp_ns == list(first.marks)[-1][1]
    assert (first.flow.packet_count, first.flow.last_number, first.flow.offset) == (12, 14, 30)


@pytest.mark.parametrize("twin", ["pure", "compiled"])
def test_behind_its_syn_a_whole_connection_comes_together(wire, twin, monkeypatch):
    choose(twin, monkeypatch)
    client, server = ENDS[0]
    make = wire.segment
    packets = [
        make(client, server, sequence=9, flags=SYN),
        make(server, client, sequence=99, flags=SYN | ACK),
        make(client, server, sequence=10, flags=ACK, payload=b"ask"),
        make(server, client, sequence=100, flags=FIN | ACK, payload=b"tell"),
        make(client, server, sequence=13, flags=ACK),
        make(client, server, sequence=13, flags=FIN | ACK),
        make(server, client, sequence=105, flags=ACK),
    ]
    data = wire.pcap([packet.data for packet in packets])
    assembler = Assembler()
    assembler.on_begin = assembler.join
    items = read_batches(io.BytesIO(data), assembler.joining)
    assert not assembler.add(next(items))
    (batch,) = items
    told = [(event.flow.direction, type(event), event.packet_number) for event in assembler.add_batch(batch)]
    assert told == [("client", Chunk, 3), ("server", Chunk, 4), ("server", FlowEnd, 4), ("client", FlowEnd, 6)]
    assert [(end.packet_count, end.reason, end.flow.is_ended) for end in batch.ends] == [
        (2, "fin", True),
        (4, "fin", True),
    ]
    assert (batch.packet_count, [end.flow.packet_count for end in batch.ends]) == (6, [3, 4])
    assert assembler.finish() == []


def pcapng(wire, packets, order):
    blocks = [wire.section(order), wire.interface(order)]
    for number, packet in enumerate(packets):
        data, size = packet if isinstance(packet, tuple) else (packet, len(packet))
        blocks.append(wire.enhanced(order, data, ticks=number * 1000, size=size))
    return b"".join(blocks)
