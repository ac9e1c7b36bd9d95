"""FrameQueue: what waits to be written, in the order of the wire.

_later    messages, not encoded: there is no room, or the phase has rules, which take note of each frame
_frames   bytes; only the first frame can be begun
"""

from collections import deque
from itertools import chain

from framing import Conversation, Side
from transports.limits import WRITE_SIZE, Limits
from transports.pending import Pending

__all__ = ["FrameQueue"]


class FrameQueue:
    """The frames of many tasks, first come first served.

    Args:
        conversation: encodes the messages of `side`.
        side: who we are.
        limits: `send_queue_size` counts.
    """

    __slots__ = ("_conversation", "_frames", "_later", "_limits", "_reader", "_side", "_size")

    def __init__(self, conversation: Conversation, side: Side, limits: Limits) -> None:
        self._conversation = conversation
        self._side: Side = side
        self._reader = conversation.reader(side)
        self._limits = limits
        self._frames: deque[Pending] = deque()
        self._later: deque[Pending] = deque()
        self._size = 0

    def __bool__(self) -> bool:
        return bool(self._frames or self._later)

    @property
    def has_rules(self) -> bool:
        """Whether encoding a message takes note of its frame, which then must be sent."""
        phase = self._reader.phase
        return bool(phase.after or phase.first)

    @property
    def needs_begin(self) -> bool:
        """Whether the next frame should be encoded only where it can be begun at once."""
        return not self._frames and self.has_rules

    def add(self, pending: Pending) -> Pending:
        """Let something join the end of the queue, encoded if there is room for its bytes.

        Raises:
            EncodeError: it was refused, and has not joined.
        """
        if self._later or self.has_rules or self._size >= self._limits.send_queue_size:
            self._later.append(pending)
        else:
            self._encode(pending)
        return pending

    def refill(self) -> None:
        """Encode what waits, as far as there is room."""
        while self._later and self._size < self._limits.send_queue_size:
            # Not behind another frame: noted and not yet begun, it could be neither sent nor withdrawn.
            if self._frames and self.has_rules:
                return
            pending = self._later.popleft()
            try:
                self._encode(pending)
            except Exception as error:  # noqa: BLE001 - it goes to the task that sends this message
                pending.finish(error=error)

    def _encode(self, pending: Pending) -> None:
        if pending.data is None:
            pending.committed = self.has_rules
            pending.data = self._conversation.encode(self._side, pending.message)
            pending.message = None
        self._frames.append(pending)
        self._size += pending.size

    def head(self, *, whole: bool) -> bytes | memoryview:
        """Return the next piece to write: the first frame, and what follows while all of it is small.

        Args:
            whole: of a large frame, everything; else no more than `WRITE_SIZE`.
        """
        if not self._frames:
            return b""
        first = self._frames[0].rest
        if len(self._frames) == 1 or len(first) >= WRITE_SIZE:
            return first if whole or len(first) <= WRITE_SIZE else memoryview(first)[:WRITE_SIZE]
        pieces: list[bytes | memoryview] = []
        room = WRITE_SIZE
        for pending in self._frames:
            pieces.append(pending.rest[:room])
            room -= len(pieces[-1])
            if not room:
                break
        return b"".join(pieces)

    def accepted(self, size: int) -> None:
        """Take bytes that the stream has accepted off the queue, and wake the tasks whose last byte was among them."""
        self._size -= size
        while self._frames and self._frames[0].size <= size:
            pending = self._frames.popleft()
            size -= pending.size
            pending.accepted += pending.size
            pending.finish()
        if size:
            self._frames[0].accepted += size

    def withdraw(self, pending: Pending, in_flight_size: int) -> None:
        """Take something back out of the queue, but for a frame that is begun."""
        if pending in self._later:
            self._later.remove(pending)
        elif pending in self._frames:
            before = sum(one.size for one in list(self._frames)[: self._frames.index(pending)]) if in_flight_size else 0
            self._size -= pending.size
            if pending.withdraw(max(0, min(in_flight_size - before, pending.size))):
                self._frames.remove(pending)
            else:
                self._size += pending.size

    def give_up(self, in_flight_size: int) -> None:
        """Withdraw everything and fail its tasks."""
        for pending in [*self._frames, *self._later]:
            self.withdraw(pending, in_flight_size)
            pending.finish(failed=True)

    def clear(self) -> None:
        """Drop everything, also what is begun, and fail its tasks."""
        for pending in chain(self._frames, self._later):
            pending.finish(failed=True)
        self._frames.clear()
        self._later.clear()
        self._size = 0

    def wake_next(self) -> None:
        """Wake the first task that waits."""
        for pending in chain(self._frames, self._later):
            if pending.waiting:
                pending.wake()
                return
