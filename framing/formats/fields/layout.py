"""A run of named fields at fixed offsets: reads and writes the bytes that a notation declares."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from struct import Struct
from typing import Any, Literal, cast

from framing.errors import EncodeError, HeaderError
from framing.formats.fields.notation import Bits, Field

__all__ = ["Layout"]

_Order = Literal["big", "little"]

_CODES = {1: "B", 2: "H", 4: "I", 8: "Q"}

# What the constants of a header may be, multiplied: as many are held in a set for each format.
_MOST_CONSTANTS = 1024


class Layout:
    """Fields of fixed width one after another.

    Args:
        fields: the fields, in wire order.
        byteorder: of those integers that do not say their own.

    Attributes:
        size: bytes of all fields.
        names: every name, in wire order.
        free_names: those whose value is the application's: neither constant nor a checksum.
        fields: as given.
        byteorder: as given.
    """

    __slots__ = ("_checks", "_offsets", "_readers", "_struct", "byteorder", "fields", "free_names", "names", "size")

    def __init__(self, fields: list[Field], byteorder: str = "big") -> None:
        self.fields, self.byteorder = fields, byteorder
        self._offsets: dict[str, tuple[int, Field, Bits | None]] = {}
        # Where each value lies, in which order, and which of its bits: no order where it is bytes.
        self._readers: dict[str, tuple[int, int, _Order | None, int, int]] = {}
        offset = 0
        for field in fields:
            stop = offset + field.size
            order = cast(_Order, field.byteorder or byteorder) if field.kind == "uint" else None
            for part in field.bits or (None,):
                name, count, shift = (part.name, part.count, part.shift) if part else (field.name, 8 * field.size, 0)
                self._offsets[name] = (offset, field, part)
                self._readers[name] = (offset, stop, order, shift, (1 << count) - 1)
            offset = stop
        self.size = offset
        self._struct = self._whole()
        self.names = tuple(self._offsets)
        self.free_names = tuple(name for name in self.names if self._is_free(name))
        self._checks = [name for name in self.names if _allowed(*self._offsets[name][1:])]

    def _whole(self) -> Struct | None:
        """Return what reads all values at once, if each is bytes or an integer that C has, of one byte order."""
        integers = [field for field in self.fields if field.kind == "uint"]
        orders = {field.byteorder or self.byteorder for field in integers if field.size > 1}
        if len(orders) > 1 or any(field.bits or field.size not in _CODES for field in integers):
            return None
        if any(field.kind == "varint" for field in self.fields):
            return None
        codes = [f"{one.size}s" if one.kind == "bytes" else _CODES[one.size] for one in self.fields]
        return Struct(("<" if orders == {"little"} else ">") + "".join(codes))

    def _is_free(self, name: str) -> bool:
        _, field, part = self._offsets[name]
        return field.checksum is None and len(_allowed(field, part)) != 1

    @property
    def has_constants(self) -> bool:
        """Whether there is anything that `check` could refuse."""
        return bool(self._checks)

    def constants(self) -> tuple[tuple[int, tuple[bytes, ...]], ...] | None:
        """Return the offsets of the constants and the bytes that each may be.

        `None` where one is a few bits of an integer, or where all together have too many values to be listed.
        """
        found, count = [], 1
        for name in self._checks:
            offset, field, part = self._offsets[name]
            if part:
                return None
            order = cast(_Order, field.byteorder or self.byteorder)
            values = [one if isinstance(one, bytes) else one.to_bytes(field.size, order) for one in field.allowed]
            found.append((offset, tuple(values)))
            count *= len(values)
        return tuple(found) if count <= _MOST_CONSTANTS else None

    @property
    def constant_names(self) -> set[str]:
        """The fields that `check` looks at."""
        return {*self._checks}

    def place(self, name: str) -> tuple[int, Field, Bits | None]:
        """Return a field's offset in the layout, the field, and the bits if the name is that of bits."""
        return self._offsets[name]

    def largest(self, name: str) -> int:
        """Return the largest value that a field has room for."""
        return self._readers[name][4]

    def spans(self, names: Iterable[str]) -> Iterator[tuple[int, int]]:
        """Yield where each of these fields begins and ends; bits stand for their whole integer."""
        for offset, field, _ in map(self.place, names):
            yield offset, offset + field.size

    def mask(self, names: Iterable[str], size: int) -> int:
        """Return which bits of the first `size` bytes, as one big-endian integer, are these fields.

        Of an integer that is not big-endian all bits are, as they do not lie together.
        """
        mask = 0
        for name in names:
            offset, stop, order, shift, bits = self._readers[name]
            if order != "big" and stop - offset > 1:
                shift, bits = 0, (1 << 8 * (stop - offset)) - 1
            mask |= bits << shift + 8 * (size - stop)
        return mask

    def only_constants(self) -> frozenset[bytes] | None:
        """Return every way in which the bytes may look, if all of them are constants; else `None`."""
        found = self.constants()
        if not found or len(found) < len(self.fields):
            return None
        return frozenset(map(b"".join, product(*(values for _, values in found))))

    def read(self, buffer: bytes | bytearray, start: int) -> dict[str, Any]:
        """Return every field's value; `buffer` holds the whole layout from `start` on."""
        if self._struct is not None:
            return dict(zip(self.names, self._struct.unpack_from(buffer, start), strict=True))
        return {name: self.value(buffer, start, name) for name in self.names}

    def value(self, buffer: bytes | bytearray, start: int, name: str) -> int | bytes:
        """Return one field's value."""
        offset, stop, order, shift, mask = self._readers[name]
        raw = buffer[start + offset : start + stop]
        return bytes(raw) if order is None else int.from_bytes(raw, order) >> shift & mask

    def check(self, buffer: bytes | bytearray, start: int) -> None:
        """Compare the constants. [F14]

        Raises:
            HeaderError: the first one that differs, with what stood there.
        """
        for name in self._checks:
            offset, field, part = self._offsets[name]
            found = self.value(buffer, start, name)
            allowed = _allowed(field, part)
            if found not in allowed:
                raise HeaderError(
                    f"{name} is not what this format has there",
                    offset=start + offset,
                    field=name,
                    expected=tuple(map(_hex, allowed)),
                    found=_hex(found),
                )

    def chosen(self, name: str, values: Mapping[str, Any]) -> int:
        """Return the value that `write` would write for an integer.

        Raises:
            EncodeError: as `write`.
        """
        _, field, part = self._offsets[name]
        width = part.count if part else 8 * field.size
        return _fitting(name, width, _chosen(name, _allowed(field, part), values))

    def write(self, values: Mapping[str, Any]) -> bytes:
        """Return the layout's bytes. Constants may be left out; every other name must be in `values`.

        Checksums are written as zeros, for whoever computes them.

        Raises:
            EncodeError: a value is missing or does not fit its field.
        """
        return b"".join([self._written(field, values) for field in self.fields])

    def _written(self, field: Field, values: Mapping[str, Any]) -> bytes:
        if field.checksum is not None:
            return bytes(field.size)
        if field.kind == "bytes":
            return _written_bytes(field, _chosen(field.name, field.allowed, values))
        if not field.bits:
            number = _fitting(field.name, 8 * field.size, _chosen(field.name, field.allowed, values))
        else:
            number = 0
            for part in field.bits:
                number |= _fitting(part.name, part.count, _chosen(part.name, part.allowed, values)) << part.shift
        return number.to_bytes(field.size, cast(_Order, field.byteorder or self.byteorder))


