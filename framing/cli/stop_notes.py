"""What `framing decode` tells of a flow that a frame error has ended: how much is left, and which option goes on."""

from collections.abc import Iterator

from framing.capture.records import ErrorRecord, GapRecord, Record, SummaryRecord
from framing.definition import get_protocol
from framing.errors import FrameError, HeaderError, TruncatedFrameError
from framing.protocol import Protocol
from framing.recovery import POLICY_NAMES, can_recover

__all__ = ["StopNotes"]


class StopNotes:
    """Looks at the records of one run, and tells at a flow's end what was left in it.

    Args:
        protocol: what the flows are decoded by; `None` where each record says it.
    """

    def __init__(self, protocol: Protocol | None) -> None:
        self._protocol = protocol
        # Flow → the error that ended it, and the bytes that were missing from there on.
        self._stopped: dict[str, tuple[ErrorRecord, int]] = {}

    def lines(self, record: Record) -> Iterator[str]:
        """Yield what is to be told before a record is shown."""
        if isinstance(record, ErrorRecord) and record.flow is not None and _ends(record):
            self._stopped[record.flow] = record, 0
        elif isinstance(record, GapRecord) and record.flow in self._stopped:
            error, missing_size = self._stopped[record.flow]
            self._stopped[record.flow] = error, missing_size + record.size
        elif isinstance(record, SummaryRecord) and record.flow in self._stopped:
            error, missing_size = self._stopped.pop(record.flow)
            offset = error.offset or 0
            left = record.size + record.missing_size - missing_size - offset
            size = "1 byte" if left == 1 else f"{left} bytes"
            yield f"{record.flow}: {size} from @{offset} on not decoded; {self._advice(error)}"

    def _advice(self, record: ErrorRecord) -> str:
        protocol = self._protocol or get_protocol(record.protocol)
        formats = [phase.wire.format for phase in protocol.direction(record.direction or "client").phases.values()]
        # What no frame begins with has no size that could be skipped.
        names = POLICY_NAMES[2 if isinstance(record.error, HeaderError) else 1 :]
        able = [name for name in names if any(can_recover(name, one) for one in formats)]
        if not able:
            return "nothing in this format tells where another frame begins"
        which = f"--protocol {record.protocol} " if record.protocol else ""
        return f"{which}--recovery {' or '.join(able)} goes on behind it"


def _ends(record: ErrorRecord) -> bool:
    """Whether the rest of the flow is skipped. A bad datagram is the end of that one only, and of raw bytes none is."""
    error = record.error
    _, slash, carrier = str(record.flow).partition("#")[0].partition("/")
    is_datagram = record.packet_number is not None and bool(slash) and carrier.startswith("udp")
    is_end = isinstance(error, FrameError) and not isinstance(error, TruncatedFrameError)
    return is_end and getattr(error, "region_size", None) is None and not is_datagram
