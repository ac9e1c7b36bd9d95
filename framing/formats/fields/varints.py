"""Numbers of variable width: LEB128, QUIC's and gob's. Each reads itself from a buffer and writes its shortest form.

    varint    seven bits a byte, the lowest first; the top bit says that another byte follows       300 = ac 02
    quic      the top two bits say how many bytes, 1, 2, 4 or 8; the rest is big-endian             300 = 41 2c
    gob       below 80 the byte itself; else the negated count of bytes, which follow, big-endian   300 = fe 01 2c

Spec: [F20], [F21], [F97], [F98].
"""

from framing.errors import EncodeError, HeaderError
from framing.formats.fields.notation import Field
from framing.frame import Buffer

__all__ = ["Gob", "Leb128", "Quic", "Varint", "make_varint"]


class Varint:
    """One field of variable width.

    Args:
        name: the field's.
        size: the most bytes it may have.
        minimal: whether more bytes than needed are an error.

    Attributes:
        largest: the largest number that it has room for.
    """

    __slots__ = ("largest", "minimal", "name", "size")

    def __init__(self, name: str, size: int, *, minimal: bool = False) -> None:
        self.name, self.size, self.minimal = name, size, minimal
        self.largest = self._largest()

    def read(self, buffer: Buffer, place: int, end: int) -> tuple[int, int] | None:
        """Return the number that begins at `place` and where it ends; `None`: bytes are missing.

        Raises:
            HeaderError: no number is written like this, or with `minimal` not in so many bytes.
        """
        read = self._read(buffer, place, end)
        if read is not None and self.minimal and (shortest := self.write(read[0])) != buffer[place : read[1]]:
            found = bytes(buffer[place : read[1]])
            raise self.error("is written with more bytes than it needs", place, shortest, found)
        return read

    def _largest(self) -> int:
        raise NotImplementedError

    def _read(self, buffer: Buffer, place: int, end: int) -> tuple[int, int] | None:
        raise NotImplementedError

    def write(self, value: int) -> bytes:
        """Return the shortest form of a number of 0 to `largest`."""
        raise NotImplementedError

    def written(self, value: object) -> bytes:
        """Return the shortest form of what the application gave.

        Raises:
            EncodeError: it is missing or does not fit.
        """
        if value is None:
            hint = f"send Message(value, {self.name}=…)"
            raise EncodeError(f"the header field {self.name} is missing", path=self.name, hint=hint)
        if not isinstance(value, int) or not 0 <= value <= self.largest:
            raise EncodeError(f"the header field {self.name} must be 0 to {self.largest}", path=self.name, found=value)
        return self.write(value)

    def error(self, reason: str, place: int, expected: object, found: object) -> HeaderError:
        """Return the error about the number at `place`."""
        return HeaderError(f"{self.name} {reason}", offset=place, field=self.name, expected=expected, found=found)


class Leb128(Varint):
    """Seven bits a byte, the lowest first. [F20]

    >>> Leb128("length", 10).write(300).hex(" ")
    'ac 02'
    """

    __slots__ = ()

    def _largest(self) -> int:
        return (1 << 7 * self.size) - 1

    def _read(self, buffer: Buffer, place: int, end: int) -> tuple[int, int] | None:
        value = shift = 0
        for at in range(place, min(end, place + self.size)):
            byte = buffer[at]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value, at + 1
            shift += 7
        if end - place >= self.size:
            found = bytes(buffer[place : place + self.size])
            raise self.error(f"does not end within {self.size} bytes", place, "a last byte below 80", found)
        return None

    def write(self, value: int) -> bytes:
        """Return the shortest form."""
        groups = bytearray()
        while value >= 0x80:
            groups.append(value & 0x7F | 0x80)
            value >>= 7
        groups.append(value)
        return bytes(groups)


class Quic(Varint):
    """RFC 9000, section 16: the top two bits say how many bytes there are. [F97]

    >>> Quic("length", 8).write(300).hex(" ")
    '41 2c'
    """

    __slots__ = ()

    def _largest(self) -> int:
        return (1 << 8 * self.size - 2) - 1

    def _read(self, buffer: Buffer, place: int, end: int) -> tuple[int, int] | None:
        if place >= end:
            return None
        size = 1 << (buffer[place] >> 6)
        if size > self.size:
            most = 0x40 * self.size.bit_length()
            reason, expected = f"has {size} bytes and may have {self.size}", f"a first byte below {most:02x}"
            raise self.error(reason, place, expected, bytes(buffer[place : place + 1]))
        if end - place < size:
            return None
        return int.from_bytes(buffer[place : place + size], "big") & (1 << 8 * size - 2) - 1, place + size

    def write(self, value: int) -> bytes:
        """Return the shortest form."""
        power = 0 if value < 1 << 6 else 1 if value < 1 << 14 else 2 if value < 1 << 30 else 3
        size = 1 << power
        return (value | power << 8 * size - 2).to_bytes(size, "big")


class Gob(Varint):
    """An unsigned integer of Go's encoding/gob: a small byte, or a negated count and as many bytes. [F98]

    >>> Gob("length", 9).write(300).hex(" ")
    'fe 01 2c'
    """

    __slots__ = ()

    def _largest(self) -> int:
        return max(0x7F, (1 << 8 * (self.size - 1)) - 1)

    def _read(self, buffer: Buffer, place: int, end: int) -> tuple[int, int] | None:
        if place >= end:
            return None
        first = buffer[place]
        if first < 0x80:
            return first, place + 1
        size = 257 - first
        if size > self.size:
            expected = "a first byte below 80" + (f", or of {257 - self.size:02x} to ff" if self.size > 1 else "")
            reason = f"has {size} bytes and may have {self.size}"
            raise self.error(reason, place, expected, bytes(buffer[place : place + 1]))
        if end - place < size:
            return None
        return int.from_bytes(buffer[place + 1 : place + size], "big"), place + size

    def write(self, value: int) -> bytes:
        """Return the shortest form."""
        if value < 0x80:
            return bytes((value,))
        size = -(-value.bit_length() // 8)
        return bytes((256 - size,)) + value.to_bytes(size, "big")


_ENCODINGS: dict[str, type[Varint]] = {"varint": Leb128, "quic": Quic, "gob": Gob}


def make_varint(field: Field, *, minimal: bool) -> Varint:
    """Return what reads and writes a field that was declared with such a type."""
    return _ENCODINGS[field.encoding](field.name, field.size, minimal=minimal)
