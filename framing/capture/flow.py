"""What comes out of a capture: flows and their events.

A connection has two flows, one for each direction. A flow is told in events, in the order of its bytes:

    Chunk · Chunk · Gap · Chunk · … · FlowEnd

A chunk is the bytes of one segment, less what an earlier one already brought, or of several segments in a row. A gap is
bytes that were sent but are not in the capture. Offsets count sent bytes, those of gaps included, from the flow's first
known byte; so each event starts where the one before it stopped.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from struct import Struct
from typing import Any, Literal, NamedTuple

from framing.capture.address import format_address
from framing.capture.key import Transport, destination_of, names_of, source_of, transport_of

__all__ = [
    "ENDED",
    "UNSETTLED",
    "Chunk",
    "Connection",
    "Direction",
    "EndReason",
    "Event",
    "Flow",
    "FlowEnd",
    "Gap",
    "GapReason",
    "Mark",
    "Piece",
    "pack_mark",
]

Direction = Literal["client", "server"]

# acknowledged: the other side has the bytes · cut: by the snap length · budget: too much was held behind the hole
# end: the flow ended with the hole open
GapReason = Literal["acknowledged", "cut", "budget", "end"]

# fin: closed by its sender · replaced: its ports serve a new connection · evicted: too many connections, and this one
# was quiet for longest · reset: the capture ended after one side reset the connection · capture: it just ended
EndReason = Literal["fin", "replaced", "evicted", "reset", "capture"]

# Bytes that wait behind a hole: start offset, end offset, bytes, cut bytes behind them, timestamp_ns, packet number.
Piece = tuple[int, int, bytes, int, int | None, int]

# `next_sequence` of a flow whose start is not settled, and of one that ended: no segment has these numbers.
UNSETTLED, ENDED = -1, -2

# Where in a chunk the bytes of one packet end, its timestamp_ns and its number. Chunks of several packets have them
# packed: most are never looked at, and as tuples they would cost more than the bytes that they are about.
Mark = tuple[int, int | None, int]
_MARK = Struct("=qqq")
pack_mark = _MARK.pack


class Connection:
    """Two flows, and which of them is the client's.

    Attributes:
        number: 1 for the first connection of this pair of addresses and ports, 2 for the next one.
        client, server: the flow of the bytes that this side sent.
        is_guessed: no SYN was seen, so which side is the client is told by the ports.
        is_reset: one side sent a RST.
        tunnels: what packets of it came through, the outermost first, such as `("gre", "erspan")`.
        is_tunnel_guessed: only a port number, or looks, tell that there was a tunnel.
    """

    __slots__ = ("client", "is_guessed", "is_reset", "is_tunnel_guessed", "number", "server", "tunnels")

    def __init__(self, client: "Flow", server: "Flow", number: int, *, is_guessed: bool) -> None:
        self.client = client
        self.server = server
        self.number = number
        self.is_guessed = is_guessed
        self.is_reset = self.is_tunnel_guessed = False
        self.tunnels: tuple[str, ...] = ()


class Flow:
    """One direction of one connection. Its identity and counters are for everybody, the rest is for `tcp.py`.

    Attributes:
        key: see `framing.capture.key`.
        connection: the connection, set once both of its flows exist.
        reverse: the other direction.
        packet_count: packets of this flow, those without payload included.
        offset: sent bytes so far, missing ones included; the next chunk or gap starts here.
        gap_count, missing_size: gaps and the bytes in them.
        retransmitted_size: payload bytes that came again, keep-alives not included.
        conflicting_size: those of them that differed from the first copy, as far as that was still remembered.
        stray_count: segments that no window of this flow could hold, left out.
        context: what the reader of the events wants to keep with the flow. Nothing here looks at it.
    """

    __slots__ = (
        "_name",
        "base",
        "conflicting_size",
        "connection",
        "context",
        "covered_count",
        "covered_offset",
        "end_reason",
        "fin_offset",
        "gap_count",
        "key",
        "last_ack",
        "last_number",
        "missing_size",
        "next_sequence",
        "offset",
        "packet_count",
        "pending",
        "pending_size",
        "recent",
        "retransmitted_size",
        "reverse",
        "stray_count",
        "syn_sequence",
    )

    connection: Connection
    reverse: "Flow"

    def __init__(self, key: bytes) -> None:
        self.key = key
        self.context: Any = None
        self._name: str | None = None
        self.packet_count = self.offset = self.gap_count = self.missing_size = 0
        self.retransmitted_size = self.conflicting_size = self.stray_count = 0
        self.end_reason: EndReason | None = None
        # The sequence number of the next byte, or one of the two above [P14].
        self.next_sequence = UNSETTLED
        # The sequence number that stands for offset 0 until then, the first one seen; -1 before the first segment.
        self.base = -1
        self.syn_sequence = -1
        self.fin_offset: int | None = None
        # The highest number that this side has acknowledged, of the reverse flow; -1 before the first.
        self.last_ack = -1
        self.last_number = 0
        # A list once there is one: most flows have none, and the garbage collector walks over each list.
        self.pending: Sequence[Piece] = ()
        self.pending_size = 0
        # [P17] Bytes up to here were acknowledged while a hole is open, and how often that was said.
        self.covered_offset = self.covered_count = 0
        # [P15] The newest chunks, to compare what comes again.
        self.recent: Sequence[Chunk] = ()

    @property
    def size(self) -> int:
        """Bytes delivered so far: `offset` less what was missing."""
        return self.offset - self.missing_size

    @property
    def direction(self) -> Direction:
        """Which side sent these bytes."""
        return "client" if self.connection.client is self else "server"

    @property
    def is_guessed(self) -> bool:
        """Whether `direction` is a guess from the ports."""
        return self.connection.is_guessed

    @property
    def is_ended(self) -> bool:
        """Whether the `FlowEnd` was given."""
        return self.end_reason is not None

    @property
    def transport(self) -> Transport:
        """What carries it."""
        return transport_of(self.key)

    @property
    def source(self) -> tuple[str, int]:
        """Address and port of the sender."""
        address, port = source_of(self.key)
        return format_address(address), port

    @property
    def destination(self) -> tuple[str, int]:
        """Address and port of the receiver."""
        address, port = destination_of(self.key)
        return format_address(address), port

    @property
    def port(self) -> int:
        """The sender's port."""
        return self.key[-4] << 8 | self.key[-3]

    @property
    def name(self) -> str:
        """Such as `10.0.0.5:51744>10.0.0.9:9092`, and `#2` behind it for the second connection of this pair."""
        if self._name is None:
            connection = self.connection
            name, other = names_of(self.key, connection.number)
            self._name = name
            reverse = connection.server if connection.client is self else connection.client
            reverse._name = other if reverse is not self else name
        return self._name

    def __repr__(self) -> str:
        return f"<Flow {self.name} {self.size} bytes>"


