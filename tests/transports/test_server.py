import errno
import logging

import pytest
import trio
import trio.testing

from framing import DecodeError, DefinitionError
from framing.errors import UnknownNameError
from transports import Limits, MessageChannel, connect, serve
from transports.memory import MemoryListener


async def echo(channel):
    async for message in channel:
        if message == "fail":
            raise ZeroDivisionError("the handler's own\nmistake")
        await channel.send(message)


@pytest.fixture(params=["tcp://127.0.0.1:0", "memory://echo"])
async def server(request, nursery):
    return await nursery.start(serve, request.param, "u16be/msgpack", echo)


async def lines_after(caplog, count=1):
    """Wait until so many lines are in the log."""
    with trio.fail_after(5):
        while len(caplog.records) < count:
            await trio.lowlevel.checkpoint()
    return caplog.records


async def test_an_echo(server):
    async with connect(server.endpoint, "u16be/msgpack") as one, connect(server.endpoint, "u16be/msgpack") as other:
        await one.send([1])
        await other.send([2])

        assert await other.receive() == [2]
        assert await one.receive() == [1]


async def test_the_channel_is_closed_when_the_handler_returns(nursery):
    async def greet(channel):
        await channel.send(b"hello")

    server = await nursery.start(serve, "tcp://127.0.0.1:0", "u8/raw", greet)
    async with connect(server.endpoint, "u8/raw") as channel:
        assert [message async for message in channel] == [b"hello"]


@pytest.mark.parametrize("endpoint", ["tcp://127.0.0.1:0", "memory://gentle"])
async def test_handlers_in_a_nursery_of_their_own_outlive_the_server(endpoint, nursery):
    accepting = trio.CancelScope()

    async def accept(task_status):
        with accepting:
            await serve(endpoint, "u16be/msgpack", echo, handler_nursery=nursery, task_status=task_status)

    server = await nursery.start(accept)
    async with connect(server.endpoint, "u16be/msgpack") as channel:
        await channel.send(1)
        assert await channel.receive() == 1

        accepting.cancel()
        await trio.testing.wait_all_tasks_blocked()

        with pytest.raises(OSError):
            await connect(server.endpoint, "u16be/msgpack").__aenter__()
        await channel.send(2)
        assert await channel.receive() == 2


async def test_a_handler_that_fails_ends_its_own_connection(server, caplog):
    async with connect(server.endpoint, "u16be/msgpack") as bad, connect(server.endpoint, "u16be/msgpack") as good:
        await good.send(1)
        assert await good.receive() == 1
        await bad.send("fail")
        with pytest.raises(trio.EndOfChannel):
            await bad.receive()
        await good.send(2)
        assert await good.receive() == 2
        async with connect(server.endpoint, "u16be/msgpack") as late:
            await late.send(3)
            assert await late.receive() == 3
        (record,) = await lines_after(caplog)

    assert record.levelno == logging.ERROR
    assert record.getMessage().endswith("its handler failed: ZeroDivisionError: the handler's own\\nmistake")
    assert record.exc_info[0] is ZeroDivisionError


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\0\1\xc1", "DecodeError: "),
        (b"\0\5par", "TruncatedFrameError: "),
    ],
)
async def test_a_peer_that_sends_rubbish_is_one_line(server, caplog, data, text):
    async with connect(server.endpoint, "u16be/msgpack") as channel:
        await channel.stream.send_all(data)
        await channel.send_eof()
        with pytest.raises(trio.EndOfChannel):
            await channel.receive()
    (record,) = await lines_after(caplog)

    assert record.levelno == logging.WARNING
    assert record.exc_info is None
    assert text in record.getMessage()
    assert "\n" not in record.getMessage()


async def test_the_line_says_who_it_was(nursery, caplog):
    server = await nursery.start(serve, "tcp://127.0.0.1:0", "u16be/msgpack", echo)
    async with connect(server.endpoint, "u16be/msgpack") as channel:
        port = channel.stream.socket.getsockname()[1]
        await channel.send("fail")
        (record,) = await lines_after(caplog)
    assert f"connection from 127.0.0.1 port {port} ended" in record.getMessage()


async def receive_for_ever(channel):
    while True:
        await channel.receive()


