"""Pieces of a JSON stream."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing.formats.json_stream import JsonStreamFormat
from framing.formats.scans import json_pieces
from framing.formats.scans.json_pieces import Pieces
from framing.testing import outcome
from framing.testing.format import check_scans

BETWEEN = ["}{", "}\n{", "}\r\n{", "] [", "}["]
texts = st.text(alphabet='"\\[]{}, \na\0\1', max_size=9)
values = st.recursive(
    st.none() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=9,
)
documents = st.lists(values, max_size=4) | st.dictionaries(texts, values, max_size=4)


@given(
    st.lists(st.sampled_from([*'{}[]"\\:a\n\0\1', "}{", "}\n{", '"\\"', '{"a"}{', '{"\\\\"}{', "{}{}"]), max_size=60),
    st.sampled_from(BETWEEN),
    st.integers(1, 7),
)
def test_what_is_cut_of_any_text_is_what_the_walk_cuts(parts, between, depth):
    stream = ("{" + "".join(parts)).encode()
    cut = Pieces(depth).cut(stream, between.encode())
    walked = outcome(JsonStreamFormat(max_depth=depth), [bytes((byte,)) for byte in stream], finish=False)
    assert cut == walked.payloads[: len(cut)]


@given(st.lists(documents, max_size=40), st.sampled_from(["", "\n", "\r\n", " "]), st.integers(0, 50))
def test_the_scan_cuts_what_json_writes(items, space, limit):
    wires = [json.dumps(value).encode() for value in items]
    stream, out = space.encode().join(wires), []
    stop = JsonStreamFormat().scan(stream, 0, len(stream), limit, out)
    assert out == wires[: len(out)]
    assert stop == len(space.encode().join(out))


@pytest.mark.parametrize("space", [b"", b"\n", b" \r\n"])
def test_all_but_the_last_of_many_are_cut(space):
    items = [b'{"a": [%d, {"b": "c\\n\\"}"}], "d": "%d"}' % (one, one) for one in range(50)]
    plain = [b'{"a": [%d, {"b": "c\\n\\"\\\\"}], "d": "%d"}' % (one, one) for one in range(50)]
    assert Pieces(9).cut(space.join(plain), b"}" + space + b"{") == plain[:-1]
    assert Pieces(9).cut(space.join(items), b"}" + space + b"{") == items[:-1]


@pytest.mark.parametrize(
    ("window", "count"),
    [
        (b'{}{"a":1}{"b":2}{', 3),
        (b'{}{"}{"}{}{', 1),
        (b'{}{"\\"}{"}{}{', 1),
        (b'{}{\\"}{}{', 1),  # outside a string a backslash escapes nothing
        (b'{}{\\\\""}{}{', 3),
        (b"{}{]}{}{", 1),
        (b"{}{} {}{}{", 1),
        (b"{}{{}{}}{}{", 1),
        (b"{}{}\0{}{", 0),
        (b'{}{"\1"}{', 0),
        (b"x{}{}{", 0),
        (b"{}{" + b"[" * 7 + b"]" * 7 + b"}{}{", 1),
    ],
)
def test_what_is_odd_is_left_to_the_walk(window, count):
    assert len(Pieces(512).cut(window, b"}{")) == count


def test_nothing_deeper_than_allowed_is_cut():
    assert len(Pieces(2).cut(b"{[]}{[[]]}{", b"}{")) == 1


def test_what_is_known_is_bounded(monkeypatch):
    monkeypatch.setattr(json_pieces, "_KNOWN_COUNT", 3)
    pieces = Pieces(9)
    items = [b"{" + b"[]" * one + b"}" for one in range(1000)]
    assert len(pieces.cut(b"".join(items), b"}{")) == 999
    assert len(pieces._known) <= 3
    assert all(len(one) <= 1024 for one in pieces._known)


def test_a_value_over_the_limit_ends_what_is_cut():
    form, out = JsonStreamFormat(max_frame_size=20), []
    stream = b'{"a":1}' * 20 + b'{"a":"%020d"}' % 1 + b'{"a":1}'
    assert form.scan(stream, 0, len(stream), 1 << 62, out) == 20 * 7
    assert out == [b'{"a":1}'] * 20


def test_the_contract_where_pieces_and_other_values_take_turns():
    check_scans(JsonStreamFormat(), (b'{"a":1}\n' * 12 + b'{"b":"}\\n{"}\n[1]\n') * 3)
    check_scans(JsonStreamFormat(), (b'{"a":1}' * 12 + b'{"b":"}{"}[1]') * 3)
