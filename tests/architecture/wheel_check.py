"""Run by an interpreter that has the wheel and not the checkout: is everything there that the project is?"""

import os
import sys
from importlib import metadata, resources
from pathlib import Path

import framing
import transports
from framing.entries import BUILTINS
from framing.registry import entries, load, probe

CHECKOUT = Path(__file__).parents[2]


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
    vectors = {path.name for path in resources.files("framing.specs.vectors").iterdir() if path.name.endswith("json")}
    assert vectors == {path.name for path in (CHECKOUT / "specs" / "vectors").glob("*.json")}, "vectors are missing"
    files = metadata.files("framewire") or []
    assert {"LICENSE"} <= {path.name for path in files}
    assert not [path for path in files if path.parts[0] == "tests"], "tests have got into the wheel"
    print(f"the wheel is whole: {len(files)} files, {len(sources)} protocols, {len(vectors)} files of vectors")


if __name__ == "__main__":
    os.chdir(os.path.dirname(sys.executable))
    check()
