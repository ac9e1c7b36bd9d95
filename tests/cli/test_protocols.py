import json
import os
import shutil
import sys
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from framing import SIDES, get_protocol, registry
from framing.cli import main
from framing.cli.protocols import _tell
from framing.picture import picture
from framing.toml import parse_protocol

MINE = """
name = "mine"
title = "My\\u001b[2J own"
ports = [7, 9]
udp_ports = [7]
source = "RFC 0"
not_covered = "the rest"
[client.phases.hello]
header = "kind:u8 length:u8"
first = "hello"
otherwise = "rest"
after = [{ frames = 2, fields = { kind = 3 }, payload = "x", client = "rest", server = "rest" }]
[client.phases.rest]
header = "length:u16be"
[server.phases.rest]
header = "length:u16be"
"""


def run(*arguments):
    return CliRunner().invoke(main, ["protocols", *arguments])


@pytest.fixture
def mine(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(MINE)
    return str(path)


def install(site, **files):
    files = {f"acme_protocols/{name}.toml": text for name, text in files.items()}
    site.install("acme", {"framing.protocols.v1": "acme = acme_protocols"}, files=files)


def test_the_list_fits_a_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    wide = run().stdout
    monkeypatch.setattr("framing.cli.table.sys", SimpleNamespace(stdout=SimpleNamespace(isatty=lambda: True)))
    narrow = run().stdout

    assert max(map(len, wide.splitlines())) > 80
    assert max(map(len, narrow.splitlines())) <= 80
    assert sorted(wide.split()) == sorted(narrow.split())


def test_the_list_has_names_ports_and_titles(site):
    install(site, acme_chat=MINE.replace("\\u001b[2J ", ""), acme_talk='name = "talk"\n[both]\nheader = "length:u8"')

    lines = run().stdout.splitlines()

    assert lines[0].split() == ["PROTOCOL", "TITLE", "PORTS"]
    assert ["acme_chat", "Myown", "7", "9", "7/udp"] in [line.split() for line in lines]
    assert ["acme_talk", "-"] in [line.split() for line in lines]


@pytest.mark.parametrize(("word", "names"), [("AMQP", {"amqp"}), ("9092", {"kafka"}), ("909", set())])
def test_the_list_can_be_searched(word, names):
    shown = run("--find", word, "--format", "jsonl")
    found = {json.loads(line)["name"] for line in shown.stdout.splitlines()}
    assert names <= found
    assert "tls" not in found
    assert ("none of" in shown.stderr) == (not names)  # and not at all in silence
    assert run("--find", word, "kafka").exit_code == 2


def test_a_definition_that_cannot_work_is_a_row(site):
    install(site, acme_bad='name = "bad"\n[both]\nheader = "length:u9"')

    listed = run()

    assert listed.exit_code == 0
    [row] = [line for line in listed.stdout.splitlines() if line.startswith("acme_bad")]
    assert row.split()[1:4] == ["cannot", "be", "used:"]
    assert run("acme_bad").exit_code == 2


def test_a_protocol_in_code_is_listed_without_its_code(site):
    site.install("acme", {"framing.protocols.v1": "acme = acme_wire:PROTOCOL"}, files={"acme_wire.py": "1 / 0"})

    listed = run()

    assert "(acme_wire:PROTOCOL of acme)" in listed.stdout
    assert run("acme").exit_code == 5


def test_one_of_this_process_is_listed_too():
    protocol = parse_protocol(MINE, "mine.toml")
    with registry.register("protocol", "mine", lambda: protocol):
        assert "of this process)" in run().stdout
        assert "client sends" in run("mine").stdout


def test_the_list_as_json_lines(site):
    install(site, acme_chat=MINE, acme_bad="name")

    rows = {row["name"]: row for row in map(json.loads, run("--format", "jsonl").stdout.splitlines())}

    assert rows["acme_chat"] == {
        "name": "acme_chat",
        "distribution": "acme",
        "ports": [7, 9],
        "udp_ports": [7],
        "title": "My\x1b[2J own",
        "problem": None,
    }
    assert rows["acme_bad"]["problem"].startswith("cannot be used: this is no TOML")


def test_a_definition_is_shown_whole(mine):
    shown = run(mine)

    assert shown.exit_code == 0
    assert shown.stdout.splitlines() == [
        "mine — My\\x1b[2J own",
        "  ports:       7 9 7/udp",
        "  source:      RFC 0",
        "  not covered: the rest",
        "",
        "client sends",
        "  hello (start)",
        "    0        1        2",
        "    +--------+--------+- - - - -+",
        "    |  kind  | length | payload |",
        "    |   u8   |   u8   |         |",
        "    +--------+--------+- - - - -+",
        "    frames: HeaderFormat(header='kind:u8 length:u8', max_frame_size=257)",
        "    fields: kind",
        "    codec:  RawCodec()",
        "    limit:  257 bytes a frame",
        "    begins: 0x68656c6c6f, or else it is rest",
        "    after:  kind = 3 and payload begins with 0x78 and frame 2 or later: client → rest, server → rest",
        "  rest (midstream)",
        "    0                 2",
        "    +-----------------+- - - - -+",
        "    |      length     | payload |",
        "    |      u16be      |         |",
        "    +-----------------+- - - - -+",
        "    frames: HeaderFormat(header='length:u16be', max_frame_size=65537)",
        "    codec:  RawCodec()",
        "    limit:  65537 bytes a frame",
        "",
        "server sends",
        "  0                 2",
        "  +-----------------+- - - - -+",
        "  |      length     | payload |",
        "  |      u16be      |         |",
        "  +-----------------+- - - - -+",
        "  frames: HeaderFormat(header='length:u16be', max_frame_size=65537)",
        "  codec:  RawCodec()",
        "  limit:  65537 bytes a frame",
    ]


def test_what_is_the_same_both_ways_is_shown_once():
    shown = run("u8/raw").stdout

    assert shown.splitlines()[:3] == ["u8/raw", "", "both directions"]
    assert shown.count("frames:") == 1


def test_a_definition_as_json(mine):
    form = json.loads(run(mine, "--format", "jsonl").stdout)

    assert [phase["name"] for phase in form["client"]["phases"]] == ["hello", "rest"]


@pytest.mark.parametrize(
    ("name", "said"),
    [("nosuch", "no protocol is called 'nosuch'"), ("u8", "say u8/raw"), ("no/such.toml", "cannot be read")],
)
def test_what_is_no_protocol_is_said(name, said):
    shown = run(name)

    assert shown.exit_code == 2
    assert said in shown.stderr


def test_rules_say_what_is_asked_and_what_is_owed():
    shown = run("http1").stdout.splitlines()
    assert "    after:  method has ^HEAD$: server owes an answer: head" in shown
    assert "    after:  any frame: an answer is complete" in shown


def test_the_case_of_a_choice_that_is_none_of_the_named_is_the_other():
    assert "choice = other: client → requests" in run("zookeeper").output


def test_how_frames_join_and_what_is_done_about_errors_is_shown(tmp_path):
    path = tmp_path / "joined.toml"
    wire = 'header = "mark:u8=7 last:u8 length:u8"\njoin = { more = { last = 0 }, last = { last = 1 } }'
    path.write_text(f'name = "joined"\n[both]\n{wire}\nrecovery = "magic"')

    shown = run(str(path)).stdout.splitlines()

    assert "  join:   Join(more={'last': 0}, last={'last': 1}, max_message_size=1048576)" in shown
    assert "  errors: recovery = magic" in shown


def test_a_limit_of_one_byte_is_one_byte():
    assert "    limit:  1 byte a frame" in run("postgresql").stdout.splitlines()


def test_every_picture_fits_80_columns():
    for entry in registry.entries("protocol"):
        directions = [get_protocol(entry.spelling).direction(side) for side in SIDES]
        for phase in (phase for direction in directions for phase in direction.phases.values()):
            drawn = [line for parts in phase.wire.format.layouts().values() for line in picture(parts)]
            assert max(map(len, drawn), default=0) <= 80 - len("    "), entry.spelling


def test_a_header_of_several_lines_is_shown_on_one():
    assert "\\n" not in run("isns").stdout


def test_on_a_terminal_facts_go_on_below_their_beginning(monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setattr(shutil, "get_terminal_size", lambda: os.terminal_size((60, 24)))
    lines = []
    monkeypatch.setattr("framing.cli.protocols.click.echo", lines.append)

    _tell("  source:  ", " ".join(["word"] * 20))

    first, *rest = lines[0].splitlines()
    assert first.startswith("  source:  word word")
    assert rest
    assert all(line.startswith(" " * 11 + "word") for line in rest)
    assert max(map(len, lines[0].splitlines())) <= 60
