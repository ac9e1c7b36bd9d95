import json
import os

import pytest
from click.testing import CliRunner

from framing import Conversation, Message, MessageReader, get_protocol
from framing.capture import ConnectionWriter, PcapWriter
from framing.cli import main

TAGGED = """
name = "tagged"
[both]
header = "type:u8 length:u8"
codec = "msgpack"
"""
PHASED = """
name = "phased"
[client]
header = "length:u8"
[server.phases.greeting]
header = "length:u8"
after = [{ server = "rest" }]
[server.phases.rest]
header = "length:u16be"
"""


def encode(*arguments, given=b""):
    return CliRunner().invoke(main, ["encode", *arguments], input=given)


@pytest.fixture
def definition(tmp_path):
    def write(text):
        path = tmp_path / "definition.toml"
        path.write_text(text)
        return str(path)

    return write


def record(message, *, direction="client", flow="a:1>b:2", **more):
    form = {"type": "frame", "flow": flow, "direction": direction, "header": {"length": 99}, "message": message}
    return json.dumps(form | more).encode() + b"\n"


def test_a_json_value_becomes_a_frame():
    ended = encode("--protocol", "u32be/msgpack", given=b'{"id": 7}\n')

    assert (ended.exit_code, ended.stdout_bytes, ended.stderr) == (0, bytes.fromhex("00000005 81a2696407"), "")


def test_a_line_that_no_message_needs_is_refused_before_it_fills_the_memory(tmp_path):
    path = tmp_path / "zeros"
    with path.open("wb") as file:
        file.write(b"1\n")
        file.truncate(2 + 2**33)  # a hole: it takes no room

    ended = encode(str(path), "--protocol", "u8/msgpack")

    assert (ended.exit_code, ended.stdout_bytes) == (3, b"\x01\x01")
    assert "line 2: it is longer than any message needs, 67108864 bytes" in ended.stderr


def test_every_value_comes_back():
    values = [None, True, -1, 1.5, "é", [1, [2]], {"a": {"b": None}}, b"\x00\xff"]
    lines = [{"$bytes": "AP8="} if value == b"\x00\xff" else value for value in values]

    ended = encode("--frame", "varint", "--codec", "msgpack", given="\n".join(map(json.dumps, lines)).encode())

    reader = MessageReader(get_protocol("varint/msgpack").client.wire)
    reader.feed(ended.stdout_bytes)
    assert reader.take_messages() == values


@pytest.mark.parametrize(
    ("kind", "given", "wire"),
    [
        ("text", b"hello\r\n\nlast", b"5:hello,0:,4:last,"),
        ("text", b"\xff{\n", b"2:\xff{,"),
        ("hex", b"00 FF\n\n6162\r\n", b"2:\x00\xff,0:,2:ab,"),
        ("json", b'{"$bytes": "YWI="}\n \n', b"2:ab,"),
    ],
)
def test_what_a_line_is(kind, given, wire):
    assert encode("--frame", "netstring", "--input", kind, given=given).stdout_bytes == wire


def test_hex_output_is_a_frame_a_line():
    ended = encode("--frame", "u16le", "--input", "text", "--hex", given=b"a\nbc\n")

    assert ended.stdout == "01 00 61\n02 00 62 63\n"


def test_files_in_and_out(tmp_path):
    (tmp_path / "in").write_bytes(b"a\nb\n")

    ended = encode("--frame", "u8", "--input", "text", "-o", str(tmp_path / "out"), str(tmp_path / "in"))

    assert (ended.exit_code, ended.stdout) == (0, "")
    assert (tmp_path / "out").read_bytes() == b"\x01a\x01b"


def test_header_fields_stand_beside_the_message(definition):
    ended = encode("--protocol", definition(TAGGED), given=b'{"$message": [1], "type": 81}\n')

    assert ended.stdout_bytes == bytes.fromhex("51 02 91 01")


