"""Writing what a stream takes at once, and knowing how much that was.

`send_all` does not say how far it came when it is cancelled, so the frame that it was writing cannot be completed
later. A socket can say it, and so can a stream with a method `send_some`:

    def send_some(self, data: bytes | memoryview) -> int     how many bytes were taken, without waiting; 0: none now
"""

import errno
import os
import socket
from collections.abc import Callable

import trio

__all__ = ["SendSome", "partial_writer", "write_borrowed"]

SendSome = Callable[[bytes | memoryview], int]

# As in trio: somebody closed the socket below us.
_CLOSED = {errno.EBADF, errno.ENOTSOCK}


def partial_writer(stream: trio.abc.SendStream) -> SendSome | None:
    """Return the function that writes to a stream without waiting, or `None` if it cannot report partial writes.

    The function raises `trio.BrokenResourceError` or `trio.ClosedResourceError`, as `send_all` would.
    """
    if isinstance(stream, trio.StapledStream):
        return partial_writer(stream.send_stream)
    if isinstance(stream, trio.SocketStream):
        return _socket_writer(stream.socket)
    found: SendSome | None = getattr(stream, "send_some", None)
    return found


def _socket_writer(sock: trio.socket.SocketType) -> SendSome:
    write = os.write if os.name == "posix" else write_borrowed
    fileno = sock.fileno

    def send_some(data: bytes | memoryview) -> int:
        try:
            return write(fileno(), data)
        except BlockingIOError:
            return 0
        except OSError as error:
            if error.errno in _CLOSED:
                raise trio.ClosedResourceError("this socket was already closed") from None
            raise trio.BrokenResourceError(f"socket connection broken: {error}") from error

    return send_some


def write_borrowed(file_number: int, data: bytes | memoryview) -> int:
    """Write to a non-blocking socket by its number, where the system's `write` takes files alone (Windows).

    Three times slower than `os.write`, for the sake of an object that must not live on: it would close the socket.
    """
    if file_number < 0:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    borrowed = socket.socket(fileno=file_number)
    try:
        return borrowed.send(data)
    finally:
        borrowed.detach()
