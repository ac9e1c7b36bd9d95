"""What is told once for one side of all connections of a protocol."""

import pytest

from framing import get_protocol
from framing.capture.way import Way, is_quick


def way(protocol, **options):
    return Way(get_protocol(protocol), "server", **{"midstream": False} | options)


def test_bytes_are_cut_where_they_lie_and_a_reader_goes_on_with_the_rest():
    one = way("u8/raw")
    frames = []
    stop = one.scan(b"\1a\0\3bc", 0, 6, 9, frames, 100)
    assert ([frame.payload for frame in frames], stop) == ([b"a", b""], 3)
    reader = one.reader(100 + stop, len(frames))
    reader.feed(b"\3bcd")
    frame = reader.next_frame()
    assert (frame.payload, frame.offset, reader.frame_count) == (b"bcd", 103, 3)


@pytest.mark.parametrize("protocol", ["lines/raw", "rtmp", "rpc_tcp", "websocket"])
def test_what_is_not_told_by_these_bytes_alone_is_left_to_a_reader(protocol):
    assert way(protocol, midstream=True).scan is None


def test_a_policy_of_recovery_must_see_each_packet():
    wire = get_protocol("u8/raw").client.wire
    assert is_quick(wire)
    assert not is_quick(get_protocol("lines/raw").recovering("delimiter").client.wire)
    assert not is_quick(get_protocol("lines/raw").client.wire)
