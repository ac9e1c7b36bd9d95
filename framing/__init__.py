"""framewire: say once how frames are cut and what is inside them; run it, decode it from a capture, prove it.

The core, without I/O: no sockets, no clock, no threads. The map, each floor importing only those below it:

    cli/                              one file per command
    capture/    testing/              capture file → records; the contracts as functions for anyone's plug-in
    definition.py  toml.py            name, TOML file, module:attr, shorthand → Protocol
    toml_table.py  toml_lines.py      the keys of a definition file, and their lines
    shorthand.py  facts.py            one line of text → frame format, codec; what definitions say of themselves
    conversation.py                   both directions of one connection, phase by phase
    events.py                         frames too large to be held, in pieces
    protocol.py  reader.py            Protocol: two directions, phases; MessageReader: chunks → messages
    wire.py                           WireFormat: a frame format and its codec; the tagged union
    parser.py   registry.py           chunks → frames; names → plug-ins
    recovery.py                       what a parser does behind bytes that no frame can be cut from
    join.py     store.py              several frames → one message; the bytes that are not yet a frame
    entries.py  installation.py       the plug-ins that are built in or installed; what their metadata says
    formats/    codecs/               one kind of cut, one codec per file; ordinary plug-ins
    frame.py    codec.py              Frame and FrameFormat; Codec: the contracts of the two kinds of plug-in
    errors.py  picture.py             the error tree, nothing else is raised; byte pictures of frames
    compiled.py                       whether the compiled twins of the hot loops run here

`transports`, beside this package, runs a protocol on trio and uses only the names exported here.

Invariants: importing this package loads neither trio, socket, click, msgpack, construct nor importlib.metadata.
Time is an argument. Payloads are `bytes`. A parser raises `FramingError`s and nothing else, whatever the bytes. The
same `Conversation` serves a socket and a capture.
"""

TYPE_CHECKING = False  # as in typing, whose import would be most of this one's time
if TYPE_CHECKING:
    from typing import Any

    from framing.codec import Codec
    from framing.conversation import Conversation
    from framing.definition import get_protocol
    from framing.errors import (
        CaptureError,
        CaptureFileError,
        ChecksumError,
        CodecError,
        DecodeError,
        DefinitionError,
        EncodeError,
        FrameError,
        FrameTooLargeError,
        FramingError,
        HeaderError,
        RegistryError,
        StreamGapError,
        TruncatedFrameError,
    )
    from framing.events import EventParser, FrameEnd, FramePiece, FrameStart
    from framing.frame import Frame, FrameFormat
    from framing.join import Join
    from framing.parser import FrameParser
    from framing.protocol import SIDES, Direction, Phase, Protocol, Rule, Side, other_side
    from framing.reader import MORE, MessageReader
    from framing.registry import register
    from framing.shorthand import get_codec, get_format
    from framing.wire import Message, TaggedUnion, WireFormat

# Name → module, loaded when it is asked for (PEP 562): importing everything would cost four times as much.
_EXPORTS = {
    "Codec": "codec",
    "get_protocol": "definition",
    "CaptureError": "errors",
    "CaptureFileError": "errors",
    "ChecksumError": "errors",
    "CodecError": "errors",
    "DecodeError": "errors",
    "DefinitionError": "errors",
    "EncodeError": "errors",
    "FrameError": "errors",
    "FrameTooLargeError": "errors",
    "FramingError": "errors",
    "HeaderError": "errors",
    "RegistryError": "errors",
    "StreamGapError": "errors",
    "TruncatedFrameError": "errors",
    "EventParser": "events",
    "FrameEnd": "events",
    "FramePiece": "events",
    "FrameStart": "events",
    "Frame": "frame",
    "FrameFormat": "frame",
    "FrameParser": "parser",
    "Join": "join",
    "Conversation": "conversation",
    "Direction": "protocol",
    "Phase": "protocol",
    "Protocol": "protocol",
    "Rule": "protocol",
    "SIDES": "protocol",
    "Side": "protocol",
    "other_side": "protocol",
    "register": "registry",
    "get_codec": "shorthand",
    "get_format": "shorthand",
    "Message": "wire",
    "MORE": "reader",
    "MessageReader": "reader",
    "TaggedUnion": "wire",
    "WireFormat": "wire",
}

__all__ = [
    "MORE",
    "SIDES",
    "CaptureError",
    "CaptureFileError",
    "ChecksumError",
    "Codec",
    "CodecError",
    "Conversation",
    "DecodeError",
    "DefinitionError",
    "Direction",
    "EncodeError",
    "EventParser",
    "Frame",
    "FrameEnd",
    "FrameError",
    "FrameFormat",
    "FrameParser",
    "FramePiece",
    "FrameStart",
    "FrameTooLargeError",
    "FramingError",
    "HeaderError",
    "Join",
    "Message",
    "MessageReader",
    "Phase",
    "Protocol",
    "RegistryError",
    "Rule",
    "Side",
    "StreamGapError",
    "TaggedUnion",
    "TruncatedFrameError",
    "WireFormat",
    "get_codec",
    "get_format",
    "get_protocol",
    "other_side",
    "register",
]


def __getattr__(name: str) -> "Any":
    if name not in _EXPORTS:
        raise AttributeError(f"module 'framing' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"framing.{_EXPORTS[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_EXPORTS})
