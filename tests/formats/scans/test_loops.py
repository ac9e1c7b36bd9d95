"""The quick loops say what `measure` says, whatever the header, the limit and the bytes."""

from inspect import isfunction
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import FrameParser, get_format
from framing.compiled import twins

HEADERS = st.sampled_from(
    [
        ("length:u8", "payload"),
        ("length:u16be", "payload"),
        ("length:u32le", "frame"),
        ("type:u8 length:u16be", "length payload"),
        ("type:u8 length:u16be", "payload"),
        ("length:u16le tail:bytes3", "payload"),
        ("length:u64be", "payload"),
        ("length:u24be", "payload"),
        ("length:u40le rest:u8", "length payload"),
        ("type:u8=1|2|7 major:u8=7 minor:u8 length:u16be", "payload"),
        ("length:u24le mark:bytes2=0x6162|0x6163", "frame"),
        ("type:u8=7 length:u16be version:u8=7|1", "payload"),
        ("type:u8=7 any:u8 length:u16be version:u8=7 mark:u8=1|7", "frame"),
        ("type:u8=7 any:u8 version:u8=7 length:u16be", "payload"),
    ]
)


def carefully(frame_format, data):
    """Cut with `measure` alone, and say where that stops."""
    place, frames = 0, []
    while True:
        try:
            total = frame_format.measure(data, place, len(data))
        except Exception:  # noqa: BLE001 - a scan stops before whatever is odd
            return frames, place
        if total is None or not 0 < total <= frame_format.max_frame_size or place + total > len(data):
            return frames, place
        frames.append(data[place : place + total])
        place += total


def made_by(twin, **options):
    """A header format with the loops of one twin."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FRAMING_PURE", "1" if twin == "pure" else "")
        if twin == "compiled" and not twins().modules:
            pytest.skip(twins().reason)
        made = get_format("header", **options)
    assert made.scan.__name__ == "scan"
    assert isfunction(made.scan) == (twin == "pure")
    return made


@given(
    header=HEADERS,
    limit=st.integers(8, 60),
    payloads=st.lists(st.binary(max_size=70), max_size=8)
    | st.tuples(st.binary(max_size=9), st.integers(0, 8), st.lists(st.binary(max_size=9), max_size=3)).map(
        lambda run: [run[0]] * run[1] + run[2]
    ),
    rest=st.binary(max_size=12),
    room=st.integers(1, 9),
    flipped=st.none() | st.integers(0, 200),
)
@pytest.mark.parametrize("twin", ["pure", "compiled"])
def test_loops_are_twins_of_measure(twin, header, limit, payloads, rest, room, flipped):
    notation, counts = header
    frame_format = made_by(twin, header=notation, counts=counts, max_frame_size=limit)
    assert frame_format == get_format("header", header=notation, counts=counts, max_frame_size=limit)
    writer = get_format("header", header=notation, counts=counts, max_frame_size=200)
    fields = dict.fromkeys(writer.field_names, 7) | ({"tail": b"abc"} if "tail" in writer.field_names else {})
    fields = {name: value for name, value in fields.items() if name != "mark"}
    data = b"".join(writer.serialize(payload, fields) for payload in payloads) + rest
    if flipped is not None and data:
        data = bytearray(data)
        data[flipped % len(data)] ^= 1
        data = bytes(data)
    frames, stop = carefully(frame_format, data)
    few, few_stop = frames[:room], sum(map(len, frames[:room]))
    assert few_stop <= stop

    taken: list[bytes] = []
    assert frame_format.scan(data, 0, len(data), room, taken) == few_stop
    assert taken == [frame_format.payload(frame, 0, len(frame)) for frame in few]

    cut = []
    assert frame_format.scan_frames(data, 0, len(data), room, cut, 1000) == few_stop
    assert [(frame.data, frame.offset) for frame in cut] == [
        (frame, 1000 + sum(map(len, few[:index]))) for index, frame in enumerate(few)
    ]
    assert all(frame.format is frame_format for frame in cut)


@pytest.mark.parametrize(
    "notation",
    ["(a:4=7 b:4):u8 length:u32be", "kind:u8=1|2|3 " * 7 + "length:u8", "(a:1 length:15):u16be", "length:u16be*4"],
)
def test_a_header_with_more_to_check_has_no_plain_loop(notation):
    named = iter("abcdefg")
    header = " ".join(part.replace("kind", next(named)) if "kind" in part else part for part in notation.split())
    assert get_format("header", header=header)._fast_measure is None
    assert get_format("u16be")._fast_measure is not None


def test_an_announced_length_beyond_the_limit_is_left_to_the_parser():
    frame_format = get_format("u32be", max_frame_size=100)
    data = pack(">I", 3) + b"abc" + pack(">I", 0xFFFFFFFF)
    taken: list[bytes] = []
    assert frame_format.scan(data, 0, len(data), 10, taken) == 7
    assert taken == [b"abc"]
    parser = FrameParser(frame_format)
    parser.feed(data)
    assert parser.take_payloads() == [b"abc"]
    assert parser.error is not None
    assert parser.error.frame_size == 0x100000003
