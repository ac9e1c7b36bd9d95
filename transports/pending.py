"""Pending: what one call of `send` or `send_many` has on its way, and what becomes of it when the call is cancelled."""

from typing import Any

import trio

from framing import FrameFormat

__all__ = ["Pending"]


class Pending:
    """One frame, or a run of frames of one task, from the call until the stream has accepted the last byte.

    Args:
        message: what to send; it is encoded when its turn comes.
        data: frames that are encoded already.
        format: how they are cut, where there are several.
        accepted: bytes of `data` that the stream has taken before.

    Attributes:
        accepted: bytes of `data` that the stream has taken.
        committed: the conversation took note of it when it was encoded, so that it must be sent.
        done: nothing is left to do for the task: sent, or failed.
        failed: it was not sent, for a reason that concerns the whole channel.
        error: it was not sent, because it cannot be encoded.
    """

    __slots__ = ("_format", "_task", "accepted", "committed", "data", "done", "error", "failed", "message")

    def __init__(
        self,
        message: Any = None,
        data: bytes | None = None,
        format: FrameFormat | None = None,
        *,
        accepted: int = 0,
    ) -> None:
        self.message = message
        self.data = data
        self._format = format
        self.accepted = accepted
        self.committed = False
        self.done = False
        self.failed = False
        self.error: Exception | None = None
        self._task: trio.lowlevel.Task | None = None

    @property
    def size(self) -> int:
        """Bytes that the stream has not taken yet."""
        return len(self.data) - self.accepted if self.data is not None else 0

    @property
    def rest(self) -> bytes | memoryview:
        """Those bytes."""
        assert self.data is not None
        return memoryview(self.data)[self.accepted :] if self.accepted else self.data

    @property
    def waiting(self) -> bool:
        """Whether a task sleeps in `wait`."""
        return self._task is not None

    async def wait(self) -> None:
        """Sleep until `wake`. Cancelled, it leaves no trace."""
        self._task = trio.lowlevel.current_task()
        await trio.lowlevel.wait_task_rescheduled(self._forget)

    def _forget(self, _: object) -> trio.lowlevel.Abort:
        self._task = None
        return trio.lowlevel.Abort.SUCCEEDED

    def wake(self) -> None:
        """Wake the task that sleeps in `wait`, if there is one."""
        task, self._task = self._task, None
        if task is not None:
            trio.lowlevel.reschedule(task)

    def finish(self, *, failed: bool = False, error: Exception | None = None) -> None:
        """Say that nothing is left to do for the task, and wake it. What was said first counts."""
        if not self.done:
            self.done, self.failed, self.error = True, failed, error
            self.wake()

    def withdraw(self, in_flight_size: int) -> bool:
        """Cut off what is not begun, and tell whether that was all.

        Args:
            in_flight_size: bytes being handed to the stream at this moment, of which it may have taken any number.
        """
        begun = self.accepted + in_flight_size
        if self.data is None or not (begun or self.committed):
            return True
        # The frame that was begun must be completed: the peer waits for its rest.
        self.data = self.data[: self._end_of_frame(self.data, begun)]
        return False

    def _end_of_frame(self, data: bytes, begun: int) -> int:
        """Return where the frame ends that contains the last byte begun."""
        if self._format is None or not begun:
            return len(data)
        stop = 0
        while stop < begun:
            stop += self._format.measure(data, stop, len(data)) or len(data)
        return stop
