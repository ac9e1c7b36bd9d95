"""For anyone's tests: channels connected to each other, streams that misbehave, cancellation at every checkpoint.

Imports neither pytest nor anything else that a program does not have installed.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import trio

from framing import Protocol
from transports.channel import MessageChannel
from transports.endpoint import open_listeners, open_stream
from transports.limits import Limits
from transports.memory import memory_stream_pair
from transports.partial import partial_writer

__all__ = [
    "Cancelling",
    "FaultyStream",
    "OneByteStream",
    "cancel_at",
    "channel_pair",
    "check_scheme",
    "tcp_stream_pair",
]


@asynccontextmanager
async def channel_pair(
    protocol: Protocol | str,
    *,
    limits: Limits = Limits(),  # noqa: B008 - immutable
) -> AsyncIterator[tuple[MessageChannel, MessageChannel]]:
    """Return a client's and a server's channel, connected in memory, and close both at the end of the block."""
    near, far = memory_stream_pair()
    async with (
        MessageChannel(near, protocol, "client", limits=limits) as client,
        MessageChannel(far, protocol, "server", limits=limits) as server,
    ):
        yield client, server


async def tcp_stream_pair() -> tuple[trio.SocketStream, trio.SocketStream]:
    """Return the two ends of a TCP connection on the loopback interface."""
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with listener:
        near = await trio.open_tcp_stream(*listener.socket.getsockname())
        return near, await listener.accept()


class OneByteStream(trio.abc.HalfCloseableStream):
    """Writes to another stream one byte at a time, with a checkpoint after each, and reads one byte at a time.

    Args:
        stream: the other stream.
        reports: whether it says how much it has written when it is cancelled, by a method `send_some`.
    """

    def __init__(self, stream: trio.abc.HalfCloseableStream, *, reports: bool) -> None:
        self._stream = stream
        self._write = partial_writer(stream)
        self._open = False
        if reports:
            if self._write is None:
                raise ValueError(f"a {type(stream).__name__} does not say how much it has written")
            self.send_some = self._send_some

    def _send_some(self, data: bytes | memoryview) -> int:
        assert self._write is not None
        self._open = not self._open
        return self._write(data[:1]) if self._open else 0

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Write the bytes, one after the other."""
        for place in range(len(data)):
            await self._stream.send_all(data[place : place + 1])

    async def wait_send_all_might_not_block(self) -> None:
        """As the other stream does."""
        await self._stream.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:  # noqa: ARG002 - trio's
        """Read one byte."""
        return await self._stream.receive_some(1)

    async def send_eof(self) -> None:
        """As the other stream does."""
        await self._stream.send_eof()

    async def aclose(self) -> None:
        """As the other stream does."""
        await self._stream.aclose()


class FaultyStream(trio.abc.HalfCloseableStream):
    """Passes bytes on to another stream until something happens.

    Args:
        stream: the other stream.
        write_error: raised instead of writing.
        read_error: raised instead of reading.
        stalled: writing never ends, as with a peer that is gone without a word.
    """

    def __init__(
        self,
        stream: trio.abc.HalfCloseableStream,
        *,
        write_error: Exception | None = None,
        read_error: Exception | None = None,
        stalled: bool = False,
    ) -> None:
        self._stream = stream
        self.write_error = write_error
        self.read_error = read_error
        self.stalled = stalled

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Write, if nothing is to happen."""
        await self._disturb(self.write_error)
        if self.stalled:
            await self._stream.send_all(data[:1])
            await trio.sleep_forever()
        await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        """As the other stream does."""
        await self._stream.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """Read, if nothing is to happen."""
        await self._disturb(self.read_error)
        return await self._stream.receive_some(max_bytes)

    async def send_eof(self) -> None:
        """As the other stream does."""
        await self._stream.send_eof()

    async def aclose(self) -> None:
        """As the other stream does."""
        await self._stream.aclose()

    async def _disturb(self, error: Exception | None) -> None:
        if error is not None:
            await trio.lowlevel.checkpoint()
            raise error


class Cancelling(NamedTuple):
    """What `cancel_at` has seen.

    Attributes:
        reached: the checkpoint was reached, so a later one may exist.
        cancelled: the call ended by being cancelled; false if it came to its end all the same.
        value: what it returned.
    """

    reached: bool
    cancelled: bool
    value: Any


class _CancelAt(trio.abc.Instrument):
    def __init__(self, number: int, task: trio.lowlevel.Task, scope: trio.CancelScope) -> None:
        self._left = number
        self._task = task
        self._scope = scope

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        # Now the task sleeps at a checkpoint: this is where it meets the cancellation.
        if task is self._task:
            self._left -= 1
            if not self._left:
                self._scope.cancel()

    @property
    def reached(self) -> bool:
        return self._left <= 0


async def cancel_at(number: int, function: Callable[..., Awaitable[Any]], *args: Any) -> Cancelling:
    """Call an async function and cancel it at its `number`-th checkpoint, counted from 1.

    Increase the number until `reached` is false, and every place is tried in which it can be cancelled.
    """
    value = None
    with trio.CancelScope() as scope:
        instrument = _CancelAt(number, trio.lowlevel.current_task(), scope)
        trio.lowlevel.add_instrument(instrument)
        try:
            value = await function(*args)
        finally:
            trio.lowlevel.remove_instrument(instrument)
    return Cancelling(instrument.reached, scope.cancelled_caught, value)


async def check_scheme(endpoint: str) -> None:
    """Check what a scheme must do, at an endpoint where nobody listens yet.

    Raises:
        AssertionError: something is not as it should be.
    """
    opened = await open_listeners(endpoint)
    assert opened, "open_listeners returned nothing"
    for reached, listener in opened:
        async with listener:
            near = await open_stream(reached)
            far = await listener.accept()
            await _check_streams(near, far)
    for reached, _ in opened:
        await _check_refused(reached)


async def _check_streams(near: trio.abc.Stream, far: trio.abc.Stream) -> None:
    async with near, far:
        for one, other in ((near, far), (far, near)):
            await one.send_all(b"there")
            received = b""
            while len(received) < 5:
                received += await other.receive_some(5)
            assert received == b"there", f"sent b'there', received {received!r}"
        await near.aclose()
        assert await far.receive_some(1) == b"", "after aclose, the peer must find the end"


async def _check_refused(endpoint: str) -> None:
    try:
        stream = await open_stream(endpoint)
    except OSError:
        return
    await stream.aclose()
    raise AssertionError(f"nobody listens at {endpoint} any more, but it could be opened")
