"""The bytes of flows → records: a conversation for each connection, and what became of each of its directions.

    Chunk ──feed──> Conversation ──next_item──> frame ──decode──> FrameRecord, or ErrorRecord: the next frame is fine
                         └── FrameError, Gap ──> ErrorRecord, GapRecord: the rest of this direction is skipped

The other direction goes on, as do all other connections. Frames are pulled as soon as their last byte has come, so a
frame's packet is the one that completed it, and what is held are unfinished frames alone.
"""

from collections.abc import Iterator

from framing.capture.flow import EndReason, GapReason
from framing.capture.records import HEAD_SIZE, ErrorRecord, FrameRecord, GapRecord, Record, SummaryRecord
from framing.conversation import Conversation, DirectionReader
from framing.errors import DecodeError, FrameError, FrameTooLargeError, TruncatedFrameError
from framing.frame import Frame
from framing.protocol import Protocol, Side, other_side

__all__ = ["ConversationDecoder"]


class ConversationDecoder:
    """One connection: bytes and gaps of either side in, records out.

    Args:
        protocol: both directions' wire formats.
        names: what records call the flow of each side.
        midstream: the beginning was not seen, so that it is a guess, too, which side is which.
    """

    __slots__ = ("_has_phases", "_tracks")

    def __init__(self, protocol: Protocol, names: dict[Side, str], *, midstream: bool = False) -> None:
        conversation = Conversation(protocol, midstream=midstream)
        self._tracks = {side: _Track(name, side, midstream, conversation.reader(side)) for side, name in names.items()}
        self._has_phases = len(protocol.client.phases) + len(protocol.server.phases) > 2

    def feed(self, side: Side, data: bytes, time_ns: int | None, packet_number: int | None) -> Iterator[Record]:
        """Yield what the next bytes of a side bring to light."""
        track = self._tracks[side]
        track.feed(data, time_ns, packet_number)
        return self._pulled(side) if self._has_phases else track.pull()

    def gap(self, side: Side, gap: tuple[int, int, GapReason], time_ns: int | None, packet_number: int) -> GapRecord:
        """Take note that bytes are missing (offset, size, reason): nothing behind them can be cut."""
        return self._tracks[side].gap(gap, time_ns, packet_number)

    def finish(self, side: Side) -> Iterator[Record]:
        """Yield what the end of a side brings to light."""
        self._tracks[side].finish()
        return self._pulled(side)

    def summary(self, side: Side, end: EndReason | None = None, packet_count: int = 0) -> SummaryRecord:
        """Return the counts of a side."""
        return self._tracks[side].summary(end, packet_count)

    def _pulled(self, side: Side) -> Iterator[Record]:
        yield from self._tracks[side].pull()
        # What one side says may decide how bytes of the other are cut that were there before.
        other = other_side(side)
        while other in self._tracks and self._tracks[other].has_moved:
            yield from self._tracks[other].pull()
            other = other_side(other)


class _Track:
    """One direction: its reader and its counts."""

    __slots__ = (
        "error_count",
        "frame_count",
        "framed_size",
        "gap_count",
        "is_stopped",
        "missing_size",
        "phase",
        "place",
        "reader",
        "size",
        "tail_size",
    )

    def __init__(self, name: str, side: Side, is_guessed: bool, reader: DirectionReader) -> None:
        # What each record begins with: of the last packet that had bytes.
        self.place: tuple[str, Side, bool, int | None, int | None] = (name, side, is_guessed, None, None)
        self.reader = reader
        self.phase = reader.phase
        self.is_stopped = False
        self.size = self.frame_count = self.framed_size = self.tail_size = 0
        self.error_count = self.gap_count = self.missing_size = 0

    @property
    def has_moved(self) -> bool:
        """Whether the other side has moved this one to another phase since it was pulled."""
        return self.reader.phase is not self.phase

    def feed(self, data: bytes, time_ns: int | None, packet_number: int | None) -> None:
        self.size += len(data)
        if not self.is_stopped:
            self.place = (*self.place[:3], time_ns, packet_number)
            self.reader.feed(data)

    def pull(self) -> Iterator[Record]:
        reader = self.reader
        while not self.is_stopped:
            try:
                item = reader.next_item()
            except FrameError as error:
                yield self._stopped(error)
                break
            if item is None:
                break
            frame, decoder = item
            number = self.frame_count
            self.frame_count += 1
            self.framed_size += len(frame.data)
            try:
                message = decoder.decode(frame)
            except DecodeError as error:
                yield self._refused(error, frame, number)
            else:
                yield FrameRecord(*self.place, number, frame, message)
        self.phase = reader.phase

    def gap(self, gap: tuple[int, int, GapReason], time_ns: int | None, packet_number: int) -> GapRecord:
        offset, size, reason = gap
        self.gap_count += 1
        self.missing_size += size
        pending_size = 0 if self.is_stopped else len(self.reader.unread())
        self.is_stopped = True
        return GapRecord(*self.place[:3], time_ns, packet_number, offset, size, reason, pending_size)

    def finish(self) -> None:
        if not self.is_stopped:
            self.reader.finish()

    def summary(self, end: EndReason | None, packet_count: int) -> SummaryRecord:
        return SummaryRecord(
            *self.place[:3],
            frame_count=self.frame_count,
            size=self.size,
            error_count=self.error_count,
            gap_count=self.gap_count,
            missing_size=self.missing_size,
            skipped_size=self.size - self.framed_size - self.tail_size,
            tail_size=self.tail_size,
            end=end,
            packet_count=packet_count,
        )

    def _stopped(self, error: FrameError) -> ErrorRecord:
        self.is_stopped = True
        self.error_count += 1
        offset = self.reader.offset
        head = self.reader.unread()[:HEAD_SIZE]
        error.flow = self.place[0]
        if isinstance(error, TruncatedFrameError):
            self.tail_size = self.size - self.framed_size
        elif isinstance(error, FrameTooLargeError):
            error.hint = "max_frame_size=…, or --max-frame-size, changes the limit"
        return ErrorRecord(*self.place, error.with_traceback(None), offset, self.frame_count, head)

    def _refused(self, error: DecodeError, frame: Frame, number: int) -> ErrorRecord:
        self.error_count += 1
        error.flow, error.frame_number, error.frame_offset = self.place[0], number, frame.offset
        return ErrorRecord(*self.place, error.with_traceback(None), frame.offset, number, frame.data[:HEAD_SIZE])
