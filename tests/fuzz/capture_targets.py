"""Captures: files as bytes, packets in any order, and the JSON form of what comes out.

As in `targets.py`, a target is a function of bytes that raises only what is a bug. `from_json` says ValueError where
others say FramingError; a target then returns the name itself.
"""

import gzip
import io
import json
import os
import random
from contextlib import suppress
from pathlib import Path
from unittest.mock import patch

from framing import get_protocol
from framing.capture import from_json, json_line, read, read_notes, read_raw, survey, to_json
from framing.capture.assembler import Assembler, assemble
from framing.capture.compressed import opened_plain
from framing.capture.files import read_packets
from framing.capture.flow import Chunk, FlowEnd, Gap
from framing.capture.packet import Packet
from framing.capture.pcapng import SECTION
from framing.capture.records import FrameRecord
from framing.capture.unpacking import MAX_LAYERS, Unpacker
from framing.errors import CaptureError, CaptureFileError, DecodeError
from framing.protocol import Protocol
from framing.shorthand import get_codec

CORPUS = Path(__file__).parents[1] / "corpus"
PROTOCOLS = [get_protocol(name) for name in ("kafka", "postgresql", "mqtt", "u16be/msgpack", "lines/raw")]
LARGEST_SEED = 40000
_WIRE = get_protocol("u16be/raw").client.wire
DATAGRAMS = Protocol.both_ways("datagrams", _WIRE, ports=(1,), udp_ports=(1,))


class Pipe:
    """A file that gives a few bytes at a time, as a pipe may."""

    def __init__(self, data, chance):
        self._file = io.BytesIO(data)
        self._chance = chance

    def read(self, size):
        return self._file.read(min(size, self._chance.choice((1, 3, 100, 5000))))


def records(data):
    """Decode a capture: every record has a JSON form, and a pipe gives the same ones.

    Which variant a pcap file is, is told by the bytes at hand [P2], so that a damaged one may differ: only pcapng is
    read from a pipe.
    """
    chance, protocol = random.Random(data), PROTOCOLS[data[-1] % len(PROTOCOLS) if data else 0]
    whole = record_lines(io.BytesIO(data), protocol)
    if data.startswith(SECTION):
        assert record_lines(Pipe(data, chance), protocol) == whole


def scans(data):
    """Packets that are taken many at a time, by either twin, give the records of packets one by one."""
    protocol = PROTOCOLS[data[-1] % len(PROTOCOLS) if data else 0]
    told = []
    for pure, join in (("1", Assembler.join), ("", Assembler.join), ("", lambda *_: None)):
        with patch.dict(os.environ, {"FRAMING_PURE": pure}), patch.object(Assembler, "join", join):
            told.append(record_lines(io.BytesIO(data), protocol))
    assert told[0] == told[1] == told[2]


def alone(data):
    """Decode every payload of a capture, datagrams too, on its own."""
    record_lines(io.BytesIO(data), DATAGRAMS, per_packet=True)


def record_lines(file, protocol, **options):
    lines = []
    try:
        for record in read(file, protocol, every_flow=True, **options):
            lines.append(json_line(record))
            json.loads(lines[-1])
            if isinstance(record, FrameRecord):
                assert record.frame.size > 0
    except CaptureError as error:
        lines.append(f"{type(error).__name__}: {error}")
    return lines


def raw_records(data):
    """Decode a file of raw bytes; the first byte picks the protocol."""
    protocol, side = PROTOCOLS[data[0] % len(PROTOCOLS) if data else 0], ("client", "server")[len(data) % 2]
    data = data[1:]
    whole = [json.loads(json_line(record)) for record in read_raw(io.BytesIO(data), protocol, side=side)]
    parts = [json.loads(json_line(one)) for one in read_raw(Pipe(data, random.Random(data)), protocol, side=side)]
    for record, other in zip(whole, parts, strict=True):
        # A bad frame's first bytes are those that had come when it was refused.
        assert record.pop("hex", "").startswith(other.pop("hex", ""))
        assert record == other


def flows(data):
    """List the flows of a capture."""
    try:
        for record in survey(io.BytesIO(data)):
            json_line(record)
    except CaptureFileError as error:
        _ = str(error)


