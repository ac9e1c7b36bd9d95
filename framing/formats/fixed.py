"""Frames that all have the same size, and are nothing but payload.

    FixedFormat(4)

    0                 4                 8
    +-----------------+-----------------+-----------------+
    |     payload     |     payload     |     payload     |
    +-----------------+-----------------+-----------------+

Records behind a header or before a trailer are declared with `payload_size` of the format `header`. Spec: [F99].
"""

from collections.abc import Mapping
from typing import Any

from framing.errors import DefinitionError, EncodeError
from framing.frame import Buffer, FrameFormat, check_limit, check_option
from framing.picture import Part

__all__ = ["FixedFormat"]


class FixedFormat(FrameFormat):
    """Frames of so many bytes.

    >>> from framing import FrameParser
    >>> parser = FrameParser(FixedFormat(3))
    >>> parser.feed(b"abcdefg")
    >>> parser.take_payloads(), parser.needed_size
    ([b'abc', b'def'], 2)

    Args:
        size: bytes of every frame, which is the limit, too.

    Raises:
        DefinitionError: a frame of no bytes.
    """

    name = "fixed"
    size_first = payload_last = True

    def __init__(self, size: int) -> None:
        check_option("size", size, int)
        if size < 1:
            raise DefinitionError("a frame of no bytes", key="size", found=size, allowed="1 or more")
        self.size = self.max_frame_size = size

    def _prepare(self) -> None:
        check_limit(self.name, self.max_frame_size, self.size)
        self.max_frame_size = self.size

    def measure(self, buffer: Buffer, start: int, end: int) -> int | None:  # noqa: ARG002 - whatever the bytes
        """Tell the size. [F99]"""
        return self.size

    def scan(self, buffer: bytes, start: int, end: int, limit: int, out: list[bytes]) -> int:
        """Cut as many frames as there are."""
        size = self.size
        stop = start + min(limit, (end - start) // size) * size
        out += [buffer[place : place + size] for place in range(start, stop, size)]
        return stop

    def bounds(self, buffer: Buffer, start: int, end: int) -> tuple[int, int]:  # noqa: ARG002 - whatever the bytes
        """Tell where the payload lies: everywhere."""
        return start, end

    def layouts(self) -> dict[str, tuple[Part, ...]]:
        """Tell the payload, which is all there is."""
        return {"": (Part("payload", self.size),)}

    def serialize(self, payload: bytes, fields: Mapping[str, Any] | None = None) -> bytes:
        """Return the payload, which is the frame."""
        if fields:
            raise EncodeError(f"this format has no field {', '.join(sorted(fields))}", hint="it has none")
        if len(payload) != self.size:
            raise EncodeError(f"every payload has {self.size} bytes here, not {len(payload)}")
        return bytes(payload)

    def __repr__(self) -> str:
        return f"FixedFormat({self.size})"
