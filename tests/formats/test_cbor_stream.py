"""CBOR data items as frames."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import FrameParser, FrameTooLargeError, HeaderError, get_format
from framing.formats.cbor_stream import CborStreamFormat
from framing.testing import check_format, outcome

ITEMS_HEX = """00 1903e8 8301820203820405 a26161016162820203 9fff bf61610161629f0203ffff 5f42010243030405ff c11a514b67b0
    7f657374726561646d696e67ff f93c00 f820 f4 d9d9f78101 7fff 5803616263"""
ITEMS = [bytes.fromhex(text) for text in ITEMS_HEX.split()]


def head(major, number):
    if number < 24:
        return bytes((major << 5 | number,))
    width = next(width for width in (1, 2, 4, 8) if number < 1 << 8 * width)
    return bytes((major << 5 | 23 + width.bit_length(),)) + number.to_bytes(width, "big")


strings = st.builds(lambda major, data: head(major, len(data)) + data, st.sampled_from([2, 3]), st.binary(max_size=300))
chunked = st.builds(
    lambda parts: b"\x5f" + b"".join(head(2, len(part)) + part for part in parts) + b"\xff",
    st.lists(st.binary(max_size=30), max_size=4),
)
leaves = (
    st.builds(head, st.sampled_from([0, 1]), st.integers(0, 2**64 - 1))
    | strings
    | chunked
    | st.sampled_from([b"\xf4", b"\xf6", b"\xf8\x20", b"\xf9\x3c\x00", b"\xfb" + bytes(8)])
)


def containers(inner):
    lists = st.lists(inner, max_size=5)
    pairs = st.lists(inner, max_size=3).map(lambda items: items * 2)
    return (
        lists.map(lambda items: head(4, len(items)) + b"".join(items))
        | lists.map(lambda items: b"\x9f" + b"".join(items) + b"\xff")
        | pairs.map(lambda items: head(5, len(items) // 2) + b"".join(items))
        | pairs.map(lambda items: b"\xbf" + b"".join(items) + b"\xff")
        | inner.map(lambda item: head(6, 1000) + item)
    )


@pytest.mark.parametrize("options", [{}, {"max_depth": 2}, {"max_frame_size": 40}])
def test_the_contract(options):
    check_format(CborStreamFormat(**options), ITEMS)


@given(st.lists(st.recursive(leaves, containers, max_leaves=20), max_size=5), st.integers(1, 30))
def test_items_are_cut_where_they_end(items, size):
    stream = b"".join(items)
    form = CborStreamFormat()
    assert outcome(form, [stream]).payloads == items
    assert outcome(form, [stream[at : at + size] for at in range(0, len(stream), size)]).payloads == items


@given(st.binary(max_size=200), st.integers(1, 4), st.integers(1, 40))
def test_the_scan_and_the_walk_agree_about_any_bytes(stream, depth, limit):
    form = CborStreamFormat(max_depth=depth, max_frame_size=limit)
    walked = outcome(form, [stream], finish=False)
    scanned = []
    stop = form.scan(stream, 0, len(stream), 1 << 62, scanned)
    assert walked.payloads == scanned
    assert stop == sum(map(len, scanned))


@pytest.mark.parametrize(
    ("data", "offset", "reason"),
    [
        ("82001c", 2, "reserved additional information"),
        ("811f", 1, "an item that cannot be indefinite"),
        ("81f818", 2, "a simple value below 32 in two bytes"),
        ("81ff", 1, "a break outside an indefinite item"),
        ("bf00ff", 2, "a break where a key's value is missing"),
        ("5f61", 1, "a chunk of an indefinite byte string is another item"),
        ("7f7f", 1, "a chunk of an indefinite text string is another item"),
        ("81" * 513, 512, "nested too deeply"),
    ],
)
def test_each_mistake_has_its_words(data, offset, reason):
    with pytest.raises(HeaderError) as caught:
        CborStreamFormat().measure(bytes.fromhex(data), 0, len(data) // 2)
    assert (caught.value.reason, caught.value.offset) == (reason, offset)
    assert caught.value.expected


def test_a_count_that_cannot_be_met_is_refused_at_once():
    parser = FrameParser(CborStreamFormat())
    parser.feed(bytes.fromhex("9fbbffffffffffffffff"))
    with pytest.raises(FrameTooLargeError):
        parser.next_frame()


def test_repr_makes_the_format_again():
    form = CborStreamFormat(max_depth=3, max_frame_size=77)
    assert eval(repr(form), {"CborStreamFormat": CborStreamFormat}) == form
    assert get_format("cbor_stream") == CborStreamFormat()
