"""Source: a binary file read in large blocks, looked at through a window that is parsed in place."""

from typing import Protocol

from framing.errors import CaptureFileError

__all__ = ["BLOCK_SIZE", "MAX_RECORD_SIZE", "BinaryReader", "Source"]

# Large enough that the cost per block vanishes, small enough to stay in the processor's cache.
BLOCK_SIZE = 256 * 1024

# [P4] 16 MiB: Wireshark's own limit for a pcapng block, and 60 times the largest packet that tcpdump keeps. A length
# field above it is damage, not a packet, and is refused before a byte of it is kept.
MAX_RECORD_SIZE = 16 * 1024 * 1024


class BinaryReader(Protocol):
    """What a capture is read from: anything with `read`. No seeking, so a pipe will do."""

    def read(self, size: int, /) -> bytes | None:
        """Return at most `size` bytes; nothing at the end."""


class Source:
    """A window on a file. The reader parses `buffer` in place from `start` and asks for more when it must.

    Attributes:
        buffer: the bytes at hand.
        start: where in `buffer` the first byte stands that is not yet used.
    """

    __slots__ = ("_base", "_read", "buffer", "start")

    def __init__(self, file: BinaryReader) -> None:
        # A pipe that still grows: `read1` gives what is there, where `read` would wait for a whole block.
        self._read = getattr(file, "read1", file.read)
        self.buffer = b""
        self.start = 0
        self._base = 0

    @property
    def offset(self) -> int:
        """The file offset of the first byte that is not yet used."""
        return self._base + self.start

    def has(self, size: int) -> bool:
        """Whether `size` bytes are at hand from `start` on, after reading what is missing.

        May replace `buffer` and reset `start`. Reads a block more than it must, so it is asked once a block.
        """
        kept = len(self.buffer) - self.start
        if kept >= size:
            return True
        blocks = [self.buffer[self.start :]]
        while kept < size and (block := self._read(BLOCK_SIZE)):
            blocks.append(block)
            kept += len(block)
        self._base += self.start
        self.start = 0
        self.buffer = b"".join(blocks)
        return kept >= size

    def truncated(self, what: str, packet_number: int) -> CaptureFileError:
        """Return the error for a file that stops inside `what`."""
        return CaptureFileError(
            f"the capture ends inside {what}", offset=self.offset, packet_number=packet_number, truncated=True
        )

    def damaged(self, reason: str, packet_number: int, found: object = None) -> CaptureFileError:
        """Return the error for bytes that cannot be what they stand for."""
        return CaptureFileError(reason, offset=self.offset, packet_number=packet_number, found=found, truncated=False)
