"""Packet: one record of a capture file, as the file has it."""

__all__ = ["Packet"]


class Packet:
    """One captured packet.

    Attributes:
        number: counted from 1 through the whole file, as every capture tool does.
        timestamp_ns: nanoseconds since 1970 UTC; `None` where the record has no time (pcapng simple packets).
        link_type: what `data` starts with, a LINKTYPE_ number of the tcpdump.org registry.
        data: the bytes that were kept.
        original_size: the packet's size on the wire; more than `len(data)` if the snap length cut it.
    """

    __slots__ = ("data", "link_type", "number", "original_size", "timestamp_ns")

    def __init__(self, number: int, timestamp_ns: int | None, link_type: int, data: bytes, original_size: int) -> None:
        self.number = number
        self.timestamp_ns = timestamp_ns
        self.link_type = link_type
        self.data = data
        self.original_size = original_size

    def __repr__(self) -> str:
        return f"Packet({self.number}, {self.timestamp_ns}, {self.link_type}, {self.data!r}, {self.original_size})"
