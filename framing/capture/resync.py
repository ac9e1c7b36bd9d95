"""After a gap: where the next frame begins, by the protocol's own means, and never by luck.

    frame │ frame │ begun …│//// gap ////│… bytes, packet by packet │ …

    size        the frame that the gap has torn goes on behind it, and its header told where it ends
    delimiter   what ends or begins frames stands nowhere inside them: the next one tells
    chain       a packet's payload begins with a header, behind whose frame there is another one, and so on

The first two are certain. What speaks for a chain is weighed, header by header, in bits: how rare such a header is in
the bytes at hand, at all the other places where none should stand. That is counted, never assumed, so that it says
little where lengths are small and bytes are zeros, and much where there is a constant. "Such a header" means: right, as
far as a header shows, with the header bytes that never changed before; as much like the frames before it as this one,
byte for byte; and, if this one's frame ends where a packet does, ending so, too.

Only places where a packet begins are tried, in their order. A chain that meets a place where no header stands was none.
How much is asked for depends on what the sender does: where the gap begins between two frames, senders write whole
frames into packets, and one good header is much; where it tears a frame, two in a row must be good, and the second
of them is the place. A chain that is not confirmed before the flow ends, or before `HELD_SIZE` bytes are held, gives no
answer.

Chains are for formats that tell a frame's size first, or whose headers all have constants. Lines, texts and
items make chains everywhere: tried on them, 10 of 176 answers were wrong.

Measured on every capture at hand, by `tests/bench/bench_resync.py`. Spec: [R20] to [R22].
"""

from bisect import insort
from collections.abc import Sequence
from itertools import zip_longest
from math import log2
from operator import attrgetter
from typing import NamedTuple

from framing.errors import FrameError
from framing.frame import Frame, FrameFormat
from framing.wire import WireFormat

__all__ = ["HELD_SIZE", "Held", "Resync", "Sample", "Seen"]

# Bytes that may wait behind a gap, for each direction: hundreds of the frames of most protocols.
HELD_SIZE = 1 << 18

# Bits, found by cutting holes into the corpus: below 6, headers of nothing but small numbers pass. With 8 in all where
# senders write whole frames, and 16 where they do not, none of 3200 answers was wrong.
_HEADER_BITS = 6
_WHOLE_BITS = 8
_TORN_BITS = 16
# What counting in so few bytes tells at most, what a right checksum or trailer is worth, and the end of the flow.
_MOST_BITS = 9
_CHECK_BITS = 8
_END_BITS = 2

# Places that are tried to count how rare headers are, and headers of a chain that are weighed.
_TRIED_COUNT = 512
_WEIGHED_COUNT = 12

# Bytes within which a frame must end that does not tell its size first: more than nearly all lines and texts have.
_SCANNED_SIZE = 4096

# What is kept of frames, and of how many: a few of the first and a few of the last.
_HEAD_SIZE = 32
_FIRST_COUNT = 12
_LAST_COUNT = 4
# Of how many directions that is looked at where one has no frames of its own, and how many frames in all.
_SEEN_COUNT = 8
_HEAD_COUNT = 16
# From so many frames on, a byte that never changed is taken for a constant: with 3, TLS's first handshakes make one.
_CONSTANT_COUNT = 8

_Bytes = bytes | bytearray


class Held(NamedTuple):
    """Bytes of one packet behind a gap."""

    data: bytes
    time_ns: int | None
    packet_number: int | None


