import errno
import json
import os
import pty
from pathlib import Path

import pytest
from click.testing import CliRunner

from framing import registry
from framing.cli import main

CORPUS = Path(__file__).parents[1] / "corpus"
BGP = str(CORPUS / "bgp/tcpdump__bgp-4byte-asn.pcap")
GAP = str(CORPUS / "hard/derived/psql_drop_packet12.pcap")
CUT = str(CORPUS / "hard/derived/pcapng_cut.pcapng")
FACTS = '[both]\nheader = "length:u8"\n'


def streams(*arguments, given=b""):
    return CliRunner().invoke(main, ["streams", *arguments], input=given)


def test_a_row_for_each_flow():
    result = streams(GAP)

    head, *rows = result.stdout.splitlines()
    assert head.split() == [
        *(
            "FLOW",
            "SIDE",
            "PACKETS",
            "BYTES",
            "MISSING",
            "RESENT",
            "CONFLICTING",
            "FIRST",
            "LAST",
            "END",
            "TUNNEL",
            "PROTOCOL",
        ),
    ]
    cells = [row.split() for row in rows]
    assert len(cells) == 2
    assert [(one[1], one[3], one[4]) for one in cells] == [("client", "481", "29"), ("server", "1031", "0")]
    assert cells[0][0].endswith(":5432")
    assert result.exit_code == 0


def test_flows_stand_in_the_order_in_which_they_began_to_speak():
    times = [row.split()[7] for row in streams(BGP).stdout.splitlines()[1:]]

    spoken = [time for time in times if time != "-"]
    assert len(spoken) == 8
    assert spoken == sorted(spoken)
    assert times == spoken + ["-"] * (len(times) - len(spoken))


def test_json_lines():
    result = streams(GAP, "--format", "jsonl")

    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert {one["type"] for one in found} == {"flow"}
    assert {(one["direction"], one["size"], one["missing_size"]) for one in found} == {
        ("client", 481, 29),
        ("server", 1031, 0),
    }


def test_a_guessed_side_has_a_question_mark():
    result = streams(str(CORPUS / "kafka/deepflow__01-fetch-v12-ok.pcap"))

    assert {row.split()[1] for row in result.stdout.splitlines()[1:]} == {"client?", "server?"}


def test_protocols_are_told_by_port_without_running_code(site):
    site.install(
        "acme",
        {"framing.protocols.v1": "tables = acme_tables\ncode = acme_code:protocol"},
        files={
            "acme_tables/__init__.py": "",
            "acme_tables/routes.toml": f'name = "routes"\nports = [179]\n{FACTS}',
            "acme_tables/broken.toml": "name = 5",
            "acme_code.py": "1 / 0",
        },
    )
    assert {"routes", "broken", "code"} <= set(registry.names("protocol"))

    for row in streams(BGP).stdout.splitlines()[1:]:
        assert "routes" in row.split("  ")[-1].split(", ")


def test_a_truncated_capture_lists_what_is_before_then_4():
    result = streams(CUT)

    assert len(result.stdout.splitlines()) == 5
    assert "the capture ends inside a block" in result.stderr
    assert result.exit_code == 4


def test_a_truncated_capture_as_json_has_the_error_as_a_record():
    result = streams(CUT, "--format", "jsonl")

    assert [json.loads(line)["type"] for line in result.stdout.splitlines()] == ["flow"] * 4 + ["error"]
    assert result.exit_code == 4


@pytest.mark.parametrize(("file", "said"), [("nowhere.pcap", "No such file"), (__file__, "it looks like text")])
def test_what_cannot_be_opened(file, said):
    result = streams(file)

    assert result.exit_code == 1
    assert said in result.stderr


def test_a_list_that_is_long_is_printed_in_parts(monkeypatch):
    whole = streams(BGP).stdout.splitlines()
    monkeypatch.setattr("framing.cli.streams._BLOCK_COUNT", 6)  # as if there were ten thousand

    parts = streams(BGP).stdout.splitlines()

    assert [line.startswith("FLOW ") for line in parts] == ([True] + [False] * 6) * 2
    assert sorted(line.split() for line in set(parts)) == sorted(line.split() for line in whole)


def test_a_capture_without_a_flow_is_a_table_without_rows():
    nothing = bytes.fromhex("d4c3b2a1 02000400 00000000 00000000 ffff0000 01000000")

    assert len(streams("-", given=nothing).stdout.splitlines()) == 1


def test_stdin(child):
    ended = child("streams", "-", input=Path(BGP).read_bytes())

    assert ended.returncode == 0
    assert ended.stdout.decode() == streams(BGP).stdout


def test_a_closed_pipe_ends_it_quietly(child):
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as pipe:
        ended = child("streams", BGP, stdout=pipe)

    assert (ended.returncode, ended.stderr) == (0, b"")


def shown_on_terminal(child, *arguments, columns, extra=None):
    leader, follower = pty.openpty()
    shown = b""
    try:
        child(*arguments, stdout=follower, extra={"COLUMNS": str(columns), "TERM": "xterm", **(extra or {})})
    finally:
        os.close(follower)
    try:
        while part := os.read(leader, 65536):
            shown += part
    except OSError as error:  # Linux says so when nobody holds the other end
        if error.errno != errno.EIO:
            raise
    finally:
        os.close(leader)
    return shown.decode().splitlines()


def test_a_table_on_a_terminal_leaves_out_what_is_no_trouble(child):
    head, first, *_ = shown_on_terminal(child, "streams", BGP, columns=140)

    assert "\x1b[1m" in head  # bold
    assert "MISSING" not in head
    assert first.split()[:5] == ["1.0.2.2:42741>1.0.2.1:179", "client", "10", "174", "17:16:39"]  # all on one day


def test_a_table_on_a_terminal_shows_trouble(child):
    head, first, *_ = shown_on_terminal(child, "streams", GAP, columns=140, extra={"NO_COLOR": "1"})

    assert "MISSING" in head
    assert "29" in first.split()


def test_a_narrow_terminal_folds_and_cuts_nothing(child):
    lines = shown_on_terminal(child, "streams", BGP, columns=50, extra={"NO_COLOR": "1"})

    assert all(len(line) <= 50 for line in lines)
    assert not any("…" in line for line in lines)
