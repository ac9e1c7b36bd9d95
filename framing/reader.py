"""MessageReader: chunks → messages.

chunk → FrameParser → Frame → WireFormat.decode → message
"""

from typing import Any

from framing.errors import DecodeError, FrameError
from framing.frame import Frame
from framing.parser import FrameParser
from framing.wire import WireFormat

__all__ = ["MessageReader"]

# As many frames as are there: a chunk of 64 KiB has at most 65536.
_MANY = 1 << 20


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
        codec = wire.single
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
