import errno
import io
import json
import os
import pty
import signal
import subprocess
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from framing import Message, get_protocol
from framing.capture import ConnectionWriter, PcapWriter
from framing.cli import main

CORPUS = Path(__file__).parents[1] / "corpus"
KAFKA = str(CORPUS / "kafka/deepflow__01-fetch-v12-ok.pcap")
BGP = str(CORPUS / "bgp/tcpdump__bgp-4byte-asn.pcap")
SECOND = 1_000_000_000


def decode(*arguments, given=b""):
    return CliRunner().invoke(main, ["decode", *arguments], input=given)


def records(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


def conversation(*turns, port=4000):
    """A capture of one connection: turns are (side, bytes)."""
    file = io.BytesIO()
    connection = ConnectionWriter(PcapWriter(file), ("10.0.0.5", 51744), ("10.0.0.9", port))
    connection.open(SECOND)
    for number, (side, data) in enumerate(turns, 2):
        connection.send(side, data, number * SECOND)
    connection.close("client", 90 * SECOND)
    connection.close("server", 91 * SECOND)
    return file.getvalue()


@pytest.fixture
def raw(tmp_path):
    def write(data, name="some.bin"):
        path = tmp_path / name
        path.write_bytes(data)
        return str(path)

    return write


def test_a_line_for_each_frame():
    wire = get_protocol("u32be/msgpack").client.wire
    capture = conversation(("client", wire.encode({"id": 7})), ("server", wire.encode(None) + wire.encode("ok")))

    result = decode("--protocol", "u32be/msgpack", given=capture)

    assert result.stdout.splitlines() == [
        "1970-01-01T00:00:02.000000000Z  10.0.0.5:51744>10.0.0.9:4000  client   #0   @0       9 bytes  {'id': 7}",
        "1970-01-01T00:00:03.000000000Z  10.0.0.9:4000>10.0.0.5:51744  server   #0   @0       5 bytes  None",
        "1970-01-01T00:00:03.000000000Z  10.0.0.9:4000>10.0.0.5:51744  server   #1   @5       7 bytes  'ok'",
    ]
    assert result.stderr == "3 frames, 21 bytes, 2 flows\n"
    assert result.exit_code == 0


def test_without_a_protocol_the_port_tells_it_and_stderr_says_so(site):
    site.install("acme", {"framing.protocols.v1": "acme = acme_protocols"}, files={
        f"acme_protocols/acme_{name}.toml": f'name = "{name}"\nports = [{ports}]\n[both]\nheader = "length:u8"'
        for name, ports in {"one": "4000, 40123", "two": "40123"}.items()
    })  # fmt: skip

    known = decode("-", given=conversation(("client", b"\x01a")))
    asked = decode("-", given=conversation(("client", b"\x01a"), port=40123))

    assert "  acme_one client  #0" in known.stdout
    assert known.stderr == (
        "port 4000 is taken for acme_one; with --protocol you say what it is\n1 frame, 2 bytes, 2 flows\n"
    )
    assert known.exit_code == 0
    assert (asked.stdout, asked.exit_code) == ("", 2)
    assert "40123: acme_one or acme_two" in asked.stderr


def test_the_same_from_frame_and_codec():
    capture = conversation(("client", b"\0\0\0\1\x07"))

    by_protocol = decode("-", "--protocol", "u32be/msgpack", given=capture)
    by_parts = decode("-", "--frame", "u32be", "--codec", "msgpack", given=capture)

    assert by_parts.stdout == by_protocol.stdout != ""


def test_a_real_capture_as_json_lines():
    result = decode(KAFKA, "--frame", "u32be", "--format", "jsonl")

    request, answer, *ends, total = records(result)
    assert [(one["type"], one["direction"], one["size"]) for one in (request, answer)] == [
        ("frame", "client", 120),
        ("frame", "server", 21),
    ]
    assert sorted((one["type"], one["direction"], one["size"]) for one in ends) == [
        ("summary", "client", 120),
        ("summary", "server", 21),
    ]
    assert (total["type"], total["flow"], total["size"], request["guessed"]) == ("summary", None, 141, True)
    assert result.stderr == "2 frames, 141 bytes, 2 flows\n"


def test_bytes_are_shown_as_hex_and_as_text():
    capture = conversation(("client", b"\x05Hi\x00\xff|"))

    assert decode("--frame", "u8", given=capture).stdout.endswith("  48 69 00 ff 7c  |Hi..||\n")
    assert decode("--frame", "u8", given=conversation(("client", b"\0"))).stdout.endswith("  no bytes\n")


def test_fields_stand_before_the_value():
    protocol = 'header("type:u8 length:u8")/msgpack'
    capture = conversation(("client", get_protocol(protocol).client.wire.encode(Message([1], type=81))))

    assert decode("--protocol", protocol, given=capture).stdout.endswith("  4 bytes  type=81  [1]\n")


def test_a_long_message_is_cut_where_no_terminal_says_how_wide_it_is():
    capture = conversation(("client", b"\0\x20" + bytes(32)), ("client", b"\x20\0" + b"a" * 0x2000))

    short, long = decode("--frame", "u16be", given=capture).stdout.splitlines()

    assert short.endswith("|................................|")
    assert long.endswith(f"{' '.join(['61'] * 32)}…  |{'a' * 32}|")


def test_a_full_message_is_dumped():
    capture = conversation(("client", b"\x20\0" + b"a" * 0x2000))

    place, *dump = decode("--frame", "u16be", "--full", given=capture).stdout.splitlines()

    assert place.endswith("8194 bytes")
    assert len(dump) == 0x200
    assert dump[-1].startswith("    00001ff0  61 61 ")


def test_text_from_the_wire_moves_no_cursor(raw):
    text = "\x1b[2J\r\n\x07\u202e\x9b"
    data = get_protocol("u8/msgpack").client.wire.encode(text)

    result = decode(raw(data, "a\x1b[31mb"), "--raw", "--protocol", "u8/msgpack")

    line = result.stdout.removesuffix("\n")
    assert line.isprintable()
    assert "a\\x1b[31mb" in line
    assert repr(text) in line


def test_raw_bytes(raw):
    path = raw(b"\x02hi\x00")

    result = decode(path, "--raw", "--frame", "u8", "--side", "server")

    assert result.stdout.splitlines() == [
        f"{path}  server   #0   @0       3 bytes  68 69  |hi|",
        f"{path}  server   #1   @3        1 byte  no bytes",
    ]
    assert result.exit_code == 0


def test_raw_bytes_from_stdin():
    result = decode("-", "--raw", "--frame", "netstring", "--format", "jsonl", given=b"5:hello,")

    frame, flow, total = records(result)
    assert (frame["flow"], frame["message"], frame["direction"]) == ("stdin", {"$bytes": "aGVsbG8="}, "client")
    assert (flow["flow"], total["flow"]) == ("stdin", None)


def test_what_is_no_capture_says_what_it_looks_like_and_what_to_do(raw):
    result = decode(raw(b"5:hello,"), "--frame", "netstring")

    assert result.exit_code == 1
    assert "it looks like text" in result.stderr
    assert "say --raw" in result.stderr


@pytest.mark.parametrize("data", [b"", b"\x1f\x8b\x08\x00 and so on"], ids=["empty", "gzip"])
def test_raw_is_named_only_where_it_helps(raw, data):
    result = decode(raw(data), "--frame", "u8")

    assert result.exit_code == 1
    assert "--raw" not in result.stderr


def test_a_file_that_is_not_there():
    result = decode("nowhere.pcap", "--frame", "u8")

    assert (result.exit_code, result.stderr) == (1, "Error: nowhere.pcap: No such file or directory\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "choose with --protocol"),
        (["--raw"], "either --protocol, or --frame"),
        (["--codec", "raw"], "--codec goes with --frame"),
        (["--all"], "--all needs --protocol"),
        (["--protocol", "u8/raw", "--frame", "u8"], "exclude each other"),
        (["--frame", "u8", "--raw", "--port", "5"], "--port chooses flows of a capture"),
        (["--frame", "u8", "--raw", "--all"], "--all chooses flows of a capture"),
        (["--frame", "u8", "--side", "client"], "--side goes with --raw"),
        (["--frame", "u8", "--all", "--flow", "x"], "--flow and --all exclude each other"),
        (["--frame", "u8", "--port", "70000"], "70000"),
        (["--frame", "u8", "--full", "--format", "jsonl"], "--full goes with --format text"),
        (["--frame", "u8", "--codec", ""], "no codec is called ''"),
        (["--frame", "u8", "--limit", "0"], "0 is not in the range"),
        (["--frame", "u8", "--count", "--limit", "3"], "--limit is about frames"),
        (["--frame", "u8", "--count", "--full"], "--full is about frames"),
        (["--frame", "u9000"], "u9000"),
        (["--frame", "u8", "--max-frame-size", "0"], "0 is not in the range"),
        (["--frame", "u32be", "--max-frame-size", "3"], "limit"),
        (["--protocol", "kavka"], "kavka"),
    ],
)
def test_usage(arguments, said):
    result = decode(KAFKA, *arguments)

    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stdout == ""


