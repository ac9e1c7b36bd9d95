"""What the errors of frame formats say: each way to be malformed has its own text, with what was expected and found.

The streams are those of the vectors; the texts stand in `error_texts.txt`, one a line: format, colon, text.
"""

import json
from pathlib import Path

import pytest

from framing import ChecksumError, FrameError, FrameParser, HeaderError, get_format

SPECS = Path(__file__).parents[2] / "specs"
TEXTS = (Path(__file__).with_name("error_texts.txt")).read_text("utf-8").splitlines()


def unhex(text):
    parts = (part.partition("*") for part in text.split("+"))
    return b"".join(bytes.fromhex(digits) * int(count or 1) for digits, _, count in parts)


def errors():
    """Yield the id of each vector that ends with an error about its bytes, and the error."""
    for path in sorted((SPECS / "vectors").glob("frame_*.json")):
        for vector in json.loads(path.read_text("utf-8")).get("vectors", []):
            parse = vector.get("parse")
            if parse and parse["error"] and parse["error"]["class"] in ("HeaderError", "ChecksumError"):
                options = dict(vector["format"])
                form = get_format(options.pop("name"), **options)
                yield pytest.param(form.name, raised(form, parse), id=vector["id"])


def raised(form, parse):
    parser = FrameParser(form)
    for chunk in parse["chunks"]:
        parser.feed(unhex(chunk))
    if parse["finish"]:
        parser.finish()
    try:
        while parser.take_frames():
            pass
    except FrameError as error:
        return error
    raise AssertionError("the stream is good")


ERRORS = list(errors())


@pytest.mark.parametrize(("name", "error"), ERRORS)
def test_an_error_says_where_what_was_expected_and_what_was_found(name, error):
    assert isinstance(error, HeaderError | ChecksumError)
    assert error.offset is not None
    assert error.expected not in (None, "", ())
    assert error.found is not None
    text = str(error)
    assert text.startswith(error.reason)
    assert all(fact in text for fact in (f"offset {error.offset}", "expected ", "found "))


def test_the_texts_are_known_and_there_are_no_fewer():
    found = {f"{name}: {error.reason}" for name, error in (case.values for case in ERRORS)}
    assert sorted(TEXTS) == TEXTS
    assert len(TEXTS) > 80
    assert {*TEXTS} <= found
