"""import-linter keeps the floors; these tests keep import-linter from passing for want of something to look at."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]


def lint_imports(directory):
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"]
    # Before everything else on the path: the copy is looked at, not the installed package.
    environment = os.environ | {"PYTHONPATH": str(directory), "COLUMNS": "200"}
    return subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(tmp_path):
    for package in ("framing", "transports"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_every_module_imports_only_from_floors_below():
    result = lint_imports(ROOT)

    assert result.returncode == 0, result.stdout + result.stderr
    assert f"Contracts: {len(CONTRACTS)} kept, 0 broken." in result.stdout


@pytest.mark.parametrize(
    ("contract", "seen"),
    [("formats", {"formats", "frame", "errors", "picture", "compiled"}), ("codecs", {"codecs", "codec", "errors"})],
)
def test_what_plugins_may_not_see_is_listed_whole(contract, seen):
    by_id = {contract["id"]: contract for contract in CONTRACTS}
    floors = {name for layer in by_id["floors"]["layers"] for name in layer.split(" | ")}

    assert set(by_id[contract]["forbidden_modules"]) == {f"framing.{name}" for name in floors - seen}


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("framing/frame.py", "import framing.parser", "each floor of framing imports only those below"),
        ("framing/parser.py", "from framing import registry", "each floor of framing imports only those below"),
        ("framing/wire.py", "import framing.codecs.raw", "each floor of framing imports only those below"),
        ("framing/capture/__init__.py", "import framing.testing", "each floor of framing imports only those below"),
        (
            "framing/formats/varint.py",
            "from framing import codec",
            "frame formats see only frame, errors, picture and compiled",
        ),
        ("framing/codecs/raw.py", "from framing import frame", "codecs see only codec and errors"),
        ("framing/errors.py", "import transports.limits", "framing knows nothing of transports"),
        ("transports/limits.py", "import transports.writer", "each floor of transports imports only those below"),
    ],
)
def test_a_wrong_import_is_found(copy, module, line, contract):
    with open(copy / module, "a") as file:
        file.write(f"\n{line}\n")
    result = lint_imports(copy)

    assert result.returncode == 1, result.stdout + result.stderr
    assert f"{contract} BROKEN" in result.stdout


@pytest.mark.parametrize("package", ["framing", "transports"])
def test_a_module_without_a_floor_is_found(copy, package):
    (copy / package / "stray.py").touch()
    result = lint_imports(copy)

    assert result.returncode == 1
    assert f"{package}.stray" in result.stdout
