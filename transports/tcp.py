"""The scheme `tcp`: `tcp://host:port`."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import trio

from transports.endpoint import Endpoint, Scheme

__all__ = ["TcpScheme"]


class TcpScheme(Scheme):
    """Connections as trio makes them: happy eyeballs, and no delay for small writes."""

    async def open_stream(self, endpoint: Endpoint) -> trio.SocketStream:
        """Connect; the host's addresses are tried side by side, and the first that answers wins."""
        port = _port(endpoint)
        if not endpoint.host or not port:
            raise endpoint.refused("to connect, a host and a port are needed", allowed="tcp://host:port")
        with _naming(endpoint):
            return await trio.open_tcp_stream(endpoint.host, port)

    async def open_listeners(self, endpoint: Endpoint) -> Sequence[trio.SocketListener]:
        """Listen; without a host on every interface, with port 0 on a free port."""
        port = _port(endpoint)
        with _naming(endpoint):
            return await trio.open_tcp_listeners(port, host=endpoint.host or None)

    def endpoint_of(self, listener: trio.abc.Listener[Any]) -> str:
        """Return `tcp://address:port`."""
        assert isinstance(listener, trio.SocketListener)
        host, port = listener.socket.getsockname()[:2]
        return f"tcp://[{host}]:{port}" if ":" in host else f"tcp://{host}:{port}"


@contextmanager
def _naming(endpoint: Endpoint) -> Iterator[None]:
    """Let an error say which endpoint it is about, and why where every address failed for the same reason."""
    try:
        yield
    except OSError as error:
        every = error.__cause__.exceptions if isinstance(error.__cause__, ExceptionGroup) else (error,)
        numbers = {one.errno for one in every if isinstance(one, OSError)}
        number = numbers.pop() if len(numbers) == 1 else None
        if error.errno is None and number is not None:
            raise OSError(number, os.strerror(number), endpoint.text) from error
        if error.filename is None and error.errno is not None:
            error.filename = endpoint.text
        raise


def _port(endpoint: Endpoint) -> int:
    if endpoint.port is None or endpoint.path:
        raise endpoint.refused("a TCP endpoint is a host and a port", allowed="tcp://host:port")
    return endpoint.port