async def receive_for_ever_in_a_nursery(channel):
    async with trio.open_nursery() as nursery:
        nursery.start_soon(receive_for_ever, channel)


@pytest.mark.parametrize("handler", [receive_for_ever, receive_for_ever_in_a_nursery])
async def test_an_end_that_the_handler_does_not_catch_is_no_error(nursery, caplog, handler):
    server = await nursery.start(serve, "memory://end", "u8/raw", handler)
    async with connect(server.endpoint, "u8/raw") as channel:
        await channel.send(b"x")
        await channel.send_eof()
        with pytest.raises(trio.EndOfChannel):
            await channel.receive()
    await trio.testing.wait_all_tasks_blocked()

    assert caplog.records == []


async def test_errors_in_a_group_are_looked_into(nursery, caplog):
    async def handler(channel):
        async with trio.open_nursery() as inner:
            inner.start_soon(channel.receive)

    server = await nursery.start(serve, "memory://group", "u16be/msgpack", handler)
    async with connect(server.endpoint, "u16be/msgpack"):
        pass
    async with connect(server.endpoint, "u16be/msgpack") as channel:
        await channel.stream.send_all(b"\0\1\xc1")
        (record,) = await lines_after(caplog)

    assert record.levelno == logging.WARNING


async def test_cancelling_the_server_ends_the_connections(nursery):
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as inner:
            server = await inner.start(serve, "memory://stop", "u8/raw", echo)
            channel = await nursery.start(hold, server.endpoint)
            scope.cancel()
    with pytest.raises(trio.EndOfChannel):
        await channel.receive()
    with pytest.raises(ConnectionRefusedError):
        async with connect("memory://stop", "u8/raw"):
            pass


async def hold(endpoint, task_status):
    async with connect(endpoint, "u8/raw") as channel:
        task_status.started(channel)
        await trio.sleep_forever()


async def test_running_out_of_file_descriptors_is_survived(nursery, caplog, autojump_clock, monkeypatch):
    accept, errors = MemoryListener.accept, [OSError(errno.EMFILE, "too many open files")] * 3

    async def fail_first(self):
        await trio.lowlevel.checkpoint()
        if errors:
            raise errors.pop()
        return await accept(self)

    monkeypatch.setattr(MemoryListener, "accept", fail_first)
    server = await nursery.start(serve, "memory://many", "u8/raw", echo)
    async with connect(server.endpoint, "u8/raw") as channel:
        await channel.send(b"x")
        assert await channel.receive() == b"x"
    assert errors == []


async def test_every_address_of_a_name_is_served(nursery):
    server = await nursery.start(serve, "tcp://:0", "u8/raw", echo)
    assert server.endpoint == server.endpoints[0]
    for endpoint in server.endpoints:
        async with connect(endpoint, "u8/raw") as channel:
            await channel.send(b"x")
            assert await channel.receive() == b"x"


async def test_limits_hold_for_each_channel(nursery):
    seen = []

    async def look(channel):
        seen.append(channel.protocol.client.wire.format.max_frame_size)

    server = await nursery.start(
        lambda task_status: serve(
            "memory://l", "u8/raw", look, limits=Limits(max_frame_size=9), task_status=task_status
        )
    )
    async with connect(server.endpoint, "u8/raw") as channel:
        with pytest.raises(trio.EndOfChannel):
            await channel.receive()
    assert seen == [9]


async def test_what_cannot_be_served():
    for endpoint, protocol, error in [
        ("nowhere", "u8/raw", DefinitionError),
        ("memory://x", "u8/rwa", UnknownNameError),
        ("tpc://x", "u8/raw", UnknownNameError),
        ("tcp://192.0.2.1:0", "u8/raw", OSError),
    ]:
        with pytest.raises(error):
            await serve(endpoint, protocol, echo)


async def test_a_decode_error_that_the_handler_catches_ends_nothing(nursery):
    async def patient(channel: MessageChannel):
        while True:
            try:
                async for message in channel:
                    await channel.send(message)
                return
            except DecodeError:
                await channel.send("what?")

    server = await nursery.start(serve, "memory://patient", "u16be/msgpack", patient)
    async with connect(server.endpoint, "u16be/msgpack") as channel:
        await channel.stream.send_all(b"\0\1\xc1\0\1\7")
        assert [await channel.receive(), await channel.receive()] == ["what?", 7]
