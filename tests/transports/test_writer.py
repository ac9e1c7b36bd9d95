"""Sending, cancelled at every checkpoint in turn: whole frames, each sender's order, nothing lost and nothing twice."""

import pytest
import trio
import trio.testing

from framing import (
    Conversation,
    Direction,
    EncodeError,
    FrameTooLargeError,
    Phase,
    Protocol,
    Rule,
    TruncatedFrameError,
    get_protocol,
)
from transports import Limits, MessageChannel
from transports.memory import memory_stream_pair
from transports.testing import FaultyStream, OneByteStream, cancel_at

PROTOCOL = get_protocol("u32be(max_frame_size=67108864)/raw")
SHORT, LONG = (get_protocol(text).client.wire for text in ("u16be/raw", "u32be(max_frame_size=67108864)/raw"))
# The first two frames are of another format, and to encode a message is to count it.
RULED = Protocol(
    "ruled",
    Direction((Phase("first", SHORT, after=(Rule({"client": "rest"}, frames=2),)), Phase("rest", LONG))),
    Direction((Phase("rest", LONG),)),
)
# Two of these messages do not fit a small socket or a memory stream at once, so that a write blocks in the middle of a
# frame; a stream that takes one byte at a time and holds sixteen of them does that sooner.
SIZES = {"memory_by_bytes": 3, "unreported_memory_by_bytes": 3}


async def collect(stream, chunks):
    """Read to the end, whatever the end is."""
    try:
        while chunk := await stream.receive_some(65536):
            chunks.append(bytes(chunk))
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        pass


def messages_of(chunks, protocol=PROTOCOL):
    """Return the whole messages in what was read, and whether the end came inside a frame."""
    reader = Conversation(protocol).client
    reader.feed(b"".join(chunks))
    reader.finish()
    messages, torn = [], False
    try:
        while batch := reader.take_messages():
            messages += batch
    except TruncatedFrameError:
        torn = True
    return messages, torn


class Sender:
    """Sends numbered messages and keeps a record of which calls returned."""

    def __init__(self, channel, name, size):
        self.channel = channel
        self.name = name
        self.size = size
        self.tried = []
        self.returned = []

    async def send(self, many=1):
        batch = [f"{self.name}{len(self.tried) + index}".encode() * self.size for index in range(many)]
        self.tried += batch
        if many == 1:
            await self.channel.send(batch[0])
        else:
            await self.channel.send_many(batch)
        self.returned += batch

    async def send_several(self):
        for _ in range(3):
            await self.send()

    def check(self, received, *, broken):
        mine = [message for message in received if message.startswith(self.name.encode())]
        # In order, none twice, none that was not sent.
        assert mine == [message for message in self.tried if message in mine]
        # What a call returned for has arrived, unless the link was broken after it.
        if not broken:
            assert [message for message in self.returned if message not in mine] == []


async def run_cancelled(make, number, victim, *others, protocol=PROTOCOL):
    """Send from several tasks, one of which is cancelled; return what `cancel_at` saw and what has arrived."""
    near, far = await make()
    chunks = []
    size = SIZES.get(make.name, 30_000)
    channel = MessageChannel(near, protocol)
    senders = [Sender(channel, name, size) for name in "abcd"]
    broken = False
    outcome = []

    async def run_victim():
        outcome.append(await cancel_at(number, victim, senders[0]))

    async def run_other(other, sender):
        nonlocal broken
        try:
            await other(sender)
        except trio.BrokenResourceError:
            broken = True

    async with trio.open_nursery() as nursery:
        nursery.start_soon(collect, far, chunks)
        async with trio.open_nursery() as sending:
            sending.start_soon(run_victim)
            for sender, other in zip(senders[1:], others, strict=False):
                sending.start_soon(run_other, other, sender)
        try:
            await senders[3].send()
        except trio.BrokenResourceError:
            broken = True
        if not broken:
            await channel.send_eof()
        # Broken, the peer has found the end already; it must not need us to close.
    await channel.aclose()
    await far.aclose()
    received, torn = messages_of(chunks, protocol)
    assert torn <= broken, "half a frame on a link that was not given up"
    for sender in senders:
        sender.check(received, broken=broken)
    return outcome[0], received, broken, senders


