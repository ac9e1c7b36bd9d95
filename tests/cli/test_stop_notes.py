import pytest

from framing import ChecksumError, DecodeError, FrameTooLargeError, HeaderError, TruncatedFrameError, get_protocol
from framing.capture import ErrorRecord, GapRecord, SummaryRecord
from framing.cli.stop_notes import StopNotes

FLOW = "10.0.0.5:51744>10.0.0.9:9092"
CONSTANT = 'header("mark:u8=1 length:u8")/raw'


def error(kind=HeaderError, flow=FLOW, protocol="", **facts):
    return ErrorRecord(flow, "client", False, None, 7, kind("bad", **facts), 100, protocol=protocol)


def summary(size, missing_size=0, flow=FLOW):
    return SummaryRecord(flow, "client", False, size=size, missing_size=missing_size)


def told(*records, protocol=CONSTANT):
    notes = StopNotes(protocol and get_protocol(protocol))
    return [line for record in records for line in notes.lines(record)]


def test_what_is_left_is_told_at_the_end_of_the_flow():
    assert told(error()) == []
    assert told(error(), summary(385)) == [
        f"{FLOW}: 285 bytes from @100 on not decoded; --recovery magic goes on behind it"
    ]


def test_each_flow_is_told_once():
    assert len(told(error(), summary(385), summary(385))) == 1
    assert told(error(), summary(385, flow="a:1>b:2")) == []
    assert told(summary(385)) == []


def test_missing_bytes_are_not_left():
    gap = GapRecord(FLOW, "client", False, None, 9, 110, 20, "end")

    [line] = told(gap, error(), gap, summary(100 + 1, missing_size=20 + 20))

    assert ": 21 bytes from @100 on" in line  # 20 of the first gap lie before the error
    assert ": 1 byte from" in told(error(), summary(101))[0]


@pytest.mark.parametrize(
    ("kind", "protocol", "advice"),
    [
        (FrameTooLargeError, CONSTANT, "--recovery skip or magic goes on behind it"),
        (ChecksumError, CONSTANT, "--recovery skip or magic goes on behind it"),
        (FrameTooLargeError, "u8/raw", "--recovery skip goes on behind it"),
        (HeaderError, "u8/raw", "nothing in this format tells where another frame begins"),
        (HeaderError, "lines/raw", "--recovery delimiter goes on behind it"),
        (HeaderError, "http1", "nothing in this format tells where another frame begins"),
    ],
)
def test_what_goes_on_depends_on_the_error_and_the_format(kind, protocol, advice):
    [line] = told(error(kind), summary(385), protocol=protocol)

    assert line.endswith(f"not decoded; {advice}")


def test_where_the_port_told_the_protocol_it_must_be_said_for_that():
    [line] = told(error(FrameTooLargeError, protocol="kafka"), summary(385), protocol=None)

    assert line.endswith("; --protocol kafka --recovery skip goes on behind it")


@pytest.mark.parametrize(
    "record",
    [
        error(DecodeError),
        error(TruncatedFrameError),
        error(region_size=7),  # a recovery policy has gone on already
        error(flow=f"{FLOW}/udp"),
        error(flow=f"{FLOW}/udp/vlan7#2"),
        error(flow=None),
    ],
)
def test_what_ends_no_flow_is_not_told(record):
    assert told(record, summary(385, flow=record.flow or FLOW)) == []


def test_the_name_of_a_file_is_no_datagram():
    raw = error(flow="some/udp.bin")._replace(packet_number=None)

    assert len(told(raw, summary(385, flow="some/udp.bin"))) == 1
