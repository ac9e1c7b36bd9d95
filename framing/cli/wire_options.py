"""The options by which a command is told what is on the wire."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from framing.definition import get_protocol
from framing.protocol import Protocol

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
        click.UsageError: neither, or both.
        RegistryError, DefinitionError: as `get_protocol`.
    """
    if (protocol is None) == (frame_format is None):
        raise click.UsageError("say what is on the wire: either --protocol, or --frame and perhaps --codec")
    if protocol is not None and codec is not None:
        raise click.UsageError("--codec goes with --frame; a protocol has its codecs")
    return get_protocol(protocol if protocol is not None else f"{frame_format}/{'raw' if codec is None else codec}")
