"""MessageChannel: messages over any stream that trio gives.

    receive   stream → reader of the other side → _ready → caller      on demand, in the caller's task
    send      caller → FrameWriter → stream                           in the task of whoever writes just now

Nothing runs in the background. What has been read and not yet been asked for stays in the channel, so that a cancelled
call loses nothing: every checkpoint comes before a message is taken off `_ready`, none after.
"""

from collections import deque
from collections.abc import Iterable
from os import PathLike
from time import perf_counter
from typing import Any

import trio

from framing import Conversation, DecodeError, FrameError, Protocol, Side, other_side
from transports.limits import Limits
from transports.turn import SPAN, Turn
from transports.writer import FrameWriter

__all__ = ["MessageChannel"]

# Messages decoded at once, to begin with. A codec is measured from then on: how long one message takes is its secret.
_FIRST_BATCH = 16


class MessageChannel(trio.abc.Channel[Any]):
    """Send and receive the messages of a protocol over a stream.

    Use it with `async with`, as every channel. One task may receive at a time, any number of tasks may send. A message
    that is buffered costs no scheduler tick: these methods are real checkpoints at least every `Limits.batch_count`
    messages or every millisecond, whichever comes first, and whenever they have to wait.

    Args:
        stream: any `trio.abc.Stream`; the channel closes it.
        protocol: a `Protocol`, or what `framing.get_protocol` makes one of.
        side: which side of the protocol we are.
        limits: what the channel may use of memory and time.

    Attributes:
        stream: the stream.
        protocol: the protocol, with the limits' frame size.
        side: which side we are.

    Raises:
        FramingError: there is no such protocol.
    """

    def __init__(
        self,
        stream: trio.abc.Stream,
        protocol: Protocol | str | PathLike[str],
        side: Side = "client",
        *,
        limits: Limits = Limits(),  # noqa: B008 - immutable
    ) -> None:
        self.stream = stream
        self.protocol = limits.applied_to(protocol)
        self.side: Side = side
        self._limits = limits
        self._turn = Turn(limits.batch_count)
        conversation = Conversation(self.protocol)
        self._reader = conversation.reader(other_side(side))
        self._writer = FrameWriter(stream, conversation, side, limits=limits, turn=self._turn)
        self._ready: deque[Any] = deque()
        self._room = min(_FIRST_BATCH, limits.batch_count)
        self._receiving = False
        self._closed = False

    async def receive(self) -> Any:
        """Return the next message. Cancelled, it loses nothing.

        Raises:
            trio.EndOfChannel: the peer has ended the stream, at the end of a frame.
            DecodeError: this message is bad. The channel is fine, the next call goes on behind it.
            FrameError: the stream is bad. From now on the channel is broken; but where the protocol has a recovery
                policy and it could do something, the error has a `region_size`, and the next call goes on behind it.
            trio.BrokenResourceError: the connection is broken; or a `FrameError`, which is the cause, came before.
            trio.ClosedResourceError: the channel was closed.
            trio.BusyResourceError: another task is receiving.
        """
        if not self._ready or perf_counter() >= self._turn.due:
            await self._fill()
        return self._ready.popleft()

    async def receive_many(self, limit: int | None = None) -> list[Any]:
        """Return the messages that are there, one at least; wait only for the first. Otherwise as `receive`.

        Args:
            limit: at most so many, and never more than `Limits.batch_count`.
        """
        if limit is not None and limit < 1:
            raise ValueError(f"the limit must be 1 or more, not {limit}")
        if not self._ready or perf_counter() >= self._turn.due:
            await self._fill()
        ready = self._ready
        if limit is None or limit >= len(ready):
            batch = list(ready)
            ready.clear()
            return batch
        return [ready.popleft() for _ in range(limit)]

    async def __anext__(self) -> Any:
        # As `receive`, but written out: one call less is a quarter of the time.
        if not self._ready or perf_counter() >= self._turn.due:
            try:
                await self._fill()
            except trio.EndOfChannel:
                raise StopAsyncIteration from None
        return self._ready.popleft()

    async def send(self, message: Any) -> None:
        """Send one message; return when the stream has accepted its last byte.

        Cancelled, the message was not sent, unless its frame was begun already: then the frame is completed by whoever
        sends next, or by `aclose`. Only a stream that cannot report partial writes (TLS; not a socket), and only if
        this very task was writing to it, must be given up instead.

        Raises:
            EncodeError, FrameTooLargeError: the message cannot be encoded. Nothing was sent, and the channel is fine.
            trio.BrokenResourceError: the channel is broken, or the peer took nothing for `Limits.write_timeout`.
            trio.ClosedResourceError: the channel was closed, or `send_eof` called.
        """
        pending = self._writer.begin(message)  # most often all of it, without another coroutine
        if pending is not None:
            await self._writer.deliver(pending)

    async def send_many(self, messages: Iterable[Any]) -> None:
        """Send several messages, in this order, with as few writes as possible.

        All are encoded before the first is sent, so hand over no more than may be held twice; only in a protocol's
        phases with rules, such as a handshake, each is encoded when its turn comes. Another task's message may come
        between them. Cancelled, the first ones were sent, as with `send`, and the rest were not.

        Raises:
            EncodeError, FrameTooLargeError: one cannot be encoded. None was sent; in a phase with rules, those before
                it were.
            trio.BrokenResourceError, trio.ClosedResourceError: as `send`.
        """
        await self._writer.send_many(messages)

    async def send_eof(self) -> None:
        """Send nothing more, and let the peer know, once all that was queued is accepted; receiving goes on.

        Cancelled, it can be called again; sending is over all the same.

        Raises:
            TypeError: the stream cannot be half-closed (TLS).
            trio.BrokenResourceError, trio.ClosedResourceError: as `send`.
        """
        await self._writer.send_eof()

    async def aclose(self) -> None:
        """Close the stream.

        A frame that a cancelled `send` has begun is completed first, for at most `Limits.close_timeout`; then, or if
        this call is itself cancelled, the stream is closed as it is. Messages that other tasks are sending are not
        sent, those received and not asked for are dropped.
        """
        if self._closed:
            await trio.lowlevel.checkpoint()
            return
        self._closed = True
        self._ready.clear()
        with trio.move_on_after(self._limits.close_timeout):
            try:
                await self._writer.close()
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                pass  # then there is nobody left to complete a frame for
            finally:
                await self.stream.aclose()

    async def _fill(self) -> None:
        """Return with a message or more in `_ready`, and time left to take one."""
        if self._receiving:
            raise trio.BusyResourceError("another task is receiving from this channel")
        self._receiving = True
        try:
            if self._turn.over:
                await self._turn.checkpoint()
            while not self._ready:
                self._pull()
                if self._ready:
                    return
                if self._reader.finished:
                    raise trio.EndOfChannel
                await self._read()
        finally:
            self._receiving = False

    def _pull(self) -> None:
        """Move what is whole from the reader to `_ready`."""
        if not self._ready:
            self._writer.check()
        began = perf_counter()
        try:
            batch = self._reader.take_messages(max(1, min(self._room, self._turn.left)))
        except DecodeError:
            self._turn.left -= 1
            raise
        except FrameError as error:
            if error.region_size is None:  # else the stream goes on behind the bad region
                self._writer.break_off(error)
            raise
        self._ready.extend(batch)
        self._turn.left -= len(batch)
        # A batch must not hold up everybody else for longer than a turn lasts.
        if perf_counter() - began > SPAN / 2:
            self._room = max(1, len(batch) // 2)
        elif len(batch) == self._room:
            self._room = min(2 * self._room, self._limits.batch_count)

    async def _read(self) -> None:
        try:
            chunk = await self.stream.receive_some(self._limits.receive_size)
        except trio.ClosedResourceError:
            self._writer.check()  # it was closed because a frame was torn: that is the reason to give
            raise
        self._turn.renew()
        if chunk:
            self._reader.feed(chunk)
        else:
            self._reader.finish()