async def one_message(sender):
    await sender.send()


async def several_messages(sender):
    await sender.send_several()


async def a_batch(sender):
    await sender.send(many=5)


# No call here passes so many: more would mean that it goes on after it was cancelled.
CHECKPOINTS = range(1, 1000)


@pytest.mark.parametrize("protocol", [PROTOCOL, RULED], ids=lambda protocol: protocol.name.partition("(")[0])
@pytest.mark.parametrize("victim", [one_message, several_messages, a_batch])
async def test_one_sender_is_cancelled_at_every_checkpoint(make_streams, victim, protocol):
    for number in CHECKPOINTS:
        outcome, received, broken, senders = await run_cancelled(make_streams, number, victim, protocol=protocol)
        if not outcome.reached:
            break
        # A reporting stream is never given up: the last sender's message arrives.
        assert not (broken and make_streams.reporting)
        assert broken or senders[3].returned == senders[3].tried
        # One that was not cancelled after all has sent everything.
        assert outcome.cancelled or senders[0].returned == senders[0].tried
    assert number > 1
    assert senders[0].returned == senders[0].tried
    assert received == senders[0].tried + senders[3].tried


@pytest.mark.parametrize("protocol", [PROTOCOL, RULED], ids=lambda protocol: protocol.name.partition("(")[0])
@pytest.mark.parametrize("victim", [several_messages, a_batch])
async def test_one_of_several_senders_is_cancelled_at_every_checkpoint(make_streams, victim, protocol):
    others = (several_messages, a_batch)
    for number in CHECKPOINTS:
        outcome, _, broken, senders = await run_cancelled(make_streams, number, victim, *others, protocol=protocol)
        if not outcome.reached:
            break
        assert not (broken and make_streams.reporting)
        if not broken:
            assert all(sender.returned == sender.tried for sender in senders[1:])
    assert number > 1


async def blocked(channel, message=b"x" * 200_000):
    """Begin to send a message that does not fit, and be cancelled in the middle of its frame."""
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(channel.send, message)
            await trio.testing.wait_all_tasks_blocked()
            scope.cancel()
    assert scope.cancelled_caught


def too_much_for(make):
    """Return a message that does not fit."""
    sizes = {"tcp": 10_000_000, "stapled_tcp": 10_000_000, "memory_by_bytes": 100}
    return b"x" * sizes.get(make.name, 100_000)


async def test_a_begun_frame_is_completed_by_the_next_sender(make_reporting, nursery):
    near, far = await make_reporting()
    channel, peer = MessageChannel(near, PROTOCOL), MessageChannel(far, PROTOCOL, "server")
    message = too_much_for(make_reporting)
    await blocked(channel, message)
    nursery.start_soon(channel.send, b"next")

    assert await peer.receive() == message
    assert await peer.receive() == b"next"


async def test_a_begun_frame_is_completed_by_aclose():
    near, far = memory_stream_pair()
    channel, peer = MessageChannel(near, PROTOCOL), MessageChannel(far, PROTOCOL, "server")
    await blocked(channel, b"begun" * 50_000)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(channel.aclose)

        assert [message async for message in peer] == [b"begun" * 50_000]


async def test_a_frame_that_fits_by_now_is_completed_even_by_a_cancelled_aclose():
    near, far = memory_stream_pair()
    channel = MessageChannel(near, PROTOCOL)
    await blocked(channel, b"x" * 65_536)
    read = await far.receive_some(65_536)
    await trio.aclose_forcefully(channel)
    chunks = [read]
    await collect(far, chunks)

    assert messages_of(chunks) == ([b"x" * 65_536], False)


