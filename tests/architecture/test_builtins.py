"""Built-ins are declared three times: in pyproject.toml, in what got installed, and in the table that spares a scan."""

import tomllib
from importlib.metadata import distribution
from pathlib import Path

import pytest

from framing.entries import BUILTINS, GROUPS, builtin_entries
from framing.registry import entries, load_entry

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
TABLE = {GROUPS[kind]: names for kind, names in BUILTINS.items()}
ROWS = [row for kind in GROUPS for row in builtin_entries(kind).values()]


def test_the_table_equals_the_project_file():
    declared = {group: points for group, points in PYPROJECT["project"]["entry-points"].items() if "framing." in group}

    assert declared == TABLE


def test_the_table_equals_what_is_installed():
    installed = {group: {} for group in TABLE}
    for point in distribution("framewire").entry_points:
        if point.group.startswith("framing."):
            installed[point.group][point.name] = point.value

    assert installed == TABLE


@pytest.mark.parametrize("row", [row for row in ROWS if not row.path], ids=lambda row: f"{row.kind}-{row.name}")
def test_every_builtin_loads(row):
    assert callable(load_entry(row))


def test_every_protocol_is_a_file_of_the_checkout():
    files = {path.stem: path.resolve() for path in (ROOT / "specs/protocols").glob("*.toml")}

    assert {row.name: Path(row.path).resolve() for row in ROWS if row.path} == files


def test_no_name_means_two_kinds_within_one_shorthand():
    # `u32be/raw`: the left side is a format, the right side a codec; the same word on both sides would read as a slip.
    assert set(BUILTINS["codec"]).isdisjoint(BUILTINS["format"])


@pytest.mark.parametrize("kind", GROUPS)
def test_no_builtin_is_broken(kind):
    assert [row for row in entries(kind) if row.builtin and row.status != "ready"] == []


def test_every_package_of_the_checkout_is_packed():
    mapped = {"framing.specs": "specs"}
    packed = {
        ROOT / "/".join(mapped.get(".".join(parts[:2]), "/".join(parts[:2])).split("/") + parts[2:])
        for parts in (name.split(".") for name in PYPROJECT["tool"]["setuptools"]["packages"])
    }
    present = {path.parent for top in ("framing", "transports", "specs") for path in (ROOT / top).rglob("__init__.py")}

    assert packed == present
