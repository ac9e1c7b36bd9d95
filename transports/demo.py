"""`framing demo`: three codecs over real sockets, captured, and decoded from the capture.

servers on loopback <── sockets ── clients            the same three protocols
                                      │ recorded
                                  a pcap file ──> framing.capture.read ──> what was sent?
"""

import os
import shlex
import shutil
import tempfile
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import click
import trio
from construct import Byte, Float32b, GreedyRange, PascalString, Struct

from framing import Protocol, Side, get_protocol
from framing.capture import FrameRecord, read, to_json
from transports.channel import MessageChannel
from transports.recording import Recording
from transports.server import serve

__all__ = ["READINGS", "demo"]

# A thermometer's readings: its name behind a byte that counts it, then numbers as far as the frame goes.
READINGS = Struct("sensor" / PascalString(Byte, "utf-8"), "celsius" / GreedyRange(Float32b))

# It takes a tenth of a second; something is badly wrong with the loopback interface if it takes so long.
_TIMEOUT = 10

# Of a frame and of its message, per line; the message has what the terminal leaves, but this much at least.
_SHOWN_BYTES, _LEAST_TEXT = 6, 24
_COLOURS: dict[Side, str] = {"client": "cyan", "server": "green"}


class Scene(NamedTuple):
    """A protocol, what the client asks and how the server answers."""

    protocol: str
    asked: tuple[Any, ...]
    answer: Callable[[Any], Any]


class Played(NamedTuple):
    """A scene after it was played: where, and what each side has sent."""

    scene: Scene
    port: int
    sent: dict[Side, list[Any]]


def _called(call: dict[str, Any]) -> dict[str, Any]:
    methods: dict[str, Callable[..., Any]] = {"add": lambda a, b: a + b, "repeat": lambda text, count: text * count}
    return {"id": call["id"], "result": methods[call["method"]](*call["params"])}


def _averaged(readings: dict[str, Any]) -> dict[str, Any]:
    return {
        "sensor": f"{readings['sensor']}, average",
        "celsius": [sum(readings["celsius"]) / len(readings["celsius"])],
    }


SCENES = (
    Scene("netstring/raw", (b"hello", b"", b"\x00\x01\xfe\xff"), lambda text: text[::-1]),
    Scene(
        "u32be/msgpack",
        (
            {"id": 1, "method": "add", "params": [2, 3]},
            {"id": 2, "method": "repeat", "params": ["spam ", 1000]},  # an answer that takes several segments
        ),
        _called,
    ),
    Scene(
        "varint/construct(schema=transports.demo:READINGS)",
        ({"sensor": "attic", "celsius": [21.5, 22.0, 24.0]}, {"sensor": "cellar", "celsius": [8.25]}),
        _averaged,
    ),
)


@click.command(short_help="Run three codecs over a socket, capture and decode them")
@click.option("--keep", metavar="FILE", help="Keep the capture, and say what to try with it.")
@click.pass_context
def demo(ctx: click.Context, keep: str | None) -> None:
    """Run three codecs over a socket, capture and decode them.

    Servers and clients talk over loopback; each client's socket is recorded into a pcap file, which takes no root; the
    file is decoded, and what comes out is compared with what was sent. Exit code 1 if it differs.

    \b
    Examples:
      framing demo
      framing demo --keep demo.pcap
    """
    with tempfile.TemporaryDirectory() as directory:
        path = keep or os.path.join(directory, "demo.pcap")
        recording = Recording()
        played = trio.run(_play_in_time, recording)
        with open(path, "wb") as file:
            recording.write(file)
        _announce(played, os.path.getsize(path))
        same = [_show(one, path) for one in played]
    click.echo()
    if not all(same):
        click.secho("What came out of the capture is not what was sent.", fg="red", bold=True)
        ctx.exit(1)
    click.secho("Every message came back out of the capture as it was sent.", fg="green", bold=True)
    _suggest(played, keep)