async def test_a_begun_frame_that_nobody_takes_is_cut_off_by_aclose(autojump_clock):
    near, far = memory_stream_pair()
    channel = MessageChannel(near, PROTOCOL, limits=Limits(close_timeout=3))
    await blocked(channel)
    begin = trio.current_time()
    await channel.aclose()

    assert trio.current_time() - begin == 3
    chunks = []
    await collect(far, chunks)
    assert messages_of(chunks) == ([], True)


async def test_a_frame_that_is_not_begun_is_withdrawn():
    near, far = memory_stream_pair()
    channel, peer = MessageChannel(near, PROTOCOL), MessageChannel(far, PROTOCOL, "server")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(channel.send, b"first" * 20_000)
        await trio.testing.wait_all_tasks_blocked()
        await blocked(channel, b"withdrawn")
        nursery.start_soon(channel.send, b"last")

        assert [await peer.receive(), await peer.receive()] == [b"first" * 20_000, b"last"]


async def test_a_message_that_cannot_be_begun_is_not_noted():
    near, far = memory_stream_pair()
    channel = MessageChannel(near, RULED)
    rubbish = near.send_some(b"x" * 1_000_000)
    for _ in range(3):
        await blocked(channel, b"withdrawn")
    assert len(await far.receive_some(rubbish)) == rubbish
    peer = MessageChannel(far, RULED, "server")
    await channel.send_many([b"1", b"2", b"3"])

    assert [await peer.receive() for _ in range(3)] == [b"1", b"2", b"3"]


async def test_a_message_behind_one_that_is_noted_is_withdrawn():
    near, far = memory_stream_pair(capacity=16)
    channel, peer = MessageChannel(near, RULED), MessageChannel(far, RULED, "server")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(channel.send, b"first" * 20)
        await trio.testing.wait_all_tasks_blocked()
        await blocked(channel, b"withdrawn")
        nursery.start_soon(channel.send_many, [b"2", b"3"])

        assert [await peer.receive() for _ in range(3)] == [b"first" * 20, b"2", b"3"]


async def test_a_cancelled_batch_is_cut_behind_the_frame_that_is_begun():
    near, far = memory_stream_pair()
    channel, peer = MessageChannel(near, PROTOCOL), MessageChannel(far, PROTOCOL, "server")
    messages = [bytes([number]) * 1000 for number in range(200)]
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(channel.send_many, messages)
            await trio.testing.wait_all_tasks_blocked()
            scope.cancel()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(channel.aclose)
        received = [message async for message in peer]

    # 65536 bytes of frames of 1004 were taken: 65 whole ones and the beginning of another.
    assert received == messages[:66]


async def test_a_stream_that_reports_nothing_is_closed_when_its_writer_is_cancelled():
    near, far = memory_stream_pair()
    channel = MessageChannel(OneByteStream(near, reports=False), PROTOCOL)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(channel.send, b"x" * 10_000)
        chunks = [await far.receive_some(10)]
        nursery.cancel_scope.cancel()
    await collect(far, chunks)  # comes to an end, though nobody has closed the channel

    assert messages_of(chunks) == ([], True)
    with pytest.raises(trio.BrokenResourceError, match="in the middle of a frame"):
        await channel.send(b"x")
    with pytest.raises(trio.BrokenResourceError, match="in the middle of a frame"):
        await channel.receive()


async def test_who_receives_meanwhile_learns_why_the_stream_was_closed():
    near, far = memory_stream_pair()
    channel = MessageChannel(OneByteStream(near, reports=False), PROTOCOL)
    reasons = []

    async def receive():
        try:
            await channel.receive()
        except trio.BrokenResourceError as error:
            reasons.append(str(error))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(receive)
        await trio.testing.wait_all_tasks_blocked()
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as sending:
                sending.start_soon(channel.send, b"x" * 10_000)
                await far.receive_some(10)
                scope.cancel()

    assert "in the middle of a frame" in reasons[0]


