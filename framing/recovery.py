"""Recovery: what a parser does behind bytes that no frame can be cut from. Spec: [F100] to [F104].

    good frame │ bad region                                │ good frame
    ───────────┼───────────────────────────────────────────┼───────────
               region_offset         + region_size = the next frame

    poison      nothing: the error is raised at every pull, which is what [F8] says and what is done if nothing is asked
    skip        the frame, whose size is known: it is over the limit, or whole and its checksum or trailer is wrong
    delimiter   everything up to and with the next delimiter, or up to the next start
    magic       everything up to the next place where the header's constants stand and where, behind the frame that
                begins there, another header stands, or the stream ends

A region is opened by an error and closed by the place where the next frame begins, or by the end of the stream. Then
its error is raised, once, with what the region was. Its bytes are dropped as they come; only `magic` holds some back,
the frame whose successor it waits for, which is one within the limit.

Two rules keep time linear whatever the bytes are. A place is looked at once as the start of a frame: its header, and
the header behind it, in no more than `_LOOKED_SIZE` bytes each, nothing that is as long as the frame. And a frame that
fails its checksum is searched for frames only if it does not itself begin inside such a frame, so that no byte is
summed up more often than twice.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable

from framing.errors import DefinitionError, FrameError, FrameTooLargeError, TruncatedFrameError
from framing.frame import Buffer, FrameFormat
from framing.store import ChunkStore

__all__ = ["POLICY_NAMES", "Recovery", "Region", "can_recover", "check_recovery"]

# As many bytes as an error's text shows at most.
_HEAD_SIZE = 32

# In a choice, a case may be a line or an item, whose end alone tells its size: looked for at every place that may begin
# one, that would be as far as the limit each time. No header of varying size is meant to have as many bytes.
_LOOKED_SIZE = 512

# The default first.
POLICY_NAMES = ("poison", "skip", "delimiter", "magic")


class Region(ABC):
    """A stretch of a stream that no frame is cut from, while it is being passed over.

    Attributes:
        error: what was wrong at its beginning; it learns the region's offset, size and first bytes.
        offset: of its first byte in the stream.
        size: bytes of it that were passed over.
        needed_size: bytes that must be stored before looking again can decide anything.
    """

    __slots__ = ("_head", "error", "needed_size", "offset", "size")

    def __init__(self, error: FrameError, offset: int) -> None:
        self.error = error
        self.offset = offset
        self.size = 0
        self.needed_size = 1
        self._head = b""

    @abstractmethod
    def advance(self, store: ChunkStore, ended: bool) -> bool:
        """Pass over what is stored and bad, and tell whether a frame may begin at what is left.

        Args:
            store: what is stored, from the region's next byte on.
            ended: no more bytes come. Then the answer is yes.
        """

    def drop(self, store: ChunkStore, size: int) -> None:
        """Pass over so many bytes."""
        if len(self._head) < _HEAD_SIZE:
            self._head += store.peek(min(size, _HEAD_SIZE - len(self._head)))
        store.drop(size)
        self.size += size

    def close(self) -> None:
        """Let the error say what the region was."""
        self.error.region_offset, self.error.region_size = self.offset, self.size
        self.error.region_head = self._head


class SizedRegion(Region):
    """A frame whose size is known, or with `None` everything up to the end of the stream."""

    __slots__ = ("_total",)

    def __init__(self, error: FrameError, offset: int, total: int | None) -> None:
        super().__init__(error, offset)
        self._total = total

    def advance(self, store: ChunkStore, ended: bool) -> bool:
        """Drop up to the frame's end."""
        self.drop(store, store.size if self._total is None else min(store.size, self._total - self.size))
        return ended or self.size == self._total


class DelimitedRegion(Region):
    """Everything up to the place that the format's `resync` finds."""

    __slots__ = ("_format", "_looked_size")

    def __init__(self, error: FrameError, offset: int, format: FrameFormat) -> None:
        super().__init__(error, offset)
        self._format = format
        self._looked_size = 1  # at least one byte is bad

    def advance(self, store: ChunkStore, ended: bool) -> bool:
        """Drop up to the next delimiter."""
        while True:
            last = ended and not store.waiting_size
            end = len(store.buffer)
            first = min(store.start + self._looked_size, end)
            place, found = _resync(self._format, store.buffer, first, end, ended=last)
            self.drop(store, (end if last and not found else place) - store.start)
            self._looked_size = 0
            if found or last:
                return True
            if not store.waiting_size:
                return False
            store.gather(once=False)


