"""JSON objects and arrays as frames."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import FrameParser, FrameTooLargeError, HeaderError, get_format
from framing.formats.json_stream import JsonStreamFormat
from framing.testing import check_format, outcome
from framing.testing.format import check_scans

VALUES = [b"{}", b"[]", b'{"a":1}', b'{"a":"\\"}{"}', b"[1,2,[3,[4,[5,[6]]]]]", b'["\\\\"]', b'{"a":{"b":{"c":[{}]}}}']
texts = st.text(alphabet='"\\[]{}, \n\ta\u00e9', max_size=12)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)
documents = st.lists(values, max_size=4) | st.dictionaries(texts, values, max_size=4)
spaces = st.text(alphabet=" \t\r\n", max_size=3)


@pytest.mark.parametrize("options", [{}, {"max_depth": 6}, {"max_frame_size": 30}])
def test_the_contract(options):
    check_format(JsonStreamFormat(**options), VALUES)


def test_the_contract_of_many_values():
    check_scans(JsonStreamFormat(max_depth=6), b" ".join(VALUES * 4))


@given(st.lists(st.tuples(spaces, documents, st.booleans()), max_size=12), st.integers(1, 30))
def test_what_json_writes_is_cut_where_it_ends(items, size):
    wires = [json.dumps(value, ensure_ascii=plain).encode() for _, value, plain in items]
    stream = b"".join(space.encode() + wire for (space, _, _), wire in zip(items, wires, strict=True)) + b"\n"
    form = JsonStreamFormat()
    assert outcome(form, [stream]).payloads == wires
    assert outcome(form, [stream[at : at + size] for at in range(0, len(stream), size)]).payloads == wires


@given(st.text(alphabet='"\\[]{} \na', max_size=80), st.integers(1, 6), st.integers(2, 40), st.integers(1, 9))
def test_the_expressions_and_the_walk_agree_about_any_text(text, depth, limit, size):
    stream = text.encode() * 3
    form = JsonStreamFormat(max_depth=depth, max_frame_size=limit)
    whole = outcome(form, [stream])
    pieces = outcome(form, [stream[at : at + size] for at in range(0, len(stream), size)])
    assert pieces[:3] == whole[:3]
    parser = FrameParser(form)
    parser.feed(stream)
    assert parser.take_payloads() == whole.payloads if whole.payloads else True


@pytest.mark.parametrize(
    ("data", "offset", "reason"),
    [
        (b"1", 0, "this begins no object or array"),
        (b'{"a":]', 5, "the wrong bracket closes"),
        (b"[" * 513, 512, "nested too deeply"),
    ],
)
def test_each_mistake_has_its_words(data, offset, reason):
    with pytest.raises(HeaderError) as caught:
        JsonStreamFormat().measure(data, 0, len(data))
    assert (caught.value.reason, caught.value.offset) == (reason, offset)
    assert caught.value.expected


@pytest.mark.parametrize(
    "unit", [b"\\n", b'\\"', b"a", b"[1],", b'"a",', b'"\\"",', b'["[\\"', b"{", b'"[\\"[\\', b" "], ids=repr
)
def test_any_text_is_walked_in_linear_time(unit):
    # No clock: a walk that goes back would take hours for this.
    stream = b'[ "' * (unit[:1] in b"\\a") + b"[" * (unit[:1] not in b"\\a") + unit * (2_000_000 // len(unit))
    parser = FrameParser(JsonStreamFormat(max_depth=1 << 30, max_frame_size=1 << 30))
    for start in range(0, len(stream), 100_000):
        parser.feed(stream[start : start + 100_000])
        assert parser.take_payloads() == []
    assert parser.pending_size == len(stream)


def test_a_string_without_end_meets_the_limit():
    parser = FrameParser(JsonStreamFormat(max_frame_size=50))
    parser.feed(b'["' + b"x" * 47)
    assert parser.next_frame() is None
    parser.feed(b"x")
    with pytest.raises(FrameTooLargeError):
        parser.next_frame()


def test_white_space_is_not_kept():
    parser = FrameParser(JsonStreamFormat(max_frame_size=10))
    for _ in range(1000):
        parser.feed(b" \n" * 100)
        assert parser.take_payloads() == []
    assert (parser.pending_size, parser.offset) == (0, 200_000)


def test_repr_makes_the_format_again():
    form = JsonStreamFormat(max_depth=3, max_frame_size=77)
    assert eval(repr(form), {"JsonStreamFormat": JsonStreamFormat}) == form
    assert get_format("json_stream") == JsonStreamFormat()
