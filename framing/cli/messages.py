"""A line of input → the message it stands for, and which side sends it; then the frame, in the right phase."""

import json
from typing import Any, NamedTuple, cast

from framing.capture.jsonform import from_json
from framing.conversation import Conversation
from framing.errors import EncodeError
from framing.protocol import SIDES, Protocol, Side

__all__ = ["KINDS", "Outgoing", "Sent", "read_message"]

KINDS = ("json", "text", "hex")

# What `framing decode --format jsonl` writes beside frames; each has a flow, which a message of one's own hardly has.
_OTHER_RECORDS = ("error", "flow", "gap", "summary")

# What a byte of a frame may take in JSON: two bytes of MessagePack stand as `{"$bytes": ""}, `, and the names of a
# construct are as long as they are. So a line is at most this many times a frame, and may always have so many bytes.
_WIDEST, _LEAST_LINE_SIZE = 16, 64 * 1024 * 1024


class Sent(NamedTuple):
    """One message of the input.

    Attributes:
        side: who sent it, `None` where the input does not say.
        flow: the flow of the record that it stood in.
        midstream: whether that flow's beginning was not seen.
    """

    message: Any
    side: Side | None = None
    flow: str | None = None
    midstream: bool = False


def read_message(line: bytes, kind: str) -> Sent | None:
    """Return the message of a line without its end, `None` for an empty one and for a record that is no frame.

    >>> read_message(b'{"$message": "SELECT 1", "type": 81}', "json").message
    Message('SELECT 1', type=81)
    >>> read_message(b"01 ff", "hex").message
    b'\\x01\\xff'

    Raises:
        EncodeError: the line is not what `kind` says.
    """
    if kind == "text":
        return Sent(line)
    try:
        return Sent(bytes.fromhex(line.decode("ascii"))) if kind == "hex" else _read_json(line)
    except json.JSONDecodeError as error:
        raise EncodeError(f"this is no JSON: {error.msg} at column {error.colno}", found=line) from error
    except RecursionError as error:
        raise EncodeError("this JSON is nested too deeply") from error
    except ValueError as error:
        what = "these are not pairs of hex digits" if kind == "hex" else f"this JSON stands for no message: {error}"
        raise EncodeError(what, found=line) from error


def _read_json(line: bytes) -> Sent | None:
    if not line.strip():
        return None
    form = json.loads(line)
    if not isinstance(form, dict) or "flow" not in form or form.get("type") not in ("frame", *_OTHER_RECORDS):
        return Sent(from_json(form))
    if form["type"] != "frame" or form.get("more") is True:  # of several frames, the last one's record has the message
        return None
    side = form.get("direction")
    if side not in SIDES or "message" not in form:
        raise ValueError("a frame record has a message, and a direction that is client or server")
    return Sent(from_json(form["message"]), cast(Side, side), str(form["flow"]), form.get("guessed") is True)


class Outgoing:
    """What one side of one connection sends.

    Args:
        protocol: both directions.
        side: whose frames are wanted; `None` for those of whoever comes first, and then nobody else may.

    Attributes:
        max_line_size: a longer line holds no message that fits a frame.
    """

    def __init__(self, protocol: Protocol, side: Side | None) -> None:
        phases = (*protocol.client.phases.values(), *protocol.server.phases.values())
        self.max_line_size = max(_LEAST_LINE_SIZE, _WIDEST * max(phase.wire.format.max_frame_size for phase in phases))
        self._protocol = protocol
        self._said = side
        self._wanted: Side | None = side
        self._conversation: Conversation | None = None
        self._connection: frozenset[str] | None = None

    def frame(self, sent: Sent) -> bytes | None:
        """Return the frame of a message, `None` if it is the other side's: that one only moves the phases.

        Raises:
            EncodeError: it cannot be encoded, or comes from another connection or side than those before.
            FrameTooLargeError: as `Conversation.encode`.
        """
        self._check_connection(sent.flow)
        side = sent.side or self._said or "client"
        self._wanted = self._wanted or side
        if side != self._wanted and self._said is None:
            raise EncodeError(
                f"a frame of the {side} after one of the {self._wanted}", hint="say with --side whose are wanted"
            )
        self._conversation = self._conversation or Conversation(self._protocol, midstream=sent.midstream)
        frame = self._conversation.encode(side, sent.message)
        return frame if side == self._wanted else None

    def _check_connection(self, flow: str | None) -> None:
        if flow is None:
            return
        # `a>b`, `b>a` and nothing else are one connection; `a>b#2` is the next one of the same two.
        connection = frozenset(flow.replace("#", ">").split(">"))
        self._connection = self._connection or connection
        if connection != self._connection:
            raise EncodeError(f"a frame of another connection: {flow}", hint="one at a time: framing decode --flow")