@pytest.mark.parametrize(
    ("arguments", "line", "said"),
    [
        (
            ["u8/msgpack"],
            b"{",
            "line 3: this is no JSON: Expecting property name enclosed in double quotes at column 2",
        ),
        (["u8/msgpack"], b"\xff", "line 3: this JSON stands for no message: 'utf-8' codec can't decode"),
        (["u8/msgpack"], b'{"$bytes": "?"}', "line 3: this JSON stands for no message: '?' is no content for $bytes"),
        (["u8/msgpack"], b"[" * 100_000, "line 3: this JSON is nested too deeply"),
        (["u8/msgpack"], b'"' + b"x" * 300 + b'"', "line 3: a frame of format header would be too large to send"),
        (["u8/msgpack"], b'{"$message": 1, "type": 2}', "line 3: this frame format has no fields for type"),
        (["u8/raw", "--input", "hex"], b"abc", "line 3: these are not pairs of hex digits"),
        (["u8/raw", "--input", "hex"], "é".encode(), "line 3: these are not pairs of hex digits"),
    ],
)
def test_a_bad_line_is_named_and_what_came_before_is_written(arguments, line, said):
    good = b"61\n\n" if "hex" in arguments else b"1\n\n"

    ended = encode("--protocol", *arguments, given=good + line + b"\n" + good)

    assert ended.exit_code == 3
    assert said in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert len(ended.stderr) < 400
    assert ended.stdout_bytes == (b"\x01\x61\x00" if "hex" in arguments else b"\x01\x01")


def test_records_of_decode_are_taken_as_they_are(definition):
    given = b"".join(
        [
            record({"$message": {"a": 1}, "type": 81}, number=0),
            b'{"type": "gap", "flow": "a:1>b:2", "direction": "client", "offset": 5, "size": 9}\n',
            b'{"type": "error", "flow": "a:1>b:2", "text": "bad"}\n',
            record({"$message": None, "type": 1}, number=1),
            b'{"type": "summary", "flow": null, "frame_count": 2}\n',
        ]
    )

    ended = encode("--protocol", definition(TAGGED), given=given)

    assert (ended.exit_code, ended.stdout_bytes) == (0, bytes.fromhex("51 04 81 a1 61 01  01 01 c0"))


def test_a_message_that_only_looks_like_a_record_is_a_message():
    ended = encode("--protocol", "u8/msgpack", given=b'{"type": "error", "text": "x"}\n{"type": "frame"}\n')

    reader = MessageReader(get_protocol("u8/msgpack").client.wire)
    reader.feed(ended.stdout_bytes)
    assert reader.take_messages() == [{"type": "error", "text": "x"}, {"type": "frame"}]


@pytest.mark.parametrize("broken", [{"message": None, "direction": "up"}, {"direction": "client"}])
def test_a_record_without_what_is_needed_is_refused(broken):
    given = json.dumps({"type": "frame", "flow": "a>b"} | broken).encode()

    ended = encode("--protocol", "u8/msgpack", given=given)

    assert ended.exit_code == 3
    assert "line 1: this JSON stands for no message: a frame record has a message, and a direction" in ended.stderr


def test_records_of_both_sides_need_a_choice():
    given = record(1) + record(2, direction="server", flow="b:2>a:1")

    ended = encode("--protocol", "u8/msgpack", given=given)

    assert ended.exit_code == 3
    assert "line 2: a frame of the server after one of the client; say with --side" in ended.stderr
    assert encode("--protocol", "u8/msgpack", "--side", "client", given=given).stdout_bytes == b"\x01\x01"
    assert encode("--protocol", "u8/msgpack", "--side", "server", given=given).stdout_bytes == b"\x01\x02"


@pytest.mark.parametrize("other", ["a:1>c:2", "a:1>b:2#2"])
def test_records_of_two_connections_are_not_mixed(other):
    ended = encode("--protocol", "u8/msgpack", given=record(1) + record(2, flow=other))

    assert ended.exit_code == 3
    assert f"line 2: a frame of another connection: {other}; one at a time: framing decode --flow" in ended.stderr


def test_what_the_other_side_sent_moves_the_phases(definition):
    both = get_protocol(definition(PHASED))
    conversation = Conversation(both)
    server = [conversation.encode("server", text) for text in (b"hi", b"there")]
    ask = record({"$bytes": "YQ=="})
    answers = [record({"$bytes": text}, direction="server", flow="b:2>a:1") for text in ("aGk=", "dGhlcmU=")]

    ended = encode("--protocol", definition(PHASED), "--side", "server", given=answers[0] + ask + answers[1])

    assert ended.stdout_bytes == b"".join(server) == b"\x02hi\x00\x05there"


