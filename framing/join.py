"""Frames that join into one message: what a message too long for one frame, or not yet whole when it began, comes as.

    +-------+-----------+   +-------+-----------+   +-------+-------+
    | fin 0 |  payload  |   | fin 0 |  payload  |   | fin 1 |payload|        WebSocket
    +-------+-----------+   +-------+-----------+   +-------+-------+
            |<------------- one message ------------------>|

Which frame is followed by more of its message is said by header fields and their values. ONC RPC has a bit for the last
one, TDS and WebSocket have such a bit, MySQL goes on after a frame of the largest size, OPC UA has a letter. Bolt and
NETCONF put a frame behind the last one that does nothing but end the message.

`Join` is the declaration, `Gathering` what one stream has of its unfinished messages. Spec: [F35] to [F39].
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from framing.errors import DecodeError, DefinitionError, EncodeError, TruncatedFrameError
from framing.frame import Frame, FrameFormat, check_option

__all__ = ["DEFAULT_MAX_MESSAGE_SIZE", "Condition", "Gathering", "Join", "Joined"]

# As large as a frame may be by default: joining frames must not be a way around that limit.
DEFAULT_MAX_MESSAGE_SIZE = 1 << 20

# Messages that are under way at the same time, told apart by a field. HTTP/2 peers begin with 100 streams.
_MAX_OPEN_COUNT = 128

# Messages given up whose frames still come: a number each, so that no peer fills memory with them.
_MAX_DROPPED_COUNT = 4096

_CONDITIONS = ("more", "last", "end", "then", "alone", "abort")

# Field → the value, or the values, that it has.
Condition = Mapping[str, Any]


class Join:
    """Which frames belong to one message.

    >>> from framing import FrameParser, get_format
    >>> format = get_format("header", header="(last:1 length:31):u32be")
    >>> join = Join(more={"last": 0}, last={"last": 1}, payload_size=4)
    >>> b"".join(format.serialize(*piece) for piece in join.split(format, b"abcdef", {})).hex(" ", -4)
    '00000004 61626364 80000002 6566'

    A condition is header fields, computed ones too, and the value that each has, or a list of values. An empty list
    says that the field is not there.

    Args:
        more: of a frame that is followed by more of its message.
        last: of the last frame, where `more` has fields that are written and not computed.
        end: in place of `more`: of a frame without payload that ends the message; all others are followed by more.
        then: of every frame but a message's first, and of no first one.
        alone: of frames that are messages of their own, even between the frames of another message.
        abort: of a frame by which the sender gives its unfinished message up.
        by: the field, or the fields, by which the messages are told apart whose frames come in turns.
        counter: `{"field": …, "modulo": …}`, a field that goes up by one with each frame of a message.
        payload_size: bytes of payload in every frame of a long message but its last, when it is written. By default
            half of `max_frame_size`, which leaves room for any header and most escaping.
        max_message_size: bytes of payload that all unfinished messages of a stream may have together.

    Raises:
        DefinitionError: a size below 1; not one of `more` and `end`; no value of a field fits some frame's place.
    """

    __slots__ = ("abort", "alone", "by", "counter", "end", "last", "max_message_size", "more", "payload_size", "then")

    def __init__(
        self,
        *,
        more: Condition | None = None,
        last: Condition | None = None,
        end: Condition | None = None,
        then: Condition | None = None,
        alone: Condition | None = None,
        abort: Condition | None = None,
        by: str | Sequence[str] = (),
        counter: Mapping[str, Any] | None = None,
        payload_size: int | None = None,
        max_message_size: int = DEFAULT_MAX_MESSAGE_SIZE,
    ) -> None:
        conditions = dict(zip(_CONDITIONS, (more, last, end, then, alone, abort), strict=True))
        self.more, self.last, self.end, self.then, self.alone, self.abort = map(
            _choices, conditions, conditions.values()
        )
        self._check_conditions()
        self.by = _names(by)
        self.counter = _counter(counter)
        for key, size in (("payload_size", payload_size), ("max_message_size", max_message_size)):
            if size is not None:
                check_option(key, size, int)
                if size < 1:
                    raise DefinitionError("no message fits", key=f"join.{key}", found=size, allowed="1 or more")
        self.payload_size = payload_size
        self.max_message_size = max_message_size

    def _check_conditions(self) -> None:
        if not (self.more or self.end):
            raise DefinitionError("nothing tells that a message goes on", key="join.more", allowed="field = value")
        if self.end and (self.more or self.last):
            key = "join.more" if self.more else "join.last"
            raise DefinitionError("a frame that is nothing but the end tells it already", key=key, allowed="end alone")
        for key, told in (("more", self.more), ("last", self.last)):
            for name in told.keys() & self.then.keys():
                later = [value in self.then[name] for value in told[name]]
                if all(later) or not any(later):
                    place = "first" if all(later) else "later"
                    reason = f"{name} has no value for a {place} frame"
                    raise DefinitionError(reason, key=f"join.{key}", found=told[name], allowed="one in then, one not")

    def consumed(self, format: FrameFormat) -> frozenset[str]:
        """Return the fields that are no longer the application's: they say how its messages are cut.

        Raises:
            DefinitionError: the format lacks a field, or nothing says what the last frame has in one of them.
        """
        for key in _CONDITIONS:
            for name in getattr(self, key):
                _check_name(f"join.{key}", name, format.header_names)
        for key, name in (*(("join.by", name) for name in self.by), ("join.counter", self.counter[0])):
            if name:
                _check_name(key, name, format.header_names)
        written = frozenset(self.more).intersection(format.field_names)
        if missing := written - self.last.keys():
            name = min(missing)
            reason = f"what {name} is in the last frame is not said"
            raise DefinitionError(reason, key="join.last", allowed=f"{name} = …")
        told = written | frozenset(self.last).intersection(format.field_names)
        if lacking := [name for name in told & self.alone.keys() if None in self.alone[name]]:
            reason = f"{min(lacking)} is in no message, so that all would be alone where they are written"
            raise DefinitionError(reason, key="join.alone", found=min(lacking), allowed="a field of the application's")
        return told

    def split(
        self,
        format: FrameFormat,
        payload: bytes,
        fields: Mapping[str, Any],
    ) -> Iterator[tuple[bytes, dict[str, Any]]]:
        """Yield payload and header fields of each frame of a message. [F39]

        Raises:
            EncodeError: a field has a value that no first frame may have, or that cannot be counted up.
        """
        if (self.alone and _matches(self.alone, fields)) or (self.end and _matches(self.end, fields)):
            said = self._said(self.last, 0)
            yield payload, {**fields, **{name: said[name] for name in said if format.has_field(name, fields)}}
            return
        if self.then and _matches(self.then, fields):
            name = next(iter(self.then))
            raise EncodeError(f"no message begins with this {name}", path=name, found=fields[name])
        size = self.payload_size or max(1, format.max_frame_size // 2)
        # A frame of the largest size says by its length alone that another one follows, if only an empty one.
        is_told = frozenset(self.more).isdisjoint(format.field_names)
        if self.end:  # where nothing is written to end a message, one without payload is its end alone
            least = 0 if frozenset(self.end).isdisjoint(format.field_names) else 1
            count = max(least, -(-len(payload) // size)) + 1
        else:
            count = len(payload) // size + 1 if is_told else max(1, -(-len(payload) // size))
        for number in range(count):
            is_last = number == count - 1
            told = (self.end or self.last) if is_last else {} if is_told else self.more
            yield payload[number * size : (number + 1) * size], {**fields, **self._later(fields, number, told)}

    def _later(self, fields: Mapping[str, Any], number: int, told: Mapping[str, tuple[Any, ...]]) -> dict[str, Any]:
        """Return what the frame with this number has in place of the message's fields."""
        values = self._said(told, number)
        name, modulo = self.counter
        if name and number:
            first = fields.get(name)
            if not isinstance(first, int):
                raise EncodeError(f"{name} is counted up from frame to frame", path=name, found=first)
            values[name] = (first + number) % modulo
        return values

    def _said(self, told: Mapping[str, tuple[Any, ...]], number: int) -> dict[str, Any]:
        """Return, of the fields that say how frames join, the first values that are right at this place."""
        then = self.then
        if not number:
            return _first({name: [one for one in told[name] if one not in then.get(name, ())] for name in told})
        fitting = {name: [one for one in told[name] if one in then.get(name, told[name])] for name in told}
        return _first(then) | _first(fitting)

    def __repr__(self) -> str:
        shown: dict[str, Any] = {}
        for name in _CONDITIONS:
            condition = getattr(self, name).items()
            shown[name] = {field: one if len(one) > 1 else one[0] for field, one in condition}
        shown |= {
            "by": self.by if len(self.by) > 1 else "".join(self.by),
            "counter": self.counter if self.counter[0] else None,
        }
        shown |= {"payload_size": self.payload_size, "max_message_size": self.max_message_size}
        return f"Join({', '.join(f'{name}={value!r}' for name, value in shown.items() if value)})"


