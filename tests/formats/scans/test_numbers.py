"""The hot loops of lengths of variable width."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import FrameError
from framing.formats.fields.varints import Quic
from framing.formats.scans.numbers import leb128_scan, quic_scan
from framing.formats.varint import VarintFormat
from framing.testing.format import check_scans

FORMATS = [
    VarintFormat(),
    VarintFormat("id:u8 length:varint2 kind:u16be", counts="id payload", max_frame_size=300),
    VarintFormat("length:quic"),
    VarintFormat("type:quic length:quic", max_frame_size=90),
    VarintFormat("type:quic4 length:quic2"),
    VarintFormat("type:quic1 length:quic1"),
    VarintFormat("type:quic length:quic", minimal=True),
    VarintFormat("type:quic length:quic", counts="type payload"),
    VarintFormat("length:quic type:quic"),
    VarintFormat("length:varint3 id:varint5", counts="id payload"),
]
HEADS = [b"\0\3", b"\0\x40\3", b"\x40\1\2", b"\x80\0\0\1\1", b"\xc0" + bytes(7) + b"\x41\2", b"\1\x80\0\0\2", b"\xff"]
pieces = st.lists(st.one_of(st.sampled_from(HEADS), st.binary(max_size=6), st.just(bytes(70))), max_size=12)


def carefully(form, data, end, limit):
    """Take payloads with nothing but the careful methods."""
    start, out = 0, []
    try:
        while len(out) < limit and start < end:
            total = form.measure(data, start, end)
            if total is None or total > form.max_frame_size or start + total > end:
                break
            out.append(form.payload(data, start, start + total))
            start += total
    except FrameError:
        pass
    return start, out


@pytest.mark.parametrize("form", FORMATS, ids=repr)
@given(parts=pieces, limit=st.sampled_from([0, 1, 3, 1 << 60]), cut=st.integers(0, 9))
def test_the_scan_is_a_twin_of_the_careful_methods(form, parts, limit, cut):
    data = b"".join(parts)
    end = max(0, len(data) - cut)
    for _ in range(2):
        out = []
        assert (form.scan(data, 0, end, limit, out), out) == carefully(form, data, end, limit)


@pytest.mark.parametrize("form", FORMATS, ids=repr)
@given(payloads=st.lists(st.binary(max_size=70), max_size=5))
def test_every_good_frame_is_taken(form, payloads):
    fields = dict.fromkeys(form.field_names, 5)
    payloads = [payload[: form.max_frame_size - 20] for payload in payloads]
    stream, out, frames = b"".join(form.serialize(payload, fields) for payload in payloads), [], []
    assert form.scan(stream, 0, len(stream), 1 << 60, out) == len(stream)
    assert form.scan_frames(stream, 0, len(stream), 1 << 60, frames, 0) == len(stream)
    assert out == payloads == [frame.payload for frame in frames]


@pytest.mark.parametrize("size", [1, 2, 4, 8])
def test_a_number_of_each_width(size):
    number = (size.bit_length() - 1 << 8 * size - 2 | 3).to_bytes(size, "big")
    stream, out = number + number + b"abc", []
    scan = quic_scan(8, 8, 100)
    assert scan(stream, 0, len(stream), 9, out) == len(stream)
    assert out == [b"abc"]


@pytest.mark.parametrize("size", [2, 4, 8])
def test_a_number_of_more_bytes_than_it_may_have_is_left(size):
    number = (size.bit_length() - 1 << 8 * size - 2).to_bytes(size, "big")
    assert quic_scan(8, size // 2, 100)(b"\0" + number, 0, 1 + size, 9, []) == 0
    assert quic_scan(size // 2, 8, 100)(number + b"\0", 0, 1 + size, 9, []) == 0


def test_a_length_larger_than_any_buffer_ends_the_loop():
    assert Quic("length", 8).largest == (1 << 62) - 1
    assert quic_scan(0, 8, 1 << 70)(b"\xff" * 8, 0, 8, 9, []) == 0
    assert leb128_scan(0, 0, length_size=10, counted=0, most=1 << 80)(b"\xff" * 9 + b"\1", 0, 10, 9, []) == 0


def test_the_contract_of_many():
    form = VarintFormat("type:quic length:quic")
    check_scans(form, b"".join(form.serialize(bytes(size), {"type": 1 << size}) for size in range(40)))
