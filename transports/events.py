"""EventReceiver: frames too large to be held, in pieces over any stream that trio gives.

receive   stream → EventParser → caller        on demand, in the caller's task; no more than a piece is held
"""

from typing import TYPE_CHECKING

import trio

from framing import EventParser, Frame, FrameEnd, FramePiece, FrameStart
from transports.limits import Limits
from transports.turn import Turn

__all__ = ["EventReceiver"]

Event = Frame | FrameStart | FramePiece | FrameEnd

if TYPE_CHECKING:
    _Events = trio.abc.ReceiveChannel[Event]
else:
    _Events = trio.abc.ReceiveChannel


class EventReceiver(_Events):
    """Receive frames as they are, and those above the format's limit in pieces, as they come.

    Use it with `async with` and `async for`, as every channel; one task may receive at a time. What a piece is needed
    for is done before the next one is asked for, so that a slow disk slows down the sender and nothing piles up:

        parser = EventParser(get_format("u32be"))
        async with EventReceiver(stream, parser) as events:
            async for event in events:
                if isinstance(event, FramePiece):
                    await file.write(event.data)
                elif isinstance(event, FrameEnd) and event.error is not None:
                    raise event.error

    It only reads. To send, put a `MessageChannel` over the same stream, which reads nothing unless it is asked to.

    Args:
        stream: any `trio.abc.ReceiveStream`; the receiver closes it.
        parser: how frames are cut, and what was read already, such as by a handshake: feed it that.
        limits: how much is read at once, and how many events may come between two checkpoints.

    Attributes:
        stream: the stream.
        parser: as given.
    """

    def __init__(
        self,
        stream: trio.abc.ReceiveStream,
        parser: EventParser,
        *,
        limits: Limits = Limits(),  # noqa: B008 - immutable
    ) -> None:
        self.stream = stream
        self.parser = parser
        self._receive_size = limits.receive_size
        self._turn = Turn(limits.batch_count)
        self._receiving = False
        self._ended = False
        self._closed = False

    async def receive(self) -> Event:
        """Return the next event. Cancelled, it loses nothing.

        Raises:
            trio.EndOfChannel: the peer has ended the stream, at the end of a frame.
            FrameError: the stream is bad, now and at every later call. A wrong checksum or trailer of a frame in pieces
                is told by its `FrameEnd` instead.
            trio.BrokenResourceError: the connection is broken.
            trio.ClosedResourceError: the receiver was closed.
            trio.BusyResourceError: another task is receiving.
        """
        if self._receiving:
            raise trio.BusyResourceError("another task is receiving from this channel")
        self._receiving = True
        try:
            if self._turn.over:
                await self._turn.checkpoint()
            while True:
                if self._closed:
                    raise trio.ClosedResourceError("this channel was closed")
                event = self.parser.next_event()
                if event is not None:
                    self._turn.left -= 1
                    return event  # taken after the last checkpoint: a cancelled call has taken nothing
                if self._ended:
                    raise trio.EndOfChannel
                await self._read()
        finally:
            self._receiving = False

    async def _read(self) -> None:
        chunk = await self.stream.receive_some(self._receive_size)
        self._turn.renew()
        if chunk:
            self.parser.feed(chunk)
        else:
            self._ended = True
            self.parser.finish()

    async def aclose(self) -> None:
        """Close the stream. What was read and not asked for is dropped."""
        self._closed = True
        await self.stream.aclose()
