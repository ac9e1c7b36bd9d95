"""The one-line notation: `u32be/msgpack`, `delimiter("\\r\\n")/raw`, `header("type:u8 length:u32be", counts=frame)`.

    shorthand = call [ "/" call ]                      a frame format, and a codec (raw if there is none)
    call      = name [ "@" distribution ] [ "(" argument *( "," argument ) ")" ]
    argument  = [ key "=" ] value
    value     = decimal | 0x hex | true | false | "text" with Python's escapes | a bare word

In a wire format, `recovery` may stand among the options of any frame format: it is what whoever reads does after a
frame error; see `framing.recovery`. Three kinds of name stand for a format with an option: `u8` … `u64le` for
`header("length:…")`; `varint5`, `quic` and `gob` for `varint("length:varint5")` and so on. What `header` declares is
one of three formats: with numbers of variable width it is `varint`, with conditions, `xor` or `minimal` it is
`conditional`.
"""

from typing import TYPE_CHECKING, Any

from framing.codec import Codec
from framing.errors import DefinitionError, UnknownNameError
from framing.frame import FrameFormat
from framing.registry import load
from framing.wire import WireFormat

if TYPE_CHECKING:
    from inspect import Signature

__all__ = [
    "Call",
    "expanded",
    "get_codec",
    "get_format",
    "get_table_format",
    "get_wire",
    "parse_call",
    "split_shorthand",
]


def get_codec(text: str, /, **options: Any) -> Codec:
    """Return a new codec.

    >>> get_codec("msgpack(max_depth=8)")  # doctest: +ELLIPSIS
    MsgpackCodec(...max_depth=8...)

    Args:
        text: a name, `name@distribution`, or a call with options.
        **options: more options; they win over those in the text.

    Raises:
        RegistryError: no such codec, or it cannot be loaded.
        DefinitionError: an option that it does not have, or a value it cannot have.
    """
    call = parse_call(text)
    codec = _made("codec", load("codec", call.name), call, options)
    if not isinstance(codec, Codec):
        raise DefinitionError("this codec plug-in made no Codec", source=text, found=type(codec).__name__)
    return codec


def get_format(text: str, /, **options: Any) -> FrameFormat:
    """Return a frame format.

    >>> get_format("u16be", max_frame_size=100)
    HeaderFormat(header='length:u16be', max_frame_size=100)

    Args:
        text: a name, `name@distribution`, a call with options, or the type of a length: `u32be`, `varint5`.
        **options: more options; they win over those in the text. A dict with `header` or `format` stands for the format
            that it declares, as in a definition file, and a dict of such dicts for several by name.

    Raises:
        RegistryError: no such format, or it cannot be loaded.
        DefinitionError: an option that it does not have, or a declaration that cannot work.
    """
    options = {key: _nested(key, value) for key, value in options.items()}
    return _called_format(expanded(parse_call(text)), text, options)


def _called_format(call: "Call", text: str, options: dict[str, Any]) -> FrameFormat:
    if call.name == "header":
        call = Call(_kind_of_header(call, options), call.arguments, call.options)
    try:
        factory = load("format", call.name)
    except UnknownNameError as error:
        if near := _near_types(call.name):
            error.hint = f"did you mean {' or '.join(near)}?"
        raise
    frame_format = _made("format", factory, call, options)
    if not isinstance(frame_format, FrameFormat):
        raise DefinitionError("this format plug-in made no FrameFormat", source=text, found=type(frame_format).__name__)
    return frame_format


def get_table_format(options: dict[str, Any]) -> FrameFormat:
    """Return the frame format of a definition's table: `header`, or `format` and a name, with that format's options.

    >>> get_table_format({"format": "u16be", "max_frame_size": 100})
    HeaderFormat(header='length:u16be', max_frame_size=100)

    Raises:
        RegistryError, DefinitionError: as `get_format`.
    """
    if ("header" in options) == ("format" in options) or not isinstance(options.get("format", ""), str):
        found = ", ".join(options)
        raise DefinitionError("a format has a header or a name", key="format", found=found, allowed="one of them")
    if "format" in options:
        return get_format(options["format"], **{key: value for key, value in options.items() if key != "format"})
    return get_format("header", **options)


