"""Fragments of IP packets, put together again within a budget."""

from bisect import bisect_left, insort

__all__ = ["Fragments"]

# [P22] As long as Linux waits (ipfrag_time); times are those of the capture.
_PATIENCE_NS = 30 * 1_000_000_000

# [P22] What all unfinished packets together may hold: 4 MiB, as Linux allows (ipfrag_high_thresh), a fragment counted
# as its bytes and what a piece costs beyond them.
_BUDGET = 4 * 1024 * 1024
_OVERHEAD = 256

# The longest that an IP packet can be, jumbograms excepted: those cannot be fragmented (RFC 2675, 3).
_LONGEST = 65535


# Where it starts, its bytes, and where the fragment began that brought them.
_Piece = tuple[int, bytes, int]


class _Unfinished:
    """A packet of which some is missing: sorted pieces that never overlap."""

    __slots__ = ("first_ns", "fragment_count", "held_size", "pieces", "received_size", "total_size")

    def __init__(self, first_ns: int | None) -> None:
        self.first_ns = first_ns
        self.pieces: list[_Piece] = []
        self.total_size: int | None = None
        self.fragment_count = self.received_size = 0
        self.held_size = _OVERHEAD

    def add(self, offset: int, data: bytes, *, is_last: bool) -> bytes | None:
        """Hold what is new in a fragment, and return the packet once nothing is missing."""
        self.fragment_count += 1
        if self.total_size is not None:
            data = data[: max(0, self.total_size - offset)]
        elif is_last:
            self._end_at(offset + len(data))
        self._insert(offset, data)
        return b"".join(data for _, data, _ in self.pieces) if self.received_size == self.total_size else None

    def _insert(self, offset: int, data: bytes) -> None:
        """Of two copies of a byte, that of the fragment which begins lower wins, else the first one."""
        position, end = offset, offset + len(data)
        for piece in self._overlapping(offset, end):
            start, known, origin = piece
            if origin > offset:
                self._drop(piece)
                if start + len(known) > end:
                    self._hold(end, known[end - start :], origin)
                continue
            if start > position:
                self._hold(position, data[position - offset : start - offset], offset)
            position = max(position, start + len(known))
        if position < end:
            self._hold(position, data[position - offset :], offset)

    def _overlapping(self, start: int, end: int) -> list[_Piece]:
        index = bisect_left(self.pieces, (start,))
        if index and self.pieces[index - 1][0] + len(self.pieces[index - 1][1]) > start:
            index -= 1
        return self.pieces[index : bisect_left(self.pieces, (end,))]

    def _hold(self, start: int, data: bytes, origin: int) -> None:
        insort(self.pieces, (start, data, origin))
        self.received_size += len(data)
        self.held_size += len(data) + _OVERHEAD

    def _drop(self, piece: _Piece) -> None:
        del self.pieces[bisect_left(self.pieces, piece)]
        self.received_size -= len(piece[1])
        self.held_size -= len(piece[1]) + _OVERHEAD

    def _end_at(self, size: int) -> None:
        """Leave out what came before for places behind the end."""
        self.total_size = size
        kept = [(start, data[: size - start], origin) for start, data, origin in self.pieces if start < size]
        self.pieces, self.received_size, self.held_size = [], 0, _OVERHEAD
        for piece in kept:
            self._hold(*piece)


class Fragments:
    """Fragments in, whole packets out.

    Attributes:
        lost_count: fragments of packets that were given up.

    Spec: [P22]
    """

    __slots__ = ("_held_size", "_unfinished", "lost_count")

    def __init__(self) -> None:
        self.lost_count = 0
        # In the order of their first fragments.
        self._unfinished: dict[bytes, _Unfinished] = {}
        self._held_size = 0

    def add(self, key: bytes, offset: int, data: bytes, *, is_last: bool, time_ns: int | None) -> bytes | None:
        """Return the packet that this fragment completes.

        Args:
            key: what all fragments of a packet have in common.
            offset: of its first byte in what was cut into fragments.
            data: its bytes.
            is_last: whether no more follow.
            time_ns: when it was captured.
        """
        if offset + len(data) > _LONGEST or not (data or is_last) or (len(data) % 8 and not is_last):
            self.lost_count += 1
            return None
        self._expire(time_ns)
        packet = self._unfinished.get(key)
        if packet is None:
            packet = self._unfinished[key] = _Unfinished(time_ns)
            self._held_size += packet.held_size
        self._held_size -= packet.held_size
        whole = packet.add(offset, data, is_last=is_last)
        self._held_size += packet.held_size
        if whole is not None:
            self._forget(key)
        while self._held_size > _BUDGET:
            self._give_up(next(iter(self._unfinished)))
        return whole

    def finish(self) -> None:
        """Give up all that is unfinished."""
        for key in tuple(self._unfinished):
            self._give_up(key)

    def _expire(self, time_ns: int | None) -> None:
        while time_ns is not None and self._unfinished:
            key, oldest = next(iter(self._unfinished.items()))
            if oldest.first_ns is None or abs(time_ns - oldest.first_ns) <= _PATIENCE_NS:
                return
            self._give_up(key)

    def _give_up(self, key: bytes) -> None:
        self.lost_count += self._unfinished[key].fragment_count
        self._forget(key)

    def _forget(self, key: bytes) -> None:
        self._held_size -= self._unfinished.pop(key).held_size
