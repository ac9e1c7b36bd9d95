"""One definition on one capture: which flows agree with the dissector, frame by frame, and what is with the others."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import accumulate, repeat
from operator import add, ge
from pathlib import Path

import oracle
import proofs

from framing import FramingError, Protocol, get_protocol
from framing.capture import ErrorRecord, FrameRecord, GapRecord, SummaryRecord, read
from framing.codecs.raw import RawCodec
from framing.errors import CaptureError
from framing.protocol import SIDES

# What a direction is found to be. Different and incomplete ones need an entry in the table of that name, none may be
# unread: the flow is not there, or has other bytes than both reassemblers say.
AGREE, FRAMED, GAP = "agree", "framed", "gap"
DIFFERENT, INCOMPLETE, UNREAD = "different", "incomplete", "unread"
STATES = (AGREE, FRAMED, GAP, DIFFERENT, INCOMPLETE, UNREAD)


class Track:
    """What became of the bytes of one flow.

    Attributes:
        sizes, ends, phases: of each frame: its size, the offset behind it, and the `side.phase` that cut it.
        lost_offset: where the first gap is, if there is one.
        troubles: the errors and gaps in words.
        rewritten: numbers of frames that are not written again as they were.
        summary: its sums.
    """

    def __init__(self):
        self.sizes, self.ends, self.phases, self.troubles, self.rewritten = [], [], [], [], []
        self.lost_offset = None
        self.summary = None

    @property
    def is_whole(self):
        return sum(self.sizes) == self.summary.size


class Direction:
    """One flow, of which a dissector may have given the frame sizes.

    Attributes:
        state: one of `STATES`.
        detail: why it is not the first, in words.
    """

    def __init__(self, file, stream, track, expected, proof):
        self.file, self.flow, self.track = file, stream.name, track
        self.state, self.detail = UNREAD, "no such flow, or other bytes"
        if track is not None and track.summary.size in stream.sizes:
            self.state, self.detail = self._judged(stream, expected, proof)

    def _judged(self, stream, expected, proof):
        track = self.track
        if expected is not None and (difference := _difference(track, expected, proof)):
            return DIFFERENT, difference
        if track.lost_offset is not None and stream.has_holes:
            return GAP, track.troubles[0]
        if not track.is_whole:
            return INCOMPLETE, "; ".join(track.troubles) or "bytes were left out in silence"
        return (FRAMED if expected is None else AGREE), ""


class Case:
    """One definition, one file of a corpus, and the streams in it that speak the protocol."""

    def __init__(self, corpus: Path, file: str, proof: proofs.Proof, streams: Sequence[oracle.Stream]) -> None:
        self.corpus, self.file, self.proof, self.streams = corpus, file, proof, streams

    def __repr__(self):
        return f"{self.proof.name}-{self.corpus.name}-{self.file}"


def cases(proof: proofs.Proof, ports: Sequence[int]) -> Iterator[Case]:
    """Yield every file with flows of a definition, whose own ports are `ports`."""
    for corpus in oracle.CORPORA:
        for file, streams in oracle.streams(corpus).items():
            on_ports = (proof.ports or ports) if file.startswith(proof.corpus or ("/",)) else ()
            chosen = [one for one in streams if _is_dissected(proof, file, one) or _is_on(on_ports, one)]
            if chosen:
                yield Case(corpus, file, proof, chosen)


def _is_dissected(proof, file, stream):
    if (proof.within and not file.startswith(proof.within)) or _is_on(proof.inside_ports, stream):
        return False
    if proof.dissector:
        return proof.dissector in stream.proto_sizes
    return bool(proof.sizes) and proof.sizes["field"] in stream.pdus


def _is_on(ports, stream):
    return not set(ports).isdisjoint(stream.ports)


@cache
def all_cases() -> list[Case]:
    """Return the cases of all definitions."""
    return [case for name in proofs.definition_names() for case in cases(proofs.load(name), get_protocol(name).ports)]


# What was run, for the table at the end.
_run: dict[Case, list[Direction]] = {}


def directions(case: Case) -> list[Direction]:
    """Decode the file of a case, once, and return its directions."""
    if case not in _run:
        _run[case] = judged(case)
    return _run[case]


def judged(case: Case) -> list[Direction]:
    """Return the directions of a case, decoded anew."""
    tracks = _tracks(case)
    return [
        Direction(case.file, one, tracks.get((one.name, one.place)), _expected(case.proof, one), case.proof)
        for one in case.streams
    ]


def what_was_run() -> dict[Case, list[Direction]]:
    """Return the directions of each case that was run so far."""
    return _run


def _expected(proof, stream):
    """Return the frame sizes that the dissector gives, by our definition of a frame, or `None`."""
    if proof.sizes:
        if proof.sizes["field"] not in stream.pdus:
            return None
        values = _values(proof.sizes, stream.pdus)
        added = stream.proto_sizes[proof.dissector] if proof.sizes.get("header") else repeat(proof.sizes.get("add", 0))
        return list(map(add, values, added))
    return stream.proto_sizes.get(proof.dissector)


def _values(sizes, pdus):
    """Return the values of a field, or of the one where it moves to."""
    moved = iter(pdus.get(sizes.get("moved_to"), ()))
    return [next(moved, value) if value == sizes.get("moved") else value for value in pdus[sizes["field"]]]


def _difference(track, expected, proof):
    """Tell in words where the frames differ from the dissector's, "" where they do not.

    Frames behind a gap are not compared, and where not all bytes were framed, the dissector may go on.
    """
    counted = [
        size
        for size, phase, end in zip(track.sizes, track.phases, track.ends, strict=True)
        if phase not in proof.undissected and (track.lost_offset is None or end <= track.lost_offset)
    ]
    is_all = track.is_whole and track.lost_offset is None
    wanted = expected if is_all else expected[: len(counted)]
    if counted == wanted:
        return ""
    if proof.grouped and set(accumulate(wanted)) <= set(accumulate(counted)):
        return ""
    if proof.divided and set(accumulate(counted)) <= set(accumulate(expected)):
        return ""
    if proof.heads and len(counted) == len(wanted) and all(map(ge, counted, wanted)):
        return ""
    number = next(
        (number for number, pair in enumerate(zip(counted, wanted, strict=False)) if pair[0] != pair[1]), None
    )
    if number is None:
        return f"{len(counted)} frames, of the dissector {len(expected)}"
    return f"frame {number}: {counted[number]} bytes, of the dissector {wanted[number]}"


def _tracks(case):
    """Decode, and return the tracks by the flow's name and its place among the flows of this name with bytes."""
    protocol = get_protocol(case.proof.name)
    formats = {
        id(phase.wire.format): (f"{side}.{phase.name}", phase.wire)
        for side in SIDES
        for phase in protocol.direction(side).phases.values()
    }
    tracks = defaultdict(Track)
    try:
        for record in _records(case, protocol):
            if record.flow is not None:
                _note(tracks[record.flow], record, formats)
    except CaptureError:  # not read, or nothing of it
        return {}
    return dict(_placed(tracks))