def test_ports_and_flows():
    capture = conversation(("client", b"\x01a"), ("server", b"\x01b"))

    def lines(*arguments):
        return len(decode("--frame", "u8", *arguments, given=capture).stdout.splitlines())

    assert lines() == lines("--all") == lines("--port", "4000") == lines("--port", "1", "--port", "4000") == 2
    assert lines("--flow", "10.0.0.5") == 2
    assert lines("--flow", "10.0.0.5:51744>10.0.0.9:4000") == 1


def test_no_such_flow_is_a_matter_of_usage_and_lists_the_ports():
    result = decode(KAFKA, "--frame", "u32be", "--port", "9092")

    assert result.exit_code == 2
    assert "no flow on port 9092" in result.stderr
    assert "36333" in result.stderr
    assert "choose with --port, --flow or --all" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_frames_that_are_only_counted():
    capture = conversation(("client", b"\x01a\x01b\x05"), ("server", b"\x02hi"), ("server", b"\x00\x00"))

    result = decode("--frame", "u8", "--port", "4000", "--count", given=capture)

    assert result.stdout.splitlines() == [
        "10.0.0.5:51744>10.0.0.9:4000  client   2 frames, 5 bytes; 1 error, 1 byte of unfinished frames",
        "10.0.0.9:4000>10.0.0.5:51744  server   3 frames, 5 bytes",
    ]
    assert "inside a frame" in result.stderr
    assert result.stderr.splitlines()[-1].startswith("5 frames, 10 bytes, 2 flows; 1 error")
    assert result.exit_code == 4


