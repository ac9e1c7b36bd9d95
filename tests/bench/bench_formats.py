"""Payloads of 64 bytes taken out of chunks of 64 KiB: each kind of frame format against the fixed header, in one run.

The fixed header is `u16be` in pure Python, once with payloads of one size, which come in runs that are measured at
once, and once, as the measure for the others, with payloads of 48 to 80 bytes, which do not. Time is the
processor's, not the wall's, and of seven rounds, in which all take turns, the quickest counts: what else runs on a
machine only ever adds.

A chunk of an HTTP/1.1 message costs like a frame of its own: a message of three has the fixed header's speed for each
of them where its share is a third. New heads have about 250 bytes in 9 lines, no two of them the same.
"""

import json
import os
import random
import struct
import sys
import time

import msgpack
from rounds import measure

os.environ["FRAMING_PURE"] = "1"  # before framing is imported: the measure is pure Python's

from framing import FrameParser, get_format

COUNT = 5_000
CHANCE = random.Random(1)
SAME = [b"x" * 64] * COUNT
WIDE = "--wide" in sys.argv
SEVERAL = CHANCE.choices(range(48, 81), k=COUNT)
if WIDE:
    SEVERAL = [min(1 + int(CHANCE.lognormvariate(5, 1.2)), 20_000) for _ in range(COUNT)]
SIZES = [b"x" * size for size in SEVERAL]
RANDOM = [CHANCE.randbytes(64) for _ in range(COUNT)]
RANDOM_SIZES = [CHANCE.randbytes(len(one)) for one in SIZES]
FIX = [
    b"35=D\x0149=SENDER\x0156=TARGET\x0134=%d\x0152=20240101-00:00:00\x0155=%b\x01"
    % (one * one, b"ABCDEFGH"[: 1 + one % 8])
    for one in range(COUNT)
]
LINES = [b"GET /some/path/that/is/%08d HTTP/1.1 and the rest of it, 64" % one for one in range(COUNT)]
FLAT = [
    json.dumps({"id": one, "name": f"sensor-{one % 97}", "value": one / 7, "ok": True}).encode() for one in range(COUNT)
]
NESTED = [json.dumps({"a": [one, [1, 2], {"b": [3, 4]}], "c": {"d": {"e": [5] * 5}}}).encode() for one in range(COUNT)]
STRINGS = [json.dumps({"text": f"{one:050}"}).encode() for one in range(COUNT)]


def cbor(value):
    """Encode what the items here are made of (RFC 8949)."""
    if isinstance(value, bool):
        return b"\xf5" if value else b"\xf4"
    if isinstance(value, float):
        return b"\xfb" + struct.pack(">d", value)
    if isinstance(value, int):
        return head(0, value)
    if isinstance(value, bytes | str):
        data = value if isinstance(value, bytes) else value.encode()
        return head(2 + isinstance(value, str), len(data)) + data
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(cbor, value))
    return head(5, len(value)) + b"".join(cbor(key) + cbor(one) for key, one in value.items())


def head(major, number):
    if number < 24:
        return bytes((major << 5 | number,))
    return bytes((major << 5 | 24, number)) if number < 256 else struct.pack(">BH", major << 5 | 25, number)


MAPS = [{"id": one, "name": f"sensor-{one % 97}", "value": one / 7, "ok": True, "tags": [1, 2]} for one in range(COUNT)]


def size_of(header):
    return None if len(header) < 2 else 2 + int.from_bytes(header[:2], "big")


def write_size(payload):
    return len(payload).to_bytes(2, "big")


WEBSOCKET = {
    "header": "(fin:1 reserved:3=0 opcode:4):u8 (masked:1 length:7):u8 "
    "medium:u16be?length=126 long:u64be?length=127 key:bytes4?masked=1",
    "length": "long | medium | length",
    "xor": "key",
    "minimal": True,
}
CALL = {"fin": 1, "opcode": 2}
CASES = {
    "a": get_format("header", header="kind:u8=0x61 length:u16be"),
    "b": get_format("header", header="kind:u8=0x62 length:u8"),
}
DNP3 = {
    "header": "start:bytes2=0x0564 length:u8 control:u8 destination:u16le source:u16le "
    "crc:u16le=crc16_dnp(start length control destination source)",
    "counts": "control destination source payload",
}
# A master and five outstations: requests with either frame count bit, and answers.
DNP3_FIELDS = [
    {"control": control, "destination": one, "source": 1024} for one in range(1, 6) for control in (0x53, 0x73)
] + [{"control": 0x44, "destination": 1024, "source": one} for one in range(1, 6)]