class MagicRegion(Region):
    """Everything up to a header with another one behind its frame.

    Args:
        error: as for `Region`.
        offset: as for `Region`.
        recovery: whose region it is.
        whole_size: bytes of the frame at its beginning, if that is whole and only its checksum or trailer is wrong.
    """

    __slots__ = ("_is_candidate", "_looked_size", "_recovery", "_whole_size")

    def __init__(self, error: FrameError, offset: int, recovery: "Recovery", whole_size: int) -> None:
        super().__init__(error, offset)
        self._recovery = recovery
        self._whole_size = whole_size
        self._is_candidate = False
        self._looked_size = 1  # of what is stored, where no header begins; the bad frame's own one is none

    def advance(self, store: ChunkStore, ended: bool) -> bool:
        """Drop up to the next header that is confirmed."""
        if store.size < self.needed_size and not ended:
            return False
        while not self._searched(store, ended and not store.waiting_size):
            if not store.waiting_size or (store.size < self.needed_size and not ended):
                return False
            store.gather(once=False)
        return True

    def _searched(self, store: ChunkStore, ended: bool) -> bool:
        if self._whole_size and (closed := self._passed_whole(store, ended)) is not None:
            return closed
        form, buffer, place, end = self._recovery.format, store.buffer, store.start, len(store.buffer)
        while True:
            if self._is_candidate:
                confirmed = self._confirmed(buffer, place, end, ended)
                if confirmed is not False:
                    self.drop(store, place - store.start)
                    return confirmed is True
                self._looked_size = 1
            first = min(place + self._looked_size, end)
            place, self._is_candidate = _resync(form, buffer, first, end, ended=ended)
            if not self._is_candidate:
                self.drop(store, (end if ended else place) - store.start)
                self._looked_size, self.needed_size = 0, end - store.start + 1
                return ended

    def _passed_whole(self, store: ChunkStore, ended: bool) -> bool | None:
        """Look whether a header follows the whole frame that is wrong; `None`: none does, so it is searched."""
        size, recovery = self._whole_size, self._recovery
        begins = True
        if self.offset >= recovery.summed_offset:
            told = _begins(recovery.format, store.buffer, store.start + size, len(store.buffer), ended)
            if told is None:
                self.needed_size = max(size + recovery.format.min_size, store.size + 1)
                return False
            begins = told
        self._whole_size = 0
        if begins:
            self.drop(store, size)
            return True
        recovery.summed_offset = self.offset + size
        return None

    def _confirmed(self, buffer: Buffer, place: int, end: int, ended: bool) -> bool | None:
        """Tell whether a header stands at `place` and another one behind its frame; `None`: more bytes must come."""
        form = self._recovery.format
        total = _total(form, buffer, place, end)
        if total:
            told = _begins(form, buffer, place + total, end, ended)
        else:
            told = None if total is None and not ended else False
        if told is None:
            self.needed_size = max((total or 0) + form.min_size, end - place + 1)
        return told


class Recovery:
    """The policy of one stream.

    Args:
        policy: one of `POLICY_NAMES`.
        format: how the stream's frames are cut.

    Attributes:
        format: as given.
        summed_offset: up to here the stream was summed up for a frame that then was searched for frames.

    Raises:
        DefinitionError: there is no such policy, or this format has no means for it.
    """

    __slots__ = ("_policy", "format", "summed_offset")

    def __init__(self, policy: str, format: FrameFormat) -> None:
        check_recovery(policy, format)
        self._policy = policy
        self.format = format
        self.summed_offset = 0

    def region(self, error: FrameError, offset: int, total: int | None, whole: bool) -> Region | None:
        """Return the region that an error opens; `None`: the stream is bad for good.

        Args:
            error: what is wrong.
            offset: of the bad frame's first byte in the stream.
            total: the frame's size, where it was measured.
            whole: all of it is there, and within the limit.
        """
        if self._policy == "magic":
            return MagicRegion(error, offset, self, (total or 0) if whole else 0)
        if whole:
            return SizedRegion(error, offset, total)
        if self._policy == "delimiter":
            return DelimitedRegion(error, offset, self.format)
        if isinstance(error, FrameTooLargeError):
            return None if total is None else SizedRegion(error, offset, total)
        return SizedRegion(error, offset, None) if isinstance(error, TruncatedFrameError) else None


def check_recovery(policy: str, format: FrameFormat) -> None:
    """Refuse a policy that does not exist, or that a format has no means for.

    Raises:
        DefinitionError: with the policies that are possible.
    """
    if can_recover(policy, format):
        return
    possible = [name for name in POLICY_NAMES if can_recover(name, format)]
    reason = f"format {format.name} cannot recover like this" if policy in _MEANS else "no such recovery policy"
    raise DefinitionError(reason, key="recovery", found=policy, allowed=", ".join(possible))


def can_recover(policy: str, format: FrameFormat) -> bool:
    """Tell whether a format has the means for a policy.

    >>> from framing import get_format
    >>> [name for name in POLICY_NAMES if can_recover(name, get_format("lines"))]
    ['poison', 'delimiter']
    """
    return policy in _MEANS and _MEANS[policy](format)


# What of a format's contract each policy needs.
_MEANS: dict[str, Callable[[FrameFormat], bool]] = {
    "poison": lambda _: True,
    "skip": lambda one: one.size_first,
    "delimiter": lambda one: one.resync is not None and one.resyncs_at == "delimiter",
    "magic": lambda one: one.resync is not None and one.resyncs_at == "magic",
}


def _resync(form: FrameFormat, buffer: Buffer, start: int, end: int, *, ended: bool) -> tuple[int, bool]:
    assert form.resync is not None  # check_recovery has seen to it
    place, found = form.resync(buffer, start, end, ended)
    return min(max(place, start), end), found  # a third party's mistake must not become an endless loop


def _total(form: FrameFormat, buffer: Buffer, start: int, end: int) -> int | None:
    """Return the size of a frame that begins here, 0 if none does, or `None`: more bytes must come. [F103]"""
    stop = min(end, start + max(form.min_size, _LOOKED_SIZE))
    try:
        total = form.measure(buffer, start, stop)
    except FrameError:
        return 0
    if total is None and stop < end:
        return 0
    return total if total is None or 0 < total <= form.max_frame_size else 0


def _begins(form: FrameFormat, buffer: Buffer, start: int, end: int, ended: bool) -> bool | None:
    """Tell whether a header stands here, or exactly the end of the stream; `None`: more bytes must come."""
    if start >= end:
        return start == end if ended else None
    total = _total(form, buffer, start, end)
    return bool(total) if total is not None else False if ended else None
