"""Frame, one unit on the wire, and FrameFormat, the contract of everything that cuts a stream into frames.

A frame format is stateless, immutable and shared: one object serves every connection. The bytes of a stream are kept by
`framing.parser.FrameParser`, which asks the format three questions about a buffer that starts with a frame:

    measure   how long is it?                    bytes → total size, or None: not enough bytes to tell
    verify    now that it is whole, is it good?  trailer, checksum
    payload   what of it is for the codec?

and one in the other direction, `serialize`. Spec: `specs/frame.md`, clauses [F1] to [F9].
"""

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Self

from framing.errors import DefinitionError, FrameTooLargeError
from framing.picture import Part

__all__ = [
    "DEFAULT_MAX_FRAME_SIZE",
    "Buffer",
    "Frame",
    "FrameFormat",
    "Measure",
    "OpenFrame",
    "Resync",
    "Scan",
    "ScanFrames",
    "Skip",
    "check_limit",
    "check_option",
]

# 1 MiB: four times the largest Kafka request of a default producer, the default of msgpack-rpc and of MongoDB's drivers
# are larger, so definitions raise it by name; a peer that announces more must have been expected to.
DEFAULT_MAX_FRAME_SIZE = 1 << 20

Buffer = bytes | bytearray
Measure = Callable[[Buffer, int, int], int | None]
Scan = Callable[[bytes, int, int, int, list[bytes]], int]
ScanFrames = Callable[[bytes, int, int, int, "list[Frame]", int], int]
Skip = Callable[[Buffer, int, int, bool], int]
Resync = Callable[[Buffer, int, int, bool], tuple[int, bool]]


class Frame:
    """One frame as it stood on the wire. Header fields and payload are read when asked for.

    Made by `FrameFormat.frame`; treat it as a value. Two things are unusual, because frames come by the million: it has
    no `__init__`, a call into which costs more than cutting the frame does, and `format` is an attribute of a subclass
    that each format has of its own, because a third slot makes the garbage collector's walk a fifth dearer.

    Attributes:
        data: the whole frame, header and trailer included.
        offset: bytes from the stream's start to the frame's first byte.
        format: the frame format that cut it.
    """

    __slots__ = ("data", "offset")
    data: bytes
    offset: int
    format: "FrameFormat"

    @property
    def size(self) -> int:
        """Bytes of the whole frame on the wire."""
        return len(self.data)

    @property
    def payload(self) -> bytes:
        """The bytes for the codec."""
        return self.format.payload(self.data, 0, len(self.data))

    @property
    def header(self) -> dict[str, Any]:
        """Every named field of header and trailer, in wire order."""
        return self.format.header(self.data)

    @property
    def fields(self) -> dict[str, Any]:
        """The fields that are the application's: neither computed nor constant."""
        header = self.format.header(self.data)
        return {name: header[name] for name in self.format.field_names}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Frame):
            return NotImplemented
        return self.data == other.data and self.offset == other.offset and self.format == other.format

    def __hash__(self) -> int:
        return hash((self.data, self.offset))

    def __repr__(self) -> str:
        return f"<Frame offset={self.offset} size={len(self.data)} format={self.format!r}>"


class OpenFrame:
    """A frame that is too large to be held: its header is there, its payload comes in pieces.

    Attributes:
        header: the fields that stand in front of the payload.
    """

    __slots__ = ("header",)

    def __init__(self, header: dict[str, Any]) -> None:
        self.header = header

    def update(self, piece: bytes) -> bytes:
        """Look at the next piece of the payload as it stands on the wire, and return it as `payload` would."""
        return piece

    def close(self, rest: bytes) -> dict[str, Any]:  # noqa: ARG002 - most formats have nothing there
        """Look at what is behind the payload, and return its fields.

        Raises:
            FrameError: it is wrong, or a checksum is; the offset counts from the frame's first byte.
        """
        return {}


