"""A protocol definition file: TOML → Protocol.

    name = "postgresql"                      title, ports, udp_ports, source, not_covered, over: facts
    [both]                                   one wire format for both directions, or
    [client]                                 [client] and [server], each either a wire format
    header = "type:u8 length:u32be"
    [server.phases.answer]                   or phases by name, each a wire format and what ends it
    header = "answer:u8"
    payload_size = 0
    after = [{ fields = { answer = 0x53 }, client = "tls", server = "tls" }, { server = "messages" }]

A wire format is `header` with the options of `HeaderFormat`, `ConditionalFormat` or `VarintFormat`, or `format = "…"`
with that format's options, of which a table with `header` or `format` is a format in its turn; `codec = "…"`, raw if
not said, or a table with `field`, `cases` and `default`; `join`, a table with the arguments of `framing.join.Join`;
`recovery = "…"`, one of `framing.recovery.POLICY_NAMES`, poison if not said. Every key that is not known is an error: a
misspelt limit must not be no limit.
"""

import tomllib
from typing import Any

from framing.codec import Codec
from framing.errors import DefinitionError
from framing.join import Join
from framing.protocol import SIDES, Direction, Phase, Protocol, Rule, Side
from framing.recovery import POLICY_NAMES
from framing.shorthand import get_codec, get_format, get_table_format
from framing.toml_table import File, Table, kind_of
from framing.wire import TaggedUnion, WireFormat

__all__ = ["load_protocol", "parse_protocol"]

# Characters of a definition: thirty times what the longest of the shipped ones has. A stranger's file of 100 MB would
# take a quarter of a minute, and one with a key of 50000 parts hours, since tomllib looks at all beginnings of each.
_MAX_SIZE = 1 << 18
_MAX_DOTS = 256

_FACTS = ("title", "source", "not_covered", "over")
_PHASE_KEYS = ("after", "first", "otherwise")
_DIRECTION_KEYS = ("phases", "start", "midstream")
_JOIN_CONDITIONS = ("more", "last", "end", "then", "alone", "abort")
_JOIN_OPTIONS: dict[str, tuple[type, ...]] = {
    "by": (str, list),
    "counter": (dict,),
    "payload_size": (int,),
    "max_message_size": (int,),
}


def load_protocol(path: str) -> Protocol:
    """Read a definition file.

    Raises:
        DefinitionError: it cannot be read, is no TOML, or defines nothing that works.
        PluginLoadError: it names a plug-in that cannot be loaded.
    """
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(_MAX_SIZE + 1)
    except (OSError, ValueError) as error:  # no UTF-8, or a path that cannot be
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise DefinitionError(f"the definition cannot be read: {why}", source=path) from error
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
    _check_size(text, source)
    try:
        content = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # both also for numbers and nesting that no definition has
        raise DefinitionError(f"this is no TOML: {error}", source=source, line=_error_line(error, text)) from error
    return _protocol(Table(content, File(text, source), ()))


def _check_size(text: str, source: str) -> None:
    if len(text) > _MAX_SIZE:
        allowed = f"{_MAX_SIZE} at most"
        raise DefinitionError("a definition of too many characters", source=source, allowed=allowed)
    for number, line in enumerate(text.splitlines(), 1):
        # A key stands before an equals sign or fills the line. Text may have some full stops, too, but hardly so many.
        if line.count(".") > _MAX_DOTS and any(part.count(".") > _MAX_DOTS for part in line.split("=")):
            allowed = f"{_MAX_DOTS} full stops at most"
            raise DefinitionError("a key of too many parts", source=source, line=number, allowed=allowed)


def _error_line(error: Exception, text: str) -> int | None:
    """Read out of tomllib's message where it stopped; it has no attribute for it before Python 3.14."""
    _, told, place = str(error).rpartition("(at line ")
    if told:
        return int(place.partition(",")[0])
    return text.removesuffix("\n").count("\n") + 1 if str(error).endswith("(at end of document)") else None


def _protocol(table: Table) -> Protocol:
    facts: dict[str, Any] = {key: table.take(key, str, default="") for key in _FACTS}
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


def _direction(table: Table) -> Direction:
    if "phases" not in table.content:
        return Direction((Phase("frames", _lone_wire(table)),))
    phases = table.inner("phases")
    options = {key: table.take(key, str, default="") for key in ("start", "midstream")}
    table.finish()
    made = tuple(_phase(name, phases.inner(name)) for name in phases.content)
    with table.locating("phases"):
        return Direction(made, **options)


def _phase(name: str, table: Table) -> Phase:
    rules = tuple(map(_rule, table.items("after")))
    first, otherwise = table.take_bytes("first"), table.take("otherwise", str, default="")
    wire = _wire(table)
    with table.locating("first" if first else "otherwise"):
        return Phase(name, wire, after=rules, first=first, otherwise=otherwise)


