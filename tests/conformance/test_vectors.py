"""The frame vectors of specs/vectors, strictly: whole objects, exact error classes and places, every cut.

None collected is a failure, and so is a key that is not known: a misspelt expectation must not pass for none.
"""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from framing import (
    Conversation,
    DefinitionError,
    FrameError,
    FrameParser,
    FramingError,
    Join,
    Message,
    MessageReader,
    WireFormat,
    get_codec,
    get_format,
    get_protocol,
)
from framing.formats.fields.notation import parse_notation
from framing.formats.fields.varints import make_varint
from framing.formats.varint import VarintFormat
from framing.testing import every_cut

SPECS = Path(__file__).parents[2] / "specs"
FILES = sorted(SPECS.glob("vectors/frame_*.json"))
PROTOCOL_FILES = sorted(SPECS.glob("vectors/protocols/*.json"))
MANIFEST = json.loads((SPECS / "vectors/frame_manifest.json").read_text(encoding="utf-8"))

COMMON = {"id", "source", "clauses", "note"}
KINDS = {
    "parse": ({"format"}, {"chunks", "finish", "limit", "frames", "error", "pending_size", "needed_size"}),
    "recovery": ({"format"}, {"policy", "chunks", "finish", "events", "error"}),
    "serialize": ({"format"}, {"payload", "fields", "wire", "error"}),
    "refused": ({"format"}, {"class", "key", "position"}),
    "number": (set(), {"type", "max_size", "wire", "value", "written"}),
    "conversation": ({"protocol"}, {"midstream", "steps", "finish", "frames", "errors"}),
    "join": ({"format"}, {"declared", "chunks", "finish", "results", "written", "refused"}),
}
# What an error says, as far as it is the same for every implementation.
FACTS = (
    "offset", "frame_number", "field", "frame_size", "max_frame_size", "pending_size", "region_offset", "region_size",
    "path", "key", "position",
)  # fmt: skip


def vectors(files):
    for path in files:
        if path.name != "frame_manifest.json":
            content = json.loads(path.read_text(encoding="utf-8"))
            assert content.keys() == {"schema", "vectors"}
            assert content["schema"] == "framewire/frame-vectors/1"
            yield from ((path.name, vector) for vector in content["vectors"])


# Those of the clauses, and those that single protocols have from their specifications.
FRAME_VECTORS, PROTOCOL_VECTORS = list(vectors(FILES)), list(vectors(PROTOCOL_FILES))
VECTORS = FRAME_VECTORS + PROTOCOL_VECTORS


def kind_of(vector):
    (kind,) = KINDS.keys() & vector.keys()
    return kind


def of_kind(kind):
    chosen = [pytest.param(vector, id=vector["id"]) for _, vector in VECTORS if kind_of(vector) == kind]
    assert chosen, f"there is no vector of kind {kind}"
    return pytest.mark.parametrize("vector", chosen)


def unhex(text):
    """Return the bytes of `00ff*3+61`: hex digits, repeated, joined."""
    parts = (part.partition("*") for part in text.split("+"))
    return b"".join(bytes.fromhex(digits) * int(count or 1) for digits, _, count in parts)


def json_value(value):
    return f"0x{value.hex()}" if isinstance(value, bytes) else value


def fields_of(item):
    return {
        name: bytes.fromhex(value[2:]) if isinstance(value, str) and value.startswith("0x") else value
        for name, value in item.get("fields", {}).items()
    }


def shown(error):
    """Return an error as a vector has it."""
    if error is None:
        return None
    facts = {name: getattr(error, name, None) for name in FACTS}
    return {"class": type(error).__name__} | {name: value for name, value in facts.items() if value is not None}


def format_of(vector):
    options = dict(vector["format"])
    return get_format(options.pop("name"), **options)


def same_bytes(expected):
    """Return the vector's frames with their bytes written out, so that `00*3` and `000000` are the same."""
    keys = ("wire", "payload")
    return [frame | {key: unhex(frame[key]).hex() for key in keys if key in frame} for frame in expected]


def frame_object(frame):
    made = {"wire": frame.data.hex(), "payload": frame.payload.hex()}
    if frame.header:
        made["header"] = {name: json_value(value) for name, value in frame.header.items()}
    return made


