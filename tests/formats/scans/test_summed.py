"""The loop for frames whose trailer is a checksum."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import FrameError, get_format
from framing.testing import check_format

# Header, trailer, what the length counts, and the application's fields.
DECLARED = {
    "all of it": ("length:u8", "crc:u8=xor8(header payload)", "payload", {}),
    "32 bits": ("length:u32be", "crc:u32be=crc32(header payload)", "payload", {}),
    "the payload": ("a:u8 length:u16le b:u8", "crc:u16le=crc16_x25(payload)", "payload", {"a": 1, "b": 2}),
    "from a field on": ("t:u8 length:u16be", "crc:u16be=crc16_x25(length payload)", "payload", {"t": 7}),
    "a length of all": ("length:u16be", "crc:u16be=crc16_x25(header payload)", "frame", {}),
    "constants": ("m:u16be=0xbeef|0x0102 length:u8 v:u8=1|2", "crc:u16be=crc16_x25(length v payload)", "payload",
                  {"m": 0x0102, "v": 2}),
    "a constant behind": ("length:u8 v:u8=3", "crc:u32be=crc32(v payload)", "payload", {}),
    "a byte and other order": ("length:u8 v:u8=3", "crc:u16le=crc16_x25(header payload)", "frame", {}),
}  # fmt: skip
LIMIT = 40


def made(name):
    header, trailer, counts, fields = DECLARED[name]
    return get_format("header", header=header, trailer=trailer, counts=counts, max_frame_size=LIMIT), fields


def carefully(form, data, end, limit):
    start, out = 0, []
    try:
        while len(out) < limit and (total := form.measure(data, start, end)) is not None:
            if total > LIMIT or start + total > end:
                break
            form.verify(data, start, start + total)
            out.append(form.payload(data, start, start + total))
            start += total
    except FrameError:
        pass
    return start, out


@pytest.mark.parametrize("name", DECLARED)
def test_it_is_taken_where_header_and_trailer_are_read_in_one_step(name):
    form, _ = made(name)
    assert form.scan.__module__ == "framing.formats.scans.summed"


@pytest.mark.parametrize(
    ("header", "trailer"),
    [
        ("length:u16be", "crc:u16le=crc16_x25(header payload)"),
        ("length:u24be", "crc:u8=xor8(header payload)"),
        ("length:u8", "crc:u24be=crc24q(header payload)"),
        ("m:u8=1 a:u8 n:u8=1 length:u8", "crc:u8=xor8(header payload)"),
        ("length:u8", "crc:u8=xor8(header payload) end:u8=3"),
        ("length:u8 a:u8", "crc:u8=xor8(length payload)"),
        ("length:u8 early:u8=xor8(length)", "crc:u8=xor8(header payload)"),
    ],
)
def test_others_are_left_to_the_loop_that_looks_up(header, trailer):
    form = get_format("header", header=header, trailer=trailer)
    assert form.scan.__module__ == "framing.formats.scans.decided"


@pytest.mark.parametrize("name", DECLARED)
@given(data=st.data())
def test_it_is_a_twin_of_the_careful_methods(name, data):
    form, fields = made(name)
    payloads = data.draw(st.lists(st.binary(max_size=30), max_size=6))
    stream = bytearray(b"".join(form.serialize(payload, fields) for payload in payloads))
    if stream and data.draw(st.booleans()):
        stream[data.draw(st.integers(0, len(stream) - 1))] = data.draw(st.sampled_from(b"\0\1\2\3\x7f\xff"))
    stream = bytes(stream) + data.draw(st.binary(max_size=5))
    end = max(0, len(stream) - data.draw(st.integers(0, 8)))
    for limit in (0, 1, 3, 1 << 60):
        out = []
        assert (form.scan(stream, 0, end, limit, out), out) == carefully(form, stream, end, limit)


@pytest.mark.parametrize("name", DECLARED)
def test_the_last_frame_is_taken_without_a_header_behind_it(name):
    form, fields = made(name)
    stream = form.serialize(b"one", fields) + form.serialize(b"", fields)
    out = []
    assert form.scan(stream, 0, len(stream), 1 << 60, out) == len(stream)
    assert out == [b"one", b""]


def test_the_contract():
    form, _ = made("32 bits")
    check_format(form, payloads=[b"", b"x", b"payload"])
