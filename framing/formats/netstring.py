"""The length in ASCII digits: Bernstein's netstrings.

    +----+----+----+- - - - - - -+----+
    | 1  | 2  | :  |   payload   | ,  |        12:hello world!,
    +----+----+----+- - - - - - -+----+

Spec: [F28], after "Netstrings" by D. J. Bernstein, 1997.
"""

from collections.abc import Mapping
from typing import Any

from framing.errors import EncodeError, FrameTooLargeError, HeaderError
from framing.frame import DEFAULT_MAX_FRAME_SIZE, Buffer, FrameFormat, check_limit

__all__ = ["NetstringFormat"]

_ZERO, _NINE, _COLON = b"09:"


class NetstringFormat(FrameFormat):
    """Netstrings: digits, a colon, the payload, a comma.

    >>> NetstringFormat().serialize(b"hello world!")
    b'12:hello world!,'

    Args:
        max_frame_size: limit on the whole frame: digits, colon, payload and comma. No more digits are read than the
            limit has, so that a run of digits costs nothing.
    """

    name = "netstring"
    header_names = ("length",)

    def __init__(self, *, max_frame_size: int = DEFAULT_MAX_FRAME_SIZE) -> None:
        self.max_frame_size = max_frame_size
        self.min_size = len(b"0:")
        self.verify = self._verify_comma
        self._prepare()

    def _prepare(self) -> None:
        check_limit("netstring", self.max_frame_size, len(b"0:,"))

    def measure(self, buffer: Buffer, start: int, end: int) -> int | None:
        """Tell the total size from the digits. [F28]"""
        most = len(str(self.max_frame_size))
        # One byte after the other, so that the first bad one is told whatever the cut.
        for place in range(start, min(end, start + most + 1)):
            byte = buffer[place]
            if byte == _COLON and place > start:
                return place - start + 2 + int(buffer[start:place])
            if not _ZERO <= byte <= _NINE:
                raise self._bad(buffer, place, "a digit" if place == start else "a digit or a colon")
            if place > start and buffer[start] == _ZERO:
                raise self._bad(buffer, place, "a colon: a length has no leading zeros")
        if end - start > most:
            raise FrameTooLargeError(
                f"a length of more than {most} digits",
                offset=start,
                max_frame_size=self.max_frame_size,
                hint="raise max_frame_size if the peer is to be trusted with as much memory",
            )
        return None

    def _bad(self, buffer: Buffer, place: int, expected: str) -> HeaderError:
        found = bytes(buffer[place : place + 1])
        return HeaderError(
            "this is no netstring's length", offset=place, field="length", expected=expected, found=found
        )

    def _verify_comma(self, buffer: Buffer, start: int, end: int) -> None:  # noqa: ARG002 - the contract's signature
        if buffer[end - 1 : end] != b",":
            raise HeaderError(
                "a netstring must end with a comma",
                offset=end - 1,
                field="comma",
                expected=b",",
                found=bytes(buffer[end - 1 : end]),
            )

    def bounds(self, buffer: Buffer, start: int, end: int) -> tuple[int, int]:
        """Tell where the payload lies: from the colon to the comma."""
        return buffer.index(b":", start) + 1, end - 1

    def header(self, data: bytes) -> dict[str, Any]:
        """Return the length."""
        return {"length": int(data[: data.index(b":")])}

    def serialize(self, payload: bytes, fields: Mapping[str, Any] | None = None) -> bytes:
        """Return the netstring."""
        if fields:
            raise EncodeError("this format has no header fields", found=tuple(fields))
        data = b"%d:%b," % (len(payload), payload)
        self.check_size(len(data))
        return data

    def __repr__(self) -> str:
        return f"NetstringFormat(max_frame_size={self.max_frame_size})"
