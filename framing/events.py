"""EventParser: frames as they are, and those that are too large to be held in pieces.

    Frame                                          a frame within the format's `max_frame_size`
    FrameStart, FramePiece, …, FrameEnd            a larger one: header, payload as it comes, trailer and verdict

Spec: [F105] to [F107].
"""

from typing import Any, NamedTuple

from framing.errors import DefinitionError, FrameError, FrameTooLargeError, HeaderError, TruncatedFrameError
from framing.frame import Frame, FrameFormat, OpenFrame
from framing.parser import FrameParser
from framing.store import ChunkStore

__all__ = ["EventParser", "FrameEnd", "FramePiece", "FrameStart"]


class FrameStart(NamedTuple):
    """A large frame begins.

    Attributes:
        number: of the frame in the stream, from 0.
        offset: of its first byte in the stream.
        size: bytes of the whole frame.
        payload_size: bytes of its payload.
        header: the fields in front of the payload.
    """

    number: int
    offset: int
    size: int
    payload_size: int
    header: dict[str, Any]


class FramePiece(NamedTuple):
    """The next bytes of a large frame's payload, as soon as they came.

    Attributes:
        offset: of the first one in the payload.
        data: at least one byte.
    """

    offset: int
    data: bytes


class FrameEnd(NamedTuple):
    """A large frame is over.

    Attributes:
        trailer: padding and the fields behind the payload; empty if they are wrong.
        error: what is wrong with trailer or checksum; `None`: the frame is good.
    """

    trailer: dict[str, Any]
    error: FrameError | None


Event = Frame | FrameStart | FramePiece | FrameEnd


