"""The options by which a command is told what is on the wire."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from framing.definition import get_protocol
from framing.protocol import Protocol
from framing.shorthand import split_shorthand

__all__ = ["chosen_protocol", "wire_options"]

_Command = TypeVar("_Command", bound=Callable[..., Any])


def wire_options(command: _Command) -> _Command:
    """Give a command `--protocol`, or `--frame` and `--codec`, for `chosen_protocol`."""
    for option in (
        click.option("--codec", metavar="CODEC", help="What is inside a frame; raw if not said. With --frame."),
        click.option("--frame", "frame_format", metavar="FORMAT", help="How frames are cut: u32be, lines, varint, …"),
        click.option("--protocol", metavar="PROTOCOL", help="A name, a .toml file, module:attr, or FORMAT/CODEC."),
    ):
        command = option(command)
    return command


def chosen_protocol(protocol: str | None, frame_format: str | None, codec: str | None) -> Protocol:
    """Return the protocol that the options of `wire_options` mean.

    >>> chosen_protocol(None, "u32be", None)
    <Protocol u32be/raw>

    Raises:
        click.UsageError: neither, or both, or a codec where none can be.
        RegistryError, DefinitionError: as `get_protocol`.
    """
    if protocol is not None and frame_format is not None:
        raise click.UsageError("--protocol and --frame exclude each other: both say what is on the wire")
    if codec is not None and frame_format is None:
        why = "say how frames are cut" if protocol is None else "a protocol has its codecs"
        raise click.UsageError(f"--codec goes with --frame; {why}")
    if protocol is None and frame_format is None:
        raise click.UsageError("say what is on the wire: either --protocol, or --frame and perhaps --codec")
    if frame_format is not None and len(split_shorthand(frame_format)) > 1:
        raise click.UsageError(f"--frame says how frames are cut, and no codec; say --protocol '{frame_format}'")
    return get_protocol(protocol if protocol is not None else f"{frame_format}/{'raw' if codec is None else codec}")
