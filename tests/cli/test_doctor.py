import re
from importlib.metadata import version

import pytest
from click.testing import CliRunner

from framing.cli import main
from framing.cli.versions import scanner


def run(**options):
    return CliRunner().invoke(main, ["doctor"], **options)


def finding(shown, subject):
    [line] = [line for line in shown.stdout.splitlines() if line[5:].startswith(f"{subject} ")]
    return line[:3].strip(), line[5 + len(subject) :].strip()


def test_a_good_installation_is_well():
    shown = run()

    assert shown.exit_code == 0, shown.stdout
    assert shown.stdout.endswith("\nNothing is wrong.\n")
    assert "BAD" not in shown.stdout


@pytest.mark.parametrize("name", ["framewire", "trio", "msgpack", "construct", "click"])
def test_versions_are_those_that_are_installed(name):
    assert finding(run(), name) == ("ok", version(name))


def test_python_and_the_scanner_are_named():
    shown = run()

    assert re.fullmatch(r"3\.\d+\.\d+, cpython, linux", finding(shown, "Python")[1])
    assert finding(shown, "scanner") == ("ok", scanner().removeprefix("scanner: "))


def test_a_message_goes_there_and_back():
    assert finding(run(), "self-test") == ("ok", "a message came back as it was")


def test_a_clash_of_import_names_is_found(site):
    site.install("other", {}, files={"other-1.0.dist-info/top_level.txt": "transports\n"})

    shown = run()

    assert shown.exit_code == 1
    mark, text = finding(shown, "import names")
    assert mark == "BAD"
    assert "transports is also a package of other 1.0: pip uninstall other" in text
    assert shown.stdout.endswith("\n1 to look at.\n")


def test_a_broken_plugin_is_found_and_its_owner_named(site):
    site.install("acme", {"framing.codecs.v1": "rot = acme_rot:Rot"}, files={"acme_rot.py": "1 / 0"})

    shown = run()

    assert shown.exit_code == 1
    assert finding(shown, "codec rot") == ("BAD", "broken, from acme 1.0: ZeroDivisionError: division by zero")


def test_plugins_are_counted(site):
    before = finding(run(), "plug-ins")[1]
    site.install("acme", {"framing.codecs.v1": "rot = json:loads"})

    assert before.endswith("ready, 0 of them not built in")
    assert finding(run(), "plug-ins")[1] == f"{int(before.split()[0]) + 1} ready, 1 of them not built in"


@pytest.mark.parametrize(
    ("value", "said"),
    [(None, "not set: all are allowed"), ("", "empty: none is allowed"), ("acme,umbrella", "'acme,umbrella'")],
)
def test_the_allow_list_is_told(monkeypatch, value, said):
    monkeypatch.delenv("FRAMING_PLUGINS", raising=False)
    if value is not None:
        monkeypatch.setenv("FRAMING_PLUGINS", value)

    assert finding(run(), "FRAMING_PLUGINS") == ("ok", said)


def test_colour_is_for_terminals_and_those_who_want_it(monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[" not in run().stdout
    assert "\x1b[32mok \x1b[0m" in run(color=True).stdout

    monkeypatch.setenv("NO_COLOR", "1")

    assert "\x1b[" not in run(color=True).stdout