class Sample:
    """What the frames of one direction have begun with, those of the format that cut them last.

    Args:
        seen: those of the other directions, for as long as this one has too few.
        order: of the direction's beginning among them.
    """

    __slots__ = ("_first", "_last", "_seen", "format", "order")

    def __init__(self, seen: "Seen | None" = None, order: int = 0) -> None:
        self._seen = seen
        self.order = order
        self.format: FrameFormat | None = None
        # Lists once there are frames; and what is in `_first` is not kept again.
        self._first: Sequence[bytes] = ()
        self._last: Sequence[bytes] = ()

    def add(self, frames: list[Frame]) -> None:
        """Take note of whole frames that were cut one after the other, all by one format."""
        form = frames[0].format
        if self.format is not form:
            if self.format is None and self._seen is not None:
                self._seen.note(self, form)
            self.format, self._first, self._last = form, (), ()
        missing = _FIRST_COUNT - len(self._first)
        if missing:
            heads = [frame.data[:_HEAD_SIZE] for frame in frames[:missing]]
            self._first = [*self._first, *heads] if self._first else heads
        if missing < len(frames):
            last = [frame.data[:_HEAD_SIZE] for frame in frames[missing:][-_LAST_COUNT:]]
            self._last = [*(self._last or self._first[-_LAST_COUNT:]), *last][-_LAST_COUNT:]

    @property
    def first(self) -> Sequence[bytes]:
        """The first bytes of the very first frames."""
        return self._first[:_LAST_COUNT]

    def heads(self, form: FrameFormat) -> list[bytes]:
        """Return the first bytes of each of the frames that a format has cut."""
        own = [*self._first, *(self._last or self._first[-_LAST_COUNT:])] if self.format == form else []
        return own if self._seen is None or len(own) >= _CONSTANT_COUNT else own + self._seen.heads(form, self)


class Seen:
    """The samples of a capture: of those directions that begin alike, the few that came first and have frames.

    What is here must not depend on how many packets are taken at a time: so it is the order in which directions begin
    that counts, and not the one in which their frames are cut.
    """

    __slots__ = ("_count", "_samples")

    def __init__(self) -> None:
        self._samples: dict[int, list[Sample]] = {}
        self._count = 0

    def begin(self) -> Sample:
        """Return the sample of a direction that begins."""
        self._count += 1
        return Sample(self, self._count)

    def note(self, sample: Sample, form: FrameFormat) -> None:
        """Take note of a direction that has frames now, cut by a format."""
        kept = self._samples.get(id(form))
        if kept is None:
            kept = self._samples[id(form)] = []
        if len(kept) < _SEEN_COUNT or sample.order < kept[-1].order:
            insort(kept, sample, key=_order_of)
            del kept[_SEEN_COUNT:]

    def heads(self, form: FrameFormat, asking: Sample) -> list[bytes]:
        """Return the first bytes of frames of the format, as other samples have them than the one that asks."""
        others = [one for kept in self._samples.values() for one in kept if one is not asking and one.format == form]
        return [head for one in sorted(others, key=_order_of) for head in one.first][:_HEAD_COUNT]


_order_of = attrgetter("order")


