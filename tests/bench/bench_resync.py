"""Holes in real captures: how often decoding goes on behind them, and whether where it does a frame begins.

    python tests/bench/bench_resync.py [--every] [DIRECTORY]

Every flow of the corpus that is whole and decodes without an error is decoded again, with a packet (sometimes two or
three in a row) taken out: one hole for each direction, or ten with `--every`. What is then cut is compared with the
frames of the undamaged flow. `right`: decoding went on, and all it cut are frames of the undamaged flow, the first one
where the gap record says. `wrong`: anything else was cut. `none`: it did not go on. Nothing is learnt from behind
the hole but what `framing.capture.resync` looks at, the flow's own bytes.

With `--recut` the flows' bytes are first cut anew into packets of 60 to 1460 bytes, whatever frames they hold, so that
nearly every hole ends inside a frame: no sender does that to small frames, but no guess gets away with it.
"""

import random
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import NamedTuple

from framing import FramingError, Protocol, get_protocol, other_side
from framing.capture.assembler import Assembler, assemble
from framing.capture.decoding import ConversationDecoder
from framing.capture.files import read_packets
from framing.capture.flow import Chunk, FlowEnd, Gap
from framing.capture.resync import Seen

CORPUS = Path(__file__).parents[1] / "corpus"
SIZES = (60, 200, 536, 1460)


class Piece(NamedTuple):
    """Bytes of one packet of one side, or with `None` the end of the side."""

    side: str
    data: bytes | None
    end: str | None = None


class Case(NamedTuple):
    """One direction that decodes without an error.

    Attributes:
        pieces: both sides' packets in order.
        places: which of them have bytes of this direction.
        frames: offset and size of each of its frames.
    """

    name: str
    file: str
    protocol: Protocol
    side: str
    midstream: bool
    pieces: list[Piece]
    places: list[int]
    frames: set[tuple[int, int]]


def cases(corpus: Path):
    """Yield a case for each direction of each flow whose folder is named like a protocol that is known."""
    for folder in sorted(corpus.iterdir()):
        try:
            protocol = get_protocol(folder.name)
        except FramingError:
            continue
        for path in sorted(folder.glob("*.pcap*")):
            for midstream, pieces in connections(path, protocol):
                yield from directions(folder.name, path.name, protocol, midstream, pieces)


def connections(path: Path, protocol: Protocol):
    """Yield the pieces of each connection without a gap on the protocol's ports."""
    found = defaultdict(list)
    try:
        for event in assemble(read_packets(str(path)), Assembler(server_ports=protocol.ports)):
            found[event.flow.connection].append(event)
    except FramingError:  # a capture that is damaged: what is before the damage will do
        pass
    for connection, events in found.items():
        ports = protocol.ports
        if any(isinstance(event, Gap) for event in events) or (ports and connection.server.source[1] not in ports):
            continue
        pieces = [
            Piece(one.flow.direction, one.data if isinstance(one, Chunk) else None, getattr(one, "reason", None))
            for one in events
            if isinstance(one, Chunk | FlowEnd)
        ]
        yield connection.is_guessed, pieces


def decoded(protocol, midstream, pieces, side, hole=frozenset(), seen=None):
    """Return the records of a direction, with the pieces of the hole taken out."""
    names = {one: one for one in ("client", "server")}
    decoder = ConversationDecoder(protocol, names, midstream=midstream, seen=seen)
    records, offset, missing = [], 0, 0
    for place, piece in enumerate(pieces):
        if place in hole:
            missing += len(piece.data)
            continue
        if piece.side == side and piece.data is not None:
            if missing:
                records += decoder.gap(side, (offset, missing, "acknowledged"), None, place)
                offset, missing = offset + missing, 0
            offset += len(piece.data)
        if piece.data is None:
            records += decoder.finish(piece.side, piece.end)
        else:
            records += decoder.feed(piece.side, piece.data, None, place)
    return [one for one in records if one.direction == side]


