"""The wheel, built from a copy and installed away from the checkout, has everything."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def pip(*arguments):
    subprocess.run([sys.executable, "-m", "pip", "-q", *map(str, arguments)], check=True, timeout=300)


def test_the_wheel_has_protocols_codecs_types_and_the_command(tmp_path):
    copy, site = tmp_path / "copy", tmp_path / "site"
    copy.mkdir()
    for name in ("framing", "transports", "specs"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    pip("wheel", "--no-build-isolation", "--no-deps", "--no-index", "--wheel-dir", tmp_path, copy)
    (wheel,) = tmp_path.glob("*.whl")
    pip("install", "--no-deps", "--no-index", "--target", site, wheel)
    # The libraries come from this environment; what is looked up first is the wheel's.
    environment = os.environ | {"PYTHONPATH": str(site)}
    script = ROOT / "tests" / "architecture" / "wheel_check.py"
    checked = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert checked.stdout.startswith("the wheel is whole")
    shown = subprocess.run(
        [sys.executable, site / "bin" / "framing", "protocols"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "postgresql" in shown.stdout
