"""FrameParser: chunks, cut anywhere → frames.

A pull looks at the bytes only when a decision is possible: `_needed` bytes are there. What is stored until then, and
why that takes linear time whatever the cut, stands in `framing.store`.

Frames before a bad byte are delivered before its error [F6]; after the error the parser keeps raising it [F8], unless
it was given a recovery policy: see `framing.recovery`.
"""

from typing import TypeVar

from framing.errors import FrameError, FrameTooLargeError, HeaderError, TruncatedFrameError
from framing.frame import Frame, FrameFormat
from framing.recovery import Recovery, Region
from framing.store import ChunkStore

__all__ = ["FrameParser"]

_EVERYTHING = 1 << 62
_Item = TypeVar("_Item")


class FrameParser:
    """Cut a stream into frames: `feed` chunks, then pull until `None` or an empty list says "feed me".

    >>> from framing import get_format
    >>> parser = FrameParser(get_format("u16be"))
    >>> parser.feed(b"\\x00\\x05hel")
    >>> parser.next_frame(), parser.needed_size
    (None, 2)
    >>> parser.feed(b"lo\\x00\\x00")
    >>> parser.take_payloads()
    [b'hello', b'']

    Args:
        format: how the frames are cut.
        offset: where in the stream the first byte fed stands; errors and frames count from there.
        frame_count: how many frames of the stream came before.
        recovery: what to do after a frame error, one of `framing.recovery.POLICY_NAMES`.

    Raises:
        DefinitionError: the format has no means for this policy.
    """

    __slots__ = (
        "_backlog",
        "_batch_count",
        "_batch_start",
        "_begin",
        "_error",
        "_finished",
        "_format",
        "_frame_size",
        "_measure",
        "_needed",
        "_recovery",
        "_region",
        "_store",
        "frame_count",
    )

    def __init__(
        self,
        format: FrameFormat,
        *,
        offset: int = 0,
        frame_count: int = 0,
        recovery: str = "poison",
    ) -> None:
        self._format = format
        self._recovery = None if recovery == "poison" else Recovery(recovery, format)
        self._region: Region | None = None
        self._measure = format.measurer()
        self._store = ChunkStore(offset)
        self._begin = 0  # where the frame begins that _next_stop has found
        self._backlog = False
        self._needed = format.min_size
        self._frame_size: int | None = None
        self._finished = False
        self._error: FrameError | None = None
        self._batch_start = 0
        self._batch_count = 0
        self.frame_count = frame_count

    @property
    def format(self) -> FrameFormat:
        """How the frames are cut."""
        return self._format

    @property
    def offset(self) -> int:
        """Bytes from the stream's start to the first byte that is not yet part of a frame handed out."""
        return self._store.offset

    @property
    def pending_size(self) -> int:
        """Bytes stored and not yet part of a frame handed out."""
        return self._store.size

    @property
    def needed_size(self) -> int | None:
        """Bytes until the next decision: the header or the frame being whole. `None`: any byte may decide."""
        if self._region is not None or (self._frame_size is None and self.pending_size >= self._format.min_size):
            return None
        return max(0, self._needed - self.pending_size)

    @property
    def error(self) -> FrameError | None:
        """The error that has ended the stream, as soon as a pull has met it, or whose bad region is not over yet."""
        return self._region.error if self._region is not None else self._error

    @property
    def frame_end(self) -> int | None:
        """Where in the stream the frame ends that is not whole yet; `None`: there is none, or its size is not known."""
        return None if self._frame_size is None or not self.pending_size else self.offset + self._frame_size

    @property
    def finished(self) -> bool:
        """Whether `finish` was called."""
        return self._finished

    def feed(self, chunk: bytes | bytearray | memoryview) -> None:
        """Store a chunk; nothing is parsed. `bytes` are kept as they are, any other buffer is copied.

        After a `FrameError` the bytes are dropped: nobody can use them, and a peer must not fill memory with them.

        Raises:
            RuntimeError: `finish` was called before.
        """
        if self._finished:
            raise RuntimeError("feed() after finish()")
        if type(chunk) is not bytes:
            chunk = bytes(memoryview(chunk))
        if chunk and self._error is None:
            self._store.add(chunk)

    def finish(self) -> None:
        """Say that the stream has ended. Pulls then deliver what is whole and raise if anything is left over."""
        self._finished = True

    def next_frame(self) -> Frame | None:
        """Return the next whole frame, or `None`: feed me, or after `finish`, the clean end.

        Raises:
            FrameError: the stream is bad from `error.offset` on, now and at every later pull; or, if it has a
                `region_size`, this region was, and the next pull goes on behind it.
        """
        frames = self.take_frames(1)
        return frames[0] if frames else None

    def take_frames(self, limit: int | None = None) -> list[Frame]:
        """Return the whole frames that are there, at most `limit`; an empty list says "feed me" or the clean end.

        With a limit a shorter list does not say that there are no more: only an empty one does.

        Raises:
            FrameError: as `next_frame`, once the frames before the bad byte were taken.
        """
        frames: list[Frame] = []
        while self._ready(limit):
            room = _EVERYTHING if limit is None else limit
            store, format_ = self._store, self._format
            buffer, base, start = store.buffer, store.base, store.start
            assert type(buffer) is bytes  # _ready leaves nothing else
            if format_.scan_frames is not None:
                start = self._scanned(format_.scan_frames(buffer, start, len(buffer), room, frames, base))
            while len(frames) < room and (stop := self._next_stop(start)):
                begin = self._begin
                frames.append(format_.frame(buffer[begin:stop], base + begin))
                start = stop
            if self._advance(start, len(frames), room):
                break
        return self._delivered(frames)

    def take_payloads(self, limit: int | None = None) -> list[bytes]:
        """Return the payloads of the frames that are there: `take_frames` without the frames, and faster.

        Raises:
            FrameError: as `take_frames`.
        """
        payloads: list[bytes] = []
        large_size = self._take_large(payloads) if limit is None or limit > 0 else 0
        while self._ready(limit):
            room = _EVERYTHING if limit is None else limit
            buffer, payload, start = self._store.buffer, self._format.payload, self._store.start
            assert type(buffer) is bytes  # _ready leaves nothing else
            if self._format.scan is not None:
                start = self._scanned(self._format.scan(buffer, start, len(buffer), room - len(payloads), payloads))
            while len(payloads) < room and (stop := self._next_stop(start)):
                payloads.append(payload(buffer, self._begin, stop))
                start = stop
            if self._advance(start, len(payloads), room):
                break
        self._batch_start -= large_size
        return self._delivered(payloads)

    def _take_large(self, payloads: list[bytes]) -> int:
        """Append the payload of a whole frame that lies in many chunks, copied once; return the frame's size or 0."""
        total, store, format_ = self._frame_size, self._store, self._format
        if total is None or store.size < total or not format_.payload_last or format_.verify is not None:
            return 0
        first, _ = format_.bounds(store.buffer, store.start, store.start + total)
        payload = store.take_large(total, first)
        if payload is None:
            return 0
        payloads.append(payload)
        self._need(format_.min_size, None)
        return total

    def take_views(self, limit: int | None = None) -> list[memoryview]:
        """Return the payloads as read-only views of the bytes fed, without a copy.

        A format whose payloads are escaped on the wire has nothing to point at: those are views of a copy. Each view
        keeps the whole chunk (or the join of several) alive that it points into: use it and let it go, and call
        `bytes` on what must last.

        Raises:
            FrameError: as `take_frames`.
        """
        views: list[memoryview] = []
        while self._ready(limit):
            room = _EVERYTHING if limit is None else limit
            format_, buffer, start = self._format, self._store.buffer, self._store.start
            view = memoryview(buffer)
            lies_there = type(format_).payload is FrameFormat.payload
            while len(views) < room and (stop := self._next_stop(start)):
                where = slice(*format_.bounds(buffer, self._begin, stop))
                views.append(view[where] if lies_there else memoryview(format_.payload(buffer, self._begin, stop)))
                start = stop
            if self._advance(start, len(views), room):
                break
        return self._delivered(views)

    def unread(self) -> bytes:
        """Return the stored bytes that are no frame yet and forget them; `offset` stays: they begin there."""
        rest = self._store.take_rest()
        self._need(self._format.min_size, None)
        self._measure = self._format.measurer()
        return rest

    def abandon(self) -> tuple[FrameError | None, int]:
        """Give up what is stored: what follows it is missing. Return the error of an open region, and the size else."""
        region, size = self._region, self._store.size
        if region is None:
            self._store.drop(size)
            return None, size
        region.drop(self._store, size)
        region.close()
        self._region = None
        return region.error, 0

    def peek(self, size: int) -> bytes:
        """Return up to `size` of the stored bytes that are no frame yet, and keep them."""
        return self._store.peek(size)

    def batch_offset(self, index: int) -> int:
        """Return the stream offset of the `index`-th frame of the last batch, for an error report.

        It is measured again, because nothing is kept per frame. Valid until the next `feed` or pull.
        """
        start = self._batch_start
        for _ in range(index):
            # Below 0 lies a large frame, whose bytes never were in the buffer.
            start = self._stop_again(start) if start >= 0 else 0
        return self._store.base + (self._skipped(start) if start >= 0 else start)

    def _stop_again(self, start: int) -> int:
        buffer, start = self._store.buffer, self._skipped(start)
        end = len(buffer)
        return start + (self._format.measure(buffer, start, end) or self._format.measure_last(buffer, start, end) or 0)

    def _skipped(self, start: int) -> int:
        """Return where filler that begins at `start` stops."""
        skip = self._format.skip
        if skip is None:
            return start
        # A limited batch may leave chunks for the next one: then the end has not come.
        store = self._store
        return skip(store.buffer, start, len(store.buffer), self._finished and not store.waiting_size)

    def rewind(self, index: int) -> None:
        """Put the last batch's frames from `index` (1 or more) on back for the next pull; as `batch_offset`."""
        start = self.batch_offset(index) - self._store.base
        self.frame_count -= self._batch_count - index
        self._store.start = start
        self._error = self._region = None  # if one was met, it lies behind the frames put back and will be met again
        self._need(self._format.min_size, None)
        self._measure = self._format.measurer()

    def _scanned(self, start: int) -> int:
        """Go on at `start`, where a scan has stopped; the measurer may remember a frame that the scan has cut."""
        if start > self._store.start:
            self._measure = self._format.measurer()
        return start

    def _advance(self, start: int, count: int, room: int) -> bool:
        """Note that a batch of `count` items ends at `start`; false: none yet, and what is only stored may hold some.

        A full one may have left whole frames, of which nothing is known. The next limited pull looks there first: who
        feeds a chunk and pulls one frame, again and again, must not have the whole backlog copied each time.
        """
        self._backlog = count >= room
        if self._backlog:
            self._store.start = start
            self._need(self._format.min_size, None)
        return self._backlog or count > 0 or not self._store.waiting_size

    def _ready(self, limit: int | None) -> bool:
        """Bring what is stored into one `bytes` buffer, if it can decide anything."""
        store = self._store
        self._batch_start, self._batch_count = store.start, 0
        if self._error is not None or self._region is not None:
            return False
        size = store.size
        if not size or (size < self._needed and not self._finished):
            return False
        if limit is not None and self._backlog and type(store.buffer) is bytes and store.start < len(store.buffer):
            return True
        store.gather(once=self._frame_size is not None)
        start = store.start
        if type(store.buffer) is not bytes:
            # What remembers a frame would count it twice; and how much is needed was known, so it is mostly whole.
            if not self._format.remembers and not self._next_stop(start):
                return False
            store.start = start
            store.freeze()  # the frame is whole: cut it, and what follows, from bytes
        self._batch_start = store.start
        return True

    def _next_stop(self, start: int) -> int:
        """Return where the frame at `start` ends, or 0, having noted what is missing or what is wrong."""
        store, format_ = self._store, self._format
        buffer, end = store.buffer, len(store.buffer)
        ended = self._finished and not store.waiting_size  # a limited batch may leave chunks for the next one
        start = start if format_.skip is None else self._skipped(start)
        store.start = self._begin = start
        if start == end:
            self._need(format_.min_size, None)
            return 0
        total = None
        try:
            total = self._measure(buffer, start, end)
            if total is None and ended:
                total = format_.measure_last(buffer, start, end)
            if total is not None:
                if not 0 < total <= format_.max_frame_size:  # [F5]
                    self._refuse(total)
                stop = start + total
                if stop <= end:
                    if format_.verify is not None:
                        format_.verify(buffer, start, stop)
                    store.start = stop
                    return stop
            self._need(max(format_.min_size, end - start + 1) if total is None else total, total)
            if ended:
                self._refuse_rest()
        except FrameError as error:
            self._fail(error, total)
        return 0

    def _refuse(self, total: int) -> None:
        if total <= 0:  # a mistake in a third party's format must not become an endless loop
            raise HeaderError(
                f"format {self._format.name} measured a frame of {total} bytes, which would never end",
                offset=self._store.start,
            )
        raise FrameTooLargeError(
            f"a frame of format {self._format.name} is too large",
            offset=self._store.start,
            frame_size=total,
            max_frame_size=self._format.max_frame_size,
            hint="raise max_frame_size if the peer is to be trusted with as much memory",
        )

    def _need(self, needed: int, frame_size: int | None) -> None:
        self._needed = needed
        self._frame_size = frame_size

    def _refuse_rest(self) -> None:
        raise TruncatedFrameError(  # [F4]
            "the stream ended inside a frame",
            offset=self._store.start,
            pending_size=self.pending_size,
            frame_size=self._frame_size,
        )

    def _fail(self, error: FrameError, total: int | None) -> None:
        # [F7] what the format says counts from the buffer's start
        store = self._store
        error.offset = store.base + (store.start if error.offset is None else error.offset)
        self._frame_size = None  # of the frame before, if any: nothing is known of what follows
        if self._recovery is not None:
            if total is not None and total <= 0:
                total = None
            is_whole = total is not None and total <= min(self._format.max_frame_size, len(store.buffer) - store.start)
            self._region = self._recovery.region(error, store.offset, total, is_whole)
        if self._region is None:
            self._error = error
            store.drop_waiting()

    def _delivered(self, batch: list[_Item]) -> list[_Item]:
        """Count a batch; raise the error that was met only if no good frame came before it."""
        self.frame_count += len(batch)
        self._batch_count = len(batch)
        error = self.error
        if error is not None:
            if error.frame_number is None:
                error.frame_number = self.frame_count
            if not batch and (self._region is None or self._passed(self._region)):
                raise error.with_traceback(None)
        return batch

    def _passed(self, region: Region) -> bool:
        """Whether a bad region is over; then the next pull goes on behind it. [F100]"""
        if not region.advance(self._store, self._finished):
            return False
        region.close()
        self._region = None
        self._need(self._format.min_size, None)
        self._measure = self._format.measurer()
        self._backlog = True  # perhaps: a limited pull looks
        return True
