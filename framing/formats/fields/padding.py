"""Padding: bytes between payload and trailer that fill the payload up. Spec: [F72], [F73].

    pad = 4                                     zero to three bytes; whether the length counts them, `counts` says

    counts = "payload"          the length counts the payload: where it ends and the padding begins is known
    counts = "payload pad"      the length counts both: the payload comes with its padding, since nothing parts them

    +-----------------+- - - - - - - - -+- - - - -+- - - - - -+
    |     header      |     payload     |   pad   |  trailer  |
    +-----------------+- - - - - - - - -+- - - - -+- - - - - -+
                      |<-- multiple of 4 bytes -->|

    pad = {field = "padding", multiple = 8}     a field says how many; filled up to a multiple of 8 when written

The multiple is that of payload and padding together. Where the padding can be told from the payload, its bytes are a
field called `pad`, which the application may leave out: they are zeros then. What they are is not looked at.
"""

from collections.abc import Mapping
from typing import Any

from framing.errors import DefinitionError, EncodeError
from framing.formats.fields.layout import Layout
from framing.formats.fields.options import table_option
from framing.frame import check_option

__all__ = ["Padding"]


class Padding:
    """How payloads are filled up.

    Args:
        declared: the multiple, or a table of `field` and `multiple`.
        counted: whether the length counts the padding.
        header: the header's fields.

    Attributes:
        declared: the multiple, or the table.
        counted: as given.
        field: the name of the field that says how many bytes there are, or "".
        multiple: what payload and padding together are a multiple of, when written.
        told: whether the bytes on the wire tell how many there are.
        largest: the most there can be.
    """

    __slots__ = ("counted", "declared", "field", "largest", "multiple", "told")

    def __init__(self, declared: object, *, counted: bool, header: Layout) -> None:
        parts = {"multiple": declared}
        if not isinstance(declared, int) or isinstance(declared, bool):
            check_option("pad", declared, int, str, Mapping)
            parts = table_option("pad", declared, {"field": str, "multiple": int}, ("field",))
        self.declared = declared if isinstance(declared, int) else parts
        self.counted = counted
        self.field: str = str(parts.get("field", ""))
        multiple = parts.get("multiple", 1)
        assert isinstance(multiple, int)
        self.multiple = multiple
        self.told = bool(self.field) or not counted
        self.largest = multiple - 1
        if not (1 if self.field else 2) <= multiple <= 1 << 16:
            raise DefinitionError("no such padding", key="pad", found=declared, allowed="a multiple of 2 to 65536")
        if self.field:
            self._learn_field(header)

    def _learn_field(self, header: Layout) -> None:
        free = self.field in header.free_names
        _, field, part = header.place(self.field) if free else (0, None, None)
        told = part or field
        if told is None or field is None or field.kind != "uint" or told.scale != 1 or told.allowed:
            raise DefinitionError(
                "the padding is told by no free integer of the header",
                key="pad",
                found=self.declared,
                allowed=", ".join(header.free_names),
            )
        self.largest = header.largest(self.field)
        if self.multiple - 1 > self.largest:
            raise DefinitionError(
                f"{self.field} cannot tell as much padding", key="pad", found=self.declared, allowed=f"{self.largest}"
            )

    def size(self, payload_size: int, values: Mapping[str, Any]) -> int:
        """Return how many bytes to write behind a payload. [F72]

        Raises:
            EncodeError: the application's own cannot stand there.
        """
        needed = -payload_size % self.multiple
        own = values.get("pad")
        if own is None or not self.told:
            return needed
        if not isinstance(own, bytes | bytearray):
            raise EncodeError("the field pad needs bytes", path="pad", found=own)
        if len(own) > self.largest if self.field else len(own) != needed:
            allowed = f"{self.largest} or fewer" if self.field else f"{needed}"
            raise EncodeError(f"the padding behind this payload has {allowed} bytes", path="pad", found=own)
        return len(own)
