"""MessagePack, run over both implementations that the library has: C, and pure Python as its twin."""

import datetime
import enum
import itertools
import math
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgpack import fallback

from framing.codecs.msgpack import MsgpackCodec
from framing.errors import CodecError, DecodeError, DefinitionError, EncodeError, PluginLoadError
from framing.testing import check_codec
from framing.testing.observation import peak_memory

Make = Callable[..., MsgpackCodec]

KEYS = st.text() | st.binary()
EXTENSIONS = st.builds(msgpack.ExtType, st.integers(0, 127), st.binary())
TIMESTAMPS = st.builds(msgpack.Timestamp, st.integers(-(2**63), 2**63 - 1), st.integers(0, 10**9 - 1))
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(max_size=300)
    | EXTENSIONS
    | TIMESTAMPS
)
MESSAGES = st.recursive(SCALARS, lambda items: st.lists(items) | st.dictionaries(KEYS, items), max_leaves=40)

# Payloads that look like MessagePack more often than random bytes do.
HEADS = st.sampled_from([bytes((head,)) for head in (*range(0x80, 0xE0), 0, 1, 0xFF)])
PAYLOADS = st.binary() | st.lists(HEADS | st.binary(max_size=5), max_size=80).map(b"".join)


def made_in_c(**options: Any) -> MsgpackCodec:
    return MsgpackCodec(**options)


def made_in_python(**options: Any) -> MsgpackCodec:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("Packer", "Unpacker", "unpackb"):
            patch.setattr(msgpack, name, getattr(fallback, name))
        return MsgpackCodec(**options)


@pytest.fixture(params=[made_in_c, made_in_python], ids=["c", "python"])
def make(request: pytest.FixtureRequest) -> Make:
    made: Make = request.param
    return made


def outcome(codec: MsgpackCodec, payload: bytes) -> object:
    try:
        return repr(codec.decode(payload))
    except DecodeError as error:
        return str(error)


def nested(depth: int) -> list[Any]:
    message: list[Any] = []
    for _ in range(depth - 1):
        message = [message]
    return message


def test_the_implementations_differ() -> None:
    assert made_in_c()._open_unpacker is not made_in_python()._open_unpacker
    assert made_in_c()._head_start is not None
    assert made_in_python()._head_start is None


def test_the_contract_holds(make: Make) -> None:
    messages = [
        None,
        True,
        -1,
        2**64 - 1,
        -(2**63),
        1.5,
        math.inf,
        "text",
        b"bytes",
        [],
        {},
        {"id": 7, b"key": [1, [2, [3]]], "": None},
        msgpack.ExtType(5, b"data"),
        msgpack.Timestamp(1, 5),
        msgpack.Timestamp(-(2**40), 999_999_999),
        "long" * 100,
        [{"id": number, "name": "row"} for number in range(60)],
    ]
    check_codec(make, messages)


def test_the_contract_holds_with_options(make: Make) -> None:
    options = {"strict_map_key": False, "strict_types": False, "unique_keys": True, "max_depth": 3, "max_items": 200}
    check_codec(
        lambda: make(**options), [{1: 2, None: "x", msgpack.Timestamp(1): 5}, [[1]], list(range(200)), "x" * 500]
    )


@settings(deadline=None)
@given(MESSAGES)
def test_messages_come_back(message: object) -> None:
    for codec in (MsgpackCodec(), MsgpackCodec(unique_keys=True)):
        assert codec.decode(codec.encode(message)) == message


@settings(deadline=None)
@given(PAYLOADS)
def test_only_decode_errors_come_out_and_both_implementations_agree(payload: bytes) -> None:
    for options in ({}, {"strict_map_key": False}, {"unique_keys": True, "max_depth": 2, "max_items": 3}):
        in_c, in_python = outcome(made_in_c(**options), payload), outcome(made_in_python(**options), payload)
        if isinstance(in_c, str) and "codec msgpack" not in in_c:
            assert in_c == in_python
        else:
            # They may meet two faults of one payload in another order, but both refuse it.
            assert "codec msgpack" in str(in_python)


@pytest.mark.parametrize("value", [math.nan, -math.nan])
def test_nan_comes_back_as_nan(make: Make, value: float) -> None:
    assert math.isnan(make().decode(make().encode(value)))


