"""What one side of every connection of a protocol has in common: told once, and not for each of them."""

from framing.conversation import Conversation, DirectionReader
from framing.protocol import Protocol, Side
from framing.wire import WireFormat

__all__ = ["Way", "is_quick"]


class Way:
    """How one side's bytes are cut, where nothing that anybody says changes that.

    Most captures are of many short connections, whose packets hold whole frames. Then bytes are cut where they lie, and
    a reader, which costs as much as all of them, is only made for bytes that have to wait for more.

    Args:
        protocol: what is spoken.
        side: which side.
        midstream: the beginning was not seen.

    Attributes:
        wire: the wire format, all the time.
        scan: cuts whole frames from bytes that begin with one; `None` where that takes more than these bytes.
    """

    __slots__ = ("_midstream", "_protocol", "_side", "scan", "wire")

    def __init__(self, protocol: Protocol, side: Side, *, midstream: bool) -> None:
        self._protocol = protocol
        self._side: Side = side
        self._midstream = midstream
        wire = self.wire = protocol.direction(side).first_phase(midstream=midstream).wire
        self.scan = wire.format.scan_frames if is_quick(wire) and not (wire.join or wire.format.remembers) else None

    def reader(self, offset: int, frame_count: int) -> DirectionReader:
        """Return what reads a direction from a stream offset on, having read so many frames before."""
        reader = Conversation(self._protocol, midstream=self._midstream).reader(self._side)
        reader.begin_again(offset, frame_count)
        return reader


def is_quick(wire: WireFormat) -> bool:
    """Whether packets may be cut many at a time: each frame and each error is told by the same packet as one by one."""
    return wire.format.size_first and wire.recovery == "poison"
