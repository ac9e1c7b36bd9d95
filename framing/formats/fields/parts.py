"""Declared fields as parts of a picture: with their own text, as whoever wrote the definition knows them."""

from collections.abc import Iterable

from framing.formats.fields.notation import Field
from framing.picture import Part

__all__ = ["field_parts"]


def field_parts(fields: Iterable[Field]) -> tuple[Part, ...]:
    """Return the parts for fields. One of variable width, or that is not always there, has no fixed size.

    >>> from framing.formats.fields.notation import parse_notation
    >>> for part in field_parts(parse_notation("(a:4=1 b:4):u8 c:u16be")):
    ...     print(part)
    Part(name='', size=1, text='u8', bits=('a:4=1', 'b:4'))
    Part(name='c', size=2, text='u16be', bits=())
    """
    return tuple(map(_part, fields))


def _part(field: Field) -> Part:
    inside, _, declared = field.text.rpartition("):") if field.bits else ("", "", field.text.partition(":")[2])
    is_fixed = field.kind != "varint" and field.condition is None
    text = f"{declared} if {field.condition.text}" if field.condition else declared
    return Part(field.name, field.size if is_fixed else None, text, tuple(inside[1:].split()))
