"""connect: one connection to a server, for the length of an `async with` block."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from os import PathLike

from framing import Protocol
from transports.channel import MessageChannel
from transports.endpoint import open_stream
from transports.limits import Limits

__all__ = ["connect"]


@asynccontextmanager
async def connect(
    endpoint: str,
    protocol: Protocol | str | PathLike[str],
    *,
    limits: Limits = Limits(),  # noqa: B008 - immutable
) -> AsyncIterator[MessageChannel]:
    """Connect, and close the channel at the end of the block.

    Args:
        endpoint: such as `tcp://127.0.0.1:9000`; see `transports.endpoint`.
        protocol: a `Protocol`, or what `framing.get_protocol` makes one of.
        limits: of the channel.

    Raises:
        OSError: nobody answers there.
        FramingError: there is no such protocol, scheme or endpoint.
    """
    spoken = limits.applied_to(protocol)
    stream = await open_stream(endpoint)
    async with MessageChannel(stream, spoken, "client", limits=limits) as channel:
        yield channel
