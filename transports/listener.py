"""ChannelListener: channels from any listener that trio gives."""

from typing import Any

import trio

from framing import Protocol
from transports.channel import MessageChannel
from transports.limits import Limits

__all__ = ["ChannelListener"]


class ChannelListener(trio.abc.Listener[MessageChannel]):
    """Accepts connections as channels, of which we are the server's side.

    Args:
        listener: accepts streams; closed together with this one.
        protocol: what is spoken.
        limits: of each channel.
    """

    def __init__(self, listener: trio.abc.Listener[Any], protocol: Protocol, limits: Limits) -> None:
        self._listener = listener
        self._protocol = protocol
        self._limits = limits

    async def accept(self) -> MessageChannel:
        """Return the next connection's channel. Raises what the listener raises."""
        stream = await self._listener.accept()
        return MessageChannel(stream, self._protocol, "server", limits=self._limits)

    async def aclose(self) -> None:
        """Close the listener; the channels live on."""
        await self._listener.aclose()
