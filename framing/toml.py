"""A protocol definition file: TOML → Protocol.

    name = "postgresql"                      title, ports, udp_ports, source, not_covered: facts for people and captures
    [both]                                   one wire format for both directions, or
    [client]                                 [client] and [server], each either a wire format
    header = "type:u8 length:u32be"
    [server.phases.answer]                   or phases by name, each a wire format and what ends it
    header = "answer:u8"
    payload_size = 0
    after = [{ fields = { answer = 0x53 }, client = "tls", server = "tls" }, { server = "messages" }]

A wire format is `header` with the options of `HeaderFormat`, `ConditionalFormat` or `VarintFormat`, or `format = "…"`
with that format's options, of which a table with `header` or `format` is a format in its turn; `codec = "…"`, raw if
not said, or a table with `field`, `cases` and `default`. Every key that is not known is an error: a misspelt limit
must not be no limit.
"""

import tomllib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from framing.codec import Codec
from framing.errors import DefinitionError, FramingError, PluginLoadError
from framing.protocol import SIDES, Direction, Phase, Protocol, Rule, Side
from framing.shorthand import get_codec, get_format, get_table_format
from framing.toml_lines import dotted, key_lines
from framing.wire import TaggedUnion, WireFormat

__all__ = ["load_protocol", "parse_protocol"]

_PHASE_KEYS = ("after", "first", "otherwise")
_DIRECTION_KEYS = ("phases", "start", "midstream")

# What TOML calls Python's types.
_KINDS = {str: "text", int: "an integer", dict: "a table", list: "an array", float: "a float", bool: "a boolean"}


def load_protocol(path: str) -> Protocol:
    """Read a definition file.

    Raises:
        DefinitionError: it cannot be read, is no TOML, or defines nothing that works.
        PluginLoadError: it names a plug-in that cannot be loaded.
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
        PluginLoadError: as `load_protocol`.
    """
    try:
        content = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # both also for numbers and nesting that no definition has
        raise DefinitionError(f"this is no TOML: {error}", source=source, line=_error_line(error, text)) from error
    return _protocol(_Table(content, _File(text, source), ()))


def _error_line(error: Exception, text: str) -> int | None:
    """Read out of tomllib's message where it stopped; it has no attribute for it before Python 3.14."""
    _, told, place = str(error).rpartition("(at line ")
    if told:
        return int(place.partition(",")[0])
    return text.removesuffix("\n").count("\n") + 1 if str(error).endswith("(at end of document)") else None


class _File:
    """The text that is read and its name, for errors."""

    def __init__(self, text: str, source: str) -> None:
        self.source = source
        self._text = text
        self._lines: dict[str, int] | None = None

    @property
    def lines(self) -> dict[str, int]:
        if self._lines is None:
            self._lines = key_lines(self._text)
        return self._lines

    def name(self, plain: str) -> str | None:
        """Return the dotted name of a key of the file as TOML writes it, from one that may lack the quotes."""
        return (
            plain if plain in self.lines else next((one for one in self.lines if one.replace('"', "") == plain), None)
        )

    def error(self, reason: str, path: tuple[str | int, ...], **facts: Any) -> DefinitionError:
        """Return the error for a key, with its line, or that of the innermost table around it that is there."""
        known = (self.lines.get(dotted(path[:count])) for count in range(len(path), 0, -1))
        line = next((line for line in known if line), None)
        return DefinitionError(reason, source=self.source, line=line, key=dotted(path) or None, **facts)


