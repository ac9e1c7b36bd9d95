"""The error tree. Nothing under `framing` raises anything else, whatever the bytes.

Grouped by what the caller can do next:

    FramingError
    ├── FrameError       close this stream     HeaderError · FrameTooLargeError · TruncatedFrameError · ChecksumError
    ├── CodecError       skip this message     DecodeError (the peer's fault) · EncodeError (yours)
    ├── RegistryError    fix the installation  UnknownNameError · AmbiguousNameError · PluginLoadError
    ├── DefinitionError  fix the definition    a protocol or format that cannot work, said at construction
    └── CaptureError     this file, this flow  CaptureFileError · StreamGapError

Attributes carry the raw numbers; the text is made from them in one place, `FramingError.__str__`, when it is asked for,
so that a caller which knows more (a parser the stream offset, a capture the flow) adds it by setting the attribute.
Misuse of the API is `TypeError`, `ValueError` or `RuntimeError`: a bug in the program, not a `FramingError`.
"""

from typing import Any, ClassVar

__all__ = [
    "AmbiguousNameError",
    "CaptureError",
    "CaptureFileError",
    "ChecksumError",
    "CodecError",
    "DecodeError",
    "DefinitionError",
    "EncodeError",
    "FrameError",
    "FrameTooLargeError",
    "FramingError",
    "HeaderError",
    "PluginLoadError",
    "RegistryError",
    "StreamGapError",
    "TruncatedFrameError",
    "UnknownNameError",
]

# At most this many payload bytes ever stand in a text: a log line is no place for somebody's data (DESIGN section 12).
SHOWN_SIZE = 32


class FramingError(Exception):
    """Base of every error that framing raises.

    Args:
        reason: what is wrong, one sentence without a full stop, in the caller's words.
        **facts: any of the class's `facts`; those not given are `None`. Bytes are shown as hex, 32 at most.
    """

    facts: ClassVar[tuple[str, ...]] = ("hint",)
    hint: str | None

    def __init__(self, reason: str, **facts: Any) -> None:
        super().__init__(reason)
        self.reason = reason
        unknown = facts.keys() - set(self.facts)
        if unknown:
            raise TypeError(
                f"{type(self).__name__} has no {', '.join(sorted(unknown))}; it has {', '.join(self.facts)}"
            )
        for name in self.facts:
            setattr(self, name, facts.get(name))

    def __str__(self) -> str:
        known = [
            f"{name.replace('_', ' ')} {_shown(value)}"
            for name in self.facts
            # A flag is for programs; the reason says the same in words.
            if name != "hint" and (value := getattr(self, name)) is not None and not isinstance(value, bool)
        ]
        text = f"{self.reason} ({', '.join(known)})" if known else self.reason
        return f"{text}; {self.hint}" if self.hint else text

    def __reduce__(self) -> tuple[Any, ...]:
        # Facts are keyword-only, which pickle's default cannot give back; errors do travel between processes.
        return _rebuilt, (type(self), self.reason, {name: getattr(self, name) for name in self.facts})


# What a bad region was, where a parser goes on behind it.
_REGION = ("region_offset", "region_size", "region_head")


class FrameError(FramingError):
    """The frames of this stream cannot be cut any more: close it. Not about what is inside a frame.

    Where a recovery policy was asked for (`framing.recovery`) and could do something, the last three are set: then the
    stream goes on behind the region.

    Attributes:
        offset: bytes from the stream's start to the bad place.
        frame_number: the bad frame's number, counted from 0.
        field: the header or trailer field that is wrong.
        expected: what would have been right.
        found: what stood there.
        region_offset: bytes from the stream's start to the bad region.
        region_size: bytes of the stream that no frame was cut from.
        region_head: its first bytes, 32 at most.
        flow: set by a capture, the direction of the connection.
    """

    facts: ClassVar[tuple[str, ...]] = (
        "offset",
        "frame_number",
        "field",
        "expected",
        "found",
        *_REGION,
        "flow",
        "hint",
    )
    offset: int | None
    frame_number: int | None
    field: str | None
    expected: object
    found: object
    region_offset: int | None
    region_size: int | None
    region_head: bytes | None
    flow: str | None


class HeaderError(FrameError):
    """A header, delimiter or trailer that no frame of this format can have."""


class FrameTooLargeError(FrameError):
    """A frame over the limit. It was refused before its payload was kept.

    Attributes:
        frame_size: the whole frame on the wire as announced, `None` where only "more than the limit" is known.
        max_frame_size: the limit, on the whole frame, header and trailer included.
    """

    facts: ClassVar[tuple[str, ...]] = (
        "offset",
        "frame_number",
        "frame_size",
        "max_frame_size",
        "field",
        *_REGION,
        "flow",
        "hint",
    )
    frame_size: int | None
    max_frame_size: int | None
    expected = None
    found = None