def packets_of(path):
    found = []
    with suppress(CaptureFileError):
        found.extend(read_packets(path))
    return found[:400]


CAPTURES = [path for path in sorted(CORPUS.rglob("*.pcap*")) if path.stat().st_size < LARGEST_SEED]
PACKETS = [packets for packets in map(packets_of, CAPTURES) if packets]


def segments(data):
    """Lose, repeat, reorder and damage packets: each flow is still told in order, without a hole or an overlap.

    The first byte picks a capture; then three bytes each are a kind of damage, a place and how.
    """
    packets = list(PACKETS[data[0] % len(PACKETS)] if data else PACKETS[0])
    for begin in range(1, len(data) - 2, 3):
        damage(packets, *data[begin : begin + 3])
    budget = (1 << 20, 2000, 1)[len(data) % 3]
    assembler = Assembler(flow_budget=budget, total_budget=2 * budget, max_connections=(16384, 2)[len(packets) % 2])
    told, gaps = {}, 0
    for event in assemble(iter(packets), assembler):
        flow = event.flow
        assert told.get(flow) != "ended"
        if isinstance(event, FlowEnd):
            told[flow] = "ended"
            continue
        size = len(event.data) if isinstance(event, Chunk) else event.size
        assert event.offset == told.get(flow, 0)
        assert size > 0
        told[flow] = event.offset + size
        gaps += isinstance(event, Gap)
    assert all(end == "ended" for end in told.values())
    return "Gap" if gaps else "ok"


LINK_TYPES = (0, 1, 9, 50, 51, 101, 104, 105, 107, 113, 119, 127, 163, 166, 192, 219, 276)


def layers(data):
    """Unpack one packet of any link type, and its halves as two fragments of one: each is used, counted or held."""
    unpacker, link_type = Unpacker(), LINK_TYPES[data[0] % len(LINK_TYPES)] if data else 1
    found = unpacker.unpack(Packet(1, 0, link_type, data[1:], len(data) + 7 * (len(data) % 3 == 0)))
    for offset in (0, 8):
        flags = 0x2000 if not offset else 1
        head = b"\x45\0\0\0\0\1" + flags.to_bytes(2, "big") + b"\x40" + data[:1].rjust(1, b"\6") + bytes(10)
        part = (data + bytes(8))[offset : 8 if not offset else None]
        found += unpacker.unpack(Packet(2, 0, 101, head + part, len(head + part)))
    unpacker.finish()
    for one in found:
        start, end, cut = one.segment[4:]
        assert 0 <= start <= end <= len(one.packet.data)
        assert cut >= 0
        assert len(one.tunnels) < MAX_LAYERS
    counts = unpacker.counts
    return "ok" if found else ", ".join(name for name in counts.__slots__ if getattr(counts, name))


def compressed(data):
    """Read gzip and zstd data, whole and drop by drop: the same bytes, or an error both times."""
    (first, failed), (second, failed_again) = (
        unfolded(file) for file in (io.BytesIO(data), Pipe(data, random.Random(data)))
    )
    # What a decoder gives before it meets damage depends on how much it was given at once.
    shorter, longer = sorted((first, second), key=len)
    assert longer.startswith(shorter)
    assert failed == failed_again
    assert failed or first == second


def unfolded(file):
    parts = []
    try:
        plain = opened_plain(file)
        while (part := plain.read(5000)) and len(parts) < 200:
            assert len(part) <= 5000
            parts.append(part)
    except CaptureFileError as error:
        return b"".join(parts), bool(str(error))
    return b"".join(parts)[:5000], False


def notes(data):
    """Read comments and secrets."""
    try:
        for note in read_notes(io.BytesIO(data)):
            # What is no UTF-8 is replaced, by one sign for each byte at most.
            assert len(note[0]) <= len(data)
    except CaptureFileError as error:
        _ = str(error)


def damage(packets, kind, place, how):
    if not packets:
        return
    place = place * 257 % len(packets)
    if kind % 6 == 0:
        del packets[place : place + 1 + how % 3]
    elif kind % 6 == 1:
        packets.insert(place, packets[how * 257 % len(packets)])
    elif kind % 6 == 2:
        packets.insert(how * 257 % len(packets), packets.pop(place))
    elif kind % 6 == 3:
        packets[place] = changed(packets[place], cut=how % 64)
    else:
        packets[place] = changed(packets[place], flip=how)


