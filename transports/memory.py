"""The scheme `memory`: `memory://name`, streams and listeners inside one trio run, without a socket.

A `MemoryStream` behaves as a TCP connection does, as far as a program can tell: it holds a bounded number of bytes,
takes part of what is written, can be half-closed. So a program is tested on `memory://` with the cancellations and the
back-pressure that it will meet on `tcp://`.
"""

import errno
import os
from collections.abc import Sequence
from typing import Any

import trio

from transports.endpoint import Endpoint, Scheme
from transports.pipe import CAPACITY, Pipe

__all__ = ["BACKLOG", "MemoryListener", "MemoryScheme", "MemoryStream", "memory_stream_pair"]

# Connections that nobody has accepted yet; the usual backlog of a TCP listener.
BACKLOG = 128


class MemoryStream(trio.abc.HalfCloseableStream):
    """One end of an in-memory connection; `memory_stream_pair` makes both.

    Args:
        outgoing: where `send_all` writes.
        incoming: where `receive_some` reads.
    """

    def __init__(self, outgoing: Pipe, incoming: Pipe) -> None:
        self._outgoing = outgoing
        self._incoming = incoming

    def send_some(self, data: bytes | memoryview) -> int:
        """Write what fits without waiting, and return how much it was; see `transports.partial`."""
        return self._outgoing.write(data)

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Write all; as trio's."""
        await self._outgoing.write_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until something fits; as trio's."""
        await self._outgoing.wait_writable()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Read what is there, one byte at least, or `b""` at the end; as trio's."""
        return await self._incoming.read(max_bytes)

    async def send_eof(self) -> None:
        """Half-close; as trio's."""
        await self._outgoing.end()

    async def aclose(self) -> None:
        """Close both directions; as trio's."""
        self._outgoing.close_writer()
        self._incoming.close_reader()
        await trio.lowlevel.checkpoint()


def memory_stream_pair(capacity: int = CAPACITY) -> tuple[MemoryStream, MemoryStream]:
    """Return the two ends of a new connection, which holds so many bytes in each direction."""
    there, back = Pipe(capacity), Pipe(capacity)
    return MemoryStream(there, back), MemoryStream(back, there)


class MemoryListener(trio.abc.Listener[MemoryStream]):
    """Waits for connections to a name, as long as it is open.

    Raises:
        OSError: somebody else in this trio run listens to that name.
    """

    def __init__(self, name: str) -> None:
        listeners = _listeners()
        if name in listeners:
            raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE), f"memory://{name}")
        self.name = name
        self._arriving, self._arrived = trio.open_memory_channel[MemoryStream](BACKLOG)
        listeners[name] = self

    async def accept(self) -> MemoryStream:
        """Return the next connection."""
        return await self._arrived.receive()

    async def connect(self) -> MemoryStream:
        """Return the near end of a new connection, whose far end `accept` will return."""
        near, far = memory_stream_pair()
        await self._arriving.send(far)
        return near

    async def aclose(self) -> None:
        """Give up the name. Connections that nobody has accepted are closed."""
        if _listeners().get(self.name) is self:
            del _listeners()[self.name]
            while self._arrived.statistics().current_buffer_used:
                await trio.aclose_forcefully(self._arrived.receive_nowait())
            self._arrived.close()
        await trio.lowlevel.checkpoint()


class MemoryScheme(Scheme):
    """Names that are known in this trio run alone."""

    async def open_stream(self, endpoint: Endpoint) -> MemoryStream:
        """Connect; it is refused where nobody listens, as TCP would refuse it."""
        listener = _listeners().get(_name(endpoint))
        try:
            if listener is not None:
                return await listener.connect()
        except trio.BrokenResourceError:
            pass  # closed while we waited to be accepted
        raise ConnectionRefusedError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED), endpoint.text)

    async def open_listeners(self, endpoint: Endpoint) -> Sequence[MemoryListener]:
        """Listen to a name."""
        await trio.lowlevel.checkpoint()
        return [MemoryListener(_name(endpoint))]

    def endpoint_of(self, listener: trio.abc.Listener[Any]) -> str:
        """Return `memory://name`."""
        assert isinstance(listener, MemoryListener)
        return f"memory://{listener.name}"


# Of each trio run its own: two runs in two threads share no memory streams.
_known: "trio.lowlevel.RunVar[dict[str, MemoryListener]]" = trio.lowlevel.RunVar("transports.memory")


def _listeners() -> dict[str, MemoryListener]:
    try:
        return _known.get()
    except LookupError:
        _known.set({})
        return _known.get()


def _name(endpoint: Endpoint) -> str:
    if not endpoint.host or endpoint.port is not None or endpoint.path:
        raise endpoint.refused("a memory endpoint is a name", allowed="memory://name")
    return endpoint.host