def _records(case, protocol: Protocol):
    flows = {stream.name for stream in case.streams}
    return read(case.corpus / case.file, protocol, flows=flows, ports=case.proof.ports or None)


def _note(track, record, formats):
    if isinstance(record, FrameRecord):
        phase, wire = formats.get(id(record.frame.format), ("", None))
        track.sizes.append(record.size)
        track.ends.append(record.offset + record.size)
        track.phases.append(phase)
        if not _is_written_again(record, wire):
            track.rewritten.append(record.number)
    elif isinstance(record, SummaryRecord):
        track.summary = record
    elif isinstance(record, ErrorRecord | GapRecord):
        track.troubles.append(str(record.error))
        if isinstance(record, GapRecord) and track.lost_offset is None:
            track.lost_offset = record.offset


def _is_written_again(record, wire):
    """Whether header fields and payload give the same bytes, and the message does."""
    frame = record.frame
    try:
        if frame.format.serialize(frame.payload, frame.fields) != frame.data:
            return False
        return wire is None or isinstance(wire.codec, RawCodec) or wire.encode(record.message) == frame.data
    except FramingError:
        return False


def _placed(tracks):
    by_name = defaultdict(list)
    for flow, track in tracks.items():
        bare, _, number = flow.partition("#")
        plain = bare.partition("/")[0]  # without the virtual network, of which the oracle knows nothing
        if track.summary.size:
            by_name[plain].append((int(number or 1), track))
    for bare, found in by_name.items():
        for place, (_, track) in enumerate(sorted(found, key=lambda one: one[0])):
            yield (bare, place), track
