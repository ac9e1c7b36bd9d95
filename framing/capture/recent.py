"""The newest chunks of all flows, to compare what comes again with them. Spec: [P15]"""

from collections import deque
from collections.abc import Iterable

from framing.capture.flow import Chunk, Flow

__all__ = ["REMEMBERED_COUNT", "Recent"]

# What so many packets brought last, of all flows, is remembered.
REMEMBERED_COUNT = 512

# Up to so many bytes of a packet: the largest segment IPv4 can carry.
_REMEMBERED_SIZE = 65536


class Recent:
    """Keeps what the last packets brought, and tells each flow of its own chunks.

    Flows are told late, when bytes come that one of them may have had: most captures have none, or few.
    """

    __slots__ = ("_newest", "_told")

    def __init__(self) -> None:
        # In the order in which they came; flows know those in front.
        self._told: deque[Chunk] = deque()
        self._newest: deque[Chunk] = deque()

    def add(self, chunks: Iterable[Chunk], number: int) -> None:
        """Take what packets up to this one brought, and let go of what is too old now."""
        oldest = number - REMEMBERED_COUNT
        self._newest += [chunk for chunk in chunks if chunk.packet_number > oldest and _is_kept(chunk)]
        told, newest = self._told, self._newest
        while told and told[0].packet_number <= oldest:
            _forget(told.popleft().flow)
        while newest and not told and newest[0].packet_number <= oldest:
            newest.popleft()

    def tell(self) -> None:
        """Tell the flows of all that is kept."""
        newest = self._newest
        while newest:
            chunk = newest.popleft()
            self._told.append(chunk)
            known = chunk.flow.recent
            if isinstance(known, list):
                known.append(chunk)
            else:
                chunk.flow.recent = [chunk]

    def clear(self) -> None:
        """Let go of everything."""
        self._told.clear()
        self._newest.clear()


def _is_kept(chunk: Chunk) -> bool:
    """Whether a chunk is of packets that are small enough; those that were taken together are."""
    return bool(chunk.packed_marks) or len(chunk.data) <= _REMEMBERED_SIZE


def _forget(flow: Flow) -> None:
    """Let go of the oldest chunk that a flow knows."""
    if isinstance(flow.recent, list) and len(flow.recent) > 1:
        del flow.recent[0]
    else:
        flow.recent = ()
