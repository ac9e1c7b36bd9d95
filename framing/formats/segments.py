"""A table of sizes, and the segments that it counts: the stream framing of Cap'n Proto.

    0           4           8                          4 + 4 × n        multiple of 8
    +-----------+-----------+- - - - -+-----------+- - - - -+- - - - - -+- - - - -+- - - - - -+
    |   n - 1   |  size 1   |    …    |  size n   |   pad   | segment 1 |    …    | segment n |
    |   u32le   |   u32le   |         |   u32le   |  zeros  |           |         |           |
    +-----------+-----------+- - - - -+-----------+- - - - -+- - - - - -+- - - - -+- - - - - -+

Sizes count words of eight bytes. Spec: [F117] and [F118], after "Cap'n Proto: Encoding Spec", section Serialization
Over a Stream.
"""

import struct
from collections.abc import Mapping
from typing import Any

from framing.errors import DefinitionError, EncodeError, FrameTooLargeError, HeaderError
from framing.frame import DEFAULT_MAX_FRAME_SIZE, Buffer, FrameFormat, check_limit, check_option
from framing.picture import Part

__all__ = ["SegmentsFormat"]

_WORD = 8
_unpack_word = struct.Struct("<I").unpack_from


class SegmentsFormat(FrameFormat):
    """Messages of one or more segments; the payload is all of them, one behind the other.

    >>> SegmentsFormat().serialize(b"x" * 8).hex(" ", 4)
    '00000000 01000000 78787878 78787878'

    The field `segments` is a list of the segments' sizes in words. It may be left out: then there is one.

    Args:
        max_segments: how many segments a message may have. [F117]
        max_frame_size: limit on the whole frame, table included.

    Raises:
        DefinitionError: an option is out of range.
    """

    name = "segments"
    min_size = 4
    payload_last = True
    field_names = header_names = ("segments",)

    def __init__(self, *, max_segments: int = 511, max_frame_size: int = DEFAULT_MAX_FRAME_SIZE) -> None:
        check_option("max_segments", max_segments, int)
        if max_segments < 1:
            raise DefinitionError("no segments", key="max_segments", found=max_segments, allowed="1 or more")
        self.max_segments = max_segments  # by default what the reference implementation takes
        self.max_frame_size = max_frame_size
        self._prepare()

    def _prepare(self) -> None:
        check_limit(self.name, self.max_frame_size, _WORD)

    def measure(self, buffer: Buffer, start: int, end: int) -> int | None:
        """Tell the total size once the table is there. [F117]"""
        if end - start < self.min_size:
            return None
        count = _unpack_word(buffer, start)[0] + 1
        if count > self.max_segments:
            raise HeaderError(
                "more segments than a message may have",
                offset=start,
                field="segments",
                expected=f"at most {self.max_segments}",
                found=count,
            )
        size = _table_size(count)
        if size > self.max_frame_size:
            raise FrameTooLargeError(
                "the table of segments alone is over the limit",
                offset=start,
                frame_size=size,
                max_frame_size=self.max_frame_size,
            )
        if end - start < size:
            return None
        self._check_pad(buffer, start + 4 + 4 * count, start + size)
        return size + _WORD * sum(_sizes(buffer, start))

    def _check_pad(self, buffer: Buffer, start: int, end: int) -> None:
        if any(buffer[start:end]):
            raise HeaderError(
                "the table is not filled up with zeros",
                offset=start,
                field="pad",
                expected=bytes(end - start),
                found=bytes(buffer[start:end]),
            )

    def bounds(self, buffer: Buffer, start: int, end: int) -> tuple[int, int]:
        """Tell where the payload lies: behind the table."""
        return start + _table_size(_unpack_word(buffer, start)[0] + 1), end

    def header(self, data: bytes) -> dict[str, Any]:
        """Return the sizes of the segments, in words."""
        return {"segments": _sizes(data, 0)}

    def serialize(self, payload: bytes, fields: Mapping[str, Any] | None = None) -> bytes:
        """Return the table and the payload. [F118]

        Raises:
            EncodeError: the payload is no whole words, or the sizes are not those of segments that make it up.
            FrameTooLargeError: the frame would be larger than the limit.
        """
        given = dict(fields or {})
        words, rest = divmod(len(payload), _WORD)
        if rest:
            raise EncodeError(f"a payload of {len(payload)} bytes is no whole words of {_WORD}")
        sizes = given.pop("segments", None)
        sizes = [words] if sizes is None else sizes
        if given:
            raise EncodeError(f"this format has no field {next(iter(given))}", hint="its field is segments")
        if not _is_table(sizes, self.max_segments) or sum(sizes) != words:
            reason = f"no sizes of 1 to {self.max_segments} segments that make up {words} words"
            raise EncodeError(reason, path="segments", found=sizes)
        self.check_size(_table_size(len(sizes)) + len(payload))
        table = struct.pack(f"<{len(sizes) + 1}I", len(sizes) - 1, *sizes)
        return table.ljust(_table_size(len(sizes)), b"\0") + payload

    def layouts(self) -> dict[str, tuple[Part, ...]]:
        """Tell the parts of the table before the payload."""
        table = (
            Part("count - 1", 4, "u32le"),
            Part("segments", None, "u32le each, in words"),
            Part("pad", None, "zeros"),
        )
        return {"": (*table, Part("payload"))}

    def __repr__(self) -> str:
        return f"SegmentsFormat(max_segments={self.max_segments}, max_frame_size={self.max_frame_size})"


def _table_size(count: int) -> int:
    """Return the bytes of a table with so many sizes: an even number of words of four bytes."""
    return 4 * (count + 1 + (count + 1) % 2)


def _sizes(buffer: Buffer, start: int) -> list[int]:
    count = _unpack_word(buffer, start)[0] + 1
    return list(struct.unpack_from(f"<{count}I", buffer, start + 4))


def _is_table(sizes: object, most: int) -> bool:
    return (
        isinstance(sizes, list | tuple)
        and 1 <= len(sizes) <= most
        and all(type(size) is int and 0 <= size < 1 << 32 for size in sizes)
    )
