"""WireFormat: a frame format and its codec, which is one direction of a protocol; MessageReader: chunks → messages.

    chunk → FrameParser → Frame ─ header fields ─┐
                            └──── payload → codec ┴→ message        MessageReader, WireFormat.decode
    message → codec → payload → FrameFormat.serialize → bytes       WireFormat.encode

A message is the bare value of the codec. Where the frame's header has fields for the application it is
`Message(value, **fields)`, both ways.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from framing.codec import Codec
from framing.errors import DecodeError, DefinitionError, EncodeError, FrameError
from framing.frame import Frame, FrameFormat
from framing.parser import FrameParser

__all__ = ["Message", "MessageReader", "TaggedUnion", "WireFormat"]


class Message:
    """A codec's value with the header fields that travel beside it.

    >>> message = Message("SELECT 1", type=0x51)
    >>> message.type, message.value
    (81, 'SELECT 1')
    """

    __slots__ = ("fields", "value")

    def __init__(self, value: Any, /, **fields: Any) -> None:
        self.value = value
        self.fields = fields

    def __getattr__(self, name: str) -> Any:
        # Only names that are no slot come here; pickle and copy ask for slots before they exist.
        if name in Message.__slots__ or name not in self.fields:
            raise AttributeError(f"this message has no field {name}")
        return self.fields[name]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Message):
            return NotImplemented
        return bool(self.value == other.value) and self.fields == other.fields

    __hash__ = None  # type: ignore[assignment]  # its value may be mutable

    def __repr__(self) -> str:
        return (
            f"Message({', '.join([repr(self.value), *(f'{name}={value!r}' for name, value in self.fields.items())])})"
        )


class TaggedUnion:
    """Several codecs on one stream; a tag in each frame says which one. Never one that is not listed here.

    Args:
        cases: tag → codec. With `field`, the field's values; without, the payload's first bytes, of which the longest
            match wins; these are no part of what the codec sees and travel as `Message(value, tag=…)`.
        field: the header field that is the tag.
        default: the codec for every other tag; without it they are a `DecodeError`.

    Raises:
        DefinitionError: a tag of the wrong type, or no case at all.
    """

    def __init__(self, cases: Mapping[Any, Codec], *, field: str | None = None, default: Codec | None = None) -> None:
        if not cases:
            raise DefinitionError("a tagged union needs at least one case", key="cases")
        self.cases = dict(cases)
        self.field = field
        self.default = default
        for tag in self.cases:
            if not (isinstance(tag, int | bytes) if field else isinstance(tag, bytes) and tag):
                wanted = "integers or bytes" if field else "non-empty bytes"
                raise DefinitionError("a tag of the wrong type", key="cases", found=tag, allowed=wanted)
        # Longest first, so that b"\x01\x02" is not taken for b"\x01".
        self._prefixes = [] if field else sorted(self.cases, key=len, reverse=True)

    def codec(self, tag: Any, error: type[DecodeError | EncodeError]) -> Codec:
        """Return the codec for a tag."""
        codec: Codec | None = self.cases.get(tag, self.default) if isinstance(tag, int | bytes) else None
        if codec is None:
            raise error(
                f"no codec for {self.field or 'tag'} {tag!r}",
                path=self.field or "tag",
                found=tag,
                hint=f"the cases are {', '.join(map(repr, self.cases))}",
            )
        return codec

    def split(self, payload: bytes) -> tuple[bytes, bytes]:
        """Return the tag at the payload's beginning (empty if none of the cases fits) and the rest."""
        for prefix in self._prefixes:
            if payload.startswith(prefix):
                return prefix, payload[len(prefix) :]
        return b"", payload

    def __repr__(self) -> str:
        return f"TaggedUnion({self.cases!r}, field={self.field!r}, default={self.default!r})"


