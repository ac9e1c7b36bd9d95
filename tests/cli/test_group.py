import os
import re
import signal
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from framing import registry
from framing.cli import main
from framing.cli.group import SHORT_HELP
from framing.entries import BUILTINS


def run(*arguments, **options):
    return CliRunner().invoke(main, list(arguments), **options)


def test_help_opens_with_three_examples():
    lines = run("--help").stdout.splitlines()

    assert lines[0] == "Examples:"
    assert [line.split()[0] for line in lines[1:5]] == ["framing", "framing", "echo", "a"]
    assert lines[5] == ""


@pytest.mark.parametrize("words", [(), *((name,) for name in SHORT_HELP), ("plugin", "list")])
def test_every_help_fits_80_columns(words, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")

    assert [line for line in run(*words, "--help").stdout.splitlines() if len(line) > 80] == []


def test_help_has_a_line_for_each_command_of_ours():
    shown = run("--help").stdout

    assert [name for name, text in SHORT_HELP.items() if f"\n  {name:<9}  {text}\n" not in shown] == []


def test_the_lines_are_those_of_the_commands():
    said = {name: registry.load("command", name).get_short_help_str(limit=200) for name in BUILTINS["command"]}

    assert said == SHORT_HELP


def test_help_imports_no_command(environment):
    program = (
        "import sys\nfrom framing.cli import main\ntry:\n    main(['--help'])\nfinally:\n"
        "    print(*sys.modules, file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    loaded = set(ended.stderr.split())

    assert "framing.cli.group" in loaded
    assert {value.partition(":")[0] for value in BUILTINS["command"].values()} & loaded == set()
    assert {"trio", "msgpack", "construct", "framing.definition"} & loaded == set()


def test_a_plugin_command_is_listed_with_its_owner_and_not_imported(site):
    site.install("acme", {"framing.commands.v1": "shout = acme_shout:shout"}, files={"acme_shout.py": "1 / 0"})

    shown = run("--help").stdout

    assert "Commands of plug-ins:\n  shout  from acme 1.0\n" in shown


def test_a_broken_plugin_command_fails_only_for_who_asks_for_it(site):
    site.install("acme", {"framing.commands.v1": "shout = acme_shout:shout"}, files={"acme_shout.py": "1 / 0"})

    asked = run("shout")

    assert asked.exit_code == 5
    assert "command 'shout' cannot be loaded: ZeroDivisionError" in asked.stderr
    assert "pip uninstall acme" in asked.stderr
    assert "Traceback" not in asked.stderr
    assert run("protocols").exit_code == 0


def test_a_plugin_that_may_not_be_used_says_so_in_the_help(site, monkeypatch):
    site.install("acme", {"framing.commands.v1": "shout = acme_shout:shout"})
    monkeypatch.setenv("FRAMING_PLUGINS", "")

    assert "shout  from acme 1.0; cannot be used: FRAMING_PLUGINS does not list acme" in run("--help").stdout
    assert run("shout").exit_code == 5


def test_what_is_no_click_command_is_a_broken_plugin(site):
    site.install("acme", {"framing.commands.v1": "shout = acme_shout:shout"}, files={"acme_shout.py": "shout = str"})

    asked = run("shout")

    assert asked.exit_code == 5
    assert "command 'shout' cannot be run: it must be a click.Command, and is <class 'str'>" in asked.stderr
    assert "distribution acme" in asked.stderr


def test_two_plugins_with_one_command_are_told_apart_by_owner(site):
    for owner in ("acme", "umbrella"):
        code = f"import click\n@click.command()\ndef shout():\n    click.echo('{owner}')"
        site.install(owner, {"framing.commands.v1": f"shout = {owner}_shout:shout"}, files={f"{owner}_shout.py": code})

    assert run("shout").exit_code == 2
    assert "shout@acme or shout@umbrella" in run("shout").stderr
    assert run("shout@umbrella").stdout == "umbrella\n"


@pytest.mark.parametrize(("typed", "meant"), [("encod", "encode"), ("Streams", "streams"), ("protocol", "protocols")])
def test_an_unknown_command_names_near_misses(typed, meant):
    asked = run(typed)

    assert asked.exit_code == 2
    assert f"no command is called {typed!r}; did you mean {meant}" in asked.stderr


def test_a_name_of_another_kind_is_told():
    assert "there is a codec of this name" in run("msgpack").stderr


def test_version_says_which_scanner_runs_and_why():
    shown = run("--version")

    assert shown.exit_code == 0
    assert shown.stdout.startswith("framewire 0.1.0, Python 3.")
    assert re.fullmatch(r"scanner: (compiled C|pure Python) \(.+\)", shown.stdout.splitlines()[1])


def registered(error):
    @click.command()
    def fail():
        raise error

    return registry.register("command", "fail", fail)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (TimeoutError("no answer"), 124),
        (ConnectionRefusedError(111, "Connection refused"), 1),
        (KeyboardInterrupt(), 130),
    ],
)
def test_errors_of_any_command_become_codes_in_one_place(error, code):
    with registered(error):
        asked = run("fail")

    assert (asked.exit_code, asked.stdout) == (code, "")
    assert asked.stderr.count("\n") == 1


def test_a_bug_is_no_error_of_the_user():
    with registered(ZeroDivisionError("bug")):
        asked = run("fail")

    assert isinstance(asked.exception, ZeroDivisionError)


def test_a_bug_shows_its_traceback(child, tmp_path):
    (tmp_path / "buggy.py").write_text("import click\n@click.command()\ndef fail():\n    1 / 0\n")
    info = tmp_path / "buggy-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: buggy\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[framing.commands.v1]\nfail = buggy:fail\n")

    ended = child("fail", extra={"PYTHONPATH": str(tmp_path)})

    assert ended.returncode == 1
    assert b"Traceback" in ended.stderr
    assert b"ZeroDivisionError" in ended.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["protocols"], ["plugin", "list"], ["nosuch"]])
def test_a_closed_pipe_is_no_traceback(child, arguments):
    reading, writing = os.pipe()
    os.close(reading)

    with open(writing, "wb") as closed:
        ended = child(*arguments, stdout=closed)

    assert b"Traceback" not in ended.stderr
    assert b"BrokenPipe" not in ended.stderr
    assert ended.returncode == (2 if arguments == ["nosuch"] else 0)


def test_nobody_listening_on_stderr_changes_no_code(child):
    reading, writing = os.pipe()
    os.close(reading)

    with open(writing, "wb") as closed:
        assert child("nosuch", stderr=closed).returncode == 2


def test_a_full_disk_is_an_error(child):
    with open("/dev/full", "wb") as full:
        ended = child("protocols", stdout=full)

    assert ended.returncode == 1
    assert b"No space left on device" in ended.stderr
    assert b"Traceback" not in ended.stderr


def test_an_interrupt_ends_quietly(started):
    process = started("encode", "--frame", "u8", "--input", "text")
    process.stdin.write(b"ping\n")
    process.stdin.flush()
    assert process.stdout.read(5) == b"\x04ping"  # it runs, and waits for more

    process.send_signal(signal.SIGINT)

    assert process.wait() == 130
    assert process.stderr.read() == b"Interrupted.\n"
