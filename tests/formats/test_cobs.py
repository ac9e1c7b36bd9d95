"""COBS and COBS/R, against the algorithm of the paper."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from framing import DefinitionError, FrameError, HeaderError
from framing.formats.cobs import CobsFormat
from framing.testing import check_format, outcome

EDGES = [b"x" * size + end for size in (253, 254, 255, 508) for end in (b"", b"\0", b"\0y", b"\xff")]


def stuffed(payload):
    """Do what "StuffData" of the paper does, a byte at a time; it ends each frame with a block, even an empty one."""
    out, code_place, code = bytearray(b"\0"), 0, 1
    for byte in payload:
        if byte:
            out.append(byte)
            code += 1
        if not byte or code == 0xFF:
            out[code_place] = code
            code_place, code = len(out), 1
            out.append(0)
    out[code_place] = code
    return bytes(out)


@pytest.mark.parametrize(
    "options", [{}, {"reduced": True}, {"skip_empty": True}, {"reduced": True, "skip_empty": True}]
)
def test_the_contract(options):
    check_format(CobsFormat(**options))
    check_format(CobsFormat(**options), [b"", b"\0", b"\0\0", b"a\0", b"\0b", b"\x01\xff\xff"])


@pytest.mark.parametrize("reduced", [False, True])
def test_the_contract_at_the_longest_block(reduced):
    check_format(CobsFormat(reduced=reduced), [b"x" * 254])


@given(st.one_of(st.binary(max_size=600), st.sampled_from(EDGES)))
def test_the_paper_is_read_and_written(payload):
    paper = stuffed(payload)
    assert CobsFormat().payload(paper + b"\0", 0, len(paper) + 1) == payload
    # Of which only a block that says nothing is left out.
    assert CobsFormat().serialize(payload) in (paper + b"\0", paper.removesuffix(b"\1") + b"\0")
    assert CobsFormat(reduced=True).payload(paper + b"\0", 0, len(paper) + 1) == payload


@given(st.one_of(st.binary(max_size=600), st.sampled_from(EDGES)))
def test_a_reduced_frame_is_at_most_one_byte_shorter(payload):
    form = CobsFormat(reduced=True)
    wire = form.serialize(payload)
    assert form.payload(wire, 0, len(wire)) == payload
    assert len(CobsFormat().serialize(payload)) - len(wire) in (0, 1)


@given(st.binary(min_size=1, max_size=40).map(lambda data: data.replace(b"\0", b"\1")))
def test_any_content_is_a_frame_of_cobs_r(content):
    form = CobsFormat(reduced=True)
    payload = form.payload(content + b"\0", 0, len(content) + 1)
    assert form.payload(form.serialize(payload), 0, len(form.serialize(payload))) == payload


def edited(content, place, code):
    place %= len(content)
    return content[:place] + bytes((code,)) + content[place + 1 :]


# Codes that point to, behind and before the end of what follows them, also of the longest block.
short_contents = st.lists(st.integers(1, 9), min_size=1, max_size=8).map(bytes)
long_contents = st.tuples(st.integers(252, 258), st.sampled_from([b"", b"\1", b"\2", b"\2a", b"\3a", b"\xff"])).map(
    lambda pair: b"\xff" + b"x" * pair[0] + pair[1]
)
contents = short_contents | long_contents
edited_contents = st.builds(edited, contents, st.integers(0, 3) | st.integers(252, 258), st.integers(1, 255))


@given(st.booleans(), st.lists(contents | edited_contents, min_size=1, max_size=4))
@example(False, [b"\xff" + b"x" * 254 + b"\1"])
@example(True, [b"\xff" + b"x" * 254 + b"\2"])
def test_many_are_unstuffed_like_one(reduced, contents):
    form = CobsFormat(reduced=reduced)
    try:
        payloads = [form.unstuffed(content, 0) for content in contents]
    except FrameError:
        with pytest.raises(FrameError):
            form.unstuffed_many(contents, b"\0".join(contents))
    else:
        assert form.unstuffed_many(contents, b"\0".join(contents)) == payloads


@pytest.mark.parametrize(
    ("data", "offset", "expected", "found"),
    [
        (b"\x05123\0", 0, "at most 4", 5),
        (b"\x02a\x03b\0", 2, "at most 2", 3),
        (b"\x02a\0\xff\x01\0", 3, "at most 2", 255),
    ],
)
def test_a_code_beyond_the_end_is_told(data, offset, expected, found):
    for count in (0, 40):  # one by one, and many at once
        kind, text, facts = outcome(CobsFormat(), [b"\1\0" * count + data]).error
        assert (kind, facts[0]) == (HeaderError, 2 * count + offset)
        assert facts[2:5] == ("code", expected, found)
        assert "beyond the frame's end" in text


def test_a_zero_behind_a_zero_is_told():
    kind, text, facts = outcome(CobsFormat(), [b"\2a\0\0"]).error
    assert (kind, facts[0], facts[2]) == (HeaderError, 3, "content")
    assert facts[4] == b"\0"
    assert "at least one byte" in text


def test_what_is_refused():
    with pytest.raises(DefinitionError):
        CobsFormat(max_frame_size=1)
    for wrong in ({"reduced": 1}, {"skip_empty": "no"}, {"max_frame_size": 2.0}):
        with pytest.raises(TypeError):
            CobsFormat(**wrong)


@pytest.mark.parametrize("options", [{}, {"reduced": True}, {"skip_empty": True, "max_frame_size": 77}])
def test_repr_makes_the_format_again(options):
    form = CobsFormat(**options)
    assert eval(repr(form), {"CobsFormat": CobsFormat}) == form