class WireFormat:
    """How frames are cut and what is inside them: one direction of a protocol.

    >>> from framing import get_codec, get_format
    >>> wire = WireFormat(get_format("u32be"), get_codec("msgpack"))
    >>> wire.encode({"id": 7}).hex(" ")
    '00 00 00 05 81 a2 69 64 07'

    Args:
        format: the frame format.
        codec: one codec, or a `TaggedUnion` of several.

    Attributes:
        bare: whether messages are bare values, not `Message`s.
        tagged: whether the codec is chosen by the payload's first bytes.

    Raises:
        DefinitionError: the union's tag is no field of the frame format.
    """

    __slots__ = ("bare", "codec", "format", "tagged")

    def __init__(self, format: FrameFormat, codec: Codec | TaggedUnion) -> None:  # noqa: A002
        self.format = format
        self.codec = codec
        self.tagged = isinstance(codec, TaggedUnion) and codec.field is None
        self.bare = not format.field_names and not self.tagged
        if isinstance(codec, TaggedUnion) and codec.field is not None and codec.field not in format.field_names:
            raise DefinitionError(
                f"the tag {codec.field} is no field of the frame format",
                key="field",
                found=codec.field,
                allowed=", ".join(format.field_names) or "a format with header fields",
            )
        if self.tagged and "tag" in format.field_names:
            raise DefinitionError(
                "the header has a field called tag, which is what the tag in the payload is called",
                key="field",
                allowed="another name for the header field, or field=tag to let it choose the codec",
            )

    def encode(self, message: Any) -> bytes:
        """Return the whole frame for a message.

        Raises:
            EncodeError: the codec refuses the value, or a header field is missing or wrong.
            FrameTooLargeError: the frame would be over `format.max_frame_size`.
        """
        if self.bare:
            if isinstance(message, Message):
                if message.fields:
                    raise EncodeError(f"this frame format has no fields for {', '.join(message.fields)}")
                message = message.value
            return self.format.serialize(self._single.encode(message))
        if not isinstance(message, Message):
            names = ("tag",) if self.tagged else self.format.field_names
            raise EncodeError(
                "this wire format has header fields, so a bare value is not enough",
                hint=f"send Message(value, {', '.join(f'{name}=…' for name in names)})",
            )
        fields = dict(message.fields)
        payload = self._encode_value(message.value, fields)
        return self.format.serialize(payload, fields)

    def encode_many(self, messages: Sequence[Any]) -> bytes:
        """Return the frames of several messages in a row: `encode` for each, and quicker.

        Raises:
            EncodeError, FrameTooLargeError: as `encode`, for one that cannot be written.
        """
        types = set(map(type, messages))
        if not self.bare or any(issubclass(one, Message) for one in types):
            return b"".join(map(self.encode, messages))
        codec = self._single
        if codec.passthrough and types == _BYTES:
            return self.format.serialize_many(messages)
        return self.format.serialize_many(list(map(codec.encode, messages)))

    def _encode_value(self, value: Any, fields: dict[str, Any]) -> bytes:
        if not isinstance(self.codec, TaggedUnion):
            return self.codec.encode(value)
        if self.codec.field is not None:
            return self.codec.codec(fields.get(self.codec.field), EncodeError).encode(value)
        tag = fields.pop("tag", b"")
        if not isinstance(tag, bytes):
            raise EncodeError("a tag is bytes here", path="tag", found=tag)
        payload: bytes = tag + self.codec.codec(tag, EncodeError).encode(value)
        if self.codec.split(payload)[0] != tag:
            raise EncodeError("with this tag the payload would be taken for another case", path="tag", found=tag)
        return payload

    def decode(self, frame: Frame) -> Any:
        """Return the message of a frame that this format cut.

        Raises:
            DecodeError: the payload is not what the codec takes.
        """
        if self.bare:
            return self._single.decode(frame.payload)
        fields = frame.fields
        if not isinstance(self.codec, TaggedUnion):
            return Message(self.codec.decode(frame.payload), **fields)
        if self.codec.field is not None:
            codec = self.codec.codec(fields[self.codec.field], DecodeError)
            return Message(codec.decode(frame.payload), **fields)
        tag, payload = self.codec.split(frame.payload)
        return Message(self.codec.codec(tag, DecodeError).decode(payload), **fields, tag=tag)

    @property
    def _single(self) -> Codec:
        codec = self.codec
        assert not isinstance(codec, TaggedUnion)  # a union without fields or tag does not exist
        return codec

    def limited(self, max_frame_size: int) -> "WireFormat":
        """Return the same wire format with another limit on the whole frame."""
        return WireFormat(self.format.limited(max_frame_size), self.codec)

    def __repr__(self) -> str:
        return f"WireFormat({self.format!r}, {self.codec!r})"


