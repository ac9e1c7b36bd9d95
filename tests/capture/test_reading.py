"""A capture, or a file of raw bytes, and a protocol → records. specs/records.md, [R2] to [R8]."""

import io
import itertools
import json
from collections import defaultdict
from pathlib import Path

import pytest

from framing import CaptureError, CaptureFileError, DefinitionError, get_protocol
from framing.capture import ErrorRecord, FrameRecord, GapRecord, SummaryRecord, read, read_raw, record_to_json
from framing.errors import FrameTooLargeError, TruncatedFrameError, UnknownNameError
from framing.protocol import Protocol
from framing.toml import parse_protocol

CORPUS = Path(__file__).parents[1] / "corpus"
ORACLE = json.loads((CORPUS / "oracle.json").read_bytes())

BGP = 'header("marker:bytes16=ff*16 length:u16be type:u8", counts="frame")/raw'
MODBUS = 'header("transaction:u16be protocol:u16be=0 length:u16be unit:u8", counts="unit payload")/raw'
# The start-up phase of each side, without encryption.
PGSQL = parse_protocol(
    """
    name = "pgsql"
    ports = [5432]
    [client.phases.startup]
    header = "length:u32be"
    counts = "frame"
    after = [{ payload = "0x04d2162f", server = "answer" }, { client = "messages" }]
    [client.phases.messages]
    header = "type:u8 length:u32be"
    counts = "length payload"
    [server]
    start = "messages"
    [server.phases.answer]
    header = "answer:u8"
    payload_size = 0
    after = [{ server = "messages" }]
    [server.phases.messages]
    header = "type:u8 length:u32be"
    counts = "length payload"
    """,
    "pgsql.toml",
)

ORDINARY = "10.0.0.5:51744>10.0.0.9:9092"
FIN, SYN, ACK = 1, 2, 16


def sizes(records):
    """Frame sizes by flow."""
    found = defaultdict(list)
    for record in records:
        if isinstance(record, FrameRecord):
            found[record.flow].append(record.size)
    return dict(found)


def dissected(file, *protocols):
    """What tshark's dissector says, by flow."""
    found = {}
    for stream in ORACLE[file]["streams"]:
        listed = [size for name in protocols for size in stream["proto_sizes"].get(name, [])]
        if listed:
            found[f"{stream['src']}:{stream['sport']}>{stream['dst']}:{stream['dport']}"] = listed
    return found


@pytest.mark.parametrize(
    ("file", "protocol", "name"),
    [
        ("bgp/tcpdump__bgp-4byte-asn.pcap", BGP, "bgp"),
        ("modbus_tcp/ICS-Security-Tools__modbus_test.pcap", MODBUS, "mbtcp"),
        ("kafka/deepflow__01-fetch-v12-ok.pcap", "u32be", "kafka"),
    ],
)
def test_frames_of_real_captures_are_those_of_the_dissector(file, protocol, name):
    protocol = protocol if "/" in protocol else f"{protocol}/raw"

    records = list(read(CORPUS / file, protocol))

    assert sizes(records) == dissected(file, name)
    assert records[-1].error_count == 0


def test_phases_of_a_real_capture_are_those_of_the_dissector():
    file = "hard/derived/pcapng_cut.pcapng"

    found = sizes(read(CORPUS / file, PGSQL))
    for flow in found:
        if ":5432>" in flow:
            # The answer to SSLRequest, which the dissector does not list.
            assert found[flow].pop(0) == 1

    assert found == dissected(file, "pgsql")


def test_a_truncated_capture_yields_all_before_the_cut_then_an_error_then_the_sums():
    records = list(read(CORPUS / "hard/derived/pcapng_cut.pcapng", PGSQL))

    error, total = records[-2:]
    assert isinstance(error, ErrorRecord)
    assert isinstance(error.error, CaptureFileError)
    assert error.error.truncated is True
    assert (error.flow, error.packet_number, error.offset) == (None, 156, error.error.offset)
    assert [record.type for record in records].count("error") == 1
    assert (total.flow, total.flow_count, total.error_count, total.packet_count) == (None, 4, 1, 155)