class TruncatedFrameError(FrameError):
    """The stream ended inside a frame. Never raised before the end: until then more bytes may come.

    Attributes:
        pending_size: bytes of the unfinished frame that did arrive.
        frame_size: the whole frame's size, `None` if the header had not arrived whole.
    """

    facts: ClassVar[tuple[str, ...]] = (
        "offset",
        "frame_number",
        "pending_size",
        "frame_size",
        *_REGION,
        "flow",
        "hint",
    )
    pending_size: int | None
    frame_size: int | None
    field = None
    expected = None
    found = None


class ChecksumError(FrameError):
    """A frame whose checksum does not fit its bytes."""


class CodecError(FramingError):
    """One payload or message is wrong; its neighbours are not concerned.

    Attributes:
        codec: the codec's name.
        offset: bytes from the payload's start.
        path: the field path inside the message, such as `header.items[3]`.
        found: what stood there.
        frame_number, frame_offset: which frame of the stream, set by the reader.
        flow: set by a capture.
    """

    facts: ClassVar[tuple[str, ...]] = (
        "codec",
        "offset",
        "path",
        "found",
        "frame_number",
        "frame_offset",
        "flow",
        "hint",
    )
    codec: str | None
    offset: int | None
    path: str | None
    found: object
    frame_number: int | None
    frame_offset: int | None
    flow: str | None


class DecodeError(CodecError):
    """A payload that its codec refuses: the peer's fault. The next message may be fine."""


class EncodeError(CodecError):
    """A message that its codec or frame format cannot write: yours. Nothing was sent."""


class RegistryError(FramingError):
    """A plug-in problem: fix the installation.

    Attributes:
        group: the entry-point group.
        name: the name that was asked for.
        distribution, version, entry_point: whose plug-in it is, where that is known.
    """

    facts: ClassVar[tuple[str, ...]] = ("group", "distribution", "version", "entry_point", "hint")
    group: str | None
    distribution: str | None
    version: str | None
    entry_point: str | None


class UnknownNameError(RegistryError):
    """No plug-in has this name. The hint lists near misses and, for known ones, the package to install."""


class AmbiguousNameError(RegistryError):
    """Two distributions offer this name. The hint spells out `name@distribution`."""


class PluginLoadError(RegistryError):
    """A plug-in is installed but cannot be loaded; the cause is chained."""


class DefinitionError(FramingError):
    """A protocol or frame format that cannot work, refused when it is constructed.

    Attributes:
        source: the file or notation it came from.
        line: its line there, from 1.
        key: the key or field concerned.
        position: the character of a notation, from 0.
        found: what stood there.
        allowed: what would be right.
    """

    facts: ClassVar[tuple[str, ...]] = ("source", "line", "key", "position", "found", "allowed", "hint")
    source: str | None
    line: int | None
    key: str | None
    position: int | None
    found: object
    allowed: str | None


class CaptureError(FramingError):
    """Something is wrong with this capture file or this flow; other flows go on.

    Attributes:
        file: the file's name as it was given.
        offset: bytes from the file's start.
        packet_number: the packet concerned, counted from 1 as every capture tool does.
        found: what stood there.
        flow: the direction of the connection.
    """

    facts: ClassVar[tuple[str, ...]] = ("file", "offset", "packet_number", "found", "flow", "hint")
    file: str | None
    offset: int | None
    packet_number: int | None
    found: object
    flow: str | None


class CaptureFileError(CaptureError):
    """The file is no capture, or is damaged from `offset` on. Everything before was delivered.

    Attributes:
        truncated: true where the file only stops too early: nothing in it is wrong, the rest is missing.
    """

    facts: ClassVar[tuple[str, ...]] = ("file", "offset", "packet_number", "found", "truncated", "hint")
    truncated: bool | None
    flow = None


class StreamGapError(CaptureError):
    """Bytes of a flow are missing from the capture.

    Attributes:
        gap_size: how many bytes are missing.
        stream_offset: where in the flow the gap starts.
    """

    facts: ClassVar[tuple[str, ...]] = ("file", "stream_offset", "gap_size", "packet_number", "flow", "hint")
    gap_size: int | None
    stream_offset: int | None
    offset = None
    found = None


def _shown(value: object) -> str:
    if isinstance(value, bytes | bytearray | memoryview):
        head = bytes(value[:SHOWN_SIZE]).hex(" ")
        return f"{head} … ({len(value)} bytes)" if len(value) > SHOWN_SIZE else head or "nothing"
    if isinstance(value, tuple | list | frozenset):
        return " | ".join(_shown(item) for item in value)
    try:
        return str(value)
    except ValueError:  # Python refuses to write more than 4300 decimal digits, because that takes quadratic time
        return f"an integer of {value.bit_length()} bits" if isinstance(value, int) else object.__repr__(value)


def _rebuilt(cls: type[FramingError], reason: str, facts: dict[str, Any]) -> FramingError:
    return cls(reason, **facts)
