"""Pipe: bytes from one task to another, a bounded number of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from operator import index

import trio

__all__ = ["CAPACITY", "Pipe"]

# About what a socket holds for a slow reader by default; small enough for a test to fill.
CAPACITY = 65536


class Pipe:
    """One direction of a memory stream; its methods are the halves of a `trio.abc.HalfCloseableStream`.

    Args:
        capacity: bytes it holds for a reader who does not read.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._data = bytearray()
        self._ended = False
        self._writer_closed = False
        self._reader_closed = False
        self._readable = trio.lowlevel.ParkingLot()
        self._writable = trio.lowlevel.ParkingLot()
        self._reading = False
        self._writing = False

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Take what fits."""
        self._check_writer()
        taken = bytes(memoryview(data)[: self._capacity - len(self._data)])
        self._data += taken
        if taken:
            self._readable.unpark_all()
        return len(taken)

    async def write_all(self, data: bytes | bytearray | memoryview) -> None:
        """Take everything, waiting for the reader."""
        with self._alone_writing():
            self._check_writer()
            await trio.lowlevel.checkpoint()
            sent = self.write(data)
            while sent < len(data):
                await self._writable.park()
                sent += self.write(memoryview(data)[sent:])

    async def wait_writable(self) -> None:
        """Wait until something fits."""
        with self._alone_writing():
            self._check_writer()
            await trio.lowlevel.checkpoint()
            while len(self._data) >= self._capacity and not self._reader_closed and not self._writer_closed:
                await self._writable.park()
            self._check_writer()

    async def end(self) -> None:
        """Let the reader know that nothing more comes."""
        with self._alone_writing():
            if self._writer_closed:
                raise trio.ClosedResourceError("this memory stream was closed")
            await trio.lowlevel.checkpoint()
            self._ended = True
            self._readable.unpark_all()

    async def read(self, limit: int | None) -> bytes:
        """Return bytes, or `b""` at the end."""
        if limit is not None and index(limit) < 1:
            raise ValueError("max_bytes must be 1 or more")
        if self._reading:
            raise trio.BusyResourceError("another task is reading from this memory stream")
        self._reading = True
        try:
            self._check_reader()
            await trio.lowlevel.checkpoint()
            while not self._data and not self._ended and not self._reader_closed:
                await self._readable.park()
            self._check_reader()
            chunk = bytes(self._data[:limit])
            del self._data[:limit]
            self._writable.unpark_all()
            return chunk
        finally:
            self._reading = False

    def close_writer(self) -> None:
        """Close the writer's end: the reader finds the end."""
        self._writer_closed = self._ended = True
        self._wake()

    def close_reader(self) -> None:
        """Close the reader's end: the writer finds the pipe broken."""
        self._reader_closed = True
        self._data.clear()
        self._wake()

    def _wake(self) -> None:
        self._readable.unpark_all()
        self._writable.unpark_all()

    def _check_writer(self) -> None:
        if self._writer_closed:
            raise trio.ClosedResourceError("this memory stream was closed")
        if self._ended:
            raise trio.ClosedResourceError("nothing can be sent after send_eof")
        if self._reader_closed:
            raise trio.BrokenResourceError("the other end of this memory stream was closed")

    def _check_reader(self) -> None:
        if self._reader_closed:
            raise trio.ClosedResourceError("this memory stream was closed")

    @contextmanager
    def _alone_writing(self) -> Iterator[None]:
        if self._writing:
            raise trio.BusyResourceError("another task is writing to this memory stream")
        self._writing = True
        try:
            yield
        finally:
            self._writing = False