class Run:
    """A parser whose limit may change after some frames."""

    def __init__(self, vector):
        self.parse = vector["parse"]
        self.parser = FrameParser(format_of(vector))
        self.frames = []

    def pull(self):
        while frame := self.parser.next_frame():
            self.frames.append(frame)
            limit = self.parse.get("limit", {})
            if limit.get("after_frames") == len(self.frames):
                self.change_limit(limit["max_frame_size"])

    def change_limit(self, max_frame_size):
        old = self.parser
        rest = old.unread()
        limited = old.format.limited(max_frame_size)
        self.parser = FrameParser(limited, offset=old.offset, frame_count=old.frame_count)
        self.parser.feed(rest)

    def result(self, chunks):
        error = None
        try:
            for chunk in chunks:
                self.parser.feed(chunk)
                self.pull()
            if self.parse["finish"]:
                self.parser.finish()
                self.pull()
        except FrameError as raised:
            error = raised
            self.check_poison(raised)
        made = {"frames": [frame_object(frame) for frame in self.frames], "error": shown(error)}
        if "pending_size" in self.parse:
            made["pending_size"] = self.parser.pending_size
        if "needed_size" in self.parse:
            made["needed_size"] = self.parser.needed_size
        return made

    def check_poison(self, error):
        """[F8] The same error again, whatever comes."""
        for _ in range(2):
            with pytest.raises(type(error)) as caught:
                self.parser.take_payloads()
            assert shown(caught.value) == shown(error)
            if not self.parser.finished:
                self.parser.feed(b"\0\0\0\0")


@of_kind("parse")
def test_parse(vector):
    parse = vector["parse"]
    chunks = [unhex(chunk) for chunk in parse["chunks"]]
    expected = {key: parse[key] for key in ("frames", "error", "pending_size", "needed_size") if key in parse}
    expected["frames"] = same_bytes(expected["frames"])
    assert ("pending_size" in parse) == (not parse["finish"] and parse["error"] is None)
    assert Run(vector).result(chunks) == expected
    for cut in every_cut(b"".join(chunks)):
        assert Run(vector).result(cut) == expected, cut


def recovered(vector, chunks):
    """Return the events of a parser with a recovery policy, and the error that has ended the stream, if one has."""
    parser, events, ended = FrameParser(format_of(vector), recovery=vector["recovery"]["policy"]), [], None

    def pull():
        nonlocal ended
        while True:
            try:
                frame = parser.next_frame()
            except FrameError as error:
                if error.region_size is None:
                    ended = error
                    return
                events.append({"error": shown(error)})
                continue
            if frame is None:
                return
            events.append(frame_object(frame))

    for chunk in chunks:
        parser.feed(chunk)
        pull()
    if vector["recovery"]["finish"]:
        parser.finish()
        pull()
    return {"events": events, "error": shown(ended)}


@of_kind("recovery")
def test_recovery(vector):
    expected = vector["recovery"]
    chunks = [unhex(chunk) for chunk in expected["chunks"]]
    events = [event if "error" in event else same_bytes([event])[0] for event in expected["events"]]
    for cut in (chunks, *every_cut(b"".join(chunks))):
        assert recovered(vector, cut) == {"events": events, "error": expected["error"]}, cut


@of_kind("parse")
def test_what_was_parsed_is_serialized_again(vector):
    frames = [unhex(frame["wire"]) for frame in vector["parse"]["frames"]]
    written_otherwise = {"F21", "F26", "F29", "F24", "F49", "F51", "F55", "F61", "F95", "F115", "F116"} & set(
        vector["clauses"]
    )
    form = format_of(vector)
    for wire in frames:
        frame = form.frame(wire)
        if not written_otherwise:
            assert form.serialize(frame.payload, frame.fields) == wire


@of_kind("serialize")
def test_serialize(vector):
    form = format_of(vector)
    for item in vector["serialize"]:
        assert set(item) <= KINDS["serialize"][1]
        wire, error = None, None
        try:
            wire = form.serialize(unhex(item["payload"]), fields_of(item))
        except FramingError as raised:
            error = raised
        assert shown(error) == item["error"]
        assert wire == (None if item["wire"] is None else unhex(item["wire"]))