def test_counted_frames_as_json_and_of_raw_bytes(raw):
    path = raw(b"\x01a\x02")

    result = decode(path, "--frame", "u8", "--raw", "--count", "--format", "jsonl")

    assert [record["type"] for record in records(result)] == ["error", "summary", "summary"]
    assert (records(result)[-1]["frame_count"], result.exit_code) == (1, 4)


def test_a_limit_on_frames():
    result = decode(KAFKA, "--frame", "u32be", "--limit", "1")

    assert len(result.stdout.splitlines()) == 1
    assert (result.stderr, result.exit_code) == ("stopped after 1 frame (--limit)\n", 0)


def test_bad_frames_are_told_and_the_others_decoded():
    capture = conversation(("client", b"\x01a\xff" + bytes(40)), ("server", b"\x01b"))

    result = decode("--frame", "u8", "--max-frame-size", "100", given=capture)

    assert len(result.stdout.splitlines()) == 2
    told, left, total = result.stderr.splitlines()
    for fact in ("stdin: packet 4: ", "offset 2", "frame number 1", "frame size 256", "max frame size 100"):
        assert fact in told
    assert "10.0.0.5:51744>10.0.0.9:4000" in told
    assert "--max-frame-size" in told
    assert told.endswith("it begins ff " + " ".join(["00"] * 31))
    assert left == "10.0.0.5:51744>10.0.0.9:4000: 41 bytes from @2 on not decoded; --recovery skip goes on behind it"
    assert total == "2 frames, 45 bytes, 2 flows; 1 error, 41 bytes skipped"
    assert result.exit_code == 3