def test_a_flow_whose_beginning_was_not_seen_is_in_its_midstream_phase(definition):
    given = record({"$bytes": "aGk="}, direction="server", guessed=True)

    assert encode("--protocol", definition(PHASED), given=given).stdout_bytes == b"\x00\x02hi"


def test_side_says_who_sends_bare_values(definition):
    given = b'{"$bytes": "aGk="}\n' * 2

    ended = encode("--protocol", definition(PHASED), "--side", "server", given=given)

    assert ended.stdout_bytes == b"\x02hi\x00\x02hi"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "either --protocol, or --frame"),
        (["--protocol", "u8/raw", "--frame", "u8"], 2, "exclude each other"),
        (["--protocol", "u8/raw", "--codec", "raw"], 2, "--codec goes with --frame"),
        (["--codec", "raw"], 2, "--codec goes with --frame"),
        (["--protocol", "u8/mesgpack"], 2, "did you mean msgpack?"),
        (["--frame", "u9"], 2, "u9"),
        (["--frame", "u8(colour=blue)"], 2, "colour"),
        (["--protocol", "u8/raw", "no/such/file"], 1, "no/such/file: No such file or directory"),
        (["--protocol", "u8/raw", "-o", "no/such/file"], 1, "no/such/file: No such file or directory"),
        (["--protocol", "no/such.toml"], 2, "no/such.toml"),
    ],
)
def test_what_cannot_begin_says_why(arguments, code, said):
    ended = encode(*arguments)

    assert ended.exit_code == code
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


def test_frames_are_written_as_soon_as_their_line_was_read(started):
    process = started("encode", "--frame", "u8", "--input", "text")

    for text in (b"one", b"three"):
        process.stdin.write(text + b"\n")
        process.stdin.flush()
        assert process.stdout.read(1 + len(text)) == bytes([len(text)]) + text


def test_no_binary_goes_to_a_terminal(child):
    primary, terminal = os.openpty()
    try:
        options = {"stdin": terminal, "stdout": terminal}
        refused = child("encode", "--frame", "u8", **options)
    finally:
        os.close(primary)
        os.close(terminal)

    assert refused.returncode == 2
    assert b"stdout is a terminal: use --hex, -o FILE or a pipe" in refused.stderr


def test_a_reader_that_has_had_enough_ends_it_quietly(child):
    reading, writing = os.pipe()
    os.close(reading)

    with open(writing, "wb") as closed:
        ended = child("encode", "--frame", "u8", "--input", "text", stdout=closed, input=b"a\n" * 9)

    assert (ended.returncode, ended.stderr) == (0, b"")


def test_a_message_with_fields_is_equal_to_what_python_sends(definition):
    protocol = get_protocol(definition(TAGGED))

    sent = protocol.client.wire.encode(Message({"a": 1}, type=81))

    given = b'{"$message": {"a": 1}, "type": 81}'
    assert encode("--protocol", definition(TAGGED), given=given).stdout_bytes == sent


@pytest.mark.parametrize(
    ("definition_text", "spoken"),
    [
        (TAGGED, [("client", Message({"a": [b"\0", 2**60, None]}, type=1)), ("server", Message(1.5, type=2))] * 3),
        (PHASED, [("server", b"greeting"), ("client", b"x"), ("server", b"y" * 3000), ("server", b"")]),
    ],
)
def test_it_is_the_inverse_of_decode(definition, tmp_path, definition_text, spoken):
    protocol = get_protocol(definition(definition_text))
    conversation, sent, path = Conversation(protocol), {"client": b"", "server": b""}, tmp_path / "capture.pcap"
    with path.open("wb") as file:
        connection = ConnectionWriter(PcapWriter(file), ("127.0.0.1", 40000), ("127.0.0.1", 7))
        connection.open(0)
        for step, (side, message) in enumerate(spoken):
            frame = conversation.encode(side, message)
            connection.send(side, frame, step)
            sent[side] += frame

    for side, wire in sent.items():
        wanted = ["--protocol", definition(definition_text)]
        decoded = CliRunner().invoke(main, ["decode", str(path), *wanted, "--format", "jsonl"])
        assert decoded.exit_code == 0, decoded.stderr
        assert encode(*wanted, "--side", side, given=decoded.stdout_bytes).stdout_bytes == wire
