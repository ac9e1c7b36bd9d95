import time

from transports.turn import SPAN, Turn


def spend(turn, count):
    turn.left -= count


def test_it_begins_with_nothing_left():
    assert Turn(10).over


def test_it_is_over_after_so_many_messages():
    turn = Turn(10)
    turn.renew()
    spend(turn, 9)
    assert not turn.over
    spend(turn, 1)
    assert turn.over


def test_it_is_over_after_its_span():
    turn = Turn(10)
    turn.renew()
    end = time.perf_counter() + SPAN
    while time.perf_counter() < end:
        pass
    assert turn.over


async def test_a_checkpoint_renews_it():
    turn = Turn(10)
    await turn.checkpoint()
    assert turn.left == 10
