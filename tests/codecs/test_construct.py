"""construct, strictly: each hole that the library leaves open has a test here that fails without its plug."""

import bz2
import gzip
import lzma
import pickle
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import construct as c
import pytest
from construct import this
from hypothesis import given, settings
from hypothesis import strategies as st

from framing.codecs.construct import ConstructCodec
from framing.errors import DecodeError, DefinitionError, EncodeError, PluginLoadError
from framing.testing import check_codec
from framing.testing.observation import peak_memory

RECORD = c.Struct(
    "magic" / c.Const(b"\xfe"),
    "flags" / c.BitStruct("last" / c.Flag, "kind" / c.BitsInteger(7)),
    "rows" / c.PrefixedArray(c.Byte, c.Struct("key" / c.PascalString(c.Byte, "utf8"), "size" / c.Int16ub)),
    "body" / c.Prefixed(c.VarInt, c.Compressed(c.GreedyRange(c.Int32sl), "zlib")),
    "name" / c.CString("ascii"),
    "sum" / c.Optional(c.Int32ub),
)

ROWS = st.fixed_dictionaries({"key": st.text(max_size=20), "size": st.integers(0, 2**16 - 1)})
RECORDS = st.fixed_dictionaries(
    {
        "magic": st.just(b"\xfe"),
        "flags": st.fixed_dictionaries({"last": st.booleans(), "kind": st.integers(0, 127)}),
        "rows": st.lists(ROWS, max_size=10),
        "body": st.lists(st.integers(-(2**31), 2**31 - 1)),
        "name": st.text(st.characters(min_codepoint=1, max_codepoint=127)),
        "sum": st.none() | st.integers(0, 2**32 - 1),
    }
)

NODE = c.Struct("value" / c.Byte, "next" / c.If(this.value > 0, c.LazyBound(lambda: NODE)))


def refused(schema: Any, payload: bytes, **options: Any) -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        ConstructCodec(schema, **options).decode(payload)
    assert caught.value.codec == "construct"
    return caught.value


def decoded(schema: Any, payload: bytes, **options: Any) -> Any:
    return ConstructCodec(schema, **options).decode(payload)


def test_the_contract_holds() -> None:
    messages = [
        {"magic": b"\xfe", "flags": {"last": True, "kind": 5}, "rows": [], "body": [], "name": "", "sum": None},
        {
            "magic": b"\xfe",
            "flags": {"last": False, "kind": 127},
            "rows": [{"key": "ключ", "size": 9}, {"key": "", "size": 0}],
            "body": [1, -1, 2**31 - 1],
            "name": "n" * 300,
            "sum": 2**32 - 1,
        },
    ]
    check_codec(lambda: ConstructCodec(RECORD), messages)


KINDS = c.Struct("kind" / c.Enum(c.Byte, a=1), "flags" / c.FlagsEnum(c.Byte, x=1, y=2))


@pytest.mark.parametrize(
    ("schema", "messages"),
    [
        (c.Byte, [0, 255]),
        (NODE, [{"value": 1, "next": {"value": 0, "next": None}}]),
        (c.VarInt, [0, 127, 128, 2**200]),
        (c.ZigZag, [0, -1, 1, -(2**100)]),
        (c.GreedyRange(c.Int16ub), [[], [1, 2]]),
        (c.RepeatUntil(lambda item, _items, _context: item == 0, c.Byte), [[0], [3, 2, 1, 0]]),
        (c.Prefixed(c.Int16ub, c.FixedSized(8, c.CString("utf8"))), ["", "seven77"]),
        (c.Prefixed(c.Int16ub, c.NullStripped(c.GreedyString("utf-16-le"), pad=b"\0\0")), ["wide"]),
        (c.Struct("size" / c.Byte, "data" / c.Bytes(this.size)), [{"size": 2, "data": b"ab"}]),
        (c.ProcessXor(0x55, c.Int16ub), [5]),
        (c.ProcessRotateLeft(4, 1, c.Int16ub), [0xF00F]),
        (KINDS, [{"kind": "a", "flags": {"x": True, "y": False}}]),
    ],
)
def test_the_contract_holds_for_other_schemas(schema: Any, messages: list[Any]) -> None:
    # A range takes any number of elements: whole ones more are no trailing bytes.
    check_codec(lambda: ConstructCodec(schema), messages, any_payload=isinstance(schema, c.GreedyRange))