@pytest.mark.parametrize(
    ("payload", "reason", "offset"),
    [
        ("", "the payload ends inside a value", 0),
        ("81 a1 61", "the payload ends inside a value", 3),
        ("dd ff ff ff ff", "more items are announced", None),
        ("df ff ff ff ff", "more items are announced", None),
        ("c6 ff ff ff ff 00", "the payload ends inside a value", 6),
        ("01 02", "bytes are left after the value", 1),
        ("92 01 c1", "no MessagePack value starts like this", 2),
        ("93 cd 01 02 d4 05 c1 c1", "no MessagePack value starts like this", 7),
        ("82 a1 61 c4 02 ff ff a1 62 a3 61 ff ff", "a string is not UTF-8", 11),
        ("92 c7 02 05 00 c1 d9 02 c3 28", "a string is not UTF-8", 8),
        ("81 01 02", "a map key is neither text nor bytes", None),
        ("d4 fe 00", "an extension has a code that MessagePack reserves", None),
        ("d7 ff ff ff ff ff ff ff ff ff", "a timestamp is malformed", None),
    ],
)
def test_a_bad_payload_says_what_and_where(make: Make, payload: str, reason: str, offset: int | None) -> None:
    with pytest.raises(DecodeError) as caught:
        make().decode(bytes.fromhex(payload))
    assert reason in caught.value.reason
    assert (caught.value.codec, caught.value.offset) == ("msgpack", offset)
    assert isinstance(caught.value.__cause__, Exception)
    assert "max_array_len" not in str(caught.value)


def test_a_timestamp_of_no_known_size_is_refused(make: Make) -> None:
    with pytest.raises(DecodeError):
        make().decode(b"\xd4\xff\x00")


def test_an_array_as_key_is_refused(make: Make) -> None:
    with pytest.raises(DecodeError, match="a map key is an array or a map"):
        make(strict_map_key=False).decode(b"\x81\x90\x01")


def test_the_place_of_an_error_is_searched_for_a_bounded_time() -> None:
    with pytest.raises(DecodeError) as caught:
        MsgpackCodec().decode(b"\xdc\xff\xff" + b"\x00" * 65534 + b"\xc1")
    assert caught.value.offset is None


@pytest.mark.parametrize(("limit", "filler"), [(1, 0), (2, 0), (128, 0), (400, 0), (128, 10_000), (3, 500)])
def test_depth_is_limited_exactly(make: Make, limit: int, filler: int) -> None:
    codec = make(max_depth=limit)
    rest = [b"x" * filler] if filler else []
    # The filler stands in the outermost array, so that payloads of each kind of size are as deep as said.
    assert codec.decode(msgpack.packb([*nested(limit), *rest])) == [*nested(limit), *rest]
    with pytest.raises(DecodeError, match="nested too deeply"):
        codec.decode(msgpack.packb([*nested(limit + 1), *rest]))


def test_depth_of_maps_is_limited_too(make: Make) -> None:
    message: object = 1
    for _ in range(128):
        message = {"k": message}
    assert make().decode(msgpack.packb(message)) == message
    with pytest.raises(DecodeError, match="nested too deeply"):
        make().decode(msgpack.packb({"k": message}))


def test_encode_refuses_what_decode_would(make: Make) -> None:
    for message in (nested(129), {1: 2}, {None: 1}):
        with pytest.raises(EncodeError, match="could not be read back"):
            make().encode(message)
    with pytest.raises(EncodeError, match="could not be read back"):
        make(max_items=3).encode([1, 2, 3, 4])


@pytest.mark.parametrize("filler", [0, 200, 10_000])
def test_encode_refuses_nothing_else(make: Make, filler: int) -> None:
    codec = make()
    for message in (nested(127), [{"a": {"b": 1}}], {"a" * 40: list(range(300))}):
        assert codec.decode(codec.encode([*message, "x" * filler])) == [*message, "x" * filler]
    with pytest.raises(EncodeError, match="nested too deeply"):
        codec.encode([nested(128), "x" * filler])


@pytest.mark.parametrize(
    ("message", "path", "found"),
    [
        ({1: 2}, "(key)", "int"),
        ([{"rows": [{b"a": 1}, {"x": {None: 1}}]}], "[0].rows[1].x.(key)", "NoneType"),
        ({"a": "x" * 200, 1.5: 1}, "(key)", "float"),
    ],
)
def test_a_key_that_strict_maps_do_not_have_is_found(make: Make, message: object, path: str, found: str) -> None:
    with pytest.raises(EncodeError) as caught:
        make().encode(message)
    assert (caught.value.path, caught.value.found) == (path, found)
    assert "strict_map_key=False" in str(caught.value)
    codec = make(strict_map_key=False)
    assert codec.decode(codec.encode(message)) == message


