"""One of each: what a distribution of one's own adds to framewire. The entry points in pyproject.toml do the rest.

0       4
+-------+- - - - - - -+
| 0005  |   payload   |     hexlength: four hexadecimal digits that count the payload
+-------+- - - - - - -+
"""

import codecs
from collections.abc import Mapping
from typing import Any

import click

from framing.codec import Codec
from framing.errors import DecodeError, DefinitionError, EncodeError, HeaderError
from framing.frame import Buffer, FrameFormat

__all__ = ["HexLengthFormat", "Rot13Codec", "hello"]

_DIGITS = frozenset(b"0123456789abcdef")
_LARGEST = 4 + 0xFFFF


class Rot13Codec(Codec):
    """ASCII text with each letter moved by half the alphabet.

    >>> Rot13Codec().encode("Hello")
    b'Uryyb'
    """

    name = "rot13"

    def encode(self, message: str) -> bytes:
        """Return the text's bytes, moved.

        Raises:
            EncodeError: it is no ASCII text.
        """
        if not isinstance(message, str) or not message.isascii():
            raise EncodeError("only ASCII text can be moved", codec=self.name, found=type(message).__name__)
        return codecs.encode(message, "rot13").encode()

    def decode(self, payload: bytes) -> str:
        """Return the text, moved back.

        Raises:
            DecodeError: a byte is not ASCII.
        """
        try:
            return codecs.decode(payload.decode("ascii"), "rot13")
        except UnicodeDecodeError as error:
            raise DecodeError("a byte is not ASCII", codec=self.name, offset=error.start) from error


class HexLengthFormat(FrameFormat):
    """Frames that begin with the payload's size as four hexadecimal digits, lower case.

    >>> HexLengthFormat().serialize(b"hello")
    b'0005hello'

    Args:
        max_frame_size: limit on the whole frame, digits included.

    Raises:
        DefinitionError: four digits cannot announce as much.
    """

    name = "hexlength"
    min_size = 4

    def __init__(self, *, max_frame_size: int = _LARGEST) -> None:
        if not self.min_size <= max_frame_size <= _LARGEST:
            allowed = f"{self.min_size} to {_LARGEST}"
            raise DefinitionError(
                "not a limit of four digits", key="max_frame_size", found=max_frame_size, allowed=allowed
            )
        self.max_frame_size = max_frame_size

    def measure(self, buffer: Buffer, start: int, end: int) -> int | None:
        """Tell the total size from the digits.

        Raises:
            HeaderError: one of them is no digit; it is told as soon as it is there.
        """
        for place in range(start, min(start + 4, end)):
            if buffer[place] not in _DIGITS:
                raise HeaderError("no hexadecimal digit", offset=place, found=bytes(buffer[place : place + 1]))
        return 4 + int(buffer[start : start + 4], 16) if end - start >= 4 else None

    def bounds(self, buffer: Buffer, start: int, end: int) -> tuple[int, int]:
        """Tell where the payload lies."""
        return start + 4, end

    def serialize(self, payload: bytes, fields: Mapping[str, Any] | None = None) -> bytes:
        """Return the digits and the payload.

        Raises:
            EncodeError: a header field was given.
            FrameTooLargeError: four digits cannot say so much, or `max_frame_size` is lower still.
        """
        if fields:
            raise EncodeError("this format has no header fields", path=next(iter(fields)))
        self.check_size(4 + len(payload))
        return b"%04x%b" % (len(payload), payload)

    def limited(self, max_frame_size: int) -> "HexLengthFormat":
        """Return the same format with another limit on the whole frame, checked as by the constructor."""
        return HexLengthFormat(max_frame_size=max_frame_size)

    def __repr__(self) -> str:
        return f"HexLengthFormat(max_frame_size={self.max_frame_size})"


@click.command()
@click.argument("name")
def hello(name: str) -> None:
    """Say hello as a frame of rot13."""
    click.echo(HexLengthFormat().serialize(Rot13Codec().encode(f"Hello {name}")))
