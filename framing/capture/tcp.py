"""One flow put together: segments in, events out.

Rule 1. Every byte of a flow has an offset, a plain integer that never wraps: sequence numbers are turned into offsets
        by their signed distance from the next expected one, and are not looked at again.
Rule 2. The first copy of a byte that arrives is the one that counts. A later copy is compared and counted, never used.

    0            offset                                  what is known of a flow
    ├── delivered ──┤  hole  ├─ piece ─┤ hole ├─ piece ─┤
                             └─────── pending ──────────┘    sorted, never overlapping

A flow with nothing pending is in order. Otherwise the byte at `offset` is missing, and the hole before the first piece
is filled by a late segment, or is declared a gap: by acknowledgements, by the budget, or at the flow's end.

Before its start is settled a flow has only pending pieces, around a provisional offset 0; settling moves them so that
the first one starts at 0.
"""

from bisect import bisect_left, insort
from collections.abc import Sequence

from framing.capture.flow import ENDED, UNSETTLED, Chunk, EndReason, Event, Flow, FlowEnd, Gap, GapReason, Piece
from framing.capture.recent import REMEMBERED_COUNT

__all__ = [
    "acknowledge",
    "advance",
    "begin",
    "close",
    "give_up",
    "is_elsewhere",
    "is_same_start",
    "is_settling",
    "place",
    "relax",
    "settle",
]

_MASK = 0xFFFF_FFFF
_HALF = 0x8000_0000

# The largest window that TCP can have (RFC 7323, 65535 << 14, rounded up): a segment further ahead belongs to
# something else.
_WINDOW = 1 << 30

# [P16] The largest window in use: Windows lets one grow to 16 MiB, Linux to 6. No more can be on its way and not yet
# acknowledged.
_USED_WINDOW = 16 * 1024 * 1024

# [P14] So many segments of a flow without SYN are looked at before the lowest number among them is taken as the start.
# Routes and network cards reorder by a few packets; Linux raises its own estimate (tcp_reordering) from 3.
_START_COUNT = 16

# [P17] A hole becomes a gap when it was acknowledged so often. More than once, because a capture on several queues or
# interfaces may hold the acknowledgement before the segment that it acknowledges.
_PATIENCE = 8

# What a pending piece costs beyond its bytes: a tuple of six with its integers. Counted against the budget, or one-byte
# segments would take 200 times what it allows.
PIECE_OVERHEAD = 256


def begin(flow: Flow, sequence: int) -> None:
    """[P13] Settle the start at a SYN: the first byte has the number behind it."""
    flow.syn_sequence = sequence
    if flow.next_sequence == UNSETTLED:
        _settle_at(flow, sequence + 1 & _MASK)


def is_same_start(flow: Flow, sequence: int) -> bool:
    """[P19] Whether a SYN with this number belongs to what is known of its flow, or begins another connection."""
    if flow.syn_sequence >= 0:
        return flow.syn_sequence == sequence
    if flow.next_sequence != UNSETTLED:
        # Settled without a SYN: it may still come late, with the number before the first byte.
        return flow.next_sequence != ENDED and _distance(flow, sequence + 1) == 0
    return flow.base < 0 or not flow.pending or 0 <= flow.pending[0][0] - _distance(flow, sequence + 1) <= _WINDOW


def is_elsewhere(flow: Flow, sequence: int) -> bool:
    """[P19] Whether a number is so far from where the flow is that it cannot be on its way there."""
    is_known = flow.next_sequence != UNSETTLED or flow.base >= 0
    return is_known and abs(_distance(flow, sequence) - flow.offset) > _USED_WINDOW


def place(flow: Flow, sequence: int, data: bytes, cut: int, is_last: bool, origin: tuple[int | None, int]) -> None:
    """Put a segment where it belongs among the pieces; `advance` delivers them.

    Args:
        flow: the segment's flow.
        sequence: the number of its first byte.
        data: the bytes that were captured.
        cut: how many more were on the wire behind them.
        is_last: whether it has a FIN.
        origin: timestamp_ns and number of its packet.
    """
    start = _distance(flow, sequence)
    end = start + len(data)
    if _is_stray(flow, start, end, cut):
        flow.stray_count += 1
        return
    if data or cut:
        _insert(flow, start, data, cut, origin)
    if is_last and end + cut >= flow.offset and (flow.fin_offset is None or end + cut < flow.fin_offset):
        # [P13] A FIN takes a number, but is no byte: an empty piece, so that a hole before it is a hole like any other.
        flow.fin_offset = end + cut
        _hold(flow, (end + cut, end + cut, b"", 0, *origin))


