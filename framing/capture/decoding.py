"""The bytes of flows → records: a conversation for each connection, and what became of each of its directions.

    Chunk ──feed──> Conversation ──next_item──> frame ──decode──> FrameRecord, or ErrorRecord: the next frame is fine
                         ├── FrameError ──> ErrorRecord: the rest of this direction is skipped
                         └── Gap ──> GapRecord, once `Resync` knows where frames go on; else the rest is skipped

The other direction goes on, as do all other connections. Frames are pulled as soon as their last byte has come, so a
frame's packet is the one that completed it, and what is held are unfinished frames alone.
"""

from collections.abc import Iterator

from framing.capture.flow import EndReason, GapReason, Mark
from framing.capture.records import Record, SummaryRecord
from framing.capture.resync import Sample, Seen
from framing.capture.track import Placed, Track
from framing.conversation import Conversation
from framing.protocol import Protocol, Side, other_side

__all__ = ["ConversationDecoder", "DatagramDecoder"]


class ConversationDecoder:
    """One connection: bytes and gaps of either side in, records out.

    Args:
        protocol: both directions' wire formats.
        names: what records call the flow of each side.
        midstream: the beginning was not seen, so that it is a guess, too, which side is which.
        frames: whether there are records for the frames that are good; without, they are only counted.
        seen: what frames have begun with in other connections.
    """

    __slots__ = ("_has_phases", "_tracks")

    def __init__(
        self,
        protocol: Protocol,
        names: dict[Side, str],
        *,
        midstream: bool = False,
        frames: bool = True,
        seen: Seen | None = None,
    ) -> None:
        conversation = Conversation(protocol, midstream=midstream)
        self._tracks: dict[Side, Track] = {}
        for side, name in names.items():
            reader = conversation.reader(side)
            sample = Sample() if seen is None else seen.begin(reader.wire.format)
            self._tracks[side] = Track((name, side, midstream, None, None), reader, sample, has_records=frames)
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

    def feed_joined(self, side: Side, data: bytes, marks: list[Mark]) -> list[Placed]:
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
        track = self._tracks[side]
        if track.is_clean:
            return iter(())
        track.finish(end)
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
