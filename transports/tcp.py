"""The scheme `tcp`: `tcp://host:port`."""

from collections.abc import Sequence
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
        return await trio.open_tcp_stream(endpoint.host, port)

    async def open_listeners(self, endpoint: Endpoint) -> Sequence[trio.SocketListener]:
        """Listen; without a host on every interface, with port 0 on a free port."""
        return await trio.open_tcp_listeners(_port(endpoint), host=endpoint.host or None)

    def endpoint_of(self, listener: trio.abc.Listener[Any]) -> str:
        """Return `tcp://address:port`."""
        assert isinstance(listener, trio.SocketListener)
        host, port = listener.socket.getsockname()[:2]
        return f"tcp://[{host}]:{port}" if ":" in host else f"tcp://{host}:{port}"


def _port(endpoint: Endpoint) -> int:
    if endpoint.port is None or endpoint.path:
        raise endpoint.refused("a TCP endpoint is a host and a port", allowed="tcp://host:port")
    return endpoint.port