def answer(number, *more):
    """Return the fields of a response of which no other one has the same head."""
    headers = [
        ["Date", f"Thu, 26 Nov 2026 18:{number // 60 % 60:02}:{number % 60:02} GMT"],
        ["Server", "nginx/1.24.0"],
        ["Content-Type", "application/json; charset=utf-8"],
        ["Connection", "keep-alive"],
        ["ETag", f'"{CHANCE.getrandbits(64):x}"'],
        ["X-Request-Id", f"{CHANCE.getrandbits(128):x}"],
        ["Vary", "Accept-Encoding"],
    ]
    return {"status": 200, "reason": "OK", "headers": [*headers, *more]}


REQUEST = {"method": "POST", "target": "/readings", "headers": [["Host", "localhost"]]}
COMMANDS = [b"*3\r\n$3\r\nSET\r\n$8\r\nkey%05d\r\n$%d\r\n%b\r\n" % (one, 20, b"x" * 20) for one in range(COUNT)]
KINDS = {
    "u16be, all of one size": (get_format("u16be"), SAME, {}),
    "u16be": (get_format("u16be"), SIZES, {}),
    "header, constants": (get_format("header", header="magic:u16be=0xbeef length:u16be"), SIZES, {}),
    "header, bits": (get_format("header", header="(last:1 length:15):u16be"), SIZES, {"last": 1}),
    "header, sum and padding": (
        get_format(
            "header",
            header="a:u16be p:u8 r:u8",
            length="a + p",
            counts="payload pad",
            pad={"field": "p", "multiple": 8},
        ),
        SIZES,
        {"r": 0},
    ),
    "header, trailer": (get_format("header", header="kind:u8 length:u32be", trailer="end:u8=0xce"), SIZES, {"kind": 1}),
    "header, crc32": (
        get_format("header", header="length:u32be", trailer="crc:u32be=crc32(header payload)"),
        SIZES,
        {},
    ),
    "header, told byte order": (
        get_format("header", header="order:u8 length:u32", byteorder={"field": "order", "little": 1}),
        SIZES,
        {"order": 1},
    ),
    "fixed": (get_format("fixed(64)"), SAME, {}),
    "varint": (get_format("varint"), SIZES, {}),
    "varint, MQTT": (get_format("varint", header="(type:4 flags:4):u8 length:varint4"), SIZES, {"type": 3, "flags": 0}),
    "varint, HTTP/3": (get_format("varint", header="type:quic length:quic"), SIZES, {"type": 0}),
    "varint, gob": (get_format("gob"), SIZES, {}),
    "varint, Minecraft": (
        get_format("varint", header="length:varint3 id:varint5", counts="id payload"),
        SIZES,
        {"id": 7},
    ),
    "conditional, WebSocket server": (get_format("header", **WEBSOCKET), SIZES, CALL),
    "conditional, WebSocket client": (
        get_format("header", **WEBSOCKET),
        SIZES,
        lambda: CALL | {"key": CHANCE.randbytes(4)},
    ),
    "conditional, ZMTP": (
        get_format(
            "header", header="(reserved:5=0 command:1 long:1 more:1):u8 size:u8?long=0 size:u64be?long=1", length="size"
        ),
        SIZES,
        {"command": 0, "more": 0},
    ),
    "lines": (get_format("lines"), LINES, {}),
    "delimiter": (get_format("delimiter", delimiters=["\r\n", "\n"]), LINES, {}),
    "netstring": (get_format("netstring"), SIZES, {}),
    "octet_counting": (get_format("octet_counting"), SIZES, {}),
    "pkt_line": (get_format("pkt_line"), SIZES, {}),
    "digits, UCP-like": (
        get_format("digits", before="stx:u8=2 trn:bytes2 slash:bytes1=/", digits=5, separator="/", end="\x03"),
        SIZES,
        {"trn": b"00"},
    ),
    "header_block": (get_format("header_block"), SIZES, {}),
    "enclosed": (get_format("enclosed", start="\x0b", stop="\x1c\r"), SIZES, {}),
    "fix": (get_format("fix"), FIX, {}),
    "ber": (get_format("ber"), [b"\x30\x3e" + b"x" * 62] * COUNT, {}),
    "cobs, text": (get_format("cobs"), SIZES, {}),
    "cobs, random": (get_format("cobs"), RANDOM, {}),
    "cobs, COBS/R, random": (get_format("cobs", reduced=True), RANDOM, {}),
    "slip, random": (get_format("slip"), RANDOM, {}),
    "hdlc, text": (get_format("hdlc"), SIZES, {}),
    "hdlc, FCS 16, text": (get_format("hdlc", fcs=16), SIZES, {}),
    "hdlc, FCS 16, random": (get_format("hdlc", fcs=16), RANDOM, {}),
    "hdlc, FCS 32, random": (get_format("hdlc", fcs=32), RANDOM, {}),
    "msgpack_stream, bytes": (get_format("msgpack_stream"), [msgpack.packb(b"x" * 62)] * COUNT, {}),
    "msgpack_stream, maps": (get_format("msgpack_stream"), [*map(msgpack.packb, MAPS)], {}),
    "cbor_stream, bytes": (get_format("cbor_stream"), [cbor(b"x" * 62)] * COUNT, {}),
    "cbor_stream, maps": (get_format("cbor_stream"), [*map(cbor, MAPS)], {}),
    "json_stream, one string": (get_format("json_stream"), STRINGS, {}),
    "json_stream, flat": (get_format("json_stream"), FLAT, {}),
    "json_stream, nested": (get_format("json_stream"), NESTED, {}),
    "http1, told size": (get_format("http1", side="request"), SIZES, REQUEST),
    "http1, chunked": (
        get_format("http1", side="request"),
        SIZES,
        REQUEST | {"headers": [["Host", "localhost"], ["Transfer-Encoding", "chunked"]]},
    ),
    "http1, several chunks": (
        get_format("http1", side="request"),
        SAME,
        REQUEST | {"headers": [["Transfer-Encoding", "chunked"]], "chunks": ["20", "10", "10", "0"]},
    ),
    "http1, three chunks of 64": (
        get_format("http1", side="response"),
        [b"x" * 192] * COUNT,
        {"status": 200, "headers": [["Transfer-Encoding", "chunked"]], "chunks": ["40", "40", "40", "0"]},
    ),
    "http1, told size, new heads": (get_format("http1", side="response"), SIZES, [*map(answer, range(COUNT))]),
    "http1, chunked, new heads": (
        get_format("http1", side="response"),
        SIZES,
        [answer(one, ["Transfer-Encoding", "chunked"]) for one in range(COUNT)],
    ),
    "resp, commands": (get_format("resp"), COMMANDS, {}),
    "checked_blocks, DNP3": (
        get_format(
            "checked_blocks",
            frame=DNP3,
            block_size=16,
            check="crc:u16le=crc16_dnp(payload)",
        ),
        RANDOM_SIZES,
        lambda: CHANCE.choice(DNP3_FIELDS),
    ),
    "choice, binary": (get_format("choice", cases=CASES), SIZES, None),
    "choice, RTSP": (
        get_format(
            "choice",
            cases={"$": get_format("header", header="magic:u8=0x24 channel:u8 length:u16be")},
            default=get_format("lines"),
        ),
        LINES,
        None,
    ),
    "function": (get_format("function", size=size_of, write=write_size, max_header_size=2), SIZES, {}),
}


