import json
import os
import shutil
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from framing.cli import main
from framing.cli.versions import installed_version

EXAMPLE = Path(__file__).parents[1] / "plugin_example"


def run(*arguments):
    return CliRunner().invoke(main, ["plugin", "list", *arguments])


@pytest.fixture
def example(site):
    """The example plug-in, laid out as pip does it."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    groups = {
        group: "\n".join(f"{name} = {value}" for name, value in points.items())
        for group, points in project["entry-points"].items()
    }
    site.install(project["name"], groups, version=project["version"])
    shutil.copy(EXAMPLE / "acme_framing.py", site.directory)
    shutil.copytree(EXAMPLE / "acme_protocols", site.directory / "acme_protocols")
    return site


def rows(*arguments):
    return [json.loads(line) for line in run("--format", "jsonl", *arguments).stdout.splitlines()]


def test_the_example_is_listed_with_its_owner(example):
    found = {(row["kind"], row["name"]): row for row in rows() if row["distribution"] == "acme-framing"}

    assert set(found) == {
        ("codec", "rot13"),
        ("format", "hexlength"),
        ("protocol", "acme_chat"),
        ("command", "acme-hello"),
    }
    assert found["codec", "rot13"] == {
        "kind": "codec",
        "name": "rot13",
        "distribution": "acme-framing",
        "version": "1.2.3",
        "status": "ready",
        "problem": None,
        "entry_point": "acme_framing:Rot13Codec",
        "path": None,
    }
    assert found["protocol", "acme_chat"]["path"] == os.path.join(example.directory, "acme_protocols", "acme_chat.toml")


def test_the_table_says_the_same(example):
    lines = [line.split() for line in run().stdout.splitlines()]

    assert lines[0] == ["KIND", "NAME", "DISTRIBUTION", "VERSION", "STATUS", "PROBLEM"]
    assert ["codec", "rot13", "acme-framing", "1.2.3", "ready", "-"] in lines
    assert ["codec", "raw", "framewire", installed_version("framewire"), "ready", "-"] in lines


def test_the_example_passes_a_check(example):
    checked = [row for row in rows("--check") if row["distribution"] == "acme-framing"]

    assert [row["status"] for row in checked] == ["ready"] * 4


def test_every_built_in_passes_a_check():
    checked = run("--check")

    assert checked.exit_code == 0, checked.stdout


def test_only_one_kind(example):
    assert {row["kind"] for row in rows("--kind", "format")} == {"format"}


def test_a_broken_one_is_a_row_and_an_exit_code_only_where_it_is_checked(site):
    site.install("acme", {"framing.codecs.v1": "rot = acme_rot:Rot"}, files={"acme_rot.py": "1 / 0"})

    assert run("--kind", "codec").exit_code == 0
    checked = run("--kind", "codec", "--check")
    assert checked.exit_code == 5
    assert "broken  ZeroDivisionError: division by zero" in checked.stdout
    assert "raw " in checked.stdout


def test_one_that_is_switched_off_breaks_no_check(site, monkeypatch):
    site.install("acme", {"framing.codecs.v1": "rot = acme_rot:Rot"}, files={"acme_rot.py": "1 / 0"})
    monkeypatch.setenv("FRAMING_PLUGINS", "")

    checked = run("--kind", "codec", "--check")

    assert checked.exit_code == 0
    assert "disallowed  FRAMING_PLUGINS does not list acme" in checked.stdout


def test_two_with_one_name_are_listed_as_they_are_asked_for(site):
    for owner in ("acme", "umbrella"):
        site.install(owner, {"framing.codecs.v1": f"rot = {owner}_rot:Rot"})

    names = [row["name"] for row in rows("--kind", "codec") if row["status"] == "ambiguous"]

    assert names == ["rot@acme", "rot@umbrella"]
