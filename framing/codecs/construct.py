"""The codec `construct`: payloads described by a schema of the library construct, read strictly.

construct is made for files: a schema may leave bytes unread, stop quietly at the first damaged element, raise whatever
its lambdas raise, and expand a bomb. `construct_strict` makes a copy of the schema that does none of this; this module
runs it and turns what is raised into `DecodeError` and `EncodeError`.
"""

import importlib
import io
from typing import Any

from framing.codec import Codec, checked_int
from framing.errors import DecodeError, DefinitionError, EncodeError, PluginLoadError

__all__ = ["ConstructCodec"]

# Bytes of the payload that an error shows.
SHOWN_SIZE = 16

# construct takes about ten Python frames a level, of the 1000 that there are.
DEEPEST = 64

# construct's own texts print values of the payload, so only the kind of error is told.
REASONS = {
    "StreamError": "the payload ends inside a field, or a length is wrong",
    "ConstError": "a constant has another value",
    "ChecksumError": "a checksum does not match",
    "SelectError": "no alternative fits",
    "ValidationError": "a value is not allowed",
    "MappingError": "a value has no meaning in its mapping",
    "StringError": "a string is not text of its encoding",
    "TerminatedError": "bytes follow where the end should be",
    "RecursionError": "the value is nested too deeply",
    "MemoryError": "the value does not fit into memory",
}
BUILD_REASONS = REASONS | {
    "StreamError": "a value has another size than its field",
    "StringError": "a value is not text, or not bytes, that the field can hold",
    "FormatFieldError": "a number does not fit its field",
    "IntegerError": "a number does not fit its field",
    "RangeError": "an array has another number of elements than its field",
    "KeyError": "a field is missing",
    "TypeError": "a value has another type than its field",
}


