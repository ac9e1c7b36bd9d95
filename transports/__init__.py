"""The trio front end of framewire: run a protocol as a client or a server.

    server.py   client.py              serve: a handler for each connection; connect: one, with `async with`
    listener.py                        accepts connections as channels
    channel.py                         MessageChannel: messages over any trio stream
    events.py                          EventReceiver: frames too large to be held, in pieces
    writer.py   queue.py  pending.py   many tasks send: whole frames, in order, whatever is cancelled
    outlet.py   partial.py             bytes to a stream, knowing how many it took
    tcp.py      memory.py  pipe.py     schemes, one a file, behind endpoint.py: URL → stream or listeners
    limits.py   turn.py                what bounds memory and time; when the others must have their turn
    testing.py                         channel pairs and faulty streams, for anyone's tests
    foundation.py                      the check that the package `framing` is ours

A complete server is a handler and one call:

    async def echo(channel):
        async for message in channel:
            await channel.send(message)

    trio.run(transports.serve, "tcp://127.0.0.1:9000", "u32be/msgpack", echo)

Nothing is started behind the caller's back: a channel reads when it is asked to and writes in the task that sends. It
raises trio's exceptions for what concerns the connection and framing's for what concerns frames and messages.
"""

from transports.foundation import check_foundation

check_foundation()

from transports.channel import MessageChannel  # noqa: E402 - not before the foundation is known to be ours
from transports.client import connect  # noqa: E402
from transports.events import EventReceiver  # noqa: E402
from transports.limits import Limits  # noqa: E402
from transports.server import Server, serve  # noqa: E402

__all__ = ["EventReceiver", "Limits", "MessageChannel", "Server", "connect", "serve"]
