"""The bytes of flows → records: a conversation for each connection, and what became of each of its directions.

    Chunk ──feed──> Conversation ──next_item──> frame ──decode──> FrameRecord, or ErrorRecord: the next frame is fine
                         ├── FrameError ──> ErrorRecord: the rest of this direction is skipped
                         └── Gap ──> GapRecord, once `Resync` knows where frames go on; else the rest is skipped

The other direction goes on, as do all other connections. Frames are pulled as soon as their last byte has come, so a
frame's packet is the one that completed it, and what is held are unfinished frames alone.
"""

from collections.abc import Iterator
from typing import Any

from framing.capture.flow import EndReason, GapReason, Mark
from framing.capture.records import HEAD_SIZE, ErrorRecord, FrameRecord, GapRecord, Record, SummaryRecord
from framing.capture.resync import Held, Resync, Sample, Samples
from framing.conversation import Conversation, DirectionReader
from framing.errors import DecodeError, FrameError, FrameTooLargeError, TruncatedFrameError
from framing.frame import Frame, FrameFormat
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
        samples: what frames of each wire format have begun with, in other connections.
    """

    __slots__ = ("_has_phases", "_tracks")

    def __init__(
        self,
        protocol: Protocol,
        names: dict[Side, str],
        *,
        midstream: bool = False,
        frames: bool = True,
        samples: dict[FrameFormat, Sample] | None = None,
    ) -> None:
        conversation = Conversation(protocol, midstream=midstream)
        self._tracks = {side: _Track(name, side, midstream, conversation.reader(side)) for side, name in names.items()}
        for track in self._tracks.values():
            track.has_records = frames
            track.samples = Samples({} if samples is None else samples)
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

    def gap(
        self, side: Side, gap: tuple[int, int, GapReason], time_ns: int | None, packet_number: int
    ) -> Iterator[Record]:
        """Take note that bytes are missing (offset, size, reason), and yield what that brings to light.

        The gap's own record comes once it is known whether, and where, frames can be cut again.
        """
        self._tracks[side].gap(gap, time_ns, packet_number)
        return self._pulled(side)

    def finish(self, side: Side, end: EndReason | None = None) -> Iterator[Record]:
        """Yield what the end of a side brings to light."""
        self._tracks[side].finish(end)
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


_END = object()


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
        "ready",
        "resync",
        "samples",
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
        self.samples = Samples({})
        # Behind a gap: its record and the search for the next frame; what is ready to be yielded or read.
        self.resync: tuple[GapRecord, Resync] | None = None
        self.ready: list[Any] = []
        self.size = self.frame_count = self.framed_size = self.tail_size = 0
        self.error_count = self.gap_count = self.missing_size = 0

    @property
    def has_moved(self) -> bool:
        """Whether the other side has moved this one to another phase since it was pulled."""
        return self.reader.phase is not self.phase

    def feed(self, data: bytes, time_ns: int | None, packet_number: int | None) -> None:
        self.size += len(data)
        if self.resync is not None:
            self._search(Held(data, time_ns, packet_number))
        elif not self.is_stopped:
            self.place = (*self.place[:3], time_ns, packet_number)
            self.reader.feed(data)

    def feed_joined(self, data: bytes, marks: list[Mark]) -> list[Record]:
        """Feed and pull many packets at once; the records are those that they give one by one."""
        if self.resync is not None:
            return self._one_by_one(data, marks)
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
        self.samples.add(frames)
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
        while self.ready:
            one = self.ready.pop(0)
            if one is _END:
                self.reader.finish()
            elif isinstance(one, Held):
                self.place = (*self.place[:3], *one[1:])
                self.reader.feed(one.data)
                yield from self._pulled()
            else:
                yield one
        yield from self._pulled()

    def _pulled(self) -> Iterator[Record]:
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
            self.samples.add([frame])
            maker = decoder if isinstance(decoder, WireFormat) and decoder.takes_all else None
            try:
                message = decoder.decode(frame) if maker is None else None
            except DecodeError as error:
                yield self._refused(error, frame, number)
            else:
                if self.has_records:
                    yield FrameRecord(*self.place, number, frame, message, wire=maker)
        self.phase = reader.phase

    def gap(self, gap: tuple[int, int, GapReason], time_ns: int | None, packet_number: int) -> None:
        """Give up what is pending, and begin to look where frames go on. [R5]"""
        offset, size, reason = gap
        self.gap_count += 1
        self.missing_size += size
        is_lost = self.resync is not None
        self._give_up()
        record = GapRecord(*self.place[:3], time_ns, packet_number, offset, size, reason)
        if self.is_stopped and not is_lost:
            self.ready.append(record)
            return
        reader, wire = self.reader, self.reader.resumed_phase.wire
        torn_end = reader.frame_end
        error, pending_size = reader.abandon()
        if error is not None:
            self.ready.append(self._passed(error))
        resync = Resync(
            wire,
            offset + size,
            torn_end=torn_end,
            is_torn=is_lost or bool(pending_size) or error is not None or wire is not reader.wire,
            sample=self.samples.of(wire.format),
        )
        self.is_stopped, self.resync = True, (record._replace(pending_size=pending_size), resync)
        if resync.how:
            self._resume(resync)

    def _search(self, held: Held | None, end: EndReason | None = None) -> None:
        """Look on in the next packet, or, with `None`, at the end of the flow."""
        assert self.resync is not None
        _, resync = self.resync
        if self.reader.resumed_phase.wire is not resync.wire:
            self._give_up()  # the other side has moved this one meanwhile: what was looked for is no frame any more
        elif resync.add(held) if held is not None else resync.end(is_whole=end == "fin"):
            self._resume(resync)

    def _resume(self, resync: Resync) -> None:
        assert self.resync is not None
        record, self.resync, self.is_stopped = self.resync[0], None, False
        self.ready.append(record._replace(resumed_offset=resync.offset, confirmed=resync.how))
        self.ready += resync.taken()
        self.reader.resume(resync.offset)

    def _give_up(self) -> None:
        """Say of a gap that nothing told where frames go on."""
        if self.resync is not None:
            self.ready.append(self.resync[0])
            self.resync = None

    def finish(self, end: EndReason | None) -> None:
        if self.resync is not None:
            self._search(None, end)
            self._give_up()
        if not self.is_stopped:
            # What was held is read in `pull`, and the end comes behind it.
            self.ready.append(_END)

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
            self.tail_size = len(rest)
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
