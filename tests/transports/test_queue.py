import pytest

from framing import Conversation, Direction, EncodeError, Phase, Protocol, Rule, get_protocol
from transports import Limits
from transports.limits import WRITE_SIZE
from transports.pending import Pending
from transports.queue import FrameQueue

WIRE = get_protocol("u32be/raw").client.wire
# The first frame is noted: after it the other format holds.
RULED = Protocol(
    "ruled",
    Direction(
        (Phase("first", get_protocol("u8/raw").client.wire, after=(Rule({"client": "rest"}),)), Phase("rest", WIRE))
    ),
    Direction((Phase("rest", WIRE),)),
)


def queue_of(protocol="u32be/raw", **limits):
    protocol = get_protocol(protocol) if isinstance(protocol, str) else protocol
    return FrameQueue(Conversation(protocol), "client", Limits(**limits))


def test_frames_are_joined_while_they_are_small():
    queue = queue_of()
    for text in (b"a", b"bc", b""):
        queue.add(Pending(text))

    assert queue.head(whole=True) == b"\0\0\0\1a\0\0\0\2bc\0\0\0\0"


def test_a_piece_has_a_size():
    queue = queue_of()
    queue.add(Pending(b"small"))
    queue.add(Pending(b"large" * 100_000))

    assert len(queue.head(whole=True)) == WRITE_SIZE
    queue.accepted(9)
    assert len(queue.head(whole=False)) == WRITE_SIZE
    assert len(queue.head(whole=True)) == 500_004


def test_nothing_to_write():
    queue = queue_of()

    assert not queue
    assert queue.head(whole=True) == b""
    queue.accepted(0)


@pytest.mark.parametrize("step", [1, 2, 5, 100])
def test_accepted_bytes_finish_frames(step):
    queue = queue_of()
    all_pending = [queue.add(Pending(b"x" * size)) for size in range(5)]
    written = b""
    while queue:
        piece = bytes(queue.head(whole=True)[:step])
        written += piece
        queue.accepted(len(piece))
        assert [one.done for one in all_pending] == [len(written) >= stop for stop in (4, 9, 15, 22, 30)]

    assert written == b"".join(WIRE.encode(b"x" * size) for size in range(5))


def test_an_empty_mark_is_done_with_what_is_before_it():
    queue = queue_of()
    queue.add(Pending(b"x"))
    mark = queue.add(Pending(data=b""))
    queue.accepted(4)
    assert not mark.done
    queue.accepted(1)
    assert mark.done


def test_beyond_the_limit_messages_are_not_encoded():
    queue = queue_of(send_queue_size=10)
    all_pending = [queue.add(Pending(b"12345")) for _ in range(4)]

    assert [one.data is not None for one in all_pending] == [True, True, False, False]
    queue.refill()
    assert all_pending[2].data is None
    queue.accepted(9)
    queue.refill()
    assert [one.data is not None for one in all_pending] == [True, True, True, False]


def test_nobody_overtakes_who_waits_for_room():
    queue = queue_of(send_queue_size=1)
    queue.add(Pending(b"1"))
    queue.add(Pending(b"2"))
    queue.accepted(5)
    queue.add(Pending(b"3"))
    queue.refill()
    assert queue.head(whole=True) == WIRE.encode(b"2")


def test_a_message_that_cannot_be_encoded_never_joins_or_fails_later():
    queue = queue_of(send_queue_size=1)
    with pytest.raises(EncodeError):
        queue.add(Pending("text"))
    queue.add(Pending(b"x"))
    late, next_one = queue.add(Pending("text")), queue.add(Pending(b"y"))
    queue.accepted(5)
    queue.refill()

    assert isinstance(late.error, EncodeError)
    assert next_one.data == b"\0\0\0\1y"


def test_a_frame_with_rules_is_encoded_only_where_it_can_begin():
    queue = queue_of(RULED)
    first, second = queue.add(Pending(b"1")), queue.add(Pending(b"2"))

    assert queue.needs_begin
    assert first.data is None
    queue.refill()
    assert (first.data, first.committed) == (b"\x011", True)
    assert (second.data, second.committed) == (b"\0\0\0\x012", False)


def test_no_frame_is_noted_behind_another():
    wire = get_protocol("u8/raw").client.wire
    twice = Direction((Phase("first", wire, after=(Rule({"client": "rest"}, frames=2),)), Phase("rest", WIRE)))
    queue = queue_of(Protocol("twice", twice, Direction((Phase("rest", WIRE),))))
    first, second = queue.add(Pending(b"1")), queue.add(Pending(b"2"))
    queue.refill()
    assert (first.data, second.data) == (b"\x011", None)
    queue.accepted(2)
    queue.refill()
    assert second.data == b"\x012"


def test_a_withdrawn_message_is_not_noted():
    queue = queue_of(RULED)
    first, second = queue.add(Pending(b"1")), queue.add(Pending(b"2"))
    queue.withdraw(first, 0)
    queue.refill()

    assert second.data == b"\x012"


def test_withdrawing_looks_at_what_is_in_flight():
    queue = queue_of()
    all_pending = [queue.add(Pending(b"x")) for _ in range(3)]
    for pending in reversed(all_pending):
        queue.withdraw(pending, 6)  # the first frame and one byte of the second

    assert queue.head(whole=True) == WIRE.encode(b"x") * 2


def test_giving_up_keeps_what_is_begun():
    queue = queue_of(send_queue_size=12)
    all_pending = [queue.add(Pending(b"%d" % number)) for number in range(4)]
    queue.accepted(2)
    queue.give_up(0)

    assert all(pending.failed for pending in all_pending)
    assert bytes(queue.head(whole=True)) == WIRE.encode(b"0")[2:]


def test_clearing_drops_everything():
    queue = queue_of(send_queue_size=12)
    all_pending = [queue.add(Pending(b"x")) for _ in range(4)]
    queue.clear()

    assert not queue
    assert all(pending.failed for pending in all_pending)
    assert queue.add(Pending(b"x")).data is not None
