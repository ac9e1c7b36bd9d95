"""A capture, or a file of raw bytes, and a protocol → records.

    read:      packets ──Assembler──> chunks, gaps, ends ──ConversationDecoder──> records
    read_raw:  blocks of one file ───────────────────────^

Records come in the order in which the packets complete them; within a flow, in the order of its bytes. Memory holds
what is in flight: the assembler's budget, and for each flow at most one unfinished frame of the bytes that have come.
Spec: [R1] to [R8].
"""

import os
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from operator import add, itemgetter
from typing import Any

from framing.capture.alone import PacketAssembler
from framing.capture.assembler import Assembler
from framing.capture.choosing import ProtocolChoice
from framing.capture.decoding import ConversationDecoder, Opener, decoded
from framing.capture.files import read_batches, read_chunks, source_name
from framing.capture.flow import Connection, Event, FlowEnd
from framing.capture.key import Transport
from framing.capture.ordinary import Batch
from framing.capture.records import ErrorRecord, Placed, Record, SummaryRecord
from framing.capture.resync import Seen
from framing.capture.selection import FlowSelection
from framing.capture.source import BinaryReader
from framing.capture.track import Track
from framing.capture.unfinished import Unfinished
from framing.definition import get_protocol
from framing.errors import CaptureError, CaptureFileError
from framing.facts import KnownPorts
from framing.protocol import SIDES, Protocol, Side

__all__ = ["File", "Waiting", "read", "read_raw"]

File = str | os.PathLike[str] | BinaryReader

# Asked at the end of a file that may still grow whether to look again; told what would be wrong if it ended there.
Waiting = Callable[[CaptureError | None], bool]

_Text = str | os.PathLike[str]

# So many ports are told whose connections were not decoded: a port scan has thousands.
_LEFT_COUNT = 100

# The counts of a flow that add up to those of the whole.
_ADDED = ("frame_count", "size", "error_count", "gap_count", "missing_size", "skipped_size", "tail_size", "flow_count")
_counts_of = itemgetter(*map(SummaryRecord._fields.index, _ADDED))


def read(
    source: File,
    protocol: Protocol | _Text | KnownPorts,
    *,
    ports: Collection[int] | None = None,
    flows: Collection[str] = (),
    every_flow: bool = False,
    max_frame_size: int | None = None,
    frames: bool = True,
    per_packet: bool = False,
    follow: Waiting | None = None,
) -> Iterator[Record]:
    """Yield the records of a pcap or pcapng file, compressed or not, those of a summary last.

    Which flows are decoded: with `flows`, those; with `ports`, those whose server has one; otherwise those on the
    protocol's own ports, or all over TCP if it has none. One that has ports of TCP alone, or of UDP, is not looked for
    in the other. Each datagram is decoded on its own. Where no single protocol is said but which ones are known on each
    port, it is never more than those on a port with exactly one, and each record says by which protocol.

    Args:
        source: a path, `-` for stdin, or a binary file open for reading. It is never seeked.
        protocol: or what `framing.get_protocol` takes; or what ports are known for, from `framing.facts.known_ports`.
        ports: the server's ports.
        flows: names of flows, or endpoints or addresses, which mean both directions of their connections.
        every_flow: decode all flows, whatever the protocol's ports.
        max_frame_size: limit on the whole frame, instead of the protocol's own.
        frames: whether there are records for good frames; without, they are only counted, which is much faster.
        per_packet: decode each TCP payload on its own as well, in the order of the packets: for captures whose sequence
            numbers are wrong.
        follow: asked at the end of the file whether to look again, such as `framing.capture.files.look_again`. It is
            handed what would be raised if the file ended there, if anything would: what was asked for and not found.

    Raises:
        CaptureFileError: this is no capture. One that is damaged or truncated yields all before that, then an
            `ErrorRecord`.
        CaptureError: no flow of the capture is one that was asked for.
        OSError: the file cannot be opened or read.
        RegistryError, DefinitionError: there is no such protocol; raised by the call itself.
    """
    choice = ProtocolChoice(protocol, max_frame_size)
    if isinstance(flows, str):
        raise TypeError("flows is a collection of names, not one text")
    chosen = ports if ports is not None else None if every_flow else choice.wanted_ports
    if "udp" not in choice.transports:
        datagrams: Collection[int] | None = ()
    elif flows or (every_flow and choice.datagram_ports):
        datagrams = None
    else:
        datagrams = choice.datagram_ports if ports is None else ports
    selection = FlowSelection(chosen, flows, datagrams)
    return _CaptureReading(source, choice, selection, frames=frames, per_packet=per_packet).records(follow)


