"""64-byte raw messages one way over TCP on the loopback, behind a 32-bit length: framewire's channel, asyncio streams.

Both ends do all of their work: one encodes and writes, the other reads and takes every message apart from its frame.
asyncio as its documentation shows: `write` and `drain` for each message, two `readexactly` on the other side.

The two ends run side by side in two processes, as a client and a server do, so that the slower end counts; with
`--one-process` they share one event loop, and the sum of both counts.
"""

import asyncio
import multiprocessing
import struct
import sys
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

import trio
from rounds import measure, show

import transports
from framing import get_protocol

COUNT = 128_000
BATCH = 1000
MESSAGE = b"m" * 64
PROTOCOL = get_protocol("u32be/raw")
HEAD = struct.Struct(">I")


async def asyncio_send(port: int) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(COUNT):
        writer.write(HEAD.pack(len(MESSAGE)) + MESSAGE)
        await writer.drain()
    writer.close()
    await writer.wait_closed()


async def asyncio_receive(start: Callable[[int], Any]) -> None:
    counted: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        count = 0
        try:
            while True:
                (size,) = HEAD.unpack(await reader.readexactly(4))
                await reader.readexactly(size)
                count += 1
        except asyncio.IncompleteReadError:
            counted.set_result(count)
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    sending = start(server.sockets[0].getsockname()[1])
    if sending is not None:
        await sending
    check(await counted)
    server.close()


async def channel_send(port: int, one_by_one: bool) -> None:
    async with transports.connect(f"tcp://127.0.0.1:{port}", PROTOCOL) as channel:
        if one_by_one:
            for _ in range(COUNT):
                await channel.send(MESSAGE)
        else:
            for _ in range(COUNT // BATCH):
                await channel.send_many([MESSAGE] * BATCH)


async def channel_receive(start: Callable[[int], Any], one_by_one: bool) -> None:
    async def handle(channel: transports.MessageChannel) -> None:
        count = 0
        if one_by_one:
            async for _ in channel:
                count += 1
        else:
            try:
                while True:
                    count += len(await channel.receive_many())
            except trio.EndOfChannel:
                pass
        check(count)
        nursery.cancel_scope.cancel()

    async with trio.open_nursery() as nursery:
        server = await nursery.start(transports.serve, "tcp://127.0.0.1:0", PROTOCOL, handle)
        sending = start(int(server.endpoint.rpartition(":")[2]))
        if sending is not None:
            await sending


def check(count: int) -> None:
    assert count == COUNT


def send(kind: str, port: int) -> None:
    if kind == "asyncio":
        asyncio.run(asyncio_send(port))
    else:
        trio.run(channel_send, port, kind == "send")


def send_on_demand(orders: Connection) -> None:
    """Be the other process: send when told to."""
    while order := orders.recv():
        send(*order)


def one_process() -> dict[str, Callable[[], object]]:
    return {
        "asyncio streams": lambda: asyncio.run(asyncio_receive(asyncio_send)),
        "send_many, async for": lambda: trio.run(channel_receive, partial(channel_send, one_by_one=False), True),
        "send_many, receive_many": lambda: trio.run(channel_receive, partial(channel_send, one_by_one=False), False),
        "send, async for": lambda: trio.run(channel_receive, partial(channel_send, one_by_one=True), True),
    }


def two_processes(orders: Connection) -> dict[str, Callable[[], object]]:
    def start(kind: str) -> Callable[[int], None]:
        return lambda port: orders.send((kind, port))

    return {
        "asyncio streams": lambda: asyncio.run(asyncio_receive(start("asyncio"))),
        "send_many, async for": lambda: trio.run(channel_receive, start("send_many"), True),
        "send_many, receive_many": lambda: trio.run(channel_receive, start("send_many"), False),
        "send, async for": lambda: trio.run(channel_receive, start("send"), True),
    }


def main() -> None:
    print(__doc__)
    if "--one-process" in sys.argv:
        medians = measure(one_process())
    else:
        near, far = multiprocessing.get_context("spawn").Pipe()
        other = multiprocessing.get_context("spawn").Process(target=send_on_demand, args=(far,))
        other.start()
        medians = measure(two_processes(near))
        near.send(None)
        other.join()
    show("one way, 64 bytes", medians, COUNT, "message", "asyncio streams")


if __name__ == "__main__":
    main()
