"""Fuzz targets: functions of bytes that return nothing and raise only what is a bug. Each may be run by any fuzzer.

Whatever the bytes, nothing but a `FramingError` comes out of formats, parser, conversations and definitions, and any
cut gives the same. `test_fuzz.py` runs them for a while with mutations of the vectors, `atheris_entry.py` under atheris
for as long as one likes.
"""

import json
import warnings
from pathlib import Path

from framing import (
    Conversation,
    FrameError,
    FrameParser,
    FramingError,
    MessageReader,
    WireFormat,
    get_codec,
    get_format,
    get_protocol,
)
from framing.formats.fields.notation import parse_notation
from framing.shorthand import get_wire
from framing.testing import outcome
from framing.toml import parse_protocol

SPECS = Path(__file__).parents[2] / "specs"

FORMATS = [
    get_format("u8"),
    get_format("u16be", max_frame_size=80),
    get_format("u32le"),
    get_format("u48be"),
    get_format("varint"),
    get_format("varint2"),
    get_format("netstring", max_frame_size=60),
    get_format("lines"),
    get_format("lines", final=True, keep=True),
    get_format("delimiter", delimiters=["\r\n", "\n", "\r\n\r\n"], write="\r\n\r\n", max_frame_size=30),
    get_format("header", header="type:u8 length:u32be", counts="length payload"),
    get_format("header", header="type:u8=1|2|3|8 channel:u16be length:u32be", trailer="end:u8=0xce"),
    get_format("header", header="(last:1 length:15):u16le*1", trailer="a:u8 b:bytes2", counts="frame"),
    get_format("header", header="length:u16be*4 type:bytes3=abc|\0\0\0", counts="frame"),
    get_format("header", header="a:u8=1", payload_size=3),
    get_format("http1", side="request", max_header_size=200, max_frame_size=400),
    get_format("http1", side="response", max_frame_size=400),
    get_format("literal_lines", max_frame_size=60),
    get_format(
        "checked_blocks",
        frame=get_format("header", header="start:u8=5 length:u8"),
        block_size=4,
        check="sum:u8=sum8(payload)",
    ),
    get_format("resp", max_depth=3, max_frame_size=60),
    get_format("line_block", blocks={"PUB": -1, "set": 4}, max_frame_size=60),
    get_format("rtmp_chunks", max_frame_size=400),
    get_format("varint", header="(type:4=1|3 flags:4):u8 length:varint4", counts="payload"),
    get_format(
        "conditional",
        header="(fin:1 reserved:3=0 opcode:4):u8 (masked:1 length:7):u8 "
        "medium:u16be?length=126 long:u64be?length=127 key:bytes4?masked=1",
        length="long | medium | length",
        xor="key",
        minimal=True,
    ),
    get_format(
        "conditional",
        header="start:u8=1|2 length:u8 flags:u8?start=2 message:u8?start=1 message:u24le?start=2",
        trailer="checksum:u8=xor8(header payload) signature:bytes3?start=2",
    ),
]
PROTOCOLS = [get_protocol(path.stem) for path in sorted(SPECS.glob("protocols/*.toml"))]
MSGPACK = get_codec("msgpack")


def frames(data):
    """Cut bytes with a format, whole, in pieces and with any pulls; read the parts of each frame."""
    if len(data) < 3:
        return
    form, size, limit, stream = FORMATS[data[0] % len(FORMATS)], 1 + data[1] % 17, data[2] % 4, data[3:]
    whole = outcome(form, [stream])
    pieces = [stream[begin : begin + size] for begin in range(0, len(stream), size)]
    assert outcome(form, pieces)[:3] == whole[:3]
    for offset, wire in whole.frames:
        frame = form.frame(wire, offset)
        assert {*frame.fields} <= {*frame.header}
    assert limited_payloads(form, pieces, limit) == whole.payloads


def limited_payloads(form, pieces, limit):
    parser, taken = FrameParser(form), []
    try:
        for piece in pieces:
            parser.feed(piece)
            taken += parser.take_payloads(limit)
        parser.finish()
        while some := parser.take_payloads(limit or 1):
            taken += some
    except FrameError:
        pass
    return taken


def messages(data):
    """Read msgpack messages; a bad one must not end the rest, and none may come twice."""
    if not data:
        return
    reader = MessageReader(WireFormat(FORMATS[data[0] % 4], MSGPACK))
    reader.feed(data[1:])
    reader.finish()
    for _ in range(len(data) + 2):
        before = reader.frame_count
        try:
            if not reader.take_messages(3):
                return
        except FrameError:
            return
        except FramingError:
            pass
        assert reader.frame_count > before
    raise AssertionError("more pulls than bytes")


