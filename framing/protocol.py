"""Protocol: a name, a wire format for each direction, and phases. Conversation: both directions of one connection.

A phase is a stretch of one direction in which one wire format holds. What ends it is a rule on the frame that was just
seen (how many it was, how its payload begins, what its header says), and a rule may move either direction: that is how
one side's framing owes something to the other's. PostgreSQL, the client on the left:

    startup ── SSLRequest ──────────→ (server: answer)        8 bytes, no type byte; stays in startup
    startup ── anything else ───────→ messages
                                      answer ── "S" ────────→ (both: tls)
                                      answer ── "N" ────────→ messages

The same `Conversation` serves a socket, where one direction is received and the other sent, and a capture, where both
are read. Spec: [F30] to [F34].
"""

from collections.abc import Mapping
from typing import Any, Literal

from framing.errors import DecodeError, DefinitionError, EncodeError, FrameTooLargeError
from framing.frame import Frame
from framing.wire import MessageReader, WireFormat

__all__ = ["SIDES", "Conversation", "Direction", "DirectionReader", "Phase", "Protocol", "Rule", "Side", "other_side"]

Side = Literal["client", "server"]
SIDES: tuple[Side, Side] = ("client", "server")


def other_side(side: Side) -> Side:
    """Return the peer of a side."""
    return "server" if side == "client" else "client"


class Rule:
    """When a frame of a phase matches, the directions named in `moves` enter other phases.

    Args:
        moves: side → the phase it enters.
        frames: it is at least the phase's n-th frame, from 1.
        payload: how its payload begins.
        fields: header fields and the values they have, computed ones too: `{"length": 32}`.

    Raises:
        DefinitionError: frames that are never counted.
    """

    __slots__ = ("fields", "frames", "moves", "payload")

    def __init__(
        self,
        moves: Mapping[Side, str],
        *,
        frames: int = 1,
        payload: bytes = b"",
        fields: Mapping[str, Any] | None = None,
    ) -> None:
        if frames < 1:
            raise DefinitionError("frames are counted from 1", key="frames", found=frames, allowed="1 or more")
        self.moves = dict(moves)
        self.frames = frames
        self.payload = payload
        self.fields = dict(fields or {})

    def matches(self, frame: Frame, frame_count: int) -> bool:
        """Whether the phase's `frame_count`-th frame is the one this rule waits for."""
        if frame_count < self.frames or (self.payload and not frame.payload.startswith(self.payload)):
            return False
        if not self.fields:
            return True
        header = frame.header
        return all(header[name] == value for name, value in self.fields.items())


class Phase:
    """A stretch of a direction in which one wire format holds.

    Args:
        name: unique in its direction.
        wire: the wire format.
        after: the rules tried after each frame; the first that matches counts. Without any, the phase is the last.
        first: the bytes the stream must go on with when the phase is entered; otherwise the phase `otherwise` is.
        otherwise: see `first`.
    """

    __slots__ = ("after", "first", "name", "otherwise", "wire")

    def __init__(
        self, name: str, wire: WireFormat, *, after: tuple[Rule, ...] = (), first: bytes = b"", otherwise: str = ""
    ) -> None:
        self.name = name
        self.wire = wire
        self.after = after
        self.first = first
        self.otherwise = otherwise
        if bool(first) != bool(otherwise):
            raise DefinitionError("first and otherwise need each other", key=f"phase {name}")


def _otherwise_key(phase_name: str) -> str:
    return f"phases.{phase_name}.otherwise"


