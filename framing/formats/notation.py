"""The notation in which headers and trailers are declared, and its parser: text → fields.

    header   = field *( " " field )
    field    = name ":" type [ "*" scale ] [ "=" constant *( "|" constant ) ]
             | "(" bits *( " " bits ) ")" ":" type        bits of one integer, the highest first
    bits     = name ":" count [ "=" constant *( "|" constant ) ]
    type     = "u8" | "u" ("16" | "24" | … | "64") ("be" | "le")     unsigned integer of 1 to 8 bytes
             | "bytes" size                                          that many bytes as they are
             | "varint" [ max_size ]                                 LEB128, at most max_size bytes (10 if not said)
    constant = decimal | "0x" hex                                    for an integer
             | "0x" hex | hex2 "*" size | text of exactly size characters      for bytes

The byte picture of `(type:4 flags:4):u8 id:bytes2 length:u16be`:

    0        1                 3                 5
    +--------+-----------------+-----------------+- - - - - -
    |type|flg|       id        |     length      | payload
    +--------+-----------------+-----------------+- - - - - -

Spec: [F10], [F11], [F14]. Every mistake is a `DefinitionError` with the character it begins at.
"""

from collections.abc import Iterator

from framing.errors import DefinitionError

__all__ = ["Bits", "Field", "parse_notation"]

# The widths a length may have on the wire: 64 bits are enough for any stream, and Python's integers for all of them.
_MAX_INTEGER_SIZE = 8
_VARINT_MAX_SIZE = 10  # a 64-bit number in groups of seven bits


class Bits:
    """A named group of bits inside an integer field: `shift` counts from the lowest bit."""

    __slots__ = ("allowed", "count", "name", "shift")

    def __init__(self, name: str, count: int, shift: int, allowed: tuple[int, ...]) -> None:
        self.name = name
        self.count = count
        self.shift = shift
        self.allowed = allowed