async def test_a_stream_that_reports_nothing_is_kept_when_nothing_was_written():
    near, far = trio.testing.lockstep_stream_pair()
    channel, peer = MessageChannel(near, PROTOCOL), MessageChannel(far, PROTOCOL, "server")
    await blocked(channel, b"withdrawn")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(channel.send, b"sent")

        assert await peer.receive() == b"sent"


async def test_other_tasks_survive_the_cancellation_of_a_sender_that_does_not_write():
    near, far = trio.testing.lockstep_stream_pair()
    channel, peer = MessageChannel(near, PROTOCOL), MessageChannel(far, PROTOCOL, "server")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(channel.send, b"first")
        await trio.testing.wait_all_tasks_blocked()
        await blocked(channel, b"second")

        assert await peer.receive() == b"first"


class CountingStream(trio.abc.Stream):
    """Counts what is written to it."""

    def __init__(self):
        self.writes = []

    async def send_all(self, data):
        await trio.lowlevel.checkpoint()
        self.writes.append(bytes(data))

    async def wait_send_all_might_not_block(self):
        await trio.lowlevel.checkpoint()

    async def receive_some(self, max_bytes=None):
        await trio.sleep_forever()

    async def aclose(self):
        await trio.lowlevel.checkpoint()


class CountingReportingStream(CountingStream):
    def send_some(self, data):
        self.writes.append(bytes(data))
        return len(data)


@pytest.mark.parametrize("stream_class", [CountingStream, CountingReportingStream])
async def test_one_flush_carries_everybodys_frames(stream_class):
    stream = stream_class()
    channel = MessageChannel(stream, PROTOCOL)
    await channel.send(b"a checkpoint was just passed")
    stream.writes.clear()
    async with trio.open_nursery() as nursery:
        for number in range(100):
            nursery.start_soon(channel.send, b"%d" % number)

    assert len(stream.writes) <= 2
    assert sorted(messages_of(stream.writes)[0]) == sorted(b"%d" % number for number in range(100))


async def test_a_batch_is_written_in_few_pieces():
    stream = CountingReportingStream()
    messages = [b"%d" % number for number in range(3000)]
    await MessageChannel(stream, PROTOCOL).send_many(messages)

    assert len(stream.writes) == 1
    assert messages_of(stream.writes) == (messages, False)


async def test_large_messages_of_a_batch_let_others_in_between():
    stream = CountingReportingStream()
    messages = [b"large" * 10_000] * 500
    await MessageChannel(stream, PROTOCOL).send_many(messages)

    # How large they are is known once the first of them are encoded.
    assert max(map(len, stream.writes[1:])) <= 2 * 50_004
    assert messages_of(stream.writes) == (messages, False)


async def test_encoding_a_large_batch_lets_others_run():
    channel, ticks = MessageChannel(CountingReportingStream(), PROTOCOL), 0

    async def tick():
        nonlocal ticks
        while True:
            await trio.lowlevel.checkpoint()
            ticks += 1

    async with trio.open_nursery() as nursery:
        nursery.start_soon(tick)
        await channel.send_many([b""] * 128 * 100)
        nursery.cancel_scope.cancel()

    assert ticks >= 90


async def test_sending_alone_costs_a_checkpoint_now_and_then():
    stream = CountingReportingStream()
    channel = MessageChannel(stream, PROTOCOL, limits=Limits(batch_count=10))
    ticks = 0

    async def tick():
        nonlocal ticks
        while True:
            await trio.lowlevel.checkpoint()
            ticks += 1

    async with trio.open_nursery() as nursery:
        nursery.start_soon(tick)
        for _ in range(1000):
            await channel.send(b"x")
        nursery.cancel_scope.cancel()

    assert 1000 / 10 * 0.8 <= ticks <= 300


