"""Records: what decoding a capture, or a file of raw bytes, yields.

    frame     one frame and its message                    error    what could not be cut, decoded or read
    gap       bytes that the capture does not have         summary  the counts of one flow at its end, of all at the end
    flow      a flow without its frames, from `survey`

Each is a value, and says where it comes from:

    flow            the flow's name, as `10.0.0.5:51744>10.0.0.9:9092`; for raw bytes the file's
    direction       the side that sent the bytes
    is_guessed      no SYN was seen, so it is the ports that tell which side is the client
    time_ns         nanoseconds since 1970 UTC, of the packet with the last byte; `None` for raw bytes
    packet_number   that packet, counted from 1 as every capture tool does; `None` for raw bytes
    protocol        the name of the protocol, where it was the server's port that told it

Their JSON form is in `framing.capture.lines`. Spec: [R1] to [R8].
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from framing.capture.flow import EndReason, GapReason
from framing.capture.key import Transport
from framing.errors import FramingError, StreamGapError
from framing.frame import Frame
from framing.protocol import Side
from framing.wire import WireFormat

__all__ = [
    "HEAD_SIZE",
    "ErrorRecord",
    "FlowRecord",
    "FrameRecord",
    "GapRecord",
    "Place",
    "Placed",
    "Record",
    "SummaryRecord",
]

# What records begin with: flow, side, and whether the side is a guess. Time and packet follow.
Place = tuple[str, Side, bool]

# At most this many bytes of anybody's data stand in an error, as in every text of `framing.errors`.
HEAD_SIZE = 32


class FrameRecord(NamedTuple):
    """One whole frame, and its message.

    Attributes:
        number: counts the frames of its flow from 0.
        frame: the frame; its header and payload are read when asked for.
        value: the message, or `None` where no payload can be refused: it is made when somebody asks.
        wire: what makes it then.
    """

    flow: str
    direction: Side
    is_guessed: bool
    time_ns: int | None
    packet_number: int | None
    number: int
    frame: Frame
    value: Any
    protocol: str = ""
    wire: WireFormat | None = None

    @property
    def message(self) -> Any:
        """What the codec made of the frame; a `framing.Message` where the header has fields for the application.

        Where several frames join, `framing.MORE` for all but the last, which has the whole message.
        """
        return self.value if self.wire is None else self.wire.decode(self.frame)

    @property
    def type(self) -> str:
        """`frame`, as in JSON."""
        return "frame"

    @property
    def offset(self) -> int:
        """The frame's first byte in the flow."""
        return self.frame.offset

    @property
    def size(self) -> int:
        """Bytes of the whole frame on the wire."""
        return self.frame.size

    @property
    def header(self) -> dict[str, Any]:
        """Every named field of header and trailer."""
        return self.frame.header


class ErrorRecord(NamedTuple):
    """What could not be cut, decoded or read. After a `FrameError` the rest of its flow is skipped.

    If it has a `region_size`, a recovery policy passed over so many bytes from `offset` on, and the flow goes on.

    Where the capture file itself is damaged or truncated, `flow` and `direction` are `None`.

    Attributes:
        error: what a reader would have raised, with its facts as attributes.
        offset: of the bad frame's first byte in the flow; where the file is bad, in the file.
        number: of the bad frame in its flow, from 0.
        head: the bad frame's first 32 bytes, as far as they are there.
    """

    flow: str | None
    direction: Side | None
    is_guessed: bool
    time_ns: int | None
    packet_number: int | None
    error: FramingError
    offset: int | None = None
    number: int | None = None
    head: bytes = b""
    protocol: str = ""

    @property
    def type(self) -> str:
        """`error`, as in JSON."""
        return "error"


