"""The notation in which headers and trailers are declared, and its parser: text → fields.

    header   = item *( " " item )
    item     = field [ "?" test *( "&" test ) ]              a field that is there only if all the tests hold
    test     = name "=" constant *( "|" constant )           an earlier field, or bits, that is always there
    field    = name ":" type [ "*" scale ] [ "^" multiple ] [ "=" constant *( "|" constant ) ]
             | name ":" type "=" function "(" part *( " " part ) ")"      a checksum over named parts
             | "(" bits *( " " bits ) ")" ":" type        bits of one integer, the highest first
    bits     = name ":" count [ "*" scale ] [ "=" constant *( "|" constant ) ]
    type     = "u8" | "u" ("16" | "24" | … | "64") ("be" | "le")     unsigned integer of 1 to 8 bytes
             | "u" ("16" | … | "64")                                 the same, in the byte order that a field tells
             | "bytes" size                                          that many bytes as they are
             | ( "varint" | "quic" | "gob" ) [ max_size ]             variable width, at most max_size bytes
    constant = decimal | "0x" hex                                    for an integer
             | "0x" hex | hex2 "*" size | text of exactly size characters      for bytes
    part     = "header" | "payload" | "pad" | "trailer" | name of a field

The byte picture of `(type:4 flags:4):u8 id:bytes2 length:u16be`:

    0        1                 3                 5
    +--------+-----------------+-----------------+- - - - - -
    |type|flg|       id        |     length      | payload
    +--------+-----------------+-----------------+- - - - - -

What a field that is a length counts is its number, times its scale, rounded up to the multiple: `u16be*4` counts
words of four bytes, `u32be^8` bytes that are followed by as many more as make them a multiple of 8.

Conditions stand only in the format `conditional`, whose file has a picture of them. A constant that is text contains
neither "|" nor "?"; these are written in hex.

Spec: [F10], [F11], [F14], [F70] to [F78], [F90]. Every mistake is a `DefinitionError` with the character it begins at.
"""

from collections.abc import Iterator

from framing.formats.fields.constants import Source, byte_constant, integers, is_count, number

__all__ = ["Bits", "ChecksumCall", "Condition", "Field", "parse_notation"]

# The widths a length may have on the wire: 64 bits are enough for any stream, and Python's integers for all of them.
_MAX_INTEGER_SIZE = 8
# The most bytes of 64 bits, or of QUIC's 62: in groups of seven, as they are, and behind a count of them.
_VARINT_SIZES = {"varint": 10, "quic": 8, "gob": 9}

# What the message and the parts of a frame are called. A format with padding has a part `pad`, too.
_TAKEN_NAMES = ("frame", "header", "payload", "trailer", "value")

# Sixty times the longest one that is shipped. Some of what is checked takes time with the square of the fields.
_MAX_SIZE = 1 << 14


class Bits:
    """A named group of bits inside an integer field: `shift` counts from the lowest bit."""

    __slots__ = ("allowed", "count", "name", "scale", "shift")

    def __init__(self, name: str, count: int, shift: int, *, scale: int, allowed: tuple[int, ...]) -> None:
        self.name = name
        self.count = count
        self.shift = shift
        self.scale = scale
        self.allowed = allowed


class ChecksumCall:
    """What a field is declared to be computed from: the function's name, the parts, and the character of each."""

    __slots__ = ("function", "parts", "position", "source")

    def __init__(self, function: str, parts: dict[str, int], position: int, source: Source) -> None:
        self.function = function
        self.parts = parts
        self.position = position
        self.source = source


class Condition:
    """The tests that say whether a field is there, as declared."""

    __slots__ = ("position", "source", "text")

    def __init__(self, text: str, position: int, source: Source) -> None:
        self.text = text
        self.position = position
        self.source = source


