"""A protocol definition file: TOML → Protocol.

    name = "postgresql"                      title, ports, source, not_covered: facts for people and captures
    [both]                                   one wire format for both directions, or
    [client]                                 [client] and [server], each either a wire format
    header = "type:u8 length:u32be"
    [server.phases.answer]                   or phases by name, each a wire format and what ends it
    header = "answer:u8"
    payload_size = 0
    after = [{ fields = { answer = 0x53 }, client = "tls", server = "tls" }, { server = "messages" }]

A wire format is `header` with the options of `HeaderFormat` or `VarintFormat`, or `format = "…"` with that format's
options; `codec = "…"`, raw if not said, or a table with `field`, `cases` and `default`. Every key that is not known is
an error: a misspelt limit must not be no limit.
"""

import tomllib
from typing import Any

from framing.errors import DefinitionError, FramingError
from framing.protocol import SIDES, Direction, Phase, Protocol, Rule, Side
from framing.shorthand import get_codec, get_format
from framing.wire import TaggedUnion, WireFormat

__all__ = ["load_protocol", "parse_protocol"]

_WIRE_KEYS = ("header", "format", "codec", "trailer", "length", "counts", "payload_size", "max_frame_size")
_PHASE_KEYS = ("after", "first", "otherwise")


def load_protocol(path: str) -> Protocol:
    """Read a definition file.

    Raises:
        DefinitionError: it cannot be read, is no TOML, or defines nothing that works.
    """
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except (OSError, ValueError) as error:  # no UTF-8, or a path that cannot be
        raise DefinitionError(f"the definition cannot be read: {error}", source=path) from error
    return parse_protocol(text, path)


def parse_protocol(text: str, source: str) -> Protocol:
    """Read a definition's text.

    >>> parse_protocol('name = "tiny"\\n[both]\\nheader = "length:u8"', "tiny.toml")
    <Protocol tiny>

    Args:
        text: TOML.
        source: what errors call it.

    Raises:
        DefinitionError: with source, line, key and what would be allowed.
    """
    try:
        content = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # both also for numbers and nesting that no definition has
        raise DefinitionError(f"this is no TOML: {error}", source=source) from error
    return _protocol(_Table(content, text, source, ()))


class _Table:
    """A table of the file: its keys are taken one by one, and what is left over is an error."""

    def __init__(self, content: dict[str, Any], text: str, source: str, path: tuple[str, ...]) -> None:
        self.content = content
        self._text = text
        self._source = source
        self._path = path
        self._taken: list[str] = []

    def take(self, key: str, kind: type | tuple[type, ...], default: Any = None) -> Any:
        self._taken.append(key)
        value = self.content.get(key, default)
        wrong = isinstance(value, bool) and kind is int
        if key in self.content and (wrong or not isinstance(value, kind)):
            names = [one.__name__ for one in (kind if isinstance(kind, tuple) else (kind,))]
            raise self.error("a value of the wrong type", key, type(value).__name__, " or ".join(names))
        return value

    def table(self, key: str) -> "_Table":
        return self.inner(key, self.take(key, dict, {}))

    def inner(self, key: str, content: dict[str, Any]) -> "_Table":
        return _Table(content, self._text, self._source, (*self._path, key))

    def finish(self) -> None:
        for key in self.content:
            if key not in self._taken:
                raise self.error("no such key here", key, key, ", ".join(self._taken))

    def error(self, reason: str, key: str, found: object, allowed: str) -> DefinitionError:
        dotted = ".".join((*self._path, key))
        line = _line(self._text, self._path, key)
        return DefinitionError(reason, source=self._source, line=line, key=dotted, found=found, allowed=allowed)

    def located(self, error: FramingError, key: str) -> DefinitionError:
        """Say where in the file the mistake stands that something deeper has found."""
        located = DefinitionError(
            str(error),
            source=self._source,
            line=_line(self._text, self._path, key),
            key=".".join((*self._path, key)).rstrip("."),
        )
        located.__cause__ = error
        return located


def _line(text: str, path: tuple[str, ...], key: str) -> int | None:
    """Find a key's line: the first assignment to it behind the headings of its tables, or the innermost of those."""
    found = None
    heads = [f"[{'.'.join(path[:count])}]" for count in range(len(path), 0, -1)]
    head = next((one for one in heads if one in text), "")
    inside = not head
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        if bare.startswith("["):
            inside = bare.startswith(head) if head else False
            found = number if inside and found is None else found
        elif inside and key in (part.strip().rpartition(" ")[2] for part in bare.replace("{", ",").split("=")):
            return number
    return found


