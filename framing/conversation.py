"""Conversation: both directions of one connection, phase by phase, and what they owe to each other.

The same `Conversation` serves a socket, where one direction is received and the other sent, and a capture, where both
are read: every frame of either direction is noted, read or encoded, and may move both. Spec: [F30] to [F34].
"""

from collections import deque
from typing import Any

from framing.errors import DecodeError, EncodeError, FrameError, FrameTooLargeError
from framing.frame import Frame
from framing.parser import FrameParser
from framing.protocol import Phase, Protocol, Side
from framing.reader import MORE, Joiner, MessageReader
from framing.wire import WireFormat

__all__ = ["Conversation", "DirectionReader"]

# Answers that are owed at the same time: who asks on and on without being answered must not fill memory. Beyond it the
# oldest are forgotten, which matters only if their phases differ from those of the next ones.
_MAX_OWED_COUNT = 1024


class Conversation:
    """Both directions of one connection, and what they owe to each other.

    >>> from framing import get_protocol
    >>> conversation = Conversation(get_protocol("u8/raw"))
    >>> conversation.client.feed(conversation.encode("client", b"ping"))
    >>> conversation.client.take_messages()
    [b'ping']

    Args:
        protocol: both directions' wire formats.
        midstream: the beginning was not seen, so each direction is in its `midstream` phase.
    """

    __slots__ = ("client", "protocol", "server")

    def __init__(self, protocol: Protocol, *, midstream: bool = False) -> None:
        self.protocol = protocol
        self.client = DirectionReader(self, "client", midstream=midstream)
        self.server = DirectionReader(self, "server", midstream=midstream)

    def reader(self, side: Side) -> "DirectionReader":
        """Return the reader of what a side sends."""
        return self.client if side == "client" else self.server

    def encode(self, side: Side, message: Any) -> bytes:
        """Return the frame that a side sends for a message, and take note of it. Send what is returned, in this order.

        Raises:
            EncodeError: the message does not fit the phase that the side is in. Nothing was noted.
            FrameTooLargeError: the frame would be over its limit. Nothing was noted.
        """
        reader = self.reader(side)
        if not reader.phase.after and not reader.phase.first:
            return reader.phase.wire.encode(message)
        return reader.encode(message)

    def noted(self, side: Side, frame: Frame) -> None:
        """Apply the first matching rule of the phase that a side is in to a frame that it sent."""
        reader = self.reader(side)
        reader.frames_in_phase += 1
        for rule in reader.phase.after:  # [F31]
            if rule.matches(frame, reader.frames_in_phase):
                for moved, phase_name in rule.moves.items():
                    self.reader(moved).enter(phase_name)
                for owing, phase_name in rule.owes.items():
                    self.reader(owing).owe(phase_name)
                if rule.answers:
                    reader.answered()
                return