def directions(name, file, protocol, midstream, pieces):
    for side in ("client", "server"):
        records = decoded(protocol, midstream, pieces, side)
        frames = {(one.offset, one.size) for one in records if one.type == "frame"}
        errors = {type(one.error).__name__ for one in records if one.type == "error"}
        places = [place for place, piece in enumerate(pieces) if piece.side == side and piece.data]
        # Pieces of what is not cut are no frames to compare with: behind a hole, VNC's messages are found among them.
        is_cut = all(one.frame.format.name != "opaque" for one in records if one.type == "frame")
        if is_cut and len(frames) > 1 and len(places) > 1 and errors <= {"DecodeError", "TruncatedFrameError"}:
            yield Case(name, file, protocol, side, midstream, pieces, places, frames)


def recut(case: Case, size: int, chance: random.Random) -> Case | None:
    """Return the case with its bytes in packets of such a size, behind all that the other side sent."""
    data = b"".join(case.pieces[place].data for place in case.places)
    if len(data) < 3 * size or len(case.protocol.direction(case.side).phases) > 1:
        return None
    pieces = [piece for piece in case.pieces if piece.side == other_side(case.side) and piece.data]
    first = len(pieces)
    while data:
        count = size if chance.random() < 0.9 else chance.randrange(1, size)
        pieces.append(Piece(case.side, data[:count]))
        data = data[count:]
    places = list(range(first, len(pieces)))
    return case._replace(pieces=[*pieces, Piece(case.side, None, "fin")], places=places)


def trial(case: Case, hole: list[int], seen) -> tuple[str, str]:
    """Return right, wrong or none, and how the place was told."""
    records = decoded(case.protocol, case.midstream, case.pieces, case.side, set(hole), seen)
    (gap,) = [one for one in records if one.type == "gap"]
    if gap.resumed_offset is None:
        return "none", ""
    frames = [(one.offset, one.size) for one in records if one.type == "frame" and one.offset >= gap.offset]
    bounds = {0, *(offset for offset, _ in case.frames), *(sum(frame) for frame in case.frames)}
    fine = gap.resumed_offset in bounds and set(frames) <= case.frames
    return ("right" if fine else "wrong"), gap.confirmed


def holes(case: Case, count: int, chance: random.Random):
    """Yield runs of one to three packets, with a packet behind them."""
    firsts = range(len(case.places) - 1)
    for first in firsts if len(firsts) <= count else chance.sample(firsts, count):
        width = min(chance.choice((1, 1, 1, 2, 3)), len(case.places) - 1 - first)
        yield case.places[first : first + width]


def run(corpus: Path, *, count: int = 1, sizes=(), seed: int = 1):
    """Return how often each protocol's holes came out right, wrong and without an answer, and how they were told."""
    chance, results, hows = random.Random(seed), defaultdict(Counter), Counter()
    known = defaultdict(Seen)
    for case in cases(corpus):
        tried = [again for size in sizes if (again := recut(case, size, chance))] if sizes else [case]
        for one in tried:
            seen = known[case.file]
            for hole in holes(one, count, chance):
                result, how = trial(one, hole, seen)
                results[case.name][result] += 1
                hows[result, how] += 1
            # Other connections of the capture have been seen whole, as they are in most captures with holes.
            decoded(one.protocol, one.midstream, one.pieces, one.side, seen=seen)
    return results, hows


def table(results, hows) -> str:
    head = ("protocol", "holes", "right", "wrong", "none")
    rows = [(name, sum(row.values()), row["right"], row["wrong"], row["none"]) for name, row in sorted(results.items())]
    rows.append(("all", *(sum(row[column] for row in rows) for column in range(1, 5))))
    lines = ["  ".join([str(row[0]).ljust(16), *(str(one).rjust(6) for one in row[1:])]) for row in (head, *rows)]
    told = ", ".join(f"{how} {count}" for (result, how), count in sorted(hows.items()) if result == "right")
    return "\n".join([*lines, f"told by: {told}"])


def main(arguments: list[str]) -> None:
    """Run, and print the table."""
    paths = [one for one in arguments if not one.startswith("-")]
    corpus = Path(paths[0]) if paths else CORPUS
    count = 10 if "--every" in arguments else 1
    print(table(*run(corpus, count=count, sizes=SIZES if "--recut" in arguments else ())))


if __name__ == "__main__":
    main(sys.argv[1:])
