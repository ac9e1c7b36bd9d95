"""How a frame begins: bytes, or some bits of bytes. What the kind `choice` tells its cases by."""

from collections.abc import Iterable

from framing.errors import DefinitionError, HeaderError
from framing.frame import Buffer

__all__ = ["UNDECIDED", "Key", "Prefix", "Prefixes", "parse_prefix"]

Key = bytes | str | tuple[bytes, bytes]

UNDECIDED = -1

# Each case is compared with all before it: a stranger's definition must not keep anybody waiting.
_MAX_COUNT = 1024


class Prefix:
    """The first bytes of a frame under a mask.

    >>> channel_data = parse_prefix("0x40/0xc0")
    >>> channel_data.fits(b"\\x4f"), channel_data.fits(b"\\x80"), channel_data.fits(b"")
    (True, False, None)

    Attributes:
        mask: the bits that are looked at.
        value: what they are.
    """

    __slots__ = ("_bits", "_number", "mask", "value")

    def __init__(self, mask: bytes, value: bytes) -> None:
        self.mask = mask
        self.value = value
        self._bits = int.from_bytes(mask, "big")
        self._number = int.from_bytes(value, "big")

    def fits(self, head: bytes) -> bool | None:
        """Tell whether bytes begin like this; `None`: so far they do, and more are needed to tell."""
        missing = len(self.value) - len(head)
        number = int.from_bytes(head[: len(self.value)], "big")
        if missing <= 0:
            return number & self._bits == self._number
        begins = number & (self._bits >> 8 * missing) == self._number >> 8 * missing
        return None if begins else False

    def covers(self, other: "Prefix") -> bool:
        """Tell whether all that begins like the other one begins like this one, too."""
        size = len(self.value)
        bits = int.from_bytes(other.mask[:size], "big")
        return len(other.value) >= size and bits & self._bits == self._bits and bool(self.fits(other.value))

    @property
    def key(self) -> str:
        """The notation that `parse_prefix` reads."""
        if self.mask == b"\xff" * len(self.value):
            return f"0x{self.value.hex()}"
        return f"0x{self.value.hex()}/0x{self.mask.hex()}"


class Prefixes:
    """Several beginnings, of which the first one that fits is taken, and perhaps one more for all else. [F67]

    Args:
        prefixes: how frames begin, in the order in which they are tried.
        has_default: the number behind the last one stands for what begins otherwise.

    Attributes:
        tried: the prefixes.
        default: the number of what begins otherwise, -1 if there is none.
        values: the value of each one, and nothing for the default.

    Raises:
        DefinitionError: none, one that is never reached, or two with the same value.
    """

    __slots__ = ("_by_byte", "_longest", "default", "tried", "values")

    def __init__(self, prefixes: Iterable[Prefix], *, has_default: bool) -> None:
        self.tried = tuple(prefixes)
        self._check()
        self.default = len(self.tried) if has_default else UNDECIDED
        self.values = (*(one.value for one in self.tried), *((b"",) if has_default else ()))
        self._longest = max(map(len, self.values))
        self._by_byte = tuple(self._choose(bytes((byte,)), ended=False) for byte in range(256))

    def _check(self) -> None:
        if not self.tried:
            raise DefinitionError("a choice needs a case", key="cases", found="none", allowed="one or more")
        if len(self.tried) > _MAX_COUNT:
            allowed = f"{_MAX_COUNT} at most"
            raise DefinitionError("a choice of too many cases", key="cases", found=len(self.tried), allowed=allowed)
        for number, one in enumerate(self.tried):
            for earlier in self.tried[:number]:
                if earlier.covers(one) or earlier.value == one.value:
                    reason = "a case that is never reached, or is named like another one"
                    raise DefinitionError(reason, key="cases", found=one.key, hint=f"{earlier.key} comes before it")

    @property
    def keys(self) -> tuple[str, ...]:
        """The notation of each one but the default."""
        return tuple(one.key for one in self.tried)

    @property
    def by_byte(self) -> tuple[int, ...]:
        """For each first byte the number that it decides, or -1."""
        return self._by_byte

    def decide(self, buffer: Buffer, start: int, end: int, *, ended: bool = False) -> int:
        """Return the number for the frame that begins at `start`, or -1: more bytes are needed to tell.

        `ended` says that no more bytes come, so that what is not there does not fit.

        Raises:
            HeaderError: none fits.
        """
        number = self._by_byte[buffer[start]]
        if number == UNDECIDED:
            head = bytes(buffer[start : min(end, start + self._longest)])
            number = self._choose(head, ended=ended)
            if number == UNDECIDED and self._fits_none(head):
                raise self._none_fits(head, start)
        return number

    def possible(self, head: bytes) -> list[int]:
        """Return the numbers that a frame may have which begins with these bytes."""
        numbers = [number for number, one in enumerate(self.tried) if one.fits(head) is not False]
        return numbers if self.default == UNDECIDED else [*numbers, self.default]

    def _choose(self, head: bytes, *, ended: bool) -> int:
        for number, one in enumerate(self.tried):
            fits = one.fits(head)
            if fits or (fits is None and not ended):
                return number if fits else UNDECIDED
        return self.default

    def _fits_none(self, head: bytes) -> bool:
        return all(one.fits(head) is False for one in self.tried)

    def _none_fits(self, head: bytes, start: int) -> HeaderError:
        # As few bytes as decide it are shown, so that the error is the same at any cut.
        least = next((size for size in range(1, len(head)) if self._fits_none(head[:size])), len(head))
        return HeaderError("no case begins like this", offset=start, expected=self.keys, found=head[:least])


def parse_prefix(key: Key) -> Prefix:
    """Read bytes, a pair of mask and value, or text: `0x24`, `0x40/0xc0` (value and mask), or the bytes as text.

    Raises:
        DefinitionError: it is none of these, is empty, or its value has bits that its mask leaves out.
    """
    mask, value = _mask_and_value(key)
    if not value or len(mask) != len(value) or not any(mask):
        raise _refused(key)
    if int.from_bytes(value, "big") & ~int.from_bytes(mask, "big"):
        raise _refused(key)
    return Prefix(mask, value)


def _mask_and_value(key: object) -> tuple[bytes, bytes]:
    if isinstance(key, str):
        text, slash, mask = key.partition("/0x")
        try:
            if text[:2] != "0x":
                key = key.encode()
            elif slash:
                key = bytes.fromhex(mask), bytes.fromhex(text[2:])
            else:
                key = bytes.fromhex(text[2:])
        except ValueError as error:
            raise _refused(key) from error
    if isinstance(key, bytes):
        return b"\xff" * len(key), key
    if isinstance(key, tuple) and len(key) == 2 and all(isinstance(part, bytes) for part in key):
        return key
    raise TypeError(f"cases takes keys that are bytes, text or (mask, value), not {key!r}")


def _refused(key: object) -> DefinitionError:
    allowed = "bytes; text, 0x24 or 0x40/0xc0 (value/mask); (mask, value) of the same size, the value within the mask"
    return DefinitionError("no way for a frame to begin", key="cases", found=repr(key), allowed=allowed)
