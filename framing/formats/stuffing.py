"""What byte stuffing has in common: one byte that ends frames and stands nowhere inside.

    +- - - -+- - - - - - - - - - - - -+------+- - - - - - - - - - - - -+------+
    | flag  |   payload, stuffed      | flag |   payload, stuffed      | flag |
    +- - - -+- - - - - - - - - - - - -+------+- - - - - - - - - - - - -+------+

Whatever happens inside a frame, the next flag ends it. So the size is found by `bytes.find`, many frames are cut by
one `bytes.split`, and only a frame with something to undo is looked at any closer. Spec: [F40], [F43].
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from framing.errors import EncodeError, FrameError, FrameTooLargeError, HeaderError
from framing.frame import Buffer, FrameFormat, Measure

__all__ = ["StuffedFormat"]

# From how many frames on one split is quicker than as many finds.
_SCANNED_COUNT = 32

# How many bytes a scan splits at first, how many times as many next, if all was good, and the most that it copies; in
# each as many contents at most as if they had so many bytes. What lies behind a bad frame is split again when a parser
# has recovered: were it always the most, then who sends nothing but bad frames would have all split a thousand times.
_FIRST_SIZE = 1 << 12
_GROWTH = 16
_MOST_SIZE = 1 << 16
_CONTENT_SIZE = 32

# Longer than most runs of filler, so that one window is the rule.
_WINDOW_SIZE = 256


class StuffedFormat(FrameFormat):
    """Frames that end with a flag, which stuffing keeps out of them; a subclass says how.

    Attributes:
        flag: the byte.
        skips: whether flags in a row are filler. Then one flag may also open a frame. [F43]
        opening: what `serialize` writes in front: the flag, or nothing.
    """

    flag: ClassVar[bytes]
    skips: bool = True
    opening: bytes = b""
    resyncs_at = "delimiter"

    def _prepare(self) -> None:
        self.resync = self._resync
        self.scan = self._scan
        self.verify = self._verify  # bound to this object, whose options they need
        self.skip = self._skip if self.skips else None

    @abstractmethod
    def unstuffed(self, content: bytes, offset: int) -> bytes:
        """Return the payload of what stands before the flag, never empty.

        Raises:
            HeaderError, ChecksumError: no frame of this format has such a content, which lies at `offset`.
        """

    @abstractmethod
    def unstuffed_many(self, contents: list[bytes], window: bytes) -> list[bytes]:
        """Do the same for several, quicker.

        Args:
            contents: what stands before one flag each, none of them empty.
            window: the bytes that they were cut from, and perhaps more.

        Raises:
            FrameError: one of them, no matter which, is wrong.
        """

    @abstractmethod
    def stuffed(self, payload: bytes) -> bytes:
        """Return the payload without any flag in it."""

    def measure(self, buffer: Buffer, start: int, end: int) -> int | None:
        """Tell the total size once the flag is there. [F40]"""
        return self._measure_from(buffer, start, end, start)

    def _measure_from(self, buffer: Buffer, start: int, end: int, looked: int) -> int | None:
        limit = start + self.max_frame_size
        place = buffer.find(self.flag, max(looked, self._content_start(buffer, start)), min(end, limit))
        if place < 0 and end >= limit:  # [F5]
            raise FrameTooLargeError(
                f"no end of a frame of format {self.name} within the limit",
                offset=start,
                max_frame_size=self.max_frame_size,
                hint="raise max_frame_size, or check that the peer uses this format",
            )
        return None if place < 0 else place + 1 - start

    def measurer(self) -> Measure:
        """Return a `measure` that goes on searching where it stopped."""
        looked_size = 0

        def measure(buffer: Buffer, start: int, end: int) -> int | None:
            nonlocal looked_size
            # What is skipped meanwhile are flags, before anything else: none of them was looked at as a frame's end.
            total = self._measure_from(buffer, start, end, start + looked_size)
            looked_size = 0 if total is not None else end - start
            return total

        return measure

    def _resync(self, buffer: Buffer, start: int, end: int, ended: bool) -> tuple[int, bool]:  # noqa: ARG002 - the contract's signature
        """Go on behind the next flag; see `FrameFormat.resync`. [F102]"""
        place = buffer.find(self.flag, start, end)
        return (place + 1, True) if place >= 0 else (end, False)

    def _content_start(self, buffer: Buffer, start: int) -> int:
        return start + (self.skips and buffer[start] == self.flag[0])

    def _skip(self, buffer: Buffer, start: int, end: int, ended: bool) -> int:
        """Skip flags in a row, up to the last one, which may open a frame; see `FrameFormat.skip`. [F43]"""
        stop, size = start, _WINDOW_SIZE
        while stop < end:
            window = buffer[stop : min(end, stop + size)]
            rest_size = len(window.lstrip(self.flag))
            stop, size = stop + len(window) - rest_size, 2 * size
            if rest_size:
                break
        return stop if stop == start or (ended and stop == end) else stop - 1

    def bounds(self, buffer: Buffer, start: int, end: int) -> tuple[int, int]:
        """Tell where the stuffed payload lies, and all that is stuffed with it: between the flags."""
        return self._content_start(buffer, start), end - 1

    def payload(self, buffer: Buffer, start: int, end: int) -> bytes:
        """Return the payload, no longer stuffed.

        Raises:
            HeaderError, ChecksumError: the frame is wrong, which `verify` has said before.
        """
        first, last = self.bounds(buffer, start, end)
        if first >= last:
            raise HeaderError(
                f"a frame of format {self.name} has at least one byte before its end",
                offset=last,
                field="content",
                expected="any other byte",
                found=self.flag,
            )
        return self.unstuffed(bytes(buffer[first:last]), first)

    def _verify(self, buffer: Buffer, start: int, end: int) -> None:
        self.payload(buffer, start, end)

    def _scan(self, buffer: bytes, start: int, end: int, limit: int, out: list[bytes]) -> int:
        """Cut many frames; see `FrameFormat.scan`."""
        if limit < _SCANNED_COUNT:
            return start  # a split copies all that is there, each time, and these few are quickly found
        room, size = len(out) + limit, _FIRST_SIZE
        while len(out) < room:
            window = buffer[start : min(end, start + size)]
            contents = window.split(self.flag, min(size // _CONTENT_SIZE, room - len(out)))
            stop = start + len(window) - len(contents.pop())  # the frame whose flag is still to come
            while self.skips and contents and not contents[-1]:
                contents.pop()  # filler belongs to what follows
                stop -= 1
            if contents:
                try:
                    out += self._taken(contents, window)
                except FrameError:
                    return self._cut_carefully(contents, start, out)
                start = stop
            elif size >= _MOST_SIZE:
                break
            size = min(size * _GROWTH, _MOST_SIZE)
        return start

    def _taken(self, contents: list[bytes], window: bytes) -> list[bytes]:
        frames = contents
        if self.skips:
            if not contents[0] and contents[::2].count(b"") == len(contents[::2]):
                frames = contents[1::2]  # each has its own flag in front
            if not all(frames):
                frames = list(filter(None, contents))
        # Two flags: measure knows whether the frame has its own one in front.
        if len(window) + 2 > self.max_frame_size and max(map(len, frames)) + 2 > self.max_frame_size:
            raise FrameTooLargeError("one of these frames is over the limit")
        if not self.skips and not all(frames):
            raise HeaderError("one of these frames is empty")
        return self.unstuffed_many(frames, window)

    def _cut_carefully(self, contents: list[bytes], start: int, out: list[bytes]) -> int:
        """Take the frames before the first that is odd, and return where they stop."""
        place = stop = start
        for content in contents:
            place += len(content) + 1
            if content:
                try:
                    payload = self.unstuffed(content, 0)
                except FrameError:
                    break
                if len(content) + 2 > self.max_frame_size:
                    break
                out.append(payload)
                stop = place
            elif not self.skips:
                break
        return stop

    def serialize(self, payload: bytes, fields: Mapping[str, Any] | None = None) -> bytes:
        """Return the stuffed payload and the flag.

        Raises:
            EncodeError: the payload is empty, which in this format looks like no frame at all. [F43]
            FrameTooLargeError: with all that stuffing adds the frame is over the limit.
        """
        if fields:
            raise EncodeError("this format has no header fields", found=tuple(fields))
        content = self.stuffed(b"".join((payload,)))
        if not content:
            raise EncodeError(
                f"an empty payload would be no frame of format {self.name}, but an idle line",
                found=payload,
                hint="use a format with a checksum or a length, or let the codec write at least one byte",
            )
        self.check_size(len(self.opening) + len(content) + 1)
        return b"%b%b%b" % (self.opening, content, self.flag)
