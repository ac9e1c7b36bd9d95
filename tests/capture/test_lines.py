"""specs/records.md, [R1] to [R9], and its schema."""

import datetime
import json
import re
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import MORE, Message, get_format
from framing.capture import (
    ErrorRecord,
    FlowRecord,
    FrameRecord,
    GapRecord,
    SummaryRecord,
    json_line,
    read,
    record_to_json,
    survey,
)
from framing.capture.lines import format_time
from framing.errors import CaptureFileError, DecodeError, FrameTooLargeError, HeaderError
from framing.facts import KnownPorts

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "specs/records.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
PLACE = ("a:1>b:2", "client", False, 1_795_335_330_123_456_789, 7)

FRAME = FrameRecord(*PLACE, 12, get_format("u32be").frame(b"\0\0\0\x02hi", 81920), b"hi")


def test_the_clauses_are_numbered_and_the_code_names_no_others():
    spec = (ROOT / "specs/records.md").read_text(encoding="utf-8")
    defined = re.findall(r"^\*\*(\[R\d+\])", spec, re.MULTILINE)
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "framing/capture").glob("*.py"))

    assert defined == [f"[R{number}]" for number in (*range(1, 10), *range(20, 23), *range(10, 20))]
    assert set(re.findall(r"\[R\d+\]", code)) <= set(defined)


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_a_frame():
    assert record_to_json(FRAME) == {
        "type": "frame",
        "flow": "a:1>b:2",
        "direction": "client",
        "number": 12,
        "time": "2026-11-22T08:15:30.123456789Z",
        "packet": 7,
        "offset": 81920,
        "size": 6,
        "header": {"length": 2},
        "message": {"$bytes": "aGk="},
    }


def test_a_guess_says_so_and_raw_bytes_have_no_time():
    record = record_to_json(FRAME._replace(is_guessed=True, time_ns=None, packet_number=None))

    assert record["guessed"] is True
    assert record.keys().isdisjoint({"time", "packet"})


@pytest.mark.parametrize("guessed", [False, True])
@pytest.mark.parametrize("time_ns", [None, -1, 1_795_335_330_123_456_789])
@pytest.mark.parametrize("packet_number", [None, 1])
@pytest.mark.parametrize("message", [b"hi", Message(2**60, mark=b"x", other=2**60), MORE, {1: [None]}], ids=repr)
def test_the_line_of_a_frame_is_its_object(guessed, time_ns, packet_number, message):
    record = FRAME._replace(is_guessed=guessed, time_ns=time_ns, packet_number=packet_number, value=message)
    for one in (record, record._replace(protocol="p", flow='a"\u2028:1', direction="server")):
        assert json_line(one) == json.dumps(record_to_json(one)) + "\n"


def test_header_fields_are_values():
    frame = get_format("header", header="magic:bytes2=0xcafe length:u8").frame(b"\xca\xfe\0", 0)

    assert record_to_json(FRAME._replace(frame=frame))["header"] == {"magic": {"$bytes": "yv4="}, "length": 0}


def test_a_message_with_fields():
    assert record_to_json(FRAME._replace(value=Message({"a": 1}, type=81)))["message"] == {
        "$message": {"a": 1},
        "type": 81,
    }


def test_a_frame_error():
    error = FrameTooLargeError("too large", offset=5, frame_number=1, frame_size=999, max_frame_size=10, flow="a:1>b:2")

    record = record_to_json(ErrorRecord(*PLACE, error, 4, 1, b"\x00\x01"))

    assert record.pop("text") == str(error)
    assert record == {
        "type": "error",
        "flow": "a:1>b:2",
        "direction": "client",
        "number": 1,
        "time": "2026-11-22T08:15:30.123456789Z",
        "packet": 7,
        "offset": 4,
        "kind": "FrameTooLargeError",
        "hex": "00 01",
        "facts": {"offset": 5, "frame_size": 999, "max_frame_size": 10},
    }


def test_a_decode_error_has_its_path_and_no_more_than_32_bytes():
    error = DecodeError("bad", codec="msgpack", offset=3, path="rows[0]", found=bytes(100))

    record = record_to_json(ErrorRecord(*PLACE, error, 4, 1, bytes(32)))

    assert record["path"] == "rows[0]"
    assert record["facts"] == {"codec": "msgpack", "offset": 3, "found": {"$bytes": "A" * 43 + "="}}


def test_a_header_error_has_its_field():
    error = HeaderError("bad", field="magic", expected=(b"a", b"b"))

    record = record_to_json(ErrorRecord(*PLACE, error))

    assert (record["path"], record["facts"]) == ("magic", {"expected": [{"$bytes": "YQ=="}, {"$bytes": "Yg=="}]})


