"""Sizes, names and the mirror of the tests."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted(path.relative_to(ROOT) for top in ("framing", "transports") for path in (ROOT / top).rglob("*.py"))
# A package's __init__ with code in it is tested by test_<package>.
WITH_CODE = [path for path in MODULES if path.name != "__init__.py"]

# A part of one codec has no use but through that codec, whose tests are then its own.
COVERED_ELSEWHERE = {
    "framing/codecs/construct_": "tests/codecs/test_construct.py",
    "framing/codecs/msgpack_errors.py": "tests/codecs/test_msgpack.py",
}

# The guide is 50 to 250 lines in all; this is the wall behind it. Docstrings, comments and blank lines are not counted:
# nobody shall save on those.
MODULE_LINES = 300
# Nine functions in ten are within 25 lines, docstring not counted.
FUNCTION_LINES, FUNCTION_SHARE = 25, 0.9


DEFINITIONS = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def code_size(path):
    """Count the lines that are code."""
    text = (ROOT / path).read_text()
    code = {number for number, line in enumerate(text.splitlines(), 1) if line.strip() and line.strip()[0] != "#"}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | DEFINITIONS) and ast.get_docstring(node, clean=False) is not None:
            code -= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return len(code)


def functions(path):
    """Yield the name of each function and its size without the docstring."""
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
            yield node.name, body[-1].end_lineno - body[0].lineno + 1 if body else 0


def test_there_is_something_to_look_at():
    assert Path("framing/registry.py") in MODULES
    assert dict(functions("framing/registry.py"))["names"] == 1
    assert 0 < code_size("framing/registry.py") < len((ROOT / "framing/registry.py").read_text().splitlines())


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_no_module_is_too_long(path):
    assert code_size(path) <= MODULE_LINES


def test_nine_functions_in_ten_are_short():
    sizes = {f"{path}:{name}": size for path in MODULES for name, size in functions(path)}
    long = {name: size for name, size in sizes.items() if size > FUNCTION_LINES}

    assert len(long) <= len(sizes) * (1 - FUNCTION_SHARE), long


@pytest.mark.parametrize("path", WITH_CODE, ids=str)
def test_every_module_has_a_test_file_of_its_own(path):
    inner = path.parent.relative_to("framing") if path.parts[0] == "framing" else path.parent
    elsewhere = [test for start, test in COVERED_ELSEWHERE.items() if path.as_posix().startswith(start)]

    assert (ROOT / (elsewhere[0] if elsewhere else f"tests/{inner.as_posix()}/test_{path.stem}.py")).is_file()


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_every_module_says_what_it_is_for(path):
    assert ast.get_docstring(ast.parse((ROOT / path).read_text()))


def test_no_file_is_named_for_nothing():
    meaningless = {"utils", "util", "helpers", "helper", "base", "common", "manager", "misc"}

    assert [path for path in MODULES if path.stem in meaningless] == []


def test_the_tests_are_no_package():
    assert list((ROOT / "tests").rglob("__init__.py")) == []