def _protocol(table: _Table) -> Protocol:
    facts = {key: table.take(key, str, "") for key in ("title", "source", "not_covered")}
    name = table.take("name", str, "")
    ports = tuple(table.take("ports", list, []))
    if not name:
        raise table.error("a protocol needs a name", "name", "nothing", "text")
    if not all(type(port) is int and 0 < port < 65536 for port in ports):
        raise table.error("not a list of ports", "ports", ports, "[1 to 65535, …]")
    both = table.take("both", dict)
    sides = table.take("client", dict), table.take("server", dict)
    table.finish()
    try:
        if both is not None and sides == (None, None):
            return Protocol.both_ways(name, _lone_wire(table.inner("both", both)), ports=ports, **facts)
        if both is not None or None in sides:
            raise table.error(
                "a protocol has [both], or [client] and [server]", "client", tuple(table.content), "either"
            )
        client, server = (_direction(table.inner(side, content)) for side, content in zip(SIDES, sides, strict=True))
        return Protocol(name, client, server, ports=ports, **facts)
    except DefinitionError as error:
        raise error if error.source == table._source else table.located(error, "name") from error


def _direction(table: _Table) -> Direction:
    if "phases" not in table.content:
        return Direction((Phase("frames", _lone_wire(table)),))
    phases = table.table("phases")
    options = {key: table.take(key, str, "") for key in ("start", "midstream")}
    table.finish()
    made = tuple(_phase(name, phases.inner(name, content), phases) for name, content in phases.content.items())
    try:
        return Direction(made, **options)
    except DefinitionError as error:
        raise table.located(error, "phases") from error


def _phase(name: str, table: _Table, phases: _Table) -> Phase:
    if not isinstance(table.content, dict):
        raise phases.error("a phase is a table", name, type(table.content).__name__, "[….phases.NAME]")
    after = table.take("after", list, [])
    first, otherwise = table.take("first", str, ""), table.take("otherwise", str, "")
    wire = _whole_wire(table)
    rules = tuple(_rule(table.inner("after", content), table) for content in after)
    try:
        return Phase(name, wire, after=rules, first=_bytes(first), otherwise=otherwise)
    except DefinitionError as error:
        raise table.located(error, "first") from error


def _rule(table: _Table, phase: _Table) -> Rule:
    if not isinstance(table.content, dict):
        raise phase.error(
            "a rule is a table", "after", type(table.content).__name__, '{ payload = "…", server = "phase" }'
        )
    moves: dict[Side, str] = {}
    for side in SIDES:
        if phase_name := table.take(side, str, ""):
            moves[side] = phase_name
    fields = table.take("fields", dict, {})
    rule = Rule(
        moves,
        frames=table.take("frames", int, 1),
        payload=_bytes(table.take("payload", str, "")),
        fields={key: _bytes(value) if isinstance(value, str) else value for key, value in fields.items()},
    )
    table.finish()
    if not moves:
        raise phase.error(
            "a rule must move a side", "after", tuple(table.content), 'client = "phase" or server = "phase"'
        )
    return rule


def _lone_wire(table: _Table) -> WireFormat:
    """Make the wire format of a direction without phases."""
    for key in _PHASE_KEYS:
        if key in table.content:
            raise table.error("only a phase has this", key, key, "[….phases.NAME], more than one of them")
    return _whole_wire(table)


def _whole_wire(table: _Table) -> WireFormat:
    """Make the wire format of a table whose other keys were taken."""
    header, name = table.take("header", str), table.take("format", str)
    codec = table.take("codec", (str, dict), "raw")
    options = {key: value for key, value in table.content.items() if key not in (*table._taken, *_PHASE_KEYS)}
    if (header is None) == (name is None):
        raise table.error(
            "a wire format has either a header or a format", "header", tuple(table.content), "one of them"
        )
    key = "format" if header is None else "header"
    try:
        frame_format = get_format(_named(header, name), **({} if header is None else {"header": header}), **options)
        key = "codec"
        return WireFormat(
            frame_format, get_codec(codec) if isinstance(codec, str) else _union(table.inner("codec", codec))
        )
    except FramingError as error:
        inner = getattr(error, "key", None)
        raise table.located(error, inner if inner in table.content else key) from error


def _named(header: str | None, name: str | None) -> str:
    return name if header is None and name is not None else "varint" if ":varint" in (header or "") else "header"


def _union(table: _Table) -> TaggedUnion:
    field, default = table.take("field", str), table.take("default", str)
    cases = table.take("cases", dict, {})
    table.finish()
    return TaggedUnion(
        {_tag(tag, number=field is not None): get_codec(codec) for tag, codec in cases.items()},
        field=field,
        default=None if default is None else get_codec(default),
    )


def _tag(text: str, *, number: bool) -> int | bytes:
    if not number:
        return _bytes(text)
    try:
        return int(text, 16) if text[:2] == "0x" else int(text)
    except ValueError:
        return _bytes(text)


def _bytes(text: str) -> bytes:
    """Return the bytes of a constant: `0x` and hex digits, or text."""
    try:
        return bytes.fromhex(text[2:]) if text[:2] == "0x" else text.encode()
    except ValueError as error:
        raise DefinitionError("not a constant", found=text, allowed="0x and pairs of hex digits, or text") from error
