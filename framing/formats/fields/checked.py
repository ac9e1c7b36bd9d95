"""Checksums over named parts of a frame: computed when it is written, compared when it is read.

    trailer = "crc:u32le=crc32(header payload)"

    +-----------------+- - - - - - - - -+-----------------+
    |     header      |     payload     |       crc       |
    +-----------------+- - - - - - - - -+-----------------+
    |<---- what crc32 runs over ------->|

The parts are run over in the order in which they are named. Where a checksum covers its own field, as `header` does of
one that stands in the header, its own bytes count as zeros. One that covers another is computed after it; two that
cover each other are refused. A checksum of header fields alone is compared before the length is believed.

Spec: [F76] to [F78].
"""

from typing import Literal, NamedTuple, cast

from framing.errors import ChecksumError
from framing.formats.fields.checksums import CHECKSUMS, Compute
from framing.formats.fields.constants import Source
from framing.formats.fields.layout import Layout
from framing.formats.fields.notation import ChecksumCall, Field
from framing.formats.fields.pieces import RUNNING, RunningCheck, Sums
from framing.formats.scans.summed import Summed

__all__ = ["Checks", "Edges"]

# Where header, payload, padding and trailer of a frame begin, and where the trailer ends.
Edges = tuple[int, int, int, int, int]

# From an edge and bytes behind it to an edge and bytes behind it.
_Span = tuple[int, int, int, int]

_PARTS: dict[str, _Span] = {
    "header": (0, 0, 1, 0),
    "payload": (1, 0, 2, 0),
    "pad": (2, 0, 3, 0),
    "trailer": (3, 0, 4, 0),
}


class _Check(NamedTuple):
    """A checksum: its field, where that is, which checksums it covers, and the spans (or zeros) that it runs over."""

    field: Field
    span: _Span
    covered: frozenset[str]
    pieces: "list[_Span | bytes]"
    compute: Compute

    @property
    def early(self) -> bool:
        """Whether it needs no more than the header."""
        return self.span[0] == 0 and all(isinstance(piece, bytes) or piece[2:] <= (1, 0) for piece in self.pieces)

    def computed(self, buffer: bytes | bytearray, edges: Edges) -> int:
        pieces = [piece if isinstance(piece, bytes) else _cut(buffer, edges, piece) for piece in self.pieces]
        return self.compute(b"".join(pieces) if len(pieces) > 1 else bytes(pieces[0]))