class MessageReader:
    """Turn chunks into messages: `feed`, then pull until `None` or an empty list says "feed me".

    >>> from framing import get_protocol
    >>> reader = MessageReader(get_protocol("u32be/msgpack").client.wire)
    >>> reader.feed(bytes.fromhex("00000005 81a2696407 00000001 c3"))
    >>> reader.take_messages()
    [{'id': 7}, True]

    A `DecodeError` concerns one message: those before it are delivered first, and the next pull goes on behind it. A
    `FrameError` ends the stream.

    Args:
        wire: the wire format.
        offset: where in the stream the first byte fed stands.
        frame_count: how many frames of the stream came before.
    """

    __slots__ = ("_parser", "_room", "wire")

    def __init__(self, wire: WireFormat, *, offset: int = 0, frame_count: int = 0) -> None:
        self.wire = wire
        self._parser = FrameParser(wire.format, offset=offset, frame_count=frame_count)
        self._room = _MANY

    @property
    def offset(self) -> int:
        """Bytes from the stream's start to the first byte not yet handed out."""
        return self._parser.offset

    @property
    def pending_size(self) -> int:
        """Bytes stored and not yet handed out."""
        return self._parser.pending_size

    @property
    def needed_size(self) -> int | None:
        """Bytes until the next decision; `None` if any byte may decide."""
        return self._parser.needed_size

    @property
    def frame_count(self) -> int:
        """Frames of the stream handed out so far."""
        return self._parser.frame_count

    @property
    def error(self) -> FrameError | None:
        """The error that has ended the stream, as soon as a pull has met it."""
        return self._parser.error

    @property
    def finished(self) -> bool:
        """Whether `finish` was called."""
        return self._parser.finished

    def feed(self, chunk: bytes | bytearray | memoryview) -> None:
        """Store a chunk; see `FrameParser.feed`."""
        self._parser.feed(chunk)

    def finish(self) -> None:
        """Say that the stream has ended."""
        self._parser.finish()

    def unread(self) -> bytes:
        """Return the bytes that are no frame yet and forget them."""
        return self._parser.unread()

    def peek(self, size: int) -> bytes:
        """Return up to `size` of those bytes, and keep them."""
        return self._parser.peek(size)

    def next_frame(self) -> Frame | None:
        """Return the next whole frame, undecoded; `wire.decode` makes a message of it.

        Raises:
            FrameError: the stream is bad.
        """
        return self._parser.next_frame()

    def next_message(self) -> Any:
        """Return the next message, or `None`: feed me, or the clean end. Where `None` is a message, `take_messages(1)`.

        Raises:
            DecodeError: this message is bad; the next pull goes on behind it.
            FrameError: the stream is bad.
        """
        messages = self.take_messages(1)
        return messages[0] if messages else None

    def take_messages(self, limit: int | None = None) -> list[Any]:
        """Return the messages that are there, at most `limit`; an empty list says "feed me" or the clean end.

        Raises:
            DecodeError, FrameError: as `next_message`, once the messages before were taken.
        """
        wire, parser = self.wire, self._parser
        if not wire.bare:
            room = self._room if limit is None else min(limit, self._room)
            return self._decoded(parser.take_frames(room), wire.decode)
        codec = wire._single
        if codec.passthrough:
            return parser.take_payloads(limit)
        room = self._room if limit is None else min(limit, self._room)
        return self._decoded(parser.take_payloads(room), codec.decode)

    def _decoded(self, batch: list[Any], decode: Any) -> list[Any]:
        messages: list[Any] = []
        append = messages.append
        try:
            for item in batch:
                append(decode(item))
        except Exception as error:
            # Put back what was not reached. A stream of nothing but bad messages must not be cut again and again, so
            # the next batch is one frame, and batches grow again from there.
            index, self._room = len(messages), 1
            if isinstance(error, DecodeError):
                error.frame_number = self._parser.frame_count - len(batch) + index
                error.frame_offset = self._parser.batch_offset(index)
            self._parser.rewind(index if messages else 1)
            if not messages:
                raise
        else:
            self._room = min(2 * self._room, _MANY)
        return messages


_BYTES = {bytes}

# As many frames as are there: a chunk of 64 KiB has at most 65536.
_MANY = 1 << 20
