"""The bytes of flows → records: a conversation for each connection, and what became of each of its directions.

    Chunk ──feed──> Conversation ──next_item──> frame ──decode──> FrameRecord, or ErrorRecord: the next frame is fine
                         ├── FrameError ──> ErrorRecord: the rest of this direction is skipped
                         └── Gap ──> GapRecord, once `Resync` knows where frames go on; else the rest is skipped

The other direction goes on, as do all other connections. Frames are pulled as soon as their last byte has come, so a
frame's packet is the one that completed it, and what is held are unfinished frames alone.
"""

from collections.abc import Iterable, Iterator

from framing.capture.flow import Chunk, EndReason, Event, Gap, GapReason
from framing.capture.records import Record, SummaryRecord
from framing.capture.resync import Sample, Seen
from framing.capture.track import Track
from framing.capture.way import Way
from framing.conversation import Conversation
from framing.protocol import SIDES, Protocol, Side, other_side

__all__ = ["ConversationDecoder", "DatagramDecoder", "Opener", "decoded"]


class Opener:
    """Begins connections, all of one protocol.

    Where nothing that either side says changes how bytes are cut, each direction is decoded by itself, and nothing is
    made for a connection but its two tracks.

    Args:
        protocol: both directions' wire formats.
        seen: what frames have begun with in all connections.
        midstream: the beginnings were not seen, so that it is a guess, too, which side is which.
        frames: whether there are records for the frames that are good; without, they are only counted.
        name: what records call the protocol.
        alone: each payload stands alone.
    """

    __slots__ = ("_alone", "_frames", "_midstream", "_name", "_protocol", "_seen", "_ways")

    def __init__(
        self, protocol: Protocol, seen: Seen, *, midstream: bool, frames: bool, name: str = "", alone: bool = False
    ) -> None:
        self._protocol, self._seen, self._name = protocol, seen, name
        self._midstream, self._frames, self._alone = midstream, frames, alone
        first = [protocol.direction(side).first_phase(midstream=midstream) for side in SIDES]
        is_settled = not alone and all(phase.is_settled for phase in first)
        self._ways = [Way(protocol, side, midstream=midstream) for side in SIDES] if is_settled else None

    def tracks(self, client: str, server: str) -> list[Track]:
        """Return the tracks of a connection whose flows have these names."""
        midstream, frames, seen, name = self._midstream, self._frames, self._seen, self._name
        if self._ways is not None:
            first, second = self._ways
            return [
                Track((client, "client", midstream), first, seen.begin(), has_records=frames, protocol=name),
                Track((server, "server", midstream), second, seen.begin(), has_records=frames, protocol=name),
            ]
        kind = DatagramDecoder if self._alone else ConversationDecoder
        names: dict[Side, str] = {"client": client, "server": server}
        decoder = kind(self._protocol, names, midstream=midstream, frames=frames, seen=seen, name=name)
        return list(decoder.tracks.values())


def decoded(track: Track, event: Event) -> Iterable[Record]:
    """Return what the next event of a track's flow brings to light."""
    decoder = track.decoder
    if isinstance(event, Chunk):
        if decoder is not None:
            return decoder.feed(track.side, event.data, event.timestamp_ns, event.packet_number)
        return [record for _, record in track.feed_joined(event)]
    if isinstance(event, Gap):
        track.gap((event.offset, event.size, event.reason), event.timestamp_ns, event.packet_number)
    elif track.is_clean:
        return ()
    else:
        track.finish(event.reason)
    return track.pull() if decoder is None else decoder.pulled(track.side)


class ConversationDecoder:
    """One connection: bytes and gaps of either side in, records out.

    Args:
        protocol: both directions' wire formats.
        names: what records call the flow of each side.
        midstream, frames, name: as for `Opener`.
        seen: what frames have begun with in other connections.

    Attributes:
        tracks: of each side.
    """

    __slots__ = ("_has_phases", "tracks")

    def __init__(
        self,
        protocol: Protocol,
        names: dict[Side, str],
        *,
        midstream: bool = False,
        frames: bool = True,
        seen: Seen | None = None,
        name: str = "",
    ) -> None:
        conversation = Conversation(protocol, midstream=midstream)
        self.tracks: dict[Side, Track] = {}
        for side, flow in names.items():
            sample = Sample() if seen is None else seen.begin()
            reader = conversation.reader(side)
            track = Track((flow, side, midstream), reader, sample, has_records=frames, protocol=name)
            self.tracks[side], track.decoder = track, self
        self._has_phases = len(protocol.client.phases) + len(protocol.server.phases) > 2

    def feed(self, side: Side, data: bytes, time_ns: int | None, packet_number: int | None) -> Iterator[Record]:
        """Yield what the next bytes of a side bring to light."""
        track = self.tracks[side]
        track.feed(data, time_ns, packet_number)
        return self.pulled(side) if self._has_phases else track.pull()

    @property
    def is_settled(self) -> bool:
        """Whether nothing that one side says changes any more how bytes of the other are cut."""
        return all(track.reader.is_settled for track in self.tracks.values())

    def gap(
        self, side: Side, gap: tuple[int, int, GapReason], time_ns: int | None, packet_number: int
    ) -> Iterator[Record]:
        """Take note that bytes are missing (offset, size, reason), and yield what that brings to light.

        The gap's own record comes once it is known whether, and where, frames can be cut again.
        """
        self.tracks[side].gap(gap, time_ns, packet_number)
        return self.pulled(side)

    def finish(self, side: Side, end: EndReason | None = None) -> Iterator[Record]:
        """Yield what the end of a side brings to light."""
        self.tracks[side].finish(end)
        return self.pulled(side)

    def summary(self, side: Side, end: EndReason | None = None, packet_count: int = 0) -> SummaryRecord:
        """Return the counts of a side."""
        return self.tracks[side].summary(end, packet_count)

    def pulled(self, side: Side) -> Iterator[Record]:
        """Yield what has come to light of a side, and what that brings to light of the other."""
        yield from self.tracks[side].pull()
        # What one side says may decide how bytes of the other are cut that were there before.
        other = other_side(side)
        while other in self.tracks and self.tracks[other].has_moved:
            yield from self.tracks[other].pull()
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
        track = self.tracks[side]
        track.reader.begin_again(track.size + track.missing_size, track.reader.frame_count)
        track.is_stopped = False
        track.feed(data, time_ns, packet_number)
        track.reader.finish()
        yield from self.pulled(side)
        track.is_stopped, track.tail_size = True, 0
