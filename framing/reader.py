"""MessageReader: chunks → messages.

chunk → FrameParser → Frame → WireFormat.decode → message

Where frames join, a `Joiner` stands between the last two: it decodes a message when its last frame has come.
"""

from typing import Any

from framing.errors import DecodeError, FrameError
from framing.frame import Frame
from framing.join import Gathering, Join
from framing.parser import FrameParser
from framing.wire import WireFormat

__all__ = ["MORE", "Joiner", "MessageReader"]

# As many frames as are there: a chunk of 64 KiB has at most 65536.
_MANY = 1 << 20


class _More:
    def __repr__(self) -> str:
        return "framing.MORE"


# What a frame decodes to whose message goes on in the next one. `None` is a message.
MORE = _More()


class Joiner:
    """`WireFormat.decode` for frames that join: it knows what came before on one stream.

    Args:
        wire: the wire format.
        join: its join.
    """

    __slots__ = ("_gathering", "wire")

    def __init__(self, wire: WireFormat, join: Join) -> None:
        self.wire = wire
        self._gathering = Gathering(join)

    def decode(self, frame: Frame) -> Any:
        """Return the message that a frame completes, or `MORE`. Give it every frame of the stream, once and in order.

        Raises:
            DecodeError: the message is bad; it was dropped.
        """
        whole = self._gathering.add(frame)
        return MORE if whole is None else self.wire.decode(whole)

    @property
    def held_size(self) -> int:
        """Bytes of payload that the unfinished messages have."""
        return self._gathering.size

    def interrupt(self) -> None:
        """Forget the unfinished messages."""
        self._gathering.interrupt()

    def notice(self, error: Exception) -> None:
        """Take note of what a pull has raised: with a bad region, frames of unfinished messages may be lost. [F100]"""
        if isinstance(error, FrameError) and error.region_size is not None:
            self._gathering.interrupt()

    def check_end(self, frame_number: int) -> None:
        """Refuse the end of the stream inside a message.

        Raises:
            TruncatedFrameError: it is.
        """
        self._gathering.check_end(frame_number)


