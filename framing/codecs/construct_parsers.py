"""How some constructs parse when they are strict: the replacements for construct's own `_parse` methods.

construct is lenient where a codec must not be. These functions do what the originals do, except that:

- what parses a delimited part (`Prefixed`, `FixedSized`, …) must use the part up, as the codec must the payload [C2];
- `GreedyRange` ends where its bytes end, not at the first element that is damaged, and its elements have a size;
- `Select` and `Optional` try the next alternative after a mismatch, not after a `KeyError` in a lambda;
- everything that repeats, recurses or expands is counted [C7], and nothing takes quadratic time.

Each takes the construct itself as `self`: they become methods of a subclass made in `construct_strict`.
"""

import io
import itertools
from collections.abc import Callable
from typing import Any

import construct

from framing.codecs.construct_guard import LimitError, Refusal, guard_of
from framing.codecs.construct_streams import DECOMPRESSORS, LINEAR_STREAM, end_of, expand, has_no_bits, read_to

__all__ = ["PARSERS", "build_element", "build_named", "parse_all", "parse_element", "parse_padded"]

# No protocol has a wider one, and construct's own loop takes quadratic time for a payload of nothing but 0xff.
MAX_VARINT_SIZE = 32


def parse_named(self: Any, stream: Any, context: Any, path: str) -> Any:
    """Parse a `Renamed`: add name and offset to what goes wrong inside."""
    start = stream.tell()
    try:
        return self.subcon._parsereport(stream, context, f"{path} -> {self.name}")
    except Exception as error:
        guard_of(context).note(error, f".{self.name}" if self.name else "", stream, start)
        raise


def build_named(self: Any, value: Any, stream: Any, context: Any, path: str) -> Any:
    """Build a `Renamed`: add its name to what goes wrong inside."""
    try:
        return self.subcon._build(value, stream, context, f"{path} -> {self.name}")
    except Exception as error:
        guard_of(context).note(error, f".{self.name}" if self.name else "")
        raise


def parse_element(self: Any, stream: Any, context: Any, path: str) -> Any:
    """Parse an element of an array: add index and offset to what goes wrong inside."""
    index, start = context["_index"], stream.tell()
    try:
        return self.subcon._parsereport(stream, context, path)
    except Exception as error:
        guard_of(context).note(error, f"[{index}]", stream, start)
        raise


def build_element(self: Any, value: Any, stream: Any, context: Any, path: str) -> Any:
    """Build an element of an array: add its index to what goes wrong inside."""
    index = context["_index"]
    try:
        return self.subcon._build(value, stream, context, path)
    except Exception as error:
        guard_of(context).note(error, f"[{index}]")
        raise


def parse_struct(self: Any, stream: Any, context: Any, path: str) -> Any:
    """Parse a `Struct`, whose result would keep the stream, and with it the payload, alive."""
    found = construct.Struct._parse(self, stream, context, path)
    dict.pop(found, "_io", None)
    return found


def parse_array(self: Any, stream: Any, context: Any, path: str) -> Any:
    """Parse an `Array`, all of whose elements are counted before the first."""
    count = construct.evaluate(self.count, context)
    if count < 0:
        raise Refusal("an array has a negative number of elements")
    guard_of(context).spend_items(count)
    found = construct.ListContainer()
    for index in range(count):
        context["_index"] = index
        element = self.subcon._parsereport(stream, context, path)
        if not self.discard:
            found.append(element)
    return found


def parse_until(self: Any, stream: Any, context: Any, path: str) -> Any:
    """Parse a `RepeatUntil`, each of whose elements is counted."""
    guard = guard_of(context)
    found = construct.ListContainer()
    for index in itertools.count():
        guard.spend_items(1)
        context["_index"] = index
        element = self.subcon._parsereport(stream, context, path)
        if not self.discard:
            found.append(element)
        if self.predicate(element, found, context) if callable(self.predicate) else self.predicate:
            break
    return found


def parse_greedy(self: Any, stream: Any, context: Any, path: str) -> Any:
    """Parse a `GreedyRange` up to the end of its bytes, or to a `StopIf`."""
    guard = guard_of(context)
    found = construct.ListContainer()
    end = end_of(stream)
    for index in itertools.count():
        start = stream.tell()
        if start == end or (end is None and has_no_bits(stream)):
            break
        guard.spend_items(1)
        context["_index"] = index
        try:
            element = self.subcon._parsereport(stream, context, path)
        except construct.StopFieldError:
            break
        if stream.tell() == start:
            raise Refusal("an element without bytes would repeat for ever")
        if not self.discard:
            found.append(element)
    return found


