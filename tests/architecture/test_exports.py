"""What a module exports is listed, is there, and is all that anybody else uses of it."""

import ast
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PATHS = sorted(path.relative_to(ROOT) for top in ("framing", "transports") for path in (ROOT / top).rglob("*.py"))
NAMES = {".".join(path.with_suffix("").parts).removesuffix(".__init__"): path for path in PATHS}


def definitions(tree):
    """Yield the public names that a module defines itself: functions, classes, constants."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id


def uses(path):
    """Yield (module, name) for each `from framing.x import name` or `from transports.x import name`."""
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in ("framing", "transports"):
            yield from ((node.module, alias.name) for alias in node.names)


@pytest.mark.parametrize("name", NAMES)
def test_exports_are_listed_once_and_are_there(name):
    module = importlib.import_module(name)
    listed = list(getattr(module, "__all__", []))

    assert len(listed) == len(set(listed))
    assert [export for export in listed if not hasattr(module, export)] == []


@pytest.mark.parametrize("name", [name for name, path in NAMES.items() if path.name != "__init__.py"])
def test_every_module_lists_its_exports(name):
    tree = ast.parse((ROOT / NAMES[name]).read_text())

    assert "__all__" in definitions(tree)


@pytest.mark.parametrize("path", PATHS, ids=str)
def test_only_exports_are_used_elsewhere(path):
    wrong = [
        f"{module}:{name}"
        for module, name in uses(path)
        if f"{module}.{name}" not in NAMES and name not in importlib.import_module(module).__all__
    ]

    assert wrong == []


@pytest.mark.parametrize("path", [path for path in PATHS if path.parts[0] == "transports"], ids=str)
def test_transports_come_in_by_the_front_doors_of_framing(path):
    doors = {"framing", "framing.capture", "framing.registry", "framing.testing"}
    assert {module for module, _ in uses(path) if module.startswith("framing")} <= doors


def test_the_map_of_the_package_is_what_its_modules_export():
    import framing

    homes = framing._EXPORTS

    assert set(framing.__all__) == set(homes)
    assert [
        name for name, home in homes.items() if name not in importlib.import_module(f"framing.{home}").__all__
    ] == []
    assert set(framing.__all__) <= set(dir(framing))
