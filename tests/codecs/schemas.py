"""Schemas that tests name as `module:attribute`."""

from construct import Byte, Int16ub, PascalString, PrefixedArray, Struct

record = Struct(
    "kind" / Byte, "rows" / PrefixedArray(Byte, Struct("key" / PascalString(Byte, "utf8"), "size" / Int16ub))
)

not_a_schema = 5


class Holder:
    inner = record
