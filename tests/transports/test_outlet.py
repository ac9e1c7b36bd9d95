import pytest
import trio
import trio.testing

from transports import Limits
from transports.memory import memory_stream_pair
from transports.outlet import Outlet
from transports.testing import FaultyStream
from transports.turn import Turn


def outlet_of(stream, **limits):
    return Outlet(stream, Limits(**limits), Turn(10))


async def test_waiting_ends_when_the_stream_takes_bytes(nursery):
    near, far = memory_stream_pair()
    outlet = outlet_of(near)
    await outlet.wait()
    outlet.send_some(b"x" * 1_000_000)
    with trio.move_on_after(0) as scope:
        await outlet.wait()
    assert scope.cancelled_caught
    nursery.start_soon(far.receive_some)
    await outlet.wait()
    assert not outlet.lost


async def test_a_wait_can_be_interrupted(autojump_clock):
    near, _far = memory_stream_pair()
    outlet = outlet_of(near)
    outlet.interrupt()
    outlet.send_some(b"x" * 1_000_000)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(outlet.wait)
        await trio.testing.wait_all_tasks_blocked()
        outlet.interrupt()
    assert trio.current_time() == 0
    assert not outlet.lost


async def test_a_wait_has_its_time(autojump_clock):
    near, _far = memory_stream_pair()
    outlet = outlet_of(near, write_timeout=5)
    outlet.send_some(b"x" * 1_000_000)
    with pytest.raises(trio.BrokenResourceError, match="5 s"):
        await outlet.wait()
    assert outlet.lost
    assert trio.current_time() >= 5


async def test_sending_all_has_its_time(autojump_clock):
    near, _far = trio.testing.memory_stream_pair()
    outlet = outlet_of(FaultyStream(near, stalled=True), write_timeout=5)
    with pytest.raises(trio.BrokenResourceError, match="5 s"):
        await outlet.send_all(b"x" * 100)
    assert outlet.lost


async def test_a_cancelled_send_all_loses_the_link():
    near, _far = trio.testing.memory_stream_pair()
    outlet = outlet_of(FaultyStream(near, stalled=True))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(outlet.send_all, b"x" * 100)
        await trio.testing.wait_all_tasks_blocked()
        assert outlet.in_flight_size == 100
        nursery.cancel_scope.cancel()
    assert outlet.lost
    assert outlet.in_flight_size == 0


async def test_abandoning_closes_the_stream():
    near, far = memory_stream_pair()
    await outlet_of(near).abandon()
    assert await far.receive_some() == b""


async def test_half_closing():
    near, far = memory_stream_pair()
    await outlet_of(near).send_eof()
    assert await far.receive_some() == b""
    with pytest.raises(TypeError, match="SSLStream cannot be half-closed"):
        await outlet_of(type("SSLStream", (), {})()).send_eof()
