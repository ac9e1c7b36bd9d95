"""Groups that give nothing back, in every Python that is supported."""

import re
from pathlib import Path

import pytest

from framing.formats.scans import atomic
from framing.formats.scans.atomic import optional, repeated

ROOT = Path(__file__).parents[3]


@pytest.fixture(params=[False, True], ids=["atomic", "possessive"], autouse=True)
def both_ways(request, monkeypatch):
    if request.param and not atomic._POSSESSIVE:
        pytest.skip("they match wrongly in this Python")
    monkeypatch.setattr(atomic, "_POSSESSIVE", request.param)


def test_as_many_as_there_are():
    match = re.compile(repeated(b"(?:(?!c)[a-c])") + b"(.*)").match
    assert [match(text)[1] for text in (b"abca", b"", b"ca", b"abx")] == [b"ca", b"", b"ca", b"x"]
    assert re.fullmatch(repeated(b"(?:ab|a)") + b"b", b"aab") is None


def test_one_if_it_is_there():
    pattern = optional(b"(?>a(b)|c(d))") + b"(.*)"
    assert re.match(pattern, b"abx").groups() == (b"b", None, b"x")
    assert re.match(pattern, b"cdx").groups() == (None, b"d", b"x")
    assert re.match(pattern, b"acd").groups() == (None, None, b"acd")
    assert re.fullmatch(optional(b"(?:a)") + b"a", b"a") is None


def test_no_other_module_writes_possessive_groups():
    found = {path.name for path in (ROOT / "framing").rglob("*.py") if re.search(r"\)[*+?]\+", path.read_text())}
    assert found == {"atomic.py"}
