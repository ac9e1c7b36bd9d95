"""What the README shows is what happens."""

import doctest
import re
import subprocess
import sys
from pathlib import Path

from framing.entries import BUILTINS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def block(mark: str) -> str:
    found = re.search(rf"<!-- {mark} -->\n```\w+\n(.*?)```", README, re.DOTALL)
    assert found, f"the README has no block marked {mark}"
    return found[1]


def test_the_echo_server_and_client_run_as_they_stand_in_20_lines():
    source = block("example: echo")
    assert len([line for line in source.splitlines() if line.strip()]) <= 20
    shown = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, timeout=60, check=False)
    assert (shown.returncode, shown.stdout, shown.stderr) == (0, "{'hello': ['world', 42]}\n", "")


def test_the_python_examples_are_true():
    results = doctest.testfile(str(ROOT / "README.md"), module_relative=False)
    assert results.attempted >= 6
    assert results.failed == 0


def test_set_up_is_one_command_each_for_the_main_job_and_the_tests():
    for mark in ("ci: main", "ci: test"):
        assert len(block(mark).splitlines()) == 1


def test_every_command_shown_exists():
    shown = set(re.findall(r"^(?:\S.*\| )?framing ([a-z]+)", README, re.MULTILINE))
    assert {"streams", "decode"} <= shown <= set(BUILTINS["command"])


def test_every_protocol_named_is_there():
    listed = re.search(r"come along, among them (.*?)\.\s", README, re.DOTALL)
    assert listed
    names = set(re.findall(r"`(\w+)`", listed[1]))
    assert len(names) > 5
    assert names <= {path.stem for path in (ROOT / "specs" / "protocols").glob("*.toml")}


def test_files_the_readme_points_at_exist():
    for path in re.findall(r"`((?:framing|specs|tests|transports)/[\w./]*)`", README):
        assert (ROOT / path).exists(), path
