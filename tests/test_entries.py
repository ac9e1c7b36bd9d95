import sys
from pathlib import Path

import pytest

from framing import entries
from framing.entries import GROUPS, Entry, builtin_entries, installed_entries, is_name

CODECS = GROUPS["codec"]
PROTOCOLS = GROUPS["protocol"]


def statuses(kind="codec"):
    return {(row.name, row.distribution): row.status for row in installed_entries(kind)}


def problem(name, kind="codec"):
    return next(row.problem for row in installed_entries(kind) if row.name == name)


@pytest.mark.parametrize("name", ["raw", "dns_tcp", "a-b.c", "9p", "Kafka"])
def test_names(name):
    assert is_name(name)


@pytest.mark.parametrize("name", ["", "a b", "a/b", "a(b)", "a@b", "a:b", "ä", "\x1b[31mred", "a\n"])
def test_what_is_no_name(name):
    assert not is_name(name)


def test_builtin_rows_come_from_the_table():
    assert builtin_entries("codec")["raw"] == Entry(
        "codec", "raw", "framing.codecs.raw:RawCodec", "framewire", builtin=True
    )
    assert list(builtin_entries("format")) == list(entries.BUILTINS["format"])


def test_builtin_protocols_are_the_files_of_the_package():
    rows = builtin_entries("protocol")

    assert "builtin" not in rows
    assert all(Path(row.path).stem == name and Path(row.path).is_file() for name, row in rows.items())
    assert {row.value for row in rows.values()} == {"framing.specs.protocols"}


def test_our_own_metadata_makes_no_rows_of_its_own():
    assert [row for row in installed_entries("codec") if row.distribution == "framewire"] == []


def test_a_good_plugin_is_ready_and_not_imported(site):
    site.install("acme", {CODECS: "rot = acme_rot : Rot [extra]"}, files={"acme_rot.py": "raise SystemExit"})
    site.install("zeta", {CODECS: "a9 = acme_rot:Rot.inner"})

    assert installed_entries("codec") == [
        Entry("codec", "a9", "acme_rot:Rot.inner", "zeta", "1.0"),
        Entry("codec", "rot", "acme_rot:Rot", "acme", "1.0"),
    ]
    assert "acme_rot" not in sys.modules


@pytest.mark.parametrize(
    "value",
    ["", "acme", "acme:", ":Rot", "acme:Rot()", "os.system('x'):y", "a..b:c", "a b:c", "a:b:c", "../x:y", "\x00:a"],
)
def test_an_entry_point_that_cannot_be_parsed_is_a_broken_row(site, value):
    site.install("acme", {CODECS: f"bad = {value}\ngood = acme:Rot"})

    assert statuses() == {("bad", "acme"): "broken", ("good", "acme"): "ready"}
    assert "module:attribute" in problem("bad")


def test_a_line_that_is_no_entry_point_is_a_broken_row(site):
    site.install("acme", {CODECS: "what is this\ngood = acme:Rot"})

    assert statuses() == {("what is this", "acme"): "broken", ("good", "acme"): "ready"}


def test_a_name_nobody_could_ask_for_is_a_broken_row(site):
    site.install("acme", {CODECS: "a/b = acme:Rot"})

    assert statuses() == {("a/b", "acme"): "broken"}
    assert problem("a/b").startswith("'a/b' cannot be asked for")


def test_a_distribution_without_a_name_is_a_broken_row(site):
    site.write("x-1.0.dist-info/entry_points.txt", f"[{CODECS}]\nrot = acme:Rot")

    assert statuses() == {("rot", ""): "broken"}
    assert "metadata is damaged" in problem("rot")


def test_builtin_names_are_reserved(site):
    site.install("acme", {CODECS: "msgpack = acme:Evil", GROUPS["format"]: "raw = acme:Raw"})

    assert statuses() == {("msgpack", "acme"): "shadowing"}
    assert problem("msgpack") == "'msgpack' is the name of a built-in codec"
    assert statuses("format") == {("raw", "acme"): "ready"}


def test_one_name_from_two_distributions_is_ambiguous(site):
    site.install("acme", {CODECS: "rot = acme:Rot\nalone = acme:Alone"})
    site.install("zeta", {CODECS: "rot = zeta:Rot"})

    rows = installed_entries("codec")
    assert [(row.spelling, row.status, row.usable) for row in rows] == [
        ("alone", "ready", True),
        ("rot@acme", "ambiguous", True),
        ("rot@zeta", "ambiguous", True),
    ]


def test_an_unusable_rival_makes_nothing_ambiguous(site):
    site.install("acme", {CODECS: "rot = acme:Rot"})
    site.install("broken", {CODECS: "rot = "})
    site.install("newer", {"framing.codecs.v7": "rot = newer:Rot"})

    assert statuses() == {("rot", "acme"): "ready", ("rot", "broken"): "broken", ("rot", "newer"): "unsupported"}


def test_the_same_line_twice_is_one_row(site):
    site.install("acme", {CODECS: "rot = acme:Rot\nrot = acme:Rot"})

    assert statuses() == {("rot", "acme"): "ready"}


