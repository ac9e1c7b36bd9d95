"""Streams: formats declared at random, each codec behind a reader, and the shipped protocols' own conversations.

As in `targets.py`, a target is a function of bytes that raises only what is a bug. Here the first bytes are choices.
"""

import json
import random
from contextlib import suppress
from pathlib import Path

import construct
from targets import unhex

from framing import (
    Conversation,
    DecodeError,
    EncodeError,
    FrameError,
    FrameParser,
    MessageReader,
    get_format,
    get_protocol,
)
from framing.capture.assembler import assemble
from framing.capture.files import read_packets
from framing.capture.flow import Chunk
from framing.codecs.construct import ConstructCodec
from framing.errors import CaptureFileError, DefinitionError, FrameTooLargeError, FramingError
from framing.registry import names
from framing.shorthand import get_codec
from framing.testing import outcome
from framing.testing.cuts import error_facts
from framing.toml import parse_protocol
from framing.wire import Message, WireFormat

CORPUS = Path(__file__).parents[1] / "corpus"
SPECS = Path(__file__).parents[2] / "specs"
CHOICES_SIZE = 12


class Choices:
    """The first bytes of an input as a row of decisions; where they end, all are 0."""

    def __init__(self, data):
        self._bytes = iter(data)

    def pick(self, options):
        return options[next(self._bytes, 0) % len(options)]


def pieces(stream, chance):
    """Cut a stream at random places, into more pieces where it is short."""
    places = sorted(chance.randint(0, len(stream)) for _ in range(chance.choice((1, 3, 20))))
    return [stream[begin:end] for begin, end in zip([0, *places], [*places, len(stream)], strict=True)]


FIELDS = [
    *(
        "",
        "kind:u8",
        "id:u24le",
        "(high:3 low:5):u8",
        "(version:4=2 flags:12):u16be",
        "magic:bytes2=GO|NO",
        "key:bytes3",
    ),
    "mark:u16be=0xbeef",
]
# What the seeds say in them.
VALUES_OF_FIELDS = {"kind": 5, "id": 70000, "high": 7, "low": 0, "flags": 9, "magic": b"NO", "key": b"abc"}
VALUES_OF_FIELDS |= {"more": 6, "sum": 7, "a": 1, "last": 1, "rest": 3}
LENGTHS = [
    *("length:u8", "length:u16be", "length:u24le", "length:u32be", "length:u40be", "length:u48le", "length:u64be"),
    *(
        "length:u16be*4",
        "(last:1=0|1 length:15):u16be",
        "(length:12 rest:4=0|3):u16le",
        "length:varint2",
        "length:varint",
        "length:quic",
        "length:gob3 more:u8",
        "length:varint3 id:varint2",
        "id:quic2 length:quic4",
    ),
]
VARIABLE = ("varint", "quic", "gob")
TRAILERS = ["", "", "", "end:u8=0xce", "sum:u16be", "(a:1 b:7=3):u8"]
COUNTS = ["payload", "payload", "frame", "length payload", "payload trailer", "header payload"]


def declared_format(choices):
    """Return a format with options at random, or raise DefinitionError."""
    fields = " ".join(dict.fromkeys((choices.pick(FIELDS), choices.pick(FIELDS))))
    header, counts, trailer = f"{fields} {choices.pick(LENGTHS)}", choices.pick(COUNTS), choices.pick(TRAILERS)
    limit = choices.pick([{}, {}, {"max_frame_size": 40}, {"max_frame_size": 300}])
    if choices.pick([True, *[False] * 7]):
        return get_format("header", header=fields, payload_size=6, trailer=trailer)
    if any(name in header for name in VARIABLE):
        limit |= choices.pick([{}, {"minimal": True}])
        return get_format("varint", header=header, counts=counts, **limit)
    return get_format("header", header=header, counts=counts, trailer=trailer, **limit)


# Each with the length that fits.
CONDITIONAL = [
    ("long:u16be?length=255", "long | length"),
    ("long:u32le?length=0&kind=5", "long | length"),
    ("key:bytes3?flag=1 long:u16be?length=254|255", "long | length"),
    ("more:u8?kind=1|5", "length + more | length"),
    ("(a:4 b:4):u8?flag=1 key:bytes3", "length"),
]