@pytest.mark.parametrize("payload", [b"\x91" * 10_000, b"\x81\xa0" * 10_000, b"\x91" * 1025 + b"\xc0"])
def test_deep_nesting_is_refused(make: Make, payload: bytes) -> None:
    with pytest.raises(DecodeError, match="nested too deeply"):
        make().decode(payload)


def test_announced_items_cost_nothing() -> None:
    head = b"\xdd" + (2**20 - 10).to_bytes(4)
    hostile = (head * 120).ljust(2**20, b"\xc0")

    def attempt() -> None:
        with pytest.raises(DecodeError):
            MsgpackCodec().decode(hostile)

    # It takes the payload's own size two or three times. Without `skip` each of the 120 arrays allocates 8 MiB first.
    assert peak_memory(attempt) < 4 * 2**20


def test_more_items_than_allowed_are_refused(make: Make) -> None:
    codec = make(max_items=3)
    assert codec.decode(b"\x93\x01\x02\x03") == [1, 2, 3]
    for payload in (b"\x94\x01\x02\x03\x04", b"\x84" + b"".join(b"\xa1%c\x00" % key for key in b"abcd")):
        with pytest.raises(DecodeError, match="max_items"):
            codec.decode(payload)


def test_the_last_of_duplicate_keys_wins_unless_refused(make: Make) -> None:
    payload = b"\x82\xa1a\x01\xa1a\x02"
    assert make().decode(payload) == {"a": 2}
    with pytest.raises(DecodeError, match="same key twice"):
        make(unique_keys=True).decode(payload)


class Colour(enum.IntEnum):
    RED = 1


@pytest.mark.parametrize(
    ("message", "path", "found"),
    [
        ((1, 2), None, "tuple"),
        ({"rows": [1, {"at": (1, 2)}]}, "rows[1].at", "tuple"),
        ([OrderedDict(a=1)], "[0]", "OrderedDict"),
        ({"colour": Colour.RED}, "colour", "Colour"),
        ({"when": datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)}, "when", "datetime"),
        ({(1, 2): 3}, "(key)", "tuple"),
        ([2**64], "[0]", "int"),
        ([-(2**63) - 1], "[0]", "int"),
        ({"text": "\ud800"}, "text", "str"),
        ({1: {2}}, "[int]", "set"),
    ],
)
def test_what_would_not_come_back_is_refused_with_its_path(
    make: Make, message: object, path: str | None, found: str
) -> None:
    with pytest.raises(EncodeError) as caught:
        make().encode(message)
    assert (caught.value.path, caught.value.found) == (path, found)
    assert caught.value.__cause__ is not None


def test_tuples_and_subclasses_can_be_allowed(make: Make) -> None:
    codec = make(strict_types=False)
    assert codec.decode(codec.encode((1, OrderedDict(a=Colour.RED)))) == [1, {"a": 1}]


def test_a_message_inside_itself_is_refused(make: Make) -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(EncodeError, match="contains itself"):
        make().encode(loop)


def test_an_error_text_shows_no_value(make: Make) -> None:
    secret = "hunter2"
    with pytest.raises(EncodeError) as caught:
        make().encode([{secret}])
    assert secret not in str(caught.value)


@pytest.mark.parametrize("payload", [None, 5, "text", [1]])
def test_a_payload_that_is_no_bytes_is_misuse(make: Make, payload: object) -> None:
    with pytest.raises(TypeError, match="decode takes bytes"):
        make().decode(payload)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"max_depth": 0}, DefinitionError),
        ({"max_depth": 401}, DefinitionError),
        ({"max_items": 0}, DefinitionError),
        ({"max_depth": "5"}, TypeError),
        ({"strict_types": 1}, TypeError),
        ({"unknown": 1}, TypeError),
    ],
)
def test_options_are_checked_early(options: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        MsgpackCodec(**options)


def test_a_missing_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "msgpack", None)
    with pytest.raises(PluginLoadError) as caught:
        MsgpackCodec()
    assert caught.value.hint == "pip install msgpack"
    assert isinstance(caught.value.__cause__, ImportError)


def test_every_payload_of_two_bytes_decodes_or_is_refused(make: Make) -> None:
    codec = make()
    for pair in itertools.product(range(256), repeat=2):
        try:
            message = codec.decode(bytes(pair))
        except CodecError:
            continue
        assert codec.decode(codec.encode(message)) == message
