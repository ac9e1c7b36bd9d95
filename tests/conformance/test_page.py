"""`specs/definitions.md`, from an RFC to a tested file: what stands there in blocks is what happens."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SPECS = Path(__file__).parents[2] / "specs"
PAGE = (SPECS / "definitions.md").read_text(encoding="utf-8")
QUERY = next(line for line in PAGE.splitlines() if line.startswith('{"$message"'))


def blocks(language):
    found = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    assert found
    return found


def commands():
    """Yield each command of the page and what it shows there."""
    for block in blocks("console"):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, shown = part.partition("\n")
            yield command, shown


def test_the_definition_of_the_page_is_the_one_that_is_shipped():
    assert blocks("toml") == [(SPECS / "protocols/isns.toml").read_text(encoding="utf-8")]


def test_the_vector_of_the_page_is_one_of_those_that_are_run():
    own = json.loads((SPECS / "vectors/protocols/isns.json").read_text(encoding="utf-8"))["vectors"]
    for block in blocks("json"):
        assert json.loads(block) in own


@pytest.mark.skipif(sys.platform == "win32", reason="the page's commands are a POSIX shell's")
def test_each_command_of_the_page_shows_what_stands_there(tmp_path):
    (tmp_path / "isns.toml").write_text(blocks("toml")[0], encoding="utf-8")
    (tmp_path / "query.jsonl").write_text(f"{QUERY}\n", encoding="utf-8")
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    environment = os.environ | {"PATH": path, "PYTHONIOENCODING": "utf-8"}
    run = list(commands())
    assert len(run) == 9
    for command, shown in run:
        result = subprocess.run(
            ["sh", "-c", f"{command} 2>&1"], cwd=tmp_path, env=environment, capture_output=True, check=False, timeout=60
        )
        assert result.stdout.decode() == shown, command


def test_the_page_names_clauses_and_files_that_exist():
    frame = (SPECS / "frame.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\[(F\d+)\]", PAGE))
    assert len(named) >= 10
    assert [name for name in named if f"**[{name}]" not in frame] == []
    for file in re.findall(r"`((?:tests|protocols)/[\w/.]+\.\w+)`", PAGE.replace("NAME", "isns")):
        assert (SPECS / file if file.startswith("protocols/") else SPECS.parent / file).exists(), file
