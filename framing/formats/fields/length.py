"""The length: fields that add up to what the frame's size is, but for what they do not count. Spec: [F12] to [F16].

    length = "content + padding"        FastCGI: two fields count what follows

    0      1      2             4             6       7          8          content + padding + 8
    +------+------+-------------+-------------+-------+----------+- - - - - - - - - -+
    | vers | type |     id      |   content   |padding| reserved |      payload      |
    +------+------+-------------+-------------+-------+----------+- - - - - - - - - -+

    length = "body + fields"            D-Bus, with `fields:u32^8`: an array that is filled up to a multiple of 8

    size of the frame = sum of the fields, each × its scale and rounded up, + size of what they do not count

The first field is computed when a frame is written, the others are the application's. [F70] [F71]
"""

from struct import Struct
from typing import Any, Literal

from framing.errors import DefinitionError, EncodeError, FrameTooLargeError, HeaderError
from framing.formats.fields.counts import check_counted_once, counted_size
from framing.formats.fields.layout import Layout
from framing.formats.fields.padding import Padding
from framing.formats.scans.loops import CODES, PlainHeader
from framing.formats.scans.regions import Ruler, Term

__all__ = ["Length"]


class Length:
    """What the length fields say about a frame's size.

    Args:
        text: the fields' names with plus signs between them.
        counts: what their sum counts.
        pad: the option `pad`, or `None`.
        header: the header's fields.
        trailer: the trailer's.
        source: the header's declaration, for errors.

    Attributes:
        names: the fields, the computed one first.
        padding: how payloads are filled up, or `None`.
        base: bytes of the frame that the sum does not count; below 0 where it counts more than the frame has.
        least: bytes of the smallest frame.
        max_total: bytes of the largest frame that can be announced.
        max_value: the largest number that the computed field has room for.
    """

    __slots__ = ("_scale", "_terms", "base", "least", "max_total", "max_value", "names", "padding")

    def __init__(self, text: str, counts: str, pad: object, *, header: Layout, trailer: Layout, source: str) -> None:
        self.names = tuple(name.strip() for name in text.split("+"))
        self._check_names(text, header, source)
        self.least = header.size + trailer.size
        sizes = {"header": header.size, "trailer": trailer.size, "payload": 0} | ({} if pad is None else {"pad": 0})
        for layout in (header, trailer):
            sizes.update((name, layout.place(name)[1].size) for name in layout.names)
        self.base = self.least - counted_size(counts, sizes, source)
        check_counted_once(counts, header, "header", source)
        check_counted_once(counts, trailer, "trailer", source)
        words = counts.split()
        counted = words == ["frame"] or "pad" in words
        self.padding = None if pad is None else Padding(pad, counted=counted, header=header)
        self._learn_terms(header, source)
        if self.padding is not None:
            self._check_padding(self.padding, counts)
        if self.max_total < self.least:
            raise DefinitionError(
                f"the length cannot count as much as {counts} always is", source=source, key="counts", found=counts
            )

    def _check_names(self, text: str, header: Layout, source: str) -> None:
        alone, position = len(self.names) == 1, 0
        for index, name in enumerate(self.names):
            position += len(text[position:]) - len(text[position:].lstrip())
            place: dict[str, Any] = {"source": source} if alone else {"source": text, "position": position}
            if name not in header.names:
                raise DefinitionError(
                    f"no header field is called {name}, so nothing tells where a frame ends",
                    key="length",
                    found=name,
                    allowed=f"{', '.join(header.names) or 'a field'} as length=…, or payload_size=…",
                    **place,
                )
            _, field, part = header.place(name)
            if field.kind != "uint" or field.checksum or (part.allowed if part else field.allowed):
                raise DefinitionError("a length must be a free integer", key="length", found=name, **place)
            if name in self.names[:index]:
                raise DefinitionError(f"a length adds {name} twice", key="length", found=name, **place)
            position = text.find("+", position) + 1

    def _learn_terms(self, header: Layout, source: str) -> None:
        fields = [header.place(name) for name in self.names]
        _, first, part = fields[0]
        if first.multiple != 1:
            raise DefinitionError(
                f"{self.names[0]} is computed, and no number is rounded up to every size",
                source=source,
                position=first.position,
                hint="name another field first, or fill the payload up with pad=…",
            )
        self._scale, self.max_value = (part or first).scale, header.largest(self.names[0])
        self._terms = [
            (name, (bits or one).scale, one.multiple) for name, (_, one, bits) in zip(self.names, fields, strict=True)
        ]
        largest = [_rounded(header.largest(name) * scale, multiple) for name, scale, multiple in self._terms]
        self.max_total = sum(largest) + self.base
        padding = self.padding
        if padding is not None and not padding.counted:
            rounding = -(self.max_total - self.least) % padding.multiple
            self.max_total += padding.largest if padding.field else rounding

    def _check_padding(self, padding: Padding, counts: str) -> None:
        if padding.field == self.names[0]:
            raise DefinitionError(
                f"{padding.field} tells the padding, and cannot be the length that is computed",
                key="pad",
                found=padding.declared,
                allowed="another field as the first of length=…",
            )
        why = f"adds {padding.field}" if padding.field in self.names else ""
        if not padding.field and self._scale > 1:
            why = f"is in units of {self._scale} bytes"
        if why and not padding.counted:
            raise DefinitionError(
                f"the length {why}, so it counts the padding", key="counts", found=counts, allowed=f"{counts} pad"
            )

    def plain(self, header: Layout, most: int) -> PlainHeader | None:
        """Return what the quick loops must know, if the length is one whole integer and all constants are bytes.

        Args:
            header: the header's fields.
            most: bytes of the largest frame.
        """
        offset, field, part = header.place(self.names[0])
        constants = header.constants()
        if len(self.names) > 1 or part or self._scale != 1 or constants is None:
            return None
        order: Literal["big", "little"] = "little" if field.byteorder == "little" else "big"
        return PlainHeader(offset, field.size, order, header.size, self.base, self.least, most, constants)

    def ruler(self, header: Layout, most: int) -> Ruler | None:
        """Return what computes a frame's size, or `None`: it takes more than sums of integers that C has.

        Args:
            header: the header's fields in their byte order.
            most: bytes of the largest frame.
        """
        padding, names = self.padding, [*self.names]
        if padding is not None:
            if not padding.field or not padding.counted:
                return None
            names.append(padding.field)
        if any(header.place(name)[1].size not in CODES for name in names):
            return None
        length, *others = (_term(header, name, scale, multiple) for name, scale, multiple in self._terms)
        pad = _term(header, padding.field, 1, 1) if padding is not None else None
        tail = self.least - header.size
        return Ruler(length, (*others,), pad, self.base, self.least, most, header.size, tail)

    def _sum(self, header: Layout, buffer: bytes | bytearray, start: int) -> int:
        total = self.base
        for name, scale, multiple in self._terms:
            value = header.value(buffer, start, name)
            assert isinstance(value, int)
            total += _rounded(value * scale, multiple)
        return total

    def total(self, header: Layout, buffer: bytes | bytearray, start: int) -> int:
        """Return the size of the frame whose header begins at `start`. [F12] [F70]

        Raises:
            HeaderError: the length says less than the frame must have.
        """
        counted = self._sum(header, buffer, start)
        if counted < self.least:  # [F16]
            raise self._too_small(header, buffer, start, counted)
        padding = self.padding
        if padding is None:
            return counted
        if padding.field:
            return self._padded(padding, header, buffer, start, counted)
        missing = -(counted - self.least) % padding.multiple
        if padding.counted and missing:  # [F73]
            raise HeaderError(
                f"{self.names[0]} counts a payload that is not filled up",
                offset=start + header.place(self.names[0])[0],
                field=self.names[0],
                expected=f"a payload of a multiple of {padding.multiple} bytes",
                found=counted - self.least,
            )
        return counted + missing

    def _padded(self, padding: Padding, header: Layout, buffer: bytes | bytearray, start: int, counted: int) -> int:
        size = self.pad_size(header, buffer, start)
        if not padding.counted:
            return counted + size
        if size > counted - self.least:  # [F72]
            raise HeaderError(
                f"{padding.field} is larger than payload and padding together",
                offset=start + header.place(padding.field)[0],
                field=padding.field,
                expected=f"{counted - self.least} or less",
                found=size,
            )
        return counted

    def pad_size(self, header: Layout, buffer: bytes | bytearray, start: int) -> int:
        """Return how many bytes of padding a frame has that are not the payload's."""
        padding = self.padding
        if padding is None or not padding.told:
            return 0
        if padding.field:
            size = header.value(buffer, start, padding.field)
            assert isinstance(size, int)
            return size
        return -(self._sum(header, buffer, start) - self.least) % padding.multiple

    def _too_small(self, header: Layout, buffer: bytes | bytearray, start: int, counted: int) -> HeaderError:
        name = self.names[0]
        found = header.value(buffer, start, name)
        assert isinstance(found, int)
        missing = -(-(self.least - counted) // self._scale)
        said = f"{name} is smaller than what it counts"
        if len(self.names) > 1:
            said = f"{' + '.join(self.names)} are smaller than what they count"
        return HeaderError(
            said,
            offset=start + header.place(name)[0],
            field=name,
            expected=f"{found + missing} or more",
            found=found,
        )

    def write(self, total: int, pad_size: int, header: Layout, values: dict[str, Any]) -> None:
        """Put the fields' values for a frame of `total` bytes into `values`. [F19]

        Raises:
            EncodeError: another of the fields is missing or counts more than there is, or the size has no number.
            FrameTooLargeError: the number does not fit its field.
        """
        counted = total - self.base
        if self.padding is not None:
            if self.padding.field:
                values[self.padding.field] = pad_size
            if not self.padding.counted:
                counted -= pad_size
        for name, scale, multiple in self._terms[1:]:
            counted -= _rounded(header.chosen(name, values) * scale, multiple)
        values[self.names[0]] = self._value(counted, total)

    def number(self, total: int) -> int | None:
        """Return what a length that is one field says of a frame of `total` bytes, or `None`: it cannot say that."""
        value, rest = divmod(total - self.base, self._scale)
        return None if rest or not 0 <= value <= self.max_value else value

    def _value(self, counted: int, total: int) -> int:
        name = self.names[0]
        value, rest = divmod(counted, self._scale)
        if counted < 0 and len(self.names) > 1:
            raise EncodeError(f"{' and '.join(self.names[1:])} count more than this frame has", path=self.names[1])
        if rest or value < 0:
            raise EncodeError(
                f"a frame of {total} bytes has no {name}, which counts in units of {self._scale}", path=name
            )
        if value > self.max_value:
            raise FrameTooLargeError("the length does not fit its field", frame_size=total, field=name)
        return value


def _rounded(size: int, multiple: int) -> int:
    return size + -size % multiple


def _term(header: Layout, name: str, scale: int, multiple: int) -> Term:
    offset, field, part = header.place(name)
    order = "<>"[(field.byteorder or header.byteorder) == "big"]
    read = Struct(f"{order}{offset}x{CODES[field.size]}").unpack_from
    return Term(read, part.shift if part else 0, header.largest(name), scale, multiple)