@pytest.mark.parametrize(
    ("schema", "messages"),
    [(c.GreedyBytes, [b"", b"abc"]), (c.Bitwise(c.GreedyRange(c.Nibble)), [[], [1, 2, 3, 4]])],
)
def test_a_schema_of_all_bytes_has_no_trailing_ones(schema: Any, messages: list[Any]) -> None:
    check_codec(lambda: ConstructCodec(schema), messages, any_payload=True)


@settings(deadline=None)
@given(RECORDS)
def test_messages_come_back(message: dict[str, Any]) -> None:
    codec = ConstructCodec(RECORD)
    assert codec.decode(codec.encode(message)) == message


@settings(deadline=None)
@given(RECORDS, st.integers(0, 10**6), st.binary(max_size=8), st.integers(0, 8))
def test_only_decode_errors_come_out(message: dict[str, Any], at: int, put: bytes, taken: int) -> None:
    codec = ConstructCodec(RECORD)
    payload = codec.encode(message)
    at %= len(payload) + 1
    damaged = payload[:at] + put + payload[at + taken :]
    try:
        found = codec.decode(damaged)
    except DecodeError:
        return
    assert codec.decode(codec.encode(found)) == found


@settings(deadline=None)
@given(st.binary())
def test_construct_agrees_where_it_is_strict_itself(payload: bytes) -> None:
    schema = c.Struct("kind" / c.Byte, "items" / c.PrefixedArray(c.Byte, c.Int16ub), "end" / c.Terminated)
    try:
        expected = schema.parse(payload)
    except c.ConstructError:
        refused(schema, payload)
    else:
        assert decoded(schema, payload) == expected


# Bytes that are left over [C2]


@pytest.mark.parametrize(
    ("schema", "payload", "offset"),
    [
        (c.Byte, b"ab", 1),
        (c.Struct("a" / c.Byte), b"ab", 1),
        (c.Struct("a" / c.Optional(c.Int32ub)), b"ab", 0),
        (c.Union(None, "a" / c.Byte), b"a", 0),
        (c.Struct("at" / c.Byte, "it" / c.Pointer(this.at, c.Byte)), b"\1a", 1),
    ],
)
def test_bytes_behind_the_value_are_refused(schema: Any, payload: bytes, offset: int) -> None:
    error = refused(schema, payload)
    assert (error.reason, error.offset, error.found) == ("bytes are left after the value", offset, payload[offset:])


@pytest.mark.parametrize(
    ("schema", "payload"),
    [
        (c.Prefixed(c.Byte, c.Byte), b"\2ab"),
        (c.Prefixed(c.Byte, c.Struct("a" / c.Byte)), b"\2ab"),
        (c.NullTerminated(c.Byte), b"ab\0"),
        (c.NullStripped(c.Byte), b"ab\0"),
        (c.Struct("a" / c.OffsettedEnd(-1, c.Byte), "end" / c.Byte), b"abc"),
        (c.ProcessXor(1, c.Byte), b"ab"),
        (c.ProcessRotateLeft(1, 1, c.Byte), b"ab"),
        (c.Transformed(c.Byte, bytes, None, bytes, None), b"ab"),
        (c.Compressed(c.Byte, "zlib"), zlib.compress(b"ab")),
        (c.Compressed(c.GreedyBytes, "zlib"), zlib.compress(b"ab") + b"x"),
        (c.Compressed(c.GreedyBytes, "gzip"), gzip.compress(b"a") + gzip.compress(b"b")),
        (c.RestreamData(c.Bytes(2), c.Byte), b"ab"),
        (c.FixedSized(2, c.Byte), b"ab"),
    ],
)
def test_bytes_left_in_a_delimited_part_are_refused(schema: Any, payload: bytes) -> None:
    assert "bytes" in refused(schema, payload).reason
    assert "left after" in refused(c.Struct("part" / schema), payload).reason