class Resync:
    """Looks for the place from which frames can be cut again.

    Args:
        wire: how they are cut.
        offset: of the first byte behind the gap in the flow.
        torn_end: where the frame ends that the gap has torn, `None` if that was not known yet, or there is none.
        is_torn: whether the gap begins inside a frame.
        heads: what frames before have begun with.

    Attributes:
        wire: as given.
        offset: the place, once it is found.
        how: how it was confirmed, then: `size`, `delimiter` or `chain`.
    """

    __slots__ = (
        "_base",
        "_buffer",
        "_chain",
        "_dead",
        "_held",
        "_index",
        "_looks",
        "_starts",
        "_torn_end",
        "how",
        "offset",
        "wire",
    )

    def __init__(
        self, wire: WireFormat, offset: int, *, torn_end: int | None, is_torn: bool, heads: list[bytes]
    ) -> None:
        self.wire = wire
        self._torn_end = torn_end if torn_end is not None and torn_end >= offset else None
        self._looks = _Looks(wire.format, heads, is_torn=is_torn)
        self._base = self.offset = offset  # of the buffer, in the flow
        self._buffer = bytearray()
        self._held: list[Held] = []
        self._starts: list[int] = []  # of each of them in the buffer
        self._index = 0  # of the one whose beginning is tried
        self._chain: _Chain | None = None
        self._dead: set[int] = set()  # places in the buffer from which a chain comes to nothing
        self.how = "size" if torn_end == offset else ""

    def add(self, held: Held) -> bool:
        """Take the bytes of the next packet; tell whether the place is found now."""
        self._starts.append(len(self._buffer))
        self._held.append(held)
        self._buffer += held.data
        found = self._find(ended=False, is_whole=False)
        while not found and len(self._buffer) > HELD_SIZE:
            self._index += 1  # a frame that is larger than what may wait: its turn is over
            self._chain = None
            found = self._find(ended=False, is_whole=False)
        return found

    def end(self, *, is_whole: bool) -> bool:
        """Tell whether the place is found now that no more bytes come.

        Args:
            is_whole: the sender has said that it was all; else the capture may end inside a frame.
        """
        return self._find(ended=True, is_whole=is_whole)

    def taken(self) -> list[Held]:
        """Hand out the bytes from the place on, packet by packet."""
        self._drop(self.offset - self._base)
        return self._held

    def _find(self, *, ended: bool, is_whole: bool) -> bool:
        form = self.wire.format
        if self.how:
            return True
        if self._torn_end is not None:
            self._found(self._torn_end - self._base, "size" if self._torn_end <= self._base + len(self._buffer) else "")
        elif form.resync is not None and form.resyncs_at == "delimiter":
            place, found = form.resync(self._buffer, 0, len(self._buffer), ended)
            self._found(place, "delimiter" if found else "")
        elif form.size_first or form.resync is not None:
            self._find_chain(ended=ended, is_whole=is_whole)
        else:
            self._drop(len(self._buffer))
        return bool(self.how)

    def _found(self, place: int, how: str) -> None:
        if how:
            self.offset, self.how = self._base + place, how
        else:
            self._drop(min(place, len(self._buffer)))

    def _find_chain(self, *, ended: bool, is_whole: bool) -> None:
        while self._index < len(self._held):
            chain = self._chain = self._chain or _Chain(self._starts[self._index])
            alive = chain.extend(self._buffer, self._looks, self._dead, ended and is_whole)
            if alive:
                if chain.is_news(len(self._buffer)) or ended:
                    self._weigh(chain, _END_BITS * (1 + is_whole) if ended and chain.next == len(self._buffer) else 0)
                break
            self._dead.update(place for place, _ in chain.frames)
            self._chain, self._index = None, self._index + 1
        else:
            self._drop(len(self._buffer))
        if not self.how and self._index and self._index < len(self._held):
            self._drop(self._starts[self._index])

    def _weigh(self, chain: "_Chain", bonus: int) -> None:
        ends = {*self._starts[1:], len(self._buffer)}
        place = self._looks.weigh(self._buffer, chain.frames, ends, bonus)
        if place is not None:
            self._found(place, "chain")

    def _drop(self, size: int) -> None:
        """Forget the first bytes."""
        count = 0
        while count < len(self._held) and self._starts[count] + len(self._held[count].data) <= size:
            count += 1
        held, starts = self._held[count:], [start - size for start in self._starts[count:]]
        if held and starts[0] < 0:
            held[0] = held[0]._replace(data=held[0].data[-starts[0] :])
            starts[0] = 0
        self._held, self._starts = held, starts
        self._base += size
        del self._buffer[:size]
        self._index = max(0, self._index - count)
        self._dead = {place - size for place in self._dead if place >= size}
        if self._chain is not None:
            self._chain.move(size)


class _Chain:
    """Headers one behind the other: place and size of each frame, and where the next one would begin."""

    __slots__ = ("_weighed", "frames", "next")

    def __init__(self, place: int) -> None:
        self.frames: list[tuple[int, int]] = []
        self.next = place
        self._weighed = 0, 0

    def is_news(self, size: int) -> bool:
        """Whether more may speak for it than when this was asked last, with a buffer of another size.

        With the same frames, bytes and packets that no header is looked for in only make headers less rare. Else each
        byte of a large frame, in a packet of its own, would have all packets before it looked at again.
        """
        before, self._weighed = self._weighed, (min(len(self.frames), _WEIGHED_COUNT), min(size, _TRIED_COUNT))
        return bool(self.frames) and self._weighed != before

    def move(self, size: int) -> None:
        self.frames = [(place - size, total) for place, total in self.frames]
        self.next -= size

    def extend(self, buffer: _Bytes, looks: "_Looks", dead: set[int], is_whole: bool) -> bool:
        """Go on as far as the bytes do; false: this is no chain."""
        size, verify = len(buffer), looks.form.verify
        if self.frames and self.next > size:
            return not is_whole
        while self.next < size:
            if self.next in dead:
                return False
            total = looks.total(buffer, self.next)
            if not total:
                return total is None and not is_whole
            stop = self.next + total
            if stop > size:
                return not is_whole
            try:
                if verify is not None:
                    verify(buffer, self.next, stop)
            except FrameError:
                return False
            self.frames.append((self.next, total))
            self.next = stop
        return True


