import pytest

from framing.capture import FrameRecord, SummaryRecord
from framing.cli.port_notes import PortNotes
from framing.facts import KnownPorts
from framing.formats.header import HeaderFormat

KNOWN = KnownPorts({9092: ("kafka",), 80: ("kafka", "tls"), 1: ("no_such_protocol",)}, {53: ("one", "two")})
FRAME = HeaderFormat("length:u8").frame(b"\0")


def frame(flow, direction, protocol="kafka"):
    return FrameRecord(flow, direction, False, None, None, 0, FRAME, b"", protocol)


def told(*records):
    notes = PortNotes(KNOWN)
    return [line for record in records for line in notes.lines(record)]


@pytest.mark.parametrize(
    ("flow", "direction"),
    [
        ("10.0.0.5:51744>10.0.0.9:9092", "client"),
        ("10.0.0.9:9092>10.0.0.5:51744#2", "server"),
        ("[::1]:51744>[::1]:9092#10", "client"),
    ],
)
def test_what_a_port_is_taken_for_is_told_once(flow, direction):
    [line] = told(frame(flow, direction), frame(flow, direction))
    assert line.startswith("port 9092 is taken for kafka;")


def test_the_sums_of_a_flow_tell_it_where_no_frame_is_shown():
    [line] = told(SummaryRecord("a:9>b:9092", "client", False, protocol="kafka"), frame("a:9>b:9092", "client"))
    assert line.startswith("port 9092 is taken for kafka;")


def test_a_port_of_udp_is_told_as_one():
    [line] = told(frame("10.0.0.5:9>10.0.0.9:53/udp", "client"))
    assert line.startswith("port 53/udp is taken for kafka;")


def test_a_protocol_that_was_said_is_not_told():
    assert told(frame("a:1>b:9092", "client", "")) == []


def test_what_was_left_is_told_at_the_end():
    left = {80: 2, 9092: 1, 1: 1, 53: 1} | dict.fromkeys(range(100, 114), 1)
    assert told(SummaryRecord("a:1>b:2", "client", False)) == []
    lines = told(SummaryRecord(None, None, False, left=left))
    assert lines[0] == "port 80, 2 connections, not decoded: say --port 80 --protocol kafka or tls"
    assert lines[1].startswith("port 1 not decoded: no_such_protocol cannot be used: no protocol is called")
    assert lines[2] == "port 53, 1 connection, not decoded: say --port 53 --protocol one or two"
    assert lines[3].startswith("not decoded, for no protocol is known on these ports: 100 (1), 101 (1), ")
    assert lines[3].endswith(" and 2 more")
    assert len(lines) == 4  # 9092 is known: other flows were asked for
