"""The docstring of a package is its map: it names every module, and none that is not there."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
MAPPED = ("framing", "framing/capture", "framing/formats", "framing/formats/fields", "framing/formats/scans")


@pytest.mark.parametrize("package", MAPPED)
def test_each_module_is_on_the_map(package):
    directory = ROOT / package
    said = ast.get_docstring(ast.parse((directory / "__init__.py").read_text()))
    named = set(re.findall(r"\b(\w+\.py)\b", said or ""))
    there = {path.name for path in directory.glob("*.py")} - {"__init__.py"}

    assert there
    assert named == there
