"""Turn: how much may still be done for a channel's tasks before the other tasks of the program must have their turn."""

from time import perf_counter

import trio

__all__ = ["SPAN", "Turn"]

# A loop over buffered messages may hold up every other task, timer and cancellation for this long, in seconds.
SPAN = 0.001


class Turn:
    """Messages and time left until the next real checkpoint, shared by both directions of a channel.

    A checkpoint per message would cost 20 times what a buffered message does, and none at all would let one fast peer
    starve everybody else.

    Attributes:
        left: messages until a checkpoint is due.
        due: the same as a time, on `perf_counter`'s clock: trio's own costs five times as much to read.
    """

    __slots__ = ("_count", "due", "left")

    def __init__(self, count: int) -> None:
        self._count = count
        self.left = 0
        self.due = 0.0

    @property
    def over(self) -> bool:
        """Whether a checkpoint is due before anything else is done."""
        return self.left <= 0 or perf_counter() >= self.due

    def renew(self) -> None:
        """Note that a real checkpoint has just been passed."""
        self.left = self._count
        self.due = perf_counter() + SPAN

    async def checkpoint(self) -> None:
        """Let everybody else run, and be cancelled if that is due."""
        await trio.lowlevel.checkpoint()
        self.renew()