class Field:
    """One field of a header or trailer, as declared.

    Attributes:
        name: empty for an integer that is divided into `bits`.
        kind: "uint", "bytes" or "varint".
        size: bytes on the wire; of a varint the most it may take.
        byteorder: "big" or "little".
        position: the character of the declaration where it begins.
        scale: what the field's number is multiplied with, where it is a length.
        allowed: the constants it may have, the first one written by default; empty if it is free.
        bits: its named bits, highest first.
    """

    __slots__ = ("allowed", "bits", "byteorder", "kind", "name", "position", "scale", "size")

    def __init__(self, name: str, kind: str, size: int, byteorder: str, position: int) -> None:
        self.name = name
        self.kind = kind
        self.size = size
        self.byteorder = byteorder
        self.position = position
        self.scale = 1
        self.allowed: tuple[int | bytes, ...] = ()
        self.bits: tuple[Bits, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The names it brings: its own, or those of its bits."""
        return tuple(part.name for part in self.bits) if self.bits else (self.name,)


class _Source:
    """The notation being read, for errors that point at the character."""

    __slots__ = ("text", "what")

    def __init__(self, text: str, what: str) -> None:
        self.text = text
        self.what = what

    def error(self, reason: str, position: int, found: object, allowed: str) -> DefinitionError:
        return DefinitionError(
            f"{self.what}: {reason}", source=self.text, position=position, found=found, allowed=allowed
        )


def parse_notation(text: str, what: str = "header") -> list[Field]:
    """Read a declaration into its fields, in wire order.

    >>> [(field.name, field.size) for field in parse_notation("type:u8 length:u24be")]
    [('type', 1), ('length', 3)]

    Raises:
        DefinitionError: with the character where the mistake begins and what would be allowed there.
    """
    source = _Source(text, what)
    fields = [_field(source, token, position) for token, position in _tokens(source, text, 0)]
    _check_names(source, fields)
    return fields


def _tokens(source: _Source, text: str, position: int) -> Iterator[tuple[str, int]]:
    """Split at blanks outside parentheses."""
    depth, begin = 0, -1
    for index, character in enumerate(text + " ", position):
        depth += (character == "(") - (character == ")")
        if depth not in (0, 1):
            raise source.error("parentheses do not match", index, character, "one pair around the bits of one integer")
        if character.isspace() and not depth:
            if begin >= 0:
                yield text[begin - position : index - position], begin
            begin = -1
        elif begin < 0:
            begin = index
    if depth:
        raise source.error("a parenthesis is not closed", begin, text[begin - position :], "(name:bits …):type")


def _field(source: _Source, token: str, position: int) -> Field:
    if token.startswith("("):
        inside, _, after = token[1:].rpartition(")")
        if not after.startswith(":"):
            raise source.error("bits need the type of their integer", position, token, "(name:bits …):u16be")
        field = _typed(source, "", after[1:], position + len(inside) + 3)
        if field.kind != "uint" or field.allowed or field.scale != 1:
            raise source.error(
                "only an integer has bits, and its constants belong to them", position, token, "u8 to u64le"
            )
        field.bits = _bits(source, inside, position + 1, field)
        field.position = position
        return field
    name, colon, rest = token.partition(":")
    if not colon:
        raise source.error("a field needs a type", position, token, "name:type, such as length:u32be")
    _check_name(source, name, position)
    field = _typed(source, name, rest, position + len(name) + 1)
    field.position = position
    return field


def _typed(source: _Source, name: str, rest: str, position: int) -> Field:
    declared, equals, constants = rest.partition("=")
    type_name, star, scale = declared.partition("*")
    kind, size, byteorder = _type(source, type_name, position)
    field = Field(name, kind, size, byteorder, position)
    if star:
        field.scale = _number(source, scale, position + len(type_name) + 1, "a scale", 1)
        if kind == "bytes":
            raise source.error("bytes have no scale", position, declared, "an integer type")
    if equals:
        field.allowed = tuple(_constants(source, field, constants, position + len(declared) + 1))
    return field


def _type(source: _Source, text: str, position: int) -> tuple[str, int, str]:
    if text.startswith("bytes"):
        return "bytes", _number(source, text[5:], position + 5, "a size", 1), "big"
    if text.startswith("varint"):
        size = _number(source, text[6:], position + 6, "the most bytes", 1) if text[6:] else _VARINT_MAX_SIZE
        if size > _VARINT_MAX_SIZE:
            raise source.error("a varint of more than 64 bits", position, text, f"varint1 to varint{_VARINT_MAX_SIZE}")
        return "varint", size, "little"
    digits, order = (text[1:-2], text[-2:]) if text[-2:] in ("be", "le") else (text[1:], "")
    if not text.startswith("u") or not _is_count(digits):
        raise source.error("unknown type", position, text, "u8, u16be to u64le in steps of 8 bits, bytesN, varint")
    width = int(digits)
    if width % 8 or not 8 <= width <= 8 * _MAX_INTEGER_SIZE:
        raise source.error("no such width", position, text, "8, 16, 24, 32, 40, 48, 56 or 64 bits; fewer as named bits")
    if width > 8 and not order:
        raise source.error("the byte order is missing", position, text, f"{text}be (network order) or {text}le")
    return "uint", width // 8, "little" if order == "le" else "big"


def _bits(source: _Source, inside: str, position: int, field: Field) -> tuple[Bits, ...]:
    left = 8 * field.size
    parts = []
    for token, begin in _tokens(source, inside, position):
        name, _, rest = token.partition(":")
        _check_name(source, name, begin)
        count_text, equals, constants = rest.partition("=")
        count = _number(source, count_text, begin + len(name) + 1, "a number of bits", 1)
        if count > left:
            raise source.error(f"more bits than the integer's {8 * field.size}", begin, token, f"{left} bits or fewer")
        left -= count
        place = begin + len(token) - len(constants)
        allowed = tuple(_integers(source, constants, place, 1 << count)) if equals else ()
        parts.append(Bits(name, count, left, allowed))
    if left:
        named = 8 * field.size - left
        raise source.error(
            f"{named} bits are named in an integer of {8 * field.size}",
            position - 1,
            f"({inside})",
            "a name for every bit, unused ones too, so that serialize can give them back",
        )
    return tuple(parts)


def _constants(source: _Source, field: Field, text: str, position: int) -> Iterator[int | bytes]:
    if field.kind == "varint":
        raise source.error("a varint cannot be constant", position, text, "an integer or bytes")
    if field.kind == "uint":
        yield from _integers(source, text, position, 1 << 8 * field.size)
        return
    for constant in text.split("|"):
        yield _byte_constant(source, field, constant, position)
        position += len(constant) + 1


def _integers(source: _Source, text: str, position: int, bound: int) -> Iterator[int]:
    for constant in text.split("|"):
        yield _integer(source, constant, position, bound)
        position += len(constant) + 1


def _byte_constant(source: _Source, field: Field, text: str, position: int) -> bytes:
    pair, star, count = text.partition("*")
    digits, repeat = (pair, count) if star else (text[2:], "1")
    if (star or text.startswith("0x")) and _is_count(repeat) and _is_hex(digits):
        if len(digits) // 2 * int(repeat) == field.size:  # before the bytes are made: a count may be any number
            return bytes.fromhex(digits) * int(repeat)
    elif len(text) == field.size and text.isascii():
        return text.encode("ascii")
    raise source.error(
        f"not a constant of {field.size} bytes",
        position,
        text,
        f"0x and {2 * field.size} hex digits, two hex digits and *{field.size}, or {field.size} ASCII characters",
    )


def _is_hex(text: str) -> bool:
    return bool(text) and len(text) % 2 == 0 and all(character in "0123456789abcdefABCDEF" for character in text)


def _integer(source: _Source, text: str, position: int, bound: int) -> int:
    try:
        value = int(text, 16) if text[:2] == "0x" else int(text)
    except ValueError:
        value = -1
    if not 0 <= value < bound or not (text.isascii() and text.isalnum()):
        raise source.error("not a constant that fits", position, text, f"0 to {bound - 1}, decimal or 0x hex")
    return value


def _number(source: _Source, text: str, position: int, what: str, least: int) -> int:
    if not _is_count(text) or int(text) < least:
        raise source.error(f"{what} is missing or no number", position, text, f"a decimal number of at least {least}")
    return int(text)


def _is_count(text: str) -> bool:
    # Nine digits: a declaration is a person's, but int() refuses or takes quadratic time on a long run of them.
    return text.isascii() and text.isdecimal() and len(text) < 10


def _check_name(source: _Source, name: str, position: int) -> None:
    if not name.isidentifier():
        raise source.error("a field's name is not a name", position, name, "letters, digits and _, such as length")
    if name in ("frame", "header", "payload", "trailer", "value"):
        raise source.error("this name means a part of the frame or the message itself", position, name, "another name")


def _check_names(source: _Source, fields: list[Field]) -> None:
    seen: set[str] = set()
    for field in fields:
        for name in field.names:
            if name in seen:
                raise source.error(f"two fields are called {name}", field.position, name, "one name for one field")
            seen.add(name)
