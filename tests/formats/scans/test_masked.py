"""Payloads with a key of each frame's own: many are xored at once."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import FrameError, get_format
from framing.formats.scans import masked
from framing.formats.scans.masked import xored

FORMATS = {
    "websocket": get_format(
        "header",
        header="(fin:1 reserved:3=0 opcode:4):u8 (masked:1 length:7):u8 "
        "medium:u16be?length=126 long:u64be?length=127 key:bytes4?masked=1",
        length="long | medium | length",
        xor="key",
        minimal=True,
        max_frame_size=70_000,
    ),
    "a trailer, and 3 bytes of key": get_format(
        "header",
        header="(masked:1 length:7):u8 long:u16be?length=127 key:bytes3?masked=1",
        trailer="end:u8",
        length="long | length",
        xor="key",
    ),
    "verified": get_format(
        "header", header="(masked:1 length:7):u8 key:bytes4?masked=1", trailer="end:u8=7", xor="key"
    ),
    "something between": get_format("header", header="masked:u8=0|1 id:u8 length:u8 key:bytes2?masked=1", xor="key"),
    "another length": get_format(
        "header",
        header="(masked:1 length:7):u8 size:u16be?length=1 key:bytes2?masked=1",
        length="size | length",
        xor="key",
    ),
}


def carefully(form, data, end, limit):
    """Take payloads with nothing but the careful methods."""
    start, out = 0, []
    try:
        while len(out) < limit and start < end:
            total = form.measure(data, start, end)
            if total is None or total > form.max_frame_size or start + total > end:
                break
            if form.verify is not None:
                form.verify(data, start, start + total)
            out.append(form.payload(data, start, start + total))
            start += total
    except FrameError:
        pass
    return start, out


KEY_SIZES = {"websocket": 4, "a trailer, and 3 bytes of key": 3, "verified": 4}


@st.composite
def streams(draw, name):
    form, pieces = FORMATS[name], []
    sizes = st.one_of(st.integers(0, 9), st.sampled_from([100, 124, 125]))
    if name != "verified":
        sizes |= st.sampled_from([126, 127, 128, 200])
    for _ in range(draw(st.integers(0, 12))):
        fields = {"fin": 1, "opcode": draw(st.integers(0, 15)), "id": 4, "end": 7}
        fields = {field: value for field, value in fields.items() if field in form.field_names}
        if draw(st.integers(0, 4)):
            fields["key"] = draw(st.binary(min_size=KEY_SIZES.get(name, 2), max_size=KEY_SIZES.get(name, 2)))
        pieces.append(form.serialize(draw(st.randoms()).randbytes(draw(sizes)), fields))
    stream = bytearray(b"".join(pieces))
    for _ in range(draw(st.integers(0, 2)) if stream else 0):
        stream[draw(st.integers(0, len(stream) - 1))] = draw(st.integers(0, 255))
    return bytes(stream[: draw(st.integers(0, len(stream)))] if draw(st.booleans()) else stream)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("window_size", [7, 150, 1 << 15])
@given(data=st.data())
def test_many_at_once_are_what_one_after_the_other_is(monkeypatch_module, name, window_size, data):
    form = FORMATS[name]
    monkeypatch_module.setattr(masked, "_WINDOW_SIZE", window_size)
    stream = data.draw(streams(name))
    behind = data.draw(st.sampled_from([b"", b"\x82\x85abcd"]))
    limit = data.draw(st.sampled_from([0, 1, 3, 1 << 60]))
    for _ in range(2):  # the second time everything is known
        out = []
        stop = form.scan(stream + behind, 0, len(stream), limit, out)
        assert (stop, out) == carefully(form, stream + behind, len(stream), limit)


@pytest.fixture(scope="module")
def monkeypatch_module():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def test_a_frame_larger_than_a_window():
    form, chance = FORMATS["websocket"], random.Random(4)
    payloads = [chance.randbytes(size) for size in (3, 60_000, 40_000, 125, 126, 33_000, 0, 1)]
    stream = b"".join(form.serialize(one, {"fin": 1, "opcode": 2, "key": chance.randbytes(4)}) for one in payloads)
    assert form.scan(stream, 0, len(stream), 1 << 60, out := []) == len(stream)
    assert out == payloads


def test_xored_twice_is_what_it_was():
    payload = random.Random(1).randbytes(100)
    assert xored(xored(payload, b"abc"), b"abc") == payload
    assert xored(b"", b"abc") == b""
