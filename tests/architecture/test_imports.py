"""No sockets, no clock, no threads, no trio in framing; and nothing heavy behind `import framing`."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "framing").rglob("*.py"))

FORBIDDEN = {
    *("trio", "anyio", "asyncio", "socket", "socketserver", "ssl", "select", "selectors"),
    *("threading", "multiprocessing", "concurrent", "subprocess", "signal"),
    *("time", "sched", "random", "secrets", "tempfile", "logging"),
}
# Files, progress and processes live here alone.
EXCEPTIONS = {"framing/cli/": {"time", "signal", "subprocess"}, "framing/capture/files.py": {"time"}}

HEAVY = ["trio", "socket", "click", "msgpack", "construct", "importlib.metadata", "dataclasses", "asyncio"]
SPINE = ["errors", "frame", "parser", "codec", "registry", "entries", "installation", "wire", "protocol"]


def imported(source):
    """Yield the top-level name of every import, also those inside functions and `if TYPE_CHECKING`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield (node.module or "").partition(".")[0]


def allowed_in(module):
    return set().union(*(names for place, names in EXCEPTIONS.items() if module.startswith(place)))


@pytest.mark.parametrize("module", MODULES)
def test_framing_has_no_clock_and_no_socket(module):
    found = FORBIDDEN.intersection(imported((ROOT / module).read_text()))

    assert found <= allowed_in(module)


def test_no_exception_is_for_a_module_that_is_gone():
    assert [place for place in EXCEPTIONS if not any(module.startswith(place) for module in MODULES)] == []


def test_imports_are_found_wherever_they_stand():
    source = "def f():\n  import time as t\nif TYPE_CHECKING:\n  from trio.abc import Stream\nfrom . import socket"

    assert sorted(imported(source)) == ["time", "trio"]


def loaded_by(statement):
    program = f"import sys; bare = set(sys.modules); {statement}; print(*sorted(set(sys.modules) - bare))"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(result.stdout.split())


def test_import_framing_loads_nothing_heavy():
    assert loaded_by("import framing").intersection(HEAVY) == set()


@pytest.mark.parametrize("module", SPINE)
def test_the_spine_loads_nothing_heavy(module):
    loaded = loaded_by(f"import framing.{module}")

    assert f"framing.{module}" in loaded
    assert loaded.intersection([*HEAVY, "re", "inspect"]) == set()


def test_reading_a_capture_takes_no_trio():
    assert loaded_by("import framing.capture").intersection({"trio", "socket", "click"}) == set()


def test_what_is_loaded_is_told():
    assert {"socket", "framing"} <= loaded_by("import framing, socket")