class Direction:
    """What one side sends: its phases, by name.

    Args:
        phases: in the order of their declaration.
        start: the phase a connection begins with; by default the first.
        midstream: the phase to assume where the beginning was not seen; by default the last. One with `first` is still
            entered only if the bytes agree.
    """

    __slots__ = ("midstream", "phases", "start")

    def __init__(self, phases: tuple[Phase, ...], *, start: str = "", midstream: str = "") -> None:
        self.phases = {phase.name: phase for phase in phases}
        if len(self.phases) < len(phases) or not phases:
            raise DefinitionError("a direction needs one or more phases of different names", key="phases")
        self.start = start or phases[0].name
        self.midstream = midstream or phases[-1].name
        for key, name in (("start", self.start), ("midstream", self.midstream), *self._otherwise()):
            self.check_phase(key, name)

        self._check_ends()

    def _check_ends(self) -> None:
        for phase in self.phases.values():
            passed = [phase.name]
            while following := self.phases[passed[-1]].otherwise:
                if following in passed:
                    key = _otherwise_key(passed[-1])
                    raise DefinitionError("these phases stand in for each other", key=key, found=passed)
                passed.append(following)

    def _otherwise(self) -> list[tuple[str, str]]:
        return [(_otherwise_key(phase.name), phase.otherwise) for phase in self.phases.values() if phase.otherwise]

    def check_phase(self, key: str, name: str) -> None:
        """Refuse a phase that does not exist.

        Raises:
            DefinitionError: with the names that do.
        """
        if name not in self.phases:
            raise DefinitionError(f"no phase is called {name}", key=key, found=name, allowed=", ".join(self.phases))

    @property
    def wire(self) -> WireFormat:
        """The wire format that holds once the connection is under way."""
        phase = self.phases[self.midstream]
        while phase.otherwise:
            phase = self.phases[phase.otherwise]
        return phase.wire

    def limited(self, max_frame_size: int) -> "Direction":
        """Return the same direction with another limit on the whole frame."""
        phases = [
            Phase(one.name, one.wire.limited(max_frame_size), after=one.after, first=one.first, otherwise=one.otherwise)
            for one in self.phases.values()
        ]
        return Direction(tuple(phases), start=self.start, midstream=self.midstream)


class Protocol:
    """A name and a wire format for each direction.

    Args:
        name: what the command line calls it.
        client: what the client sends.
        server: what the server sends.
        title: one line for people.
        ports: TCP ports by which a capture tells the server's side.
        source: where the facts come from: an RFC, a document.
        not_covered: what is deliberately left out.

    Raises:
        DefinitionError: a rule names a phase or a field that does not exist.
    """

    __slots__ = ("client", "name", "not_covered", "ports", "server", "source", "title")

    def __init__(
        self,
        name: str,
        client: Direction,
        server: Direction,
        *,
        title: str = "",
        ports: tuple[int, ...] = (),
        source: str = "",
        not_covered: str = "",
    ) -> None:
        self.name = name
        self.client = client
        self.server = server
        self.title = title
        self.ports = ports
        self.source = source
        self.not_covered = not_covered
        for side in SIDES:
            for phase in self.direction(side).phases.values():
                for number, rule in enumerate(phase.after):
                    self._check_rule(rule, phase, f"{side}.phases.{phase.name}.after[{number}]")

    @classmethod
    def both_ways(cls, name: str, wire: WireFormat, **facts: Any) -> "Protocol":
        """Return the protocol in which both sides send one wire format all the time."""
        return cls(name, Direction((Phase("frames", wire),)), Direction((Phase("frames", wire),)), **facts)

    def _check_rule(self, rule: Rule, phase: Phase, key: str) -> None:
        names = phase.wire.format.header_names
        if strange := [name for name in rule.fields if name not in names]:
            raise DefinitionError(
                f"the frames of phase {phase.name} have no field {strange[0]}",
                key=key,
                found=strange[0],
                allowed=", ".join(names) or "a phase whose frames have header fields",
            )
        for side, phase_name in rule.moves.items():
            if side not in SIDES:
                raise DefinitionError("a rule moves a side", key=key, found=side, allowed="client, server")
            self.direction(side).check_phase(f"{key}.{side}", phase_name)

    def direction(self, side: Side) -> Direction:
        """Return what a side sends."""
        return self.client if side == "client" else self.server

    def limited(self, max_frame_size: int) -> "Protocol":
        """Return the same protocol with another limit on the whole frame, in every phase of both directions."""
        return Protocol(
            self.name,
            self.client.limited(max_frame_size),
            self.server.limited(max_frame_size),
            title=self.title,
            ports=self.ports,
            source=self.source,
            not_covered=self.not_covered,
        )

    def __repr__(self) -> str:
        return f"<Protocol {self.name}>"


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
                return


