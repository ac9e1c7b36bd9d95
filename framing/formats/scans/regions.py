"""The bytes of a header that decide everything, and what is remembered of the careful methods' answers about them.

    0        1        2                 4
    +--------+--------+-----------------+- - - - - - -+
    | flags  |   id   |     length      |   payload   |      01 07 00 40 → a frame of 68 bytes, its payload at 4
    +--------+--------+-----------------+- - - - - - -+
    |<-- the region that decides: 4 --->|
    |<- kind>|                                             01 → the length is a u16 at 2, and the frame has 4 bytes more

A loop looks a region up among those that were met: that serves where sizes come again. Where each is another one, the
kind is looked up, which is all that decides but the length, and a ruler reads that. Of each kind the careful methods
are asked once, and of what has no ruler always.
"""

from collections.abc import Callable, Iterable
from struct import Struct
from typing import NamedTuple

from framing.errors import FrameError
from framing.formats.scans.tables import remember
from framing.frame import Buffer, FrameFormat

__all__ = [
    "Key",
    "Kind",
    "Learn",
    "Region",
    "Ruler",
    "Shape",
    "Spans",
    "Term",
    "joined",
    "key_reader",
    "learner",
]

Spans = tuple[tuple[int, int], ...]

# The frame's size, where its payload begins and ends, where its key does: at 0, of no bytes, if there is none.
Shape = tuple[int, int, int, int, int]

# The bytes of a region, span by span.
Key = tuple[bytes, ...]

# (buffer, start, end, key) → the shape of the frame there, with that key; `None`: it is odd, or not whole.
# `struct.error`: the buffer ends inside the header.
Learn = Callable[[bytes, int, int, Key], Shape | None]


class Term(NamedTuple):
    """A number in a header that counts bytes.

    Attributes:
        read: reads the integer in which it is; `struct.error`: the buffer ends before.
        shift, mask: which of its bits it is.
        scale: bytes for each unit of it.
        multiple: what they are rounded up to.
    """

    read: Callable[[Buffer, int], tuple[int]]
    shift: int
    mask: int
    scale: int
    multiple: int

    def size(self, buffer: bytes, start: int) -> int:
        """Return how many bytes it counts in the frame that begins at `start`."""
        read, shift, mask, scale, multiple = self
        size = (read(buffer, start)[0] >> shift & mask) * scale
        return size + -size % multiple


class Ruler(NamedTuple):
    """What computes the size of the frames of one kind.

    Attributes:
        length: what counts their bytes.
        others: what does so, too, and is added. [F70]
        padding: what counts the padding behind the payload, among the bytes that are counted; `None`: there is none.
        base: bytes of the frame that nothing counts.
        least, most: bytes of the smallest and of the largest frame.
        head, tail: bytes before the payload and behind payload and padding.
        key, key_end: where the key of the payload lies; at 0, of no bytes, if there is none.
    """

    length: Term
    others: tuple[Term, ...]
    padding: Term | None
    base: int
    least: int
    most: int
    head: int
    tail: int
    key: int = 0
    key_end: int = 0


class Kind(NamedTuple):
    """What decides of which kind a header is.

    Attributes:
        size: so many bytes at its beginning, as one big-endian integer,
        mask: and these bits of that.
        ruler: (buffer, start) → a ruler for the kind of the good frame there, or `None`: there is none.
    """

    size: int
    mask: int
    ruler: Callable[[bytes, int], Ruler | None]


class Region(NamedTuple):
    """Which bytes of a header decide.

    Attributes:
        spans: where in the header they lie: from an offset to another.
        decided: tells of the frame at a place whether they are all that decides; `None`: always.
        trailers: what may stand behind the payload, where that is all there is to verify; or `None`.
        key: tells where the key of the frame at a place lies in it, with which its payload is xored, and how many bytes
            it has: 0 if there is none; `None`: no frame has one.
        key_size: how many bytes a key has.
        kind: what decides but for the length, within the spans; `None`: nothing can be told without it.
    """

    spans: Spans
    decided: Callable[[bytes, int], bool] | None = None
    trailers: frozenset[bytes] | None = None
    key: Callable[[bytes, int], tuple[int, int]] | None = None
    key_size: int = 0
    kind: Kind | None = None