class Checks:
    """The checksums of a header and a trailer.

    Args:
        header: the header's fields.
        trailer: the trailer's.
        padded: whether the frame has a part `pad`.

    Attributes:
        early: whether there is one that needs no more than the header.
        late: whether there is one that needs the whole frame.
    """

    __slots__ = ("_early", "_late", "_writing")

    def __init__(self, header: Layout, trailer: Layout, *, padded: bool) -> None:
        places = _places(header, trailer)
        if not padded:
            places.pop("pad", None)
        declared = [(layout, field) for layout in (header, trailer) for field in layout.fields if field.checksum]
        names = [field.name for _, field in declared]
        checks = [_made(field, places, header, trailer, names) for _, field in declared]
        self._early = [check for check in checks if check.early]
        self._late = [check for check in checks if not check.early]
        self._writing = _in_order(checks)

    def __bool__(self) -> bool:
        return bool(self._writing)

    @property
    def early(self) -> bool:
        """Whether there is one that needs no more than the header."""
        return bool(self._early)

    @property
    def late(self) -> bool:
        """Whether there is one that needs the whole frame."""
        return bool(self._late)

    def check_header(self, buffer: bytes | bytearray, start: int, header: Layout) -> None:
        """Compare those of header fields alone. [F78]

        Raises:
            ChecksumError: the first one that differs.
        """
        first = start + header.size
        for check in self._early:
            _compare(check, buffer, (start, first, first, first, first), header)

    def check_frame(self, buffer: bytes | bytearray, edges: Edges, header: Layout, trailer: Layout) -> None:
        """Compare the others. [F76]

        Raises:
            ChecksumError: the first one that differs.
        """
        for check in self._late:
            _compare(check, buffer, edges, trailer if check.span[0] else header)

    def summed(self, header: Layout, trailer: Layout) -> Summed | None:
        """Return the only one, if it is the whole trailer and runs over all that comes before, or its end."""
        check = self._late[0] if len(self._writing) == len(self._late) == 1 else None
        if check is None or check.span[:2] != (3, 0) or check.field.size != trailer.size or len(check.pieces) > 1:
            return None
        (piece,) = check.pieces
        if isinstance(piece, bytes) or piece[0] > 1 or piece[2:] not in ((2, 0), (3, 0)):
            return None
        order = cast(Literal["big", "little"], check.field.byteorder or trailer.byteorder)
        return Summed((header.size if piece[0] else 0) + piece[1], trailer.size, order, check.compute)

    def closing(self, header: Layout, size: int) -> Summed | None:
        """Return the only one, if it ends the header's first `size` bytes and runs over all that comes before."""
        check = self._early[0] if len(self._writing) == len(self._early) == 1 else None
        if check is None or check.span[2:] != (0, size) or check.pieces != [(0, 0, *check.span[:2])]:
            return None
        order = cast(Literal["big", "little"], check.field.byteorder or header.byteorder)
        return Summed(0, check.field.size, order, check.compute)

    @property
    def can_run(self) -> bool:
        """Whether all that need the whole frame can be computed while its payload passes. [F106]"""
        for check in self._late:
            assert check.field.checksum is not None
            if check.field.checksum.function not in RUNNING:
                return False
            behind = False
            for piece in check.pieces:
                if not isinstance(piece, bytes):
                    if behind and piece[:2] <= (1, 0) and piece[2:] >= (2, 0):
                        return False  # what stands behind the payload would have to be known before
                    behind = behind or piece[2:] > (2, 0)
        return True

    def running(self, head: bytes, edges: Edges, header: Layout, trailer: Layout) -> Sums:
        """Return what computes them while the payload passes; places count from the frame's first byte."""
        return Sums([_running(check, head, edges, trailer if check.span[0] else header) for check in self._late])

    def write(self, frame: bytearray, edges: Edges, header: Layout, trailer: Layout) -> None:
        """Put the checksums into a frame that has zeros in their places. [F77]"""
        for check in self._writing:
            layout = trailer if check.span[0] else header
            order = cast(Literal["big", "little"], check.field.byteorder or layout.byteorder)
            begin = edges[check.span[0]] + check.span[1]
            frame[begin : begin + check.field.size] = check.computed(frame, edges).to_bytes(check.field.size, order)


def _cut(buffer: bytes | bytearray, edges: Edges, span: _Span) -> bytes | bytearray:
    return buffer[edges[span[0]] + span[1] : edges[span[2]] + span[3]]


def _running(check: _Check, head: bytes, edges: Edges, layout: Layout) -> RunningCheck:
    _, first, last, _, _ = edges
    before, has_payload = b"", False
    after: list[bytes | slice] = []
    for piece in check.pieces:
        parts: list[bytes | slice] = [piece] if isinstance(piece, bytes) else []
        if not isinstance(piece, bytes):
            begin, stop = edges[piece[0]] + piece[1], edges[piece[2]] + piece[3]
            parts = [head[begin : min(stop, first)]]
            if stop > last:
                parts.append(slice(max(begin, last) - last, stop - last))
            if piece[:2] <= (1, 0) and piece[2:] >= (2, 0):
                before, has_payload = before + head[begin:first], True
                parts = parts[1:]
        for part in parts:
            if has_payload or isinstance(part, slice) or after:
                after.append(part)
            else:
                before += part
    assert check.field.checksum is not None
    place = edges[check.span[0]] + check.span[1]
    order = cast(Literal["big", "little"], check.field.byteorder or layout.byteorder)
    where = slice(place - last, place - last + check.field.size)
    found = where if check.span[0] else layout.value(head, 0, check.field.name)
    return RunningCheck(
        check.field.checksum.function, before, has_payload, after, (check.field.name, place, order), found
    )


