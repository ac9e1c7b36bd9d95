"""What is remembered of headers: by their bytes, and of each kind how its length is read."""

import random
from contextlib import suppress

import pytest

from framing import EncodeError, FrameParser, FrameTooLargeError, HeaderError, get_format
from framing.formats.scans.regions import joined, key_reader, learner
from framing.formats.scans.tables import MAX_KNOWN

WEBSOCKET = {
    "header": "(fin:1 reserved:3=0 opcode:4):u8 (masked:1 length:7):u8 "
    "medium:u16be?length=126 long:u64be?length=127 key:bytes4?masked=1",
    "length": "long | medium | length",
    "xor": "key",
    "minimal": True,
}

# What has a ruler, and the fields of its frames.
RULED = {
    "bits": (get_format("header", header="(last:1 length:31):u32be", max_frame_size=1 << 20), {"last": 1}),
    "low bits": (get_format("header", header="(length:12 id:4=3):u16be"), {}),
    "little bits": (get_format("header", header="(last:1 length:15):u16le id:u8=7"), {"last": 0}),
    "a length of all": (
        get_format("header", header="mark:u8=1|2 (a:4 length:12):u16be", counts="header payload"),
        {"a": 5},
    ),
    "units of 4": (get_format("header", header="mark:u8=9 length:u16be*4"), {}),
    "told byte order": (
        get_format("header", header="order:u8 length:u16", byteorder={"field": "order", "little": 1}),
        {"order": 1},
    ),
    "told byte order, big": (
        get_format("header", header="order:u8 length:u16", byteorder={"field": "order", "little": 1}),
        {"order": 4},
    ),
    "sum": (
        get_format("header", header="more:u8=0|5 length:u16be id:u8 rest:u8*2^8", length="length + rest"),
        {"rest": 3, "id": 1},
    ),
    "padding": (
        get_format(
            "header",
            header="kind:u8=1 content:u16be padding:u8",
            length="content + padding",
            counts="payload pad",
            pad={"field": "padding", "multiple": 8},
        ),
        {},
    ),
    "constant trailer": (get_format("header", header="kind:u8 length:u16le", trailer="end:u8=0xce"), {"kind": 1}),
    "websocket": (get_format("header", **WEBSOCKET), {"fin": 1, "opcode": 2}),
    "websocket, key": (get_format("header", **WEBSOCKET), {"fin": 1, "opcode": 2, "key": b"abcd"}),
    "escape": (get_format("header", header="length:u8 long:u32be?length=255", length="long | length"), {}),
    "escape, minimal": (
        get_format("header", header="length:u8 long:u16be?length=5", length="long | length", minimal=True),
        {},
    ),
    "a constant behind": (
        get_format("header", header="length:u8 long:u16be?length=255 end:u8=3", length="long | length"),
        {},
    ),
}


def frames_of(form, fields, sizes):
    frames = []
    for size in sizes:
        # A scale does not have every size, and not every length has room for the larger ones.
        with suppress(EncodeError, FrameTooLargeError):
            frames.append(form.serialize(bytes(size), fields))
    return frames


def counted(form):
    """Count the calls of the careful measure."""
    calls, careful = [], form.measure

    def measure(buffer, start, end):
        calls.append(start)
        return careful(buffer, start, end)

    form.measure = measure
    form._prepare()
    return calls


@pytest.mark.parametrize("name", RULED)
def test_lengths_that_never_come_again_are_read(name):
    form, fields = RULED[name]
    form = form.limited(form.max_frame_size)
    sizes = [*range(300), *random.Random(name).sample(range(300, 70_000), 300)]
    frames = frames_of(form, fields, sizes)
    assert len(frames) > 100
    stream = b"".join(frames)
    out = []
    assert form.scan(stream, 0, len(stream), 1 << 60, out) == len(stream)
    assert out == [form.payload(one, 0, len(one)) for one in frames]
    found = []
    assert form.scan_frames(stream, 0, len(stream), 1 << 60, found, 0) == len(stream)
    assert [one.data for one in found] == frames


@pytest.mark.parametrize(
    "name", sorted({*RULED} - {"a constant behind", "low bits", "little bits", "told byte order, big"})
)
def test_the_careful_methods_are_asked_once_for_each_kind(name):
    form, fields = RULED[name]
    form = form.limited(form.max_frame_size)
    calls = counted(form)
    frames = frames_of(form, fields, range(300, 600))
    stream = b"".join(frames)
    assert form.scan(stream, 0, len(stream), 1 << 60, out := []) == len(stream)
    assert len(out) == len(frames) > 50
    assert len(calls) <= 3


def test_a_ruler_refuses_what_the_careful_methods_refuse():
    form = get_format("header", **WEBSOCKET).limited(1000)
    wire = [form.serialize(bytes(size), {"fin": 1, "opcode": 2}) for size in (200, 300)]
    learnt = b"".join(wire)
    assert form.scan(learnt, 0, len(learnt), 9, []) == len(learnt)
    for odd in ("827e 007d", "827e ffff", "82ff ffffffffffffffff", "927e 00c8", "827e 03e9"):
        stream = wire[0] + bytes.fromhex(odd) + bytes(2000)
        assert form.scan(stream, 0, len(stream), 9, []) == len(wire[0])
        parser = FrameParser(form)
        parser.feed(stream)
        assert parser.next_frame().data == wire[0]
        with pytest.raises((HeaderError, FrameTooLargeError)):
            parser.next_frame()
    whole = form.serialize(bytes(996), {"fin": 1, "opcode": 2})
    assert form.scan(whole, 0, len(whole), 9, []) == 1000
    with pytest.raises(FrameTooLargeError):
        form.serialize(bytes(997), {"fin": 1, "opcode": 2})


def test_what_is_remembered_is_bounded():
    wide = get_format("header", header="(b:1 length:31):u32be", max_frame_size=1 << 30)
    known = {}
    region = wide._region()
    learn, read = learner(wide, region, known), key_reader(region.spans)
    for size in range(MAX_KNOWN + 10):
        frame = wide.serialize(bytes(size), {"b": 0})
        assert learn(frame, 0, len(frame), read(frame, 0)) == (size + 4, 4, size + 4, 0, 0)
        assert len(known) <= MAX_KNOWN
    assert len(known) == MAX_KNOWN // 2 + 10  # the older half was forgotten once


def test_spans_are_joined():
    assert joined([]) == ()
    assert joined([(3, 4), (0, 3), (6, 8), (6, 7)]) == ((0, 4), (6, 8))
