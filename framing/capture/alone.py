"""Every payload by itself: for captures whose TCP numbers fit nothing, but whose packets hold whole messages."""

from collections.abc import Sequence

from framing.capture.assembler import Assembler, learn_sides
from framing.capture.flow import Connection, Event
from framing.capture.packet import Packet
from framing.capture.segment import RST, SYN

__all__ = ["PacketAssembler"]


class PacketAssembler(Assembler):
    """An assembler that puts nothing together: payloads come in the order of their packets, copies of one included.

    Spec: [P27]
    """

    def add(self, packet: Packet) -> Sequence[Event]:
        """Return what this packet brings."""
        self.packet_count += 1
        events: list[Event] = []
        for unpacked in self._unpacker.unpack(packet):
            if unpacked.is_datagram and not self._takes_datagram(unpacked):
                self.counts.udp += 1
                continue
            key, _, _, flags, _, end, _ = unpacked.segment
            # [P13] The text of a RST is for people.
            segment = (key, 0, 0, flags, end, end, 0) if flags & RST else unpacked.segment
            events += self._add_alone(unpacked._replace(segment=segment))
            if flags & SYN:
                learn_sides(self._flows[key], flags)
        return events

    def join(self, connection: Connection) -> None:
        """Join nothing: a scan would put packets together."""