@of_kind("refused")
def test_refused(vector):
    with pytest.raises(DefinitionError) as caught:
        format_of(vector)
    assert shown(caught.value) == vector["refused"]


@of_kind("number")
def test_number(vector):
    number = vector["number"]
    wire = unhex(number["wire"])
    (field,) = parse_notation(f"length:{number['type']}{number['max_size']}")
    varint = make_varint(field, minimal=False)
    assert varint.read(b"." + wire + b"\xff", 1, len(wire) + 2) == (number["value"], len(wire) + 1)
    assert all(varint.read(wire, 0, size) is None for size in range(len(wire)))
    assert varint.write(number["value"]) == unhex(number.get("written", number["wire"]))
    largest = varint.largest + number["max_size"]
    parser = FrameParser(VarintFormat(f"length:{number['type']}{number['max_size']}", max_frame_size=largest))
    parser.feed(wire)
    parser.next_frame()
    assert parser.needed_size == (number["value"] or 1)  # of the payload, or of the next frame


def cuts_of_steps(steps):
    """Yield the steps as they are, and with each cut into bytes or in halves."""
    parts = [(side, unhex(text)) for step in steps for side, text in step.items()]
    yield parts
    for size in (1, 2, 5):
        yield [(side, data[at : at + size]) for side, data in parts for at in range(0, len(data), size)]


def pulled(conversation, side, frames, errors):
    reader = conversation.reader(side)
    while side not in errors:
        try:
            item = reader.next_item()
        except FrameError as error:
            errors[side] = shown(error)
            return
        if item is None:
            return
        frame, decoder = item
        wire = decoder if isinstance(decoder, WireFormat) else decoder.wire
        phases = conversation.protocol.direction(side).phases.values()
        (phase,) = (phase.name for phase in phases if phase.wire is wire)
        frames.append({"side": side, "phase": phase, "wire": frame.data.hex()})
        assert frame.offset == sum(len(unhex(one["wire"])) for one in frames[:-1] if one["side"] == side)


@of_kind("conversation")
def test_conversation(vector):
    expected = vector["conversation"]
    for steps in cuts_of_steps(expected["steps"]):
        conversation = Conversation(get_protocol(vector["protocol"]), midstream=expected["midstream"])
        frames, errors = [], {}
        for side, data in steps:
            conversation.reader(side).feed(data)
            pulled(conversation, side, frames, errors)
            pulled(conversation, "server" if side == "client" else "client", frames, errors)
        for side in ("client", "server") if expected["finish"] else ():
            conversation.reader(side).finish()
            pulled(conversation, side, frames, errors)
        assert frames == same_bytes(expected["frames"])
        assert errors == expected["errors"]


def joined_wire(vector):
    """Return the wire format of a vector of this kind; text stands for the bytes that it has."""
    declared = {
        key: {name: constants(one) for name, one in value.items()}
        if isinstance(value, dict) and key != "counter"
        else value
        for key, value in vector["join"]["declared"].items()
    }
    return WireFormat(format_of(vector), get_codec("raw"), join=Join(**declared))


def constants(value):
    return (
        [constants(one) for one in value]
        if isinstance(value, list)
        else value.encode()
        if isinstance(value, str)
        else value
    )


def joined(wire, chunks, finish):
    """Return what a reader gives: messages and errors, in order."""
    reader, results = MessageReader(wire), []

    def pull():
        while True:
            try:
                batch = reader.take_messages()
            except FramingError as error:
                results.append(shown(error))
                if isinstance(error, FrameError):
                    return
                continue
            if not batch:
                return
            results.extend(batch)

    for chunk in chunks:
        reader.feed(chunk)
        pull()
    if finish:
        reader.finish()
        pull()
    return results


def joined_object(result):
    if isinstance(result, dict):
        return result
    if isinstance(result, bytes):
        return {"payload": result.hex()}
    return {"payload": result.value.hex(), "fields": {name: json_value(value) for name, value in result.fields.items()}}


@of_kind("join")
def test_join(vector):
    inside = vector["join"]
    if "refused" in inside:
        assert inside.keys() == {"declared", "refused"}
        with pytest.raises(DefinitionError) as caught:
            joined_wire(vector)
        assert shown(caught.value) == inside["refused"]
        return
    chunks = [unhex(chunk) for chunk in inside["chunks"]]
    assert [joined_object(one) for one in joined(joined_wire(vector), chunks, inside["finish"])] == inside["results"]
    for cut in every_cut(b"".join(chunks)):
        found = [joined_object(one) for one in joined(joined_wire(vector), cut, inside["finish"])]
        assert found == inside["results"], cut