def test_a_bad_message_is_told():
    capture = conversation(("client", b"\x01\xc1\x01\x07"))

    result = decode("--protocol", "u8/msgpack", given=capture)

    assert result.stdout.endswith("#1   @2       2 bytes  7\n")
    assert "frame offset 0" in result.stderr
    assert result.exit_code == 3


def test_an_end_inside_a_frame():
    result = decode("--frame", "u8", given=conversation(("client", b"\x05ab")))

    assert "the stream ended inside a frame" in result.stderr
    assert result.stderr.endswith("; 1 error, 3 bytes of unfinished frames\n")
    assert result.exit_code == 4


def test_bad_frames_win_over_an_end_inside_a_frame():
    for turns in ((("client", b"\x05ab"), ("server", b"\xff")), (("server", b"\x05ab"), ("client", b"\xff"))):
        assert decode("--frame", "u8", "--max-frame-size", "9", given=conversation(*turns)).exit_code == 3


def test_a_truncated_capture_yields_what_is_before_then_4():
    whole = decode("--frame", "u8", given=(capture := conversation(("client", b"\x01a"), ("server", b"\x01b"))))
    cut = decode("--frame", "u8", given=capture[:-10])

    assert cut.stdout == whole.stdout
    assert "the capture ends inside a packet (file stdin, " in cut.stderr
    assert (whole.exit_code, cut.exit_code) == (0, 4)


def test_a_real_truncated_capture():
    frames = 'header("marker:bytes16=ff*16 length:u16be type:u8", counts="frame")'
    capture = Path(BGP).read_bytes()

    whole, cut = (decode("--frame", frames, given=given) for given in (capture, capture[:-10]))

    assert len(whole.stdout.splitlines()) == 35
    assert cut.stdout == whole.stdout  # the last packet has no payload
    assert (whole.exit_code, cut.exit_code) == (0, 4)


def test_a_gap_is_incomplete_input():
    """All that is missing is one segment of the client; what the server says is whole."""
    capture = conversation(("client", b"\x01a"), ("client", b"\x01b"), ("client", b"\x01c"), ("server", b"\x01d"))
    start = capture.index(b"\x01b") - 40 - 16
    lossy = capture[:start] + capture[start + 16 + 40 + 2 :]

    result = decode("--frame", "u8", "--format", "jsonl", given=lossy)

    (gap,) = [one for one in records(result) if one["type"] == "gap"]
    assert (gap["offset"], gap["size"], gap["resumed"]) == (2, 2, False)
    assert records(result)[-1]["skipped_size"] == 2
    assert result.exit_code == 4
    assert "bytes are missing from the capture" in decode("--frame", "u8", given=lossy).stderr


def test_people_are_told_of_the_first_gap_of_a_flow():
    turns = [("client", b"\x01" + bytes([letter])) for letter in b"abcdefg"]
    capture = conversation(*turns, ("server", b"\x01z"))
    for lost in (b"\x01b", b"\x01d"):
        start = capture.index(lost) - 40 - 16
        capture = capture[:start] + capture[start + 16 + 40 + 2 :]

    as_text = decode("--frame", "u8", given=capture)
    as_json = decode("--frame", "u8", "--format", "jsonl", given=capture)

    assert [one["offset"] for one in records(as_json) if one["type"] == "gap"] == [2, 6]
    gap, total = as_text.stderr.splitlines()
    assert "stream offset 2" in gap
    assert "2 gaps of 4 bytes" in total


def test_json_has_all_of_it_and_stderr_the_sums():
    result = decode("--frame", "u8", "--format", "jsonl", given=conversation(("client", b"\x05ab")))

    assert [one["type"] for one in records(result)] == ["error", "summary", "summary", "summary"]
    assert len(result.stderr.splitlines()) == 1


# Real processes: what only a terminal, a pipe or a signal shows.