def conditional_format(choices):
    """Return a format with conditional fields, with options at random, or raise DefinitionError."""
    fields, length = choices.pick(CONDITIONAL)
    header = f"kind:u8 (flag:1 rest:7):u8 {choices.pick(['length:u8', 'length:u16be'])} {fields}"
    options = {"minimal": True} if choices.pick([False, True]) else {}
    if "key" in header and choices.pick([False, True]):
        options["xor"] = "key"
    trailer = choices.pick(["", "end:u8=0xce?flag=1", "crc:u8=xor8(header payload) end:u16be?kind=5"])
    return get_format("conditional", header=header, length=length, trailer=trailer, **options)


DELIMITERS = [";", "\r\n", b"\0\0", ["\r\n", "\n"], ["a", "ab", "abc"], ["ab", "bc"], ["--x", "-"]]


def delimited_format(choices):
    """Return a delimiter or line format, or netstrings, with options at random."""
    options = {"keep": choices.pick([False, True]), "final": choices.pick([False, True])}
    limit = choices.pick([{}, {"max_frame_size": 24}])
    kind = choices.pick(["delimiter", "delimiter", "lines", "netstring"])
    if kind == "netstring":
        return get_format(kind, **limit)
    if kind == "lines":
        return get_format(kind, **options, **limit, write=choices.pick(["\n", "\r\n"]))
    return get_format(kind, delimiters=choices.pick(DELIMITERS), **options, **limit)


# A block of the default's size is over the low limit.
OPTIONS = {"opaque": {"size": 16}}


def ready_format(name, choices):
    """Return a registered format as it is without options, or with a low limit."""
    form = get_format(name, **OPTIONS.get(name, {}))
    return choices.pick([form, form.limited(300)])


def frames(make, data):
    """Cut a stream in pieces and with any pulls; write each frame again and read it back."""
    try:
        form = make(Choices(data[:CHOICES_SIZE]))
    except DefinitionError:
        return
    stream, chance = data[CHOICES_SIZE:], random.Random(data)
    whole = outcome(form, [stream])
    assert outcome(form, pieces(stream, chance))[:3] == whole[:3]
    assert pulled(form, pieces(stream, chance), chance) == (whole.payloads, whole.error)
    for (offset, wire), payload in zip(whole.frames, whole.payloads, strict=True):
        check_frame(form, form.frame(wire, offset), payload)


def pulled(form, chunks, chance):
    """Pull payloads in every way there is, in turn."""
    parser, payloads = FrameParser(form), []
    ways = [
        lambda: [frame.payload for frame in [parser.next_frame()] if frame],
        lambda: [frame.payload for frame in parser.take_frames(chance.choice((None, 1, 3)))],
        lambda: parser.take_payloads(chance.choice((None, 1, 3))),
        lambda: list(map(bytes, parser.take_views(chance.choice((None, 1, 3))))),
    ]
    try:
        for chunk in chunks:
            parser.feed(chunk)
            payloads += chance.choice(ways)()
        parser.finish()
        while some := chance.choice(ways)():
            payloads += some
    except FrameError as error:
        return payloads, error_facts(error)
    return payloads, None


# Formats in which each frame can be written in one way only, and any payload can.
EXACT = ("header", "netstring")


def check_frame(form, frame, payload):
    """A frame's parts are what its format says, and serialize gives them back."""
    assert frame.payload == payload
    assert tuple(frame.header) == form.header_names
    assert tuple(frame.fields) == form.field_names
    try:
        wire = form.serialize(payload, frame.fields)
    except (EncodeError, FrameTooLargeError):
        # As where another delimiter than the one that is written has ended it.
        assert form.name not in EXACT
        return
    again = form.frame(wire)
    assert (again.payload, again.fields) == (payload, frame.fields)
    assert wire == frame.data or form.name not in EXACT


def declared(data):
    frames(declared_format, data)


def delimited(data):
    frames(delimited_format, data)


def conditional(data):
    frames(conditional_format, data)


