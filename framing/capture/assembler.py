"""All flows of a capture put together, within a budget."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from framing.capture.flow import Chunk, Connection, EndReason, Event, Flow
from framing.capture.key import Transport, ports_of, reverse_key, transport_of
from framing.capture.ordinary import Batch, Joining
from framing.capture.packet import Packet
from framing.capture.recent import Recent
from framing.capture.segment import ACK, FIN, RST, SYN, Segment, find_segment
from framing.capture.tcp import (
    acknowledge,
    advance,
    begin,
    close,
    give_up,
    is_elsewhere,
    is_same_start,
    is_settling,
    place,
    relax,
    settle,
)
from framing.capture.unpacking import Unpacked, Unpacker
from framing.errors import CaptureFileError

__all__ = ["FLOW_BUDGET", "MAX_CONNECTIONS", "TOTAL_BUDGET", "Assembler", "assemble", "learn_sides"]

# [P18] Bytes held behind holes. One flow: a hole is filled within a window, and Linux and Windows let a window grow to
# 6 and 16 MiB; captures that lose packets fill it to the brim, so this is where waiting stops to pay.
FLOW_BUDGET = 4 * 1024 * 1024
TOTAL_BUDGET = 32 * 1024 * 1024

# [P18] Both flows of a connection take about 2 KiB, so this is about 32 MiB.
MAX_CONNECTIONS = 16384

# [P19] Pairs of addresses and ports whose connections were forgotten, but not how many they were.
_NUMBERED_COUNT = 32768


class Assembler:
    """Packets in, events out: chunks, gaps and ends of flows.

    Args:
        server_ports: where no SYN was seen, the side with one of these ports is the server.
        datagram_ports: UDP datagrams are taken from or to these ports; `None` takes all.
        datagram_servers: the side with one of these UDP ports is the server; by default those that are taken.
        flow_budget: bytes that one flow may hold behind holes.
        total_budget: bytes that all flows together may hold behind holes.
        max_connections: how many connections are known at one time; the one that was quiet for longest goes first.

    Attributes:
        counts: what became of the packets that are no TCP segments.
        connection_count: connections seen so far.
        packet_count: packets so far.
        joined: key → flow, those whose chunks may be of several packets; see `join`.
        on_begin: called with each connection that begins with a SYN, when it does: its sides are known for sure.

    Spec: [P12] to [P20]
    """

    def __init__(
        self,
        *,
        server_ports: Collection[int] = (),
        datagram_ports: Collection[int] | None = (),
        datagram_servers: Collection[int] = (),
        flow_budget: int = FLOW_BUDGET,
        total_budget: int = TOTAL_BUDGET,
        max_connections: int = MAX_CONNECTIONS,
    ) -> None:
        self._unpacker = Unpacker(datagram_ports or ())
        self._datagram_ports = None if datagram_ports is None else frozenset(datagram_ports)
        self.counts = self._unpacker.counts
        self.connection_count = 0
        self.packet_count = 0
        self.joined: dict[bytes, Flow] = {}
        self.on_begin: Callable[[Connection], None] | None = None
        self._server_ports: dict[Transport, frozenset[int]] = {
            "tcp": frozenset(server_ports),
            "udp": frozenset(datagram_servers or datagram_ports or ()),
        }
        self._flow_budget = flow_budget
        self._total_budget = total_budget
        self._max_connections = max_connections
        self._flows: dict[bytes, Flow] = {}
        self._numbers: dict[bytes, int] = {}
        self._recent = Recent()
        # Flows with something pending, the one whose first hole is oldest in front; and the bytes that all hold.
        self._waiting: dict[Flow, int] = {}
        self._held_size = 0

    def add(self, packet: Packet) -> Sequence[Event]:
        """Return what this packet brings to light: mostly nothing or one chunk."""
        self.packet_count += 1
        segment = find_segment(packet)
        if segment is None:
            return self._add_any(packet)
        key, sequence, acknowledged, flags, start, end, cut = segment
        flow = self._flows.get(key)
        if (
            flow is None
            or sequence != flow.next_sequence
            or flags & (FIN | SYN | RST | ACK) != ACK
            or flow.pending
            or flow.reverse.pending
            or cut
        ):
            return self._add_odd(packet, segment, flow)
        # In order, and nothing is waiting: nearly every segment there is.
        flow.packet_count += 1
        flow.last_number = packet.number
        flow.last_ack = acknowledged
        if start == end:
            return ()
        chunk = Chunk(flow, packet.timestamp_ns, flow.offset, packet.data[start:end], packet.number)
        flow.offset += end - start
        flow.next_sequence = sequence + end - start & 0xFFFF_FFFF
        self._recent.add((chunk,), packet.number)
        return (chunk,)

    def join(self, connection: Connection) -> None:
        """Let the flows of a connection come in chunks of several packets, if the packets are scanned.

        Then the bytes of one flow may come before bytes of another that were sent earlier: nothing must depend on it.
        """
        for flow in (connection.client, connection.server):
            if self._flows.get(flow.key) is flow:
                self.joined[flow.key] = flow

    @property
    def joining(self) -> Joining:
        """Where a scan of the packets puts them; `add_batch` takes what it says."""
        return Joining(self.joined, self._begin)

    def _begin(self, key: bytes, sequence: int, number: int) -> bool:
        """Begin a connection as `add` does with its SYN, unless its ports were used or others must make room."""
        if key in self._flows or len(self._flows) >= 2 * self._max_connections:
            return False
        flow = self._connect(key, SYN, [])
        flow.packet_count, flow.last_number = 1, number
        begin(flow, sequence)
        return True

    def add_batch(self, batch: Batch) -> Sequence[Event]:
        """Return what packets bring to light that a scan has already put into the flows of `joined`."""
        self.packet_count += batch.packet_count
        self._recent.add(batch.chunks, batch.last_number)
        return [*batch.chunks, *batch.ends] if batch.ends else batch.chunks

    def finish(self) -> list[Event]:
        """Return what the end of the capture brings to light, and forget everything."""
        events: list[Event] = []
        self._unpacker.finish()
        for connection in {flow.connection: None for flow in self._flows.values()}:
            self._close(connection, "reset" if connection.is_reset else "capture", events)
        self._flows.clear()
        self.joined.clear()
        self._recent.clear()
        return events

    def _add_any(self, packet: Packet) -> list[Event]:
        """Unpack by the general way."""
        events: list[Event] = []
        for unpacked in self._unpacker.unpack(packet):
            if not unpacked.is_datagram:
                segment = unpacked.segment
                events += self._add_odd(unpacked.packet, segment, self._flows.get(segment[0]))
                self._note_tunnels(unpacked)
            elif self._takes_datagram(unpacked):
                events += self._add_alone(unpacked)
            else:
                self.counts.udp += 1
        return events

    def _takes_datagram(self, unpacked: Unpacked) -> bool:
        source, destination = ports_of(unpacked.segment[0])
        ports = self._datagram_ports
        return ports is None or source in ports or destination in ports

    def _add_alone(self, unpacked: Unpacked) -> list[Event]:
        """[P24] Take a payload as it is, as the next bytes of its flow."""
        events: list[Event] = []
        key, _, _, flags, start, end, cut = unpacked.segment
        packet = unpacked.packet
        flow = self._flows.get(key) or self._connect(key, flags, events)
        flow.packet_count += 1
        flow.last_number = packet.number
        if start < end:
            events.append(Chunk(flow, packet.timestamp_ns, flow.offset, packet.data[start:end], packet.number))
            flow.offset += end - start
        if cut:
            give_up(flow, cut, "cut", events, (packet.timestamp_ns, packet.number))
        self._note_tunnels(unpacked)
        return events

    def _note_tunnels(self, unpacked: Unpacked) -> None:
        if unpacked.tunnels:
            connection = self._flows[unpacked.segment[0]].connection
            connection.tunnels = connection.tunnels or unpacked.tunnels
            connection.is_tunnel_guessed |= unpacked.is_guessed

    def _add_odd(self, packet: Packet, segment: Segment, flow: Flow | None) -> list[Event]:
        events: list[Event] = []
        key, sequence, acknowledged, flags, start, end, cut = segment
        if flow is None:
            flow = self._connect(key, flags, events)
        elif flags & SYN:
            if not _continues(flow, sequence, flags):
                flow = self._replace(flow, flags, events)
        elif _is_over(flow.connection) and start < end and not flags & RST and is_elsewhere(flow, sequence):
            flow = self._resume(flow, events)
        flow.packet_count += 1
        flow.last_number = packet.number
        if flags & SYN:
            learn_sides(flow, flags)
            begin(flow, sequence)
            sequence = sequence + 1 & 0xFFFF_FFFF
        elif flow.base < 0:
            flow.base = sequence
        if start == end and not (cut or flags & (FIN | RST) or flow.pending or flow.reverse.pending or events):
            if flags & ACK:
                flow.last_ack = acknowledged
            return events
        if flags & RST:
            # [P13] Text in a RST says why, to people; it is no part of the stream (RFC 9293, 3.5.3).
            flow.connection.is_reset = True
        else:
            self._acknowledge(flow, acknowledged, flags, events)
            if start < end or cut or flags & FIN:
                self._recent.tell()
                origin = packet.timestamp_ns, packet.number
                place(flow, sequence, packet.data[start:end], cut, bool(flags & FIN), origin)
        self._progress(flow, events)
        self._keep_budget(flow, events)
        self._recent.add([event for event in events if type(event) is Chunk], packet.number)
        return events

    def _acknowledge(self, flow: Flow, acknowledged: int, flags: int, events: list[Event]) -> None:
        if flags & ACK:
            flow.last_ack = acknowledged
            if flow.reverse.pending:
                acknowledge(flow.reverse, acknowledged, events)
                self._account(flow.reverse)

    def _progress(self, flow: Flow, events: list[Event]) -> None:
        if is_settling(flow):
            settle(flow, events)
        advance(flow, events)
        self._account(flow)

    def _account(self, flow: Flow) -> None:
        """Bring the total up to date with what a flow holds."""
        self._held_size += flow.pending_size - self._waiting.get(flow, 0)
        if flow.pending:
            self._waiting[flow] = flow.pending_size
        else:
            self._waiting.pop(flow, None)

    def _keep_budget(self, flow: Flow, events: list[Event]) -> None:
        """[P18] Give up holes until all that is held fits the budgets again."""
        while flow.pending_size > self._flow_budget:
            self._relax(flow, events)
        while self._held_size > self._total_budget:
            self._relax(next(iter(self._waiting)), events)

    def _relax(self, flow: Flow, events: list[Event]) -> None:
        relax(flow, events)
        # The next hole of this flow is a younger one: it queues up again.
        self._held_size -= self._waiting.pop(flow)
        self._account(flow)

    def _connect(self, key: bytes, flags: int, events: list[Event]) -> Flow:
        """Begin a connection with the first packet of one of its flows."""
        if len(self._flows) >= 2 * self._max_connections:
            self._evict(events)
        reverse = reverse_key(key)
        number = self._numbers.pop(min(key, reverse), 0) + 1 if self._numbers else 1
        return self._open(key, reverse, number, flags)

    def _replace(self, flow: Flow, flags: int, events: list[Event]) -> Flow:
        """[P19] Begin a new connection on the ports of an old one."""
        self._close(flow.connection, "replaced", events)
        return self._open(flow.key, flow.reverse.key, flow.connection.number + 1, flags)

    def _resume(self, flow: Flow, events: list[Event]) -> Flow:
        """[P19] Begin a new connection whose SYN was not captured: its sides are those of the old one."""
        old = flow.connection
        new = self._replace(flow, 0, events)
        client, server = (new, new.reverse) if old.client is flow else (new.reverse, new)
        new.connection.client, new.connection.server = client, server
        return new

    def _open(self, key: bytes, reverse_key: bytes, number: int, flags: int) -> Flow:
        flow, reverse = Flow(key), Flow(reverse_key)
        flow.reverse, reverse.reverse = reverse, flow
        is_client = bool(flags & SYN and not flags & ACK) or (not flags & SYN and self._is_client(key))
        client, server = (flow, reverse) if is_client else (reverse, flow)
        flow.connection = reverse.connection = Connection(client, server, number, is_guessed=not flags & SYN)
        self._flows[reverse_key] = reverse
        # Last: a host that talks to its own port has but one key for both, and one flow under it.
        self._flows[key] = flow
        self.connection_count += 1
        if flags & SYN and self.on_begin is not None:
            self.on_begin(flow.connection)
        return flow

    def _is_client(self, key: bytes) -> bool:
        """[P12] Guess from the ports: a known one is the server's, else the lower one, else who answers."""
        source, destination = ports_of(key)
        known = self._server_ports[transport_of(key)]
        if (source in known) != (destination in known):
            return destination in known
        return source >= destination

    def _close(self, connection: Connection, reason: EndReason, events: list[Event]) -> None:
        for flow in (connection.client, connection.server):
            self.joined.pop(flow.key, None)
            close(flow, reason, events)
            self._account(flow)

    def _evict(self, events: list[Event]) -> None:
        """[P18] Forget the eighth of the connections that was quiet for longest: one sort for many new connections."""
        last: dict[Connection, int] = {}
        for flow in self._flows.values():
            connection, number = flow.connection, flow.last_number
            if last.get(connection, -1) < number:
                last[connection] = number
        quiet = sorted(last, key=last.__getitem__)
        for connection in quiet[: max(1, len(quiet) // 8)]:
            self._close(connection, "evicted", events)
            keys = connection.client.key, connection.server.key
            for key in keys:
                self._flows.pop(key, None)
            self._numbers[min(keys)] = connection.number
        while len(self._numbers) > _NUMBERED_COUNT:
            del self._numbers[next(iter(self._numbers))]


def assemble(packets: Iterable[Packet], assembler: Assembler | None = None) -> Iterator[Event]:
    """Yield the events of all flows in a capture.

    An error of `packets` (a capture that is cut off) comes through after the events of everything before it, those of
    the end included: a reader of events needs no second way to finish.
    """
    assembler = assembler or Assembler()
    try:
        for packet in packets:
            yield from assembler.add(packet)
    except CaptureFileError:
        yield from assembler.finish()
        raise
    yield from assembler.finish()


def _continues(flow: Flow, sequence: int, flags: int) -> bool:
    """[P19] Whether a SYN is of the connection that is known: another start of either side is another connection."""
    if not is_same_start(flow, sequence):
        return False
    reverse = flow.reverse
    # A SYN comes first. If its own side was silent and the other one talked without a SYN, they were the end of an
    # older connection.
    is_late = not flags & ACK and not flow.packet_count and reverse.packet_count and reverse.syn_sequence < 0
    return not is_late


def _is_over(connection: Connection) -> bool:
    """Whether both sides are done, as far as they spoke, or one has reset the connection."""
    return connection.is_reset or all(
        flow.is_ended or not flow.packet_count for flow in (connection.client, connection.server)
    )


def learn_sides(flow: Flow, flags: int) -> None:
    """[P12] A SYN that comes late still tells who is the client."""
    connection = flow.connection
    if connection.is_guessed:
        client, server = (flow.reverse, flow) if flags & ACK else (flow, flow.reverse)
        connection.client, connection.server, connection.is_guessed = client, server, False