def learner(form: FrameFormat, region: Region, known: dict[Key, Shape]) -> Learn:
    """Return what tells the shape of a frame with a new key, and puts it into `known` if that decides it."""
    ask, decided, kind = _asker(form, region), region.decided, region.kind

    def met(buffer: bytes, start: int, end: int, key: Key) -> Shape | None:
        shape = ask(buffer, start, end)
        if shape is not None and (decided is None or decided(buffer, start)):
            remember(known, key, shape)
        return shape

    return met if kind is None else _ruling(met, kind, known)


def _ruling(met: Learn, kind: Kind, known: dict[Key, Shape]) -> Learn:
    """Return what reads a length where it can, and else asks `met`."""
    size, mask, ruler_of = kind
    by_kind: dict[int, tuple[Ruler, bool]] = {}
    by_key: dict[Key, Ruler] = {}  # where the length is not in the region, the kind need not be read

    def learn(buffer: bytes, start: int, end: int, key: Key) -> Shape | None:
        ruler, is_told = by_key.get(key), False
        if ruler is None:
            number = int.from_bytes(buffer[start : start + size], "big") & mask
            found = by_kind.get(number)
            if found is None:
                return meet(buffer, start, end, key, number)
            ruler, is_told = found
        (read, shift, bits, scale, _), others, padding, base, least, most, head, tail, first, last = ruler
        total = (read(buffer, start)[0] >> shift & bits) * scale + base
        for term in others:
            total += term.size(buffer, start)
        if padding is not None:
            pad_size = padding.size(buffer, start)
            tail, least = tail + pad_size, least + pad_size
        if not least <= total <= most:
            return met(buffer, start, end, key)  # it is odd, or one of the few that a shorter form cannot say
        if start + total > end:
            return None
        shape = total, head, total - tail, first, last
        if is_told:
            remember(known, key, shape)
        return shape

    def meet(buffer: bytes, start: int, end: int, key: Key, number: int) -> Shape | None:
        shape = met(buffer, start, end, key)
        ruler = None if shape is None else ruler_of(buffer, start)
        if ruler is not None:
            remember(by_kind, number, (ruler, key in known))
            if key not in known:
                remember(by_key, key, ruler)
        return shape

    return learn


def _asker(form: FrameFormat, region: Region) -> Callable[[bytes, int, int], Shape | None]:
    """Return what asks the careful methods."""
    least, most, key_of = max(form.min_size, 1), form.max_frame_size, region.key

    def ask(buffer: bytes, start: int, end: int) -> Shape | None:
        try:
            total = form.measure(buffer, start, end) if end - start >= least else None
        except FrameError:  # the next `measure` says it
            return None
        if total is None or not 0 < total <= most or start + total > end:
            return None
        head, body = form.bounds(buffer, start, start + total)
        place, size = (0, 0) if key_of is None else key_of(buffer, start)
        return total, head - start, body - start, place, place + size

    return ask


def joined(spans: Iterable[tuple[int, int]]) -> Spans:
    """Return spans in order, those that touch or overlap as one.

    >>> joined([(4, 6), (0, 1), (5, 8), (1, 2)])
    ((0, 2), (4, 8))
    """
    made: list[tuple[int, int]] = []
    for first, stop in sorted(spans):
        if made and first <= made[-1][1]:
            made[-1] = (made[-1][0], max(stop, made[-1][1]))
        else:
            made.append((first, stop))
    return tuple(made)


def key_reader(spans: Spans) -> Callable[[bytes, int], Key]:
    """Return what reads the bytes of these spans in the frame at a place; `struct.error`: the buffer ends before."""
    layout, place = "=", 0
    for first, stop in spans:
        layout += f"{first - place}x{stop - first}s"
        place = stop
    return Struct(layout).unpack_from
