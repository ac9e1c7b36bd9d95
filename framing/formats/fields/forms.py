"""The forms of a header with conditions: each combination of fields that there can be is a plain header of its own.

So all that a plain header may have, checksums, padding, a byte order that is told, sums and scales, is here what it is
there. A form has the fields that are there, the first alternative of the length whose fields are, and of what the
length counts and checksums cover so much as is there. Spec: [F91] to [F95].
"""

from collections.abc import Mapping
from typing import Any

from framing.errors import DefinitionError
from framing.formats.fields.conditions import Conditions, Key, where
from framing.formats.fields.notation import Field
from framing.formats.header import HeaderFormat

__all__ = ["Form", "Parts", "make_forms"]


class Parts:
    """A header with conditions, as declared.

    Args:
        head: the header's fields.
        tail: the trailer's.
        texts: both as they are declared.
        length: the sums that may be the length, with bars between them.
        counts: what the length counts.
        options: the others of `HeaderFormat`.
    """

    __slots__ = ("conditions", "counts", "head", "lengths", "options", "tail", "texts")

    def __init__(
        self,
        head: list[Field],
        tail: list[Field],
        *,
        texts: tuple[str, str],
        length: str,
        counts: str,
        options: Mapping[str, Any],
    ) -> None:
        self.head, self.tail, self.texts = head, tail, texts
        self.counts, self.options = counts, options
        self.lengths = [] if options.get("payload_size") is not None else [one.strip() for one in length.split("|")]
        self.conditions = Conditions(head, tail)
        names = [name for field in head for name in field.names]
        for name in self.length_names:
            if name not in names:
                raise DefinitionError(
                    f"no header field is called {name}, so nothing tells where a frame ends",
                    key="length",
                    found=name,
                    allowed=", ".join(names) or "a field",
                )

    @property
    def length_names(self) -> list[str]:
        """Every field that is in some length."""
        return [name for one in self.lengths for name in _terms(one)]