def notations(data):
    """Declare a format: a line for the header, the trailer and what the length counts, then a stream."""
    header, trailer, counts, stream = (*data.split(b"\n", 3), b"", b"", b"", b"")[:4]
    texts = [text.decode("utf-8", "replace") for text in (header, trailer, counts)]
    try:
        form = get_format("header", header=texts[0], trailer=texts[1], counts=texts[2] or "payload")
    except DefinitionError as error:
        assert error.position is None or 0 <= error.position <= len(error.source)  # noqa: PT017 - any text may do
        _ = str(error)
        return
    whole = outcome(form, [stream], finish=False)
    assert outcome(form, [stream[:5], stream[5:]], finish=False)[:3] == whole[:3]


NOTATIONS = [
    *(
        f"{field} {length}\n\n\n".encode()
        for field in FIELDS
        for length in LENGTHS
        if not any(name in length for name in VARIABLE)
    ),
    *(f"a:u8 length:u8\n{trailer}\nframe\n\1\2\3".encode() for trailer in TRAILERS),
    *(b"length:u8\n\nlength payload\n\1\2a", b"length:varint\n", b"a:u8=1|2|0x3 length:u8*2\n\n\n\1\0"),
]


DEFINITIONS = [
    """name = "a"
ports = [1, 2]
[both]
header = "length:u8"
max_frame_size = 9
codec = "raw"
""",
    """name = "b"
both = { format = "delimiter", delimiters = ["a", "b"], keep = true, codec = { cases = { x = "raw" } } }
""",
    """name = "c"
[client]
format = "u8"
[server]
header = "kind:u8 length:u8"
[server.codec]
field = "kind"
default = "raw"
cases.1 = "msgpack(max_depth=3)"
cases."0x02" = "raw"
""",
    """name = "d"
[client]
start = "one"
midstream = "two"
[client.phases.one]
header = "a:u8 length:u8"
first = "0x01"
otherwise = "two"
after = [
  { frames = 2, payload = "x", fields = { a = 1 }, client = "two" },
  { server = "only" },
]
[client.phases.two]
format = "lines"
[server.phases.only]
header = "length:varint"
""",
]


def definitions(data):
    """Read a definition file; a mistake is said to be in a line that is there."""
    text = data.decode("utf-8", "replace")
    try:
        parse_protocol(text, "fuzz.toml")
    except DefinitionError as error:
        assert error.source == "fuzz.toml"  # noqa: PT017 - any text may do
        assert error.line is None or 1 <= error.line <= text.count("\n") + 1  # noqa: PT017
        _ = str(error)


def format_seeds(make, chance):
    for _ in range(60):
        choices = chance.randbytes(CHOICES_SIZE)
        try:
            form = make(Choices(choices))
            texts = [b"", b"hello", b"GET a b c d", b"\0" * 6, b"sixsix", b"x" * 18]
            yield choices + b"".join(written(form, text) for text in texts)
            yield choices + written(form, b"a") + b"\xff" * 9 + written(form, b"b")
        except DefinitionError:
            yield choices + chance.randbytes(40)


def written(form, payload):
    """Serialize a payload, with an end where it needs one, or give it up: it is no seed then."""
    fields = {name: VALUES_OF_FIELDS.get(name, 1) for name in form.field_names}
    for tail in (b"", b";", b"\r\n", b"\0\0", b"a", b"ab", b"-"):
        with suppress(EncodeError, FrameTooLargeError):
            return form.serialize(payload + tail, fields)
    return b""


