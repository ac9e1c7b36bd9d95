"""Payloads that say themselves where they end: what msgpack_stream, cbor_stream, json_stream and resp share.

    +- - - - - - -+- - - - - - -+
    |    item     |    item     |        no header and no trailer: the payload is the frame
    +- - - - - - -+- - - - - - -+

An item is walked over, never built. A walk remembers where it stopped, so that each byte is looked at once however the
stream is cut; what it keeps is one number for each level of nesting. Spec: [F62].
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from framing.errors import DefinitionError, EncodeError, FrameError, FrameTooLargeError, HeaderError
from framing.frame import DEFAULT_MAX_FRAME_SIZE, Buffer, FrameFormat, Measure, check_limit, check_option
from framing.picture import Part

__all__ = ["WINDOW_SIZE", "SelfDelimitingFormat", "Walk"]

# How much a scan takes in one go. Enough for a thousand short items, and little to look at twice.
WINDOW_SIZE = 1 << 16


class SelfDelimitingFormat(FrameFormat):
    """Frames that are items of a notation which shows where each one ends.

    Args:
        max_depth: how many arrays and maps may stand in each other.
        max_frame_size: limit on the whole item.
    """

    payload_last = True
    least_size = 1

    def __init__(self, *, max_depth: int = 512, max_frame_size: int = DEFAULT_MAX_FRAME_SIZE) -> None:
        check_option("max_depth", max_depth, int)
        if max_depth < 1:
            raise DefinitionError("no depth of nesting", key="max_depth", found=max_depth, allowed="1 or more")
        self.max_depth = max_depth
        self.max_frame_size = max_frame_size
        self._prepare()

    def _prepare(self) -> None:
        check_limit(self.name, self.max_frame_size, self.least_size)

    @abstractmethod
    def measurer(self) -> Measure:
        """Return a `measure` that goes on where it stopped."""

    def measure(self, buffer: Buffer, start: int, end: int) -> int | None:
        """Tell the total size, from the item's first byte on. [F62]"""
        return self.measurer()(buffer, start, end)

    def too_large(self, start: int) -> FrameTooLargeError:
        """Return the error for an item that goes on behind the limit."""
        return FrameTooLargeError(
            f"an item of format {self.name} goes on behind the limit",
            offset=start,
            max_frame_size=self.max_frame_size,
            hint="raise max_frame_size if the peer is to be trusted with as much memory",
        )

    def too_deep(self, place: int) -> HeaderError:
        """Return the error for what stands in more levels than are allowed."""
        found = f"level {self.max_depth + 1}"
        return HeaderError("nested too deeply", offset=place, expected=f"at most {self.max_depth} levels", found=found)

    def bounds(self, buffer: Buffer, start: int, end: int) -> tuple[int, int]:  # noqa: ARG002 - the contract's signature
        """Tell where the payload lies: it is the frame."""
        return start, end

    def serialize(self, payload: bytes, fields: Mapping[str, Any] | None = None) -> bytes:
        """Return the payload, which must be exactly one item.

        Raises:
            EncodeError: it is none, it is not whole, or something follows it: the peer would cut it elsewhere.
        """
        if fields:
            raise EncodeError("this format has no header fields", found=tuple(fields))
        data = bytes(payload)
        self.check_size(len(data))
        try:
            total = self.measure(data, 0, len(data)) if data else None
        except FrameError as error:
            reason = f"the payload is no item of format {self.name}: {error.reason}"
            raise EncodeError(reason, offset=error.offset) from error
        if total is None or total > len(data):
            raise EncodeError(f"the payload ends inside an item of format {self.name}", offset=len(data))
        if total < len(data):
            raise EncodeError(f"something follows the item of format {self.name}", offset=total)
        return data

    def layouts(self) -> dict[str, tuple[Part, ...]]:
        """Tell the payload, which is all there is."""
        return {"": (Part("payload", None, f"one item, as {self.name} tells"),)}

    def __repr__(self) -> str:
        return f"{type(self).__name__}(max_depth={self.max_depth}, max_frame_size={self.max_frame_size})"


class Walk:
    """A `measure` for one stream: a walk over items, which remembers the place in the one that is not whole yet."""

    __slots__ = ("_format", "_looked_size")

    def __init__(self, format: SelfDelimitingFormat) -> None:
        self._format = format
        self._begin()

    def __call__(self, buffer: Buffer, start: int, end: int) -> int | None:
        """Go on with the item that begins at `start`."""
        limit = start + self._format.max_frame_size
        try:
            total = self._walk(buffer, start, min(end, limit))
            if total is None and (end >= limit or start + self._looked_size >= limit):  # and more is still to come
                raise self._format.too_large(start)
        except FrameError:
            self._begin()
            raise
        if total is not None:
            self._begin()
        return total

    def _begin(self) -> None:
        """Forget the last item."""
        self._looked_size = 0

    def _walk(self, buffer: Buffer, start: int, stop: int) -> int | None:
        """Look at the bytes from where it stopped up to `stop`; return the item's size or note the place.

        The place may lie behind `stop`, where a head has told that bytes follow in which there is nothing to see.

        Raises:
            FrameError: this is no item.
        """
        raise NotImplementedError