def conversations(data):
    """Let both sides of a protocol say anything, in any order."""
    if len(data) < 2:
        return
    conversation = Conversation(PROTOCOLS[data[0] % len(PROTOCOLS)], midstream=bool(data[1] & 1))
    rest, readers = data[2:], (conversation.client, conversation.server)
    while rest:
        reader, size = readers[rest[0] & 1], 1 + (rest[0] >> 1)
        if not reader.finished:
            reader.feed(rest[1 : 1 + size])
        rest = rest[1 + size :]
        pull(reader, by_message=bool(size & 1))
    for reader in readers:
        reader.finish()
        pull(reader, by_message=False)


def pull(reader, by_message):
    try:
        while reader.take_messages(2) if by_message else reader.next_item():
            pass
    except FramingError:
        pass


def text_of(data):
    return data.decode("utf-8", "replace")


def notation(data):
    """Read a header's declaration, and make a format of it."""
    text = text_of(data)
    for kind in ("header", "varint", "conditional"):
        try:
            parse_notation(text)
            form = get_format(kind, header=text)
        except FramingError as error:
            _ = str(error)  # its text must not fail either
        else:
            outcome(form, [bytes(range(64))])


def shorthand(data):
    """Read a shorthand."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a text that is written by hand may have escapes that Python warns of
        try:
            wire = get_wire(text_of(data))
        except FramingError as error:
            _ = str(error)  # its text must not fail either
        else:
            outcome(wire.format, [bytes(range(64))])


def toml(data):
    """Read a definition file, and talk by it."""
    try:
        protocol = parse_protocol(text_of(data), "fuzz.toml")
    except FramingError as error:
        _ = str(error)
        return
    conversation = Conversation(protocol)
    for reader in (conversation.client, conversation.server):
        reader.feed(data)
        reader.finish()
        pull(reader, by_message=False)


TARGETS = {one.__name__: one for one in (frames, messages, conversations, notation, shorthand, toml)}


def unhex(text):
    parts = (part.partition("*") for part in text.split("+"))
    return b"".join(bytes.fromhex(digits) * min(300, int(count or 1)) for digits, _, count in parts)


def vector_seeds():
    """Yield the streams of the vectors, and the declarations that cut them."""
    for path in sorted(SPECS.glob("vectors/frame_*.json")):
        for vector in json.loads(path.read_text(encoding="utf-8")).get("vectors", ()):
            for chunk in vector.get("parse", {}).get("chunks", ()):
                yield "bytes", unhex(chunk)
            for step in vector.get("conversation", {}).get("steps", ()):
                yield "bytes", b"".join(map(unhex, step.values()))
            if header := vector.get("format", {}).get("header"):
                yield "header", header.encode()


SHORTHANDS = [
    "u32be/msgpack", "u8", "varint5/raw", "netstring(max_frame_size=100)/raw", 'delimiter("\\r\\n", keep=true)/raw',
    'header("type:u8 length:u32be", counts="length payload", max_frame_size=0x400)/msgpack(max_depth=3)',
    "lines(write='\\n', final=true)", "u16be@framewire/raw@framewire", "header(header='a:u8', payload_size=3)",
]  # fmt: skip


def seeds():
    """Return, by target, what to begin with."""
    found = list(vector_seeds())
    streams = [data for kind, data in found if kind == "bytes"]
    headers = [data for kind, data in found if kind == "header"]
    tomls = [path.read_bytes() for path in sorted(SPECS.glob("protocols/*.toml"))]
    tomls.append(
        b'name = "x"\n[both]\nformat = "lines"\ncodec = {cases = {a = "raw", "0x01" = "msgpack"}, default = "raw"}\n'
    )
    return {
        "frames": [bytes((number % 256, 2, 1)) + data for number, data in enumerate(streams)],
        "messages": [b"\0" + bytes((len(data),)) + data for data in (b"\x81\xa2id\x07", b"\x93\1\2\3", b"\xc1")],
        "conversations": [
            bytes((number % len(PROTOCOLS), number & 1, min(254, 2 * len(data)))) + data
            for number, data in enumerate(streams * 2)
        ],
        "notation": headers,
        "shorthand": [text.encode() for text in SHORTHANDS],
        "toml": tomls,
    }
