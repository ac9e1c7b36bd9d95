"""Comments and secrets. [P28]"""

import io
import struct
from pathlib import Path

import pytest

from framing.capture import Comment, Secrets, read_notes
from framing.capture.notes import notes_of
from framing.errors import CaptureFileError

CORPUS = Path(__file__).parents[1] / "corpus"
KEYS = b"CLIENT_RANDOM 00 11\n"


def comment(order, text):
    return struct.pack(order + "HH", 1, len(text)) + text + bytes(-len(text) % 4)


def with_options(wire, order, block, options):
    """A block with options put behind its body."""
    kind = struct.unpack_from(order + "I", block)[0]
    return wire.block(order, kind, block[8:-4] + options)


def secrets(wire, order, kind, data, options=b""):
    body = struct.pack(order + "II", kind, len(data)) + data + bytes(-len(data) % 4)
    return wire.block(order, 10, body + options)


@pytest.mark.parametrize("order", ["<", ">"])
def test_whatever_a_file_says(wire, order):
    end = wire.option(order, 0, b"")
    parts = [
        with_options(wire, order, wire.section(order), comment(order, b"of the file") + end),
        with_options(wire, order, wire.interface(order), wire.option(order, 2, b"eth0") + comment(order, b"of eth0")),
        secrets(wire, order, 0x544C534B, KEYS),
        wire.enhanced(order, b"one"),
        with_options(wire, order, wire.enhanced(order, b"three"), comment(order, b"first") + comment(order, b"second")),
        with_options(
            wire, order, wire.obsolete(order, b"four"), comment(order, "größer".encode()) + end + comment(order, b"no")
        ),
        wire.block(order, 5, bytes(12) + comment(order, b"\xff")),
        wire.simple(order, b"five"),
        secrets(wire, order, 0x12345678, b"", comment(order, b"odd")),
        secrets(wire, order, 0x57474B4C, b"wg"),
    ]
    assert list(read_notes(io.BytesIO(b"".join(parts)))) == [
        Comment("of the file", None),
        Comment("of eth0", None),
        Secrets("tls", KEYS),
        Comment("first", 2),
        Comment("second", 2),
        Comment("größer", 3),
        Comment("\ufffd", None),
        Secrets("0x12345678", b""),
        Comment("odd", None),
        Secrets("wireguard", b"wg"),
    ]


def test_a_pcap_file_says_nothing(wire):
    assert list(read_notes(io.BytesIO(wire.pcap([b"one"])))) == []


def test_a_real_file():
    notes = list(read_notes(CORPUS / "hard/derived/greenhouse_comments.pcapng"))
    assert notes
    assert all(isinstance(note, Comment) and note.text for note in notes)


def test_what_is_before_damage_is_given(wire):
    """[P5]"""
    file = wire.section("<") + secrets(wire, "<", 0x544C534B, KEYS)
    notes = read_notes(io.BytesIO(file + file[:30]))
    assert next(notes) == Secrets("tls", KEYS)
    with pytest.raises(CaptureFileError) as caught:
        next(notes)
    assert (caught.value.truncated, caught.value.offset) == (True, len(file) + 28)
    with pytest.raises(CaptureFileError, match="looks like text"):
        list(read_notes(io.BytesIO(b"no capture at all, but text")))


@pytest.mark.parametrize("kind", [0x0A0D0D0A, 1, 2, 5, 6, 10])
def test_lengths_that_lie_end_with_the_block(kind):
    for size in range(32, 80, 4):
        block = bytes(8) + b"\1\0\xff\xff" * (size // 4) + b"\0\0\0\0"
        for note in notes_of(kind, block, 1, is_big=False):
            assert len(note.data if isinstance(note, Secrets) else note.text) <= len(block)