class ConstructCodec(Codec):
    """Payloads of a construct schema, as construct's `Container`s (dicts that compare as such) and plain values.

    What `decode` returned encodes again and comes back equal [C3]. A message may leave out what the schema computes
    (`Const`, `Computed`, `Rebuild`, a `Default`); it then comes back with these added.

    The schema is copied and made strict, which changes what some constructs accept. Whatever parses a delimited part
    (`Prefixed`, `NullTerminated`, `Compressed`, …) must use it up; in a `FixedSized` zeros may follow. `GreedyRange`
    goes on to the end of its bytes, so that a damaged element is an error and not the end. `Optional` and `Select` pass
    over a mismatch, but not over a bare exception from a lambda. A `VarInt` has at most 32 bytes. A `LazyBound` is
    resolved once. Refused are `Pickled`, `Numpy`, `CompressedLZ4`, the lazy constructs, `Rebuffered`, `Probe`,
    `Debugger` and compiled schemas. Bytes that only a `Pointer` reads need a `Seek` behind them, or they are left over.

    Args:
        schema: a construct, or `module:attribute` of one; the module is imported.
        max_items: how many array elements and steps of recursion one message may take, all arrays together; besides, at
            most 8 for each byte of the payload and 1024 more.
        max_depth: how often the schema may be inside itself, through `LazyBound`, at most 64.
        max_expanded_size: how many bytes may come out of decompressors, all together.
        max_ratio: how many times the payload's size they may be; what stays below 64 KiB is not held to it.

    Raises:
        DefinitionError: no such schema, one that cannot be made safe, or a limit that is out of range.
        PluginLoadError: the library is not installed.

    >>> from construct import Byte, GreedyRange, Int16ub, Struct
    >>> codec = ConstructCodec(Struct("kind" / Byte, "sizes" / GreedyRange(Int16ub)))
    >>> codec.decode(b"\\x07\\x00\\x01\\x00\\x02")
    Container(kind=7, sizes=ListContainer([1, 2]))
    >>> codec.encode({"kind": 7, "sizes": [1, 2]}).hex()
    '0700010002'
    >>> codec.decode(b"\\x07\\x00\\x01\\x00")
    Traceback (most recent call last):
    framing.errors.DecodeError: the payload ends inside a field, or a length is wrong (codec construct, offset 3, \
path sizes[1], found 00)
    """

    name = "construct"

    def __init__(
        self,
        schema: Any,
        *,
        max_items: int = 2**20,
        max_depth: int = 32,
        max_expanded_size: int = 16 * 2**20,
        max_ratio: int = 100,
    ) -> None:
        self.schema = schema
        self.max_items = checked_int("max_items", max_items, 1, 2**32)
        self.max_depth = checked_int("max_depth", max_depth, 1, DEEPEST)
        self.max_expanded_size = checked_int("max_expanded_size", max_expanded_size, 0, 2**32)
        self.max_ratio = checked_int("max_ratio", max_ratio, 1, 10000)
        try:
            from framing.codecs import construct_guard, construct_strict
        except ImportError as error:
            reason = "the codec construct needs the library construct"
            raise PluginLoadError(reason, group="framing.codecs.v1", hint="pip install construct") from error
        self._guard_module = construct_guard
        self._schema = construct_strict.strict(_imported(schema) if isinstance(schema, str) else schema)

    def encode(self, message: Any) -> bytes:
        """Return what the schema builds from `message`.

        Raises:
            EncodeError: a field is missing or does not fit.
        """
        with io.BytesIO() as stream:
            guard = self._guard(stream, 0)
            try:
                self._schema._build(message, stream, guard.context(parsing=False), "(building)")
            except Exception as error:
                path = _with_missing_field(guard.take_place(error)[0], error)
                raise EncodeError(_reason(error, BUILD_REASONS), codec="construct", path=path) from error
            return stream.getvalue()

    def decode(self, payload: bytes) -> Any:
        """Return what the schema parses from the whole `payload`.

        Raises:
            DecodeError: it does not fit the schema, has bytes left over, or is over a limit.
        """
        if not isinstance(payload, bytes):
            raise TypeError(f"decode takes bytes, not {type(payload).__name__}")
        # Closed at the end: construct's contexts are cycles and would keep each payload until the next collection.
        with io.BytesIO(payload) as stream:
            guard = self._guard(stream, len(payload))
            try:
                message = self._schema._parsereport(stream, guard.context(parsing=True), "(parsing)")
            except Exception as error:
                path, offset = guard.take_place(error)
                offset = stream.tell() if offset is None else offset
                raise _decode_error(_reason(error, REASONS), payload, offset, path) from error
            _check_end(payload, stream.tell())
            return message

    def _guard(self, stream: io.BytesIO, size: int) -> Any:
        return self._guard_module.Guard(
            stream,
            size,
            max_items=self.max_items,
            max_depth=self.max_depth,
            max_expanded_size=self.max_expanded_size,
            max_ratio=self.max_ratio,
        )


def _imported(text: str) -> Any:
    module, _, names = text.partition(":")
    if not module or not names:
        raise DefinitionError("a schema is named by module:attribute", key="schema", found=text)
    try:
        found = importlib.import_module(module)
        for name in names.split("."):
            found = getattr(found, name)
    except (Exception, SystemExit) as error:  # a script that was not written to be imported ends by sys.exit()
        raise DefinitionError(f"the schema cannot be imported: {error}", key="schema", found=text) from error
    return found


def _reason(error: Exception, reasons: dict[str, str]) -> str:
    # What strict parsing itself says names no value of the payload.
    own = getattr(error, "reason", None)
    if isinstance(own, str):
        return own
    kinds = (cls.__name__ for cls in type(error).__mro__)
    return next((reasons[kind] for kind in kinds if kind in reasons), f"the schema failed with {type(error).__name__}")


def _with_missing_field(path: str | None, error: Exception) -> str | None:
    if isinstance(error, KeyError) and error.args and isinstance(error.args[0], str):
        return f"{path}.{error.args[0]}" if path else error.args[0]
    return path


def _check_end(payload: bytes, offset: int) -> None:
    if offset < len(payload):
        raise _decode_error("bytes are left after the value", payload, offset, None)
    if offset > len(payload):
        raise _decode_error("the value ends behind the payload's end", payload, offset, None)


def _decode_error(reason: str, payload: bytes, offset: int, path: str | None) -> DecodeError:
    found = payload[offset : offset + SHOWN_SIZE] or None
    return DecodeError(reason, codec="construct", offset=offset, path=path, found=found)