Tree = construct.Struct(
    "size" / construct.Byte,
    "inner" / construct.If(construct.this.size > 3, construct.LazyBound(lambda: Tree)),
)
Record = construct.Struct(
    "magic" / construct.Const(b"R"),
    "flags" / construct.BitStruct("a" / construct.Flag, "b" / construct.BitsInteger(7)),
    "kind" / construct.Enum(construct.Byte, none=0, text=1, rows=2, tree=3, packed=4),
    "body"
    / construct.Switch(
        construct.this.kind,
        {
            "text": construct.PascalString(construct.VarInt, "utf8"),
            "rows": construct.PrefixedArray(construct.Int16ub, construct.Int32sl),
            "tree": Tree,
            "packed": construct.Prefixed(construct.Int16ub, construct.Compressed(construct.GreedyBytes, "zlib")),
        },
        default=construct.Optional(construct.Float64b),
    ),
    "rest" / construct.GreedyRange(construct.CString("ascii")),
)
CODECS = {
    "raw": get_codec("raw"),
    "msgpack": get_codec("msgpack"),
    "msgpack_trusting": get_codec("msgpack(strict_map_key=false, strict_types=false, max_items=50, max_depth=6)"),
    "construct": ConstructCodec(Record, max_items=500, max_depth=5, max_expanded_size=5000),
}
OFF = {"a": False, "b": 0}
VALUES = {
    "raw": [b"", b"abc"],
    "msgpack": [None, {"id": 7, "tags": ["a", b"b", -1, 2**63]}, [[[1.5, True]], {"": {}}], "é" * 40],
    "construct": [
        {"flags": {"a": True, "b": 5}, "kind": "text", "body": "hé", "rest": ["x", ""]},
        {"flags": OFF, "kind": "rows", "body": [1, -2], "rest": []},
        {"flags": OFF, "kind": "tree", "body": {"size": 9, "inner": {"size": 1, "inner": None}}, "rest": []},
        {"flags": OFF, "kind": "packed", "body": b"z" * 600, "rest": []},
        {"flags": OFF, "kind": 77, "body": 1.5, "rest": []},
    ],
}
CODEC_FORMATS = ["u8", "u16be", "varint3", "netstring", "header(kind:u8 length:u16be)"]


def messages(name, data):
    """Read messages, cut anywhere; what was decoded encodes, and decodes to the same."""
    wire, chance = WireFormat(get_format(Choices(data).pick(CODEC_FORMATS)), CODECS[name]), random.Random(data)
    whole = read_messages(wire, [data[1:]], chance)
    cut = read_messages(wire, pieces(data[1:], chance), chance)
    assert [shown for shown, _ in cut] == [shown for shown, _ in whole]  # their looks: NaN is not equal to itself
    for shown, message in whole:
        if message is not None:
            frame = wire.format.frame(wire.encode(message))
            assert repr(wire.decode(frame)) == shown


def read_messages(wire, chunks, chance):
    reader, out = MessageReader(wire), []
    for last, chunk in enumerate([*chunks, None], 1 - len(chunks)):
        reader.finish() if last > 0 else reader.feed(chunk)
        while True:
            try:
                some = reader.take_messages(chance.choice((None, 1, 2)))
            except DecodeError as error:
                out.append((error_facts(error), None))
            except FrameError as error:
                return [*out, (error_facts(error), None)]
            else:
                out += [(repr(message), message) for message in some]
                if not some:
                    break
    return out


def message_seeds(name):
    for number, notation in enumerate(CODEC_FORMATS):
        wire = WireFormat(get_format(notation), CODECS[name])
        fields = {"kind": 1} if "kind" in notation else {}
        values = VALUES[name.partition("_")[0]]
        yield bytes((number,)) + b"".join(wire.encode(Message(value, **fields)) for value in values)


PROTOCOLS = {name: get_protocol(name) for name in sorted(names("protocol"))}

# A step is two bytes, side, end and size, and as many bytes that this side says.
SERVER, END, SIZE = 0x8000, 0x4000, 0x3FFF


def conversation(name, data):
    """Let both sides of a protocol talk in steps; how their bytes are cut changes nothing."""
    chance, midstream = random.Random(data), bool(data[:1] and data[0] & 1)
    whole = talked(PROTOCOLS[name], midstream, steps(data[1:]))
    cut = [
        (side, piece, end and last)
        for side, said, end in steps(data[1:])
        for last, piece in enumerate_last(pieces(said, chance))
    ]
    assert talked(PROTOCOLS[name], midstream, cut) == whole


def enumerate_last(items):
    return [(number == len(items), item) for number, item in enumerate(items, 1)]


def steps(data):
    found = []
    while data:
        head = int.from_bytes(data[:2].ljust(2, b"\0"), "big")
        size = head & SIZE
        found.append(("server" if head & SERVER else "client", data[2 : 2 + size], bool(head & END)))
        data = data[2 + size :]
    return found