async def _play_in_time(recording: Recording) -> list[Played]:
    try:
        with trio.fail_after(_TIMEOUT):
            return await _play(recording)
    except trio.TooSlowError as error:
        raise TimeoutError(f"the demo was not done after {_TIMEOUT} seconds") from error


async def _play(recording: Recording) -> list[Played]:
    """Play all scenes at the same time."""
    played = []
    async with trio.open_nursery() as servers:
        async with trio.open_nursery() as clients:
            for scene in SCENES:
                protocol = get_protocol(scene.protocol)
                sent: dict[Side, list[Any]] = {"client": [], "server": []}
                handler = _handler(scene, sent["server"])
                server = await servers.start(serve, "tcp://127.0.0.1:0", protocol, handler)
                played.append(Played(scene, int(server.endpoint.rpartition(":")[2]), sent))
                clients.start_soon(_ask, played[-1], protocol, recording)
        servers.cancel_scope.cancel()
    return played


def _handler(scene: Scene, sent: list[Any]) -> Callable[[MessageChannel], Any]:
    async def handle(channel: MessageChannel) -> None:
        async for message in channel:
            sent.append(scene.answer(message))
            await channel.send(sent[-1])

    return handle


async def _ask(played: Played, protocol: Protocol, recording: Recording) -> None:
    stream = await trio.open_tcp_stream("127.0.0.1", played.port)
    async with MessageChannel(recording.tap(stream), protocol, side="client") as channel:
        for message in played.scene.asked:
            played.sent["client"].append(message)
            await channel.send(message)
            await channel.receive()


def _announce(played: list[Played], size: int) -> None:
    click.echo("Servers on loopback, and a client for each:\n")
    for one in played:
        click.echo(f"  tcp://127.0.0.1:{one.port:<6} {one.scene.protocol}")
    click.echo(f"\nTheir sockets were recorded into a pcap file of {size} bytes. Decoded from that file:")


def _show(played: Played, path: str) -> bool:
    """Decode a scene from the capture and show it; return whether it is what was sent."""
    found: dict[Side, list[Any]] = {"client": [], "server": []}
    records = [one for one in read(path, played.scene.protocol, ports=[played.port]) if isinstance(one, FrameRecord)]
    click.secho(f"\n{played.scene.protocol}", bold=True)
    for record in records:
        found[record.direction].append(record.message)
        click.echo(_line(record, records[0].time_ns or 0))
    if found != played.sent:
        click.secho(f"  This is not what was sent: {played.sent!r}", fg="red")
    return found == played.sent


def _line(record: FrameRecord, start_ns: int) -> str:
    milliseconds = ((record.time_ns or 0) - start_ns) / 1e6
    head = record.frame.data[:_SHOWN_BYTES].hex(" ") + (" .." if record.size > _SHOWN_BYTES else "")
    side = f"{record.direction} #{record.number}"
    place = f"  {milliseconds:6.2f} ms  {side}  {record.size:4} bytes  {head:<20}  "
    # Bytes look best as Python writes them; construct's containers as the plain values that they are.
    text = repr(record.message if isinstance(record.message, bytes) else to_json(record.message))
    room = max(shutil.get_terminal_size(fallback=(110, 24)).columns - len(place), _LEAST_TEXT)
    shown = text if len(text) <= room else f"{text[: room - 3]}..."
    return place.replace(side, click.style(side, fg=_COLOURS[record.direction])) + shown


def _suggest(played: list[Played], keep: str | None) -> None:
    if keep is None:
        click.echo("To look at the capture yourself: framing demo --keep demo.pcap")
        return
    click.echo(f"\n{keep} is yours. Try:\n")
    for command in _commands(played, keep):
        click.echo(f"  {command}")


def _commands(played: list[Played], path: str) -> Iterator[str]:
    yield shlex.join(["framing", "streams", path])
    for one in played:
        yield shlex.join(["framing", "decode", path, "--protocol", one.scene.protocol, "--port", str(one.port)])
