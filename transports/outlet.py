"""Outlet: a stream to write to, with a limit on how long the peer may take nothing."""

import trio

from transports.limits import Limits
from transports.partial import partial_writer
from transports.turn import Turn

__all__ = ["Outlet"]


class Outlet:
    """Writes to a stream, at once or waiting.

    Args:
        stream: where the bytes go.
        limits: `write_timeout` counts.
        turn: renewed by each wait, which is a real checkpoint.

    Attributes:
        send_some: see `transports.partial`; `None` where the stream cannot tell how far it came.
        in_flight_size: bytes being handed over by `send_all` at this moment; how many were taken is not known.
        lost: `send_all` did not come to its end, or the peer takes nothing: the link is of no more use.
    """

    __slots__ = ("_limits", "_stream", "_turn", "_wait", "in_flight_size", "lost", "send_some")

    def __init__(self, stream: trio.abc.Stream, limits: Limits, turn: Turn) -> None:
        self._stream = stream
        self._limits = limits
        self._turn = turn
        self.send_some = partial_writer(stream)
        self._wait: trio.CancelScope | None = None
        self.in_flight_size = 0
        self.lost = False

    async def wait(self) -> None:
        """Wait until the stream takes bytes, or for `interrupt`. Cancelled, nothing has happened.

        Raises:
            trio.BrokenResourceError: the connection is gone, or the peer took nothing for too long.
        """
        # Only where a write would block is a scope worth its price: the peer is slow, and so are we.
        with trio.move_on_after(self._limits.write_timeout) as self._wait:
            await self._stream.wait_send_all_might_not_block()
        scope, self._wait = self._wait, None
        if scope is not None:
            self._check(scope)

    def interrupt(self) -> None:
        """End a `wait` of another task: what it waits for has become pointless."""
        if self._wait is not None:
            self._wait.cancel()
            self._wait = None

    async def send_all(self, batch: bytes | memoryview) -> None:
        """Hand over all of a batch. If that is cancelled or fails, the peer may have half a frame: `lost`.

        Raises:
            trio.BrokenResourceError: as `wait`.
        """
        self.in_flight_size = len(batch)
        try:
            with trio.move_on_after(self._limits.write_timeout) as scope:
                await self._stream.send_all(batch)
        except BaseException:
            self.lost = True
            raise
        finally:
            self.in_flight_size = 0
        self._check(scope)

    async def send_eof(self) -> None:
        """Half-close.

        Raises:
            TypeError: the stream cannot.
        """
        half_close = getattr(self._stream, "send_eof", None)
        if half_close is None:
            raise TypeError(f"a {type(self._stream).__name__} cannot be half-closed")
        await half_close()

    async def abandon(self) -> None:
        """Close the stream as it is."""
        await trio.aclose_forcefully(self._stream)

    def _check(self, scope: trio.CancelScope) -> None:
        self._turn.renew()
        if scope.cancelled_caught:
            self.lost = True
            raise trio.BrokenResourceError(f"the peer took no bytes for {self._limits.write_timeout:g} s")
