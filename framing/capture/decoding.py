"""The bytes of flows → records: a conversation for each connection, and what became of each of its directions.

    Chunk ──feed──> Conversation ──next_item──> frame ──decode──> FrameRecord, or ErrorRecord: the next frame is fine
                         └── FrameError, Gap ──> ErrorRecord, GapRecord: the rest of this direction is skipped

The other direction goes on, as do all other connections. Frames are pulled as soon as their last byte has come, so a
frame's packet is the one that completed it, and what is held are unfinished frames alone.
"""

from collections.abc import Iterator

from framing.capture.flow import EndReason, GapReason, Mark
from framing.capture.records import HEAD_SIZE, ErrorRecord, FrameRecord, GapRecord, Record, SummaryRecord
from framing.conversation import Conversation, DirectionReader
from framing.errors import DecodeError, FrameError, FrameTooLargeError, TruncatedFrameError
from framing.frame import Frame
from framing.parser import FrameParser
from framing.protocol import Protocol, Side, other_side
from framing.wire import WireFormat

__all__ = ["ConversationDecoder", "DatagramDecoder"]


class ConversationDecoder:
    """One connection: bytes and gaps of either side in, records out.

    Args:
        protocol: both directions' wire formats.
        names: what records call the flow of each side.
        midstream: the beginning was not seen, so that it is a guess, too, which side is which.
        frames: whether there are records for the frames that are good; without, they are only counted.
    """

    __slots__ = ("_has_phases", "_tracks")

    def __init__(
        self, protocol: Protocol, names: dict[Side, str], *, midstream: bool = False, frames: bool = True
    ) -> None:
        conversation = Conversation(protocol, midstream=midstream)
        self._tracks = {side: _Track(name, side, midstream, conversation.reader(side)) for side, name in names.items()}
        for track in self._tracks.values():
            track.has_records = frames
        self._has_phases = len(protocol.client.phases) + len(protocol.server.phases) > 2

    def feed(self, side: Side, data: bytes, time_ns: int | None, packet_number: int | None) -> Iterator[Record]:
        """Yield what the next bytes of a side bring to light."""
        track = self._tracks[side]
        track.feed(data, time_ns, packet_number)
        return self._pulled(side) if self._has_phases else track.pull()

    @property
    def is_settled(self) -> bool:
        """Whether nothing that one side says changes any more how bytes of the other are cut."""
        return all(track.reader.is_settled for track in self._tracks.values())

    def feed_joined(self, side: Side, data: bytes, marks: list[Mark]) -> list[Record]:
        """Return what the next bytes of a side bring to light, once both are settled.

        Args:
            side: which side.
            data: the bytes of one packet or of several.
            marks: where in them those of each packet end.
        """
        return self._tracks[side].feed_joined(data, marks)

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


class DatagramDecoder(ConversationDecoder):
    """One connection of payloads that stand alone: what is wrong in one is wrong in no other.

    Each is cut from its first byte to its last; what is left over is an error of that payload. Spec: [R8]
    """

    __slots__ = ()

    @property
    def is_settled(self) -> bool:
        """Never: packets must come one by one."""
        return False

    def feed(self, side: Side, data: bytes, time_ns: int | None, packet_number: int | None) -> Iterator[Record]:
        """Yield what a payload holds."""
        track = self._tracks[side]
        track.reader.begin_again(track.size + track.missing_size)
        track.is_stopped = False
        track.feed(data, time_ns, packet_number)
        track.reader.finish()
        yield from self._pulled(side)
        track.is_stopped, track.tail_size = True, 0