def _compare(check: _Check, buffer: bytes | bytearray, edges: Edges, layout: Layout) -> None:
    offset = edges[check.span[0]]
    found = layout.value(buffer, offset, check.field.name)
    expected = check.computed(buffer, edges)
    if found != expected:
        assert isinstance(found, int)
        raise ChecksumError(
            f"{check.field.name} does not fit what it was computed from",
            offset=offset + check.span[1],
            field=check.field.name,
            expected=hex(expected),
            found=hex(found),
        )


def _places(header: Layout, trailer: Layout) -> dict[str, _Span]:
    """Return where each part and field lies; bits stand for their whole integer."""
    places = dict(_PARTS)
    for edge, layout in ((0, header), (3, trailer)):
        for name in layout.names:
            offset, field, _ = layout.place(name)
            places[name] = (edge, offset, edge, offset + field.size)
    return places


def _made(field: Field, places: dict[str, _Span], header: Layout, trailer: Layout, names: list[str]) -> _Check:
    call = field.checksum
    assert call is not None
    source: Source = call.source
    checksum = CHECKSUMS.get(call.function)
    if checksum is None:
        raise source.error("no such checksum", call.position, call.function, ", ".join(CHECKSUMS))
    if checksum.size != field.size:
        reason = f"{call.function} has {checksum.size} bytes, and {field.name} {field.size}"
        raise source.error(reason, field.position, field.name, f"an integer of {8 * checksum.size} bits")
    spans = _spans(call, places, header.size)
    fields = {name: places[name] for name in (*header.names, *trailer.names)}
    covered = frozenset(
        name for name in names if name != field.name and any(_holds(one, fields[name]) for one in spans)
    )
    return _Check(field, places[field.name], covered, _pieces(spans, places[field.name]), checksum.compute)


def _spans(call: ChecksumCall, places: dict[str, _Span], header_size: int) -> list[_Span]:
    """Return what the parts cover, those that adjoin as one: a single cut of a long payload."""
    spans: list[_Span] = []
    for name, position in call.parts.items():
        if name not in places:
            raise call.source.error("a checksum over what is not there", position, name, ", ".join(places))
        span = places[name]
        if any(_holds(other, span) or _holds(span, other) for other in spans):
            raise call.source.error(f"{name} is covered twice", position, name, "each byte once")
        if spans and span[:2] in (spans[-1][2:], (1, 0) if spans[-1][2:] == (0, header_size) else ()):
            spans[-1] = (*spans[-1][:2], *span[2:])
        else:
            spans.append(span)
    return spans


def _holds(outer: _Span, inner: _Span) -> bool:
    # A field of the header ends before edge 1, and so on: comparing edge and bytes behind it is comparing places.
    return outer[:2] <= inner[:2] and inner[2:] <= outer[2:]


def _pieces(spans: list[_Span], own: _Span) -> "list[_Span | bytes]":
    """Return the spans, with zeros in place of the checksum's own field."""
    pieces: list[_Span | bytes] = []
    for span in spans:
        if not _holds(span, own):
            pieces.append(span)
            continue
        before, after = (*span[:2], *own[:2]), (*own[2:], *span[2:])
        pieces += [before, bytes(own[3] - own[1]), after]
    return pieces


def _in_order(checks: list[_Check]) -> list[_Check]:
    """Return the checksums so that each one comes after those that it covers."""
    ordered: list[_Check] = []
    waiting = list(checks)
    while waiting:
        done = {check.field.name for check in ordered}
        ready = [check for check in waiting if check.covered <= done]
        if not ready:
            names = " and ".join(check.field.name for check in waiting)
            call = waiting[0].field.checksum
            assert call is not None
            raise call.source.error(f"{names} cover each other", call.position, call.function, "one after the other")
        ordered += ready
        waiting = [check for check in waiting if check not in ready]
    return ordered
