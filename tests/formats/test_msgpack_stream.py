"""MessagePack values as frames."""

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import DefinitionError, FrameParser, FrameTooLargeError, HeaderError, get_format
from framing.formats.msgpack_stream import MsgpackStreamFormat
from framing.testing import check_format, outcome
from framing.testing.format import check_scans

leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=40)
    | st.binary(max_size=40)
    | st.builds(msgpack.ExtType, st.integers(0, 127), st.binary(max_size=20))
)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=9,
)

SOME = [1, None, [], {}, "a" * 40, {"a": [1, 2, {"b": b"x" * 300}]}, [[[]]], msgpack.ExtType(5, b"abc"), 2**63, 1.5]
PACKED = [msgpack.packb(value) for value in SOME]


@pytest.mark.parametrize("options", [{}, {"max_depth": 3}, {"max_frame_size": 400}])
def test_the_contract(options):
    check_format(MsgpackStreamFormat(**options), PACKED)


@pytest.mark.parametrize(("outer", "payload"), [("array", b"\x91\xc0"), ("map", b"\x81\xc0\xc0")])
def test_the_contract_of_one_kind_of_value(outer, payload):
    check_format(MsgpackStreamFormat(outer=outer), [payload] * 3)
    check_scans(MsgpackStreamFormat(outer=outer), payload * 200)


def test_the_contract_where_the_library_is_worth_its_start():
    check_scans(MsgpackStreamFormat(max_depth=3), b"".join(PACKED * 2) + (b"\x91" * 3 + b"\xc0") * 200)


@given(st.lists(values, max_size=6), st.booleans(), st.integers(1, 30))
def test_what_the_library_packs_is_cut_where_it_ends(items, old, size):
    wires = [msgpack.packb(item, use_bin_type=not old) for item in items]
    stream = b"".join(wires)
    form = MsgpackStreamFormat()
    assert outcome(form, [stream]).payloads == wires
    assert outcome(form, [stream[at : at + size] for at in range(0, len(stream), size)]).payloads == wires


@given(st.lists(st.binary(min_size=1, max_size=60), min_size=1, max_size=40), st.integers(1, 6), st.integers(1, 40))
def test_the_library_and_the_walk_agree_about_any_bytes(pieces, depth, limit):
    stream = b"".join(pieces) * 10
    form = MsgpackStreamFormat(max_depth=depth, max_frame_size=limit)
    walked = outcome(form, [stream], finish=False)
    scanned = []
    stop = form.scan(stream, 0, len(stream), 1 << 62, scanned)
    assert walked.payloads[: len(scanned)] == scanned
    assert stop == sum(map(len, scanned))


@pytest.mark.parametrize(
    ("options", "data", "offset", "reason"),
    [
        ({}, "92c0c1", 2, "no value begins with c1"),
        ({"outer": "map"}, "90", 0, "the value must be one map"),
        ({"max_depth": 2}, "919191", 3, "nested too deeply"),
    ],
)
def test_each_mistake_has_its_words(options, data, offset, reason):
    with pytest.raises(HeaderError) as caught:
        MsgpackStreamFormat(**options).measure(bytes.fromhex(data), 0, len(data) // 2)
    assert (caught.value.reason, caught.value.offset) == (reason, offset)
    assert caught.value.expected


def test_a_count_that_cannot_be_met_is_refused_at_once():
    parser = FrameParser(MsgpackStreamFormat(max_frame_size=100))
    parser.feed(bytes.fromhex("91dd00000062"))
    with pytest.raises(FrameTooLargeError):
        parser.next_frame()


def test_each_byte_is_looked_at_once():
    class Counting(bytearray):
        looked = 0

        def __getitem__(self, place):
            Counting.looked += 1
            return super().__getitem__(place)

    stream = Counting(msgpack.packb([1] * 50_000))
    measure = MsgpackStreamFormat().measurer()
    for end in range(100, len(stream), 100):
        assert measure(stream, 0, end) is None
    assert measure(stream, 0, len(stream)) == len(stream)
    assert Counting.looked < 1.1 * len(stream)


def test_options_are_checked():
    with pytest.raises(DefinitionError, match="any, array, map"):
        MsgpackStreamFormat(outer="text")
    with pytest.raises(DefinitionError):
        MsgpackStreamFormat(max_depth=0)
    with pytest.raises(TypeError):
        MsgpackStreamFormat(max_depth="9")
    with pytest.raises(DefinitionError):
        MsgpackStreamFormat(max_frame_size=0)


def test_repr_makes_the_format_again():
    form = MsgpackStreamFormat(outer="map", max_depth=3, max_frame_size=77)
    assert eval(repr(form), {"MsgpackStreamFormat": MsgpackStreamFormat}) == form
    assert get_format("msgpack_stream") == MsgpackStreamFormat()