def advance(flow: Flow, out: list[Event]) -> None:
    """Deliver the pieces that are in order now, and the end once the FIN is reached."""
    pending, before, count, fin = flow.pending, flow.offset, 0, flow.fin_offset
    if not pending or flow.next_sequence < 0:
        return
    for start, end, data, cut, timestamp_ns, number in pending:
        if start > flow.offset or (fin is not None and flow.offset >= fin):
            break
        count += 1
        flow.pending_size -= len(data) + PIECE_OVERHEAD
        if start < flow.offset:
            # A piece of no bytes, whose own were all cut, inside another that has them.
            continue
        if data:
            out.append(Chunk(flow, timestamp_ns, start, data, number))
        flow.offset = end
        if cut and (count == len(pending) or (cut := min(cut, max(0, pending[count][0] - end)))):
            give_up(flow, cut, "cut", out, (timestamp_ns, number))
    if count:
        _drop(flow, count)
        flow.covered_count = 0
        flow.next_sequence = flow.next_sequence + flow.offset - before & _MASK
    if fin is not None and flow.offset >= fin:
        _end(flow, "fin", out)


def acknowledge(flow: Flow, number: int, out: list[Event]) -> None:
    """Learn from the other side which bytes of `flow`, that is not in order, it has."""
    covered = _distance(flow, number)
    if covered - flow.offset > _WINDOW or covered < flow.pending[0][0]:
        return
    if flow.next_sequence == UNSETTLED:
        # [P14] All that was sent before the first piece has arrived: nothing lower will come.
        settle(flow, out)
        return
    if not flow.covered_count:
        flow.covered_offset = covered
    flow.covered_count += 1
    if flow.covered_count >= _PATIENCE:
        while flow.pending and flow.pending[0][0] <= flow.covered_offset:
            _skip_hole(flow, "acknowledged", out)


def relax(flow: Flow, out: list[Event]) -> None:
    """[P18] Hold less: settle the start, or give up the oldest hole."""
    if flow.next_sequence == UNSETTLED:
        settle(flow, out)
    elif flow.pending:
        _skip_hole(flow, "budget", out)


def settle(flow: Flow, out: list[Event]) -> None:
    """[P14] Settle the start of a flow without SYN at the lowest number seen."""
    if flow.pending and flow.next_sequence == UNSETTLED:
        _settle_at(flow, flow.base + flow.pending[0][0] & _MASK)
        advance(flow, out)


def is_settling(flow: Flow) -> bool:
    """Whether enough was seen of a flow without SYN to settle its start."""
    if flow.next_sequence != UNSETTLED or not flow.pending:
        return False
    first, known = flow.pending[0][0], flow.reverse.last_ack
    return len(flow.pending) >= _START_COUNT or (known >= 0 and _distance(flow, known) >= first)


def close(flow: Flow, reason: EndReason, out: list[Event]) -> None:
    """[P20] End a flow: what still waits behind holes is delivered, with the holes as gaps."""
    if flow.next_sequence == ENDED:
        return
    settle(flow, out)
    while flow.pending and not _is_beyond_reach(flow):
        _skip_hole(flow, "end", out)
    if flow.next_sequence == ENDED or not flow.packet_count:
        return
    if flow.next_sequence >= 0 and flow.reverse.last_ack >= 0:
        # One number more than the bytes is the FIN's, whose packet may be missing too.
        missing = _distance(flow, flow.reverse.last_ack) - flow.offset
        if 1 < missing <= _WINDOW:
            give_up(flow, missing, "end", out, (None, flow.last_number))
    _end(flow, reason, out)


def _is_beyond_reach(flow: Flow) -> bool:
    """[P16] Whether nobody had the bytes of a hole that no window in use could span: what is behind it is stray."""
    first, known = flow.pending[0][0], flow.reverse.last_ack
    return known >= 0 and first - flow.offset > _USED_WINDOW and _distance(flow, known) < first


def _distance(flow: Flow, sequence: int) -> int:
    """Return the offset of a sequence number: the one that is nearest to where the flow is."""
    if flow.next_sequence >= 0:
        return flow.offset + ((sequence - flow.next_sequence + _HALF & _MASK) - _HALF)
    return flow.offset + ((sequence - flow.base + _HALF & _MASK) - _HALF)


def _is_stray(flow: Flow, start: int, end: int, cut: int) -> bool:
    """[P16] Whether a segment cannot be of this flow: beyond any window, behind its end, before its first byte."""
    if abs(start - flow.offset) > _WINDOW:
        return True
    if flow.next_sequence == ENDED:
        return end + cut > flow.offset
    return flow.next_sequence != UNSETTLED and end < 0