def talked(protocol, midstream, said):
    """Return what came out of both sides, in an order that depends on no cut."""
    both = Conversation(protocol, midstream=midstream)
    out = {"client": [], "server": []}
    for side, chunk, end in [*said, ("client", b"", True), ("server", b"", True)]:
        reader, other = both.reader(side), "client" if side == "server" else "server"
        if reader.finished:
            continue
        reader.feed(chunk)
        if end:
            reader.finish()
        # One frame may move the other side to another phase, which may move this one: each time before the next frame.
        while drained(both, other, out) and pulled_one(both, side, out):
            pass
    return out


def drained(both, side, out):
    while pulled_one(both, side, out):
        pass
    return True


def pulled_one(both, side, out):
    reader = both.reader(side)
    try:
        item = reader.next_item()
        if item is not None:
            out[side].append((item[0].data, item[0].offset, reader.phase.name))
            item[1].decode(item[0])
    except DecodeError as error:
        out[side].append(error_facts(error))
    except FrameError as error:
        told = error_facts(error)
        if told not in out[side][-1:]:
            out[side].append(told)
        return False
    return item is not None


def conversation_seeds(name):
    """Return the connections of captures and vectors of this protocol, and what each phase serializes."""
    for path in sorted((CORPUS / name).glob("*.pcap*")):
        yield from captured(path)
    for path in SPECS.glob(f"vectors/protocols/{name}.json"):
        yield from said_in_vectors(path)
    protocol = PROTOCOLS[name]
    for side, flag in (("client", 0), ("server", SERVER)):
        for phase in protocol.direction(side).phases.values():
            for wire in hand_made(phase.wire.format):
                yield b"\0" + (flag | len(wire)).to_bytes(2, "big") + wire


def said_in_vectors(path):
    for vector in json.loads(path.read_text(encoding="utf-8"))["vectors"]:
        told = vector["conversation"]
        made = bytearray((told["midstream"],))
        for step in told["steps"]:
            for side, data in step.items():
                said = unhex(data)
                for place in range(0, len(said), SIZE):
                    part = said[place : place + SIZE]
                    made += ((SERVER if side == "server" else 0) | len(part)).to_bytes(2, "big") + part
        if len(made) < 8000:
            yield bytes(made)


def captured(path):
    said = {}
    with suppress(CaptureFileError):
        for event in assemble(read_packets(path)):
            if isinstance(event, Chunk) and len(event.data) <= SIZE:
                flag = 0 if event.flow.direction == "client" else SERVER
                connection = said.setdefault(event.flow.connection, bytearray(b"\0"))
                if len(connection) < 8000:
                    connection += (flag | len(event.data)).to_bytes(2, "big") + event.data
    return list(map(bytes, said.values()))


def hand_made(form):
    """Serialize with whatever values fit: the declaration is not known here."""
    for value in (0, 1, 3, 22, b"AMQP"):
        for payload in (b"", b"payload!"):
            with suppress(FramingError):
                yield form.serialize(payload, dict.fromkeys(form.field_names, value))


def named(function, *arguments):
    return lambda *more: function(*arguments, *more)


def ready_formats():
    """Return, by name, what makes each registered format that needs no options; new ones come by themselves."""
    made = {}
    for name in names("format"):
        with suppress(FramingError):
            get_format(name)
            made[name] = named(ready_format, name)
    return made


READY = ready_formats()


def targets():
    """Return the targets of this file by name."""
    made = {"declared": declared, "delimited": delimited, "conditional": conditional, "notations": notations}
    made |= {"definitions": definitions}
    made |= {f"format_{name}": named(frames, make) for name, make in READY.items()}
    made |= {f"messages_{name}": named(messages, name) for name in CODECS}
    return made | {f"conversation_{name}": named(conversation, name) for name in PROTOCOLS}


def seeds(chance):
    """Return, by target, what to begin with."""
    made = {
        "declared": list(format_seeds(declared_format, chance)),
        "delimited": list(format_seeds(delimited_format, chance)),
        "conditional": list(format_seeds(conditional_format, chance)),
        "notations": NOTATIONS,
        "definitions": [text.encode() for text in DEFINITIONS],
    }
    made |= {f"format_{name}": list(format_seeds(make, chance)) for name, make in READY.items()}
    made |= {f"messages_{name}": list(message_seeds(name)) for name in CODECS}
    return made | {f"conversation_{name}": list(conversation_seeds(name)) for name in PROTOCOLS}