class Chunk(NamedTuple):
    """The next bytes of a flow.

    Attributes:
        flow: which.
        timestamp_ns, packet_number: of the packet that brought the last of them.
        offset: of the first byte in the flow.
        data: never empty.
        packed_marks: where the bytes of each packet end, if there were several: what `pack_mark` made, joined.
    """

    flow: Flow
    timestamp_ns: int | None
    offset: int
    data: bytes
    packet_number: int
    packed_marks: bytes = b""

    @property
    def marks(self) -> Iterator[Mark]:
        """Where the bytes of each packet end, from the first to the last."""
        if self.packed_marks:
            return _MARK.iter_unpack(self.packed_marks)
        return iter(((len(self.data), self.timestamp_ns, self.packet_number),))

    def since(self, number: int) -> tuple[int, bytes]:
        """Return what packets after that number brought: the offset of its first byte in the flow, and the bytes."""
        start = 0
        if self.packet_number <= number:
            start = len(self.data)
        elif self.packed_marks:
            known = bisect_right(range(len(self.packed_marks) // _MARK.size), number, key=self._packet_number)
            start = _MARK.unpack_from(self.packed_marks, (known - 1) * _MARK.size)[0] if known else 0
        return self.offset + start, self.data[start:] if start else self.data

    def _packet_number(self, index: int) -> int:
        number: int = _MARK.unpack_from(self.packed_marks, index * _MARK.size)[2]
        return number

    def __repr__(self) -> str:
        return f"<Chunk {self.flow.name} offset {self.offset}, {len(self.data)} bytes, packet {self.packet_number}>"


class Gap:
    """Bytes of a flow that are not in the capture.

    Attributes:
        flow: which.
        timestamp_ns, packet_number: of the packet behind the gap, or the last one of the flow if there is none.
        offset: of the first missing byte in the flow.
        size: how many are missing, at least 1.
        reason: how it is known that they will not come.
    """

    __slots__ = ("flow", "offset", "packet_number", "reason", "size", "timestamp_ns")

    def __init__(
        self, flow: Flow, timestamp_ns: int | None, offset: int, size: int, packet_number: int, reason: GapReason
    ) -> None:
        self.flow = flow
        self.timestamp_ns = timestamp_ns
        self.offset = offset
        self.size = size
        self.packet_number = packet_number
        self.reason = reason

    def __repr__(self) -> str:
        return f"<Gap {self.flow.name} offset {self.offset}, {self.size} bytes, {self.reason}>"


class FlowEnd:
    """The last event of a flow.

    Attributes:
        flow: which.
        reason: why there is no more.
        packet_number: the last packet of the flow.
        packet_count: packets of the flow up to that one; what is acknowledged behind it is not counted.
    """

    __slots__ = ("flow", "packet_count", "packet_number", "reason")

    def __init__(self, flow: Flow, reason: EndReason, packet_number: int, packet_count: int) -> None:
        self.flow = flow
        self.reason = reason
        self.packet_number = packet_number
        self.packet_count = packet_count

    def __repr__(self) -> str:
        return f"<FlowEnd {self.flow.name} {self.reason}>"


Event = Chunk | Gap | FlowEnd
