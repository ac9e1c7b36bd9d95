"""One direction: what comes packet by packet, many packets at once, behind errors and behind gaps."""

from hypothesis import given
from hypothesis import strategies as st

from framing import Conversation, get_protocol
from framing.capture import ErrorRecord, FrameRecord, GapRecord
from framing.capture.flow import Chunk, pack_mark
from framing.capture.resync import Sample
from framing.capture.track import Track
from framing.capture.way import Way

PLACE = ("a:1>b:2", "client", False)
SMALL = 'header("length:u8", max_frame_size=12)/raw'
TRAILED = 'header("length:u8", trailer="end:u8=0|1|2|3")/msgpack'


def track(protocol="u8/raw", **options):
    reader = Conversation(get_protocol(protocol)).reader("client")
    return Track(PLACE, reader, Sample(), **{"has_records": True} | options)


def joined(data, number, marks=()):
    return Chunk(None, 1000 * number, 0, data, number, b"".join(marks) if len(marks) > 1 else b"")


def shown(records):
    return [
        (one.type, one.offset, one.packet_number, one.time_ns, str(getattr(one, "error", "")), repr(one.message))
        if isinstance(one, FrameRecord)
        else (one.type, one.offset, one.packet_number, one.time_ns, str(one.error), "")
        for one in records
    ]


@given(
    st.lists(st.binary(min_size=1, max_size=20), min_size=1, max_size=12),
    st.sampled_from(["u8/raw", "u8/msgpack", SMALL, TRAILED]),
)
def test_many_packets_at_once_give_the_records_of_each(packets, protocol):
    way = Way(get_protocol(protocol), "client", midstream=False)
    for many in (track(protocol), Track(PLACE, way, Sample(), has_records=True)):
        check_many(packets, track(protocol), many)


def check_many(packets, single, many):
    expected, marks, size = [], [], 0
    for number, data in enumerate(packets, 1):
        single.feed(data, 1000 * number, number)
        expected += single.pull()
        size += len(data)
        marks.append(pack_mark(size, 1000 * number, number))
    records = many.feed_joined(joined(b"".join(packets), number, marks))
    assert shown([record for _, record in records]) == shown(expected)
    assert all(number == record.packet_number for number, record in records)
    assert many.summary(None, 0) == single.summary(None, 0)


def test_nothing_is_cut_before_it_is_pulled_and_frames_may_be_counted_alone():
    one = track(has_records=False)
    one.feed(b"\x01a\x01b\x05", None, 1)
    assert one.summary(None, 0).frame_count == 0
    assert list(one.pull()) == []
    one.finish(None)
    (error,) = one.pull()
    assert isinstance(error, ErrorRecord)
    summary = one.summary("fin", 7)
    assert (summary.frame_count, summary.tail_size, summary.skipped_size, summary.end) == (2, 1, 0, "fin")


def test_behind_an_error_bytes_are_counted_and_nothing_is_cut():
    one = track('header("length:u8", max_frame_size=9)/raw')
    one.feed(b"\x01a\xff", None, 1)
    assert [record.type for record in one.pull()] == ["frame", "error"]
    assert one.is_stopped
    one.feed(b"\x01b", None, 2)
    assert list(one.pull()) == []
    assert one.feed_joined(joined(b"\x01c", 3)) == []
    assert one.summary(None, 0).skipped_size == 5


def test_a_torn_frame_ends_behind_the_gap_where_its_header_said():
    one = track()
    one.feed(b"\x01a\x05bc", 1, 1)
    records = list(one.pull())
    one.gap((5, 2, "acknowledged"), 2, 2)
    one.feed(b"f\x01g", 3, 3)  # the sixth byte of the torn frame, and a frame
    records += one.pull()
    assert [type(record) for record in records] == [FrameRecord, GapRecord, FrameRecord]
    assert (records[1].resumed_offset, records[1].confirmed, records[1].pending_size) == (8, "size", 3)
    assert (records[2].message, records[2].packet_number) == (b"g", 3)