class FrameFormat(ABC):
    """How frames are cut: the contract of a frame format, parse and serialize from one declaration.

    A format is registered as a callable under the entry-point group `framing.formats.v1`; its options are keyword
    arguments, checked at construction with `DefinitionError`. Prove yours with `framing.testing.check_format`.

    Attributes:
        name: what an error and `repr` call it.
        max_frame_size: limit on the WHOLE frame in bytes, parsed or serialized.
        min_size: bytes needed before `measure` can say anything; a parser waits for so many, but asks about fewer, too,
            where they stand behind other frames or the stream ends.
        field_names: header and trailer fields that belong to the application. A format that has any makes messages
            travel as `Message(value, **fields)`.
        header_names: every name that `header` returns, computed and constant ones too.
        size_first: true promises that the size stands in a frame's first bytes, before the payload, and that nothing is
            skipped between frames: so a frame is whole with its last byte, and no byte behind it is asked for. A size
            over the limit is answered like any other.
        payload_last: true promises that the payload lies in the frame as it is and goes to the frame's end, and that
            `bounds` needs no more than the header to tell where it begins: a large one is then copied only once.
        remembers: true says that where a frame ends may depend on the frames before it: a `measurer` keeps what matters
            of each, once, in the call in which all of it is there. Then no frame can be put back, so that only a codec
            which refuses nothing stands behind it; `measure` itself sees a stream's first frame.
        scan: an optional loop over many frames, or `None`. `scan(buffer, start, end, limit, out)` appends the payloads
            of at most `limit` whole, good frames to `out` and returns where it stopped: before the first frame that is
            incomplete, over the limit or odd in any way, about which `measure` then has the word. Never raises.
        scan_frames: the same for whole frames: `scan_frames(buffer, start, end, limit, out, base)` appends `Frame`s,
            `base` being the stream offset of `buffer[0]`.
        skip: what a format defines whose frames may have filler between them, such as the flags of an idle line, or
            `None`. `skip(buffer, start, end, ended)` returns where in `start` to `end` the filler stops; what is before
            that belongs to no frame, counts against no limit and is dropped. `ended`: no more bytes come. However a
            run of filler is cut, it must be skipped to the same place.
        resync: what a format defines in whose streams the beginning of a frame can be told without the frames before
            it, or `None`. `resync(buffer, start, end, ended)` looks for the first one at `start` or behind, knowing
            that a bad frame began before. It returns the place and true, or a place before which none can begin, and
            false. `ended`: no more bytes come. However the bytes are cut, it must come to the same place. Never raises.
        resyncs_at: what it goes by. `delimiter`: what ends a frame, or begins one, stands nowhere inside frames, so
            that the place is certain. `magic`: constants that every header has, and payloads may have, too.
    """

    api_version: ClassVar[int] = 1
    name: str
    max_frame_size: int = DEFAULT_MAX_FRAME_SIZE
    min_size: int = 1
    field_names: tuple[str, ...] = ()
    header_names: tuple[str, ...] = ()
    size_first: bool = False
    payload_last: bool = False
    remembers: bool = False
    scan: Scan | None = None
    scan_frames: "ScanFrames | None" = None
    skip: Skip | None = None
    resync: Resync | None = None
    resyncs_at: str = ""

    @abstractmethod
    def measure(self, buffer: Buffer, start: int, end: int) -> int | None:
        """Tell the total size of the frame that begins at `start`, once the bytes up to `end` show it.

        There is one byte at least; what `buffer` holds behind `end` is not there yet. The answer may be larger than
        `end - start`: the rest is still to come, and it is the parser that compares the answer with `max_frame_size`
        before it keeps a payload byte. `None`: more bytes are needed to tell. Offsets in errors count from the buffer's
        start; the parser turns them into stream offsets.

        Raises:
            HeaderError: no frame begins like this.
            FrameTooLargeError: a format that learns the size only from the end has looked at `max_frame_size` bytes.
        """

    def measurer(self) -> Measure:
        """Return a `measure` for one stream, which may remember how far into ONE unfinished frame it has looked.

        It is called again with the same frame and more bytes until it tells the size or raises, then with the next
        frame. A delimiter search that starts over at each chunk would take quadratic time.
        """
        return self.measure

    def measure_last(self, buffer: Buffer, start: int, end: int) -> int | None:  # noqa: ARG002 - the contract's signature
        """Tell the size of the frame at `start` now that the stream has ended and no more bytes come.

        Asked only where `measure` said `None`. `None` here: the frame is truncated.
        """
        return None

    # The parser asks for it once and calls it only where a subclass defines one: most formats have nothing to verify.
    verify: Callable[[Buffer, int, int], None] | None = None

    @abstractmethod
    def bounds(self, buffer: Buffer, start: int, end: int) -> tuple[int, int]:
        """Tell where the payload of the whole frame `buffer[start:end]` begins and ends in the buffer."""

    def payload(self, buffer: Buffer, start: int, end: int) -> bytes:
        """Return the payload of the whole frame `buffer[start:end]`. A format that escapes bytes overrides this."""
        first, last = self.bounds(buffer, start, end)
        return bytes(buffer[first:last])

    def header(self, data: bytes) -> dict[str, Any]:  # noqa: ARG002 - formats with no named fields have nothing to read
        """Return every named field of the whole frame `data`, in wire order."""
        return {}

    @abstractmethod
    def serialize(self, payload: bytes, fields: Mapping[str, Any] | None = None) -> bytes:
        """Return the whole frame for a payload and the application's header fields.

        Raises:
            EncodeError: a field is missing, unknown or does not fit, or the payload cannot stand in this format.
            FrameTooLargeError: the frame would be larger than `max_frame_size`; nothing was written.
        """

    def has_field(self, name: str, fields: Mapping[str, Any]) -> bool:  # noqa: ARG002 - all frames of most are alike
        """Tell whether a field is written in the frame that has these other fields."""
        return name in self.field_names

    def deciding(self) -> tuple[tuple[int, int], ...] | None:
        """Tell which of a frame's first bytes say its size and where its payload lies, and whether its header is good.

        As offsets, from one to another. `None`: not always the same bytes do, or the payload does not stand there as it
        is. What these bytes said once they are believed to say again.
        """
        return None

    def ending(self) -> tuple[bytes, bytes] | None:
        """Tell what ends each frame where it first stands, and a byte before that which is no payload if it is there.

        `None`: nothing does, or more must be looked at, or the payload is not all that stands before.
        """
        return None

    def layouts(self) -> dict[str, tuple[Part, ...]]:
        """Tell, for pictures, what a frame is made of: by case, where there are several, its parts in wire order."""
        return {}

    def serialize_many(self, payloads: Sequence[bytes]) -> bytes:
        """Return the frames of several payloads in a row, without fields. Override it where a loop can be quicker.

        Raises:
            EncodeError, FrameTooLargeError: as `serialize`, for one that cannot be written.
        """
        return b"".join(map(self.serialize, payloads))

    @property
    def comes_in_pieces(self) -> bool:
        """Whether a frame need not be whole for `bounds` and `opened`: no more than the header is. [F105]"""
        return self.size_first and self.payload_last and self.verify is None

    def opened(self, head: bytes, total: int) -> OpenFrame:  # noqa: ARG002 - for who must know where a trailer is
        """Return what looks at a frame of `total` bytes in pieces, of which `head` comes before the payload."""
        return OpenFrame(self.header(head))

    def frame(self, data: bytes, offset: int = 0) -> Frame:
        """Return the `Frame` for the bytes of one whole frame, which are not looked at."""
        frame = self.frame_class()
        frame.data = data
        frame.offset = offset
        return frame

    @property
    def frame_class(self) -> type[Frame]:
        """The subclass of `Frame` whose `format` is this one."""
        made: type[Frame] | None = vars(self).get("_frame_class")
        if made is None:
            made = self._frame_class = type("Frame", (Frame,), {"__slots__": (), "format": self})
        return made

    def limited(self, max_frame_size: int) -> Self:
        """Return the same format with another limit on the whole frame.

        A limit above what the format can announce is lowered to that: one limit serves all phases of a protocol.

        Raises:
            DefinitionError: the limit is below the smallest frame.
        """
        check_limit(self.name, max_frame_size, self.min_size)
        limited = copy.copy(self)
        vars(limited).pop("_frame_class", None)
        limited.max_frame_size = max_frame_size
        limited._prepare()
        return limited

    def _prepare(self) -> None:  # noqa: B027 - most formats have nothing that depends on it
        """Check `max_frame_size` and recompute what depends on it; called by `limited`.

        Raises:
            DefinitionError: no frame fits the limit.
        """

    def check_size(self, frame_size: int) -> None:
        """Refuse to serialize a frame over the limit.

        Raises:
            FrameTooLargeError: it is.
        """
        if frame_size > self.max_frame_size:
            raise FrameTooLargeError(
                f"a frame of format {self.name} would be too large to send",
                frame_size=frame_size,
                max_frame_size=self.max_frame_size,
                hint="raise max_frame_size on both sides, or send less at once",
            )

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and repr(self) == repr(other)

    def __hash__(self) -> int:
        return hash(repr(self))


def check_limit(name: str, max_frame_size: int, least: int, most: int | None = None) -> None:
    """Refuse a limit under which there are no frames, or that no length can announce.

    Raises:
        DefinitionError: `max_frame_size` is not from `least` to `most`.
        TypeError: it is no `int`.
    """
    check_option("max_frame_size", max_frame_size, int)
    if max_frame_size < least or (most is not None and max_frame_size > most):
        raise DefinitionError(
            f"format {name} cannot have this limit",
            key="max_frame_size",
            found=max_frame_size,
            allowed=f"{least} or more bytes" if most is None else f"{least} to {most} bytes",
        )


def check_option(key: str, value: object, *kinds: type) -> None:
    """Refuse an option of the wrong type, before it fails in the middle of something else.

    Raises:
        TypeError: `value` is of none of these types. A `bool` is no `int` here.
    """
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        raise TypeError(f"{key} takes {' or '.join(kind.__name__ for kind in kinds)}, not {type(value).__name__}")
