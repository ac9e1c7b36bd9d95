"""Receiving, cancelled at every checkpoint in turn; errors; batches; closing."""

import time

import pytest
import trio
import trio.testing

from framing import (
    DecodeError,
    DefinitionError,
    FrameError,
    FrameTooLargeError,
    HeaderError,
    Join,
    Message,
    Protocol,
    TruncatedFrameError,
    WireFormat,
    get_codec,
    get_format,
    get_protocol,
)
from transports import Limits, MessageChannel
from transports.memory import memory_stream_pair
from transports.testing import FaultyStream, cancel_at, channel_pair

WIRE = get_protocol("u32be/raw").client.wire

# As in ONC RPC, but a frame has no more than five bytes of payload.
JOINING = Protocol.both_ways(
    "joining",
    WireFormat(
        get_format("header", header="(last:1 length:31):u32be"),
        get_codec("raw"),
        join=Join(more={"last": 0}, last={"last": 1}, payload_size=5),
    ),
)


def server_of(stream, protocol="u32be/raw", **limits):
    return MessageChannel(stream, protocol, "server", limits=Limits(**limits))


async def receive_all(channel):
    received = []
    while True:
        try:
            received.append(await channel.receive())
        except trio.EndOfChannel:
            return received


async def by_receive(channel, received):
    received += [await channel.receive() for _ in range(5)]


async def by_receive_one(channel, received):
    for _ in range(5):
        received.append(await channel.receive())


async def by_receive_many(channel, received):
    while len(received) < 5:
        received += await channel.receive_many(2)


async def by_iteration(channel, received):
    async for message in channel:
        received.append(message)
        if len(received) >= 5:
            return


@pytest.mark.parametrize("receive", [by_receive_one, by_receive_many, by_iteration])
@pytest.mark.parametrize("batch_count", [1, 3, 128])
async def test_receiving_is_cancelled_at_every_checkpoint(make_streams, receive, batch_count):
    await check_every_cancellation(make_streams, receive, "u32be/raw", batch_count)


async def test_messages_of_several_frames_survive_cancellation_at_every_checkpoint(make_streams):
    await check_every_cancellation(make_streams, by_receive_one, JOINING, 3)


async def test_messages_of_several_frames_cross_whole_from_many_tasks():
    sent = [bytes([number]) * (number % 7) * 3 for number in range(60)]
    async with channel_pair(JOINING) as (client, server):
        received = []
        async with trio.open_nursery() as nursery:
            for message in sent:
                nursery.start_soon(client.send, message)
            received += [await server.receive() for _ in sent]
    assert sorted(received) == sorted(sent)


async def check_every_cancellation(make_streams, receive, protocol, batch_count):
    messages = [b"%d" % number * number for number in range(12)]
    wire = get_protocol(protocol).client.wire if isinstance(protocol, str) else protocol.client.wire
    for number in range(1, 1000):
        near, far = await make_streams()
        channel, received = server_of(far, protocol, batch_count=batch_count, receive_size=7), []

        async def send(near=near):
            await near.send_all(b"".join(map(wire.encode, messages)))
            await near.send_eof()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(send)
            outcome = await cancel_at(number, receive, channel, received)
            received += await receive_all(channel)
        await channel.aclose()
        assert received == messages
        if not outcome.reached:
            break
    assert number > 1


async def test_messages_cross_in_both_directions():
    async with channel_pair("u32be/msgpack") as (client, server):
        await client.send({"id": 1})
        await server.send([await server.receive()])

        assert await client.receive() == [{"id": 1}]


async def test_a_protocol_whose_directions_differ():
    asks, answers = get_protocol("u8/raw").client, get_protocol("header(header='type:u8 length:u16be')/msgpack").server
    async with channel_pair(Protocol("differs", asks, answers)) as (client, server):
        await client.send(b"how much?")
        await server.send(Message([1, 2], type=3))

        assert await server.receive() == b"how much?"
        assert await client.receive() == Message([1, 2], type=3)


