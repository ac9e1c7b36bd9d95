import math
import shlex
import subprocess
import sys

import pytest
from click.testing import CliRunner

from framing.capture import read
from framing.cli import main
from transports import demo as demo_module
from transports.demo import SCENES, Scene

NAMES = [scene.protocol for scene in SCENES]


def run(*arguments, **options):
    return CliRunner().invoke(main, ["demo", *arguments], **options)


@pytest.fixture
def kept(tmp_path):
    path = tmp_path / "my demo.pcap"
    shown = run("--keep", str(path))
    assert shown.exit_code == 0, shown.output
    return shown, path


def commands(shown):
    return [shlex.split(line) for line in shown.stdout.splitlines() if line.startswith("  framing ")]


def test_three_codecs_come_back_out_of_the_capture():
    shown = run()

    assert (shown.exit_code, shown.stderr) == (0, "")
    assert [line for line in shown.stdout.splitlines() if line in NAMES] == NAMES
    assert {name.partition("/")[2].partition("(")[0] for name in NAMES} == {"raw", "msgpack", "construct"}
    assert "\nEvery message came back out of the capture as it was sent.\n" in shown.stdout


def test_each_message_is_a_line():
    lines = run().stdout.splitlines()

    asked = sum(len(scene.asked) for scene in SCENES)
    assert len([line for line in lines if " ms  client #" in line]) == asked
    assert len([line for line in lines if " ms  server #" in line]) == asked
    assert any(line.endswith("  35 3a 68 65 6c 6c ..  b'hello'") for line in lines)


def test_lines_are_as_wide_as_the_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "90")

    widths = [len(line) for line in run().stdout.splitlines() if " ms  " in line]

    assert max(widths) == 90


def test_it_is_plain_text_where_no_terminal_is(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)

    assert "\x1b" not in run().stdout
    assert "\x1b[36mclient #0\x1b[0m" in run(color=True).stdout
    assert run().stdout.isascii()


def test_a_difference_is_told(monkeypatch):
    # NaN is the one value that never equals itself.
    scene = Scene("u8/msgpack", (1,), lambda number: math.nan)
    monkeypatch.setattr(demo_module, "SCENES", (SCENES[0], scene))

    shown = run()

    assert shown.exit_code == 1
    assert "This is not what was sent: {'client': [1], 'server': [nan]}" in shown.stdout
    assert "What came out of the capture is not what was sent.\n" in shown.stdout
    assert "Every message" not in shown.stdout


def test_the_capture_is_whole(kept):
    shown, path = kept
    ports = [int(words[-1]) for words in commands(shown)[1:]]

    for port, scene in zip(ports, SCENES, strict=True):
        records = list(read(path, scene.protocol, ports=[port]))
        ends = [one.end for one in records if one.type == "summary" and one.flow]
        assert ends == ["fin", "fin"]
        assert [one.type for one in records if one.type in ("error", "gap")] == []
        assert [one.message for one in records if one.type == "frame"][::2] == list(scene.asked)


def test_what_it_says_to_try_works(kept):
    shown, _ = kept
    tried = commands(shown)
    assert [words[1] for words in tried] == ["streams", "decode", "decode", "decode"]

    for words in tried:
        program = [sys.executable, "-c", "from framing.cli import main; main()", *words[1:]]
        ended = subprocess.run(program, capture_output=True, text=True, check=False)
        assert (ended.returncode, ended.stdout != "") == (0, True), ended.stderr
        if words[1] == "decode":
            [scene] = [scene for scene in SCENES if scene.protocol == words[words.index("--protocol") + 1]]
            assert len(ended.stdout.splitlines()) == 2 * len(scene.asked)


def test_without_keep_nothing_stays(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)

    shown = run()

    assert "framing demo --keep demo.pcap" in shown.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_is_said(tmp_path):
    shown = run("--keep", str(tmp_path / "no" / "demo.pcap"))

    assert shown.exit_code == 1
    assert "demo.pcap: No such file or directory" in shown.stderr