class Form:
    """One combination of fields.

    Attributes:
        format: it, as a plain header.
        keys: what the fields that are tested can be in it.
        length: its length, a sum of fields; empty where every payload has the same size.
        optional: the names of its fields that are not in every form.
        place: how many bytes of header stand before each of its header fields.
    """

    __slots__ = ("_conditions", "_needed", "_parts", "format", "keys", "length", "names", "optional", "place")

    def __init__(self, parts: Parts, keys: list[Key]) -> None:
        self._parts, self._conditions, self.keys = parts, parts.conditions, keys
        there = parts.conditions.present(keys[0])
        head = [field for field, is_there in zip(parts.head, there, strict=False) if is_there]
        tail = [field for field, is_there in zip(parts.tail, there[len(parts.head) :], strict=True) if is_there]
        fields = [*head, *tail]
        self.optional = frozenset(name for field in fields if field.condition for name in field.names)
        self.place: dict[str, int] = {}
        size = 0
        for field in head:
            self.place.update(dict.fromkeys(field.names, size))
            size += field.size
        self.length = self._first_length()
        self.format = self._made(head, tail)
        self.names = frozenset(self.format.header_names)
        defaults = {name for field in fields for name in field.names if len(field.allowed) > 1}
        defaults |= {part.name for field in fields for part in field.bits if len(part.allowed) > 1}
        self._needed = self.optional & {*self.format.field_names} - defaults

    def _first_length(self) -> str:
        """Return the first alternative of the length whose fields are all there. [F92]"""
        for one in self._parts.lengths:
            if all(name in self.place for name in _terms(one)):
                return one
        if not self._parts.lengths:
            return ""
        raise DefinitionError(
            f"{self.shown}, nothing tells where a frame ends",
            key="length",
            found=" | ".join(self._parts.lengths),
            allowed="one that is always there, as the last",
        )

    @property
    def shown(self) -> str:
        """When a frame has this form, for errors."""
        texts = []
        for selector, value in zip(self._conditions.selectors, self.keys[0], strict=True):
            if value is None:
                texts.append(f"{selector.name} is not {' or '.join(map(str, selector.constants))}")
            else:
                texts.append(f"{selector.name} is {value!r}")
        return f"where {' and '.join(texts)}" if texts else "always"

    def _made(self, head: list[Field], tail: list[Field]) -> HeaderFormat:
        names = {name for field in (*head, *tail) for name in field.names}
        others = {name for field in (*self._parts.head, *self._parts.tail) for name in field.names} - names
        lengths = _terms(self.length)
        options = dict(self._parts.options)
        if self.length:
            options["length"] = self.length
        counts = " ".join(word for word in self._parts.counts.split() if word not in others)
        texts = [" ".join(_declared(field, lengths, others) for field in fields) for fields in (head, tail)]
        try:
            return HeaderFormat(texts[0], trailer=texts[1], counts=counts, **options)
        except DefinitionError as error:
            error.hint = error.hint or f"{self.shown}, these are the fields"
            for text, fields, declared in zip(texts, (head, tail), self._parts.texts, strict=True):
                if error.source == text:
                    _relocate(error, [(field, len(_declared(field, lengths, others))) for field in fields])
                    error.source = declared
            raise

    @property
    def field_names(self) -> tuple[str, ...]:
        """The fields that are the application's: not a length that this form does not use and that says so."""
        free = [name for name in self.format.field_names if self._pinned(name) is None]
        return tuple(free)

    @property
    def length_names(self) -> list[str]:
        """The fields of its length."""
        return _terms(self.length)

    def _pinned(self, name: str) -> Any:
        """Return the one value that a field of another form's length has in this form."""
        if name in self._parts.length_names:
            for index, selector in enumerate(self._conditions.selectors):
                classes = {key[index] for key in self.keys}
                if selector.name == name and len(classes) == 1:
                    return classes.pop()
        return None

    def values(self, given: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the fields to write, with those that follow from the others, or `None`: they are of another form.

        [F93] A tested field that is left out is written where only one value of it fits.
        """
        if not (self._needed <= given.keys() <= self.names):
            return None
        keys = self.keys_of(given)
        if not keys:
            return None
        values = dict(given)
        for index, selector in enumerate(self._conditions.selectors):
            fitting = {key[index] for key in keys}
            if selector.name not in values and len(fitting) == 1:
                value = fitting.pop()
                values[selector.name] = selector.only_other if value is None else value
        return {name: value for name, value in values.items() if value is not None}

    def keys_of(self, given: Mapping[str, Any]) -> list[Key]:
        """Return those of its keys that the fields given have."""
        lengths, keys = _terms(self.length)[:1], self.keys
        for index, selector in enumerate(self._conditions.selectors):
            if selector.name in given and selector.name not in lengths:
                kind = selector.class_of(given[selector.name])
                keys = [key for key in keys if key[index] == kind]
        return keys

    def can_say(self, payload_size: int) -> bool:
        """Tell whether a frame with such a payload can have this form, whose length is one field."""
        number = self.format.length_number(payload_size)
        if number is None:
            return False
        for index, selector in enumerate(self._conditions.selectors):
            if selector.name == self.length:
                return any(key[index] == selector.class_of(number) for key in self.keys)
        return True

    def missing(self, given: Mapping[str, Any]) -> str:
        """Return what is wrong with the fields given, of a form that their tested ones allow; or nothing."""
        if lacking := sorted(self._needed - given.keys()):
            return lacking[0]
        return next(iter(sorted(given.keys() - self.names)), "")

    def condition_of(self, name: str) -> str:
        """Return when a field is there, for errors."""
        fields = (*self._parts.head, *self._parts.tail)
        found = [tests for field, tests in zip(fields, self._conditions.tests, strict=True) if name in field.names]
        return " or ".join(map(where, found))


def make_forms(parts: Parts) -> list[Form]:
    """Return every form, the shortest header first."""
    grouped: dict[tuple[bool, ...], list[Key]] = {}
    for key in parts.conditions.all_keys():
        grouped.setdefault(parts.conditions.present(key), []).append(key)
    return sorted((Form(parts, keys) for keys in grouped.values()), key=lambda form: form.format.smallest)


def _terms(length: str) -> list[str]:
    return [name.strip() for name in length.split("+")] if length else []


def _relocate(error: DefinitionError, fields: list[tuple[Field, int]]) -> None:
    """Point at the character of what was declared, not at that of the form's own text; `fields` with their sizes."""
    begin = 0
    for field, size in fields:
        if error.position is not None and begin <= error.position <= begin + size:
            error.position = min(field.position + error.position - begin, field.position + len(field.text))
            return
        begin += size + 1


def _declared(field: Field, lengths: list[str], others: set[str]) -> str:
    """Return a field as a form has it: with a scale if it is the length there, with checksums over what is there."""
    text = field.text
    if field.checksum is not None:
        parts = " ".join(name for name in field.checksum.parts if name not in others)
        return f"{text.partition('=')[0]}={field.checksum.function}({parts})"
    if (field.scale != 1 or field.multiple != 1) and field.name not in lengths:
        return text.partition("*")[0].partition("^")[0]
    return text
