import pytest
import trio
import trio.testing

from framing import DefinitionError
from transports.endpoint import open_listeners, open_stream
from transports.memory import BACKLOG, MemoryListener, memory_stream_pair
from transports.testing import check_scheme


async def make_pair():
    return memory_stream_pair()


async def make_clogged():
    near, far = memory_stream_pair()
    for stream in (near, far):
        stream.send_some(b"x" * 1_000_000)
    return near, far


async def test_it_is_a_stream_as_trio_means_it():
    await trio.testing.check_half_closeable_stream(make_pair, make_clogged)


async def test_it_is_a_scheme():
    await check_scheme("memory://somewhere")


async def test_a_name_is_taken_once():
    (opened,) = await open_listeners("memory://once")
    with pytest.raises(OSError, match="in use"):
        await open_listeners("memory://once")
    await opened[1].aclose()
    (again,) = await open_listeners("memory://once")
    await opened[1].aclose()  # which must not take the name from the other one
    (await open_stream("memory://once")).send_some(b"x")
    await again[1].aclose()


async def test_connections_that_nobody_accepts_end():
    listener = MemoryListener("closing")
    near = await listener.connect()
    refused = []

    async def connect():
        try:
            await open_stream("memory://closing")
        except ConnectionRefusedError as error:
            refused.append(error.filename)

    for _ in range(BACKLOG - 1):
        await listener.connect()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(connect)
        await trio.testing.wait_all_tasks_blocked()
        await listener.aclose()

    assert await near.receive_some() == b""
    assert refused in (["memory://closing"], [])


@pytest.mark.parametrize("text", ["memory://", "memory://name:1", "memory://name/path"])
async def test_what_is_no_name(text):
    for function in (open_stream, open_listeners):
        with pytest.raises(DefinitionError, match="is a name"):
            await function(text)


def test_another_run_knows_no_names_of_this_one():
    async def listen():
        await open_listeners("memory://mine")

    trio.run(listen)
    trio.run(listen)