@of_kind("join")
def test_what_joins_is_written_in_several_frames(vector):
    for item in vector["join"].get("written", []):
        assert item.keys() - {"fields"} in ({"payload", "frames"}, {"payload", "error"})
        wire, value = joined_wire(vector), unhex(item["payload"])
        message = Message(value, **fields_of(item)) if wire.field_names else value
        if "error" in item:
            with pytest.raises(FramingError) as caught:
                wire.encode(message)
            assert shown(caught.value) == item["error"]
        else:
            assert [frame.hex() for frame in wire.encode_frames(message)] == item["frames"]
            assert wire.encode(message).hex() == "".join(item["frames"])


def test_no_vector_has_an_unknown_key():
    for _, vector in VECTORS:
        kind = kind_of(vector)
        beside, inside = KINDS[kind]
        assert vector.keys() - {"note"} == (COMMON - {"note"}) | beside | {kind}, vector["id"]
        assert vector["source"], vector["id"]
        if kind != "serialize":
            assert vector[kind].keys() <= inside, vector["id"]


def test_the_manifest_counts_the_vectors_and_names_those_that_are_left_for_later():
    assert dict(Counter(name for name, _ in FRAME_VECTORS)) == MANIFEST["files"]
    ids = [vector["id"] for _, vector in VECTORS]
    later = [name for group in MANIFEST["later"] for name in group["ids"]]
    assert len({*ids, *later}) == len(ids) + len(later)
    assert all(group["reason"] for group in MANIFEST["later"])


def test_there_are_files_of_protocols():
    assert PROTOCOL_FILES


@pytest.mark.parametrize("path", PROTOCOL_FILES, ids=lambda path: path.stem)
def test_a_protocol_file_has_conversations_of_that_protocol_good_and_bad(path):
    own = [vector for name, vector in PROTOCOL_VECTORS if name == path.name]
    assert {vector.get("protocol") for vector in own} == {path.stem}
    assert all(vector["id"].startswith(path.stem) for vector in own)
    assert any(is_valid(vector) and vector["conversation"]["frames"] for vector in own)
    assert any(is_invalid(vector) for vector in own)


def clauses():
    """Return each clause of specs/frame.md with its text."""
    text = (SPECS / "frame.md").read_text(encoding="utf-8")
    parts = re.split(r"^\*\*\[(F\d+)\]", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def is_invalid(vector):
    inside = vector[kind_of(vector)]
    if kind_of(vector) == "serialize":
        return any(item["error"] for item in inside)
    if kind_of(vector) == "join":
        return "refused" in inside or any("class" in one for one in inside["results"])
    if kind_of(vector) == "recovery":
        return any("error" in event for event in inside["events"])
    return kind_of(vector) == "refused" or bool(inside.get("error") or inside.get("errors"))


def is_valid(vector):
    if kind_of(vector) == "serialize":
        return any(not item["error"] for item in vector["serialize"])
    return not is_invalid(vector)


@pytest.mark.parametrize("clause", clauses())
def test_each_clause_has_vectors_that_keep_it_and_that_break_it(clause):
    text = clauses()[clause]
    own = [vector for _, vector in FRAME_VECTORS if clause in vector["clauses"]]
    for marker, found in (("No valid vector:", is_valid), ("No invalid vector:", is_invalid)):
        excused = marker in text or "No vector:" in text
        assert any(found(vector) for vector in own) != excused


def test_each_vector_names_clauses_that_exist():
    known = clauses().keys()
    assert len(known) >= 43  # as many as there were: one that got lost is noticed
    for _, vector in VECTORS:
        assert vector["clauses"], vector["id"]
        assert set(vector["clauses"]) <= known, vector["id"]


def test_the_code_names_clauses_that_exist():
    root = SPECS.parent / "framing"
    named = {name for path in root.rglob("*.py") for name in re.findall(r"\[(F\d+)\]", path.read_text("utf-8"))}
    assert named <= clauses().keys()
    assert len(named) > 20
