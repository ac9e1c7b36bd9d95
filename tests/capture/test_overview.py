import io
import json
from pathlib import Path

import pytest

from framing import CaptureFileError
from framing.capture import ErrorRecord, FlowRecord, record_to_json, survey
from framing.facts import KnownPorts

CORPUS = Path(__file__).parents[1] / "corpus"
ORACLE = json.loads((CORPUS / "oracle.json").read_bytes())


@pytest.mark.parametrize(
    "file",
    [
        "bgp/tcpdump__bgp-4byte-asn.pcap",
        "hard/gap/zeek__smtp-bdat-gap.pcap",
        "mysql/zeek__mysql.pcap",
        "hard/derived/psql_drop_packet12.pcap",
    ],
)
def test_flows_of_real_captures_are_those_of_the_oracle(file):
    found = {record.flow: (record.size, record.missing_size) for record in survey(CORPUS / file) if record.size}

    assert found == {
        f"{one['src']}:{one['sport']}>{one['dst']}:{one['dport']}": (one["bytes"], sum(gap[1] for gap in one["gaps"]))
        for one in ORACLE[file]["streams"]
    }


def test_times_are_those_of_the_first_and_the_last_payload(wire):
    packets = [
        wire.segment(flags=wire.SYN),
        wire.segment(sequence=1, payload=b"abc"),
        wire.segment(sequence=4, payload=b"de"),
        wire.segment(sequence=1, payload=b"xbc"),
        wire.segment(sequence=6),
    ]

    (flow,) = survey(
        io.BytesIO(wire.pcap([packet.data for packet in packets])), KnownPorts({9092: ("kafka", "other")}, {})
    )

    assert flow == FlowRecord(
        "10.0.0.5:51744>10.0.0.9:9092",
        "client",
        False,
        1002_000_005_000,
        3,
        first_ns=1001_000_005_000,
        packet_count=5,
        size=5,
        gap_count=0,
        missing_size=0,
        retransmitted_size=3,
        conflicting_size=1,
        end="capture",
        server_port=9092,
        protocols=("kafka", "other"),
    )


def test_a_known_port_tells_the_server(wire):
    packet = wire.segment(("10.0.0.5", 80), ("10.0.0.9", 9092), payload=b"x")
    file = wire.pcap([packet.data])

    (by_number,) = survey(io.BytesIO(file))
    (by_port,) = survey(io.BytesIO(file), KnownPorts({9092: ("kafka",)}, {}))

    assert (by_number.direction, by_number.server_port, by_number.is_guessed) == ("server", 80, True)
    assert (by_port.direction, by_port.server_port, by_port.is_guessed) == ("client", 9092, True)


def test_a_flow_without_a_byte_has_no_times(wire):
    (flow,) = survey(io.BytesIO(wire.pcap([wire.segment(flags=wire.SYN).data])))

    assert (flow.first_ns, flow.time_ns, flow.packet_count, flow.size) == (None, None, 1, 0)


def test_a_truncated_capture_is_told_last():
    *flows, error = survey(CORPUS / "hard/derived/pcapng_cut.pcapng")

    assert len(flows) == 4
    assert isinstance(error, ErrorRecord)
    assert error.error.truncated is True


def test_no_capture_is_refused():
    with pytest.raises(CaptureFileError, match="looks like text"):
        next(survey(io.BytesIO(b"no capture at all, but text")))


def test_datagrams_and_tunnels_are_listed(wire):
    """[R9]"""
    dns = wire.ethernet(wire.ipv4("10.0.0.5", "10.0.0.9", wire.udp(40000, 53, b"query"), protocol=17))
    gtp = b"\x30\xff" + len(dns[14:]).to_bytes(2, "big") + bytes(4) + dns[14:]
    tunnelled = wire.ethernet(wire.ipv4("192.0.2.1", "192.0.2.2", wire.udp(2152, 2152, gtp), protocol=17))
    file = wire.pcap([dns, wire.segment(payload=b"x").data, tunnelled])

    udp, tcp = survey(io.BytesIO(file), KnownPorts({53: ("dns_tcp",), 9092: ("kafka",)}, {53: ("dns",)}))

    assert (udp.flow, udp.transport, udp.size, udp.protocols) == ("10.0.0.5:40000>10.0.0.9:53/udp", "udp", 10, ("dns",))
    assert (udp.tunnels, udp.is_tunnel_guessed, udp.end) == (("gtp",), True, "capture")
    assert (tcp.transport, tcp.protocols, tcp.tunnels, tcp.is_tunnel_guessed) == ("tcp", ("kafka",), (), False)
    assert record_to_json(udp)["transport"] == "udp"
    assert record_to_json(udp)["tunnel_guessed"] is True
    assert "tunnels" not in record_to_json(tcp)