class DirectionReader:
    """What one side sends, phase by phase: a `MessageReader` for each, one after the other.

    Attributes:
        phase: the phase the direction is in.
        frames_in_phase: frames seen since it was entered.
    """

    __slots__ = ("_conversation", "_owed", "_reader", "_side", "_undecided", "frames_in_phase", "phase")

    def __init__(self, conversation: Conversation, side: Side, *, midstream: bool) -> None:
        self._conversation = conversation
        self._side: Side = side
        self.phase = conversation.protocol.direction(side).first_phase(midstream=midstream)
        self.frames_in_phase = 0
        self._undecided = bool(self.phase.first)
        # Made when something is owed: a capture holds many conversations, and few protocols owe.
        self._owed: deque[str] | None = None
        self._reader = MessageReader(self.phase.wire)

    @property
    def wire(self) -> WireFormat:
        """The wire format of the phase, which cuts the next frame."""
        return self.phase.wire

    @property
    def offset(self) -> int:
        """Bytes from the direction's start to the first byte not yet handed out."""
        return self._reader.offset

    @property
    def pending_size(self) -> int:
        """Bytes stored and not yet handed out."""
        return self._reader.pending_size

    @property
    def held_size(self) -> int:
        """Bytes of frames and of messages that are not whole yet."""
        return self._reader.held_size

    @property
    def needed_size(self) -> int | None:
        """Bytes until the next decision; `None` if any byte may decide."""
        return self._reader.needed_size

    @property
    def frame_count(self) -> int:
        """Frames handed out so far, over all phases."""
        return self._reader.frame_count

    @property
    def finished(self) -> bool:
        """Whether `finish` was called."""
        return self._reader.finished

    def feed(self, chunk: bytes | bytearray | memoryview) -> None:
        """Store a chunk; see `FrameParser.feed`."""
        self._reader.feed(chunk)

    def finish(self) -> None:
        """Say that the direction has ended."""
        self._reader.finish()

    @property
    def frame_end(self) -> int | None:
        """Where the frame ends that is not whole yet, `None` if that is not known, or what follows it is not."""
        return self._reader.frame_end if self.resumed_phase is self.phase else None

    @property
    def resumed_phase(self) -> Phase:
        """The phase to go on with behind missing bytes: this one, if no frame can end it, else the mid-stream one.

        An optional one is taken for what stands in for it: its first bytes are not seen in the middle.
        """
        if not self.phase.after and not self._undecided:
            return self.phase
        direction = self._conversation.protocol.direction(self._side)
        phase = direction.phases[direction.midstream]
        while phase.otherwise:
            phase = direction.phases[phase.otherwise]
        return phase

    def abandon(self) -> tuple[FrameError | None, int]:
        """Give up what is stored, for what follows it is missing; see `FrameParser.abandon`."""
        return self._reader.abandon()

    def resume(self, offset: int) -> None:
        """Go on at another place of the stream, where a frame begins; what lies before it is missing."""
        old, self.phase = self._reader, self.resumed_phase
        self.frames_in_phase, self._undecided = 0, False
        self._reader = MessageReader(self.phase.wire, offset=offset, frame_count=old.frame_count)

    def give_up(self) -> bytes:
        """Forget the messages that are not whole, and return what `unread` does."""
        return self._reader.give_up()

    def unread(self) -> bytes:
        """Return the bytes that are no frame yet and forget them."""
        return self._reader.unread()

    def next_item(self) -> tuple[Frame, WireFormat | Joiner] | None:
        """Return the next whole frame and what decodes it, or `None`: feed me, or the clean end.

        Its `decode` must be given every frame in turn: where frames join, it says `MORE` until a message is whole.

        Raises:
            FrameError: the direction is bad.
        """
        if self._undecided and not self._decide():
            return None
        decoder = self._reader.decoder
        frame = self._reader.next_frame()
        if frame is None:
            return None
        if self.phase.after:
            self._conversation.noted(self._side, frame)
        return frame, decoder

    def next_frame(self) -> Frame | None:
        """Return the next whole frame, undecoded, or `None`.

        Raises:
            FrameError: the direction is bad.
        """
        item = self.next_item()
        return item[0] if item else None

    @property
    def decoder(self) -> WireFormat | Joiner:
        """What makes messages of the phase's frames; see `MessageReader`."""
        return self._reader.decoder

    @property
    def is_settled(self) -> bool:
        """Whether no frame of this direction moves it, or the other one, to another phase."""
        return not self._undecided and not self.phase.after

    @property
    def parser(self) -> FrameParser:
        """What cuts the frames of a direction that is settled: fed and pulled itself, it saves the way to it."""
        return self._reader.parser

    @property
    def is_clean(self) -> bool:
        """Whether the end of the direction, if it came here, would be clean, and would move nothing."""
        return self.is_settled and self._reader.is_clean

    def next_message(self) -> Any:
        """Return the next message, or `None`: feed me, or the clean end.

        Raises:
            DecodeError, FrameError: as `MessageReader.next_message`.
        """
        messages = self.take_messages(1)
        return messages[0] if messages else None

    def take_messages(self, limit: int | None = None) -> list[Any]:
        """Return the messages that are there, at most `limit`; one at a time while rules may change the phase.

        Raises:
            DecodeError, FrameError: as `MessageReader.take_messages`.
        """
        if self._undecided and not self._decide():
            return []
        if not self.phase.after:
            return self._reader.take_messages(limit)
        if limit is not None and limit < 1:
            return []
        while item := self.next_item():
            frame, decoder = item
            try:
                message = decoder.decode(frame)
            except DecodeError as error:
                error.frame_number, error.frame_offset = self.frame_count - 1, frame.offset
                raise
            if message is not MORE:
                return [message]
        return []

    def encode(self, message: Any) -> bytes:
        """Return this side's frame for a message and apply the phase's rules; see `Conversation.encode`."""
        phases = self._conversation.protocol.direction(self._side).phases
        phase = self.phase
        frames = self._encoded(phase, message)
        while frames is None:
            # The phase is optional, and the message belongs to the one that stands in for it.
            phase = phases[phase.otherwise]
            frames = self._encoded(phase, message)
        if phase is not self.phase:
            self.enter(phase.name)
        self._undecided = False
        for frame in frames:
            self._conversation.noted(self._side, phase.wire.format.frame(frame))
        return b"".join(frames)

    def _encoded(self, phase: Phase, message: Any) -> list[bytes] | None:
        """Return a message as a phase's frames, `None` if an optional phase does not begin with them."""
        optional = bool(phase.first) and (self._undecided or phase is not self.phase)
        try:
            frames = phase.wire.encode_frames(message)
        except (EncodeError, FrameTooLargeError):
            if not optional:
                raise
            return None
        return None if optional and not frames[0].startswith(phase.first) else frames

    def enter(self, phase_name: str) -> None:
        """Go on in another phase; its parser begins with the bytes that were not read."""
        old = self._reader
        if old.error is not None:
            return  # bytes behind it were dropped: no phase makes a bad stream good again [F8], nor a region [F100]
        self.phase = self._conversation.protocol.direction(self._side).phases[phase_name]
        self.frames_in_phase = 0
        self._undecided = bool(self.phase.first)
        rest = old.unread()  # [F32]
        self._reader = MessageReader(self.phase.wire, offset=old.offset, frame_count=old.frame_count)
        self._reader.feed(rest)
        if old.finished:
            self._reader.finish()

    def begin_again(self, offset: int, frame_count: int) -> None:
        """Go on in the same phase with bytes that owe nothing to those before; what is pending, or bad, is dropped."""
        self._reader = MessageReader(self.phase.wire, offset=offset, frame_count=frame_count)

    def owe(self, phase_name: str) -> None:
        """Take note that this side answers in a phase, once it has answered what came before. [F79]"""
        if self._owed is None:
            self._owed = deque(maxlen=_MAX_OWED_COUNT)
        self._owed.append(phase_name)
        if len(self._owed) == 1:
            self.enter(phase_name)

    def answered(self) -> None:
        """Go on with the next answer that is owed; if there is none, the phase stays."""
        if self._owed:
            self._owed.popleft()
        if self._owed:
            self.enter(self._owed[0])

    def _decide(self) -> bool:
        """Look whether the stream goes on with the phase's first bytes; false if more of them must come. [F33]"""
        first = self.phase.first
        head = self._reader.peek(len(first))
        if len(head) < len(first) and first.startswith(head) and not (head and self.finished):
            return False
        if head == first:
            self._undecided = False
        else:
            self.enter(self.phase.otherwise)
        return not self._undecided or self._decide()
