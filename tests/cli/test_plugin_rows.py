import sys

import pytest

from framing.cli.plugin_rows import all_rows, checked, is_trouble
from framing.entries import BUILTINS, GROUPS


def row(kind, name):
    [found] = [one for one in all_rows(kind) if one.name == name]
    return found


def test_every_kind_has_rows():
    rows = list(all_rows())

    assert {one.kind for one in rows} == set(GROUPS)
    assert {one.name for one in rows if one.kind == "codec"} == set(BUILTINS["codec"])
    assert {one.kind for one in all_rows("format")} == {"format"}


def test_listing_imports_nothing_and_checking_does(site):
    site.install("acme", {"framing.codecs.v1": "rot = acme_rot:Rot"}, files={"acme_rot.py": "1 / 0"})

    listed = row("codec", "rot")

    assert (listed.status, "acme_rot" in sys.modules) == ("ready", False)
    assert (checked(listed).status, checked(listed).problem) == ("broken", "ZeroDivisionError: division by zero")


@pytest.mark.parametrize(
    ("group", "kind", "problem"),
    [
        ("framing.codecs.v1", "codec", "its class Plain is no Codec: it must be a subclass"),
        ("framing.formats.v1", "format", "its class Plain is no FrameFormat: it must be a subclass"),
        ("framing.commands.v1", "command", "it must be a click.Command, and is <class"),
    ],
)
def test_checking_finds_what_is_none_of_its_kind(site, group, kind, problem):
    site.install("acme", {group: "rot = acme_rot:Plain"}, files={"acme_rot.py": "class Plain: pass"})

    found = checked(row(kind, "rot"))

    assert (found.status, found.usable) == ("broken", False)
    assert problem in found.problem


@pytest.mark.parametrize(("text", "status"), [("length:u8", "ready"), ("length:u9", "broken")])
def test_checking_a_definition_reads_it(site, text, status):
    site.install(
        "acme",
        {"framing.protocols.v1": "acme = acme_protocols"},
        files={"acme_protocols/mine.toml": f'name = "mine"\n[both]\nheader = "{text}"'},
    )

    assert checked(row("protocol", "mine")).status == status


def test_what_is_switched_off_is_no_trouble(site, monkeypatch):
    site.install("acme", {"framing.codecs.v1": "rot = acme_rot:Rot\nraw = acme_rot:Raw"})
    monkeypatch.setenv("FRAMING_PLUGINS", "acme")
    [shadowing] = [one for one in all_rows("codec") if one.name == "raw" and not one.builtin]
    assert is_trouble(shadowing)
    assert not is_trouble(row("codec", "rot"))

    monkeypatch.setenv("FRAMING_PLUGINS", "")

    assert not is_trouble(row("codec", "rot"))
    assert checked(row("codec", "rot")).status == "disallowed"