async def test_receive_many_returns_what_is_there():
    near, far = memory_stream_pair()
    channel = server_of(far)
    await near.send_all(b"".join(WIRE.encode(b"%d" % number) for number in range(10)))

    assert await channel.receive_many(3) == [b"0", b"1", b"2"]
    assert await channel.receive() == b"3"
    assert await channel.receive_many() == [b"%d" % number for number in range(4, 10)]
    with pytest.raises(ValueError, match="1 or more"):
        await channel.receive_many(0)


async def test_a_batch_is_never_larger_than_the_limit():
    near, far = memory_stream_pair()
    channel = server_of(far, batch_count=5)
    await near.send_all(WIRE.encode(b"x") * 12)
    await near.aclose()

    assert [len(await channel.receive_many(100)) for _ in range(3)] == [5, 5, 2]
    with pytest.raises(trio.EndOfChannel):
        await channel.receive_many()


async def ticks_while(function):
    ticks = 0

    async def tick():
        nonlocal ticks
        while True:
            await trio.lowlevel.checkpoint()
            ticks += 1

    async with trio.open_nursery() as nursery:
        nursery.start_soon(tick)
        await function()
        nursery.cancel_scope.cancel()
    return ticks


@pytest.mark.parametrize("receive", ["receive", "receive_many", "iterate"])
async def test_a_checkpoint_comes_after_so_many_messages(receive):
    near, far = memory_stream_pair()
    channel = server_of(far, batch_count=10)
    await near.send_all(WIRE.encode(b"x") * 1000)
    await near.send_eof()
    seen = []  # ticks are counted by the messages received since

    async def run():
        if receive == "receive":
            seen.extend(await receive_all(channel))
        elif receive == "iterate":
            seen.extend([message async for message in channel])
        else:
            while len(seen) < 1000:
                seen.extend(await channel.receive_many())

    ticks = await ticks_while(run)

    assert len(seen) == 1000
    assert 90 <= ticks <= 300


async def test_a_buffered_message_costs_no_tick():
    near, far = memory_stream_pair()
    channel = server_of(far)
    await near.send_all(WIRE.encode(b"x") * 128)

    async def run():
        for _ in range(100):
            await channel.receive()

    assert await ticks_while(run) < 20


async def receive_one_of_many(channel):
    return (await channel.receive_many(1))[0]


@pytest.mark.parametrize("receive", [MessageChannel.receive, MessageChannel.__anext__, receive_one_of_many])
async def test_slow_work_on_buffered_messages_lets_others_run(receive):
    near, far = memory_stream_pair()
    channel = server_of(far)
    await near.send_all(WIRE.encode(b"x") * 50)

    async def run():
        for _ in range(50):
            await receive(channel)
            end = time.perf_counter() + 0.002
            while time.perf_counter() < end:
                pass

    # Each message takes more than a millisecond.
    assert await ticks_while(run) >= 49


async def test_a_slow_codec_decodes_little_at_once():
    class Slow:
        def __init__(self, inner):
            self._inner = inner

        def take_messages(self, limit):
            limits.append(limit)
            end = time.perf_counter() + 0.001 * limit
            while time.perf_counter() < end:
                pass
            return self._inner.take_messages(limit)

        def __getattr__(self, name):
            return getattr(self._inner, name)

    limits = []
    near, far = memory_stream_pair()
    channel = server_of(far)
    channel._reader = Slow(channel._reader)
    await near.send_all(WIRE.encode(b"x") * 40)
    await near.send_eof()

    assert len([message async for message in channel]) == 40
    assert limits[-1] == 1


async def test_the_end_stays_the_end():
    near, far = memory_stream_pair()
    channel = server_of(far)
    await near.send_all(WIRE.encode(b"last"))
    await near.send_eof()

    assert await channel.receive() == b"last"
    for _ in range(2):
        with pytest.raises(trio.EndOfChannel):
            await channel.receive()
    assert [message async for message in channel] == []
    await channel.send(b"still open this way")


