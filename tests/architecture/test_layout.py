"""Sizes, names and the mirror of the tests."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted(path.relative_to(ROOT) for top in ("framing", "transports") for path in (ROOT / top).rglob("*.py"))
# A package's __init__ with code in it is tested by test_<package>.
WITH_CODE = [path for path in MODULES if path.name != "__init__.py"]

# The guide is 50 to 250 lines; past this a module wants to be two.
MODULE_LINES = 300
# Nine functions in ten are within 25 lines, docstring not counted.
FUNCTION_LINES, FUNCTION_SHARE = 25, 0.9


def functions(path):
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
            yield node.name, body[-1].end_lineno - body[0].lineno + 1 if body else 0


def test_there_is_something_to_look_at():
    assert Path("framing/registry.py") in MODULES
    assert dict(functions("framing/registry.py"))["names"] == 1


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_no_module_is_too_long(path):
    assert len((ROOT / path).read_text().splitlines()) <= MODULE_LINES


def test_nine_functions_in_ten_are_short():
    sizes = {f"{path}:{name}": size for path in MODULES for name, size in functions(path)}
    long = {name: size for name, size in sizes.items() if size > FUNCTION_LINES}

    assert len(long) <= len(sizes) * (1 - FUNCTION_SHARE), long


@pytest.mark.parametrize("path", WITH_CODE, ids=str)
def test_every_module_has_a_test_file_of_its_own(path):
    inner = path.parent.relative_to("framing") if path.parts[0] == "framing" else path.parent

    assert (ROOT / "tests" / inner / f"test_{path.stem}.py").is_file()


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_every_module_says_what_it_is_for(path):
    assert ast.get_docstring(ast.parse((ROOT / path).read_text()))


def test_no_file_is_named_for_nothing():
    meaningless = {"utils", "util", "helpers", "helper", "base", "common", "manager", "misc"}

    assert [path for path in MODULES if path.stem in meaningless] == []


def test_the_tests_are_no_package():
    assert list((ROOT / "tests").rglob("__init__.py")) == []