async def test_the_queue_is_bounded_and_first_come_is_first_served():
    near, far = memory_stream_pair()
    channel, peer = (
        MessageChannel(near, PROTOCOL, limits=Limits(send_queue_size=1)),
        MessageChannel(far, PROTOCOL, "server"),
    )
    encoded = []
    messages = [b"%d " % number * 50_000 for number in range(5)]
    async with trio.open_nursery() as nursery:
        for message in messages:
            nursery.start_soon(channel.send, message)
            await trio.testing.wait_all_tasks_blocked()
        encoded = list(channel._writer._queue._frames)
        received = [await peer.receive() for _ in messages]

    assert len(encoded) == 1
    assert received == messages


async def test_a_message_that_cannot_be_encoded_sends_nothing_and_hurts_nobody(make_streams, nursery):
    near, far = await make_streams()
    channel, peer = MessageChannel(near, "u8/raw"), MessageChannel(far, "u8/raw", "server")
    with pytest.raises(EncodeError):
        await channel.send("text")
    with pytest.raises(FrameTooLargeError):
        await channel.send(b"x" * 256)
    with pytest.raises(EncodeError):
        await channel.send_many([b"good", "bad"])
    nursery.start_soon(channel.send_many, [b"a", b"b"])

    assert [await peer.receive(), await peer.receive()] == [b"a", b"b"]


async def test_a_message_that_waited_for_room_can_still_be_refused():
    near, far = memory_stream_pair()
    channel, peer = (
        MessageChannel(near, PROTOCOL, limits=Limits(send_queue_size=1)),
        MessageChannel(far, PROTOCOL, "server"),
    )
    refused = []

    async def send_text():
        try:
            await channel.send("text")
        except EncodeError as error:
            refused.append(error)

    async with trio.open_nursery() as nursery:
        for sending in (channel.send, send_text, channel.send):
            nursery.start_soon(sending, *([b"x" * 100_000] if sending is not send_text else []))
            await trio.testing.wait_all_tasks_blocked()

        assert [await peer.receive(), await peer.receive()] == [b"x" * 100_000] * 2
    assert len(refused) == 1


async def test_in_a_phase_with_rules_a_batch_goes_one_by_one():
    near, far = memory_stream_pair()
    channel, peer = MessageChannel(near, RULED), MessageChannel(far, RULED, "server")
    await channel.send_many([b"1", b"2", b"3", b"4"])

    assert [await peer.receive() for _ in range(4)] == [b"1", b"2", b"3", b"4"]
    with pytest.raises(EncodeError):
        await MessageChannel(CountingStream(), RULED).send_many([b"1", "2"])


async def test_a_peer_that_takes_nothing_breaks_the_link(autojump_clock, make_reporting):
    near, far = await make_reporting()
    channel = MessageChannel(near, PROTOCOL, limits=Limits(write_timeout=7))
    begin = trio.current_time()
    with pytest.raises(trio.BrokenResourceError, match="took no bytes for 7 s"):
        await channel.send(too_much_for(make_reporting))

    assert trio.current_time() - begin == 7
    with pytest.raises(trio.BrokenResourceError, match="took no bytes for 7 s"):
        await channel.send(b"x")
    await far.aclose()


async def test_a_stream_that_never_ends_a_write_breaks_the_link(autojump_clock):
    near, far = trio.testing.memory_stream_pair()
    channel = MessageChannel(FaultyStream(near, stalled=True), PROTOCOL, limits=Limits(write_timeout=7))
    with pytest.raises(trio.BrokenResourceError, match="took no bytes for 7 s"):
        await channel.send(b"x" * 100)

    chunks = []
    await collect(far, chunks)
    assert messages_of(chunks) == ([], True)


