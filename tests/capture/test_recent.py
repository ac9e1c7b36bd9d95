"""What came last is kept for as many packets as are remembered, and flows are told of it when it is asked for."""

from framing.capture.flow import Chunk, Flow, pack_mark
from framing.capture.recent import REMEMBERED_COUNT, Recent


def chunk(flow, number, data=b"x", marks=b""):
    return Chunk(flow, None, 0, data, number, marks)


def told(recent, *flows):
    recent.tell()
    return [[one.packet_number for one in flow.recent] for flow in flows]


def test_a_flow_is_told_of_its_own_chunks_and_they_are_forgotten_in_their_order():
    recent, first, second = Recent(), Flow(b"first"), Flow(b"second")
    recent.add([chunk(first, 1), chunk(second, 2)], 2)
    recent.add([chunk(first, 3)], 3)
    assert (first.recent, second.recent) == ((), ())
    assert told(recent, first, second) == [[1, 3], [2]]
    recent.add([], 1 + REMEMBERED_COUNT)
    assert told(recent, first, second) == [[3], [2]]
    recent.add([chunk(second, 3 + REMEMBERED_COUNT)], 3 + REMEMBERED_COUNT)
    assert told(recent, first, second) == [[], [3 + REMEMBERED_COUNT]]


def test_what_no_flow_was_told_of_is_forgotten_too():
    recent, flow = Recent(), Flow(b"flow")
    recent.add([chunk(flow, 1), chunk(flow, 2)], 2)
    recent.add([chunk(flow, REMEMBERED_COUNT + 1)], REMEMBERED_COUNT + 1)
    assert told(recent, flow) == [[2, REMEMBERED_COUNT + 1]]
    recent.clear()
    recent.add([], 9 * REMEMBERED_COUNT)
    assert told(recent, flow) == [[2, REMEMBERED_COUNT + 1]]


def test_what_is_old_already_or_too_large_is_not_kept():
    recent, flow = Recent(), Flow(b"flow")
    marks = pack_mark(1, 0, 600) + pack_mark(70000, 0, 601)
    late = [chunk(flow, 600 - REMEMBERED_COUNT), chunk(flow, 601, bytes(65537)), chunk(flow, 601, bytes(70000), marks)]
    recent.add(late, 601)
    assert told(recent, flow) == [[601]]
    assert len(flow.recent[0].data) == 70000
