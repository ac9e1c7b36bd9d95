"""A strict copy of a construct schema.

The schema that a user wrote is never changed. `strict` copies it, part by part: what repeats, recurses, expands or
swallows errors becomes a subclass with the parser of `construct_parsers`, what parses a delimited part has its content
wrapped so that it must use the part up, and what cannot be made safe is refused.
"""

import codecs
from collections.abc import Callable
from typing import Any

import construct
import construct.debug

from framing.codecs.construct_parsers import PARSERS, build_element, build_named, parse_all, parse_element, parse_padded
from framing.codecs.construct_streams import DECOMPRESSORS
from framing.errors import DefinitionError

__all__ = ["strict"]

# Why these are refused. `type(…)`: construct keeps some classes only as their one instance.
REFUSED: dict[type, str] = {
    type(construct.Pickled): "unpickling runs whatever code the payload names",
    type(construct.Numpy): "it allocates what the payload announces",
    construct.Compiled: "compiled schemas do not notice that a field is cut short",
    construct.Lazy: "it would parse, and fail, after decode has returned",
    construct.LazyStruct: "it would parse, and fail, after decode has returned",
    construct.LazyArray: "it would parse, and fail, after decode has returned",
    construct.Rebuffered: "it waits for ever at the end of the payload, and it keeps state between calls",
    construct.CompressedLZ4: "its expansion cannot be bounded; Compressed takes " + ", ".join(DECOMPRESSORS),
    construct.Probe: "it prints what the payload holds",
    construct.Debugger: "it stops and prints what the payload holds",
}

# These hand a part of the bytes to what is inside them and drop what that leaves.
DELIMITED = (
    construct.Prefixed,
    construct.NullTerminated,
    construct.NullStripped,
    construct.OffsettedEnd,
    construct.Transformed,
    construct.ProcessXor,
    construct.ProcessRotateLeft,
)

# Names of Python's codecs that never expand much; `zlib` and `bz2` have a decompressor that can be told to stop.
TEXT_ENCODINGS = frozenset(("base64", "hex", "quopri", "uu"))
NATIVE_NAMES = {"bz2": "bzip2", "zlib": "zlib"}

ARRAYS = (construct.Array, construct.GreedyRange, construct.RepeatUntil)

ELEMENT = type("Element", (construct.Subconstruct,), {"_parse": parse_element, "_build": build_element})
WHOLE = type("Whole", (construct.Subconstruct,), {"_parse": parse_all})
WHOLE_PADDED = type("WholePadded", (construct.Subconstruct,), {"_parse": parse_padded})


def strict(schema: Any) -> Any:
    """Return a strict copy of `schema`.

    Raises:
        DefinitionError: it is no construct, or contains one that cannot be made safe.
    """
    if not isinstance(schema, construct.Construct):
        raise DefinitionError("the schema is no construct", key="schema", found=type(schema).__name__)
    try:
        return _Copier().copy(schema)
    except RecursionError as error:
        raise DefinitionError(
            "the schema has no end: a LazyBound makes a new schema each time", key="schema"
        ) from error


class _Copier:
    """Copies each part of a schema once, so that shared parts stay shared and recursion finds its beginning."""

    def __init__(self) -> None:
        # The originals are kept beside the copies, since an id may be used again once its owner is gone.
        self._copies: dict[int, tuple[Any, Any]] = {}
        self._classes: dict[type, type] = {}

    def copy(self, part: Any) -> Any:
        if id(part) in self._copies:
            return self._copies[id(part)][1]
        _check(part)
        made: Any = object.__new__(self._strict_class(type(part)))
        self._copies[id(part)] = part, made
        made.__dict__.update({key: self._copy_value(value) for key, value in vars(part).items()})
        if isinstance(part, construct.LazyBound):
            bound = self.copy(_bound(part))
            made.subconfunc = lambda: bound
        elif isinstance(part, ARRAYS):
            made.subcon = ELEMENT(made.subcon)
        elif isinstance(part, construct.FixedSized):
            made.subcon = WHOLE_PADDED(made.subcon)
        elif isinstance(part, DELIMITED) or _consumes(part):
            made.subcon = WHOLE(made.subcon)
        elif isinstance(part, construct.Compressed):
            made.encoding = _checked_encoding(part.encoding)
        return made

    def _copy_value(self, value: Any) -> Any:
        if isinstance(value, construct.Construct):
            return self.copy(value)
        if type(value) in (list, tuple):
            return type(value)(self._copy_value(item) for item in value)
        if type(value) in (dict, construct.Container):
            return type(value)((key, self._copy_value(item)) for key, item in value.items())
        return value

    def _strict_class(self, cls: type) -> type:
        if cls not in self._classes:
            # A subclass of the user's own that parses in its own way keeps doing so.
            origin = next((base for base in cls.__mro__ if "_parse" in vars(base)), cls)
            methods: dict[str, Callable[..., Any]] = {}
            if origin in PARSERS:
                methods["_parse"] = PARSERS[origin]
            if origin is construct.Renamed:
                methods["_build"] = build_named
            self._classes[cls] = type(cls.__name__, (cls,), methods) if methods else cls
        return self._classes[cls]


def _bound(part: Any) -> Any:
    try:
        return part.subconfunc()
    except RecursionError:
        raise
    except Exception as error:
        raise DefinitionError(f"a LazyBound cannot be resolved: {error}", key="schema") from error


def _check(part: Any) -> None:
    for cls in type(part).__mro__:
        if cls in REFUSED:
            raise DefinitionError(f"{cls.__name__} cannot be used in a codec: {REFUSED[cls]}", key="schema")


def _checked_encoding(encoding: str) -> str:
    if encoding in DECOMPRESSORS:
        return encoding
    try:
        name = codecs.lookup(encoding).name
    except LookupError as error:
        raise DefinitionError("Compressed has an unknown encoding", key="schema", found=encoding) from error
    if name in NATIVE_NAMES:
        return NATIVE_NAMES[name]
    if name in TEXT_ENCODINGS:
        return encoding
    allowed = ", ".join((*DECOMPRESSORS, *sorted(TEXT_ENCODINGS)))
    raise DefinitionError("Compressed has an unbounded encoding", key="schema", found=encoding, allowed=allowed)


def _consumes(part: Any) -> bool:
    # RestreamData looks again at bytes that it is given, or takes bytes that nobody else will see.
    return isinstance(part, construct.RestreamData) and isinstance(part.datafunc, construct.Construct)
