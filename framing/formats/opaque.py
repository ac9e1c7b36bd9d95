"""Bytes that are not cut: what follows is encrypted, or another protocol's, or shows its ends only to who reads it all.

    +- - - - - - - - - - - - - -+- - - - - - - - - - - - - -+- - - - - - -+
    |        size bytes         |        size bytes         |  the rest   |
    +- - - - - - - - - - - - - -+- - - - - - - - - - - - - -+- - - - - - -+

It is for the last phase of a protocol: the frames before are cut as they are, and what comes after them is reported as
what it is, neither as an error nor in silence. Spec: [F110] and [F116].
"""

from collections.abc import Mapping
from typing import Any

from framing.errors import DefinitionError, EncodeError
from framing.frame import Buffer, FrameFormat, check_limit, check_option
from framing.picture import Part

__all__ = ["OpaqueFormat"]

# Large enough that a capture gives few frames, and no more than anybody's limit on a frame.
_DEFAULT_SIZE = 1 << 10


class OpaqueFormat(FrameFormat):
    """Blocks of one size, and what is left at the end of the stream.

    >>> from framing import FrameParser
    >>> parser = FrameParser(OpaqueFormat(size=4))
    >>> parser.feed(b"encrypted")
    >>> parser.finish()
    >>> parser.take_payloads()
    [b'encr', b'ypte', b'd']

    Where a block ends means nothing. Who talks a protocol that comes here takes the bytes with `unread` and goes on
    with whatever reads them.

    Args:
        size: bytes in each block but the last.
        max_frame_size: as everywhere; no less than `size`, and by default that.

    Raises:
        DefinitionError: a block of no bytes, or one over the limit.
    """

    name = "opaque"
    payload_last = True

    def __init__(self, *, size: int = _DEFAULT_SIZE, max_frame_size: int | None = None) -> None:
        check_option("size", size, int)
        if size < 1:
            raise DefinitionError("a block has no bytes", key="size", found=size, allowed="1 or more")
        self.size = size
        self.max_frame_size = size if max_frame_size is None else max_frame_size
        self._prepare()

    def _prepare(self) -> None:
        check_limit(self.name, self.max_frame_size, self.size)

    def measure(self, buffer: Buffer, start: int, end: int) -> int | None:  # noqa: ARG002 - the contract's signature
        """Tell the size of a block once it is there: one that the stream ends in is no truncated frame. [F110]"""
        return self.size if end - start >= self.size else None

    def measure_last(self, buffer: Buffer, start: int, end: int) -> int:  # noqa: ARG002 - the contract's signature
        """Tell the size of what is left. [F116]"""
        return end - start

    def bounds(self, buffer: Buffer, start: int, end: int) -> tuple[int, int]:  # noqa: ARG002 - the contract's signature
        """Tell where the payload lies: it is the frame."""
        return start, end

    def serialize(self, payload: bytes, fields: Mapping[str, Any] | None = None) -> bytes:
        """Return the payload, which must be a whole block.

        Raises:
            EncodeError: it has another size: the peer would cut it elsewhere.
            FrameTooLargeError: it is over the limit.
        """
        if fields:
            raise EncodeError("this format has no header fields", found=tuple(fields))
        self.check_size(len(payload))
        if len(payload) != self.size:
            raise EncodeError(f"no block of {self.size} bytes: {len(payload)}")
        return bytes(payload)

    def layouts(self) -> dict[str, tuple[Part, ...]]:
        """Tell the payload, which is all there is."""
        return {"": (Part("payload", self.size),)}

    def __repr__(self) -> str:
        return f"OpaqueFormat(size={self.size}, max_frame_size={self.max_frame_size})"
