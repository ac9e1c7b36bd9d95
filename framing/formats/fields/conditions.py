"""Conditions: fields that a frame has only where earlier ones have certain values. Spec: [F90], [F91].

    long:u16be?length=126                    there where the field length is 126
    extra:u8?kind=1|4                        there where kind is 1 or 4
    long:u32be?size=0xffff&count=0           there where both are what is said

The fields that are tested are always there, and stand before all that are not: only so is it known where they are.
"""

from collections.abc import Iterable, Iterator
from itertools import product
from math import prod
from typing import NamedTuple

from framing.errors import DefinitionError
from framing.formats.fields.constants import Source, byte_constant, integer
from framing.formats.fields.layout import Layout
from framing.formats.fields.notation import Bits, Condition, Field

__all__ = ["Conditions", "Key", "Selector", "Test", "where"]

# A header with more combinations than this is no declaration any more: each one is laid out when it is declared.
_MAX_KEYS = 256

Value = int | bytes

# What stands in the tested fields, each one's constant or None: none of those that are tested.
Key = tuple[Value | None, ...]


class Test(NamedTuple):
    """One comparison of a condition."""

    name: str
    allowed: tuple[Value, ...]


class Selector:
    """A field that conditions test.

    Attributes:
        name: the field's.
        constants: what it is compared with.
        others: whether it can have another value.
        only_other: that value, if there is just one.
    """

    __slots__ = ("constants", "name", "only_other", "others")

    def __init__(self, name: str, constants: tuple[Value, ...], layout: Layout) -> None:
        self.name, self.constants = name, constants
        _, field, part = layout.place(name)
        allowed = part.allowed if part else field.allowed
        self.only_other: Value | None = None
        if allowed:
            rest: list[Value] = [one for one in allowed if one not in constants]
            self.others = bool(rest)
        else:
            width = part.count if part else 8 * field.size
            self.others = len(constants) < 1 << width
            rest = [one for one in (0, 1) if one not in constants] if width == 1 else []
        if len(rest) == 1:
            self.only_other = rest[0]

    @property
    def classes(self) -> Key:
        """What can be told apart by it."""
        return (*self.constants, None) if self.others else self.constants

    def class_of(self, value: object) -> Value | None:
        """Return the constant that a value is, or `None`."""
        return value if value in self.constants else None


class Conditions:
    """Which fields a frame has.

    Args:
        head: the header's fields.
        tail: the trailer's.

    Attributes:
        prefix: the fields that stand before all that have a condition.
        selectors: those of them that are tested.
        tests: the condition of each field of header and trailer; `()` for one that is always there.

    Raises:
        DefinitionError: a condition on what cannot be tested, or with no effect.
    """

    __slots__ = ("prefix", "selectors", "tests")

    def __init__(self, head: list[Field], tail: list[Field]) -> None:
        first = next((place for place, field in enumerate(head) if field.condition), len(head))
        self.prefix = Layout(head[:first])
        self.tests = [tuple(self._tests(field)) for field in (*head, *tail)]
        constants: dict[str, dict[Value, None]] = {}
        for test in (test for tests in self.tests for test in tests):
            constants.setdefault(test.name, {}).update(dict.fromkeys(test.allowed))
        self.selectors = [Selector(name, tuple(values), self.prefix) for name, values in constants.items()]
        self._check_effect([*head, *tail])

    def _tests(self, field: Field) -> Iterator[Test]:
        if field.condition is None:
            return
        source, position = field.condition.source, field.condition.position
        for text in field.condition.text.split("&"):
            name, _, constants = text.partition("=")
            tested, part = self._tested(source, name, position)
            yield Test(name, tuple(_constants(source, tested, part, constants, position + len(name) + 1)))
            position += len(text) + 1

    def _tested(self, source: Source, name: str, position: int) -> tuple[Field, Bits | None]:
        if name not in self.prefix.names:
            allowed = ", ".join(self.prefix.names) or "a field before it"
            reason = "a condition tests a header field that is always there and stands before all that are not"
            raise source.error(reason, position, name, f"{allowed}, as name=constant")
        _, field, part = self.prefix.place(name)
        if field.checksum or (field.kind == "uint" and not field.byteorder):
            reason = "is computed" if field.checksum else "has a byte order that another field tells"
            raise source.error(f"a condition on {name}, which {reason}", position, name, "another field")
        return field, part

    def _check_effect(self, fields: list[Field]) -> None:
        conditions = [(place, field.condition) for place, field in enumerate(fields) if field.condition]
        if prod(len(selector.classes) for selector in self.selectors) > _MAX_KEYS:
            raise _error(conditions[-1][1], f"more than {_MAX_KEYS} combinations of conditions", "a choice of formats")
        presences = [self.present(key) for key in self.all_keys()]
        for place, condition in conditions:
            found = {presence[place] for presence in presences}
            if len(found) == 1:
                reason = "always holds" if True in found else "never holds"
                raise _error(condition, f"a condition that {reason}", "a test that can come out both ways")

    def all_keys(self) -> Iterable[Key]:
        """Return every combination of what the tested fields can be."""
        return product(*(selector.classes for selector in self.selectors))

    def present(self, key: Key) -> tuple[bool, ...]:
        """Tell which fields of header and trailer there are, where the tested ones are like this."""
        values = {selector.name: value for selector, value in zip(self.selectors, key, strict=True)}
        return tuple(all(values[name] in allowed for name, allowed in tests) for tests in self.tests)

    def read(self, buffer: bytes | bytearray, start: int) -> Key:
        """Return what the tested fields of the header at `start` are; the prefix must be there."""
        value = self.prefix.value
        return tuple([selector.class_of(value(buffer, start, selector.name)) for selector in self.selectors])


def _constants(source: Source, field: Field, part: Bits | None, text: str, position: int) -> Iterator[Value]:
    allowed = part.allowed if part else field.allowed
    for one in text.split("|"):
        if field.kind == "bytes":
            constant: Value = byte_constant(source, field.size, one, position)
        else:
            constant = integer(source, one, position, 1 << (part.count if part else 8 * field.size))
        if allowed and constant not in allowed:
            raise source.error("the field never has this value", position, one, "one of its constants")
        yield constant
        position += len(one) + 1


def _error(condition: Condition, reason: str, allowed: str) -> DefinitionError:
    return condition.source.error(reason, condition.position, condition.text, allowed)


def where(tests: tuple[Test, ...]) -> str:
    """Return a condition as a text for errors."""
    return " and ".join(f"{name}={'|'.join(map(str, allowed))}" for name, allowed in tests)
