"""What all directions hold together of frames and messages that are not whole yet, within a budget. Spec: [P18]."""

from collections import OrderedDict
from collections.abc import Sequence

from framing.capture.records import ErrorRecord
from framing.capture.track import Track
from framing.errors import FrameError

__all__ = ["Unfinished"]

# 256 MiB: room for 256 frames of the default limit, and little enough for any machine that reads captures.
_BUDGET = 1 << 28

# Less in one direction is not counted: most hold nothing, or a piece of a packet, and so many as could matter are not
# known at once.
_COUNTED_SIZE = 1 << 12


class Unfinished:
    """The directions that hold much, the one that has done so for longest first.

    Args:
        budget: bytes that all may hold.
    """

    __slots__ = ("_budget", "_held", "_size")

    def __init__(self, budget: int = _BUDGET) -> None:
        self._budget = budget
        self._held: OrderedDict[Track, int] = OrderedDict()
        self._size = 0

    def note(self, track: Track) -> Sequence[ErrorRecord]:
        """Take note of what a direction holds now; return the errors of those that had to be given up for it."""
        size, before = track.held_size, self._held.get(track, 0)
        if size < _COUNTED_SIZE:
            if before:
                self.forget(track)
            return ()
        self._held[track] = size
        self._size += size - before
        return () if self._size <= self._budget else self._given_up()

    def _given_up(self) -> list[ErrorRecord]:
        records = []
        while self._size > self._budget:
            oldest = next(iter(self._held))
            self.forget(oldest)
            reason = f"{oldest.held_size} bytes were held for what is not whole"
            reason += f", and all flows together held more than {self._budget}"
            hint = "decode fewer flows at once: ports=, flows=, --port, --flow"
            record = oldest.stop(FrameError(reason, offset=oldest.reader.offset, hint=hint))
            if oldest.is_shown:
                records.append(record)
        return records

    def forget(self, track: Track) -> None:
        """Count a direction no more."""
        self._size -= self._held.pop(track, 0)
