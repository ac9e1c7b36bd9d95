"""The wheel, built from a copy and installed away from the checkout, has everything."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from framing.compiled import TWINS, twins

ROOT = Path(__file__).parents[2]


def pip(*arguments):
    subprocess.run([sys.executable, "-m", "pip", "-q", *map(str, arguments)], check=True, timeout=300)


@pytest.fixture
def copy(tmp_path):
    """The project without what was built in it."""
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("framing", "transports", "specs"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "*.so", "*.pyd"))
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    return copy


def built(copy, directory):
    pip("wheel", "--no-build-isolation", "--no-deps", "--no-index", "--wheel-dir", directory, copy)
    (wheel,) = directory.glob("*.whl")
    return wheel


def test_the_wheel_has_protocols_codecs_types_and_the_command(tmp_path, copy):
    site = tmp_path / "site"
    wheel = built(copy, tmp_path)
    pip("install", "--no-deps", "--no-index", "--target", site, wheel)
    # The libraries come from this environment; what is looked up first is the wheel's.
    environment = os.environ | {"PYTHONPATH": str(site)}
    script = ROOT / "tests" / "architecture" / "wheel_check.py"
    checked = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert checked.stdout.startswith("the wheel is whole")
    # One wheel for this and all later versions of CPython, or, where nothing can be compiled, one for every Python.
    has_twins = "abi3" in wheel.name
    assert ("compiled C" in checked.stdout) == has_twins
    assert wheel.name.endswith("-py3-none-any.whl") != has_twins
    assert has_twins == bool(twins().modules)
    shown = subprocess.run(
        [sys.executable, site / "bin" / "framing", "protocols"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "postgresql" in shown.stdout


def test_without_a_compiler_the_wheel_is_for_every_machine(tmp_path, copy, monkeypatch):
    monkeypatch.setenv("CC", str(tmp_path / "no-compiler"))
    wheel = built(copy, tmp_path)
    assert wheel.name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert "framing/compiled.py" in names
    assert not [name for name in names if name.endswith((".so", ".pyd", ".c"))]


def test_an_editable_installation_needs_no_compiler(tmp_path, copy, monkeypatch):
    monkeypatch.setenv("CC", str(tmp_path / "no-compiler"))
    pip("install", "--no-build-isolation", "--no-deps", "--no-index", "--target", tmp_path / "site", "-e", copy)
    program = "from framing.compiled import twins; print(twins().reason)"
    shown = subprocess.run([sys.executable, "-c", program], cwd=copy, capture_output=True, text=True, check=True)
    assert shown.stdout == "it was built without a C compiler or Python's header files\n"


def test_the_twins_are_those_that_setup_builds():
    text = (ROOT / "setup.py").read_text()
    assert all(f'"{name}": "{name.replace(".", "/")}.c"' in text for name in TWINS)