def _allowed(field: Field, part: Bits | None) -> tuple[int | bytes, ...]:
    return part.allowed if part else field.allowed


def _hex(value: int | bytes) -> str | bytes:
    return value if isinstance(value, bytes) else hex(value)


def _chosen(name: str, allowed: tuple[int | bytes, ...], values: Mapping[str, Any]) -> Any:
    value = values.get(name, allowed[0] if allowed else None)
    if value is None:
        raise EncodeError(f"the header field {name} is missing", path=name, hint=f"send Message(value, {name}=…)")
    if allowed and value not in allowed:
        expected = " or ".join(str(_hex(one)) for one in allowed)
        raise EncodeError(f"the header field {name} must be {expected}", path=name, found=value)
    return value


def _written_bytes(field: Field, value: Any) -> bytes:
    # A view's len counts its items, not their bytes.
    data = bytes(value) if isinstance(value, bytes | bytearray | memoryview) else b""
    if len(data) != field.size:
        raise EncodeError(f"the header field {field.name} needs {field.size} bytes", path=field.name, found=value)
    return data


def _fitting(name: str, width: int, value: Any) -> int:
    if not isinstance(value, int) or not 0 <= value < 1 << width:
        raise EncodeError(f"the header field {name} must be 0 to {(1 << width) - 1}", path=name, found=value)
    return value
