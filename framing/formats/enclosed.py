"""Bytes that begin a frame and bytes that end it.

    EnclosedFormat("\\x0b", "\\x1c\\r")        HL7's MLLP

    +----+- - - - - - -+---------+----+- - - - - - -+---------+
    | 0b |   payload   |  1c 0d  | 0b |   payload   |  1c 0d  |
    +----+- - - - - - -+---------+----+- - - - - - -+---------+

    EnclosedFormat("\\x02", "\\x03")           STX and ETX, of many instruments and scales

Spec: [F57], [F58], MLLP after "HL7 Version 3 Standard: Transport Specification - MLLP, Release 1".
"""

from collections.abc import Mapping
from itertools import repeat
from typing import Any

from framing.errors import DefinitionError, EncodeError, FrameTooLargeError, HeaderError
from framing.formats.fields.options import bytes_option
from framing.frame import DEFAULT_MAX_FRAME_SIZE, Buffer, FrameFormat, Measure, check_limit, check_option
from framing.picture import Part

__all__ = ["EnclosedFormat"]

# From how many frames on one split is quicker than as many finds, and how many bytes it may copy for them.
_SCANNED_COUNT = 32
_SCANNED_SIZE = 1 << 16


class EnclosedFormat(FrameFormat):
    """Frames between start bytes and stop bytes.

    >>> from framing import FrameParser
    >>> parser = FrameParser(EnclosedFormat("<", ">"))
    >>> parser.feed(b"<one><two><thr")
    >>> parser.take_payloads()
    [b'one', b'two']

    Args:
        start: what begins each frame; text stands for its UTF-8, or for other bytes as `0xf6`.
        stop: what ends it, where it first comes.
        start_inside: whether a payload may contain the start; else that is an error, for where it does, the stop of
            the frame before was lost. [F58]
        max_frame_size: limit on the whole frame, start and stop included.

    Raises:
        DefinitionError: one of them is empty, or one of them contains the other.
    """

    name = "enclosed"
    resyncs_at = "delimiter"

    def __init__(
        self,
        start: bytes | str,
        stop: bytes | str,
        *,
        start_inside: bool = False,
        max_frame_size: int = DEFAULT_MAX_FRAME_SIZE,
    ) -> None:
        check_option("start_inside", start_inside, bool)
        self._start, self._stop = bytes_option("start", start), bytes_option("stop", stop)
        for key, bound in (("start", self._start), ("stop", self._stop)):
            if not bound:
                raise DefinitionError("start and stop have at least one byte", key=key, found=bound)
        self._start_inside = start_inside or self._start == self._stop
        if not self._start_inside and (self._start in self._stop or self._stop in self._start):
            raise DefinitionError(
                "start and stop cannot be told apart", key="stop", found=self._stop, hint="or say start_inside"
            )
        self._splits = not (_overlaps_itself(self._start) or _overlaps_itself(self._stop) or self._start == self._stop)
        self.min_size = len(self._start)
        self.max_frame_size = max_frame_size
        self._prepare()

    def _prepare(self) -> None:
        check_limit(self.name, self.max_frame_size, len(self._start) + len(self._stop))
        self.scan = self._scan  # bound to this object, whose limit it needs
        # Where a start may stand anywhere, only a stop tells; and where they are the same, nothing does.
        self.resync = None if self._start == self._stop else self._resync

    def measure(self, buffer: Buffer, start: int, end: int) -> int | None:
        """Tell the total size once the stop is there. [F57]"""
        return self.measure_from(buffer, start, end, 0)

    def measure_from(self, buffer: Buffer, start: int, end: int, looked: int) -> int | None:
        """Do what `measure` does, knowing that nothing begins in the first `looked` bytes of what follows the start."""
        first = start + len(self._start)
        if end < first:
            return None
        if not buffer.startswith(self._start, start, end):
            raise HeaderError(
                "bytes before the start of a frame",
                offset=start,
                field="start",
                expected=self._start,
                found=bytes(buffer[start:first]),
            )
        limit = start + self.max_frame_size
        place = buffer.find(self._stop, first + looked, min(end, limit))
        if not self._start_inside:
            self._check_inside(buffer, first + looked, place, min(end, limit))
        if place >= 0:
            return place + len(self._stop) - start
        if end >= limit:
            raise FrameTooLargeError(
                "no stop within the limit",
                offset=start,
                max_frame_size=self.max_frame_size,
                hint="raise max_frame_size, or check that this is the peer's stop",
            )
        return None

    def _check_inside(self, buffer: Buffer, first: int, place: int, end: int) -> None:
        """Refuse a start that begins before the stop at `place`, if there is one."""
        # It may reach into the stop, as "ab" into "bc", and has to be told before the stop is there, too.
        inside = buffer.find(self._start, first, min(end, place + len(self._start) - 1) if place >= 0 else end)
        if inside >= 0:
            raise HeaderError(
                "a frame starts inside a frame, whose stop is missing",
                offset=inside,
                field="stop",
                expected=self._stop,
                found=self._start,
            )

    def _resync(self, buffer: Buffer, start: int, end: int, ended: bool) -> tuple[int, bool]:  # noqa: ARG002 - the contract's signature
        """Go on at the next start, or behind the next stop; see `FrameFormat.resync`. [F102]"""
        sought = self._stop if self._start_inside else self._start
        place = buffer.find(sought, start, end)
        if place < 0:
            return max(start, end - len(sought) + 1), False  # one may have begun in the last bytes
        return place + len(sought) * self._start_inside, True

    def measurer(self) -> Measure:
        """Return a `measure` that goes on searching where it stopped."""
        looked, overlap = 0, max(len(self._start), len(self._stop)) - 1

        def measure(buffer: Buffer, start: int, end: int) -> int | None:
            nonlocal looked
            total = self.measure_from(buffer, start, end, looked)
            # Either may have begun in the last bytes.
            looked = max(0, end - start - len(self._start) - overlap) if total is None else 0
            return total

        return measure

    def _scan(self, buffer: bytes, start: int, end: int, limit: int, out: list[bytes]) -> int:
        """Cut many frames; see `FrameFormat.scan`."""
        room = len(out) + limit
        while len(out) < room:
            window = min(end, start + _SCANNED_SIZE)
            stop = self._split(buffer, start, window, room - len(out), out)
            if stop == start:
                return self._scan_slowly(buffer, start, end if window == end else window, room - len(out), out)
            start = stop
        return start

    def _split(self, buffer: bytes, start: int, end: int, limit: int, out: list[bytes]) -> int:
        """Cut many frames with one `bytes.split` at stop and start, if nothing in the window is odd."""
        begin, stop = self._start, self._stop
        first, last = start + len(begin), buffer.rfind(stop, start, end)
        if limit < _SCANNED_COUNT or not self._splits or last < first or buffer[start:first] != begin:
            return start
        parts = buffer[first:last].split(stop + begin)
        between = len(parts) - 1
        # Neither overlaps itself, so that counting finds each: there is none but those that were split at.
        if buffer.count(stop, first, last) != between:
            return start
        if not self._start_inside and buffer.count(begin, first, last + len(stop)) != between:
            return start
        del parts[limit:]
        most = self.max_frame_size - len(begin) - len(stop)
        if max(map(len, parts)) > most:
            del parts[next(place for place, part in enumerate(parts) if len(part) > most) :]
        out += parts
        return start + sum(map(len, parts)) + len(parts) * (len(begin) + len(stop))

    def _scan_slowly(self, buffer: bytes, start: int, end: int, limit: int, out: list[bytes]) -> int:
        """Cut one frame after the other, where they are few or a look at all of them found something odd."""
        begin_size, find = len(self._start), buffer.find
        for _ in repeat(None, limit):
            first = start + begin_size
            place = find(self._stop, first, min(end, start + self.max_frame_size))
            if place < 0 or buffer[start:first] != self._start:
                break
            if not self._start_inside and find(self._start, first, place + begin_size - 1) >= 0:
                break
            out.append(buffer[first:place])
            start = place + len(self._stop)
        return start

    def bounds(self, buffer: Buffer, start: int, end: int) -> tuple[int, int]:  # noqa: ARG002 - the contract's signature
        """Tell where the payload lies: between start and stop."""
        return start + len(self._start), end - len(self._stop)

    def serialize(self, payload: bytes, fields: Mapping[str, Any] | None = None) -> bytes:
        """Return start, payload and stop.

        Raises:
            EncodeError: the payload contains the stop, or the start where it must not: the peer would cut it there.
        """
        if fields:
            raise EncodeError("this format has no header fields", found=tuple(fields))
        data = b"".join((self._start, payload, self._stop))
        self.check_size(len(data))
        try:
            whole = self.measure_from(data, 0, len(data), 0) == len(data)
        except HeaderError:
            whole = False
        if not whole:
            hint = "escape it in the codec, or use a format with a length"
            raise EncodeError("the payload contains the start or the stop", found=payload, hint=hint)
        return data

    def layouts(self) -> dict[str, tuple[Part, ...]]:
        """Tell the bytes around the payload."""
        start, stop = (Part("", len(text), repr(text)[1:]) for text in (self._start, self._stop))
        return {"": (start, Part("payload"), stop)}

    def __repr__(self) -> str:
        inside = ", start_inside=True" if self._start_inside and self._start != self._stop else ""
        return f"EnclosedFormat({self._start!r}, {self._stop!r}{inside}, max_frame_size={self.max_frame_size})"


def _overlaps_itself(text: bytes) -> bool:
    return any(text.startswith(text[-size:]) for size in range(1, len(text)))
