"""Every shipped definition says what it must, and each of its formats keeps the contract."""

import re
from pathlib import Path

import pytest

from framing import EncodeError, FrameTooLargeError, get_protocol
from framing.protocol import SIDES
from framing.testing import check_format
from framing.toml import parse_protocol

SPECS = Path(__file__).parents[2] / "specs"
NAMES = sorted(path.stem for path in SPECS.glob("protocols/*.toml"))
PHASES = [
    pytest.param(phase.wire.format, id=f"{name}-{side}-{phase.name}")
    for name in NAMES
    for side in SIDES
    for phase in get_protocol(name).direction(side).phases.values()
]


def fields_for(form, payload):
    """Return a value for each field that has no constants."""
    fields = {}
    for _ in range(len(form.field_names) + 1):
        try:
            form.serialize(payload, fields)
        except EncodeError as error:
            fields[error.path] = 1
        else:
            break
    return fields


@pytest.mark.parametrize("name", NAMES)
def test_a_definition_says_where_its_facts_come_from(name):
    protocol = get_protocol(name)
    assert protocol.name == name
    assert protocol.title
    assert protocol.source
    assert protocol.not_covered


@pytest.mark.parametrize("name", NAMES)
def test_every_limit_is_said(name):
    text = (SPECS / f"protocols/{name}.toml").read_text(encoding="utf-8")
    formats = len(re.findall(r"^header = ", text, re.MULTILINE))
    assert len(re.findall(r"^(?:max_frame_size|payload_size) = ", text, re.MULTILINE)) == formats


@pytest.mark.parametrize("form", PHASES)
def test_the_contract_of_each_phase(form):
    payloads = [b"", b"abc", b"x" * 40]
    for payload in list(payloads):
        try:
            form.serialize(payload, fields_for(form, payload))
        except (EncodeError, FrameTooLargeError):  # a phase of fixed size
            payloads.remove(payload)
    check_format(form, payloads, fields=fields_for(form, payloads[0]))


def test_the_definitions_in_the_readme_work():
    text, more, moving = re.findall(r"```toml\n(.*?)```", (SPECS / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    wire = parse_protocol(f'name = "more"\n[both]\n{more}', "README.md").client.wire
    assert wire.format.serialize(b"abc", {"flags": 1})[:10] == b"\1\3\0\0\0\1abc\0"
    wire = parse_protocol(f'name = "moving"\n[both]\n{moving}', "README.md").client.wire
    assert (
        wire.format.serialize(b"Hello", {"fin": 1, "opcode": 1, "key": b"\x37\xfa\x21\x3d"})[6:]
        == b"\x7f\x9f\x4d\x51\x58"
    )
    protocol = parse_protocol(text, "README.md")
    assert protocol.name == "sensor"
    wire = protocol.client.wire
    assert wire.format.field_names == ("kind",)
    assert wire.format.max_frame_size == 4096
    assert wire.codec.name == "msgpack"