def test_frames_around_a_gap_are_those_of_the_dissector():
    file = "hard/derived/psql_drop_packet12.pcap"

    records = list(read(CORPUS / file, PGSQL))

    (gap,) = [record for record in records if isinstance(record, GapRecord)]
    assert (gap.direction, gap.offset, gap.size, gap.pending_size) == ("client", 248, 29, 0)
    assert (gap.resumed_offset, gap.confirmed) == (277, "chain")
    client, server = [record for record in records if isinstance(record, SummaryRecord) and record.flow]
    if client.direction == "server":
        client, server = server, client
    assert (client.size, client.skipped_size, client.missing_size, client.error_count) == (481, 0, 29, 0)
    before, cut = dissected(file, "pgsql")[gap.flow], sizes(records)[gap.flow]
    assert cut[: len(before)] == before
    assert sum(cut) == client.size
    assert (server.size, server.skipped_size) == (1031, 0)


def test_times_and_packets_are_those_of_the_last_byte():
    records = list(read(CORPUS / "kafka/deepflow__01-fetch-v12-ok.pcap", "u32be/raw"))

    request = record_to_json(records[0])
    del request["message"]
    assert request == {
        "type": "frame",
        "flow": "10.50.71.3:41972>10.50.71.3:36333",
        "direction": "client",
        "guessed": True,
        "number": 0,
        "time": "2024-09-13T08:36:38.025612000Z",
        "packet": 1,
        "offset": 0,
        "size": 120,
        "header": {"length": 116},
    }


def test_connections_do_not_disturb_each_other(capture):
    for client in (1001, 1002):
        capture.opened(client=client)
    capture.packet(b"\x05abc", client=1001).packet(b"\xffabc", client=1002).packet(b"\x01x", "server", client=1002)
    capture.packet(b"de\x00", client=1001).packet(b"more", client=1002)

    records = list(read(capture.file(), "u8(max_frame_size=20)/raw"))

    frames = [(one.flow, one.packet_number, one.message) for one in records if one.type == "frame"]
    assert frames == [
        ("10.0.0.9:9092>10.0.0.5:1002", 7, b"x"),
        ("10.0.0.5:1001>10.0.0.9:9092", 8, b"abcde"),
        ("10.0.0.5:1001>10.0.0.9:9092", 8, b""),
    ]
    (error,) = [one for one in records if one.type == "error"]
    assert isinstance(error.error, FrameTooLargeError)
    assert (error.flow, error.packet_number) == ("10.0.0.5:1002>10.0.0.9:9092", 6)
    total = records[-1]
    assert (total.frame_count, total.size, total.skipped_size, total.flow_count) == (3, 17, 8, 4)


def test_each_flow_ends_with_its_summary(capture):
    capture.opened().packet(b"\x01a").packet(flags=FIN | ACK).packet(b"\x01b", "server")

    records = [(one.type, one.direction) for one in read(capture.file(), "u8/raw")]

    assert records == [
        ("frame", "client"),
        ("summary", "client"),
        ("frame", "server"),
        ("summary", "server"),
        ("summary", None),
    ]


def test_a_side_that_is_done_still_has_a_conversation_with_the_other(capture):
    capture.opened(server=5432).packet(bytes.fromhex("0000000804d2162f"), server=5432)
    capture.packet(flags=FIN | ACK, server=5432).packet(b"N", "server", server=5432)

    frames = [one for one in read(capture.file(), PGSQL) if one.type == "frame"]

    assert [frame.header for frame in frames] == [{"length": 8}, {"answer": ord("N")}]


def test_a_flow_that_ends_inside_a_frame(capture):
    capture.opened().packet(b"\x01a\x09ab").packet(flags=FIN | ACK)

    _, error, summary, *_ = read(capture.file(), "u8/raw")

    assert isinstance(error.error, TruncatedFrameError)
    assert (error.packet_number, error.offset) == (3, 2)
    assert (summary.tail_size, summary.end) == (3, "fin")


def test_a_flow_without_a_syn_is_midstream_and_a_guess(capture):
    capture.packet(b"Q\0\0\0\x05x", client=5000, server=5432)

    frame, summary, total = read(capture.file(), PGSQL)

    assert frame.header == {"type": ord("Q"), "length": 5}
    assert (frame.is_guessed, summary.is_guessed, total.is_guessed) == (True, True, False)


