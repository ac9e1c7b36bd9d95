"""The byte order that a field of the header tells, for the integers that do not say their own.

    header = "magic:bytes4=GIOP major:u8 minor:u8 flags:u8 type:u8 length:u32"
    byteorder = {field = "flags", mask = 1, little = 1}

    0                           4        5        6        7        8                12
    +---------------------------+--------+--------+--------+--------+----------------+- - - - - - -+
    |           GIOP            | major  | minor  | flags  |  type  |     length     |   payload   |
    +---------------------------+--------+--------+--------+--------+----------------+- - - - - - -+
                                           the lowest bit ──┘         1: 05 00 00 00
                                                                      0: 00 00 00 05

Spec: [F74], [F75].
"""

from collections.abc import Mapping
from typing import Any

from framing.errors import DefinitionError, EncodeError, HeaderError
from framing.formats.fields.layout import Layout
from framing.formats.fields.options import table_option

__all__ = ["ByteOrder"]

_ORDERS = ("big", "little")
_PARTS = {"field": str, "mask": int, "little": int, "big": int}


class ByteOrder:
    """Which byte order a header has.

    Args:
        declared: `field`, the name of an integer of the header; `mask`, the bits of it that count, all of them if it is
            not said; `little` and `big`, what they are in each order. Of these two one may be left out: it is then
            anything else.
        header: the header's fields.
        trailer: the trailer's.
        lengths: names of the length, which is computed and can tell no byte order.

    Attributes:
        declared: as a table.
        field: the field's name.
        layouts: header and trailer in each order.
    """

    __slots__ = ("_big", "_little", "_mask", "declared", "field", "layouts")

    def __init__(self, declared: object, header: Layout, trailer: Layout, lengths: tuple[str, ...]) -> None:
        self.declared = table_option("byteorder", declared, _PARTS, ("field",))
        self.field: str = self.declared["field"]
        self.layouts = {order: (Layout(header.fields, order), Layout(trailer.fields, order)) for order in _ORDERS}
        free = [name for name in header.free_names if name not in lengths]
        if self.field not in free:
            raise self._error("the byte order is told by no free field of the header", ", ".join(free))
        if all(field.byteorder for layout in (header, trailer) for field in layout.fields):
            raise self._error("every field says its byte order, so none is told", "u16, u32, … without be or le")
        _, field, part = header.place(self.field)
        if field.kind != "uint" or not field.byteorder:
            raise self._error("the byte order is told by no integer that can be read", "u8, or one with its own order")
        full = header.largest(self.field)
        self._mask: int = self.declared.get("mask", full)
        self._little: int | None = self.declared.get("little")
        self._big: int | None = self.declared.get("big")
        told = [value for value in (self._little, self._big) if value is not None]
        if not 0 < self._mask <= full or any(value & ~self._mask for value in told):
            raise self._error(
                "the byte order's values do not fit the field or the mask", f"mask, values of 1 to {full}"
            )
        if len(set(told)) != (self._little is not None) + (self._big is not None) or not told:
            raise self._error("the byte orders cannot be told apart", "little=… or big=… or both, and different")
        for constant in part.allowed if part else field.allowed:
            if isinstance(constant, int) and self._of(constant) is None:
                raise self._error(f"the constant {constant:#x} of {self.field} tells no byte order", self._expected())

    def _error(self, reason: str, allowed: str) -> DefinitionError:
        return DefinitionError(reason, key="byteorder", found=self.declared, allowed=allowed)

    def _of(self, value: int) -> str | None:
        masked = value & self._mask
        if masked == self._little or (self._little is None and masked != self._big):
            return "little"
        return "big" if self._big is None or masked == self._big else None

    def _expected(self) -> str:
        mask = f" in the bits {self._mask:#x}" if "mask" in self.declared else ""
        return " or ".join(hex(value) for value in (self._little, self._big) if value is not None) + mask

    def read(self, header: Layout, buffer: bytes | bytearray, start: int) -> str:
        """Return the order of the header that begins at `start`. [F74]

        Raises:
            HeaderError: the field tells none.
        """
        value = header.value(buffer, start, self.field)
        order = self._of(value) if isinstance(value, int) else None
        if order is None:
            raise HeaderError(
                f"{self.field} tells no byte order",
                offset=start + header.place(self.field)[0],
                field=self.field,
                expected=self._expected(),
                found=hex(value) if isinstance(value, int) else value,
            )
        return order

    def chosen(self, header: Layout, values: Mapping[str, Any]) -> str:
        """Return the order that the application's field asks for.

        Raises:
            EncodeError: it is missing, does not fit or tells none.
        """
        value = header.chosen(self.field, values)
        order = self._of(value)
        if order is None:
            raise EncodeError(
                f"the header field {self.field} must tell the byte order: {self._expected()}",
                path=self.field,
                found=value,
            )
        return order