def test_stdout_and_stderr_of_a_process(child):
    ended = child("decode", "--frame", "u8", input=conversation(("client", b"\x01a\x05b")))

    assert ended.returncode == 4
    assert ended.stdout.count(b"\n") == 1
    assert b"\x1b" not in ended.stdout + ended.stderr


def test_a_closed_pipe_ends_it_quietly(child):
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as pipe:
        ended = child("decode", KAFKA, "--frame", "u32be", stdout=pipe)

    assert (ended.returncode, ended.stderr) == (0, b"")


def test_frames_come_while_a_capture_is_piped_in(started):
    capture = conversation(("client", b"\x01a"), ("server", b"\x01b"), ("client", b"\x01c"))
    process = started("decode", "-", "--frame", "u8")
    process.stdin.write(capture[: capture.index(b"\x01b") + 2])
    process.stdin.flush()

    assert process.stdout.readline().endswith(b"61  |a|\n")


def on_terminal(child, *arguments, environment=None, stream="stdout", given=b""):
    """Run with one stream on a terminal of 100 columns; return what the terminal shows and how it ended."""
    leader, follower = pty.openpty()
    shown = b""
    try:
        pipes = {stream: follower}
        extra = {"COLUMNS": "100", "TERM": "xterm", **(environment or {})}
        ended = child(*arguments, extra=extra, input=given, **pipes)
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
    return shown, ended


def test_colours_and_width_are_the_terminals(child):
    capture = conversation(("client", b"\xc8" + b"a" * 200), ("server", b"\x01b"))

    shown, _ = on_terminal(child, "decode", "--frame", "u8", given=capture)

    client, message, server = shown.decode().splitlines()
    assert client.startswith("\x1b[36m00:00:02.000000  10.0.0.5")
    assert server.startswith("\x1b[32m")
    assert server.endswith("62  |b|")
    assert message.startswith("    61 61")
    assert "…" in message
    assert 95 < len(message) <= 100


def test_a_wide_terminal_has_one_line_for_a_frame(child):
    capture = conversation(("client", b"\xc8" + b"a" * 200))

    shown, _ = on_terminal(child, "decode", "--frame", "u8", given=capture, environment={"COLUMNS": "150"})

    (line,) = shown.decode().splitlines()
    assert line.count("61") > 10
    assert len(click.unstyle(line)) <= 150


def test_no_color_is_obeyed(child):
    capture = conversation(("client", b"\x01a"))

    shown, _ = on_terminal(child, "decode", "--frame", "u8", given=capture, environment={"NO_COLOR": "1"})

    assert b"\x1b" not in shown
    assert b"61  |a|" in shown


def test_a_terminal_without_signs_for_a_text(child):
    capture = conversation(("client", get_protocol("u8/msgpack").client.wire.encode("Grüße")))

    ended = child("decode", "--protocol", "u8/msgpack", input=capture, extra={"PYTHONIOENCODING": "ascii"})

    assert b"Gr\\xfc\\xdfe" in ended.stdout
    assert ended.returncode == 0


def test_an_interrupt_is_130(started):
    process = started("decode", "-", "--frame", "u8")
    capture = conversation(("client", b"\x01a"), ("client", b"\x01b"))
    process.stdin.write(capture[: capture.index(b"\x01b")])
    process.stdin.flush()
    assert process.stdout.readline()
    process.send_signal(subprocess.signal.SIGINT)

    assert process.wait() == 130
    assert b"Traceback" not in process.stderr.read()


def test_a_damaged_dump_is_read_on_with_a_recovery_policy(tmp_path):
    """A serial line's bytes, one of them wrong: each bad region is one record, and every byte is accounted for."""
    form = get_protocol("hdlc/raw").client.wire.format
    wires = [form.serialize(b"reading %d" % number) for number in range(6)]
    bad = wires[2][:4] + b"\x55" + wires[2][5:]
    dump = tmp_path / "serial.bin"
    dump.write_bytes(b"".join((*wires[:2], bad, *wires[3:])) + b"~cut")

    result = decode(str(dump), "--raw", "--frame", "hdlc", "--recovery", "delimiter", "--format", "jsonl")
    found = records(result)
    assert result.exit_code == 3
    assert [one["type"] for one in found] == ["frame", "frame", "error", *["frame"] * 3, "error", "summary", "summary"]
    error, end, total = found[2], found[6], found[-1]
    place = len(wires[0] + wires[1])
    assert (error["kind"], error["offset"], error["facts"]["region_size"]) == ("ChecksumError", place, len(bad))
    assert error["hex"] == bad.hex(" ")
    assert (end["kind"], end["facts"]["region_size"], end["hex"]) == ("TruncatedFrameError", 4, "7e 63 75 74")
    assert (total["frame_count"], total["skipped_size"], total["tail_size"]) == (5, len(bad), 4)