def test_who_is_the_server_is_told_by_the_ports_asked_for(capture):
    capture.packet(b"\x01a", client=80, server=9092)

    (by_number,) = [one for one in read(capture.file(), "u8/raw") if one.type == "frame"]
    (asked,) = [one for one in read(capture.file(), "u8/raw", ports=[9092]) if one.type == "frame"]

    assert (by_number.direction, asked.direction) == ("server", "client")


def test_a_second_connection_has_a_number(capture):
    capture.opened().packet(b"\x01a").packet(flags=FIN | ACK)
    capture.sent.clear()
    capture.sent[("10.0.0.5", 51744), ("10.0.0.9", 9092)] = 5000
    capture.packet(flags=SYN).packet(b"\x01b")

    frames = [one for one in read(capture.file(), "u8/raw") if one.type == "frame"]

    assert [(one.flow, one.number, one.offset) for one in frames] == [(ORDINARY, 0, 0), (f"{ORDINARY}#2", 0, 0)]


PORTED = Protocol.both_ways("ported", get_protocol("u8/raw").client.wire, ports=(9092,))


def chosen(capture, **options):
    flows = {one.flow for one in read(capture.file(), PORTED, **options) if one.type == "frame"}
    return sorted(flow.partition(">")[0].rpartition(":")[2] for flow in flows)


def test_which_flows_are_decoded(capture):
    capture.opened().packet(b"\x01a").packet(b"\x01b", "server")
    capture.opened(client=1002, server=80).packet(b"\x01a", client=1002, server=80)

    assert chosen(capture) == ["51744", "9092"]
    assert chosen(capture, ports=[80]) == ["1002"]
    assert chosen(capture, ports=[80, 9092]) == ["1002", "51744", "9092"]
    assert chosen(capture, every_flow=True) == ["1002", "51744", "9092"]
    assert chosen(capture, flows=["10.0.0.9:9092"]) == ["51744", "9092"]
    assert chosen(capture, flows=[ORDINARY]) == ["51744"]


def test_sums_are_those_of_the_flows_that_are_shown(capture):
    capture.opened().packet(b"\x01a").packet(b"\x01b", "server")

    *_, flow, total = read(capture.file(), PORTED, flows=[ORDINARY])

    assert (flow.flow, flow.flow_count, total.frame_count, total.flow_count) == (ORDINARY, 1, 1, 1)


def test_no_flow_of_the_protocol_is_an_error_that_lists_the_ports(capture):
    for client, server in ((1, 80), (2, 80), (3, 443)):
        capture.opened(client=client, server=server)

    with pytest.raises(CaptureError, match=r"no flow on port 9092 .*80 \(2\), 443.*--port, --flow, --all"):
        list(read(capture.file(), PORTED))
    with pytest.raises(CaptureError, match=r"no flow called 10\.1\.1\.1 "):
        list(read(capture.file(), PORTED, flows=["10.1.1.1"]))


def test_no_tcp_at_all_is_an_error_that_says_what_is_there(wire):
    udp = wire.ethernet(wire.ipv4("10.0.0.5", "10.0.0.9", wire.udp(1, 2, b"text"), protocol=17))

    with pytest.raises(CaptureError, match=r"no flow at all, but packets 1 udp\); choose with ports="):
        list(read(io.BytesIO(wire.pcap([udp])), PORTED))
    (total,) = read(io.BytesIO(wire.pcap([udp])), PORTED, every_flow=True)
    assert (total.flow_count, total.packet_count, total.unused) == (0, 1, {"udp": 1})


def test_nothing_can_be_chosen_where_there_is_no_flow(wire):
    icmp = wire.ethernet(wire.ipv4("10.0.0.5", "10.0.0.9", b"\x08\x00", protocol=1))

    with pytest.raises(CaptureError, match=r"no flow at all, but packets 1 other transport\)$"):
        list(read(io.BytesIO(wire.pcap([icmp])), PORTED))


