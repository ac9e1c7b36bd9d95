"""FrameWriter: the frames of many tasks on one stream, whole and in order, whatever is cancelled.

1. A task that finds nobody writing writes what is queued, everybody's, until its own frames are accepted; then it wakes
   the next one that waits. Nobody writes in the background.
2. Cancelled, a task takes its frames back, but for the one that is begun. That one stays at the queue's head, for the
   next writing task or for `close`.
3. A task that sends alone, one message after the other, writes past the queue and the scheduler.
4. Only where the stream does not report partial writes, and the very task that writes is cancelled, nobody knows what
   the peer has got: the stream is closed there and then, rather than left open with half a frame.
"""

from collections.abc import Awaitable, Iterable
from time import perf_counter
from typing import Any

import trio

from framing import Conversation, Side, WireFormat
from transports.limits import WRITE_SIZE, Limits
from transports.outlet import Outlet
from transports.pending import Pending
from transports.queue import FrameQueue
from transports.turn import Turn

__all__ = ["FrameWriter"]


class FrameWriter:
    """The sending half of a channel.

    Args:
        stream: where the bytes go.
        conversation: encodes the messages of `side`.
        side: who we are.
        limits: see `Limits`.
        turn: shared with the receiving half.
    """

    __slots__ = (
        "_broken",
        "_closed",
        "_direction",
        "_ended",
        "_last_task",
        "_limits",
        "_outlet",
        "_passable",
        "_queue",
        "_turn",
        "_writing",
    )

    def __init__(
        self, stream: trio.abc.Stream, conversation: Conversation, side: Side, *, limits: Limits, turn: Turn
    ) -> None:
        self._outlet = Outlet(stream, limits, turn)
        self._queue = FrameQueue(conversation, side, limits)
        self._direction = conversation.reader(side)
        self._limits = limits
        self._turn = turn
        self._writing = False
        self._last_task = 0
        self._passable = self._outlet.send_some is not None  # and none of the following, in one look
        self._closed = False
        self._ended = False
        self._broken: BaseException | None = None

    def check(self) -> None:
        """Refuse to go on after the end.

        Raises:
            trio.ClosedResourceError: after `close`.
            trio.BrokenResourceError: after `break_off` or a failure to write; the reason is its cause.
        """
        if self._closed:
            raise trio.ClosedResourceError("this channel was closed")
        if self._broken is not None:
            raise self._refusal() from self._broken

    def _refusal(self) -> Exception:
        # What came first ended the calls that were under way.
        if self._broken is None:
            return trio.ClosedResourceError("this channel was closed")
        return trio.BrokenResourceError(f"this channel is broken: {self._broken}")

    def _check_open(self) -> None:
        self.check()
        if self._ended:
            raise trio.ClosedResourceError("nothing can be sent after send_eof")

    def begin(self, message: Any) -> Pending | None:
        """Send one message at once if that is possible, and return what `deliver` must see to, if anything."""
        if not self._may_pass(1):
            self._check_open()
            return self._queue.add(Pending(message))
        data = self._direction.phase.wire.encode(message)
        accepted = self._take(data)
        return self._queue.add(Pending(data=data, accepted=accepted)) if accepted < len(data) else None

    async def send(self, message: Any) -> None:
        """Send one message; see `MessageChannel.send`."""
        pending = self.begin(message)
        if pending is not None:
            await self.deliver(pending)

    async def send_many(self, messages: Iterable[Any]) -> None:
        """Send several messages; see `MessageChannel.send_many`."""
        self._check_open()
        rest = list(messages)
        sent_count = 0
        while sent_count < len(rest) and self._queue.has_rules:
            await self.send(rest[sent_count])
            sent_count += 1
        wire = self._direction.phase.wire
        for count, data in await self._encoded(wire, rest[sent_count:]):
            self._check_open()
            accepted = self._take(data) if self._may_pass(count) else 0
            if accepted < len(data):
                await self.deliver(self._queue.add(Pending(data=data, format=wire.format, accepted=accepted)))

    async def send_eof(self) -> None:
        """Half-close, behind everything that was queued before; see `MessageChannel.send_eof`."""
        self.check()
        self._ended, self._passable = True, False
        await self._flushed()
        await self._outlet.send_eof()

    async def close(self) -> None:
        """Withdraw what is not begun, whose tasks get `trio.ClosedResourceError`, and complete the frame that is."""
        self._closed, self._passable = True, False
        self._give_up()
        if not self._writing:
            self._write_some(self._queue.head(whole=True))  # often all it takes, and no cancellation comes before it
        await self._flushed()

    def break_off(self, reason: BaseException) -> None:
        """Refuse everything from now on. A frame that is begun is still completed by `close`."""
        self._broken, self._passable = self._broken or reason, False
        self._give_up()

    def _give_up(self) -> None:
        self._queue.give_up(self._outlet.in_flight_size)
        self._outlet.interrupt()

    def _may_pass(self, frame_count: int) -> bool:
        """Whether this task may write past the queue now. The first time it takes its turn with the others."""
        task = id(trio.lowlevel.current_task())
        phase, turn = self._direction.phase, self._turn
        if task != self._last_task or not self._passable or self._writing or self._queue or phase.after or phase.first:
            self._last_task = task
            return False
        turn.left -= frame_count
        return turn.left >= 0 and perf_counter() < turn.due

    async def _encoded(self, wire: WireFormat, messages: list[Any]) -> list[tuple[int, bytes]]:
        """Return the frames in runs that are written at once, and of how many frames each run is."""
        runs: list[tuple[int, bytes]] = []
        pieces: list[bytes] = []
        first = start = size = 0
        count = self._limits.batch_count
        while start < len(messages):
            if start:
                await self._turn.checkpoint()
            pieces.append(wire.encode_many(messages[start : start + count]))
            size += len(pieces[-1])
            start = min(start + count, len(messages))
            if size >= WRITE_SIZE or start == len(messages):
                runs.append((start - first, b"".join(pieces)))
                # Many large frames in one run would keep all other tasks waiting for it.
                count = max(1, min(count, (start - first) * WRITE_SIZE // max(1, size)))
                pieces, first, size = [], start, 0
        return runs

    async def deliver(self, pending: Pending) -> None:
        """Wait until what has joined the queue is accepted, or take it back if that is cancelled."""
        try:
            while not pending.done:
                if self._writing:
                    await pending.wait()
                else:
                    await self._write_until_done(pending)
        except BaseException:
            self._queue.withdraw(pending, self._outlet.in_flight_size)
            raise
        if pending.error is not None:
            raise pending.error
        if pending.failed:
            raise self._refusal() from self._broken

    async def _flushed(self) -> None:
        """Wait until all that is queued now is accepted."""
        if self._queue:
            await self.deliver(self._queue.add(Pending(data=b"")))

    async def _write_until_done(self, pending: Pending) -> None:
        self._writing = True
        try:
            # Whoever wants to send in this very moment is given the chance to have it carried along.
            await self._turn.checkpoint()
            while not pending.done:
                await self._write_next()
        finally:
            self._writing = False
            self._queue.wake_next()

    async def _write_next(self) -> None:
        partial = self._outlet.send_some is not None
        if not partial or self._queue.needs_begin:
            await self._waited(self._outlet.wait())
        elif self._turn.over:
            await self._turn.checkpoint()
        self._queue.refill()
        batch = self._queue.head(whole=partial)
        if batch and not partial:
            await self._waited(self._outlet.send_all(batch))
            self._queue.accepted(len(batch))
        elif not self._write_some(batch) and batch:
            await self._waited(self._outlet.wait())

    async def _waited(self, step: Awaitable[None]) -> None:
        try:
            await step
        except BaseException as error:
            if isinstance(error, Exception):
                self._fail(error)
            elif self._outlet.lost:
                self._fail(trio.BrokenResourceError("a send was cancelled in the middle of a frame"))
            if self._outlet.lost:
                await self._outlet.abandon()
            if isinstance(error, Exception):
                self.check()
            raise

    def _write_some(self, batch: bytes | memoryview) -> int:
        accepted = self._take(batch) if batch else 0
        self._queue.accepted(accepted)
        return accepted

    def _take(self, data: bytes | memoryview) -> int:
        send_some = self._outlet.send_some
        if send_some is None:
            return 0
        try:
            return send_some(data)
        except Exception as error:
            self._fail(error)
            self.check()
            raise

    def _fail(self, reason: BaseException) -> None:
        if not self._closed:
            self._broken, self._passable = self._broken or reason, False
        self._queue.clear()
