"""Payloads behind a 32-bit length, in chunks of 64 KiB, results kept: framewire, Twisted, asyncio streams.

Twice: payloads of 16 bytes each, which come in runs that the Python loops measure at once, and of 8 to 24 bytes, which
do not. With the compiled twins where they are built, and without.
"""

import asyncio
import os
import random
import struct
from functools import partial

from rounds import measure, show
from twisted.protocols.basic import Int32StringReceiver

from framing import FrameFormat, FrameParser, MessageReader, get_format, get_protocol
from framing.cli.versions import scanner
from framing.compiled import PURE_VARIABLE

COUNT = 100_000
SIZES = random.Random(1).choices(range(8, 25), k=COUNT)
PAYLOADS = {"16-byte payloads": [b"x" * 16] * COUNT, "8 to 24-byte payloads": [b"x" * size for size in SIZES]}
CHUNKS: list[bytes] = []
FORMAT = get_format("u32be")
os.environ[PURE_VARIABLE] = "1"
PURE_FORMAT = get_format("u32be")
del os.environ[PURE_VARIABLE]
PROTOCOL = get_protocol("u32be/raw")


class Receiver(Int32StringReceiver):
    def __init__(self) -> None:
        self.payloads: list[bytes] = []

    def stringReceived(self, string: bytes) -> None:  # noqa: N802 - Twisted's name
        self.payloads.append(string)


def twisted() -> None:
    receiver = Receiver()
    for chunk in CHUNKS:
        receiver.dataReceived(chunk)
    check(receiver.payloads)


async def read_exactly() -> list[bytes]:
    """Read as the documentation shows; at most two chunks are buffered, as behind a socket."""
    reader = asyncio.StreamReader(limit=1 << 20)
    payloads: list[bytes] = []

    async def feed() -> None:
        for chunk in CHUNKS:
            reader.feed_data(chunk)
            while len(reader._buffer) > 65536:  # type: ignore[attr-defined]
                await asyncio.sleep(0)
        reader.feed_eof()

    feeding = asyncio.ensure_future(feed())
    try:
        while True:
            (size,) = struct.unpack(">I", await reader.readexactly(4))
            payloads.append(await reader.readexactly(size))
    except asyncio.IncompleteReadError:
        await feeding
        return payloads


def asyncio_streams() -> None:
    check(asyncio.run(read_exactly()))


def payloads(frame_format: FrameFormat = FORMAT) -> None:
    parser = FrameParser(frame_format)
    taken = []
    for chunk in CHUNKS:
        parser.feed(chunk)
        taken += parser.take_payloads()
    check(taken)


def frames(frame_format: FrameFormat = FORMAT) -> None:
    parser = FrameParser(frame_format)
    taken = []
    for chunk in CHUNKS:
        parser.feed(chunk)
        taken += parser.take_frames()
    if len(taken) != COUNT:
        raise SystemExit("frames are missing")


def messages() -> None:
    reader = MessageReader(PROTOCOL.client.wire)
    taken = []
    for chunk in CHUNKS:
        reader.feed(chunk)
        taken += reader.take_messages()
    check(taken)


def check(taken: list[bytes]) -> None:
    if len(taken) != COUNT:
        raise SystemExit("payloads are missing")


CANDIDATES = {
    "Twisted Int32StringReceiver": twisted,
    "asyncio StreamReader.readexactly": asyncio_streams,
    "framewire take_payloads": payloads,
    "framewire take_frames": frames,
    "framewire MessageReader.take_messages, raw": messages,
    "framewire take_payloads, pure Python": partial(payloads, PURE_FORMAT),
    "framewire take_frames, pure Python": partial(frames, PURE_FORMAT),
}

if __name__ == "__main__":
    print(__doc__)
    print(scanner())
    for title, sent in PAYLOADS.items():
        wire = b"".join(struct.pack(">I", len(payload)) + payload for payload in sent)
        CHUNKS[:] = [wire[place : place + 65536] for place in range(0, len(wire), 65536)]
        medians = measure(CANDIDATES)
        show(title, medians, COUNT, "frame", "Twisted Int32StringReceiver")
        ratio = medians["asyncio StreamReader.readexactly"] / medians["framewire take_payloads"]
        print(f"  take_payloads is {ratio:.1f} times as fast as readexactly")