def _nested(path: str, value: Any) -> Any:
    """Make the formats that an option declares as a table, or as a table of tables."""
    if not isinstance(value, dict):
        return value
    if _is_format(value):
        return _declared(path, value)
    return {key: _declared(f"{path}.{key}", one) if _is_format(one) else one for key, one in value.items()}


def _is_format(value: object) -> bool:
    return isinstance(value, dict) and not {"header", "format"}.isdisjoint(value)


def _declared(path: str, table: dict[str, Any]) -> FrameFormat:
    """Make a format; the key in an error says which one is meant."""
    try:
        return get_table_format(table)
    except DefinitionError as error:
        error.key = f"{path}.{error.key}" if error.key else path
        raise
    except RecursionError as error:
        raise DefinitionError("formats are nested too deeply in each other", key=path) from error


def get_wire(text: str) -> WireFormat:
    """Return the wire format of a shorthand, `format/codec` or `format` alone, which means the codec raw.

    >>> get_wire("lines(recovery=delimiter)").recovery
    'delimiter'

    Raises:
        RegistryError, DefinitionError: as `get_format` and `get_codec`.
    """
    parts = split_shorthand(text)
    if len(parts) > 2:
        raise DefinitionError("more than a frame format and a codec", source=text, allowed="format/codec")
    call = expanded(parse_call(parts[0]))
    recovery = call.options.pop("recovery", "poison")
    frame_format = _called_format(call, parts[0], {})
    return WireFormat(frame_format, get_codec(parts[1] if len(parts) == 2 else "raw"), recovery=recovery)


class Call:
    """A name with arguments, as written.

    >>> call = parse_call('delimiter(";", keep=true)')
    >>> call.name, call.arguments, call.options
    ('delimiter', [';'], {'keep': True})
    """

    __slots__ = ("arguments", "name", "options")

    def __init__(self, name: str, arguments: list[Any], options: dict[str, Any]) -> None:
        self.name = name
        self.arguments = arguments
        self.options = options


def split_shorthand(text: str) -> list[str]:
    """Split at the slashes outside parentheses and quotes.

    >>> split_shorthand('delimiter("/")/raw')
    ['delimiter("/")', 'raw']
    """
    return [part for part, _ in _split(text, "/", text, 0)]


def parse_call(text: str) -> Call:
    """Read one call.

    Raises:
        DefinitionError: it is no call; the error says at which character.
    """
    name, parenthesis, rest = text.partition("(")
    call, begin = Call(name.strip(), [], {}), len(name) + 1
    _split(text, "/", text, 0)
    if not parenthesis:
        return call
    inside, _, after = rest.rpartition(")")
    if after.strip():
        position = len(text) - len(after)
        raise DefinitionError(
            "something follows the parenthesis", source=text, position=position, found=after, allowed="nothing, or /"
        )
    for argument, position in _split(inside, ",", text, begin):
        key, equals, value = argument.partition("=")
        key = key.strip()
        if not equals or not key.isidentifier():
            if argument.strip():
                call.arguments.append(_value(argument.strip(), text, position))
        elif key in call.options:
            raise DefinitionError("an option is given twice", source=text, key=key, position=position)
        else:
            call.options[key] = _value(value.strip(), text, position)
    return call


def _split(text: str, separator: str, source: str, begin: int) -> list[tuple[str, int]]:
    """Split outside parentheses and quotes; `text` begins at `begin` of `source`, and so do the parts' places."""
    parts: list[tuple[str, int]] = []
    opened: list[int] = []
    quote, skip, last = "", False, 0
    for place, character in enumerate(text):
        if skip or (quote and character == "\\"):
            skip = not skip
        elif quote:
            if character == quote:
                quote = ""
                opened.pop()
        elif character in "\"'(":
            opened.append(place)
            quote = character if character != "(" else ""
        elif character == ")":
            if not opened:
                raise DefinitionError("a parenthesis was never opened", source=source, position=begin + place)
            opened.pop()
        elif character == separator and not opened:
            parts.append((text[last:place], begin + last))
            last = place + 1
    if opened:
        closing = quote or ")"
        raise DefinitionError(
            "a quote or parenthesis is not closed", source=source, position=begin + opened[-1], allowed=closing
        )
    return [*parts, (text[last:], begin + last)]


