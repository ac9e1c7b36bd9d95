"""What crosses a stream, and when, kept to be written as a capture file: a capture without root, of one's own ends.

channel ── RecordedStream ── socket
                │
            Recording ──> write(file)      pcap: a handshake, segments, an end, for each connection
"""

import time
from typing import IO, NamedTuple

import trio

from framing import Side
from framing.capture import ConnectionWriter, PcapWriter

__all__ = ["RecordedStream", "Recording"]

_Endpoint = tuple[str, int]


class _Crossing(NamedTuple):
    """Something that happened: bytes that crossed, none for the end of what a side sends, `None` for the beginning."""

    time_ns: int
    stream: "RecordedStream"
    side: Side
    data: bytes | None


class Recording:
    """The connections of one capture file, kept in memory until `write`."""

    def __init__(self) -> None:
        # The wall clock may be set while we look at it; what happened first must stay first.
        self._epoch_ns = time.time_ns() - time.monotonic_ns()
        self._crossings: list[_Crossing] = []

    def tap(self, stream: trio.SocketStream) -> "RecordedStream":
        """Return the client's end of a connection, just made, as a stream that keeps what crosses it."""
        local, peer = stream.socket.getsockname(), stream.socket.getpeername()
        tapped = RecordedStream(stream, self, local[:2], peer[:2])
        self.note(tapped, "client", None, self.now_ns())
        return tapped

    def now_ns(self) -> int:
        """Return the time, in nanoseconds since 1970 UTC."""
        return self._epoch_ns + time.monotonic_ns()

    def note(self, stream: "RecordedStream", side: Side, data: bytes | None, time_ns: int) -> None:
        """Keep what a side sent at a time: bytes, none for its end, `None` for the connection's beginning."""
        self._crossings.append(_Crossing(time_ns, stream, side, data))

    def write(self, file: IO[bytes]) -> None:
        """Write everything so far as a pcap file, in the order in which it happened."""
        pcap = PcapWriter(file)
        writers: dict[RecordedStream, ConnectionWriter] = {}
        for time_ns, stream, side, data in sorted(self._crossings, key=lambda crossing: crossing.time_ns):
            if data is None:
                writers[stream] = ConnectionWriter(pcap, stream.local, stream.peer)
                writers[stream].open(time_ns)
            elif data:
                writers[stream].send(side, data, time_ns)
            else:
                writers[stream].close(side, time_ns)


class RecordedStream(trio.abc.HalfCloseableStream):
    """A socket's stream, the client's, with a recording beside it.

    What was in the middle of being sent when a task was cancelled is not recorded: nobody knows how much of it went.

    Attributes:
        local, peer: address and port of the client and of the server.
    """

    def __init__(self, stream: trio.SocketStream, recording: Recording, local: _Endpoint, peer: _Endpoint) -> None:
        self._stream = stream
        self._recording = recording
        self.local = local
        self.peer = peer
        self._ended: set[Side] = set()

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send, and record it once it was accepted."""
        # The answer may be received before we are told: what is sent counts from now.
        began_ns = self._recording.now_ns()
        await self._stream.send_all(data)
        if data:
            self._recording.note(self, "client", bytes(data), began_ns)

    async def wait_send_all_might_not_block(self) -> None:
        """Wait as the socket's stream does."""
        await self._stream.wait_send_all_might_not_block()

    async def send_eof(self) -> None:
        """End what we send, and record that."""
        await self._stream.send_eof()
        self._end("client")

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """Receive, and record it; an empty answer is the server's end."""
        data = await self._stream.receive_some(max_bytes)
        if data:
            self._recording.note(self, "server", bytes(data), self._recording.now_ns())
        else:
            self._end("server")
        return data

    async def aclose(self) -> None:
        """Close the socket, and record the end of both sides."""
        self._end("client")
        self._end("server")
        await self._stream.aclose()

    def _end(self, side: Side) -> None:
        if side not in self._ended:
            self._ended.add(side)
            self._recording.note(self, side, b"", self._recording.now_ns())