def read_raw(
    source: File,
    protocol: Protocol | _Text,
    *,
    side: Side = "client",
    max_frame_size: int | None = None,
    frames: bool = True,
) -> Iterator[Record]:
    """Yield the records of a file that holds the bytes of one direction and nothing else.

    >>> import io
    >>> for record in read_raw(io.BytesIO(bytes.fromhex("0002 6869 0009 68")), "u16be/raw"):
    ...     print(record.type, record.offset if record.type != "summary" else record.tail_size)
    frame 0
    error 4
    summary 3
    summary 3

    Args:
        source: as for `read`.
        protocol: as for `read`.
        side: which side sent the bytes.
        max_frame_size: as for `read`.
        frames: as for `read`.

    Raises:
        OSError: the file cannot be opened or read.
        RegistryError, DefinitionError: there is no such protocol; raised by the call itself.
    """
    if side not in SIDES:
        raise ValueError(f"side is client or server, not {side!r}")
    return _raw_records(source, _resolved(protocol, max_frame_size), side, frames)


def _resolved(protocol: Protocol | _Text, max_frame_size: int | None) -> Protocol:
    resolved = protocol if isinstance(protocol, Protocol) else get_protocol(protocol)
    return resolved if max_frame_size is None else resolved.limited(max_frame_size)


def _raw_records(source: File, protocol: Protocol, side: Side, frames: bool) -> Iterator[Record]:
    decoder = ConversationDecoder(protocol, {side: source_name(source)}, frames=frames)
    with closing(read_chunks(source)) as chunks:
        for chunk in chunks:
            yield from decoder.feed(side, chunk, None, None)
    yield from decoder.finish(side)
    summary = decoder.summary(side)
    yield summary
    yield summary._replace(flow=None, direction=None)