def changed(packet, *, cut=0, flip=None):
    made = bytearray(packet.data[: max(0, len(packet.data) - cut)])
    if made and flip is not None:
        made[flip % min(70, len(made))] ^= 1 << flip % 8
    return Packet(packet.number, packet.timestamp_ns, packet.link_type, bytes(made), packet.original_size)


def json_texts(data):
    """Read the JSON form of anything; what can be read is written as it was, and read again the same."""
    try:
        value = from_json(json.loads(data.decode("utf-8", "replace")))
    except (ValueError, RecursionError):  # the second as json itself says; the command turns both into its own
        return "ValueError"
    form = to_json(value)
    text = json.dumps(form, allow_nan=False)
    if "$repr" not in text:
        assert to_json(from_json(json.loads(text))) == form
    return "ok"


MSGPACK = get_codec("msgpack(strict_map_key=false)")


def json_values(data):
    """Write what msgpack has decoded as JSON, and read it back."""
    try:
        value = MSGPACK.decode(data)
    except DecodeError as error:
        _ = str(error)
        return
    text = json.dumps(to_json(value), allow_nan=False)
    assert repr(from_json(json.loads(text))) == repr(value)


JSON_TEXTS = [
    *(
        b'{"$bytes": "AQ=="}',
        b'{"$float": "NaN"}',
        b'{"$int": "9007199254740992"}',
        b'{"$map": [[1, 2], [["a"], null]]}',
    ),
    *(
        b'{"$message": {"a": [1.5, true]}, "type": 81}',
        b'{"$timestamp": [1, 2]}',
        b'{"$ext": [5, "AQ=="]}',
        b"[1, -0.0]",
    ),
    *(b'{"a": {"b": [[[]]]}, "c": "\\u00e9\\ud83d"}', b'{"$map": [[{"$bytes": ""}, {"$float": "-Infinity"}]]}'),
]
MSGPACK_VALUES = [
    *(b"\xc0", b"\x81\xa1a\x93\x01\xff\xcb\x7f\xf8" + bytes(6), b"\xc4\x02\x00\x01", b"\x82\x01\x02\xc4\x01a\xc3"),
    *(
        b"\xd6\xff\x00\x00\x00\x01",
        b"\xc7\x03\x05abc",
        b"\xcf" + b"\xff" * 8,
        b"\xd3\x80" + bytes(7),
        b"\x81\xa2$a\x90",
    ),
    b"\xc7\x0c\xff\x00\x00\x00\x07" + b"\xff" * 8,
]

_TARGETS = records, scans, alone, raw_records, flows, segments, layers, compressed, notes, json_texts, json_values
TARGETS = {one.__name__: one for one in _TARGETS}


def targets():
    """Return the targets of this file by name."""
    return TARGETS


def seeds(chance):
    """Return, by target, what to begin with."""
    files = [path.read_bytes() for path in CAPTURES if path.stat().st_size < LARGEST_SEED // 4]
    damages = [bytes((number,)) + chance.randbytes(3 * chance.randint(0, 6)) for number in range(len(PACKETS))]
    return {
        "records": files,
        "scans": files,
        "raw_records": [b"\3\0\1\xc0\0\2\x91\1", b"\4a line\nanother\n", *(b"\0" + data[-300:] for data in files)],
        "alone": files,
        "flows": files,
        "layers": [
            bytes((LINK_TYPES.index(packet.link_type),)) + packet.data
            for packets in PACKETS
            for packet in packets[:2]
            if packet.link_type in LINK_TYPES and len(packet.data) < 400
        ],
        "compressed": [b"plain", *(gzip.compress(data[:2000]) for data in files[:9])],
        "notes": [data for data in files if data.startswith(SECTION)],
        "segments": [*(bytes((number,)) for number in range(len(PACKETS))), *damages],
        "json_texts": JSON_TEXTS,
        "json_values": MSGPACK_VALUES,
    }
