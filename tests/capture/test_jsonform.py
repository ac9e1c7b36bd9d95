"""specs/records.md, [R10] to [R19]."""

import enum
import json
import math

import construct
import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import Message
from framing.capture import from_json, to_json


class Colour(enum.IntEnum):
    RED = 3


class Name(str):
    __slots__ = ()


class Thing:
    def __repr__(self):
        return "x" * 5000


FORMS = [
    (None, None),
    (True, True),
    (7, 7),
    (-(2**53) + 1, -(2**53) + 1),
    (2**53, {"$int": "9007199254740992"}),
    (-(2**53), {"$int": "-9007199254740992"}),
    (1.5, 1.5),
    (-math.inf, {"$float": "-Infinity"}),
    (math.inf, {"$float": "Infinity"}),
    ("ü\ud800", "ü\ud800"),
    (b"", {"$bytes": ""}),
    (b"\x00\xff", {"$bytes": "AP8="}),
    ([1, [b"a"]], [1, [{"$bytes": "YQ=="}]]),
    ({}, {}),
    ({"a": {"b": b"c"}}, {"a": {"b": {"$bytes": "Yw=="}}}),
    ({"$bytes": "AP8="}, {"$map": [["$bytes", "AP8="]]}),
    ({"a": 1, 2: 3}, {"$map": [["a", 1], [2, 3]]}),
    ({(1, b"k"): None}, {"$map": [[[1, {"$bytes": "aw=="}], None]]}),
    ({b"k": {None: 1}}, {"$map": [[{"$bytes": "aw=="}, {"$map": [[None, 1]]}]]}),
    (Message(b"q", type=81), {"$message": {"$bytes": "cQ=="}, "type": 81}),
    (Message([Message(1, a=b"")]), {"$message": [{"$message": 1, "a": {"$bytes": ""}}]}),
    (msgpack.Timestamp(-5, 7), {"$timestamp": [-5, 7]}),
    (msgpack.Timestamp(2**60, 0), {"$timestamp": [{"$int": "1152921504606846976"}, 0]}),
    (msgpack.ExtType(5, b"\x01"), {"$ext": [5, "AQ=="]}),
]


@pytest.mark.parametrize(("value", "form"), FORMS, ids=lambda value: repr(value)[:30])
def test_each_value_has_one_form_and_comes_back(value, form):
    assert to_json(value) == form
    assert from_json(json.loads(json.dumps(form, allow_nan=False))) == value


def test_nan_comes_back():
    assert to_json(math.nan) == {"$float": "NaN"}
    assert math.isnan(from_json({"$float": "NaN"}))


def test_a_number_of_very_many_digits_is_hex():
    value = -(7**6000)

    form = to_json(value)

    assert form["$int"].startswith("-0x")
    assert from_json(form) == value


@pytest.mark.parametrize(
    ("value", "form"),
    [
        ((1, (2,)), [1, [2]]),
        (bytearray(b"a"), {"$bytes": "YQ=="}),
        (memoryview(b"a"), {"$bytes": "YQ=="}),
        (Colour.RED, 3),
        ({Colour.RED: Name("n")}, {"$map": [[3, "n"]]}),
        ({Name("$n"): 1}, {"$map": [["$n", 1]]}),
        ({Name("n"): 1}, {"n": 1}),
        (construct.Container(a=1, b=construct.ListContainer([b"x"])), {"a": 1, "b": [{"$bytes": "eA=="}]}),
        (construct.Enum(construct.Byte, one=1).parse(b"\x01"), "one"),
        (construct.Enum(construct.Byte, one=1).parse(b"\x02"), 2),
        (Thing(), {"$repr": "x" * 1000}),
        ({1}, {"$repr": "{1}"}),
    ],
)
def test_what_is_based_on_a_value_is_written_as_one(value, form):
    assert to_json(value) == form


def test_a_form_is_made_of_plain_values_only():
    form = to_json({Name("n"): Name("x"), "c": Colour.RED})

    assert [type(key) for key in form] == [str, str]
    assert [type(value) for value in form.values()] == [str, int]


def nested(depth, value=0):
    for _ in range(depth):
        value = [value]
    return value


def test_what_is_nested_too_deeply_is_shown():
    form = to_json(nested(129))
    for _ in range(128):
        form = form[0]

    assert form == {"$repr": "[0]"}
    assert to_json(nested(128)) == nested(128)
    assert json.dumps(to_json({1: nested(5000)}))


def test_a_map_as_deep_as_that_can_be_written_and_read():
    value = 0
    for _ in range(128):
        value = {1: value}

    assert from_json(json.loads(json.dumps(to_json(value)))) == value


@pytest.mark.parametrize(
    "form",
    [
        {"$bytes": "A"},
        {"$bytes": 5},
        {"$bytes": "AP8=", "more": 1},
        {"$unknown": 1},
        {"$repr": "<Thing>"},
        {"$float": "nan"},
        {"$float": []},
        {"$int": "x"},
        {"$int": 5},
        {"$map": [[1]]},
        {"$map": 5},
        {"$map": [[{}, 1]]},
        {"$timestamp": [1]},
        {"$timestamp": ["a", 0]},
        {"$ext": [300, ""]},
        {"$ext": [1, "?"]},
        {"$message": 1, "$bytes": ""},
    ],
    ids=str,
)
def test_what_is_no_form_is_refused(form):
    with pytest.raises(ValueError, match=r"\$|form"):
        from_json(form)


KEYS = st.none() | st.booleans() | st.integers() | st.text() | st.binary() | st.tuples(st.integers(), st.text())
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(KEYS, inner)
        | st.dictionaries(st.sampled_from(["$bytes", "$map", "$message", "$", "a"]), inner)
        | st.builds(lambda value, field: Message(value, field=field), inner, inner)
    ),
    max_leaves=20,
)


@given(VALUES)
def test_every_value_comes_back_from_json_text(value):
    assert from_json(json.loads(json.dumps(to_json(value), allow_nan=False))) == value
