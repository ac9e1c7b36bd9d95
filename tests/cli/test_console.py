import json
import os
import pty
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from framing.cli.console import colour_wanted, escaped, guarded, print_json, shown_error
from framing.errors import EncodeError

QUIET = {"stdin": subprocess.DEVNULL, "capture_output": True, "check": False}


def printed(work, **options):
    return CliRunner().invoke(click.command(context_settings={"color": colour_wanted()})(work), **options).stdout


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é", "plain é"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("a\tb\r\nc", "a\\tb\\r\\nc"),
        ("\x7f\x9b2J", "\\x7f\\x9b2J"),
        ("\u202eright to left", "\\u202eright to left"),
    ],
)
def test_nothing_that_moves_a_cursor_is_printed(text, shown):
    assert escaped(text) == shown


@pytest.mark.parametrize(("no_color", "bold"), [(None, True), ("", True), ("1", False)])
def test_no_color_is_kept(monkeypatch, no_color, bold):
    monkeypatch.delenv("NO_COLOR", raising=False)
    if no_color is not None:
        monkeypatch.setenv("NO_COLOR", no_color)

    shown = printed(lambda: click.secho("NAME", bold=True, color=colour_wanted()), color=True)

    assert ("\x1b[1m" in shown) is bold


def test_a_json_line_is_one_line_of_json():
    line = printed(lambda: print_json({"text": "é\n"}))

    assert line.count("\n") == 1
    assert json.loads(line) == {"text": "é\n"}


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (FileNotFoundError(2, "No such file or directory", "x.pcap"), "x.pcap: No such file or directory"),
        (IsADirectoryError(21, "Is a directory", "a\n\x1b[2J"), "a\\n\\x1b[2J: Is a directory"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (OSError("something else"), "something else"),
        (EncodeError("this is no text\x1b[2J"), "this is no text\\x1b[2J"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
    ],
)
def test_an_error_is_told_in_one_line(error, text):
    assert shown_error(error) == text


def test_an_error_is_told_on_stderr_and_becomes_a_code(capsys):
    def work():
        raise FileNotFoundError(2, "No such file or directory", "x.pcap")

    assert guarded(work) == 1
    assert capsys.readouterr() == ("", "Error: x.pcap: No such file or directory\n")


@pytest.mark.parametrize(("ended", "code"), [(SystemExit(), 0), (SystemExit(4), 4), (click.exceptions.Exit(3), 3)])
def test_a_command_may_choose_its_code(ended, code, capsys):
    def work():
        raise ended

    assert guarded(work) == code
    assert capsys.readouterr() == ("", "")


def test_an_exit_with_a_text_is_told_as_python_does(capsys):
    def work():
        raise SystemExit("enough")

    assert guarded(work) == 1
    assert capsys.readouterr().err == "enough\n"


def test_an_interrupt_in_a_group_is_an_interrupt(capsys):
    def work():
        raise BaseExceptionGroup("nursery", [KeyboardInterrupt(), OSError()])

    assert guarded(work) == 130
    assert capsys.readouterr().err == "Interrupted.\n"


def test_a_bug_keeps_its_exception():
    def work():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        guarded(work)


def test_a_terminal_that_lacks_a_sign_gets_an_escape(child, tmp_path):
    definition = tmp_path / "mine.toml"
    definition.write_text('name = "mine"\ntitle = "für alle"\n[both]\nheader = "length:u8"\n', encoding="utf-8")

    shown = child("protocols", str(definition), extra={"PYTHONIOENCODING": "latin-1"})

    assert (shown.returncode, shown.stderr) == (0, b"")
    assert shown.stdout.startswith("mine \\u2014 für alle\n".encode("latin-1"))


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("command", ["decode --frame u8 --raw", "encode --frame u8", "protocols", "streams {empty}"])
def test_streams_that_were_closed_before_are_as_dev_null(environment, tmp_path, command, closed):
    (tmp_path / "empty").write_bytes(bytes.fromhex("d4c3b2a1 02000400 00000000 00000000 ffff0000 01000000"))
    line = f'exec "{sys.executable}" -c "from framing.cli import main; main()" {command} {closed}'

    ended = subprocess.run(["sh", "-c", line.format(empty="empty")], env=environment, cwd=tmp_path, **QUIET)

    assert (ended.returncode, ended.stderr.partition(b"\n")[0]) in [(0, b""), (0, b"0 frames, 0 bytes, 1 flow")]


@pytest.mark.parametrize("command", ["decode", "streams"])
def test_no_capture_is_waited_for_from_a_terminal(child, command):
    leader, follower = pty.openpty()
    try:
        ended = child(command, stdin=follower, text=True, timeout=60)
    finally:
        os.close(follower)
        os.close(leader)

    assert ended.returncode == 2
    assert "name a FILE, or pipe one in: stdin is a terminal" in ended.stderr