def test_who_follows_is_told_what_is_not_there(capture):
    capture.opened(client=1, server=80)
    asked = []

    with pytest.raises(CaptureError) as caught:
        list(read(capture.file(), PORTED, follow=asked.append))
    list(read(capture.file(), PORTED, ports=[80], follow=asked.append))

    assert str(asked[0]) == str(caught.value)
    assert asked[1:] == [None]


def test_a_capture_without_packets_is_empty_and_no_error(wire):
    (total,) = read(io.BytesIO(wire.pcap([])), PORTED)

    assert (total.flow_count, total.packet_count, total.unused) == (0, 0, {})


def test_a_connection_without_a_byte_counts_as_one_that_was_there(capture):
    capture.opened()

    assert [one.type for one in read(capture.file(), PORTED)] == ["summary"] * 3


@pytest.mark.parametrize("cut", [-1, -30, 30])
def test_each_truncation_gives_what_is_before(capture, cut):
    capture.opened().packet(b"\x01a").packet(b"\x01b")

    *before, error, total = read(capture.file(cut), "u8/raw")

    assert [one.message for one in before if one.type == "frame"] == ([b"a"] if cut < 0 else [])
    assert error.error.truncated is True
    assert total.error_count == 1


def test_damage_gives_what_is_before(capture):
    capture.opened().packet(b"\x01a")
    file = io.BytesIO(capture.file().getvalue() + b"\xff" * 40)

    *_, error, total = read(file, "u8/raw")

    assert error.error.truncated is False
    assert (error.packet_number, error.offset, total.frame_count) == (4, error.error.offset, 1)


@pytest.mark.parametrize("content", [b"", b"no capture at all, but text", b"\x1f\x8b" + bytes(40)])
def test_no_capture_is_refused_before_any_record(content):
    with pytest.raises(CaptureFileError, match=r"looks like|empty|gzip data is damaged"):
        next(read(io.BytesIO(content), "u8/raw"))


def test_the_protocol_is_asked_for_when_read_is_called():
    with pytest.raises(UnknownNameError):
        read("nowhere.pcap", "nothing_known")
    with pytest.raises(DefinitionError):
        read("nowhere.pcap", "u32be/raw", max_frame_size=2)
    with pytest.raises(TypeError, match="collection"):
        read("nowhere.pcap", "u32be/raw", flows="10.0.0.1")
    with pytest.raises(ValueError, match="client or server"):
        read_raw("nowhere.bin", "u32be/raw", side="both")
    with pytest.raises(FileNotFoundError):
        next(read("nowhere.pcap", "u32be/raw"))


def test_a_limit_wins_over_the_protocols_own(capture):
    capture.opened().packet(b"\x03abc")

    assert next(read(capture.file(), "u8/raw", max_frame_size=4)).type == "frame"
    assert next(read(capture.file(), "u8/raw", max_frame_size=3)).type == "error"


def test_a_file_is_closed_when_reading_stops(capture, tmp_path):
    path = tmp_path / "some.pcap"
    path.write_bytes(capture.opened().packet(b"\x01a").packet(b"\x01b").file().getvalue())

    records = read(path, "u8/raw")
    next(records)
    records.close()

    assert list(records) == []  # a file that stays open would be a ResourceWarning, which is an error here


def test_raw_bytes(tmp_path):
    path = tmp_path / "some.bin"
    path.write_bytes(b"\x02hi\x00\x05abc")

    records = list(read_raw(str(path), "u8/raw", side="server"))

    assert [record_to_json(one) for one in records[:2]] == [
        {
            "type": "frame",
            "flow": str(path),
            "direction": "server",
            "number": number,
            "offset": offset,
            "size": size,
            "header": {"length": size - 1},
            "message": {"$bytes": message},
        }
        for number, offset, size, message in ((0, 0, 3, "aGk="), (1, 3, 1, ""))
    ]
    assert isinstance(records[2].error, TruncatedFrameError)
    assert (records[3].flow, records[3].tail_size) == (str(path), 4)
    assert (records[4].flow, records[4].tail_size, records[4].flow_count) == (None, 4, 1)