async def test_the_end_inside_a_frame():
    near, far = memory_stream_pair()
    channel = server_of(far)
    await near.send_all(WIRE.encode(b"whole") + b"\0\0\0\5par")
    await near.send_eof()

    assert await channel.receive() == b"whole"
    with pytest.raises(TruncatedFrameError) as caught:
        await channel.receive()
    assert (caught.value.offset, caught.value.pending_size) == (9, 7)


async def test_a_frame_error_breaks_the_channel():
    near, far = memory_stream_pair()
    channel = server_of(far, "u32be(max_frame_size=100)/raw")
    await near.send_all(WIRE.encode(b"good") + b"\xff\xff\xff\xff")

    assert await channel.receive() == b"good"
    with pytest.raises(FrameTooLargeError) as caught:
        await channel.receive()
    for call in (channel.receive, channel.receive_many, channel.__anext__, channel.send_eof):
        with pytest.raises(trio.BrokenResourceError) as broken:
            await call()
        assert broken.value.__cause__ is caught.value
    for call in (channel.send, channel.send_many):
        with pytest.raises(trio.BrokenResourceError) as broken:
            await call([b"x"])
        assert broken.value.__cause__ is caught.value
    await channel.aclose()
    with pytest.raises(trio.ClosedResourceError):
        await channel.receive()


async def test_a_frame_error_ends_what_others_are_sending():
    near, far = memory_stream_pair()
    channel = server_of(far, "u32be(max_frame_size=1000000)/raw")
    ended = []

    async def send():
        try:
            await channel.send(b"x" * 100_000)
        except trio.BrokenResourceError as broken:
            ended.append(type(broken.__cause__))

    async with trio.open_nursery() as nursery:
        for _ in range(2):
            nursery.start_soon(send)
        await trio.testing.wait_all_tasks_blocked()
        await near.send_all(b"\xff\xff\xff\xff")
        with pytest.raises(FrameTooLargeError):
            await channel.receive()
        await trio.testing.wait_all_tasks_blocked()
        nursery.start_soon(channel.aclose)  # which completes the frame that is begun
        received = b""
        while chunk := await near.receive_some():
            received += chunk

    assert ended == [FrameTooLargeError] * 2
    assert received == WIRE.encode(b"x" * 100_000)


async def test_a_bad_message_leaves_the_channel_usable():
    near, far = memory_stream_pair()
    channel = server_of(far, "u8/msgpack")
    good, bad = b"\x01\x07", b"\x01\xc1"
    await near.send_all(good + bad + good + bad + bad + good)
    await near.send_eof()
    received = []
    for _ in range(3):
        try:
            async for message in channel:
                received.append(message)  # noqa: PERF401 - what came before the error counts
        except DecodeError as error:
            received.append(error.frame_number)
    received += [message async for message in channel]

    assert received == [7, 1, 7, 3, 4, 7]


async def test_nothing_but_bad_messages_lets_others_run():
    near, far = memory_stream_pair()
    channel = server_of(far, "u8/msgpack", batch_count=10)
    await near.send_all(b"\x01\xc1" * 1000)
    await near.send_eof()
    bad = 0

    async def run():
        nonlocal bad
        while True:
            try:
                await channel.receive()
            except DecodeError:
                bad += 1
            except trio.EndOfChannel:
                return

    ticks = await ticks_while(run)

    assert bad == 1000
    assert ticks >= 100


async def test_a_broken_connection():
    near, _far = memory_stream_pair()
    error = trio.BrokenResourceError("reset by peer")
    channel = server_of(FaultyStream(near, read_error=error))
    with pytest.raises(trio.BrokenResourceError, match="reset by peer"):
        await channel.receive()