def test_zeros_fill_up_a_part_of_fixed_size() -> None:
    assert decoded(c.FixedSized(3, c.Byte), b"a\0\0") == ord("a")


def test_a_value_cannot_end_behind_the_payload() -> None:
    assert refused(c.Struct(c.Seek(10)), b"ab").offset == 10


def test_a_seek_reaches_what_a_pointer_read() -> None:
    schema = c.Struct("at" / c.Byte, "it" / c.Pointer(this.at, c.Byte), c.Seek(0, 2))
    assert decoded(schema, b"\2xy") == {"at": 2, "it": ord("y")}


# Errors that construct swallows


def test_a_damaged_element_does_not_end_a_greedy_range() -> None:
    schema = c.Struct("rows" / c.GreedyRange(c.Struct("tag" / c.Const(b"T"), "n" / c.Byte)), "rest" / c.GreedyBytes)
    assert schema.parse(b"T1X2").rest == b"X2"
    error = refused(schema, b"T1X2")
    assert (error.path, error.offset) == ("rows[1].tag", 2)


def test_a_stop_field_does_end_a_greedy_range() -> None:
    schema = c.Struct(
        "rows" / c.GreedyRange(c.FocusedSeq("n", "n" / c.Byte, c.StopIf(this.n == 0))), "rest" / c.GreedyBytes
    )
    assert decoded(schema, b"\1\2\0x") == {"rows": [1, 2], "rest": b"x"}