def test_raw_bytes_may_come_in_any_pieces():
    class Slow(io.BytesIO):
        def read1(self, size=-1):
            return super().read1(1)

    whole, slow = (list(read_raw(kind(b"\x02hi\x00\x05abc"), "u8/raw")) for kind in (io.BytesIO, Slow))

    assert [record_to_json(one) for one in whole] == [record_to_json(one) for one in slow]


def test_memory_does_not_grow_with_the_file(wire):
    """Frames that were yielded are not kept, nor are connections that ended."""
    import tracemalloc

    capture = wire.Capture(wire)
    for client in range(1, 1200):
        capture.opened(client=client).packet(b"\xc8" + bytes(200), client=client)
        capture.packet(flags=FIN | ACK, client=client).packet(side="server", flags=FIN | ACK, client=client)
    file = capture.file()
    records = read(file, "u8/raw")
    tracemalloc.start()
    try:
        frames = sum(1 for one in itertools.islice(records, 300) if one.type == "frame")
        early = tracemalloc.get_traced_memory()[0]
        frames += sum(1 for one in records if one.type == "frame")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert frames == 1199
    # What stays of a connection is what the assembler knows of it, about 2 KiB.
    assert peak - early < 1199 * 4096


def datagrams(wire, *payloads, port=5353, cut=0):
    """A capture of datagrams to a port: (payload) or (payload, "server") for an answer."""
    frames = []
    for payload in payloads:
        answers = isinstance(payload, tuple)
        ports = (port, 40000) if answers else (40000, port)
        addresses = ("10.0.0.9", "10.0.0.5") if answers else ("10.0.0.5", "10.0.0.9")
        udp = wire.udp(*ports, payload[0] if answers else payload)
        data = wire.ethernet(wire.ipv4(*addresses, udp, protocol=17))
        frames.append((data[: len(data) - cut], len(data)))
    return io.BytesIO(wire.pcap(frames))


BOTH = Protocol.both_ways("both", get_protocol("u8/raw").client.wire, ports=(5353,), udp_ports=(5353,))
DATAGRAMS = Protocol.both_ways("datagrams", get_protocol("u8/raw").client.wire, udp_ports=(5353,))
UDP_NAME = "10.0.0.5:40000>10.0.0.9:5353/udp"


class TestDatagrams:
    """[R8] [P24] [P27]"""

    def test_each_holds_whole_frames(self, wire):
        file = datagrams(wire, b"\1a\2bc", (b"\1x", "server"), b"\1d")
        records = [record for record in read(file, DATAGRAMS) if record.type == "frame"]
        found = [(one.flow, one.direction, one.packet_number, one.number, one.offset, one.message) for one in records]
        answer = "10.0.0.9:5353>10.0.0.5:40000/udp"
        assert found == [
            (UDP_NAME, "client", 1, 0, 0, b"a"),
            (UDP_NAME, "client", 1, 1, 2, b"bc"),
            (answer, "server", 2, 0, 0, b"x"),
            (UDP_NAME, "client", 3, 2, 5, b"d"),
        ]

    def test_what_is_left_over_is_an_error_of_that_datagram_alone(self, wire):
        file = datagrams(wire, b"\1a\5left", b"\1b", b"\7", b"\1c")
        first, left, second, short, third, summary, total = read(file, DATAGRAMS)
        assert [first.message, second.message, third.message] == [b"a", b"b", b"c"]
        assert (left.type, left.packet_number, left.offset, left.number, left.head) == ("error", 1, 2, 1, b"\5left")
        assert isinstance(left.error, TruncatedFrameError)
        assert (short.packet_number, short.offset, short.number) == (3, 9, 2)
        assert (second.offset, second.number, third.offset) == (7, 1, 10)
        assert (summary.frame_count, summary.error_count, summary.size) == (3, 2, 12)
        assert (summary.skipped_size, summary.tail_size, summary.packet_count) == (6, 0, 4)
        assert total.frame_count == 3

    def test_a_datagram_that_the_snap_length_cut(self, wire):
        file = datagrams(wire, b"\1a\5cutoff", b"\1b\5cutoff", cut=3)
        first, left, gap, second, *_ = read(file, DATAGRAMS)
        assert (first.message, second.message, second.offset) == (b"a", b"b", 9)
        assert (left.type, left.offset, gap.offset, gap.size, gap.reason) == ("error", 2, 6, 3, "cut")

    @pytest.mark.parametrize(
        ("protocol", "options", "count"),
        [
            (DATAGRAMS, {}, 1),
            (BOTH, {}, 1),
            (PORTED, {"ports": [5353]}, None),
            (DATAGRAMS, {"ports": [1]}, None),
            (DATAGRAMS, {"every_flow": True}, 1),
            (DATAGRAMS, {"flows": ["10.0.0.5"]}, 1),
            (DATAGRAMS, {"flows": [UDP_NAME]}, 1),
            ("u8/raw", {}, 0),
            ("u8/raw", {"every_flow": True}, 0),
            ("u8/raw", {"ports": [5353]}, 1),
            ("u8/raw", {"flows": ["10.0.0.9:5353"]}, 1),
        ],
    )
    def test_which_are_decoded(self, wire, protocol, options, count):
        file = datagrams(wire, b"\1a")
        if count is None:
            with pytest.raises(CaptureError, match="no flow on port"):
                list(read(file, protocol, **options))
        else:
            assert sum(record.type == "frame" for record in read(file, protocol, **options)) == count

    def test_a_protocol_over_udp_alone_is_not_looked_for_in_tcp(self, wire):
        file = wire.pcap([wire.segment(target=("10.0.0.9", 5353), payload=b"\1a").data])
        for options in ({}, {"ports": [5353]}):
            with pytest.raises(CaptureError, match="no flow on port 5353"):
                list(read(io.BytesIO(file), DATAGRAMS, **options))

    def test_the_error_names_udp_ports(self, wire):
        with pytest.raises(CaptureError, match=r"no flow on port 5353/udp .*packets 1 udp"):
            list(read(datagrams(wire, b"\1a", port=99), DATAGRAMS))


