"""RTMP's chunks: messages in pieces, whose headers leave out what the chunk before on the same stream has said.

    RtmpChunksFormat()

    +--+------+- - - - - -+-----------------+- - - - -+- - - - -+
    |ty|stream| more of it| message header  |extended |  data   |     type 0: 11 bytes: timestamp, length, type, stream
    +--+------+- - - - - -+-----------------+- - - - -+- - - - -+          1:  7 bytes: delta, length, type
     2  6 bits 0 to 2 bytes 11, 7, 3 or 0    0 or 4                        2:  3 bytes: delta; 3: nothing

So where a chunk ends depends on the chunks before it: on the message's length, on how much of it came, and on the chunk
size, which a message of its own changes. Spec: [F125] to [F127], after Adobe's RTMP specification 1.0, section 5.3.
"""

from collections.abc import Mapping
from typing import Any

from framing.errors import EncodeError, HeaderError
from framing.formats.fields.layout import Layout
from framing.formats.fields.notation import parse_notation
from framing.frame import DEFAULT_MAX_FRAME_SIZE, Buffer, FrameFormat, Measure, check_limit
from framing.picture import Part

__all__ = ["RtmpChunksFormat"]

# Until a peer says otherwise.
_CHUNK_SIZE = 128
# RTMP allows less, which nobody uses, so that a control message is always whole.
_LEAST_CHUNK_SIZE = 4
_SET_CHUNK_SIZE, _ABORT = 1, 2
_EXTENDED = 0xFFFFFF

# Message headers by chunk type. The stream's number is the only one with its lowest byte first.
_HEADERS = tuple(
    Layout(parse_notation(notation))
    for notation in (
        "timestamp:u24be message_length:u24be message_type:u8 message_stream:u32le",
        "timestamp:u24be message_length:u24be message_type:u8",
        "timestamp:u24be",
        "",
    )
)
_NAMES = ("chunk_type", "chunk_stream", *_HEADERS[0].names, "extended_timestamp")


class RtmpChunksFormat(FrameFormat):
    """Frames that are chunks; the payload is a chunk's data.

    >>> from framing import FrameParser
    >>> chunks = RtmpChunksFormat()
    >>> first = {"chunk_type": 0, "chunk_stream": 3, "timestamp": 0, "message_length": 130, "message_type": 8}
    >>> parser = FrameParser(chunks)
    >>> parser.feed(chunks.serialize(b"x" * 128, first | {"message_stream": 1}))
    >>> parser.feed(chunks.serialize(b"yz", {"chunk_type": 3, "chunk_stream": 3}))
    >>> [len(payload) for payload in parser.take_payloads()]
    [128, 2]

    All fields are the application's, and those that a chunk's type does not have are `None`; `timestamp` is a delta but
    in type 0, and 0xffffff where `extended_timestamp` has it. To serialize, cut messages into chunks yourself: nothing
    is remembered of what was written before.

    Args:
        max_frame_size: limit on the whole chunk, header included.
    """

    name = "rtmp_chunks"
    field_names = header_names = _NAMES
    remembers = True

    def __init__(self, *, max_frame_size: int = DEFAULT_MAX_FRAME_SIZE) -> None:
        self.max_frame_size = max_frame_size
        self._prepare()

    def _prepare(self) -> None:
        check_limit(self.name, self.max_frame_size, 1)

    def measure(self, buffer: Buffer, start: int, end: int) -> int | None:
        """Tell the total size of a stream's first chunk. [F125]"""
        return _Streams(self.max_frame_size)(buffer, start, end)

    def measurer(self) -> Measure:
        """Return a `measure` that remembers what the chunks of one stream of bytes have said. [F126]"""
        return _Streams(self.max_frame_size)

    def bounds(self, buffer: Buffer, start: int, end: int) -> tuple[int, int]:
        """Tell where the data lies: behind the headers."""
        place = start + _basic_size(buffer[start]) + _HEADERS[buffer[start] >> 6].size
        return place + 4 * _is_extended(buffer, start), end

    def header(self, data: bytes) -> dict[str, Any]:
        """Return all fields, `None` for those that this type of chunk has not."""
        layout, basic = _HEADERS[data[0] >> 6], _basic_size(data[0])
        fields = dict.fromkeys(_NAMES) | {"chunk_type": data[0] >> 6, "chunk_stream": _stream(data, 0)}
        fields |= layout.read(data, basic)
        if _is_extended(data, 0):
            place = basic + layout.size
            fields["extended_timestamp"] = int.from_bytes(data[place : place + 4], "big")
        return fields

    def serialize(self, payload: bytes, fields: Mapping[str, Any] | None = None) -> bytes:
        """Return the chunk; the stream's number is written in its shortest form.

        Raises:
            EncodeError: a field is missing, unknown, or not of this type of chunk, or does not fit the data.
        """
        values = {name: value for name, value in (fields or {}).items() if value is not None}
        kind, stream = _number(values, "chunk_type", 3), _number(values, "chunk_stream", 65599)
        if stream < 2:
            raise EncodeError("chunk streams are counted from 2", path="chunk_stream", found=stream)
        layout, extended = _HEADERS[kind], b""
        if "extended_timestamp" in values:
            extended = _number(values, "extended_timestamp", 0xFFFFFFFF).to_bytes(4, "big")
        if bool(extended) != (kind < 3 and values.get("timestamp") == _EXTENDED):
            raise EncodeError("a timestamp is extended where it is 0xffffff", path="extended_timestamp")
        if isinstance(length := values.get("message_length"), int):
            _check_first(payload, length, values.get("message_type"))
        header = layout.write(values)
        if strange := values.keys() - {*layout.names}:
            raise EncodeError(f"chunks of type {kind} have no {', '.join(sorted(strange))}", path=min(strange))
        data = b"".join((_basic_header(kind, stream), header, extended, payload))
        self.check_size(len(data))
        return data

    def layouts(self) -> dict[str, tuple[Part, ...]]:
        """Tell the parts of each type of chunk."""
        basic = Part("", None, "1 to 3 bytes", (("chunk_type:2"), ("chunk_stream:6")))
        ends = (Part("extended_timestamp", None, "4 bytes, if the timestamp is 0xffffff"), Part("payload"))
        return {
            f"type {kind}": (basic, *(Part(field.name, field.size) for field in layout.fields), *ends)
            for kind, layout in enumerate(_HEADERS)
        }

    def __repr__(self) -> str:
        return f"RtmpChunksFormat(max_frame_size={self.max_frame_size})"