class GapRecord(NamedTuple):
    """Bytes of a flow that were sent but are not in the capture.

    Attributes:
        offset: of the first missing byte in the flow.
        size: how many are missing.
        reason: how it is known that they will not come; see `framing.capture.flow`.
        pending_size: bytes before the gap, of a frame that now stays unfinished.
        resumed_offset: where in the flow frames are cut again, `None` where nothing told that for sure: the rest of
            the flow is then skipped.
        confirmed: how that is known, `size`, `delimiter` or `chain`; see `framing.capture.resync`.
    """

    flow: str
    direction: Side
    is_guessed: bool
    time_ns: int | None
    packet_number: int | None
    offset: int
    size: int
    reason: GapReason
    pending_size: int = 0
    resumed_offset: int | None = None
    confirmed: str = ""
    protocol: str = ""

    @property
    def type(self) -> str:
        """`gap`, as in JSON."""
        return "gap"

    @property
    def error(self) -> StreamGapError:
        """The gap as an error, for people and for who cannot do without the bytes."""
        what = "what follows them is skipped"
        if self.resumed_offset is not None:
            what = f"decoding goes on at {self.resumed_offset}, told by {self.confirmed}"
        return StreamGapError(
            f"bytes are missing from the capture, and {what}",
            flow=self.flow,
            stream_offset=self.offset,
            gap_size=self.size,
            packet_number=self.packet_number,
        )


class SummaryRecord(NamedTuple):
    """What became of the bytes: `size` is those in frames, `skipped_size` and `tail_size` together.

    There is one for each flow, when it ends, and at last one for all of them, whose `flow` is `None`.

    Attributes:
        frame_count: whole frames, those included whose payload could not be decoded.
        size: bytes that were there.
        error_count: error records.
        gap_count, missing_size: gaps, and the bytes in them.
        skipped_size: bytes that no frame was cut from: behind a frame error, around a gap.
        tail_size: bytes of an unfinished frame at the end.
        end: why the flow ended; see `framing.capture.flow`. `None` for raw bytes and for all together.
        flow_count: flows that were decoded, 1 for each of them.
        packet_count: packets of the flow; of the capture, other flows included; 0 for raw bytes.
        left: connections that were not decoded, by the server's port; the 100 most frequent ones.
        unused: why packets of the capture carry nothing that can be used, and how many; see `PacketCounts`.
        tunnels: what packets of the flow came through, the outermost first.
        is_tunnel_guessed: only a port number, or looks, tell that there was a tunnel.
    """

    flow: str | None
    direction: Side | None
    is_guessed: bool
    frame_count: int = 0
    size: int = 0
    error_count: int = 0
    gap_count: int = 0
    missing_size: int = 0
    skipped_size: int = 0
    tail_size: int = 0
    end: EndReason | None = None
    flow_count: int = 1
    packet_count: int = 0
    unused: Mapping[str, int] | None = None
    left: Mapping[int, int] | None = None
    protocol: str = ""
    tunnels: tuple[str, ...] = ()
    is_tunnel_guessed: bool = False

    @property
    def type(self) -> str:
        """`summary`, as in JSON."""
        return "summary"


class FlowRecord(NamedTuple):
    """One flow of a capture, undecoded.

    Attributes:
        time_ns, first_ns: of the last and the first packet with payload.
        packet_count: packets, those without payload included.
        size: bytes of the stream that were captured.
        gap_count, missing_size: gaps, and the bytes in them.
        retransmitted_size: bytes that came again.
        conflicting_size: those of them that differed from the first copy.
        end: why the flow ended; see `framing.capture.flow`.
        server_port: the port of the side that is the server.
        protocols: names of protocols that have this port.
        transport: tcp or udp.
        tunnels, is_tunnel_guessed: as in `SummaryRecord`.
    """

    flow: str
    direction: Side
    is_guessed: bool
    time_ns: int | None
    packet_number: int | None
    first_ns: int | None
    packet_count: int
    size: int
    gap_count: int
    missing_size: int
    retransmitted_size: int
    conflicting_size: int
    end: EndReason
    server_port: int
    protocols: tuple[str, ...] = ()
    transport: Transport = "tcp"
    tunnels: tuple[str, ...] = ()
    is_tunnel_guessed: bool = False

    @property
    def type(self) -> str:
        """`flow`, as in JSON."""
        return "flow"


Record = FrameRecord | ErrorRecord | GapRecord | SummaryRecord

# A record, and the number of the packet that brought it to light: behind a gap, that is not always the record's own.
Placed = tuple[int, Record]
