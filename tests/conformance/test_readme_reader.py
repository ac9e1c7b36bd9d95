"""The reader in the README of the specifications: short, and it runs the vectors and tells good from bad."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SPECS = Path(__file__).parents[2] / "specs"
KINDS = {"parse", "serialize", "refused"}


@pytest.fixture
def reader(tmp_path):
    (text,) = re.findall(r"```python\n(.*?)```", (SPECS / "README.md").read_text("utf-8"), re.DOTALL)
    assert len(text.splitlines()) <= 60
    path = tmp_path / "reader.py"
    path.write_text(text, "utf-8")
    return path


def run(reader, folder):
    command = [sys.executable, "-W", "error", reader, folder]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=SPECS.parent, timeout=300)
    assert not done.stderr
    return done.returncode, done.stdout


def test_it_runs_the_vectors(reader):
    files = [json.loads(path.read_text("utf-8")) for path in (SPECS / "vectors").glob("frame_*.json")]
    vectors = [vector for file in files for vector in file.get("vectors", [])]
    chosen = [vector for vector in vectors if KINDS & vector.keys()]
    others = len(vectors) - len(chosen)
    assert run(reader, SPECS / "vectors") == (0, f"good: {len(chosen)}, of other kinds: {others}, bad: 0\n")


@pytest.mark.parametrize(
    ("found", "instead"),
    [
        ('"payload": "6869"', '"payload": "6868"'),
        ('"length": 2, "long": null', '"length": 3, "long": null'),
        ('"wire": "026869"', '"wire": "02686900"'),
        ('"offset": 2, "frame_number": 0, "field": "medium"', '"offset": 1, "frame_number": 0, "field": "medium"'),
        ('"field": "medium", "frame_size": 65540', '"field": "medium", "frame_size": 65541'),
        ('"error": {"class": "EncodeError", "path": "opcode"}', '"error": null'),
        ('"position": 15}', '"position": 14}'),
        ('"pending_size": 15', '"pending_size": 14'),
    ],
)
def test_it_finds_an_expectation_that_is_wrong(reader, tmp_path, found, instead):
    text = (SPECS / "vectors/frame_conditional.json").read_text("utf-8")
    assert found in text
    folder = tmp_path / "vectors"
    folder.mkdir()
    (folder / "frame_conditional.json").write_text(text.replace(found, instead, 1), "utf-8")
    code, said = run(reader, folder)
    assert code == 1
    assert "bad: 1 " in said


def test_it_fails_where_there_are_none(reader, tmp_path):
    folder = tmp_path / "vectors"
    folder.mkdir()
    shutil.copy(SPECS / "vectors/frame_manifest.json", folder)
    code, said = run(reader, folder)
    assert (code, said) == (1, "good: 0, of other kinds: 0, bad: 0\n")
