"""Frames in pieces: over every stream, cancelled everywhere, in bounded memory."""

import pytest
import trio
import trio.testing

from framing import (
    ChecksumError,
    EventParser,
    Frame,
    FrameEnd,
    FramePiece,
    FrameStart,
    TruncatedFrameError,
    get_format,
)
from transports import EventReceiver, Limits, MessageChannel
from transports.memory import memory_stream_pair
from transports.testing import cancel_at

FORMAT = get_format("header", header="length:u32be", trailer="crc:u32be=crc32(payload)", max_frame_size=100)
# Small, large, empty, large, small.
PAYLOADS = [b"one", bytes(range(256)) * 40, b"", b"two" * 100, b"three"]
# As who writes such a frame has it: a format whose limit it is under.
WIRE = b"".join(map(FORMAT.limited(1 << 20).serialize, PAYLOADS))
LAST = b"".join(map(FORMAT.limited(1 << 20).serialize, PAYLOADS[2:]))


class Payloads:
    """Puts events together again."""

    def __init__(self):
        self.whole, self._pieces = [], None

    def add(self, event):
        if isinstance(event, Frame):
            self.whole.append(event.payload)
        elif isinstance(event, FrameStart):
            self._pieces = []
        elif isinstance(event, FramePiece):
            assert event.offset == sum(map(len, self._pieces))
            self._pieces.append(event.data)
        else:
            assert event.error is None
            self.whole.append(b"".join(self._pieces))


class Verdicts:
    """Keeps what is said at the ends of frames in pieces."""

    def __init__(self):
        self.errors = []

    def add(self, event):
        self.errors += [event.error] if isinstance(event, FrameEnd) else []


async def receive_all(events, payloads):
    async for event in events:
        payloads.add(event)
    return True


async def send_all(stream, data):
    await stream.send_all(data)
    await stream.aclose()


async def test_frames_cross_every_stream(make_streams):
    near, far = await make_streams()
    payloads = Payloads()
    async with trio.open_nursery() as nursery, EventReceiver(far, EventParser(FORMAT)) as events:
        nursery.start_soon(send_all, near, WIRE)
        await receive_all(events, payloads)
        with pytest.raises(trio.EndOfChannel):
            await events.receive()
    assert payloads.whole == PAYLOADS


async def test_nothing_is_lost_wherever_it_is_cancelled():
    for number in range(1, 1000):
        near, far = memory_stream_pair(capacity=64)
        events, payloads = EventReceiver(far, EventParser(FORMAT), limits=Limits(batch_count=2)), Payloads()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(send_all, near, LAST)
            outcome = await cancel_at(number, receive_all, events, payloads)
            if not outcome.value:
                await receive_all(events, payloads)
        await events.aclose()
        assert payloads.whole == PAYLOADS[2:]
        if not outcome.reached:
            break
    assert number > 5


async def test_a_large_frame_passes_in_the_memory_of_a_piece():
    size, chunk = 64 << 20, bytes(65536)
    near, far = memory_stream_pair()
    parser = EventParser(get_format("u32be", max_frame_size=1000))

    async def send():
        await near.send_all(size.to_bytes(4, "big"))
        for _ in range(size // len(chunk)):
            await near.send_all(chunk)
        await near.aclose()

    received = 0
    async with trio.open_nursery() as nursery, EventReceiver(far, parser, limits=Limits(receive_size=4096)) as events:
        nursery.start_soon(send)
        async for event in events:
            assert parser.pending_size <= 4096
            received += len(event.data) if isinstance(event, FramePiece) else 0
    assert received == size


async def test_messages_are_sent_over_the_same_stream_meanwhile():
    near, far = memory_stream_pair()
    async with EventReceiver(near, EventParser(get_format("u8", max_frame_size=4))) as events:
        channel = MessageChannel(near, "u8/raw")
        await far.send_all(b"\x01a\x05bcdef")
        assert (await events.receive()).payload == b"a"
        await channel.send(b"answer")
        assert await far.receive_some() == b"\x06answer"
        assert [type(await events.receive()) for _ in range(3)] == [FrameStart, FramePiece, FrameEnd]


async def test_what_a_handshake_has_read_is_fed_first():
    near, far = memory_stream_pair()
    parser = EventParser(get_format("u8"))
    parser.feed(b"\x02a")
    async with EventReceiver(near, parser) as events:
        await far.send_all(b"b")
        assert (await events.receive()).payload == b"ab"


async def test_a_wrong_checksum_is_told_at_the_end_and_an_end_inside_a_frame_every_time():
    near, far = memory_stream_pair()
    wrong = bytearray(WIRE[11:])
    wrong[50] ^= 1
    async with trio.open_nursery() as nursery, EventReceiver(far, EventParser(FORMAT)) as events:
        nursery.start_soon(send_all, near, bytes(wrong[:-1]))
        verdicts = Verdicts()
        with pytest.raises(TruncatedFrameError) as caught:
            await receive_all(events, verdicts)
        with pytest.raises(TruncatedFrameError):
            await events.receive()
    assert [type(error) for error in verdicts.errors] == [ChecksumError, type(None)]
    assert caught.value.offset == len(wrong) - 13


async def test_one_task_receives_at_a_time_and_none_once_it_is_closed():
    near, _ = memory_stream_pair()
    events = EventReceiver(near, EventParser(FORMAT))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(events.receive)
        await trio.testing.wait_all_tasks_blocked()
        with pytest.raises(trio.BusyResourceError):
            await events.receive()
        nursery.cancel_scope.cancel()
    await events.aclose()
    with pytest.raises(trio.ClosedResourceError):
        await events.receive()