def test_a_recovery_policy_that_the_format_has_no_means_for(tmp_path):
    (tmp_path / "dump").write_bytes(b"x")
    result = decode(str(tmp_path / "dump"), "--raw", "--frame", "lines", "--recovery", "magic")
    assert result.exit_code == 2
    assert "lines cannot recover like this" in result.stderr
    assert "poison, delimiter" in result.stderr


def test_following_a_file_shows_each_frame_as_it_comes(tmp_path, started):
    """[P26]"""
    encode = get_protocol("u32be/msgpack").client.wire.encode
    whole = conversation(("client", encode("one")), ("client", encode("two")))
    path, cut = tmp_path / "growing.pcap", whole.index(b"\xa3two")
    path.write_bytes(whole[:cut])
    process = started("decode", str(path), "--protocol", "u32be/msgpack", "--follow")
    assert b"'one'" in process.stdout.readline()
    with path.open("ab") as file:
        file.write(whole[cut:])
    assert b"'two'" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait() == 130


def test_following_says_what_it_waits_for_and_ends_with_it(tmp_path, started):
    path = tmp_path / "other.pcap"
    path.write_bytes(conversation(("client", b"\x01a"), port=80))
    process = started("decode", str(path), "--protocol", "kafka", "--follow", "--format", "jsonl")

    told = process.stderr.readline().decode()
    process.send_signal(signal.SIGINT)

    assert told.startswith(f"nothing to show yet, waiting for more of {path}: this capture has no flow on port 9092 ")
    assert "found ports 80); choose with --port, --flow or --all;" in told
    assert process.communicate() == (b"", b"Interrupted.\n")
    assert process.returncode == 130


def test_who_stops_following_is_told_the_sums(tmp_path, started):
    path = tmp_path / "begun.pcap"
    whole = conversation(("client", b"\x05ab"))
    path.write_bytes(whole[: whole.index(b"\x05ab") + 3])
    process = started("decode", str(path), "--frame", "u8", "--follow")

    waiting = process.stderr.readline().decode()
    process.send_signal(signal.SIGINT)
    *_, total, interrupted = process.stderr.read().decode().splitlines()

    assert waiting == f"nothing to show yet, waiting for more of {path}\n"
    assert total.startswith("0 frames, 3 bytes, 2 flows; 1 error")
    assert (interrupted, process.wait()) == ("Interrupted.", 130)


@pytest.mark.parametrize("arguments", [("-", "--follow"), (KAFKA, "--raw", "--follow")])
def test_following_what_cannot_be_followed(arguments):
    result = decode(*arguments, "--protocol", "kafka")
    assert result.exit_code == 2
    assert "--follow is for a capture in a file" in result.stderr


def test_per_packet(tmp_path):
    """[P27]"""
    path = tmp_path / "some.pcap"
    path.write_bytes(conversation(("client", b"\1a\5cut"), ("client", b"\1b")))
    result = decode(str(path), "--protocol", "u8/raw", "--per-packet", "--format", "jsonl")
    assert [(one["type"], one["offset"]) for one in records(result)[:3]] == [("frame", 0), ("error", 2), ("frame", 6)]
    assert decode(str(path), "--raw", "--protocol", "u8/raw", "--per-packet").exit_code == 2


def test_a_policy_needs_a_format_and_says_why(raw):
    result = decode(raw(conversation(("client", b"\x01a"))), "--recovery", "skip")

    assert result.exit_code == 2
    assert "depends on how frames are cut" in result.stderr.replace("\n", " ")
