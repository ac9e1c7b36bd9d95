"""One direction of a connection: its bytes and gaps → records, in the order in which packets brought them to light.

feed ──> reader ──next_item──> frame ──decode──> FrameRecord, or ErrorRecord: the next frame is fine
            └── FrameError ──> ErrorRecord: the rest is skipped
gap ───> GapRecord, once `Resync` knows where frames go on; until then packets are held
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from framing.capture.flow import Chunk, EndReason, GapReason
from framing.capture.records import HEAD_SIZE, ErrorRecord, FrameRecord, GapRecord, Place, Placed, Record, SummaryRecord
from framing.capture.resync import Held, Resync, Sample
from framing.capture.way import Way, is_quick
from framing.conversation import DirectionReader
from framing.errors import DecodeError, FrameError, FrameTooLargeError, FramingError, TruncatedFrameError
from framing.frame import Frame
from framing.parser import FrameParser
from framing.protocol import Phase, Side
from framing.wire import WireFormat

if TYPE_CHECKING:
    from framing.capture.decoding import ConversationDecoder

__all__ = ["Track"]

_END = object()
_EVERYTHING = 1 << 62

# As `FrameRecord` makes itself, less the call: there may be millions.
_new = tuple.__new__


class Track:
    """One direction of a connection.

    Args:
        place: what each of its records begins with.
        reader: its side of the conversation; or, where nothing that is said moves it, the way in which it is cut.
        sample: what frames have begun with.
        has_records: whether there are records for the frames that are good; without, they are only counted.
        protocol: what records call the protocol.

    Attributes:
        decoder: what must be asked in place of the track where sides depend on each other.
        is_shown: whether somebody wants its records.
        is_stopped: nothing is cut from what follows: behind an error, or as long as it is not known where frames go on.
        size, missing_size, tail_size: bytes that came, that are missing, and of an unfinished frame at the end.
    """

    __slots__ = (
        "_error_count",
        "_frame_count",
        "_framed_size",
        "_gap_count",
        "_has_records",
        "_packet_number",
        "_phase",
        "_place",
        "_protocol",
        "_reader",
        "_ready",
        "_resync",
        "_sample",
        "_time_ns",
        "_way",
        "decoder",
        "is_shown",
        "is_stopped",
        "missing_size",
        "size",
        "tail_size",
    )

    def __init__(
        self, place: Place, reader: DirectionReader | Way, sample: Sample, *, has_records: bool, protocol: str = ""
    ) -> None:
        self._place = place
        self.decoder: ConversationDecoder | None = None
        self.is_shown = True
        # Of the last packet that had bytes.
        self._time_ns: int | None = None
        self._packet_number: int | None = None
        self._protocol = protocol
        self._way: Way | None = None
        self._reader: DirectionReader | None = None
        self._phase: Phase | None = None
        if isinstance(reader, Way):
            self._way = reader
        else:
            self._reader, self._phase = reader, reader.phase
        self.is_stopped = False
        self._has_records = has_records
        self._sample = sample
        # Behind a gap: its record and the search for the next frame; what is ready to be yielded or read.
        self._resync: tuple[GapRecord, Resync] | None = None
        self._ready: list[Any] | tuple[()] = ()
        self.size = self._frame_count = self._framed_size = self.tail_size = 0
        self._error_count = self._gap_count = self.missing_size = 0

    @property
    def side(self) -> Side:
        """Which side sends it."""
        return self._place[1]

    @property
    def reader(self) -> DirectionReader:
        """Its side of the conversation, made once bytes have to wait for more, or something is odd."""
        return self._reader or self._read_from(self.size + self.missing_size)

    def _read_from(self, offset: int) -> DirectionReader:
        assert self._way is not None  # there was a reader, or a way
        self._reader = reader = self._way.reader(offset, self._frame_count)
        self._phase = reader.phase
        return reader

    @property
    def has_moved(self) -> bool:
        """Whether the other side has moved this one to another phase since it was pulled."""
        return self._reader is not None and self._reader.phase is not self._phase

    @property
    def is_clean(self) -> bool:
        """Whether the end would bring nothing to light: all bytes are in whole frames, of messages that are whole."""
        return not self._ready and not self.is_stopped and (self._reader is None or self._reader.is_clean)

    def feed(self, data: bytes, time_ns: int | None, packet_number: int | None) -> None:
        """Take the next bytes, those of one packet; `pull` says what they bring to light."""
        if self._resync is not None:
            self._search(Held(data, time_ns, packet_number))
        elif not self.is_stopped:
            self.reader.feed(data)
            self._time_ns, self._packet_number = time_ns, packet_number
        self.size += len(data)

    def feed_joined(self, chunk: Chunk) -> list[Placed]:
        """Feed and pull the bytes of many packets at once; the records are those that they give one by one."""
        data = chunk.data
        if self._resync is not None:
            return self._one_by_one(chunk)
        begin = self.size + self.missing_size
        if self.is_stopped:
            self.size += len(data)
            return []
        records: list[Placed] = []
        scan = self._way.scan if self._reader is None and self._way is not None else None
        if scan is None:
            if not is_quick(self.reader.wire):
                return self._one_by_one(chunk)
            self._read_joined(chunk, 0, begin, records)
        else:
            frames: list[Frame] = []
            stop = scan(data, 0, len(data), _EVERYTHING, frames, begin)
            if frames:
                self._add_frames(frames, chunk, begin, records)
            self._time_ns, self._packet_number = chunk.timestamp_ns, chunk.packet_number
            if stop < len(data):
                self._read_from(begin + stop)
                self._read_joined(chunk, stop, begin, records)
        self.size += len(data)
        return records

    def _read_joined(self, chunk: Chunk, start: int, begin: int, records: list[Placed]) -> None:
        parser = self.reader.parser
        parser.feed(chunk.data[start:])
        try:
            while frames := parser.take_frames():
                self._add_frames(frames, chunk, begin, records)
                if parser.error is None:
                    break
        except FrameError as error:
            records.append(self._met(error, chunk, begin))
        else:
            self._time_ns, self._packet_number = chunk.timestamp_ns, chunk.packet_number

    def _one_by_one(self, chunk: Chunk) -> list[Placed]:
        records: list[Placed] = []
        start = 0
        for stop, time_ns, packet_number in chunk.marks:
            self.feed(chunk.data[start:stop], time_ns, packet_number)
            records += [(packet_number, record) for record in self.pull()]
            start = stop
        return records

    def _add_frames(self, frames: list[Frame], chunk: Chunk, begin: int, records: list[Placed]) -> None:
        """Make records of frames that lie one behind the other, in a chunk that begins at this stream offset."""
        first, last = self._frame_count, frames[-1]
        self._frame_count += len(frames)
        self._framed_size += last.offset + len(last.data) - frames[0].offset
        self._sample.add(frames)
        decoder = self._way.wire if self._reader is None and self._way is not None else self.reader.decoder
        maker = decoder if isinstance(decoder, WireFormat) and decoder.takes_all else None
        if maker is not None and not self._has_records:
            return
        (flow, side, is_guessed), name, message = self._place, self._protocol, None
        packets = chunk.marks
        size, time_ns, packet_number = next(packets)
        for number, frame in enumerate(frames, first):
            while frame.offset + len(frame.data) > begin + size:
                size, time_ns, packet_number = next(packets)
            if maker is None:
                try:
                    message = decoder.decode(frame)
                except DecodeError as error:
                    self._time_ns, self._packet_number = time_ns, packet_number
                    records.append((packet_number, self._refused(error, frame, number)))
                    continue
            if self._has_records:
                facts = flow, side, is_guessed, time_ns, packet_number, number, frame, message, name, maker
                records.append((packet_number, _new(FrameRecord, facts)))

    def _met(self, error: FrameError, chunk: Chunk, begin: int) -> Placed:
        """Find the packet with which an error came to light: the bad frame is fed again, packet by packet."""
        offset = self.reader.offset
        rest = self.reader.unread()
        parser = FrameParser(self.reader.wire.format, offset=offset, frame_count=self._frame_count)
        start = 0
        for end, time_ns, packet_number in chunk.marks:
            stop = begin + end - offset
            if stop > start:
                parser.feed(rest[start:stop])
                start = stop
                self._time_ns, self._packet_number = time_ns, packet_number
                try:
                    parser.next_frame()
                except FrameError as again:
                    return packet_number, self._stopped(again, offset, parser.unread())
        return chunk.packet_number, self._stopped(error, offset, rest)

    def pull(self) -> Iterator[Record]:
        """Yield what has come to light."""
        while self._ready:
            one = self._ready.pop(0)
            if one is _END:
                self.reader.finish()
            elif isinstance(one, Held):
                _, self._time_ns, self._packet_number = one
                self.reader.feed(one.data)
                yield from self._pulled()
            else:
                yield one
        yield from self._pulled()

    def _pulled(self) -> Iterator[Record]:
        reader = self._reader
        if reader is None:
            return
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
            number = self._frame_count
            self._frame_count += 1
            self._framed_size += len(frame.data)
            self._sample.add([frame])
            maker = decoder if isinstance(decoder, WireFormat) and decoder.takes_all else None
            try:
                message = decoder.decode(frame) if maker is None else None
            except DecodeError as error:
                yield self._refused(error, frame, number)
            else:
                if self._has_records:
                    place = *self._place, self._time_ns, self._packet_number
                    yield FrameRecord(*place, number, frame, message, self._protocol, maker)
        self._phase = reader.phase

    def gap(self, gap: tuple[int, int, GapReason], time_ns: int | None, packet_number: int) -> None:
        """Give up what is pending, and begin to look where frames go on. [R5]"""
        offset, size, reason = gap
        reader, is_lost = self.reader, self._resync is not None
        self._gap_count += 1
        self.missing_size += size
        self._give_up()
        record = GapRecord(*self._place, time_ns, packet_number, offset, size, reason, protocol=self._protocol)
        if self.is_stopped and not is_lost:
            self._put(record)
            return
        wire = reader.resumed_phase.wire
        torn_end = reader.frame_end
        error, pending_size = reader.abandon()
        if error is not None:
            self._put(self._passed(error))
        resync = Resync(
            wire,
            offset + size,
            torn_end=torn_end,
            is_torn=is_lost or bool(pending_size) or error is not None or wire is not reader.wire,
            heads=self._sample.heads(wire.format),
        )
        self.is_stopped, self._resync = True, (record._replace(pending_size=pending_size), resync)
        if resync.how:
            self._resume(resync)

    def _search(self, held: Held | None, end: EndReason | None = None) -> None:
        """Look on in the next packet, or, with `None`, at the end of the flow."""
        assert self._resync is not None
        _, resync = self._resync
        if self.reader.resumed_phase.wire is not resync.wire:
            self._give_up()  # the other side has moved this one meanwhile: what was looked for is no frame any more
        elif resync.add(held) if held is not None else resync.end(is_whole=end == "fin"):
            self._resume(resync)

    def _resume(self, resync: Resync) -> None:
        assert self._resync is not None
        record, self._resync, self.is_stopped = self._resync[0], None, False
        self._put(record._replace(resumed_offset=resync.offset, confirmed=resync.how), *resync.taken())
        self.reader.resume(resync.offset)

    def _give_up(self) -> None:
        """Say of a gap that nothing told where frames go on."""
        if self._resync is not None:
            self._put(self._resync[0])
            self._resync = None

    def _put(self, *ready: Any) -> None:
        self._ready = [*self._ready, *ready]

    @property
    def held_size(self) -> int:
        """Bytes of frames and of messages that are not whole yet."""
        return 0 if self._reader is None else self._reader.held_size

    def stop(self, error: FrameError) -> ErrorRecord:
        """Cut nothing any more, and forget what is not whole."""
        return self._stopped(error, self.reader.offset, self.reader.give_up())

    def finish(self, end: EndReason | None) -> None:
        """Take note that no more bytes come; `pull` says what that brings to light."""
        if self._resync is not None:
            self._search(None, end)
            self._give_up()
        if not self.is_stopped:
            # What was held is read in `pull`, and the end comes behind it.
            self._put(_END)

    def summary(self, end: EndReason | None, packet_count: int) -> SummaryRecord:
        """Return the counts."""
        skipped_size = self.size - self._framed_size - self.tail_size
        bad = self._error_count, self._gap_count, self.missing_size, skipped_size, self.tail_size
        counts = *self._place, self._frame_count, self.size, *bad
        return SummaryRecord(*counts, end, 1, packet_count, None, None, self._protocol)

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
        self._error_count += 1
        error.flow = self._place[0]
        if isinstance(error, FrameTooLargeError):
            error.hint = "max_frame_size=…, or --max-frame-size, changes the limit"
        return self._error(error, offset, self._frame_count, rest)

    def _refused(self, error: DecodeError, frame: Frame, number: int) -> ErrorRecord:
        self._error_count += 1
        error.flow, error.frame_number, error.frame_offset = self._place[0], number, frame.offset
        return self._error(error, frame.offset, number, frame.data)

    def _error(self, error: FramingError, offset: int | None, number: int, data: bytes) -> ErrorRecord:
        place = *self._place, self._time_ns, self._packet_number
        return ErrorRecord(*place, error.with_traceback(None), offset, number, data[:HEAD_SIZE], self._protocol)
