"""Records are values: immutable, equal by what they say. What each says in JSON: test_lines.py."""

import pytest

from framing import HeaderError, StreamGapError, get_format
from framing.capture import ErrorRecord, FlowRecord, FrameRecord, GapRecord, SummaryRecord

PLACE = ("a:1>b:2", "client", False, 5, 1)
FRAME = get_format("u8").frame(b"\x02hi", 40)
RECORDS = {
    "frame": FrameRecord(*PLACE, 3, FRAME, b"hi"),
    "error": ErrorRecord(*PLACE, HeaderError("bad"), 40, 3, b"\x02"),
    "gap": GapRecord(*PLACE, 40, 8, "cut", 2),
    "summary": SummaryRecord(*PLACE[:3]),
    "flow": FlowRecord(*PLACE, 5, 1, 3, 0, 0, 0, 0, "fin", 2),
}


@pytest.mark.parametrize("kind", RECORDS)
def test_each_record_names_its_type_and_its_place(kind):
    record = RECORDS[kind]

    assert (record.type, record.flow, record.direction, record.is_guessed) == (kind, "a:1>b:2", "client", False)


@pytest.mark.parametrize("kind", RECORDS)
def test_a_record_cannot_be_changed(kind):
    with pytest.raises(AttributeError):
        RECORDS[kind].flow = "b"
    with pytest.raises(AttributeError):
        RECORDS[kind].more = 1


def test_records_are_equal_by_what_they_say():
    again = FrameRecord(*PLACE, 3, get_format("u8").frame(b"\x02hi", 40), b"hi")

    assert again == RECORDS["frame"]
    assert again != RECORDS["frame"]._replace(number=4)


def test_a_frame_record_tells_of_its_frame():
    record = RECORDS["frame"]

    assert (record.offset, record.size, record.header) == (40, 3, {"length": 2})


def test_a_gap_is_an_error_for_who_wants_one():
    error = RECORDS["gap"].error

    assert type(error) is StreamGapError
    assert (error.flow, error.stream_offset, error.gap_size, error.packet_number) == ("a:1>b:2", 40, 8, 1)