def _rule(table: Table) -> Rule:
    moves: dict[Side, str] = {side: table.take(side, str) for side in SIDES if side in table.content}
    facts = {
        "frames": table.take("frames", int, default=1),
        "payload": table.take_bytes("payload"),
        "pattern": _pattern(table),
        "fields": _condition(table.inner("fields")),
        "owes": _owes(table.inner("owes")),
        "answers": table.take("answers", bool, default=False),
    }
    table.taken |= dict.fromkeys(SIDES)
    table.finish()
    if not (moves or facts["owes"] or facts["answers"]):
        allowed = 'client = "phase", server = "phase", owes = { … } or answers = true'
        raise table.error("a rule must do something", "client", tuple(table.content) or "nothing", allowed)
    with table.locating("frames"):
        return Rule(moves, **facts)


def _lone_wire(table: Table) -> WireFormat:
    """Make the wire format of a direction without phases."""
    for key in (*_PHASE_KEYS, *_DIRECTION_KEYS):
        if key in table.content and not (key == "start" and "format" in table.content):  # that of `enclosed`
            named = "[client.phases.NAME] or [server.phases.NAME]"
            allowed = f"it beside {named}" if key in _DIRECTION_KEYS else f"it in {named}"
            raise table.error("this is for a direction with phases", key, key, allowed)
    return _wire(table)


def _wire(table: Table) -> WireFormat:
    """Make the wire format of a table whose other keys were taken."""
    header, name = table.take("header", str), table.take("format", str)
    recovery = table.take("recovery", str, default=POLICY_NAMES[0])
    if (header is None) == (name is None):
        there = tuple(table.content) or "nothing"
        hint = table.near(("header", "format")) if header is None else None
        raise table.error("a wire format has either a header or a format", "header", there, "one of them", hint)
    options = {key: value for key, value in table.content.items() if key not in (*table.taken, "codec", "join")}
    with table.locating("format" if header is None else "header", near=(*_PHASE_KEYS, "join")):
        if header is None:
            frame_format = get_format(name, **options)
        else:
            frame_format = get_table_format({"header": header, **options})
    join = _join(table.inner("join")) if "join" in table.content else None
    if not isinstance(table.content.get("codec"), dict):
        codec = table.take("codec", str, dict, default="raw")
        with table.locating("codec"):
            wire = WireFormat(frame_format, get_codec(codec), join=join)
    else:
        inner = table.inner("codec")
        union = _union(inner)
        with inner.locating("field"):
            wire = WireFormat(frame_format, union, join=join)
    with table.locating("recovery"):
        return wire.recovering(recovery)


def _owes(table: Table) -> dict[Side, str]:
    owed: dict[Side, str] = {side: table.take(side, str) for side in SIDES if side in table.content}
    table.taken |= dict.fromkeys(SIDES)
    table.finish()
    return owed


def _pattern(table: Table) -> str | dict[str, str]:
    pattern = table.take("pattern", str, dict, default="")
    if isinstance(pattern, str):
        return pattern
    inner = table.inner("pattern")
    return {key: inner.take(key, str) for key in pattern}


def _join(table: Table) -> Join:
    conditions: dict[str, Any] = {key: _condition(table.inner(key)) for key in _JOIN_CONDITIONS if key in table.content}
    options: dict[str, Any] = {
        key: table.take(key, *kinds) for key, kinds in _JOIN_OPTIONS.items() if key in table.content
    }
    table.taken |= dict.fromkeys((*_JOIN_CONDITIONS, *_JOIN_OPTIONS))
    table.finish()
    if not conditions.keys() & {"more", "end"}:
        there = tuple(conditions) or "nothing"
        raise table.error("nothing tells that a message goes on", "more", there, "{ field = value }, or end so")
    with table.locating(""):
        return Join(**conditions, **options)


def _condition(table: Table) -> dict[str, Any]:
    """Return what header fields have: a value, or any of several."""
    values = {}
    for key in table.content:
        value = table.take(key, int, str, list)
        several = [_constant(table, key, one) for one in (value if isinstance(value, list) else [value])]
        values[key] = several if isinstance(value, list) else several[0]
    return values


def _constant(table: Table, key: str, value: object) -> int | bytes:
    if isinstance(value, str):
        return table.constant(key, value)
    if type(value) is not int:
        raise table.error("a value of the wrong type", key, kind_of(value), "an integer or text")
    return value


def _union(table: Table) -> TaggedUnion:
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


def _case(table: Table, key: str) -> Codec:
    text: str = table.take(key, str)
    with table.locating(key):
        return get_codec(text)


def _tag(table: Table, text: str, *, number: bool) -> int | bytes:
    if number:
        try:
            return int(text, 16) if text[:2] == "0x" else int(text)
        except ValueError:  # then it is what a field of bytes has
            pass
    return table.constant(text, text)
