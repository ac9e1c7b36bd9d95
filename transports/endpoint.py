"""Endpoints: URL → stream or listeners. Each scheme is a plug-in, one file here or anybody's.

    tcp://127.0.0.1:9000    tcp://[::1]:9000    tcp://:0 (every interface, any free port)    memory://name

A scheme is a class under the entry-point group `framing.schemes.v1`, whose name is the scheme's and which is called
without arguments:

    [project.entry-points."framing.schemes.v1"]
    serial = "acme_serial:SerialScheme"
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import trio

from framing import DefinitionError
from framing.registry import load

__all__ = ["Endpoint", "Scheme", "open_listeners", "open_stream", "parse_endpoint"]


class Endpoint(NamedTuple):
    """A URL in parts.

    >>> parse_endpoint("tcp://[::1]:9000")
    Endpoint(text='tcp://[::1]:9000', scheme='tcp', host='::1', port=9000, path='')

    Attributes:
        text: as it was given.
        host: empty where there is none; of an IPv6 address without the brackets.
        path: from the first slash behind the host on.
    """

    text: str
    scheme: str
    host: str
    port: int | None
    path: str

    def refused(self, reason: str, **facts: Any) -> DefinitionError:
        """Return the error to raise for an endpoint that a scheme cannot use."""
        return DefinitionError(reason, source=self.text, **facts)


class Scheme(ABC):
    """How to open the endpoints of one scheme."""

    @abstractmethod
    async def open_stream(self, endpoint: Endpoint) -> trio.abc.Stream:
        """Connect.

        Raises:
            OSError: nobody answers there.
            DefinitionError: the endpoint is none of this scheme.
        """

    @abstractmethod
    async def open_listeners(self, endpoint: Endpoint) -> Sequence[trio.abc.Listener[Any]]:
        """Listen; several listeners where a name stands for several addresses.

        Raises:
            OSError: the address is taken, or not ours.
            DefinitionError: the endpoint is none of this scheme.
        """

    @abstractmethod
    def endpoint_of(self, listener: trio.abc.Listener[Any]) -> str:
        """Return the endpoint to connect to in order to reach a listener; the port is the real one."""


def parse_endpoint(text: str) -> Endpoint:
    """Take a URL apart.

    Raises:
        DefinitionError: it is no URL with a scheme and two slashes, or says more than an endpoint has.
    """
    allowed = "scheme://host:port, such as tcp://127.0.0.1:9000 or tcp://[::1]:9000"
    scheme, separator, _ = text.partition("://")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise DefinitionError(f"this is no endpoint: {error}", source=text, allowed=allowed) from error
    if not separator or not scheme:
        raise DefinitionError("this is no endpoint", source=text, allowed=allowed)
    if parts.query or parts.fragment or parts.username is not None:
        raise DefinitionError("an endpoint has no user, options or fragment", source=text, allowed=allowed)
    return Endpoint(text, parts.scheme, host, port, parts.path)


async def open_stream(text: str) -> trio.abc.Stream:
    """Connect to an endpoint.

    Raises:
        OSError: nobody answers there.
        DefinitionError: this is no endpoint, or the plug-in for its scheme makes no `Scheme`.
        RegistryError: nothing provides the scheme, or what does cannot be loaded.
    """
    endpoint = parse_endpoint(text)
    return await _scheme(endpoint).open_stream(endpoint)


async def open_listeners(text: str) -> list[tuple[str, trio.abc.Listener[Any]]]:
    """Listen at an endpoint; return each listener behind the endpoint that reaches it. Raises as `open_stream`."""
    endpoint = parse_endpoint(text)
    scheme = _scheme(endpoint)
    return [(scheme.endpoint_of(listener), listener) for listener in await scheme.open_listeners(endpoint)]


def _scheme(endpoint: Endpoint) -> Scheme:
    scheme = load("scheme", endpoint.scheme)()
    if not isinstance(scheme, Scheme):
        raise endpoint.refused("this scheme plug-in made no transports.endpoint.Scheme", found=type(scheme).__name__)
    return scheme