class _CaptureReading:
    """One run over a capture: the state of `read`."""

    def __init__(
        self, source: File, choice: ProtocolChoice, selection: FlowSelection, *, frames: bool, per_packet: bool
    ) -> None:
        self.frames = frames
        self.name = source_name(source)
        self.source = source
        self.choice = choice
        self.seen = Seen()
        # By the server's port, what carries it and whether the sides are a guess; and by what is spoken.
        self.openers: dict[tuple[int, Transport, bool], Opener | None] = {}
        self.made: dict[tuple[Protocol, str, bool, bool], Opener] = {}
        self.selection = selection
        self.per_packet = per_packet
        server_ports = selection.ports or choice.server_ports
        kind = PacketAssembler if per_packet else Assembler
        self.assembler = kind(server_ports=server_ports, datagram_ports=selection.datagram_ports)
        self.assembler.on_begin = self.begin
        self.unfinished = Unfinished()
        self.sums = [0] * len(_ADDED)

    def records(self, follow: Waiting | None) -> Iterator[Record]:
        damage = None
        assembler = self.assembler
        waiting = None if follow is None else lambda: follow(self.problem())
        with closing(read_batches(self.source, assembler.joining, waiting)) as packets:
            try:
                for packet in packets:
                    if isinstance(packet, Batch):
                        assembler.add_batch(packet)
                        yield from self.joined(packet)
                        continue
                    for event in assembler.add(packet):
                        yield from self.taken(event)
            except CaptureFileError as error:
                if not assembler.packet_count and not error.truncated:
                    raise
                damage = error.with_traceback(None)
        for event in self.assembler.finish():
            yield from self.taken(event)
        if damage is not None:
            yield ErrorRecord(None, None, False, None, damage.packet_number, damage, damage.offset)
        if problem := self.problem():
            raise problem
        left = dict(self.selection.left.most_common(_LEFT_COUNT))
        counts: dict[str, Any] = dict(zip(_ADDED, self.sums, strict=True))
        counts["error_count"] += damage is not None
        total = SummaryRecord(None, None, False)._replace(**counts)
        yield total._replace(packet_count=assembler.packet_count, unused=self.unused(), left=left)

    def taken(self, event: Event) -> Iterator[Record]:
        """Yield the records of an event, if its flow is one of those to decode."""
        flow = event.flow
        if flow.context is None:
            self.begin(flow.connection)
        track: Track | None = flow.context or None
        if track is None:
            return
        for record in decoded(track, event):
            if track.is_shown:
                yield record
        yield from self.unfinished.note(track)
        if isinstance(event, FlowEnd):
            if track.is_shown:
                yield self.summary(track, event)
            flow.context = _LEFT
            self.unfinished.forget(track)
        elif track.decoder is not None and flow.key not in self.assembler.joined:
            self.join(flow.connection)

    def summary(self, track: Track, end: FlowEnd) -> SummaryRecord:
        """Return the counts of a flow that ends, and add them to the sums."""
        summary = track.summary(end.reason, end.packet_count)
        self.sums = list(map(add, self.sums, _counts_of(summary)))
        connection = end.flow.connection
        if connection.tunnels:
            tunnels, is_guessed = connection.tunnels, connection.is_tunnel_guessed
            return summary._replace(tunnels=tunnels, is_tunnel_guessed=is_guessed)
        return summary

    def begin(self, connection: Connection) -> None:
        """Decide about a connection: at once if it begins with a SYN, or else when its first event comes."""
        client, server = connection.client, connection.server
        opener = self.opener(connection)
        if opener is None:
            client.context = server.context = _LEFT
        else:
            client.context, server.context = opener.tracks(client.name, server.name)
            if self.selection.names:
                for flow in (client, server):
                    flow.context.is_shown = self.selection.shows(flow)
        self.join(connection)

    def join(self, connection: Connection) -> None:
        """Let packets of a connection come many at a time, as soon as nothing depends on their order any more."""
        track: Track | None = connection.client.context or connection.server.context or None
        if track is None or track.decoder is None or track.decoder.is_settled:
            self.assembler.join(connection)

    def joined(self, batch: Batch) -> list[Record]:
        """Return the records of packets that came together, in their order."""
        placed: list[Placed] = []
        for chunk in batch.chunks:
            track: Track | None = chunk.flow.context or None
            if track is not None:
                found = track.feed_joined(chunk)
                if track.is_shown:
                    placed += found
                placed += [(chunk.packet_number, record) for record in self.unfinished.note(track)]
        for end in batch.ends:
            track = end.flow.context or None
            if track is not None and track.is_clean and track.is_shown:
                placed.append((end.packet_number, self.summary(track, end)))
                end.flow.context = _LEFT
            else:
                placed += [(end.packet_number, record) for record in self.taken(end)]
        if len(batch.chunks) + len(batch.ends) > 1:
            placed.sort(key=_packet_number)
        return [record for _, record in placed]

    def opener(self, connection: Connection) -> Opener | None:
        """Return what begins a connection, if it is one to decode; what is learnt of it later changes nothing."""
        server = connection.server
        kind = server.port, server.transport, connection.is_guessed
        if kind not in self.openers:
            self.openers[kind] = self.made_opener(*kind)
        opener = self.openers[kind]
        return opener if self.selection.takes(connection, decodable=opener is not None) else None

    def made_opener(self, port: int, transport: Transport, is_guessed: bool) -> Opener | None:
        """Return what begins all connections to a port that speak a protocol that can be decoded."""
        protocol = self.choice.protocol(port, transport)
        if protocol is None:
            return None
        alone, name = self.per_packet or transport == "udp", self.choice.name(port, transport)
        spoken = protocol, name, alone, is_guessed
        if spoken not in self.made:
            options = {"midstream": is_guessed, "frames": self.frames, "alone": alone}
            self.made[spoken] = Opener(protocol, self.seen, name=name, **options)
        return self.made[spoken]

    def unused(self) -> dict[str, int]:
        """Return why packets carry nothing that can be used, and how many; reasons that do not occur are left out."""
        counts = self.assembler.counts
        return {name: count for name in counts.__slots__ if (count := getattr(counts, name)) and name != "cut"}

    def problem(self) -> CaptureError | None:
        """[R8] Return what is wrong if packets were there, but none of a flow that was asked for.

        Silence would look like a capture in which nobody spoke.
        """
        selection = self.selection
        known = self.choice.known
        is_chosen = selection.ports is not None or selection.names or known is not None
        if selection.taken_count or not self.assembler.packet_count or not is_chosen:
            return None
        is_said = selection.names or known is None
        wanted = selection.wanted if is_said else "on a port with exactly one known protocol"
        unused = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in self.unused().items())
        can_choose = selection.left or self.assembler.counts.udp
        return CaptureError(
            f"this capture has no flow {wanted}",
            file=self.name,
            found=f"ports {selection.ports_left(known.tcp if known else {})}"
            if selection.left
            else f"no flow at all, but packets {unused}",
            hint="choose with ports=, flows= or every_flow=True (--port, --flow, --all)" if can_choose else None,
        )


_packet_number = itemgetter(0)

# In place of a track, for a flow that is not decoded, or not any more.
_LEFT: tuple[()] = ()
