"""16-byte payloads behind a 32-bit length, in chunks of 64 KiB, results kept: framewire, Twisted, asyncio streams."""

import asyncio
import struct

from rounds import measure, show
from twisted.protocols.basic import Int32StringReceiver

from framing import FrameParser, MessageReader, get_format, get_protocol

COUNT = 100_000
PAYLOAD = b"0123456789abcdef"
WIRE = (struct.pack(">I", len(PAYLOAD)) + PAYLOAD) * COUNT
CHUNKS = [WIRE[place : place + 65536] for place in range(0, len(WIRE), 65536)]
FORMAT = get_format("u32be")
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


def payloads() -> None:
    parser = FrameParser(FORMAT)
    taken = []
    for chunk in CHUNKS:
        parser.feed(chunk)
        taken += parser.take_payloads()
    check(taken)


def frames() -> None:
    parser = FrameParser(FORMAT)
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
    if len(taken) != COUNT or taken[-1] != PAYLOAD:
        raise SystemExit("payloads are missing")


if __name__ == "__main__":
    medians = measure(
        {
            "Twisted Int32StringReceiver": twisted,
            "asyncio StreamReader.readexactly": asyncio_streams,
            "framewire take_payloads": payloads,
            "framewire take_frames": frames,
            "framewire MessageReader.take_messages, raw": messages,
        }
    )
    show(__doc__ or "", medians, COUNT, "frame", "Twisted Int32StringReceiver")
    ratio = medians["asyncio StreamReader.readexactly"] / medians["framewire take_payloads"]
    print(f"\n  take_payloads is {ratio:.1f} times as fast as readexactly")