class _Stream:
    """What the chunks of one chunk stream have said: the message's length and type, and how much of it is to come."""

    __slots__ = ("extended", "kind", "length", "missing")

    def __init__(self) -> None:
        self.length = self.kind = self.missing = 0
        self.extended = False


class _Streams:
    """A `measure` for one stream of bytes."""

    __slots__ = ("_chunk_size", "_max_frame_size", "_streams")

    def __init__(self, max_frame_size: int) -> None:
        self._max_frame_size = max_frame_size
        self._chunk_size = _CHUNK_SIZE
        self._streams: dict[int, _Stream] = {}

    def __call__(self, buffer: Buffer, start: int, end: int) -> int | None:
        """Tell the size of the chunk at `start`; what it says counts from the call on in which all of it is there."""
        if start == end:
            return None
        kind, basic = buffer[start] >> 6, _basic_size(buffer[start])
        size = basic + _HEADERS[kind].size
        if size > self._max_frame_size or end - start < size:
            return size if size > self._max_frame_size else None  # no more is kept of what is too large anyway
        number = _stream(buffer, start)
        said = self._said(buffer, start, number)
        size += 4 * said.extended
        data_size = min(said.missing, self._chunk_size)
        control = said.kind in (_SET_CHUNK_SIZE, _ABORT)
        if control and said.length != 4:
            raise _error("a control message of RTMP has four bytes", start, "message_length", 4, said.length)
        if end - start < size + data_size:
            return None if control else size + data_size
        said.missing -= data_size
        self._streams[number] = said
        if control:
            self._obey(said.kind, int.from_bytes(buffer[start + size : start + size + 4], "big"), start)
        return size + data_size

    def _said(self, buffer: Buffer, start: int, number: int) -> _Stream:
        """Return what holds for a chunk, whose headers are there; nothing is changed yet."""
        kind, before, said = buffer[start] >> 6, self._streams.get(number), _Stream()
        if kind > 1 and before is None:
            reason = "no chunk of this chunk stream was before, and this one leaves its message's length out"
            raise _error(reason, start, "chunk_type", "0 or 1", kind)
        if before is not None:
            if kind < 3 and before.missing:
                raise _error("the message before is not whole", start, "chunk_type", 3, kind)
            said.length, said.kind, said.extended = before.length, before.kind, before.extended
        place = start + _basic_size(buffer[start])
        if kind < 2:
            said.length, said.kind = int.from_bytes(buffer[place + 3 : place + 6], "big"), buffer[place + 6]
        if kind < 3:
            said.extended = _is_extended(buffer, start)
        said.missing = before.missing if before is not None and before.missing else said.length
        return said

    def _obey(self, kind: int, value: int, start: int) -> None:
        """Take a control message. [F127]"""
        if kind == _ABORT:
            if value in self._streams:
                self._streams[value].missing = 0
        elif not _LEAST_CHUNK_SIZE <= value < 1 << 31:
            raise _error("no chunk size", start, "payload", f"{_LEAST_CHUNK_SIZE} to 2147483647", value)
        else:
            self._chunk_size = value


def _check_first(payload: bytes, length: int, kind: object) -> None:
    """Refuse a message's first chunk that no reader would cut like this, whatever the chunk size is. [F127]"""
    if len(payload) > length or len(payload) < min(length, _LEAST_CHUNK_SIZE):
        raise EncodeError("a chunk has other bytes than its message", path="message_length", found=length)
    if kind in (_SET_CHUNK_SIZE, _ABORT) and length != 4:
        raise EncodeError("a control message has four bytes", path="message_type", found=kind)


def _basic_size(byte: int) -> int:
    return {0: 2, 1: 3}.get(byte & 0x3F, 1)


def _stream(buffer: Buffer, start: int) -> int:
    """Return the chunk stream's number: 6 bits, or 64 and a byte, or 64 and two, the lowest first."""
    size = _basic_size(buffer[start])
    return 64 + int.from_bytes(buffer[start + 1 : start + size], "little") if size > 1 else buffer[start] & 0x3F


def _basic_header(kind: int, stream: int) -> bytes:
    if stream < 64:
        return bytes((kind << 6 | stream,))
    size = 1 if stream < 64 + 256 else 2
    return bytes((kind << 6 | size - 1,)) + (stream - 64).to_bytes(size, "little")


def _is_extended(buffer: Buffer, start: int) -> bool:
    place = start + _basic_size(buffer[start])
    return buffer[start] >> 6 < 3 and int.from_bytes(buffer[place : place + 3], "big") == _EXTENDED


def _number(values: dict[str, Any], name: str, most: int) -> int:
    value = values.pop(name, None)
    if type(value) is not int or not 0 <= value <= most:
        raise EncodeError(f"the field {name} is an integer from 0 to {most}", path=name, found=value)
    return value


def _error(reason: str, offset: int, field: str, expected: object, found: object) -> HeaderError:
    return HeaderError(reason, offset=offset, field=field, expected=expected, found=found)