class Field:
    """One field of a header or trailer, as declared.

    Attributes:
        name: empty for an integer that is divided into `bits`.
        kind: "uint", "bytes" or "varint".
        size: bytes on the wire; of a varint the most it may take.
        byteorder: "big", "little", or "" where another field tells it.
        position: the character of the declaration where it begins.
        scale: what the field's number is multiplied with, where it is a length.
        multiple: what the product is then rounded up to.
        allowed: the constants it may have, the first one written by default; empty if it is free.
        bits: its named bits, highest first.
        checksum: what it is computed from, or `None`.
        condition: when it is there, or `None`: always.
        text: its declaration, without the condition.
        encoding: of a varint "varint", "quic" or "gob".
    """

    __slots__ = (
        "allowed",
        "bits",
        "byteorder",
        "checksum",
        "condition",
        "encoding",
        "kind",
        "multiple",
        "name",
        "position",
        "scale",
        "size",
        "text",
    )

    def __init__(self, name: str, kind: str, size: int, byteorder: str, position: int) -> None:
        self.name = name
        self.kind = kind
        self.size = size
        self.byteorder = byteorder
        self.position = position
        self.scale = self.multiple = 1
        self.allowed: tuple[int | bytes, ...] = ()
        self.bits: tuple[Bits, ...] = ()
        self.checksum: ChecksumCall | None = None
        self.condition: Condition | None = None
        self.text = self.encoding = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The names it brings: its own, or those of its bits."""
        return tuple(part.name for part in self.bits) if self.bits else (self.name,)


def parse_notation(
    text: str, what: str = "header", *, ordered: bool = True, computed: bool = False, conditional: bool = False
) -> list[Field]:
    """Read a declaration into its fields, in wire order.

    >>> [(field.name, field.size) for field in parse_notation("type:u8 length:u24be")]
    [('type', 1), ('length', 3)]

    Args:
        text: the declaration.
        what: what an error calls it.
        ordered: whether every integer must say its byte order.
        computed: whether checksums and multiples may stand there.
        conditional: whether conditions may. Fields that are not always there may then share a name.

    Raises:
        DefinitionError: with the character where the mistake begins and what would be allowed there.
    """
    source = Source(text, what, ordered=ordered, computed=computed, conditional=conditional)
    if len(text) > _MAX_SIZE:
        reason, allowed = "a declaration longer than any is", f"{_MAX_SIZE} characters at most"
        raise source.error(reason, _MAX_SIZE, f"{len(text)} characters", allowed)
    fields = [_item(source, token, position) for token, position in _tokens(source, text, 0)]
    _check_names(source, fields)
    return fields


def _tokens(source: Source, text: str, position: int) -> Iterator[tuple[str, int]]:
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


def _item(source: Source, token: str, position: int) -> Field:
    declared, mark, condition = token.partition("?")
    field = _field(source, declared, position)
    field.text = declared
    if mark:
        place = position + len(declared) + 1
        if not source.conditional:
            raise source.error("a condition", place - 1, f"?{condition}", "the format conditional has them")
        field.condition = Condition(condition, place, source)
    return field


def _field(source: Source, token: str, position: int) -> Field:
    if token.startswith("("):
        inside, _, after = token[1:].partition(")")
        if not after.startswith(":"):
            raise source.error("bits need the type of their integer", position, token, "(name:bits …):u16be")
        field = _typed(source, "", after[1:], position + len(inside) + 3)
        if field.kind != "uint" or field.allowed or field.checksum or field.scale != 1 or field.multiple != 1:
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


def _typed(source: Source, name: str, rest: str, position: int) -> Field:
    declared, equals, constants = rest.partition("=")
    counted, caret, multiple = declared.partition("^")
    type_name, star, scale = counted.partition("*")
    kind, size, byteorder = _type(source, type_name, position)
    field = Field(name, kind, size, byteorder, position)
    if kind == "varint":
        field.encoding = type_name.rstrip("0123456789")
    if kind == "bytes" and (star or caret):
        raise source.error("bytes have no scale", position, declared, "an integer type")
    if star:
        field.scale = number(source, scale, position + len(type_name) + 1, "a scale", 1)
    if caret:
        _check_computed(source, "multiples", position + len(counted), declared)
        field.multiple = number(source, multiple, position + len(counted) + 1, "a multiple", 1)
    if equals:
        place = position + len(declared) + 1
        if constants.endswith(")"):
            field.checksum = _checksum(source, field, constants, place)
        else:
            field.allowed = tuple(_constants(source, field, constants, place))
    return field


def _type(source: Source, text: str, position: int) -> tuple[str, int, str]:
    if text.startswith("bytes"):
        return "bytes", number(source, text[5:], position + 5, "a size", 1), "big"
    encoding = text.rstrip("0123456789")
    if encoding in _VARINT_SIZES:
        return "varint", _varint_size(source, text, encoding, position), "little"
    digits, order = (text[1:-2], text[-2:]) if text[-2:] in ("be", "le") else (text[1:], "")
    if not text.startswith("u") or not is_count(digits):
        raise source.error(
            "unknown type", position, text, "u8, u16be to u64le in steps of 8 bits, bytesN, varint, quic, gob"
        )
    width = int(digits)
    if width % 8 or not 8 <= width <= 8 * _MAX_INTEGER_SIZE:
        raise source.error("no such width", position, text, "8, 16, 24, 32, 40, 48, 56 or 64 bits; fewer as named bits")
    if width == 8:
        return "uint", 1, "big"
    if not order and source.ordered:
        raise source.error("the byte order is missing", position, text, f"{text}be (network order) or {text}le")
    return "uint", width // 8, {"be": "big", "le": "little", "": ""}[order]


def _varint_size(source: Source, text: str, encoding: str, position: int) -> int:
    digits, most = text[len(encoding) :], _VARINT_SIZES[encoding]
    size = number(source, digits, position + len(encoding), "the most bytes", 1) if digits else most
    allowed = "quic1, quic2, quic4 or quic8" if encoding == "quic" else f"{encoding}1 to {encoding}{most}"
    if size > most or (encoding == "quic" and size not in (1, 2, 4, 8)):
        reason = f"a {encoding} of more than 64 bits" if size > most else "QUIC has no numbers of so many bytes"
        raise source.error(reason, position, text, allowed)
    return size


def _bits(source: Source, inside: str, position: int, field: Field) -> tuple[Bits, ...]:
    left = 8 * field.size
    parts = []
    for token, begin in _tokens(source, inside, position):
        name, _, rest = token.partition(":")
        _check_name(source, name, begin)
        declared, equals, constants = rest.partition("=")
        count_text, star, scale_text = declared.partition("*")
        count = number(source, count_text, begin + len(name) + 1, "a number of bits", 1)
        if count > left:
            raise source.error(f"more bits than the integer's {8 * field.size}", begin, token, f"{left} bits or fewer")
        left -= count
        scale = 1
        if star:
            place = begin + len(name) + 1 + len(count_text)
            _check_computed(source, "scaled bits", place, declared)
            scale = number(source, scale_text, place + 1, "a scale", 1)
        place = begin + len(token) - len(constants)
        allowed = tuple(integers(source, constants, place, 1 << count)) if equals else ()
        parts.append(Bits(name, count, left, scale=scale, allowed=allowed))
    if left:
        named = 8 * field.size - left
        raise source.error(
            f"{named} bits are named in an integer of {8 * field.size}",
            position - 1,
            f"({inside})",
            "a name for every bit, unused ones too, so that serialize can give them back",
        )
    return tuple(parts)


def _checksum(source: Source, field: Field, text: str, position: int) -> ChecksumCall:
    function, _, inside = text[:-1].partition("(")
    _check_computed(source, "checksums", position, text)
    if field.kind != "uint" or field.scale != 1 or field.multiple != 1:
        raise source.error("only a plain integer can be a checksum", position, text, "crc:u32be=crc32(payload)")
    parts: dict[str, int] = {}
    for name, place in _tokens(source, inside, position + len(function) + 1):
        if name in parts:
            raise source.error(f"{name} is covered twice", place, name, "each part once")
        parts[name] = place
    if not parts:
        raise source.error("a checksum over nothing", position, text, f"{function}(header payload), or fields by name")
    return ChecksumCall(function, parts, position, source)


def _check_computed(source: Source, what: str, position: int, found: str) -> None:
    if not source.computed:
        raise source.error(f"only a header of fixed width has {what}", position, found, "the format header")


def _constants(source: Source, field: Field, text: str, position: int) -> Iterator[int | bytes]:
    if field.kind == "varint":
        raise source.error("a varint cannot be constant", position, text, "an integer or bytes")
    if field.kind == "uint":
        yield from integers(source, text, position, 1 << 8 * field.size)
        return
    for constant in text.split("|"):
        yield byte_constant(source, field.size, constant, position)
        position += len(constant) + 1


def _check_name(source: Source, name: str, position: int) -> None:
    if not name.isidentifier():
        raise source.error("a field's name is not a name", position, name, "letters, digits and _, such as length")
    if name in _TAKEN_NAMES:
        raise source.error("this name means a part of the frame or the message itself", position, name, "another name")


def _check_names(source: Source, fields: list[Field]) -> None:
    seen: dict[str, Field] = {}
    for field in fields:
        for name in field.names:
            if name in seen and not (field.condition and seen[name].condition):
                raise source.error(f"two fields are called {name}", field.position, name, "one name for one field")
            seen[name] = field