class DirectionReader:
    """What one side sends, phase by phase: a `MessageReader` for each, one after the other.

    Attributes:
        phase: the phase the direction is in.
        frames_in_phase: frames seen since it was entered.
    """

    __slots__ = ("_conversation", "_reader", "_side", "_undecided", "frames_in_phase", "phase")

    def __init__(self, conversation: Conversation, side: Side, *, midstream: bool) -> None:
        direction = conversation.protocol.direction(side)
        self._conversation = conversation
        self._side: Side = side
        self.phase = direction.phases[direction.midstream if midstream else direction.start]
        self.frames_in_phase = 0
        self._undecided = bool(self.phase.first)
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

    def unread(self) -> bytes:
        """Return the bytes that are no frame yet and forget them."""
        return self._reader.unread()

    def next_item(self) -> tuple[Frame, WireFormat] | None:
        """Return the next whole frame and the wire format that decodes it, or `None`: feed me, or the clean end.

        Raises:
            FrameError: the direction is bad.
        """
        if self._undecided and not self._decide():
            return None
        wire = self.phase.wire
        frame = self._reader.next_frame()
        if frame is None:
            return None
        if self.phase.after:
            self._conversation.noted(self._side, frame)
        return frame, wire

    def next_frame(self) -> Frame | None:
        """Return the next whole frame, undecoded, or `None`.

        Raises:
            FrameError: the direction is bad.
        """
        item = self.next_item()
        return item[0] if item else None

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
        number = self.frame_count
        item = self.next_item()
        if item is None:
            return []
        frame, wire = item
        try:
            return [wire.decode(frame)]
        except DecodeError as error:
            error.frame_number, error.frame_offset = number, frame.offset
            raise

    def encode(self, message: Any) -> bytes:
        """Return this side's frame for a message and apply the phase's rules; see `Conversation.encode`."""
        phases = self._conversation.protocol.direction(self._side).phases
        phase = self.phase
        data = self._encoded(phase, message)
        while data is None:
            # The phase is optional, and the message belongs to the one that stands in for it.
            phase = phases[phase.otherwise]
            data = self._encoded(phase, message)
        if phase is not self.phase:
            self.enter(phase.name)
        self._undecided = False
        self._conversation.noted(self._side, phase.wire.format.frame(data))
        return data

    def _encoded(self, phase: Phase, message: Any) -> bytes | None:
        """Return a message as a phase's frame, `None` if that is no frame for an optional phase to begin with."""
        optional = bool(phase.first) and (self._undecided or phase is not self.phase)
        try:
            data = phase.wire.encode(message)
        except (EncodeError, FrameTooLargeError):
            if not optional:
                raise
            return None
        return None if optional and not data.startswith(phase.first) else data

    def enter(self, phase_name: str) -> None:
        """Go on in another phase; its parser begins with the bytes that were not read."""
        old = self._reader
        if old.error is not None:
            return  # bytes behind it were dropped: no phase makes a bad stream good again [F8]
        self.phase = self._conversation.protocol.direction(self._side).phases[phase_name]
        self.frames_in_phase = 0
        self._undecided = bool(self.phase.first)
        rest = old.unread()  # [F32]
        self._reader = MessageReader(self.phase.wire, offset=old.offset, frame_count=old.frame_count)
        self._reader.feed(rest)
        if old.finished:
            self._reader.finish()

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