async def test_a_slow_peer_is_waited_for(autojump_clock):
    near, far = memory_stream_pair()
    channel = MessageChannel(near, PROTOCOL, limits=Limits(write_timeout=7))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(channel.send, b"x" * 200_000)
        for _ in range(41):
            await trio.sleep(5)
            await far.receive_some(5000)


@pytest.mark.parametrize("error", [trio.BrokenResourceError("gone"), OSError("odd"), RuntimeError("a bug")])
async def test_whatever_a_stream_raises_the_link_is_broken_for_all(error):
    near, _ = trio.testing.memory_stream_pair()
    channel = MessageChannel(FaultyStream(near, write_error=error), PROTOCOL)
    causes = []

    async def send():
        try:
            await channel.send(b"x")
        except trio.BrokenResourceError as broken:
            causes.append(broken.__cause__)

    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(send)

    assert causes == [error] * 3


async def test_a_broken_socket_breaks_the_link():
    near, far = memory_stream_pair()
    channel = MessageChannel(near, PROTOCOL)
    await far.aclose()
    for _ in range(2):
        with pytest.raises(trio.BrokenResourceError):
            await channel.send(b"x")


async def test_large_frames_cross(make_streams, nursery):
    size = {**dict.fromkeys(SIZES, 1000), "narrow_tcp": 1 << 19}.get(make_streams.name, 5 << 20)
    near, far = await make_streams()
    channel, peer = MessageChannel(near, PROTOCOL), MessageChannel(far, PROTOCOL, "server")
    messages = [bytes([number]) * size for number in range(2)]
    nursery.start_soon(channel.send_many, messages)

    assert [await peer.receive() for _ in messages] == messages


async def test_many_tasks_send(make_streams):
    near, far = await make_streams()
    chunks = []
    channel = MessageChannel(near, PROTOCOL)
    senders = [Sender(channel, f"<{number}>", 20) for number in range(50)]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(collect, far, chunks)
        async with trio.open_nursery() as sending:
            for sender in senders:
                sending.start_soon(sender.send_several)
        await channel.aclose()
    received, torn = messages_of(chunks)

    assert not torn
    assert len(received) == 150
    for sender in senders:
        sender.check(received, broken=False)
        assert sender.returned == sender.tried


async def test_send_eof_comes_behind_what_was_queued(make_reporting):
    near, far = await make_reporting()
    channel, peer = MessageChannel(near, PROTOCOL), MessageChannel(far, PROTOCOL, "server")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(channel.send, too_much_for(make_reporting))
        await trio.testing.wait_all_tasks_blocked()
        nursery.start_soon(channel.send_eof)
        await trio.testing.wait_all_tasks_blocked()

        with pytest.raises(trio.ClosedResourceError, match="after send_eof"):
            await channel.send(b"late")
        assert [message async for message in peer] == [too_much_for(make_reporting)]
        await channel.send_eof()
    await peer.send(b"answer")
    assert await channel.receive() == b"answer"


async def test_send_eof_on_a_stream_without_it():
    channel = MessageChannel(CountingStream(), PROTOCOL)
    with pytest.raises(TypeError, match="half-closed"):
        await channel.send_eof()


async def test_aclose_ends_the_calls_of_other_tasks():
    near, _far = memory_stream_pair()
    channel = MessageChannel(near, PROTOCOL)
    ended = []

    async def note(function, *args):
        try:
            await function(*args)
        except trio.ClosedResourceError:
            ended.append(function.__name__)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(note, channel.send, b"x" * 100_000)
        await trio.testing.wait_all_tasks_blocked()
        nursery.start_soon(note, channel.send_many, [b"y", b"z"])
        nursery.start_soon(note, channel.receive)
        await trio.testing.wait_all_tasks_blocked()
        await trio.aclose_forcefully(channel)
    for function in (channel.send, channel.send_many):
        await note(function, b"x")
    await note(channel.send_eof)

    assert sorted(ended) == ["receive", "send", "send", "send_eof", "send_many", "send_many"]