def test_an_error_of_the_file_has_no_flow():
    error = CaptureFileError("cut", file="x.pcap", offset=30, packet_number=2, truncated=True)

    record = record_to_json(ErrorRecord(None, None, False, None, 2, error, 30))

    assert (record["flow"], record["packet"], record["offset"]) == (None, 2, 30)
    assert record["facts"] == {"file": "x.pcap", "offset": 30, "truncated": True}
    assert "direction" not in record


def test_a_gap():
    assert record_to_json(GapRecord(*PLACE, 40, 8, "cut", 2)) == {
        "type": "gap",
        "flow": "a:1>b:2",
        "direction": "client",
        "time": "2026-11-22T08:15:30.123456789Z",
        "packet": 7,
        "offset": 40,
        "size": 8,
        "reason": "cut",
        "pending_size": 2,
        "resumed": False,
    }


def test_the_last_summary():
    record = record_to_json(SummaryRecord(None, None, False, flow_count=2, packet_count=9, unused={"not_ip": 3}))

    assert (record["flow"], record["flow_count"], record["unused"]) == (None, 2, {"not_ip": 3})
    assert record.keys().isdisjoint({"direction", "guessed", "end"})


def test_a_flow():
    record = record_to_json(FlowRecord(*PLACE, 0, 1, 3, 0, 0, 0, 0, "fin", 9092, ("kafka",)))

    assert (record["first_time"], record["last_time"]) == (
        "1970-01-01T00:00:00.000000000Z",
        "2026-11-22T08:15:30.123456789Z",
    )
    assert (record["server_port"], record["protocols"]) == (9092, ["kafka"])


def test_a_line_is_ascii_and_one_line():
    record = FRAME._replace(flow="\x1b[2J\u202e\ud800\n", value="ü\n\u2028")

    line = json_line(record)

    assert line.isascii()
    assert line.rstrip("\n").isprintable()
    assert line.count("\n") == 1
    assert json.loads(line)["message"] == "ü\n\u2028"


@pytest.mark.parametrize(
    "record",
    [
        FRAME,
        FRAME._replace(is_guessed=True, value=Message([None, 1e300, -(2**80), {1: float("nan")}], kind=b"")),
        FRAME._replace(time_ns=-5, value={"$a": object()}),
        ErrorRecord(*PLACE, HeaderError("bad"), 0, 0, b"\xff"),
        ErrorRecord(None, None, False, None, 2, CaptureFileError("cut", truncated=True), 30),
        GapRecord(*PLACE, 40, 8, "end"),
        SummaryRecord(*PLACE[:3], end="fin"),
        SummaryRecord(None, None, False, unused={}),
        FlowRecord(*PLACE, 0, 1, 3, 0, 0, 0, 0, "fin", 9092),
    ],
    ids=lambda record: record.type,
)
def test_records_obey_the_schema(record):
    VALIDATOR.validate(json.loads(json_line(record)))


@pytest.mark.parametrize(
    "damage",
    [
        {"type": "freme"},
        {"flow": None},
        {"direction": "up"},
        {"guessed": False},
        {"time": "2026-11-22 08:15:30Z"},
        {"number": -1},
        {"message": {"$bytes": "A"}},
        {"message": {"$unknown": 1}},
        {"message": {"a": {"$bytes": "", "b": 1}}},
        {"message": {"$map": [[1]]}},
        {"header": None},
        {"more": 1},
    ],
    ids=str,
)
def test_the_schema_refuses_what_is_no_record(damage):
    assert not VALIDATOR.is_valid(record_to_json(FRAME) | damage)


FILES = sorted(path for path in (ROOT / "tests/corpus").rglob("*.pcap*") if path.stat().st_size < 100_000)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_what_real_captures_give_obeys_the_schema(path):
    records = [*read(path, "u32be/msgpack", max_frame_size=5000), *survey(path, KnownPorts({443: ("tls",)}, {}))]

    assert len(records) >= 1
    for record in records[:400]:
        line = json_line(record)
        VALIDATOR.validate(json.loads(line))
        assert line == json.dumps(record_to_json(record)) + "\n"


@given(st.datetimes())
def test_times_are_those_of_datetime(moment):
    moment = moment.replace(tzinfo=datetime.UTC)
    since = moment - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    time_ns = (since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1000 + 7

    assert format_time(time_ns) == f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06}007Z".rjust(30, "0")


@given(st.integers())
def test_any_time_has_a_text(time_ns):
    assert format_time(time_ns).endswith(f"{time_ns % 10**9:09}Z")