def _settle_at(flow: Flow, sequence: int) -> None:
    """Make `sequence` the first byte's number, and move the pieces held so far with it."""
    shift = _distance(flow, sequence) if flow.base >= 0 else 0
    if flow.pending:
        flow.pending = [(piece[0] - shift, piece[1] - shift, *piece[2:]) for piece in flow.pending]
    if flow.fin_offset is not None:
        flow.fin_offset -= shift
    flow.next_sequence = sequence


def _insert(flow: Flow, start: int, data: bytes, cut: int, origin: tuple[int | None, int]) -> None:
    """[P15] Hold what is new in a segment; compare and count the rest."""
    if start == flow.offset - 1 and len(data) == 1 and _is_known_to_be_next(flow):
        # A keep-alive: one old byte, of any value.
        return
    if start < flow.offset and flow.next_sequence != UNSETTLED:
        old_size = flow.offset - start
        _count_old(flow, start, data[:old_size], origin[1])
        data, start = data[old_size:], flow.offset
        if not data:
            return
    end, position = start + len(data), start
    for held in _overlapping(flow.pending, start, end):
        if held[0] > position:
            _hold(flow, (position, held[0], data[position - start : held[0] - start], 0, *origin))
        low, high = max(held[0], start), min(held[1], end)
        flow.retransmitted_size += high - low
        flow.conflicting_size += _difference(data[low - start : high - start], held[2][low - held[0] : high - held[0]])
        position = high
    if position < end or (cut and not data):
        _hold(flow, (position, end, data[position - start :], cut, *origin))


def _is_known_to_be_next(flow: Flow) -> bool:
    """Whether the byte at `offset` is the next one; while the start is not settled, an empty first packet tells."""
    return flow.next_sequence != UNSETTLED or not flow.pending or flow.pending[0][0] > 0 or not flow.pending[0][2]


def _overlapping(pending: Sequence[Piece], start: int, end: int) -> list[Piece]:
    index = bisect_left(pending, (start,))
    first = index - 1 if index and pending[index - 1][1] > start else index
    # A piece of no bytes overlaps nothing.
    return [piece for piece in pending[first : bisect_left(pending, (end,))] if piece[1] > piece[0]]


def _hold(flow: Flow, piece: Piece) -> None:
    if isinstance(flow.pending, list):
        insort(flow.pending, piece)
    else:
        flow.pending = [piece]
    flow.pending_size += len(piece[2]) + PIECE_OVERHEAD


def _drop(flow: Flow, count: int) -> None:
    if isinstance(flow.pending, list) and count < len(flow.pending):
        del flow.pending[:count]
    else:
        flow.pending = ()


def _count_old(flow: Flow, start: int, data: bytes, number: int) -> None:
    """Count bytes that were delivered before, and those that differ, as far as the first copy is remembered."""
    flow.retransmitted_size += len(data)
    end = start + len(data)
    if not flow.recent or end <= flow.recent[0].offset:
        # Long forgotten: a capture that holds everything twice must not search the memory for every packet.
        return
    for chunk in reversed(flow.recent):
        offset, known = chunk.since(number - REMEMBERED_COUNT)
        low, high = max(start, offset), min(end, offset + len(known))
        if low < high:
            first = known[low - offset : high - offset]
            flow.conflicting_size += _difference(data[low - start : high - start], first)
        if chunk.offset <= start:
            return


def _difference(data: bytes, first: bytes) -> int:
    return 0 if data == first else sum(map(int.__ne__, data, first))


def _skip_hole(flow: Flow, reason: GapReason, out: list[Event]) -> None:
    first = flow.pending[0]
    size = first[0] - flow.offset
    if size:
        flow.next_sequence = flow.next_sequence + size & _MASK
        give_up(flow, size, reason, out, (first[4], first[5]))
    advance(flow, out)


def give_up(flow: Flow, size: int, reason: GapReason, out: list[Event], origin: tuple[int | None, int]) -> None:
    """Make a gap of the next bytes."""
    out.append(Gap(flow, origin[0], flow.offset, size, origin[1], reason))
    flow.offset += size
    flow.gap_count += 1
    flow.missing_size += size


def _end(flow: Flow, reason: EndReason, out: list[Event]) -> None:
    # What is known of the numbers stays, to tell old bytes from strays.
    flow.base, flow.next_sequence = flow.next_sequence, ENDED
    flow.stray_count += sum(1 for piece in flow.pending if piece[2])
    flow.pending = ()
    flow.pending_size = 0
    flow.end_reason = reason
    out.append(FlowEnd(flow, reason, flow.last_number, flow.packet_count))