@pytest.mark.parametrize("schema", [c.Select, c.Optional])
def test_a_bug_in_a_lambda_does_not_choose_the_next_alternative(schema: Callable[..., Any]) -> None:
    broken = c.Struct("n" / c.Byte, "half" / c.Computed(lambda context: 1 // context.n))
    schema = c.Select(broken, c.Byte) if schema is c.Select else c.Struct("a" / c.Optional(broken), "b" / c.GreedyBytes)
    assert "ZeroDivisionError" in refused(schema, b"\0").reason
    assert isinstance(refused(schema, b"\0").__cause__, ZeroDivisionError)


def test_a_mismatch_does_choose_the_next_alternative() -> None:
    schema = c.Select(c.Struct("tag" / c.Const(b"T"), "n" / c.Int16ub), c.GreedyBytes)
    assert decoded(schema, b"T\0\1") == {"tag": b"T", "n": 1}
    assert decoded(schema, b"T\0") == b"T\0"


def test_no_alternative_is_an_error_at_its_field() -> None:
    error = refused(c.Struct("n" / c.Byte, "one" / c.Select(c.Const(b"a"), c.Const(b"b"))), b"\0c")
    assert (error.reason, error.path, error.offset) == ("no alternative fits", "one", 1)


def test_cancelling_is_no_message() -> None:
    def cancel(_value: object, _context: object) -> None:
        raise c.CancelParsing

    assert "CancelParsing" in refused(c.Struct("a" / c.Byte * cancel), b"a").reason


# Bare errors [C4]


@pytest.mark.parametrize(
    ("schema", "payload", "cause"),
    [
        (c.Struct("n" / c.Byte, "x" / c.Computed(lambda context: context.missing)), b"\0", AttributeError),
        (c.Struct("n" / c.Byte, "x" / c.Computed(lambda context: context["missing"])), b"\0", KeyError),
        (c.Struct("n" / c.Byte, "x" / c.Computed(lambda context: [][context.n])), b"\0", IndexError),
        (c.Struct("n" / c.Byte, "x" / c.Computed(lambda context: 1 // context.n)), b"\0", ZeroDivisionError),
        (c.Struct("n" / c.Byte, "x" / c.Computed(lambda context: (context.n).to_bytes(0))), b"\1", OverflowError),
        (c.Struct("n" / c.Byte, "x" / c.Bytes(lambda context: "n")), b"\0", TypeError),
        (c.Struct("n" / c.Byte, "x" / c.Union("y", "z" / c.Byte)), b"\0\0", KeyError),
        (c.Struct("n" / c.Byte, "x" / c.StopIf(True) * "s", "y" / c.Byte, c.Error), b"\0", None),
        (c.Struct("n" / c.Byte, "x" / c.Compressed(c.GreedyBytes, "hex")), b"\0zz", Exception),
        (c.Struct("n" / c.Byte, "x" / c.Error), b"\0", c.ExplicitError),
    ],
)  # fmt: skip
def test_a_bare_error_is_a_decode_error_at_its_field(
    schema: Any, payload: bytes, cause: type[Exception] | None
) -> None:
    if cause is None:
        assert decoded(schema, payload) == {"n": 0}
        return
    error = refused(schema, payload)
    assert (error.path, error.offset) == ("x", 1)
    assert isinstance(error.__cause__, cause)


def test_running_out_of_stack_is_a_decode_error() -> None:
    def endless(_context: object) -> object:
        return endless(_context)

    error = refused(c.Struct("x" / c.Computed(endless)), b"")
    assert (error.reason, error.path) == ("the value is nested too deeply", "x")


@pytest.mark.parametrize(
    ("schema", "payload", "reason"),
    [
        (c.Int32ub, b"ab", "the payload ends inside"),
        (c.Const(b"a"), b"b", "a constant has another value"),
        (c.OneOf(c.Byte, [1]), b"\2", "a value is not allowed"),
        (c.Mapping(c.Byte, {"a": 1}), b"\2", "a value has no meaning"),
        (c.PascalString(c.Byte, "utf8"), b"\1\xff", "a string is not text"),
        (c.Struct("a" / c.Byte, c.Terminated), b"ab", "bytes follow"),
        (c.CString("utf8"), b"abc", "a terminator is missing"),
        (c.Compressed(c.GreedyBytes, "zlib"), b"abc", "compressed data are damaged"),
        (c.Compressed(c.GreedyBytes, "zlib"), zlib.compress(b"abc")[:-1], "compressed data end early"),
        (c.Compressed(c.GreedyBytes, "lzma"), lzma.compress(b"abc", preset=9), "need too much memory"),
    ],
)
def test_the_reason_is_told_and_no_value(schema: Any, payload: bytes, reason: str) -> None:
    error = refused(schema, payload)
    assert error.reason.startswith(reason) or reason in error.reason
    assert "parsing" not in error.reason


def test_the_path_leads_through_arrays_and_parts() -> None:
    row = c.Struct("key" / c.PascalString(c.Byte, "utf8"), "end" / c.Const(b"\0"))
    schema = c.Struct("head" / c.Struct("rows" / c.Prefixed(c.Byte, c.GreedyRange(row))))
    error = refused(schema, b"\6\1a\0\1b\1")
    assert (error.path, error.offset, error.found) == ("head.rows[1].end", 6, b"\1")


def test_a_path_is_that_of_the_last_error_only() -> None:
    tagged = c.Struct("inner" / c.Struct("tag" / c.Const(b"T")))
    schema = c.Struct("first" / c.Optional(tagged), "second" / c.Peek(tagged), "third" / c.Const(b"X"))
    error = refused(schema, b"Y")
    assert (error.path, error.offset) == ("third", 0)
    error = refused(c.Struct(c.Padding(1), "first" / c.Optional(tagged), c.Const(b"X")), b"YY")
    assert (error.path, error.offset) == (None, 2)


def test_an_offset_inside_expanded_bytes_is_that_of_the_part() -> None:
    schema = c.Struct("n" / c.Byte, "part" / c.Compressed(c.Struct("a" / c.Byte, "b" / c.Const(b"x")), "zlib"))
    error = refused(schema, b"\0" + zlib.compress(b"ay"))
    assert (error.path, error.offset) == ("part.b", 1)


def test_a_long_path_is_shortened() -> None:
    error = refused(NODE, b"\1" * 100)
    assert error.path is not None
    assert error.path.count("next") == 16
    assert " … " in error.path


# Limits [C7]


@pytest.mark.parametrize(
    "schema",
    [
        c.Struct("n" / c.Int32ub, "x" / c.Bytes(this.n)),
        c.Struct("n" / c.Int32ub, "x" / c.Array(this.n, c.Pass)),
        c.Struct("n" / c.Int32ub, "x" / c.Array(this.n, c.Byte)),
        c.Struct("n" / c.Int32ub, "x" / c.Padding(this.n)),
        c.Struct("n" / c.Int32ub, "x" / c.FixedSized(this.n, c.GreedyBytes)),
        c.Struct("n" / c.Int32ub, "x" / c.BytesInteger(this.n)),
        c.Struct("n" / c.Int32ub, "x" / c.ProcessRotateLeft(8, this.n, c.GreedyBytes)),
        c.Prefixed(c.Int32ub, c.GreedyBytes),
        c.PrefixedArray(c.Int32ub, c.Pass),
        c.PrefixedArray(c.Int32ub, c.Computed(5)),
    ],
)
def test_an_announced_size_costs_nothing(schema: Any) -> None:
    codec = ConstructCodec(schema)

    def attempt() -> None:
        with pytest.raises(DecodeError):
            codec.decode(b"\xff\xff\xff\xff")

    assert peak_memory(attempt) < 2**20


@pytest.mark.parametrize(
    "schema",
    [
        c.GreedyRange(c.Pass),
        c.GreedyRange(c.Struct()),
        c.RepeatUntil(lambda *_: False, c.Pass),
        c.GreedyRange(c.Peek(c.Byte)),
    ],
)
def test_elements_without_bytes_come_to_an_end(schema: Any) -> None:
    refused(schema, b"a")


def test_an_element_without_bytes_is_refused_at_once() -> None:
    assert "without bytes" in refused(c.GreedyRange(c.Pass), b"a").reason


def test_items_are_limited_by_the_option_and_by_the_payload() -> None:
    schema = c.Struct("n" / c.Int16ub, "x" / c.Array(this.n, c.Pass))
    assert len(decoded(schema, (1040).to_bytes(2)).x) == 1040
    assert "1040 (max_items)" in refused(schema, (1041).to_bytes(2)).reason
    assert len(decoded(schema, (7).to_bytes(2), max_items=7).x) == 7
    assert "7 (max_items)" in refused(schema, (8).to_bytes(2), max_items=7).reason


def test_many_arrays_share_one_limit() -> None:
    schema = c.GreedyRange(c.PrefixedArray(c.Byte, c.Pass))
    refused(schema, b"\xff" * 200)


def test_expanded_bytes_may_hold_items_too() -> None:
    packed = zlib.compress(b"a" * 50_000)
    assert len(decoded(c.Compressed(c.GreedyRange(c.Byte), "zlib"), packed)) == 50_000


def test_recursion_is_limited() -> None:
    assert decoded(NODE, b"\1" * 2 + b"\0", max_depth=2)
    error = refused(NODE, b"\1" * 3 + b"\0", max_depth=2)
    assert "max_depth" in error.reason


def test_recursion_that_branches_comes_to_an_end() -> None:
    tree = c.Struct("left" / c.Peek(c.LazyBound(lambda: tree)), "right" / c.Peek(c.LazyBound(lambda: tree)))
    refused(tree, b"", max_depth=64)
    twice = c.Select(c.Sequence(c.Byte, c.LazyBound(lambda: twice), c.Error), c.Byte)
    refused(twice, b"a" * 30)


@pytest.mark.parametrize("encoding", ["zlib", "gzip", "bzip2", "lzma", "zlib_codec", "bz2_codec"])
def test_a_bomb_is_refused(encoding: str) -> None:
    schema = c.Prefixed(c.Int32ub, c.Compressed(c.GreedyBytes, encoding))
    bomb = schema.build(bytes(20_000_000))
    codec = ConstructCodec(schema)

    def attempt() -> None:
        with pytest.raises(DecodeError, match="max_expanded_size"):
            codec.decode(bomb)

    assert peak_memory(attempt) < 16 * 2**20


@pytest.mark.parametrize(
    ("encoding", "compress"),
    [("zlib", zlib.compress), ("gzip", gzip.compress), ("bzip2", bz2.compress), ("lzma", lzma.compress)],
)
def test_what_is_compressed_moderately_is_expanded(encoding: str, compress: Callable[[bytes], bytes]) -> None:
    assert decoded(c.Compressed(c.GreedyBytes, encoding), compress(bytes(60_000))) == bytes(60_000)


def test_ratio_and_size_are_options() -> None:
    schema, packed = c.Compressed(c.GreedyBytes, "zlib"), zlib.compress(bytes(200_000))
    refused(schema, packed)
    assert len(decoded(schema, packed, max_ratio=1000)) == 200_000
    refused(schema, packed, max_ratio=1000, max_expanded_size=199_999)
    assert len(decoded(schema, packed, max_ratio=1000, max_expanded_size=200_000)) == 200_000


def test_many_small_bombs_share_one_limit() -> None:
    packed = zlib.compress(bytes(40_000))
    part = len(packed).to_bytes(4) + packed
    schema = c.GreedyRange(c.Prefixed(c.Int32ub, c.Compressed(c.GreedyBytes, "zlib")))
    assert "max_expanded_size" in refused(schema, part * 500).reason


def test_a_varint_has_a_widest() -> None:
    assert decoded(c.VarInt, b"\xff" * 31 + b"\1") == 2**218 - 1
    assert "32 bytes" in refused(c.VarInt, b"\xff" * 33).reason
    assert "32 bytes" in refused(c.ZigZag, b"\xff" * 2**20).reason


def test_long_texts_and_bits_take_linear_time() -> None:
    # Each of these takes minutes if every byte copies all bytes before it.
    text = "x" * 2**20
    assert decoded(c.CString("utf8"), text.encode() + b"\0") == text
    assert len(decoded(c.Bitwise(c.GreedyBytes), bytes(2**17))) == 2**20


@pytest.mark.parametrize(
    ("options", "payload", "expected"),
    [
        ({}, b"ab\0x", [b"ab", b"x"]),
        ({"include": True}, b"ab\0x", [b"ab\0", b"x"]),
        ({"consume": False}, b"ab\0x", [b"ab", b"\0x"]),
        ({"require": False}, b"abx", [b"abx", b""]),
        ({"term": b"\0\0"}, b"a\0\0b\0\0x", [b"a\0\0b", b"x"]),
        ({}, b"a" * 1000 + b"\0" + b"x", [b"a" * 1000, b"x"]),
        ({"term": b"\r\n"}, b"a" * 510 + b"\r\n" + b"x", [b"a" * 510, b"x"]),
        ({"term": b"\0\0"}, b"a\0" * 256 + b"\0\0x", [b"a\0" * 256, b"x"]),
    ],
)
def test_terminators_are_found_where_construct_finds_them(options: Any, payload: bytes, expected: list[bytes]) -> None:
    schema = c.Sequence(c.NullTerminated(c.GreedyBytes, **options), c.GreedyBytes)
    assert schema.parse(payload) == expected
    assert decoded(schema, payload) == expected


def test_terminators_among_bits_are_found() -> None:
    schema = c.Bitwise(c.Sequence(c.NullTerminated(c.GreedyBytes, term=b"\1"), c.GreedyBytes))
    assert decoded(schema, b"\x10") == [b"\0\0\0", b"\0\0\0\0"]


# Schemas


@pytest.mark.parametrize(
    "schema",
    [
        c.Pickled,
        c.Numpy,
        c.Lazy(c.Byte),
        c.LazyStruct("a" / c.Byte),
        c.LazyArray(2, c.Byte),
        c.Rebuffered(c.Byte),
        c.Probe(),
        c.Debugger(c.Byte),
        c.Struct("a" / c.Byte).compile(),
        object.__new__(c.CompressedLZ4),
        c.Compressed(c.GreedyBytes, "rot13"),
        c.Compressed(c.GreedyBytes, "no such"),
        c.LazyBound(lambda: undefined),  # type: ignore[name-defined]  # noqa: F821
        5,
        c.Struct,
    ],
)
def test_what_cannot_be_made_strict_is_refused_at_once(schema: Any) -> None:
    with pytest.raises(DefinitionError) as caught:
        ConstructCodec(schema)
    assert caught.value.key == "schema"


@pytest.mark.parametrize(
    "schema",
    [
        c.Struct("a" / c.Struct("b" / c.Pickled)),
        c.Switch(1, {1: c.Pickled}),
        c.Switch(1, {}, default=c.Pickled),
        c.IfThenElse(True, c.Byte, c.Pickled),
        c.Array(2, c.Pickled),
        c.Prefixed(c.Byte, c.Optional(c.Pickled)),
        c.LazyBound(lambda: c.Pickled),
        c.Checksum(c.Pickled, bytes, bytes),
        c.RestreamData(c.Pickled, c.Byte),
        c.PrefixedArray(c.Byte, c.Pickled),
    ],
)
def test_what_is_refused_is_found_wherever_it_hides(schema: Any) -> None:
    with pytest.raises(DefinitionError, match="Pickled"):
        ConstructCodec(schema)


def endless() -> Any:
    return c.Struct("again" / c.LazyBound(endless))


def test_a_schema_without_end_is_refused() -> None:
    with pytest.raises(DefinitionError, match="no end"):
        ConstructCodec(endless())


def test_the_schema_itself_is_not_changed() -> None:
    ranged = c.GreedyRange(c.Int16ub)
    schema = c.Struct("rows" / c.Prefixed(c.Byte, ranged), "rest" / c.GreedyBytes)
    before = {name: vars(part).copy() for name, part in {"schema": schema, "ranged": ranged}.items()}
    refused(schema, b"\3abc")
    assert {"schema": vars(schema), "ranged": vars(ranged)} == before
    assert schema.parse(b"\3abc").rows == [0x6162]


class Doubled(c.Adapter):  # type: ignore[misc]  # construct has no types
    def _decode(self, value: int, context: object, path: str) -> int:
        return value * 2

    def _encode(self, value: int, context: object, path: str) -> int:
        return value // 2


class Counted(c.GreedyRange):  # type: ignore[misc]  # construct has no types
    """Inherits how it parses, and so becomes strict."""


class Pair(c.Construct):  # type: ignore[misc]  # construct has no types
    """Parses in its own way, and a part of it by hand."""

    def __init__(self, part: Any) -> None:
        super().__init__()
        self.part = part

    def _parse(self, stream: Any, context: Any, path: str) -> Any:
        return self.part._parsereport(stream, context, path), self.part.parse(stream.read(2))

    def _build(self, value: Any, stream: Any, context: Any, path: str) -> Any:
        for item in value:
            self.part._build(item, stream, context, path)


def test_constructs_of_ones_own_work() -> None:
    assert decoded(c.Struct("n" / Doubled(c.Byte)), b"\4") == {"n": 8}
    assert decoded(Counted(c.Int16ub), b"\0\1") == [1]
    refused(Counted(c.Int16ub), b"\0\1\2")
    pair = Pair(c.Struct("rows" / c.Array(2, c.Byte)))
    assert decoded(pair, b"\1\2\3\4") == ({"rows": [1, 2]}, {"rows": [3, 4]})
    refused(pair, b"\1\2\3")


def test_a_message_keeps_nothing_alive_and_can_be_pickled() -> None:
    found = decoded(c.Struct("a" / c.Struct("b" / c.Byte)), b"a")
    assert "_io" not in found
    assert "_io" not in found.a
    assert pickle.loads(pickle.dumps(found)) == found


@pytest.fixture
def schemas(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    monkeypatch.delitem(sys.modules, "schemas", raising=False)
    return "schemas"


def test_a_schema_can_be_named(schemas: str) -> None:
    codec = ConstructCodec(f"{schemas}:record")
    assert codec.decode(b"\1\0") == {"kind": 1, "rows": []}
    assert "schema='schemas:record'" in repr(codec)
    assert ConstructCodec(f"{schemas}:Holder.inner").decode(b"\1\0").kind == 1


@pytest.mark.parametrize(
    "name", ["schemas", "schemas:", ":record", "schemas:no", "no_such_module:x", "schemas:not_a_schema"]
)
def test_a_name_that_leads_nowhere_is_refused(schemas: str, name: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        ConstructCodec(name)
    assert caught.value.key == "schema"


@pytest.mark.parametrize("module", ["import sys; sys.exit(7)", "raise RuntimeError('no')", "1 +"])
def test_a_module_that_cannot_be_imported_ends_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    (tmp_path / "failing_schemas.py").write_text(module)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(DefinitionError, match="the schema cannot be imported"):
        ConstructCodec("failing_schemas:record")


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"max_items": 0}, DefinitionError),
        ({"max_depth": 65}, DefinitionError),
        ({"max_ratio": 0}, DefinitionError),
        ({"max_expanded_size": -1}, DefinitionError),
        ({"max_depth": "5"}, TypeError),
        ({"unknown": 1}, TypeError),
    ],
)
def test_options_are_checked_early(options: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        ConstructCodec(c.Byte, **options)


def test_a_missing_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("framing.codecs.construct_")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "construct", None)
    for name in ("construct_guard", "construct_strict"):
        monkeypatch.delattr(f"framing.codecs.{name}", raising=False)
    with pytest.raises(PluginLoadError) as caught:
        ConstructCodec("construct:Byte")
    assert caught.value.hint == "pip install construct"


@pytest.mark.parametrize("payload", [None, 5, "text", bytearray(b"a")])
def test_a_payload_that_is_no_bytes_is_misuse(payload: Any) -> None:
    with pytest.raises(TypeError, match="decode takes bytes"):
        decoded(c.Byte, payload)


# Encoding

ENCODED = c.Struct("rows" / c.PrefixedArray(c.Byte, c.Struct("key" / c.PascalString(c.Byte, "ascii"), "n" / c.Byte)))


@pytest.mark.parametrize(
    ("message", "path", "reason"),
    [
        ({}, "rows", "a field is missing"),
        ({"rows": [{"key": "a", "n": 1}, {"key": "a"}]}, "rows.items[1].n", "a field is missing"),
        ({"rows": [{"key": "a", "n": 256}]}, "rows.items[0].n", "a number does not fit"),
        ({"rows": [{"key": "ä", "n": 1}]}, "rows.items[0].key", "a value is not text"),
        ({"rows": [{"key": 5, "n": 1}]}, "rows.items[0].key", "a value is not text"),
        ({"rows": [{"key": "a", "n": 1}] * 256}, "rows.count", "a number does not fit"),
        ({"rows": 5}, None, "a value has another type"),
        (5, None, "a value has another type"),
        (object(), None, "a value has another type"),
    ],
)
def test_a_message_that_does_not_fit_is_refused_with_its_path(message: Any, path: str | None, reason: str) -> None:
    with pytest.raises(EncodeError) as caught:
        ConstructCodec(ENCODED).encode(message)
    assert caught.value.reason.startswith(reason)
    if path is not None:
        assert caught.value.path == path
    assert isinstance(caught.value.__cause__, Exception)


def test_what_a_schema_computes_may_be_left_out() -> None:
    codec = ConstructCodec(
        c.Struct("magic" / c.Const(b"M"), "n" / c.Default(c.Byte, 7), "twice" / c.Computed(this.n * 2))
    )
    assert codec.encode({}) == b"M\x07"
    assert codec.decode(b"M\x07") == {"magic": b"M", "n": 7, "twice": 14}


def test_a_select_builds_what_fits() -> None:
    codec = ConstructCodec(c.Struct("x" / c.Select(c.Struct("n" / c.Array(2, c.Byte)), c.GreedyBytes)))
    assert codec.encode({"x": {"n": [1, 2]}}) == b"\1\2"
    assert codec.encode({"x": b"abc"}) == b"abc"