def test_per_packet_decodes_what_cannot_be_put_together(wire):
    """[P27] Every segment has the same sequence number."""
    packets = [wire.segment(sequence=1, payload=payload).data for payload in (b"\1a", b"\2bc", b"\3d", b"\1e")]
    file = wire.pcap(packets)

    assert [one.message for one in read(io.BytesIO(file), PORTED) if one.type == "frame"] == [b"a"]
    records = list(read(io.BytesIO(file), PORTED, per_packet=True))
    assert [one.message for one in records if one.type == "frame"] == [b"a", b"bc", b"e"]
    [error] = [one for one in records if one.type == "error"]
    assert (error.packet_number, error.offset, error.number) == (3, 5, 2)


def test_phases_go_on_from_packet_to_packet(wire):
    """[P27] A startup message has no type byte, what follows has one."""
    client, server = ("10.0.0.5", 51744), ("10.0.0.9", 5432)
    packets = [
        wire.segment(client, server, flags=SYN),
        wire.segment(client, server, sequence=7, payload=bytes.fromhex("00000008 00030000")),
        wire.segment(client, server, sequence=7, payload=b"Q\0\0\0\4"),
    ]
    records = list(read(io.BytesIO(wire.pcap([packet.data for packet in packets])), PGSQL, per_packet=True))
    assert [(one.size, one.number, one.offset) for one in records if one.type == "frame"] == [(8, 0, 0), (5, 1, 8)]


def test_a_tunnel_is_told_in_the_summary(wire):
    """[R6] [P23]"""
    inner = wire.segment(payload=b"\1a").data
    udp = wire.udp(40000, 4789, b"\x08\0\0\0\0\0\7\0" + inner)
    file = wire.pcap([wire.ethernet(wire.ipv4("192.0.2.1", "192.0.2.2", udp, protocol=17))])
    frame, summary, total = read(io.BytesIO(file), PORTED)
    assert (frame.flow, frame.message) == (f"{ORDINARY}/vni7", b"a")
    assert (summary.tunnels, summary.is_tunnel_guessed, total.tunnels) == (("vxlan",), True, ())
    assert record_to_json(summary)["tunnels"] == ["vxlan"]
    assert record_to_json(summary)["tunnel_guessed"] is True
    assert "tunnels" not in record_to_json(total)