def test_two_meanings_within_one_distribution_are_broken(site):
    site.install("acme", {CODECS: "rot = acme:Rot\nrot = acme:Other"})

    assert [row.status for row in installed_entries("codec")] == ["broken", "broken"]
    assert problem("rot") == "its distribution gives this name twice"


@pytest.mark.parametrize(
    ("allowed", "expected"),
    [
        ("", {"acme": "disallowed", "Zeta.Codec": "disallowed"}),
        (" , ", {"acme": "disallowed", "Zeta.Codec": "disallowed"}),
        ("acme", {"acme": "ready", "Zeta.Codec": "disallowed"}),
        ("other, zeta_codec ,", {"acme": "disallowed", "Zeta.Codec": "ready"}),
        ("ACME,zeta-codec", {"acme": "ready", "Zeta.Codec": "ready"}),
    ],
)
def test_the_environment_lists_who_is_allowed(site, monkeypatch, allowed, expected):
    site.install("acme", {CODECS: "rot = acme:Rot"})
    site.install("Zeta.Codec", {CODECS: "zet = zeta:Zet"})
    monkeypatch.setenv("FRAMING_PLUGINS", allowed)

    assert {row.distribution: row.status for row in installed_entries("codec")} == expected
    assert "raw" in builtin_entries("codec")


def test_an_allow_list_settles_an_ambiguity(site, monkeypatch):
    site.install("acme", {CODECS: "rot = acme:Rot"})
    site.install("zeta", {CODECS: "rot = zeta:Rot"})
    monkeypatch.setenv("FRAMING_PLUGINS", "zeta")

    assert statuses() == {("rot", "acme"): "disallowed", ("rot", "zeta"): "ready"}


@pytest.mark.parametrize("version", ["v0", "v2", "v10", "v", "v1.1", "vx"])
def test_a_group_of_another_api_version_is_unsupported(site, version):
    site.install("acme", {f"framing.codecs.{version}": "rot = acme:Rot"})

    assert statuses() == {("rot", "acme"): "unsupported"}
    assert problem("rot").endswith("accepted: v1")


def test_the_version_before_is_accepted(site, monkeypatch):
    monkeypatch.setattr(entries, "ACCEPTED_API_VERSIONS", (3, 2))
    site.install("acme", {f"framing.codecs.v{number}": f"rot{number} = acme:Rot" for number in (1, 2, 3, 4)})

    assert [row.status for row in installed_entries("codec")] == ["unsupported", "ready", "ready", "unsupported"]


def test_a_package_of_protocols_is_listed_without_importing_it(site, tmp_path):
    site.install("acme", {PROTOCOLS: "acme = acme_all.protocols\nchat = acme_all:CHAT"})
    site.write("acme_all/__init__.py", "raise SystemExit")
    for file in ("acme_two.toml", "acme_one.toml", "readme.md"):
        site.write(f"acme_all/protocols/{file}", "")

    rows = installed_entries("protocol")
    assert [(row.name, row.value, row.path and Path(row.path)) for row in rows] == [
        ("acme_one", "acme_all.protocols", tmp_path / "acme_all/protocols/acme_one.toml"),
        ("acme_two", "acme_all.protocols", tmp_path / "acme_all/protocols/acme_two.toml"),
        ("chat", "acme_all:CHAT", None),
    ]
    assert "acme_all" not in sys.modules


def test_a_protocol_file_cannot_take_a_builtin_name(site):
    name = next(iter(builtin_entries("protocol")))
    site.install("acme", {PROTOCOLS: "acme = acme_files"}, files={f"acme_files/{name}.toml": ""})

    assert statuses("protocol") == {(name, "acme"): "shadowing"}


def test_one_protocol_file_name_in_two_distributions_is_ambiguous(site):
    site.install("acme", {PROTOCOLS: "acme = acme_files"}, files={"acme_files/chat.toml": ""})
    site.install("zeta", {PROTOCOLS: "zeta = zeta_files"}, files={"zeta_files/chat.toml": ""})

    assert [row.spelling for row in installed_entries("protocol")] == ["chat@acme", "chat@zeta"]


@pytest.mark.parametrize("files", [{}, {"acme_files/readme.md": ""}, {"acme_files.py": ""}])
def test_a_package_without_definitions_is_broken(site, files):
    site.install("acme", {PROTOCOLS: "acme = acme_files"}, files=files)

    assert statuses("protocol") == {("acme", "acme"): "broken"}
    assert problem("acme", "protocol") == "there is no package acme_files with *.toml files"


def test_an_import_hook_that_raises_breaks_only_who_needs_it(site, monkeypatch):
    class Hook:
        @staticmethod
        def find_spec(name, path=None, target=None):
            if name == "hooked":
                raise RuntimeError("a hook of somebody's")

    monkeypatch.setattr(sys, "meta_path", [Hook, *sys.meta_path])
    site.install("acme", {PROTOCOLS: "acme = hooked\ngood = acme:GOOD"})

    assert statuses("protocol") == {("acme", "acme"): "broken", ("good", "acme"): "ready"}
    assert "a hook of somebody's" in problem("acme", "protocol")


def test_many_lines_take_no_quadratic_time(site):
    count = 20_000
    site.install("acme", {CODECS: "\n".join(f"n{number} = m:A" for number in range(count))})

    assert len(installed_entries("codec")) == count
