"""A size that a function tells."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import DefinitionError, EncodeError, FrameParser, HeaderError, get_format
from framing.formats.function import FunctionFormat
from framing.testing import check_format, outcome
from framing.toml import parse_protocol


def size(header):
    """Two bytes that count what follows them."""
    return 2 + int.from_bytes(header, "big")


def write(payload):
    return len(payload).to_bytes(2, "big")


def text_size(header):
    """Digits and a colon."""
    digits, colon, _ = header.partition(b":")
    return len(header) + int(digits) if colon else None


def write_text(payload):
    return b"%d:" % len(payload)


FIXED = FunctionFormat(size, write, header_size=2)
TEXT = FunctionFormat(text_size, write_text, header_size=2, max_header_size=9)


@pytest.mark.parametrize("form", [FIXED, TEXT])
def test_the_contract(form):
    check_format(form)


@given(st.lists(st.binary(max_size=80), max_size=5))
def test_what_is_written_is_read(payloads):
    for form in (FIXED, TEXT):
        whole = outcome(form, map(form.serialize, payloads))
        assert (whole.payloads, whole.error) == (payloads, None)


@pytest.mark.parametrize(
    ("function", "reason", "expected", "found"),
    [
        (lambda _: 0, "the function told less than the header has", "2 or more", 0),
        (lambda _: -5, "the function told less than the header has", "2 or more", -5),
        (lambda _: 1, "the function told less than the header has", "2 or more", 1),
        (lambda _: "3", "the function told no size", "int or None", "str"),
        (lambda _: True, "the function told no size", "int or None", "bool"),
        (lambda _: None, "the function does not know the size", "it after 3 bytes", "None"),
        (lambda _: {}["a"], "the function that tells the size has failed: KeyError: 'a'", "a size or None", b"12"),
    ],
)  # fmt: skip
def test_whatever_it_does_is_an_error_of_the_frame(function, reason, expected, found):
    form = FunctionFormat(function, write, header_size=2, max_header_size=3)
    for chunks in ([b"12345"], [b"1", b"2", b"3", b"4"]):
        parser = FrameParser(form)
        for chunk in chunks[:-1]:
            parser.feed(chunk)
            if parser.pending_size < 2:
                assert parser.take_payloads() == []
        parser.feed(chunks[-1])
        with pytest.raises(HeaderError) as caught:
            parser.take_payloads()
        error = caught.value
        assert (error.reason, error.offset, error.expected, error.found) == (reason, 0, expected, found)


def test_what_it_raised_is_the_cause():
    def failing(header):
        raise KeyError(header)

    with pytest.raises(HeaderError) as caught:
        FunctionFormat(failing, write).measure(b"a", 0, 1)
    assert isinstance(caught.value.__cause__, KeyError)


def test_a_scan_leaves_what_it_raises_to_measure():
    form = FunctionFormat(lambda header: 1 + 6 // header[0], lambda payload: b"", header_size=1)
    whole = outcome(form, [b"\3ab\6a\0"])
    assert (whole.payloads, whole.error[0]) == ([b"ab", b"a"], HeaderError)


def test_an_interrupt_is_not_caught():
    def interrupted(_):
        raise KeyboardInterrupt

    form = FunctionFormat(interrupted, write)
    for call in (form.measure, lambda *place: form.scan(*place, 1, [])):
        with pytest.raises(KeyboardInterrupt):
            call(b"a", 0, 1)


def test_it_is_asked_about_each_beginning_once():
    asked = []

    def asking(header):
        asked.append(header)
        return text_size(header)

    parser = FrameParser(FunctionFormat(asking, write_text, max_header_size=9))
    for byte in b"12:":
        parser.feed(bytes((byte,)))
        assert parser.next_frame() is None
    assert asked == [b"1", b"12", b"12:"]


def test_what_it_says_about_more_bytes_does_not_count():
    form = FunctionFormat(lambda header: 4 if len(header) == 2 else 3, write, max_header_size=4)
    assert outcome(form, [b"abcdef"]).frames == outcome(form, [b"abc", b"def"]).frames == [(0, b"abc"), (3, b"def")]


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda _: 1 // 0, "has failed: ZeroDivisionError"),
        (lambda _: "ab", "returned no bytes"),
        (lambda _: None, "returned no bytes"),
        (lambda _: b"\0\1", "says 3 bytes, of which 2 are header, and there are 7 and 2"),
        (lambda _: b"\0\6\0", "says 8 bytes, of which 2 are header, and there are 8 and 3"),
        (lambda _: b"", "and there are 5 and 0"),
    ],
)
def test_what_its_twin_does_wrong_is_not_sent(function, words):
    with pytest.raises(EncodeError, match=words):
        FunctionFormat(size, function, header_size=2).serialize(b"hello")


def test_a_header_that_cannot_be_read_is_not_sent():
    with pytest.raises(EncodeError, match="cannot be read: the function does not know the size"):
        FunctionFormat(text_size, lambda _: b"12", header_size=2).serialize(b"")
    with pytest.raises(EncodeError):
        FIXED.serialize(b"", {"a": 1})


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"size": "nowhere_at_all:size"}, "size"),
        ({"size": "json:nothing"}, "size"),
        ({"size": "json"}, "size"),
        ({"write": "string:digits"}, "write"),
        ({"write": 3}, "write"),
        ({"header_size": 0}, "header_size"),
        ({"header_size": 3, "max_header_size": 2}, "max_header_size"),
        ({"header_size": 3, "max_frame_size": 2}, "max_frame_size"),
    ],
)
def test_what_cannot_work_is_refused(options, key):
    with pytest.raises(DefinitionError) as caught:
        FunctionFormat(**{"size": size, "write": write} | options)
    assert caught.value.key == key


@pytest.fixture
def module(tmp_path, monkeypatch):
    (tmp_path / "sizes_of_mine.py").write_text(
        "def size(header): return 1 + header[0]\nclass Twin:\n    def write(payload): return bytes([len(payload)])\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield "sizes_of_mine"
    sys.modules.pop("sizes_of_mine", None)


def test_functions_are_named_in_a_shorthand_and_in_a_file(module):
    form = get_format(f"function(size={module}:size, write={module}:Twin.write)")
    assert form.serialize(b"abc") == b"\3abc"
    text = f'name = "x"\n[both]\nformat = "function"\nsize = "{module}:size"\nwrite = "{module}:Twin.write"'
    assert parse_protocol(text, "x.toml").client.phases["frames"].wire.format == form
    assert repr(form).startswith(f"FunctionFormat('{module}:size', '{module}:Twin.write', header_size=1, ")


def test_repr_names_functions():
    assert f"'{__name__}:size'" in repr(FIXED)
