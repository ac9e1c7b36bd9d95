"""WireFormat: a frame format and its codec, which is what one direction of a protocol sends.

    message → codec → payload → FrameFormat.serialize → bytes       WireFormat.encode
    Frame ─┬─ payload → codec ─┬→ message                           WireFormat.decode
           └─── header fields ─┘

One frame is one message, or several are, where the wire format has a `Join`.

A message is the bare value of the codec. Where the frame's header has fields for the application it is
`Message(value, **fields)`, both ways.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from framing.codec import Codec
from framing.errors import DecodeError, DefinitionError, EncodeError
from framing.frame import Frame, FrameFormat
from framing.join import Join, Joined
from framing.recovery import check_recovery

__all__ = ["Message", "TaggedUnion", "WireFormat"]

_BYTES = {bytes}


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
        join: which frames belong to one message; `None`: each is one.
        recovery: what whoever reads does after a frame error, one of `framing.recovery.POLICY_NAMES`.

    Attributes:
        field_names: the header fields that travel in a `Message`: those of the frame format that are the application's,
            less those that say which frames belong together.
        bare: whether messages are bare values, not `Message`s.
        tagged: whether the codec is chosen by the payload's first bytes.
        takes_all: whether no payload can be refused, so that `decode` may wait until somebody asks for the message.

    Raises:
        DefinitionError: the union's tag, or a field of the join, is no field of the frame format; this cannot recover
            so.
    """

    __slots__ = ("_plain", "bare", "codec", "field_names", "format", "join", "recovery", "tagged", "takes_all")

    def __init__(
        self,
        format: FrameFormat,
        codec: Codec | TaggedUnion,
        *,
        join: Join | None = None,
        recovery: str = "poison",
    ) -> None:
        check_recovery(recovery, format)
        self.format = format
        self.recovery = recovery
        self.codec = codec
        self.join = join
        consumed = join.consumed(format) if join else frozenset()
        self.field_names = tuple(name for name in format.field_names if name not in consumed)
        self.tagged = isinstance(codec, TaggedUnion) and codec.field is None
        self.takes_all = join is None and not isinstance(codec, TaggedUnion) and codec.passthrough
        self.bare = not self.field_names and not self.tagged
        if format.remembers and not (self.takes_all and recovery == "poison"):
            raise DefinitionError(
                f"frames of format {format.name} depend on those before, and cannot be put back",
                key="codec",
                allowed="raw, without join and recovery",
            )
        if isinstance(codec, TaggedUnion) and codec.field is not None and codec.field not in self.field_names:
            raise DefinitionError(
                f"the tag {codec.field} is no field of the frame format",
                key="field",
                found=codec.field,
                allowed=", ".join(self.field_names) or "a format with header fields",
            )
        if self.tagged and "tag" in self.field_names:
            raise DefinitionError(
                "the header has a field called tag, which is what the tag in the payload is called",
                key="field",
                allowed="another name for the header field, or field=tag to let it choose the codec",
            )
        # The codec where a message is its value and its frame: most of them, for which `encode` must cost little.
        self._plain = self.single if self.bare and join is None else None

    def encode(self, message: Any) -> bytes:
        """Return the whole frame for a message, or the frames, where they join.

        Raises:
            EncodeError: the codec refuses the value, or a header field is missing or wrong.
            FrameTooLargeError: a frame would be over `format.max_frame_size`.
        """
        if self._plain is not None and not isinstance(message, Message):
            return self.format.serialize(self._plain.encode(message))
        return self._serialized(*self._encoded(message))

    def encode_frames(self, message: Any) -> list[bytes]:
        """Return the frames of a message one by one: `encode`, for who looks at each.

        Raises:
            EncodeError, FrameTooLargeError: as `encode`.
        """
        payload, fields = self._encoded(message)
        if self.join is None:
            return [self.format.serialize(payload, fields)]
        return [self.format.serialize(*piece) for piece in self._pieces(self.join, payload, fields)]

    def _encoded(self, message: Any) -> tuple[bytes, dict[str, Any] | None]:
        """Return payload and header fields of a message."""
        if self.bare:
            if isinstance(message, Message):
                if message.fields:
                    raise EncodeError(f"this frame format has no fields for {', '.join(message.fields)}")
                message = message.value
            return self.single.encode(message), None
        if not isinstance(message, Message):
            names = ("tag",) if self.tagged else self.field_names
            raise EncodeError(
                "this wire format has header fields, so a bare value is not enough",
                hint=f"send Message(value, {', '.join(f'{name}=…' for name in names)})",
            )
        fields = dict(message.fields)
        return self._encode_value(message.value, fields), fields

    def _serialized(self, payload: bytes, fields: dict[str, Any] | None) -> bytes:
        if self.join is None:
            return self.format.serialize(payload, fields)
        return b"".join([self.format.serialize(*piece) for piece in self._pieces(self.join, payload, fields)])

    def _pieces(
        self, join: Join, payload: bytes, fields: dict[str, Any] | None
    ) -> Iterator[tuple[bytes, dict[str, Any]]]:
        given = fields or {}
        if strange := [name for name in given if name in self.format.field_names and name not in self.field_names]:
            raise EncodeError(
                f"{strange[0]} says which frames join, and is written by whoever cuts the message", path=strange[0]
            )
        return join.split(self.format, payload, given)

    def encode_many(self, messages: Sequence[Any]) -> bytes:
        """Return the frames of several messages in a row: `encode` for each, and quicker.

        Raises:
            EncodeError, FrameTooLargeError: as `encode`, for one that cannot be written.
        """
        types = set(map(type, messages))
        if not self.bare or self.join or any(issubclass(one, Message) for one in types):
            return b"".join(map(self.encode, messages))
        codec = self.single
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

    def decode(self, frame: Frame | Joined) -> Any:
        """Return the message of a frame that this format cut, or of several that were joined.

        Raises:
            DecodeError: the payload is not what the codec takes.
        """
        if self.bare:
            return self.single.decode(frame.payload)
        fields = frame.fields
        if self.join is not None:
            fields = {name: fields[name] for name in self.field_names}
        if not isinstance(self.codec, TaggedUnion):
            return Message(self.codec.decode(frame.payload), **fields)
        if self.codec.field is not None:
            codec = self.codec.codec(fields[self.codec.field], DecodeError)
            return Message(codec.decode(frame.payload), **fields)
        tag, payload = self.codec.split(frame.payload)
        return Message(self.codec.codec(tag, DecodeError).decode(payload), **fields, tag=tag)

    @property
    def single(self) -> Codec:
        """The codec of a wire format that has only one."""
        codec = self.codec
        assert not isinstance(codec, TaggedUnion)  # a union without fields or tag does not exist
        return codec

    def limited(self, max_frame_size: int) -> "WireFormat":
        """Return the same wire format with another limit on the whole frame."""
        return WireFormat(self.format.limited(max_frame_size), self.codec, join=self.join, recovery=self.recovery)

    def recovering(self, policy: str) -> "WireFormat":
        """Return the same wire format with another recovery policy."""
        return WireFormat(self.format, self.codec, join=self.join, recovery=policy)

    def __repr__(self) -> str:
        join = f", join={self.join!r}" if self.join else ""
        recovery = "" if self.recovery == "poison" else f", recovery={self.recovery!r}"
        return f"WireFormat({self.format!r}, {self.codec!r}{join}{recovery})"
