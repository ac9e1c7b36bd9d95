import pytest
import trio
import trio.testing

from framing import register
from transports.endpoint import Scheme
from transports.memory import memory_stream_pair
from transports.testing import FaultyStream, OneByteStream, cancel_at, channel_pair, check_scheme, tcp_stream_pair


async def test_a_channel_pair_is_closed_in_the_end():
    async with channel_pair("u8/raw") as (client, server):
        await client.send(b"x")
        assert await server.receive() == b"x"
    with pytest.raises(trio.ClosedResourceError):
        await server.receive()


async def test_a_tcp_stream_pair_is_connected():
    near, far = await tcp_stream_pair()
    async with near, far:
        await near.send_all(b"x")
        assert await far.receive_some() == b"x"


@pytest.mark.parametrize("reports", [True, False])
async def test_one_byte_at_a_time(reports):
    near, far = memory_stream_pair()
    slow = OneByteStream(near, reports=reports)
    await slow.send_all(b"abc")
    assert await OneByteStream(far, reports=reports).receive_some() == b"a"
    assert hasattr(slow, "send_some") == reports


async def test_one_byte_at_a_time_as_it_reports():
    near, _far = memory_stream_pair()
    slow = OneByteStream(near, reports=True)
    assert [slow.send_some(b"abc") for _ in range(4)] == [1, 0, 1, 0]
    with pytest.raises(ValueError, match="does not say"):
        OneByteStream(trio.testing.memory_stream_pair()[0], reports=True)


async def test_faults():
    near, far = memory_stream_pair()
    faulty = FaultyStream(near)
    await faulty.send_all(b"x")
    assert await FaultyStream(far).receive_some() == b"x"
    faulty.write_error, faulty.read_error = OSError("w"), OSError("r")
    with pytest.raises(OSError, match="w"):
        await faulty.send_all(b"x")
    with pytest.raises(OSError, match="r"):
        await faulty.receive_some()


async def test_cancelling_at_each_checkpoint():
    async def three(done):
        for number in range(3):
            await trio.lowlevel.checkpoint()
            done.append(number)
        return "end"

    seen = []
    for number in range(1, 6):
        done = []
        outcome = await cancel_at(number, three, done)
        seen.append((outcome.reached, outcome.cancelled, outcome.value, len(done)))

    assert seen[:3] == [(True, True, None, number) for number in range(3)]
    assert seen[-1] == (False, False, "end", 3)


class Silent(Scheme):
    """Listens to nothing."""

    async def open_stream(self, endpoint):
        return memory_stream_pair()[0]

    async def open_listeners(self, endpoint):
        return []

    def endpoint_of(self, listener):
        return "silent://x"


class Deaf(Silent):
    """Answers, whether anybody listens or not."""

    async def open_listeners(self, endpoint):
        return [DeafListener()]

    def endpoint_of(self, listener):
        return "deaf://x"


class DeafListener(trio.abc.Listener):
    async def accept(self):
        return memory_stream_pair()[0]

    async def aclose(self):
        await trio.lowlevel.checkpoint()


@pytest.mark.parametrize(("name", "scheme"), [("silent", Silent), ("deaf", Deaf)])
async def test_a_scheme_that_is_wrong_is_found(name, scheme, autojump_clock):
    with register("scheme", name, scheme), pytest.raises((AssertionError, trio.TooSlowError)):
        with trio.fail_after(60):
            await check_scheme(f"{name}://x")