async def test_messages_that_came_before_a_broken_connection_are_received():
    near, far = memory_stream_pair()
    faulty = FaultyStream(far)
    channel = server_of(faulty)
    await near.send_all(WIRE.encode(b"x") * 2)
    assert await channel.receive() == b"x"
    faulty.read_error = trio.BrokenResourceError("reset by peer")

    assert await channel.receive() == b"x"
    with pytest.raises(trio.BrokenResourceError):
        await channel.receive()


@pytest.mark.parametrize("name", ["receive", "receive_many", "__anext__"])
async def test_two_tasks_that_receive(name):
    async with channel_pair("u32be/raw") as (client, server), trio.open_nursery() as nursery:
        nursery.start_soon(getattr(server, name))
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(trio.BusyResourceError):
            await getattr(server, name)()
        await client.send(b"x")


async def test_a_closed_channel():
    async with channel_pair("u32be/raw") as (client, server):
        await client.send_many([b"1", b"2"])
        assert await server.receive() == b"1"
        await server.aclose()
        await server.aclose()
        for call in (server.receive, server.receive_many, server.__anext__):
            with pytest.raises(trio.ClosedResourceError):
                await call()
        with pytest.raises(trio.EndOfChannel):
            await client.receive()


async def test_aclose_at_every_checkpoint(make_streams):
    for number in range(1, 100):
        near, far = await make_streams()
        channel = MessageChannel(near, "u32be/raw")
        outcome = await cancel_at(number, channel.aclose)
        with pytest.raises(trio.ClosedResourceError):
            await near.send_all(b"x")
        if not outcome.reached:
            break
        await far.aclose()
    assert number > 1


async def test_the_frame_limit_of_the_channel():
    async with channel_pair("u32be/raw", limits=Limits(max_frame_size=100)) as (client, server):
        with pytest.raises(FrameTooLargeError):
            await client.send(b"x" * 97)
        await client.send(b"x" * 96)

        assert await server.receive() == b"x" * 96
        assert server.protocol.client.wire.format.max_frame_size == 100


async def test_what_a_channel_is_made_of():
    near, _far = memory_stream_pair()
    with pytest.raises(DefinitionError):
        MessageChannel(near, "u32be/raw", limits=Limits(max_frame_size=3))
    channel = MessageChannel(near, "lines/raw", "server")

    assert isinstance(channel, trio.abc.Channel)
    assert (channel.stream, channel.protocol.name, channel.side) == (near, "lines/raw", "server")


async def test_an_announced_length_costs_no_memory():
    near, far = memory_stream_pair()
    channel = server_of(far)
    await near.send_all(b"\xff\xff\xff\xff")
    with pytest.raises(FrameError):
        await channel.receive()
    assert channel._reader.pending_size < 100


async def test_a_bad_header_is_a_header_error():
    near, far = memory_stream_pair()
    channel = server_of(far, "header(header='magic:bytes2=ab length:u8')/raw")
    await near.send_all(b"xx\0")
    with pytest.raises(HeaderError):
        await channel.receive()


async def test_with_a_recovery_policy_a_frame_error_is_raised_once_and_the_channel_goes_on():
    """[F100] Both ways, on a real pair of streams; the end of the stream is clean after all."""
    near, far = memory_stream_pair()
    channel = MessageChannel(near, "lines(max_frame_size=8, recovery=delimiter)/raw")
    await far.send_all(b"one\n" + b"x" * 100)
    assert await channel.receive() == b"one"
    await far.send_all(b"x\ntwo\nthree")
    with pytest.raises(FrameTooLargeError) as caught:
        await channel.receive()
    assert (caught.value.region_offset, caught.value.region_size) == (4, 102)
    await channel.send(b"hello")
    assert await far.receive_some(100) == b"hello\n"
    assert await channel.receive() == b"two"
    await far.send_eof()
    with pytest.raises(TruncatedFrameError) as caught:
        await channel.receive()
    assert caught.value.region_size == 5
    with pytest.raises(trio.EndOfChannel):
        await channel.receive()
    await channel.aclose()
    await far.aclose()