class _Table:
    """A table of the file: its keys are taken one by one, and what is left over is an error."""

    def __init__(self, content: dict[str, Any], file: _File, path: tuple[str | int, ...]) -> None:
        self.content = content
        self.taken: dict[str, None] = {}  # in the order in which an error lists them
        self._file = file
        self._path = path

    def take(self, key: str, *kinds: type, default: Any = None) -> Any:
        self.taken[key] = None
        if key not in self.content:
            return default
        value = self.content[key]
        if not isinstance(value, kinds) or isinstance(value, bool):
            raise self.error(
                "a value of the wrong type", key, _kind(value), " or ".join(_KINDS[kind] for kind in kinds)
            )
        return value

    def take_bytes(self, key: str) -> bytes:
        text: str = self.take(key, str, default="")
        return self.constant(key, text)

    def constant(self, key: str, text: str) -> bytes:
        """Return the bytes of a constant: `0x` and hex digits, or text."""
        try:
            return bytes.fromhex(text[2:]) if text[:2] == "0x" else text.encode()
        except ValueError as error:
            raise self.error("not a constant", key, text, "0x and pairs of hex digits, or text") from error

    def inner(self, key: str) -> "_Table":
        return _Table(self.take(key, dict, default={}), self._file, (*self._path, key))

    def items(self, key: str) -> "Iterator[_Table]":
        for number, content in enumerate(self.take(key, list, default=[])):
            item = _Table(content, self._file, (*self._path, key, number))
            if not isinstance(content, dict):
                raise self._file.error(
                    "this is no table", item._path, found=_kind(content), allowed="{ key = value, … }"
                )
            yield item

    def finish(self) -> None:
        for key in self.content:
            if key not in self.taken:
                raise self.error("no such key here", key, key, ", ".join(self.taken), _near(key, self.taken))

    def error(self, reason: str, key: str, found: object, allowed: str, hint: str | None = None) -> DefinitionError:
        return self._file.error(reason, (*self._path, key), found=found, allowed=allowed, hint=hint)

    @contextmanager
    def locating(self, key: str) -> Iterator[None]:
        """Say where in the file the mistake stands that something deeper finds: at the key it names, or at `key`.

        What cannot be loaded is no mistake of the file.
        """
        try:
            yield
        except PluginLoadError:
            raise
        except FramingError as error:
            raise self._located(error, key) from error

    def _located(self, error: FramingError, key: str) -> DefinitionError:
        facts = {name: getattr(error, name, None) for name in ("position", "found", "allowed", "hint")}
        deeper = getattr(error, "key", None)
        if deeper in self.content and facts["hint"] is None:
            facts["hint"] = _near(deeper, (*self.taken, *_PHASE_KEYS))
        located = self._file.error(error.reason, (*self._path, key) if key else self._path, **facts)
        name = self._file.name(".".join(part for part in (dotted(self._path), deeper) if part)) if deeper else None
        if name:
            located.key, located.line = name, self._file.lines[name]
        return located


def _kind(value: object) -> str:
    return _KINDS.get(type(value), "a date or time")


def _near(key: str, known: Iterable[str]) -> str | None:
    from difflib import get_close_matches  # only an error pays for it

    near = get_close_matches(key, dict.fromkeys(one for one in known if one != key))
    return f"did you mean {' or '.join(near)}?" if near else None


def _protocol(table: _Table) -> Protocol:
    facts: dict[str, Any] = {key: table.take(key, str, default="") for key in ("title", "source", "not_covered")}
    name: str = table.take("name", str, default="")
    ports = {key: tuple(table.take(key, list, default=[])) for key in ("ports", "udp_ports")}
    both, sides = table.inner("both"), [table.inner(side) for side in SIDES]
    table.finish()
    if not name:
        raise table.error("a protocol needs a name", "name", "nothing", "text")
    facts |= ports
    for key, listed in ports.items():
        if not all(type(port) is int and 0 < port < 65536 for port in listed):
            raise table.error("not a list of ports", key, listed, "[1 to 65535, …]")
    there = [key for key in ("both", *SIDES) if key in table.content]
    if there == ["both"]:
        return Protocol.both_ways(name, _lone_wire(both), **facts)
    if there != [*SIDES]:
        reason = "a protocol has [both], or [client] and [server]"
        raise table.error(reason, there[-1] if there else "both", there or "none of them", "either")
    client, server = map(_direction, sides)
    with table.locating(""):
        return Protocol(name, client, server, **facts)