class Joined:
    """What several frames have made: as much of a `Frame` as `WireFormat.decode` looks at.

    Attributes:
        payload: those of the frames, one behind the other.
        fields: the first frame's.
    """

    __slots__ = ("fields", "payload")

    def __init__(self, payload: bytes, fields: dict[str, Any]) -> None:
        self.payload = payload
        self.fields = fields


class _Open:
    """A message that is under way."""

    __slots__ = ("data", "fields", "offset")

    def __init__(self, frame: Frame) -> None:
        self.data = bytearray(frame.payload)
        self.fields = frame.fields
        self.offset = frame.offset


class Gathering:
    """The unfinished messages of one stream.

    Args:
        join: which frames belong together.
    """

    __slots__ = ("_dropped", "_join", "_open", "_size")

    def __init__(self, join: Join) -> None:
        self._join = join
        self._open: dict[Any, _Open] = {}
        self._dropped: dict[Any, None] = {}  # messages that were given up, until their last frame
        self._size = 0

    def add(self, frame: Frame) -> Frame | Joined | None:
        """Return what a frame completes: itself, or the frames that it was the last of; `None`: more are to come.

        Raises:
            DecodeError: this message is bad, once for all of its frames; the stream is fine. [F37] [F38]
        """
        join, header = self._join, frame.header
        if join.alone and _matches(join.alone, header):
            return frame
        key = tuple([header.get(name) for name in join.by])
        if join.abort and _matches(join.abort, header):
            self._forget(key)
            raise DecodeError("the sender has given this message up", found=frame.payload)
        goes_on = _matches(join.more, header) if join.more else not _matches(join.end, header)
        if key in self._dropped and self._is_dropped(key, header, goes_on=goes_on):
            return None
        message = self._open.get(key)
        if message is None:
            return self._begun(key, frame, goes_on=goes_on) if goes_on or join.then else frame
        self._check(key, message, frame, goes_on=goes_on)
        message.data += frame.payload
        self._size += len(frame.payload)
        if goes_on:
            return None
        self._forget(key)
        return Joined(bytes(message.data), message.fields)

    def _is_dropped(self, key: Any, header: Mapping[str, Any], *, goes_on: bool) -> bool:
        """Whether a frame belongs to the message of its key that was given up, and not to a new one."""
        is_new = bool(self._join.then) and not _matches(self._join.then, header)
        if is_new or not goes_on:
            del self._dropped[key]
        return not is_new

    @property
    def size(self) -> int:
        """Bytes of payload that the unfinished messages have."""
        return self._size

    def interrupt(self) -> None:
        """Forget the unfinished messages: frames of theirs may have been lost. [F100]"""
        self._open.clear()
        self._dropped.clear()
        self._size = 0

    def _begun(self, key: Any, frame: Frame, *, goes_on: bool) -> Frame | None:
        join = self._join
        if join.then and _matches(join.then, frame.header):
            self._give_up(key, goes_on)
            raise DecodeError("a frame goes on with a message whose beginning is not there", path=next(iter(join.then)))
        if not goes_on:
            return frame
        self._check_size(key, len(frame.payload), goes_on)
        if len(self._open) >= _MAX_OPEN_COUNT:
            self._give_up(key, goes_on)
            raise DecodeError(f"more than {_MAX_OPEN_COUNT} messages are unfinished", path=", ".join(join.by))
        self._open[key] = _Open(frame)
        self._size += len(frame.payload)
        return None

    def _check(self, key: Any, message: _Open, frame: Frame, *, goes_on: bool) -> None:
        """Give a message up that cannot go on with this frame. [F37]"""
        join = self._join
        if join.then and not _matches(join.then, frame.header):
            size = len(message.data)
            self._give_up(key, goes_on)
            reason = f"a message begins behind {size} bytes of one that is unfinished"
            raise DecodeError(reason, path=next(iter(join.then)))
        self._check_size(key, len(frame.payload), goes_on)

    def _check_size(self, key: Any, size: int, goes_on: bool) -> None:
        most = self._join.max_message_size
        if self._size + size > most:  # [F38] before the bytes are kept
            self._give_up(key, goes_on)
            raise DecodeError(
                f"a message of several frames is larger than {most} bytes",
                hint="raise max_message_size if the peer is to be trusted with as much memory",
            )

    def _give_up(self, key: Any, goes_on: bool) -> None:
        """Drop a message; `goes_on`: and what is still to come of it."""
        self._forget(key)
        if goes_on:
            self._dropped[key] = None
            if len(self._dropped) > _MAX_DROPPED_COUNT:
                del self._dropped[next(iter(self._dropped))]

    def _forget(self, key: Any) -> None:
        self._dropped.pop(key, None)
        message = self._open.pop(key, None)
        if message is not None:
            self._size -= len(message.data)

    def check_end(self, frame_number: int) -> None:
        """Refuse the end of the stream inside a message. [F36]

        Raises:
            TruncatedFrameError: with the offset of its first frame, and the bytes of payload that there are.
        """
        for message in self._open.values():
            raise TruncatedFrameError(
                "the stream ended inside a message of several frames",
                offset=message.offset,
                frame_number=frame_number,
                pending_size=len(message.data),
            )


