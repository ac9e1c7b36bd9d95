"""Every shipped definition says what it must, and each of its formats keeps the contract."""

import re
import tomllib
from pathlib import Path

import pytest

from framing import EncodeError, FrameTooLargeError, get_protocol
from framing.formats.prefix import parse_prefix
from framing.shorthand import get_table_format
from framing.testing import check_format, every_cut, outcome
from framing.toml import parse_protocol

SPECS = Path(__file__).parents[2] / "specs"
NAMES = sorted(path.stem for path in SPECS.glob("protocols/*.toml"))

# Something for every format: nothing, text, more than a short one takes, an item of the kinds that end themselves.
PAYLOADS = (b"", b"abc", b"x" * 40, b"\x91\x01", b"[1]", b"\x60\x03abc", b"*0\r\n", b"+OK\r\n", b"0\0")
# What single ones demand: an XML element, a message of Thrift; a cell of Tor, a block that is not cut.
PING = b"\x80\1\0\1\0\0\0\4ping\0\0\0\0\0"
DEMANDED = ((b"<a/>", b"<a>b</a>"), (PING,), (bytes(509),), (bytes(1024),))
BESIDES = ("after", "first", "otherwise", "codec", "join")
VALUES = (
    *(1, 3, 9, 200, 0x6C, 0x80, 0x4001),
    *("GET", "GET /a HTTP/1.1"),
    *map(bytes, (*range(1, 140), 1528)),
)


def content_of(name):
    return tomllib.loads((SPECS / f"protocols/{name}.toml").read_text(encoding="utf-8"))


def formats_in(table, path=()):
    """Yield path and table of each format that a definition declares, those inside of others before them."""
    for key, inner in table.items():
        if isinstance(inner, dict):
            yield from formats_in(inner, (*path, key))
    if not {"header", "format"}.isdisjoint(table):
        yield path, table


def is_made_of_others(table):
    return any(isinstance(inner, dict) and list(formats_in(inner)) for inner in table.values())


def declared(wanted):
    """Return each declared format of which `wanted` is true, once: TLS records alone stand in dozens of phases."""
    seen = {}
    for name in NAMES:
        for path, table in formats_in(content_of(name)):
            if wanted(table):
                said = {key: one for key, one in table.items() if key not in BESIDES}
                seen.setdefault(repr(said), pytest.param(said, id=f"{name}-{'.'.join(path)}"))
    return list(seen.values())


DECLARED = declared(lambda table: not is_made_of_others(table))
CHOICES = declared(lambda table: table.get("format") == "choice")


def fields_for(form, payload, given):
    """Return fields with which the format writes a payload, or `None`: it does not."""
    fields = dict(given)
    for _ in range(len(form.field_names) + 1):
        try:
            form.serialize(payload, fields)
        except FrameTooLargeError:
            return None
        except EncodeError as error:
            if error.path not in form.field_names or error.path in fields:
                return None
            fields[error.path] = next((one for one in VALUES if fits(form, payload, fields, error.path, one)), 1)
        else:
            return fields
    return None


def fits(form, payload, fields, name, value):
    try:
        form.serialize(payload, fields | {name: value})
    except EncodeError as error:
        return error.path not in (name, "choice")
    except FrameTooLargeError:
        pass
    return True


@pytest.mark.parametrize("name", NAMES)
def test_a_definition_says_where_its_facts_come_from(name):
    protocol = get_protocol(name)
    assert protocol.name == name
    assert protocol.title
    assert protocol.source
    assert protocol.not_covered


@pytest.mark.parametrize("name", NAMES)
def test_every_limit_is_said(name):
    unlimited = [
        path
        for path, table in formats_in(content_of(name))
        if {"max_frame_size", "payload_size"}.isdisjoint(table) and not is_made_of_others(table)
    ]
    assert unlimited == []


def writable(form, payloads, given):
    return [(payload, fields) for payload in payloads if (fields := fields_for(form, payload, given)) is not None]


def written_by(form, given):
    """Return two payloads that a format writes, both with the same fields, and those fields."""
    tried = (writable(form, payloads, given) for payloads in (PAYLOADS, *DEMANDED))
    found = next(filter(None, tried), [])
    assert found, f"nothing can be written {given}"
    fields = found[0][1]
    return [payload for payload, others in found if others == fields][:2], fields


@pytest.mark.parametrize("table", DECLARED)
def test_the_contract_of_each_format(table):
    form = get_table_format(table)
    payloads, fields = written_by(form, {})
    check_format(form, payloads, fields=fields)


@pytest.mark.parametrize("table", CHOICES)
def test_the_cases_of_each_choice(table):
    form = get_table_format(table)
    values = [parse_prefix(case).value for case in table["cases"]] + [b""] * ("default" in table)
    wires = []
    for value in values:
        payloads, fields = written_by(form, {"choice": value})
        wires += [form.serialize(payload, fields) for payload in payloads]
        assert all(form.frame(wire).header["choice"] == value for wire in wires[-len(payloads) :])
    for chunks in every_cut(b"".join(wires)):
        assert [wire for _, wire in outcome(form, chunks).frames] == wires


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