class _Looks:
    """What headers look like, and how rare that is.

    Args:
        form: the frame format.
        heads: what frames have begun with.
        is_torn: whether the gap tears a frame.
    """

    __slots__ = ("_constants", "_heads", "_is_torn", "_seen", "_strangers", "_tried", "_tried_size", "form")

    def __init__(self, form: FrameFormat, heads: list[bytes], *, is_torn: bool) -> None:
        self.form = form
        self._heads = heads
        self._is_torn = is_torn
        self._seen = [{*column} - {None} for column in zip_longest(*heads)]
        sizes = range(min((form.min_size, *map(len, heads)))) if len(heads) >= _CONSTANT_COUNT else ()
        self._constants = [(at, heads[0][at]) for at in sizes if len(self._seen[at]) == 1]
        self._tried_size = self._tried = 0
        self._strangers: list[tuple[_Bytes, int, int]] = []

    def total(self, buffer: _Bytes, place: int) -> int | None:
        """Return the size of the frame whose header stands at a place; 0: none does, `None`: more bytes must come."""
        size = len(buffer)
        for at, value in self._constants:
            if place + at >= size:
                return None
            if buffer[place + at] != value:
                return 0
        # What does not tell its size first is read to its end, and at every place anew: not further than that.
        stop = size if self.form.size_first else min(size, place + _SCANNED_SIZE)
        try:
            total = self.form.measure(buffer, place, stop)
        except FrameError:
            return 0
        if total is None and stop < size:
            return 0
        return total if total is None or 0 < total <= self.form.max_frame_size else 0

    def weigh(self, buffer: _Bytes, frames: list[tuple[int, int]], ends: set[int], bonus: int) -> int | None:
        """Return where the part of a chain begins for which enough speaks.

        Args:
            buffer: the bytes behind the gap.
            frames: the chain: place and size of each.
            ends: where packets end.
            bonus: bits for the chain's end, which is that of the flow.
        """
        needed, least = (_TORN_BITS, 2) if self._is_torn else (_WHOLE_BITS, 1)
        places = {place for place, _ in frames}
        run: list[float] = []
        for number, (place, total) in enumerate(frames[:_WEIGHED_COUNT]):
            bits = self._bits(buffer, place, total, ends, places)
            if bits < _HEADER_BITS:
                if not self._is_torn:
                    return None
                run.clear()
                continue
            run.append(bits + (_CHECK_BITS if self.form.verify is not None else 0))
            if sum(run) + (bonus if number == len(frames) - 1 else 0) >= needed and len(run) >= least:
                # Of a torn flow not the first: what ends by luck where a frame does, is followed by good ones, too.
                return frames[number - len(run) + least][0]
        return None

    def _bits(self, buffer: _Bytes, place: int, total: int, ends: set[int], places: set[int]) -> float:
        """Return how much speaks for a header: how rarely one like it stands where none should."""
        if total <= self.form.min_size and self.form.resync is None:
            return 0  # a frame of zeros, mostly
        self._count(buffer)
        size, at_end = min(total, _HEAD_SIZE), place + total in ends
        likeness = self._likeness(buffer, place, size)
        hits = sum(
            (not at_end or stop in ends) and self._likeness(data, at, size) >= likeness
            for data, at, stop in self._strangers
            if data is not buffer or at not in places
        )
        return min(_MOST_BITS, log2((2 + self._tried) / (1 + hits)))

    def _likeness(self, data: _Bytes, place: int, size: int) -> int:
        """Return how many of the bytes from a place on stood there in a frame before."""
        return sum(byte in seen for byte, seen in zip(data[place : place + size], self._seen, strict=False))

    def _count(self, buffer: _Bytes) -> None:
        """Find the places where a header seems to stand, and where none should. Again when there are twice as many."""
        size = min(len(buffer), _TRIED_COUNT)
        if self._tried_size and size < 2 * self._tried_size:
            return
        self._tried_size, self._tried, self._strangers = size, 0, []
        for data, count in ((buffer, size), *((head, len(head)) for head in self._heads)):
            for place in range(1, count):
                total = self.total(data, place)
                self._tried += total is not None
                if total:
                    self._strangers.append((data, place, place + total if data is buffer else -1))
