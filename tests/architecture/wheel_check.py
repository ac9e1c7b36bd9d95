"""Run by an interpreter that has the wheel and not the checkout: is everything there that the project is?"""

import os
import sys
from importlib import metadata, resources
from importlib.resources.abc import Traversable
from pathlib import Path

import framing
import transports
from framing.cli.versions import scanner
from framing.entries import BUILTINS
from framing.registry import entries, load, probe

CHECKOUT = Path(__file__).parents[2]


def names_of_vectors(directory: Traversable) -> set[str]:
    files = [*directory.iterdir(), *(directory / "protocols").iterdir()]
    return {path.name for path in files if path.name.endswith("json")}


def check() -> None:
    for module in (framing, transports):
        home = Path(str(module.__file__))
        assert CHECKOUT not in home.parents, f"{module.__name__} comes from the checkout, not from the wheel"
        assert home.with_name("py.typed").exists(), f"{module.__name__} has lost its types"
    for kind in ("codec", "format", "command", "scheme"):
        for name in BUILTINS[kind]:
            load(kind, name)
    rows = entries("protocol")
    sources = {path.stem for path in (CHECKOUT / "specs" / "protocols").glob("*.toml")}
    assert sources, "there are no protocols to compare with"
    assert {row.name for row in rows if row.builtin} == sources, "protocols are missing from the wheel"
    for row in rows:
        assert probe(row).usable
        framing.get_protocol(row.name)
    for kind in ("md", "json"):
        there = {path.name for path in resources.files("framing.specs").iterdir() if path.name.endswith(kind)}
        assert there == {path.name for path in (CHECKOUT / "specs").glob(f"*.{kind}")}, f"*.{kind} of specs are missing"
    vectors = names_of_vectors(resources.files("framing.specs.vectors"))
    assert vectors == names_of_vectors(CHECKOUT / "specs" / "vectors"), "vectors are missing"
    files = metadata.files("framewire") or []
    assert {"LICENSE"} <= {path.name for path in files}
    assert not [path for path in files if path.parts[0] == "tests"], "tests have got into the wheel"
    counts = f"{len(files)} files, {len(sources)} protocols, {len(vectors)} files of vectors"
    print(f"the wheel is whole: {counts}; {scanner()}")


if __name__ == "__main__":
    os.chdir(os.path.dirname(sys.executable))
    check()