class EventParser:
    """Cut a stream into frames, the large ones in pieces: `feed` chunks, then pull until `None` says "feed me".

    >>> from framing import get_format
    >>> parser = EventParser(get_format("u32be", max_frame_size=8))
    >>> parser.feed(b"\\0\\0\\0\\2hi" + b"\\0\\0\\0\\x09a long ")
    >>> [parser.next_event() for _ in range(4)][1:]  # doctest: +NORMALIZE_WHITESPACE
    [FrameStart(number=1, offset=6, size=13, payload_size=9, header={'length': 9}),
     FramePiece(offset=0, data=b'a long '), None]

    Args:
        format: how the frames are cut. Its `max_frame_size` bounds the frames that come whole, and of the others what
            is in front of the payload and behind it.
        max_size: limit on a frame in pieces; by default what its length can announce. [F107]

    Attributes:
        format: as given.
        frame_count: frames so far, those in pieces included.

    Raises:
        DefinitionError: this format's frames do not come in pieces.
    """

    def __init__(self, format: FrameFormat, *, max_size: int | None = None) -> None:
        if not format.comes_in_pieces:
            raise DefinitionError(
                f"frames of format {format.name} do not come in pieces",
                key="format",
                found=repr(format),
                allowed="a format that tells the size first, and whose checksums can be carried on",
            )
        self.format = format
        self.frame_count = 0
        self._wide = format.limited(max_size if max_size is not None else 1 << 72)
        self._measure = self._wide.measurer()
        self._store = ChunkStore(0)
        self._needed = format.min_size
        self._large: _Large | None = None
        self._finished = False
        self._error: FrameError | None = None

    @property
    def offset(self) -> int:
        """Bytes from the stream's start to the first one that is not handed out."""
        return self._store.offset

    @property
    def pending_size(self) -> int:
        """Bytes stored and not handed out."""
        return self._store.size

    @property
    def error(self) -> FrameError | None:
        """The error that has ended the stream."""
        return self._error

    def feed(self, chunk: bytes | bytearray | memoryview) -> None:
        """Store a chunk, as `FrameParser.feed` does.

        Raises:
            RuntimeError: `finish` was called before.
        """
        if self._finished:
            raise RuntimeError("feed() after finish()")
        if len(chunk) and self._error is None:
            self._store.add(chunk if type(chunk) is bytes else bytes(memoryview(chunk)))

    def finish(self) -> None:
        """Say that the stream has ended."""
        self._finished = True

    def next_event(self) -> Event | None:
        """Return the next event, or `None`: feed me, or after `finish`, the clean end.

        Raises:
            FrameError: the stream is bad from `error.offset` on, now and at every later pull. What is wrong with the
                trailer of a frame in pieces is told by its `FrameEnd` instead, and the next frame is fine.
        """
        if self._error is not None:
            raise self._error.with_traceback(None)
        try:
            return self._begun() if self._large is None else self._continued(self._large)
        except FrameError as error:
            error.frame_number = self.frame_count
            self._error = error
            self._store.take_rest()
            raise

    def _begun(self) -> Event | None:
        store, form = self._store, self.format
        if store.size < self._needed and not self._finished:
            return None
        while True:
            kept_size = len(store.buffer) - store.start
            total = self._measured() if kept_size >= form.min_size or (kept_size and not store.waiting_size) else None
            if total is not None and total > form.max_frame_size:
                return self._opened(total)
            if total is not None and total <= kept_size:
                return self._whole(total)
            if not store.waiting_size:
                break
            store.gather(once=total is not None)  # not before: a backlog must not be copied for each of its frames
        if kept_size:
            self._wait(total if total is not None else max(form.min_size, kept_size + 1), total)
        return None

    def _measured(self) -> int | None:
        store = self._store
        try:
            total = self._measure(store.buffer, store.start, len(store.buffer))
        except FrameError as error:
            raise self._placed(error, store.start) from None
        if total is not None and total <= 0:  # a third party's mistake must not become an endless loop
            raise HeaderError(f"format {self.format.name} measured a frame of {total} bytes", offset=self.offset)
        if total is not None and total > self._wide.max_frame_size:
            raise FrameTooLargeError(
                f"a frame of format {self.format.name} is too large even in pieces",
                offset=self.offset,
                frame_size=total,
                max_frame_size=self._wide.max_frame_size,
                hint="raise max_size",
            )
        return total

    def _placed(self, error: FrameError, start: int) -> FrameError:
        error.offset = self._store.base + (start if error.offset is None else error.offset)
        return error

    def _wait(self, needed: int, total: int | None) -> None:
        self._needed = needed
        if self._finished:
            raise TruncatedFrameError(  # [F4]
                "the stream ended inside a frame", offset=self.offset, pending_size=self.pending_size, frame_size=total
            )

    def _whole(self, total: int) -> Frame:
        store = self._store
        parser = FrameParser(self.format, offset=self.offset)  # which looks at checksums and trailers
        parser.feed(bytes(store.buffer[store.start : store.start + total]))
        frame = parser.next_frame()
        assert frame is not None  # its size was measured
        store.drop(total)
        self._advance()
        return frame

    def _opened(self, total: int) -> FrameStart:
        store = self._store
        first, last = self._wide.bounds(store.buffer, store.start, store.start + total)
        head_size, payload_size = first - store.start, last - first
        rest_size = total - head_size - payload_size
        if head_size + rest_size > self.format.max_frame_size:
            raise FrameTooLargeError(
                "header, padding and trailer alone are too large",
                offset=self.offset,
                frame_size=total,
                max_frame_size=self.format.max_frame_size,
            )
        opened = self._wide.opened(bytes(store.buffer[store.start : first]), total)
        event = FrameStart(self.frame_count, self.offset, total, payload_size, opened.header)
        store.drop(head_size)
        self._large = _Large(opened, event.offset, total, payload_size, rest_size)
        return event

    def _continued(self, large: "_Large") -> Event | None:
        store = self._store
        if large.passed < large.payload_size:
            piece = store.take_piece(large.payload_size - large.passed)
            if piece:
                offset = large.passed
                large.passed += len(piece)
                return FramePiece(offset, large.opened.update(piece))
        elif store.size >= large.rest_size:
            return self._ended(large)
        if self._finished:
            raise TruncatedFrameError(
                "the stream ended inside a frame",
                offset=large.offset,
                pending_size=self.offset + self.pending_size - large.offset,
                frame_size=large.total,
            )
        return None

    def _ended(self, large: "_Large") -> FrameEnd:
        rest = self._store.peek(large.rest_size)
        self._store.drop(large.rest_size)
        self._large = None
        number = self.frame_count
        self._advance()
        try:
            return FrameEnd(large.opened.close(rest), None)
        except FrameError as error:
            error.offset = large.offset + (error.offset or 0)
            error.frame_number = number
            return FrameEnd({}, error.with_traceback(None))

    def _advance(self) -> None:
        self.frame_count += 1
        self._needed = self.format.min_size


class _Large:
    """A frame that is passing."""

    __slots__ = ("offset", "opened", "passed", "payload_size", "rest_size", "total")

    def __init__(self, opened: OpenFrame, offset: int, total: int, payload_size: int, rest_size: int) -> None:
        self.opened = opened
        self.offset = offset
        self.total = total
        self.payload_size = payload_size
        self.rest_size = rest_size
        self.passed = 0