def parse_select(self: Any, stream: Any, context: Any, path: str) -> Any:
    """Parse a `Select`: the first alternative that fits."""
    for alternative in self.subcons:
        start = stream.tell()
        try:
            return alternative._parsereport(stream, context, path)
        except construct.ExplicitError:
            raise
        except construct.ConstructError:
            stream.seek(start)
    raise construct.SelectError(path=path)


def parse_bound(self: Any, stream: Any, context: Any, path: str) -> Any:
    """Parse a `LazyBound`, one step of a recursion."""
    guard = guard_of(context)
    guard.spend_items(1)
    if guard.depth == guard.max_depth:
        raise LimitError(f"the schema calls itself more than {guard.max_depth} times (max_depth)")
    guard.depth += 1
    try:
        return self.subconfunc()._parsereport(stream, context, path)
    finally:
        guard.depth -= 1


def parse_terminated(self: Any, stream: Any, context: Any, path: str) -> Any:
    """Parse a `NullTerminated` in time linear in its bytes, where `data += byte` would be quadratic."""
    if not isinstance(stream, io.BytesIO):
        return construct.NullTerminated._parse(self, stream, context, path)
    start, unit = stream.tell(), len(self.term)
    data, found = read_to(stream, self.term)
    if not found and self.require:
        raise Refusal("a terminator is missing")
    if found and not self.consume:
        stream.seek(-unit, io.SEEK_CUR)
    if found and self.include:
        data += self.term
    part = construct.core.BytesIOWithOffsets(data, stream, start)
    return self.subcon._parsereport(part, context, path)


def parse_restreamed(self: Any, stream: Any, context: Any, path: str) -> Any:
    """Parse a `Restreamed`, such as bits, reading in time linear in its bytes."""
    part = LINEAR_STREAM(stream, self.decoder, self.decoderunit, self.encoder, self.encoderunit)
    found = self.subcon._parsereport(part, context, path)
    part.close()
    return found


def parse_tunnel(self: Any, stream: Any, context: Any, path: str) -> Any:
    """Parse a `Tunnel`: decompress within the limits, or decrypt, then parse all of that."""
    data = stream.read()
    if isinstance(self, construct.Compressed) and self.encoding in DECOMPRESSORS:
        data = expand(DECOMPRESSORS[self.encoding](), data, guard_of(context))
    else:
        data = self._decode(data, context, path)
    return parse_all(self, io.BytesIO(data), context, path)


def parse_rotated(self: Any, stream: Any, context: Any, path: str) -> Any:
    """Parse a `ProcessRotateLeft`, which makes a list as long as its group, even for no data."""
    guard_of(context).spend_items(construct.evaluate(self.group, context))
    return construct.ProcessRotateLeft._parse(self, stream, context, path)


def parse_varint(_: Any, stream: Any, context: Any, path: str) -> int:  # noqa: ARG001  construct's signature
    """Parse a `VarInt` of bounded width."""
    number = 0
    for index in range(MAX_VARINT_SIZE):
        byte: int = construct.stream_read(stream, 1, path)[0]
        number |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return number
    raise Refusal(f"a varint has more than {MAX_VARINT_SIZE} bytes")


def parse_zigzag(self: Any, stream: Any, context: Any, path: str) -> int:
    """Parse a `ZigZag` of bounded width."""
    number = parse_varint(self, stream, context, path)
    return -(number // 2 + 1) if number & 1 else number // 2


def parse_all(self: Any, stream: Any, context: Any, path: str) -> Any:
    """Parse what is inside a delimited part, and all of it [C2]."""
    found = self.subcon._parsereport(stream, context, path)
    if stream.read(1):
        raise Refusal("bytes are left after the value of a delimited part")
    return found


def parse_padded(self: Any, stream: Any, context: Any, path: str) -> Any:
    """Parse what is inside a `FixedSized`, which fills up with zeros."""
    found = self.subcon._parsereport(stream, context, path)
    if stream.read().strip(b"\0"):
        raise Refusal("bytes other than zeros are left after the value of a part of fixed size")
    return found


# By the class whose `_parse` they replace. `type(…)`: construct keeps some classes only as their one instance.
PARSERS: dict[type, Callable[[Any, Any, Any, str], Any]] = {
    construct.Renamed: parse_named,
    construct.Struct: parse_struct,
    construct.Array: parse_array,
    construct.RepeatUntil: parse_until,
    construct.GreedyRange: parse_greedy,
    construct.Select: parse_select,
    construct.LazyBound: parse_bound,
    construct.NullTerminated: parse_terminated,
    construct.Restreamed: parse_restreamed,
    construct.Tunnel: parse_tunnel,
    construct.ProcessRotateLeft: parse_rotated,
    type(construct.VarInt): parse_varint,
    type(construct.ZigZag): parse_zigzag,
}
