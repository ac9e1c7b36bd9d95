"""Protocol: a name, a wire format for each direction, and phases.

A phase is a stretch of one direction in which one wire format holds. What ends it is a rule on the frame that was just
seen (how many it was, how its payload begins, what its header says), and a rule may move either direction: that is how
one side's framing owes something to the other's. PostgreSQL, the client on the left:

    startup ── SSLRequest ──────────→ (server: answer)        8 bytes, no type byte; stays in startup
    startup ── anything else ───────→ messages
                                      answer ── "S" ────────→ (both: tls)
                                      answer ── "N" ────────→ messages

These are declarations; `framing.conversation` goes through them. Spec: [F30] to [F34].
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal

from framing.errors import DefinitionError
from framing.frame import Frame
from framing.recovery import can_recover, check_recovery
from framing.wire import WireFormat

__all__ = ["SIDES", "Direction", "Phase", "Protocol", "Rule", "Side", "other_side"]

Side = Literal["client", "server"]
SIDES: tuple[Side, Side] = ("client", "server")


def other_side(side: Side) -> Side:
    """Return the peer of a side."""
    return "server" if side == "client" else "client"


class Rule:
    """When a frame of a phase matches, the directions named in `moves` enter other phases.

    Args:
        moves: side → the phase it enters.
        owes: side → the phase in which it answers this frame, once it has answered those before. [F79]
        answers: this frame completes an answer that its side owed.
        frames: it is at least the phase's n-th frame, from 1.
        payload: how its payload begins.
        pattern: a regular expression (`re`) that is found in its payload, such as `(?i)^starttls`; or one for each of
            several fields, of which `payload` is one. Bytes are taken as ISO 8859-1, numbers as decimal digits.
        fields: header fields and the values they have, or a list of values, computed ones too: `{"length": 32}`.

    Raises:
        DefinitionError: a rule that does nothing, frames that are never counted, or a pattern that is no regular
            expression.
    """

    __slots__ = ("_search", "answers", "fields", "frames", "moves", "owes", "pattern", "payload")

    def __init__(
        self,
        moves: Mapping[Side, str] | None = None,
        *,
        owes: Mapping[Side, str] | None = None,
        answers: bool = False,
        frames: int = 1,
        payload: bytes = b"",
        pattern: str | Mapping[str, str] = "",
        fields: Mapping[str, Any] | None = None,
    ) -> None:
        if frames < 1:
            raise DefinitionError("frames are counted from 1", key="frames", found=frames, allowed="1 or more")
        self.moves, self.owes, self.answers = dict(moves or {}), dict(owes or {}), answers
        if not (self.moves or self.owes or answers):
            raise DefinitionError("a rule that does nothing", key="after", allowed="moves, owes or answers")
        self.frames = frames
        self.payload = payload
        self.pattern = {"payload": pattern} if isinstance(pattern, str) and pattern else dict(pattern or {})
        self._search = {name: _searcher(name, one) for name, one in self.pattern.items()}
        self.fields = {
            name: tuple(value) if isinstance(value, list | tuple) else (value,)
            for name, value in (fields or {}).items()
        }

    def matches(self, frame: Frame, frame_count: int) -> bool:
        """Whether the phase's `frame_count`-th frame is the one this rule waits for."""
        if frame_count < self.frames or (self.payload and not frame.payload.startswith(self.payload)):
            return False
        if not self.fields and not self._search:
            return True
        header = frame.header
        return all(header[name] in values for name, values in self.fields.items()) and all(
            search(_text(frame.payload if name == "payload" else header[name])) for name, search in self._search.items()
        )


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return str(value) if isinstance(value, str | int) else ""


def _searcher(name: str, pattern: str) -> Callable[[str], object]:
    import re  # only who declares a pattern pays for it

    try:
        return re.compile(pattern).search
    except (re.error, RecursionError, OverflowError) as error:
        raise DefinitionError(
            f"no regular expression for {name}: {error}",
            key="pattern",
            found=pattern,
            allowed="what Python's re takes",
        ) from error


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

    @property
    def is_settled(self) -> bool:
        """Whether it holds from its first byte on, and none of its own frames ends it or moves the other side."""
        return not self.first and not self.after


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

    def first_phase(self, *, midstream: bool) -> Phase:
        """Return the phase of a connection whose beginning is seen, or of one that is met in its middle."""
        return self.phases[self.midstream if midstream else self.start]

    def rewired(self, change: Callable[[WireFormat], WireFormat]) -> "Direction":
        """Return the same direction with each phase's wire format changed."""
        phases = [
            Phase(one.name, change(one.wire), after=one.after, first=one.first, otherwise=one.otherwise)
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
        udp_ports: the same for UDP, where each datagram is whole frames.
        source: where the facts come from: an RFC, a document.
        not_covered: what is deliberately left out.
        over: the protocol that it begins as or is framed by, whose ports it shares: where nobody says which of the two
            it is, a port means that one.

    Raises:
        DefinitionError: a rule names a phase or a field that does not exist.
    """

    __slots__ = ("client", "name", "not_covered", "over", "ports", "server", "source", "title", "udp_ports")

    def __init__(
        self,
        name: str,
        client: Direction,
        server: Direction,
        *,
        title: str = "",
        ports: tuple[int, ...] = (),
        udp_ports: tuple[int, ...] = (),
        source: str = "",
        not_covered: str = "",
        over: str = "",
    ) -> None:
        self.name = name
        self.client = client
        self.server = server
        self.title = title
        self.ports = ports
        self.udp_ports = udp_ports
        self.source = source
        self.not_covered = not_covered
        self.over = over
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
        asked = (*rule.fields, *(name for name in rule.pattern if name != "payload"))
        if strange := [name for name in asked if name not in names]:
            raise DefinitionError(
                f"the frames of phase {phase.name} have no field {strange[0]}",
                key=key,
                found=strange[0],
                allowed=", ".join(names) or "a phase whose frames have header fields",
            )
        for place, targets in (("", rule.moves), ("owes.", rule.owes)):
            for side, phase_name in targets.items():
                if side not in SIDES:
                    raise DefinitionError("a rule moves a side", key=key, found=side, allowed="client, server")
                self.direction(side).check_phase(f"{key}.{place}{side}", phase_name)

    def direction(self, side: Side) -> Direction:
        """Return what a side sends."""
        return self.client if side == "client" else self.server

    def limited(self, max_frame_size: int) -> "Protocol":
        """Return the same protocol with another limit on the whole frame, in every phase of both directions."""
        return self.rewired(lambda wire: wire.limited(max_frame_size))

    def recovering(self, policy: str) -> "Protocol":
        """Return the same protocol with a recovery policy, in every phase whose frame format has means for it.

        Raises:
            DefinitionError: none has.
        """
        wires = [phase.wire for side in SIDES for phase in self.direction(side).phases.values()]
        if not any(can_recover(policy, wire.format) for wire in wires):
            check_recovery(policy, self.client.wire.format)
        return self.rewired(lambda wire: wire.recovering(policy) if can_recover(policy, wire.format) else wire)

    def rewired(self, change: Callable[[WireFormat], WireFormat]) -> "Protocol":
        """Return the same protocol with the wire format of each phase of both directions changed."""
        return Protocol(
            self.name,
            self.client.rewired(change),
            self.server.rewired(change),
            title=self.title,
            ports=self.ports,
            udp_ports=self.udp_ports,
            source=self.source,
            not_covered=self.not_covered,
            over=self.over,
        )

    def __repr__(self) -> str:
        return f"<Protocol {self.name}>"
