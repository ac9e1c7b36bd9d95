import json

import pytest

from framing import get_protocol
from framing.cli.definitions import described, described_both_ways
from framing.toml import parse_protocol

PHASED = """
name = "phased"
title = "Two phases"
ports = [7, 9]
udp_ports = [9]
source = "RFC 0"
not_covered = "the rest"
[client.phases.hello]
header = "magic:bytes4 kind:u8 length:u8"
first = "0xff00"
otherwise = "rest"
after = [
    { fields = { kind = 3, magic = "tiny" }, client = "rest" },
    { frames = 2, payload = "bye", client = "rest", server = "rest" },
]
[client.phases.rest]
header = "length:u16be"
codec = "msgpack(max_depth=3)"
[server.phases.rest]
header = "length:u16be"
codec = "msgpack(max_depth=3)"
"""


def test_everything_that_a_definition_says_is_there():
    form = described(parse_protocol(PHASED, "phased.toml"))

    hello, rest = form["client"].pop("phases")
    assert form["client"] == {"start": "hello", "midstream": "rest"}
    assert {key: form[key] for key in ("name", "title", "ports", "udp_ports", "source", "not_covered")} == {
        "name": "phased",
        "title": "Two phases",
        "ports": [7, 9],
        "udp_ports": [9],
        "source": "RFC 0",
        "not_covered": "the rest",
    }
    [parts] = hello.pop("layouts").values()
    assert [(part["name"], part["size"], part["text"]) for part in parts] == [
        ("magic", 4, "bytes4"),
        ("kind", 1, "u8"),
        ("length", 1, "u8"),
        ("payload", None, ""),
    ]
    assert hello == {
        "name": "hello",
        "format": "HeaderFormat(header='magic:bytes4 kind:u8 length:u8', max_frame_size=261)",
        "fields": ["magic", "kind"],
        "codec": "RawCodec()",
        "join": "",
        "recovery": "poison",
        "max_frame_size": 261,
        "first": "0xff00",
        "otherwise": "rest",
        "after": [
            {
                "frames": 1,
                "payload": "",
                "pattern": {},
                "fields": {"kind": 3, "magic": "0x74696e79"},
                "moves": {"client": "rest"},
                "owes": {},
                "answers": False,
            },
            {
                "frames": 2,
                "payload": "0x627965",
                "pattern": {},
                "fields": {},
                "moves": {"client": "rest", "server": "rest"},
                "owes": {},
                "answers": False,
            },
        ],
    }
    assert rest == form["server"]["phases"][0]
    assert rest["codec"].startswith("MsgpackCodec(max_depth=3")


def test_it_is_ready_for_json():
    form = described(parse_protocol(PHASED, "phased.toml"))

    assert json.loads(json.dumps(form)) == form


@pytest.mark.parametrize(
    ("protocol", "same"), [(get_protocol("u8/raw"), True), (parse_protocol(PHASED, "phased.toml"), False)]
)
def test_directions_are_told_apart_where_they_differ(protocol, same):
    assert described_both_ways(described(protocol)) is same


def test_directions_with_rules_are_never_shown_as_one():
    side = '{ phases = { one = { header = "length:u8", after = [{ client = "one", server = "one" }] } } }'
    protocol = parse_protocol(f'name = "turns"\nclient = {side}\nserver = {side}\n', "turns.toml")

    assert described_both_ways(described(protocol)) is False