def _direction(table: _Table) -> Direction:
    if "phases" not in table.content:
        return Direction((Phase("frames", _lone_wire(table)),))
    phases = table.inner("phases")
    options = {key: table.take(key, str, default="") for key in ("start", "midstream")}
    table.finish()
    made = tuple(_phase(name, phases.inner(name)) for name in phases.content)
    with table.locating("phases"):
        return Direction(made, **options)


def _phase(name: str, table: _Table) -> Phase:
    rules = tuple(map(_rule, table.items("after")))
    first, otherwise = table.take_bytes("first"), table.take("otherwise", str, default="")
    wire = _wire(table)
    with table.locating("first" if first else "otherwise"):
        return Phase(name, wire, after=rules, first=first, otherwise=otherwise)


def _rule(table: _Table) -> Rule:
    moves: dict[Side, str] = {side: table.take(side, str) for side in SIDES if side in table.content}
    fields = table.inner("fields")
    values = {key: fields.take(key, int, str) for key in fields.content}
    facts = {"frames": table.take("frames", int, default=1), "payload": table.take_bytes("payload")}
    table.taken |= dict.fromkeys(SIDES)
    table.finish()
    if not moves:
        allowed = 'client = "phase" or server = "phase"'
        raise table.error("a rule must move a side", "client", tuple(table.content) or "nothing", allowed)
    constants = {key: fields.constant(key, one) if isinstance(one, str) else one for key, one in values.items()}
    with table.locating("frames"):
        return Rule(moves, fields=constants, **facts)


def _lone_wire(table: _Table) -> WireFormat:
    """Make the wire format of a direction without phases."""
    for key in (*_PHASE_KEYS, *_DIRECTION_KEYS):
        if key in table.content:
            where = "[client] or [server]" if key in _DIRECTION_KEYS else "[….phases.NAME]"
            raise table.error("this is for a direction with phases", key, key, f"it in {where}")
    return _wire(table)


def _wire(table: _Table) -> WireFormat:
    """Make the wire format of a table whose other keys were taken."""
    header, name = table.take("header", str), table.take("format", str)
    if (header is None) == (name is None):
        there = tuple(table.content) or "nothing"
        raise table.error("a wire format has either a header or a format", "header", there, "one of them")
    options = {key: value for key, value in table.content.items() if key not in (*table.taken, "codec")}
    with table.locating("format" if header is None else "header"):
        if header is None:
            frame_format = get_format(name, **options)
        else:
            frame_format = get_table_format({"header": header, **options})
    if not isinstance(table.content.get("codec"), dict):
        codec = table.take("codec", str, dict, default="raw")
        with table.locating("codec"):
            return WireFormat(frame_format, get_codec(codec))
    inner = table.inner("codec")
    union = _union(inner)
    with inner.locating("field"):
        return WireFormat(frame_format, union)


def _union(table: _Table) -> TaggedUnion:
    field: str | None = table.take("field", str)
    cases, made = table.inner("cases"), {}
    for text in cases.content:
        tag = _tag(cases, text, number=field is not None)
        if tag in made:
            raise cases.error("two cases with one tag", text, text, "a tag once")
        made[tag] = _case(cases, text)
    default = _case(table, "default") if "default" in table.content else None
    table.taken["default"] = None
    table.finish()
    with table.locating("cases"):
        return TaggedUnion(made, field=field, default=default)


def _case(table: _Table, key: str) -> Codec:
    text: str = table.take(key, str)
    with table.locating(key):
        return get_codec(text)


def _tag(table: _Table, text: str, *, number: bool) -> int | bytes:
    if number:
        try:
            return int(text, 16) if text[:2] == "0x" else int(text)
        except ValueError:  # then it is what a field of bytes has
            pass
    return table.constant(text, text)