def _choices(key: str, condition: Condition | None) -> dict[str, tuple[Any, ...]]:
    """Return the condition with a tuple of values for each field; `None` is that of one that is not there."""
    if condition is not None and not isinstance(condition, Mapping):
        raise TypeError(f"join.{key} takes a dict, not {type(condition).__name__}")
    return {
        name: (tuple(value) or (None,)) if isinstance(value, list | tuple) else (value,)
        for name, value in (condition or {}).items()
    }


def _names(by: str | Sequence[str]) -> tuple[str, ...]:
    if not isinstance(by, str | list | tuple):
        raise TypeError(f"join.by takes a field's name, or a list of names, not {type(by).__name__}")
    names = ((by,) if by else ()) if isinstance(by, str) else tuple(by)
    if not all(isinstance(name, str) for name in names):
        raise DefinitionError("no field's name", key="join.by", found=by, allowed="a name, or a list of names")
    return names


def _matches(choices: Mapping[str, tuple[Any, ...]], header: Mapping[str, Any]) -> bool:
    return all(header.get(name) in values for name, values in choices.items())


def _first(choices: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    return {name: values[0] for name, values in choices.items()}


def _counter(counter: Mapping[str, Any] | None) -> tuple[str, int]:
    if counter is None:
        return "", 1
    check_option("counter", counter, dict)
    allowed = '{ field = "…", modulo = 256 }'
    if counter.keys() != {"field", "modulo"}:
        raise DefinitionError("a counter has two keys", key="join.counter", found=tuple(counter), allowed=allowed)
    name, modulo = counter["field"], counter["modulo"]
    if type(name) is not str or type(modulo) is not int or modulo < 2:
        raise DefinitionError("no such counter", key="join.counter", found=(name, modulo), allowed=allowed)
    return name, modulo


def _check_name(key: str, name: str, names: tuple[str, ...]) -> None:
    if name not in names:
        raise DefinitionError(
            f"the frames have no field {name}", key=key, found=name, allowed=", ".join(names) or "a format with fields"
        )
