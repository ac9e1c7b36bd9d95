"""`framing encode`: messages, one a line, → frames. The other way round of `framing decode`."""

import sys
from collections.abc import Iterator
from functools import partial
from typing import IO, cast

import click

from framing.cli.messages import KINDS, Outgoing, read_message
from framing.cli.wire_options import chosen_protocol, wire_options
from framing.errors import EncodeError, FramingError
from framing.protocol import SIDES, Side

__all__ = ["encode"]


@click.command(short_help="Turn messages, one JSON value a line, into frames")
@click.argument("file", default="-")
@wire_options
@click.option("--side", type=click.Choice(SIDES), help="Whose frames to write; client if the input does not say.")
@click.option("--input", "kind", type=click.Choice(KINDS), default="json", show_default=True, help="What a line is.")
@click.option("--hex", "as_hex", is_flag=True, help="Write frames as hex digits, one a line.")
@click.option("-o", "--output", default="-", metavar="FILE", help="Write to a file instead of stdout.")
def encode(
    file: str,
    protocol: str | None,
    frame_format: str | None,
    codec: str | None,
    side: str | None,
    kind: str,
    as_hex: bool,
    output: str,
) -> None:
    """Turn messages, one a line of FILE or stdin, into frames.

    \b
    Examples:
      echo '{"id": 7}' | framing encode --protocol u32be/msgpack > frames.bin
      echo 'hello' | framing encode --frame netstring --input text
      framing decode --protocol kafka --format jsonl capture.pcap |
        framing encode --protocol kafka --side client

    \b
    A line is, by --input:
      json  a JSON value, or a frame record of `framing decode --format jsonl`;
            bytes are {"$bytes": "<base64>"}, a message with header fields is
            {"$message": value, "field": 1}
      text  the message itself, as bytes without the line's end
      hex   the message's bytes as hex digits

    Frame records of one connection are encoded in the phases that it went through; those of the side that is not
    wanted are not written. Each frame is written as soon as its line was read. A line that cannot be encoded ends the
    command with exit code 3, after the frames of all lines before it.
    """
    outgoing = Outgoing(chosen_protocol(protocol, frame_format, codec), cast("Side | None", side))
    if output == "-" and not as_hex and sys.stdout is not None and sys.stdout.isatty():
        raise click.UsageError("frames are bytes, and stdout is a terminal: use --hex, -o FILE or a pipe")
    with click.open_file(file, "rb") as source, click.open_file(output, "wb") as target:
        for frame in _frames(cast(IO[bytes], source), kind, outgoing):
            target.write(frame.hex(" ").encode() + b"\n" if as_hex else frame)
            target.flush()  # whoever reads a pipe gets the frame now, not when a block is full


def _frames(source: IO[bytes], kind: str, outgoing: Outgoing) -> Iterator[bytes]:
    for number, line in enumerate(iter(partial(source.readline, outgoing.max_line_size + 1), b""), 1):
        try:
            if len(line) > outgoing.max_line_size:
                raise EncodeError(f"it is longer than any message needs, {outgoing.max_line_size} bytes")
            sent = read_message(line.removesuffix(b"\n").removesuffix(b"\r"), kind)
            frame = None if sent is None else outgoing.frame(sent)
        except FramingError as error:
            error.reason = f"line {number}: {error.reason}"
            raise
        if frame is not None:
            yield frame
