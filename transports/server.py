"""serve: accept connections and run a handler for each; what goes wrong with one concerns no other."""

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from os import PathLike
from typing import NamedTuple

import trio

from framing import DecodeError, FrameError, Protocol
from transports.channel import MessageChannel
from transports.endpoint import open_listeners
from transports.limits import Limits
from transports.listener import ChannelListener

__all__ = ["Handler", "Server", "serve"]

Handler = Callable[[MessageChannel], Awaitable[object]]

_log = logging.getLogger(__name__)

# What a peer can bring about; anything else that leaves a handler is a mistake in it and worth a traceback.
_PEERS_FAULT = (FrameError, DecodeError, trio.BrokenResourceError)


class Server(NamedTuple):
    """What `nursery.start(serve, ...)` returns.

    Attributes:
        endpoints: where it can be reached, one or more, ports filled in.
    """

    endpoints: tuple[str, ...]

    @property
    def endpoint(self) -> str:
        """The first of them."""
        return self.endpoints[0]


async def serve(
    endpoint: str,
    protocol: Protocol | str | PathLike[str],
    handler: Handler,
    *,
    limits: Limits = Limits(),  # noqa: B008 - immutable
    handler_nursery: trio.Nursery | None = None,
    task_status: trio.TaskStatus[Server] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Accept connections until cancelled, and run `handler(channel)` in a task for each.

    A channel is closed when its handler returns. A handler that raises ends its own connection, with one line in the
    log `transports.server`; `trio.EndOfChannel`, which a plain `receive` raises at the end, does so without one. If the
    process has no file descriptors left, accepting pauses and goes on, as with `trio.serve_listeners`.

    Args:
        endpoint: where to listen; `tcp://127.0.0.1:0` picks a free port.
        protocol: a `Protocol`, or what `framing.get_protocol` makes one of.
        handler: an async function of one argument, the channel.
        limits: of each channel.
        handler_nursery: where the handlers run instead, so that they outlive this call: cancel `serve` to accept no
            more connections, and the nursery's own scope, perhaps by a deadline, to end those that are still open.
        task_status: `nursery.start` returns a `Server`, which knows the endpoints, once connections are accepted.

    Raises:
        OSError: the address is taken, or not ours.
        FramingError: there is no such protocol, scheme or endpoint.
    """
    spoken = limits.applied_to(protocol)

    async def run(channel: MessageChannel) -> None:
        await _run(channel, handler)

    opened = await open_listeners(endpoint)
    listeners = [ChannelListener(listener, spoken, limits) for _, listener in opened]
    async with trio.open_nursery() as nursery:
        await nursery.start(partial(trio.serve_listeners, run, listeners, handler_nursery=handler_nursery))
        task_status.started(Server(tuple(reached for reached, _ in opened)))


async def _run(channel: MessageChannel, handler: Handler) -> None:
    peer = _peer(channel.stream)
    try:
        async with channel:
            await handler(channel)
    except Exception as error:  # noqa: BLE001 - nothing that concerns one connection may reach the others
        if _only(error, trio.EndOfChannel):
            return
        if _only(error, _PEERS_FAULT):
            _log.warning("connection from %s ended: %s", peer, _line(error))
        else:
            _log.error("connection from %s ended, its handler failed: %s", peer, _line(error), exc_info=error)


def _only(error: BaseException, kinds: type[Exception] | tuple[type[Exception], ...]) -> bool:
    """Whether an error is of these kinds, or a group of nothing else."""
    if isinstance(error, BaseExceptionGroup):
        return all(_only(inner, kinds) for inner in error.exceptions)
    return isinstance(error, kinds)


def _peer(stream: trio.abc.Stream) -> str:
    if not isinstance(stream, trio.SocketStream):
        return f"a {type(stream).__name__}"
    try:
        name = stream.socket.getpeername()
    except OSError:
        return "a peer that is gone"
    return f"{name[0]} port {name[1]}" if isinstance(name, tuple) else f"{name!r}"


def _line(error: BaseException) -> str:
    """Describe an error in one line, whatever the peer has put into it."""
    text = f"{type(error).__name__}: {error}"
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)