_EVERY_BYTE = ("cobs", "slip", "hdlc", "enclosed", "header, crc32")


def wire_of(form, payloads, fields):
    if isinstance(fields, list):
        return b"".join(map(form.serialize, payloads, fields))
    if fields is not None:
        each = fields if callable(fields) else lambda: fields
        return b"".join(form.serialize(payload, each()) for payload in payloads)
    if form.serialize(b"x")[:1] == b"x":  # RTSP: a line, and data between every two
        data = (struct.pack(">cBH", b"$", place % 4, len(one)) + one for place, one in enumerate(SIZES))
        return b"".join(line + b"\r\n" + one for line, one in zip(payloads[::2], data, strict=False))
    cases = [b"a\0%c" % len(one) + one if place % 3 else b"b%c" % len(one) + one for place, one in enumerate(payloads)]
    return b"".join(cases)


def taking(form, chunks, count):
    def take():
        parser, taken = FrameParser(form), 0
        for chunk in chunks:
            parser.feed(chunk)
            taken += len(parser.take_payloads())
        if taken != count:
            raise SystemExit(f"{form}: {taken} payloads instead of {count}")

    return take


def main(wanted):
    candidates = {}
    for name, (form, payloads, fields) in KINDS.items():
        if WIDE and (payloads is not SIZES or fields is None or name.startswith(_EVERY_BYTE)):
            continue
        if name == "u16be" or not wanted or any(one in name for one in wanted):
            wire = wire_of(form, payloads, fields)
            chunks = [wire[place : place + 65536] for place in range(0, len(wire), 65536)]
            candidates[name] = taking(form, chunks, len(payloads))
    least = measure(candidates, rounds=7, of=min, clock=time.process_time)
    for name, seconds in least.items():
        ratio = least["u16be"] / seconds
        print(f"  {name:32} {seconds / COUNT * 1e9:8.0f} ns/frame   {ratio:5.2f} of the fixed header's speed")


if __name__ == "__main__":
    print(__doc__)
    main([one for one in sys.argv[1:] if one != "--wide"])