class _Track:
    """One direction: its reader and its counts."""

    __slots__ = (
        "error_count",
        "frame_count",
        "framed_size",
        "gap_count",
        "has_records",
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
        self.has_records = True
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

    def feed_joined(self, data: bytes, marks: list[Mark]) -> list[Record]:
        """Feed and pull many packets at once; the records are those that they give one by one."""
        if self.is_stopped:
            self.size += len(data)
            return []
        reader, begin = self.reader, self.reader.offset + self.reader.pending_size
        if not reader.wire.format.size_first or reader.wire.recovery != "poison":
            return self._one_by_one(data, marks)
        self.size += len(data)
        reader.feed(data)
        records: list[Record] = []
        try:
            while frames := reader.take_frames():
                self._add_frames(frames, marks, begin, records)
        except FrameError as error:
            records.append(self._met(error, marks, begin))
        else:
            self.place = (*self.place[:3], *marks[-1][1:])
        return records

    def _one_by_one(self, data: bytes, marks: list[Mark]) -> list[Record]:
        records: list[Record] = []
        start = 0
        for stop, time_ns, packet_number in marks:
            self.feed(data[start:stop], time_ns, packet_number)
            records += self.pull()
            start = stop
        return records

    def _add_frames(self, frames: list[Frame], marks: list[Mark], begin: int, records: list[Record]) -> None:
        """Make records of frames that lie one behind the other; `marks` count from the stream offset `begin`."""
        decoder, number = self.reader.decoder, self.frame_count
        maker = decoder if isinstance(decoder, WireFormat) and decoder.takes_all else None
        self.frame_count += len(frames)
        self.framed_size += frames[-1].offset + frames[-1].size - frames[0].offset
        if maker is not None and not self.has_records:
            return
        flow, side, is_guessed = self.place[:3]
        message = None
        packets = iter(marks)
        size, time_ns, packet_number = next(packets)
        for frame in frames:
            while frame.offset + len(frame.data) > begin + size:
                size, time_ns, packet_number = next(packets)
            try:
                if maker is None:
                    message = decoder.decode(frame)
            except DecodeError as error:
                self.place = flow, side, is_guessed, time_ns, packet_number
                records.append(self._refused(error, frame, number))
            else:
                if self.has_records:
                    place = flow, side, is_guessed, time_ns, packet_number
                    records.append(FrameRecord(*place, number, frame, message, wire=maker))
            number += 1

    def _met(self, error: FrameError, marks: list[Mark], begin: int) -> ErrorRecord:
        """Find the packet with which an error came to light: the bad frame is fed again, packet by packet."""
        offset = self.reader.offset
        rest = self.reader.unread()
        parser = FrameParser(self.reader.wire.format, offset=offset, frame_count=self.frame_count)
        start = 0
        for end, time_ns, packet_number in marks:
            stop = begin + end - offset
            if stop > start:
                parser.feed(rest[start:stop])
                start = stop
                self.place = (*self.place[:3], time_ns, packet_number)
                try:
                    parser.next_frame()
                except FrameError as again:
                    return self._stopped(again, offset, parser.unread())
        return self._stopped(error, offset, rest)

    def pull(self) -> Iterator[Record]:
        reader = self.reader
        while not self.is_stopped:
            try:
                item = reader.next_item()
            except FrameError as error:
                if error.region_size is None:
                    yield self._stopped(error, reader.offset, reader.unread())
                else:
                    yield self._passed(error)
                continue
            if item is None:
                break
            frame, decoder = item
            number = self.frame_count
            self.frame_count += 1
            self.framed_size += len(frame.data)
            maker = decoder if isinstance(decoder, WireFormat) and decoder.takes_all else None
            try:
                message = decoder.decode(frame) if maker is None else None
            except DecodeError as error:
                yield self._refused(error, frame, number)
            else:
                if self.has_records:
                    yield FrameRecord(*self.place, number, frame, message, wire=maker)
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

    def _stopped(self, error: FrameError, offset: int, rest: bytes) -> ErrorRecord:
        self.is_stopped = True
        if isinstance(error, TruncatedFrameError):
            self.tail_size = self.size - self.framed_size
        return self._bad(error, offset, rest)

    def _passed(self, error: FrameError) -> ErrorRecord:
        """Report a region that a recovery policy has passed over; what follows it is cut again."""
        offset, head = error.region_offset, error.region_head
        error.region_offset = error.region_head = None  # the record has them
        if isinstance(error, TruncatedFrameError) and not self.reader.pending_size:
            self.tail_size = error.region_size or 0
        return self._bad(error, offset, head or b"")

    def _bad(self, error: FrameError, offset: int | None, rest: bytes) -> ErrorRecord:
        self.error_count += 1
        error.flow = self.place[0]
        if isinstance(error, FrameTooLargeError):
            error.hint = "max_frame_size=…, or --max-frame-size, changes the limit"
        return ErrorRecord(*self.place, error.with_traceback(None), offset, self.frame_count, rest[:HEAD_SIZE])

    def _refused(self, error: DecodeError, frame: Frame, number: int) -> ErrorRecord:
        self.error_count += 1
        error.flow, error.frame_number, error.frame_offset = self.place[0], number, frame.offset
        return ErrorRecord(*self.place, error.with_traceback(None), frame.offset, number, frame.data[:HEAD_SIZE])