class MessageReader:
    """Turn chunks into messages: `feed`, then pull until `None` or an empty list says "feed me".

    >>> from framing import get_protocol
    >>> reader = MessageReader(get_protocol("u32be/msgpack").client.wire)
    >>> reader.feed(bytes.fromhex("00000005 81a2696407 00000001 c3"))
    >>> reader.take_messages()
    [{'id': 7}, True]

    A `DecodeError` concerns one message: those before it are delivered first, and the next pull goes on behind it. A
    `FrameError` ends the stream, unless the wire format has a recovery policy: see `framing.recovery`.

    Args:
        wire: the wire format.
        offset: where in the stream the first byte fed stands.
        frame_count: how many frames of the stream came before.

    Attributes:
        wire: the wire format.
        parser: what cuts the frames.
        decoder: its `decode(frame)` makes messages of the frames that `next_frame` returns; where they join, it must
            be given each one, and says `MORE` until a message is whole.
    """

    __slots__ = ("_bad", "_joiner", "_room", "decoder", "parser", "wire")

    def __init__(self, wire: WireFormat, *, offset: int = 0, frame_count: int = 0) -> None:
        self.wire = wire
        self._joiner = None if wire.join is None else Joiner(wire, wire.join)
        self.decoder: WireFormat | Joiner = self._joiner or wire
        self._bad: Exception | None = None
        self.parser = FrameParser(wire.format, offset=offset, frame_count=frame_count, recovery=wire.recovery)
        self._room = _MANY

    @property
    def offset(self) -> int:
        """Bytes from the stream's start to the first byte not yet handed out."""
        return self.parser.offset

    @property
    def pending_size(self) -> int:
        """Bytes stored and not yet handed out."""
        return self.parser.pending_size

    @property
    def held_size(self) -> int:
        """Bytes of frames and of messages that are not whole yet."""
        return self.parser.pending_size + (0 if self._joiner is None else self._joiner.held_size)

    @property
    def needed_size(self) -> int | None:
        """Bytes until the next decision; `None` if any byte may decide."""
        return self.parser.needed_size

    @property
    def frame_count(self) -> int:
        """Frames of the stream handed out so far."""
        return self.parser.frame_count

    @property
    def error(self) -> FrameError | None:
        """The error that has ended the stream, as soon as a pull has met it, or whose bad region is not over yet."""
        return self.parser.error

    @property
    def frame_end(self) -> int | None:
        """Where the frame ends that is not whole yet; see `FrameParser.frame_end`."""
        return self.parser.frame_end

    @property
    def is_clean(self) -> bool:
        """Whether the stream may end here, as far as is known: no byte waits, no error, no part of a message."""
        return self._joiner is None and not self.parser.pending_size and self.parser.error is None

    @property
    def finished(self) -> bool:
        """Whether `finish` was called."""
        return self.parser.finished

    def feed(self, chunk: bytes | bytearray | memoryview) -> None:
        """Store a chunk; see `FrameParser.feed`."""
        self.parser.feed(chunk)

    def finish(self) -> None:
        """Say that the stream has ended."""
        self.parser.finish()

    def unread(self) -> bytes:
        """Return the bytes that are no frame yet and forget them."""
        return self.parser.unread()

    def give_up(self) -> bytes:
        """Forget the messages that are not whole, and return what `unread` does."""
        if self._joiner is not None:
            self._joiner.interrupt()
        return self.unread()

    def abandon(self) -> tuple[FrameError | None, int]:
        """Give up what is stored, for what follows it is missing; see `FrameParser.abandon`."""
        return self.parser.abandon()

    def peek(self, size: int) -> bytes:
        """Return up to `size` of those bytes, and keep them."""
        return self.parser.peek(size)

    def next_frame(self) -> Frame | None:
        """Return the next whole frame, undecoded; `decoder.decode` makes a message of it.

        Raises:
            FrameError: the stream is bad.
        """
        if self._joiner is None:
            return self.parser.next_frame()
        try:
            frame = self.parser.next_frame()
        except FrameError as error:
            self._joiner.notice(error)
            raise
        if frame is None and self.parser.finished:
            self._joiner.check_end(self.frame_count)
        return frame

    def take_frames(self, limit: int | None = None) -> list[Frame]:
        """Return the whole frames that are there, undecoded, at most `limit`; see `FrameParser.take_frames`.

        Raises:
            FrameError: the stream is bad.
        """
        return self.parser.take_frames(limit)

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
        wire, parser = self.wire, self.parser
        if self._joiner is not None:
            return self._joined(self._joiner, _MANY if limit is None else limit)
        if not wire.bare:
            room = self._room if limit is None else min(limit, self._room)
            return self._decoded(parser.take_frames(room), wire.decode)
        codec = wire.single
        if codec.passthrough:
            return parser.take_payloads(limit)
        room = self._room if limit is None else min(limit, self._room)
        return self._decoded(parser.take_payloads(room), codec.decode)

    def _joined(self, joiner: Joiner, limit: int) -> list[Any]:
        """Return messages of one frame or more. An error that is met behind one of them comes with the next pull."""
        messages: list[Any] = []
        try:
            if self._bad is not None:
                raise self._bad.with_traceback(None)
            while len(messages) < limit and (frames := self.parser.take_frames(limit - len(messages))):
                self._join_all(joiner, frames, messages)
            if not messages and limit > 0 and self.parser.finished:
                joiner.check_end(self.frame_count)
        except Exception as error:
            joiner.notice(error)
            self._bad = error if messages else None
            if not messages:
                raise
        return messages

    def _join_all(self, joiner: Joiner, frames: list[Frame], messages: list[Any]) -> None:
        for index, frame in enumerate(frames):
            try:
                message = joiner.decode(frame)
            except Exception as error:
                if isinstance(error, DecodeError):
                    error.frame_number = self.parser.frame_count - len(frames) + index
                    error.frame_offset = frame.offset
                self.parser.rewind(index + 1)  # what was not reached
                raise
            if message is not MORE:
                messages.append(message)

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
                error.frame_number = self.parser.frame_count - len(batch) + index
                error.frame_offset = self.parser.batch_offset(index)
            self.parser.rewind(index if messages else 1)
            if not messages:
                raise
        else:
            self._room = min(2 * self._room, _MANY)
        return messages