def _value(text: str, source: str, position: int) -> Any:
    if text[:1] in "\"'" and text:
        from ast import literal_eval  # only who writes quotes pays for it

        try:
            return literal_eval(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError) as error:  # the last two: deep nesting
            allowed = '"…" with escapes'
            raise DefinitionError(
                "not a quoted text", source=source, position=position, found=text, allowed=allowed
            ) from error
    if text in ("true", "false"):
        return text == "true"
    digits = text[2:] if text[:2] == "0x" else text
    if text[:2] == "0x" and digits and all(digit in "0123456789abcdefABCDEF" for digit in digits):
        return int(digits, 16)
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else text


def expanded(call: Call) -> Call:
    """Turn the type of a length into the format that it stands for."""
    kind = "header" if _is_integer_type(call.name) else "varint" if _is_varint_type(call.name) else ""
    return Call(kind, [f"length:{call.name}", *call.arguments], call.options) if kind else call


def _kind_of_header(call: Call, options: dict[str, Any]) -> str:
    """Return which format a declaration is for: one notation declares the headers of three."""
    given = dict(zip(("header",), call.arguments, strict=False)) | call.options | options
    header, trailer = (text if isinstance(text := given.get(key, ""), str) else "" for key in ("header", "trailer"))
    if any(token.partition(":")[2].rstrip("0123456789") in ("varint", "quic", "gob") for token in header.split()):
        return "varint"
    return "conditional" if "?" in header + trailer or not {"xor", "minimal"}.isdisjoint(given) else "header"


def _is_integer_type(name: str) -> bool:
    return name[:1] == "u" and name[1:].removesuffix("be").removesuffix("le").isdecimal()


def _is_varint_type(name: str) -> bool:
    encoding = name.rstrip("0123456789")
    return encoding in ("quic", "gob") or (encoding == "varint" and name != "varint")


def _near_types(name: str) -> list[str]:
    from difflib import get_close_matches  # only this error pays for it

    types = ["u8", *(f"u{width}{order}" for width in range(16, 65, 8) for order in ("be", "le")), "varint"]
    return get_close_matches(name.lower(), types, cutoff=0.5)


def _made(kind: str, factory: Any, call: Call, options: dict[str, Any]) -> Any:
    merged = call.options | options
    try:
        return factory(*call.arguments, **merged)
    except TypeError as error:
        what = f"{kind} {call.name}"
        signature = _signature(factory)
        if signature is not None:
            _check_call(what, signature, call.arguments, merged)
        if not call.arguments and not merged:
            raise  # nobody's mistake but the plug-in's
        key = next((key for key in merged if str(error).startswith(f"{key} ")), None)
        found = None if key is None else merged[key]
        raise DefinitionError(f"{what}: {error}", key=key, found=found) from error


def _signature(factory: Any) -> "Signature | None":
    from inspect import signature  # only errors pay for it

    try:
        return signature(factory)
    except (TypeError, ValueError):  # a factory written in C need not tell
        return None


def _check_call(what: str, signature: "Signature", arguments: list[Any], options: dict[str, Any]) -> None:
    """Refuse options that a factory does not have, and a lack of those that it must have."""
    from difflib import get_close_matches

    taken = [
        name for name, one in signature.parameters.items() if one.kind not in (one.VAR_KEYWORD, one.VAR_POSITIONAL)
    ]
    allowed = ", ".join(taken) or "no options"
    try:
        signature.bind(*arguments, **options)
    except TypeError as error:
        strange = next((key for key in options if key not in taken), None)
        if strange is None or any(one.kind == one.VAR_KEYWORD for one in signature.parameters.values()):
            raise DefinitionError(f"{what}: {error}", allowed=allowed) from error
        near = get_close_matches(strange, taken)
        hint = f"did you mean {' or '.join(near)}?" if near else None
        raise DefinitionError(f"{what} has no option {strange}", key=strange, allowed=allowed, hint=hint) from error
