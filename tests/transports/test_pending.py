import pytest
import trio
import trio.testing

from framing import get_format
from transports.pending import Pending

FORMAT = get_format("u8")
RUN = b"".join(map(FORMAT.serialize, [b"one", b"second", b"3"]))


@pytest.mark.parametrize(
    ("accepted", "in_flight", "kept"),
    [(0, 1, 4), (1, 0, 4), (3, 1, 4), (4, 0, 4), (4, 1, 11), (11, 0, 11), (12, 0, 13), (0, 13, 13)],
)
def test_a_run_is_cut_behind_the_frame_that_is_begun(accepted, in_flight, kept):
    pending = Pending(data=RUN, format=FORMAT)
    pending.accepted = accepted

    assert not pending.withdraw(in_flight)
    assert pending.data == RUN[:kept]
    assert pending.size == kept - accepted


def test_one_frame_is_kept_whole():
    pending = Pending(data=b"no format is needed")
    pending.accepted = 1
    assert not pending.withdraw(0)
    assert bytes(pending.rest) == b"o format is needed"


def test_what_is_not_begun_is_withdrawn():
    assert Pending(data=RUN, format=FORMAT).withdraw(0)
    assert Pending("not encoded").withdraw(0)


def test_what_is_committed_is_kept():
    pending = Pending(data=RUN[:4])
    pending.committed = True
    assert not pending.withdraw(0)
    assert pending.data == RUN[:4]


async def test_a_task_waits_until_it_is_woken(nursery):
    pending, woken = Pending("x"), []

    async def wait():
        await pending.wait()
        woken.append(True)

    nursery.start_soon(wait)
    await trio.testing.wait_all_tasks_blocked()
    assert pending.waiting
    assert not woken
    pending.finish()
    pending.wake()
    assert not pending.waiting
    await trio.testing.wait_all_tasks_blocked()
    assert woken


async def test_a_cancelled_task_does_not_wait():
    pending = Pending("x")
    with trio.move_on_after(0):
        await pending.wait()
    assert not pending.waiting


def test_what_was_said_first_counts():
    pending, error = Pending("x"), ValueError()
    pending.finish(error=error)
    pending.finish(failed=True)
    assert (pending.done, pending.failed, pending.error) == (True, False, error)
