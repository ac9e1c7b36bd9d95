"""Numbers and constants of the notation, and the errors that point at the character. Spec: [F10], [F14]."""

from collections.abc import Iterator

from framing.errors import DefinitionError

__all__ = ["Source", "byte_constant", "integer", "integers", "is_count", "number"]


# Bytes of a constant: a thousand times as many as any header has that is known. Twelve characters can ask for a GB.
_MAX_CONSTANT_SIZE = 1 << 16


class Source:
    """The notation being read, for errors that point at the character.

    Attributes:
        text: the declaration.
        what: what an error calls it.
        ordered: whether every integer must say its byte order.
        computed: whether there may be checksums and multiples.
        conditional: whether there may be conditions.
    """

    __slots__ = ("computed", "conditional", "ordered", "text", "what")

    def __init__(
        self, text: str, what: str, *, ordered: bool = True, computed: bool = False, conditional: bool = False
    ) -> None:
        self.text = text
        self.what = what
        self.ordered = ordered
        self.computed = computed
        self.conditional = conditional

    def error(self, reason: str, position: int, found: object, allowed: str) -> DefinitionError:
        """Return the error for what begins at a character."""
        return DefinitionError(
            f"{self.what}: {reason}", source=self.text, position=position, found=found, allowed=allowed
        )


def integers(source: Source, text: str, position: int, bound: int) -> Iterator[int]:
    """Read integers below `bound` with bars between them."""
    for constant in text.split("|"):
        yield integer(source, constant, position, bound)
        position += len(constant) + 1


def integer(source: Source, text: str, position: int, bound: int) -> int:
    """Read one integer below `bound`, decimal or hex."""
    try:
        value = int(text, 16) if text[:2] == "0x" else int(text)
    except ValueError:
        value = -1
    if not 0 <= value < bound or not (text.isascii() and text.isalnum()):
        raise source.error("not a constant that fits", position, text, f"0 to {bound - 1}, decimal or 0x hex")
    return value


def byte_constant(source: Source, size: int, text: str, position: int) -> bytes:
    """Read a constant of `size` bytes: hex, a repeated byte, or ASCII."""
    pair, star, count = text.partition("*")
    digits, repeat = (pair, count) if star else (text[2:], "1")
    if size > _MAX_CONSTANT_SIZE:
        raise source.error("a constant of too many bytes", position, text, f"{_MAX_CONSTANT_SIZE} at most")
    if (star or text.startswith("0x")) and is_count(repeat) and _is_hex(digits):
        if len(digits) // 2 * int(repeat) == size:  # before the bytes are made: a count may be any number
            return bytes.fromhex(digits) * int(repeat)
    elif len(text) == size and text.isascii():
        return text.encode("ascii")
    raise source.error(
        f"not a constant of {size} bytes",
        position,
        text,
        f"0x and {2 * size} hex digits, two hex digits and *{size}, or {size} ASCII characters",
    )


def number(source: Source, text: str, position: int, what: str, least: int) -> int:
    """Read a decimal number of at least `least`."""
    if not is_count(text) or int(text) < least:
        raise source.error(f"{what} is missing or no number", position, text, f"a decimal number of at least {least}")
    return int(text)


def is_count(text: str) -> bool:
    """Tell whether this is a decimal number of less than ten digits."""
    # Nine digits: a declaration is a person's, but int() refuses or takes quadratic time on a long run of them.
    return text.isascii() and text.isdecimal() and len(text) < 10


def _is_hex(text: str) -> bool:
    return bool(text) and len(text) % 2 == 0 and all(character in "0123456789abcdefABCDEF" for character in text)
