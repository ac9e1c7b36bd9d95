"""specs/capture.md, the code and the tests name the same clauses."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def clauses(text):
    return set(re.findall(r"\[P\d+\]", text))


def test_every_clause_has_a_test_and_no_other_is_named():
    spec = (ROOT / "specs/capture.md").read_text(encoding="utf-8")
    defined = set(re.findall(r"^\*\*(\[P\d+\])", spec, re.MULTILINE))
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests/capture").glob("test_*.py"))
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "framing/capture").glob("*.py"))
    assert len(defined) == 28
    assert clauses(spec) == defined
    assert clauses(code) <= defined
    assert clauses(tests) == defined
