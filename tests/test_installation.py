import sys
from importlib.metadata import version

import pytest

from framing.installation import DISTRIBUTION, Claim, Offer, foreign_claims, normalized, offers, package_directories

GROUP = "framing.codecs.v1"


def foreign_offers():
    return [offer for offer in offers("framing.") if offer.distribution != DISTRIBUTION]


@pytest.mark.parametrize(
    "spelling", ["acme-framing", "Acme_Framing", "ACME.framing", " acme--framing ", "acme-._framing"]
)
def test_names_are_compared_as_package_indexes_do(spelling):
    assert normalized(spelling) == "acme-framing"


def test_offers_are_the_lines_of_the_wanted_groups(site):
    lines = "a = m:A\n\n# b = m:B\n; c = m:C\n  d= n : D [x]"
    site.install("acme", {"console_scripts": "x = m:X", GROUP: lines, "other": "e = m:E"}, version="2.5")

    assert foreign_offers() == [Offer(GROUP, "a", "m:A", "acme", "2.5"), Offer(GROUP, "d", "n : D [x]", "acme", "2.5")]


def test_our_own_entry_points_are_offers_too():
    ours = [offer for offer in offers(GROUP) if offer.distribution == DISTRIBUTION]

    assert Offer(GROUP, "raw", "framing.codecs.raw:RawCodec", DISTRIBUTION, version(DISTRIBUTION)) in ours


def test_a_line_without_a_value_is_an_offer_without_a_value(site):
    site.install("acme", {GROUP: "what is this\na = m:A"})

    assert [(offer.name, offer.value) for offer in foreign_offers()] == [("what is this", ""), ("a", "m:A")]


def test_damaged_metadata_hides_nobody_else(site):
    site.write("nameless-1.0.dist-info/entry_points.txt", f"[{GROUP}]\nn = m:N")
    site.write("binary-1.0.dist-info/METADATA", "Name: binary\n\n")
    site.write("binary-1.0.dist-info/entry_points.txt", b"[framing.codecs.v1]\nx = \xff\xfe:X")
    site.write("latin-1.0.dist-info/METADATA", b"Name: lat\xefn\n\n")
    site.write("latin-1.0.dist-info/entry_points.txt", f"[{GROUP}]\nl = m:L")
    site.install("whole", {GROUP: "w = m:W"})

    assert sorted((offer.distribution, offer.name) for offer in foreign_offers()) == [
        ("", "l"),
        ("", "n"),
        ("whole", "w"),
    ]


def test_a_distribution_found_twice_counts_once_as_first_on_the_path(site, tmp_path, monkeypatch):
    site.install("Acme_Codec", {GROUP: "a = m:Old"}, version="1.0", files={"unused.py": ""})
    monkeypatch.syspath_prepend(tmp_path / "checkout")
    type(site)(tmp_path / "checkout").install("acme-codec", {GROUP: "a = m:New"}, version="2.0")

    assert foreign_offers() == [Offer(GROUP, "a", "m:New", "acme-codec", "2.0")]


def test_claims_name_who_else_installs_our_packages(site):
    site.write("setuptools_made-1.0.dist-info/METADATA", "Name: setuptools-made\nVersion: 1.0\n\n")
    site.write("setuptools_made-1.0.dist-info/top_level.txt", "framing\nsomething\n")
    site.write("other_tool-2.0.dist-info/METADATA", "Name: other-tool\nVersion: 2.0\n\n")
    site.write("other_tool-2.0.dist-info/RECORD", "transports/__init__.py,sha256=x,1\nframing.py,sha256=x,1\n")
    site.write("near_miss-1.0.dist-info/METADATA", "Name: near-miss\nVersion: 1.0\n\n")
    site.write("near_miss-1.0.dist-info/RECORD", "framings/framing.py,,\nlib/framing/x.py,,\n")

    assert foreign_claims() == [
        Claim("framing", "other-tool", "2.0"),
        Claim("framing", "setuptools-made", "1.0"),
        Claim("transports", "other-tool", "2.0"),
    ]


def test_a_clean_installation_has_no_claims_and_ours_is_none():
    assert foreign_claims() == []


def test_claims_can_be_asked_for_other_packages():
    assert [(claim.package, claim.distribution) for claim in foreign_claims(["trio"])] == [("trio", "trio")]


@pytest.mark.parametrize("package", ["explosive", "explosive.inner", "explosive.inner.data"])
def test_a_package_is_found_without_importing_it_or_its_parents(site, tmp_path, package):
    site.write("explosive/__init__.py", "raise SystemExit('imported')")
    site.write("explosive/inner/__init__.py", "raise SystemExit('imported')")
    site.write("explosive/inner/data/x.toml", "")  # a namespace package: no __init__.py

    assert package_directories(package) == [str(tmp_path.joinpath(*package.split(".")))]
    assert "explosive" not in sys.modules


def test_our_own_protocols_are_found_wherever_the_packaging_put_them():
    assert [directory.endswith("protocols") for directory in package_directories("framing.specs.protocols")] == [True]


@pytest.mark.parametrize(
    "package", ["no_such_package", "framing.no_such_package", "no_such.package", "framing.errors", "os"]
)
def test_what_is_no_package_has_no_directory(package):
    assert package_directories(package) == []
