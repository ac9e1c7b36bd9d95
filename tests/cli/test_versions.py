import sys
from importlib.metadata import version

from framing.cli.versions import installed_version, scanner, version_line
from framing.compiled import twins


def test_a_version_is_the_installed_one(site):
    site.install("acme", {}, version="7.8")

    assert installed_version("acme") == "7.8"
    assert installed_version("framewire") == version("framewire")
    assert installed_version("acme-of-tomorrow") is None


def test_the_line_names_both():
    python = ".".join(map(str, sys.version_info[:3]))

    assert version_line() == f"framewire {version('framewire')}, Python {python}"


def test_the_scanner_is_the_one_there_is(monkeypatch):
    assert ("compiled C" in scanner()) == bool(twins().modules)
    monkeypatch.setenv("FRAMING_PURE", "1")
    assert scanner() == "scanner: pure Python (FRAMING_PURE is set)"
