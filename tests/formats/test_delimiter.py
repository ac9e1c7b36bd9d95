"""Delimiters and lines."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framing import DefinitionError, EncodeError, FrameParser, FrameTooLargeError
from framing.formats.delimiter import DelimiterFormat, LineFormat
from framing.testing import check_format, outcome

FORMS = [
    DelimiterFormat("\0"),
    DelimiterFormat(b";;"),
    DelimiterFormat(["\r\n", "\n"]),
    DelimiterFormat(["abc", "c", "xyzzz"]),
    DelimiterFormat(["\r\n"], final=True),
    DelimiterFormat(",", write=";--;"),
    LineFormat(),
    LineFormat(write="\r\n"),
    LineFormat(final=True),
]


@pytest.mark.parametrize("form", FORMS[:5] + FORMS[6:], ids=repr)
def test_the_contract(form):
    check_format(form, [b"", b"q", b"hello", b"x" * 300, b"xyz"])


def test_the_contract_where_the_delimiter_is_kept():
    check_format(DelimiterFormat(";", keep=True), [b";", b"a;", b"hello;"])
    check_format(LineFormat(keep=True), [b"\n", b"a\r\n", b"b\n"])


def cut_slowly(data, delimiters):
    """Cut at the delimiter that begins first, and of those at the longest: the rule, spelled out."""
    frames, rest = [], data
    while True:
        found = [(rest.find(one), -len(one)) for one in delimiters if one in rest]
        if not found:
            return frames, rest
        place, size = min(found)
        frames.append(rest[: place - size])
        rest = rest[place - size :]


texts = st.text("ab;x", max_size=40).map(str.encode)
several = st.lists(st.text("ab;", min_size=1, max_size=4).map(str.encode), min_size=1, max_size=4, unique=True)


@given(texts, several, st.lists(st.integers(0, 40), max_size=6))
def test_the_rule_at_any_cut(data, delimiters, places):
    longest = max(delimiters, key=len)
    form = DelimiterFormat(delimiters, write=b"end", final=True)
    frames, rest = cut_slowly(data, delimiters)
    places = sorted(min(place, len(data)) for place in places)
    chunks = [data[begin:end] for begin, end in zip([0, *places], [*places, len(data)], strict=True)]
    assert [wire for _, wire in outcome(form, chunks).frames] == [*frames, *([rest] if rest else [])]
    assert len(longest) <= form.max_frame_size


@given(st.lists(texts, max_size=4), several)
def test_what_is_written_is_read_or_refused(payloads, delimiters):
    try:
        form = DelimiterFormat(delimiters)
    except DefinitionError:
        assert any(one != delimiters[0] and delimiters[0] in one for one in delimiters)
        return
    good, wires = [], []
    for payload in payloads:
        try:
            wires.append(form.serialize(payload))
        except EncodeError:
            assert {*payload} & {*b"".join(delimiters)}  # nothing else can be in the way
        else:
            good.append(payload)
    assert outcome(form, [b"".join(wires)]).payloads == good


@given(st.lists(st.binary(max_size=12), max_size=5), st.booleans())
def test_lines_are_read_or_refused(lines, long):
    form = LineFormat(write=b"\r\n" if long else b"\n")
    good = [line for line in lines if b"\n" not in line and (long or not line.endswith(b"\r"))]
    for line in lines:
        if line not in good:
            with pytest.raises(EncodeError):
                form.serialize(line)
    assert outcome(form, map(form.serialize, good)).payloads == good


class Counted(bytes):
    """Bytes that count how many of them `find` has looked at."""

    looked_size = 0

    def find(self, part, start=0, end=None):
        end = len(self) if end is None else end
        place = super().find(part, start, end)
        self.looked_size += (end if place < 0 else place + len(part)) - start
        return place


@pytest.mark.parametrize("delimiters", [["\n"], ["\r\n", "\n"], ["never", "\n"]])
def test_a_delimiter_that_never_comes_is_not_sought_through_the_whole_buffer_for_each_frame(delimiters):
    form = DelimiterFormat(delimiters, write="\n")
    buffer = Counted(b"line\n" * 5000)
    start = 0
    while start < len(buffer):
        start += form.measure(buffer, start, len(buffer))
    # A window of 256 bytes for each frame of 5, at most.
    assert buffer.looked_size <= 60 * 5 * 5000


def test_a_long_frame_is_looked_at_a_few_times():
    form = DelimiterFormat(["\r\n", "\n"])
    buffer = Counted(b"x" * 100_000 + b"\n")
    assert form.measure(buffer, 0, len(buffer)) == 100_001
    assert buffer.looked_size <= 6 * len(buffer)


def test_a_delimiter_longer_than_a_window_is_found():
    long = b"-" * 700 + b">"
    form = DelimiterFormat([long, "\0"])
    for payload in (b"", b"x" * 255, b"-" * 699, b"x" * 5000):
        data = payload + long
        assert form.measure(b"zz" + data, 2, 2 + len(data)) == len(data)


def test_few_at_a_time_are_not_split_from_all():
    form = LineFormat()
    out = []
    assert form.scan(b"a\nb\n", 0, 4, 1, out) == 0
    assert form.scan(b"a\nb\nc", 0, 5, 100, out) == 4
    assert out == [b"a", b"b"]


def test_more_lines_than_one_split_takes():
    data = b"%s\n" * 3000 % tuple(b"%d" % (number * 10**30) for number in range(3000))
    out = []
    assert LineFormat().scan(data, 0, len(data), 1 << 62, out) == len(data)
    assert out == data.splitlines()
    out = []
    stop = LineFormat().scan(data, 0, len(data), 2500, out)
    assert (len(out), data[:stop].count(b"\n")) == (2500, 2500)


def test_the_limit_counts_the_delimiter():
    form = DelimiterFormat("\r\n", max_frame_size=5)
    assert outcome(form, [b"abc\r\n"]).payloads == [b"abc"]
    assert outcome(form, [b"abcd\r"]).error[0] is FrameTooLargeError
    assert outcome(form, [b"abcd"], finish=False).error is None
    assert form.serialize(b"abc") == b"abc\r\n"
    with pytest.raises(FrameTooLargeError):
        form.serialize(b"abcd")


def test_a_last_frame_may_have_all_of_the_limit():
    form = DelimiterFormat(";", final=True, max_frame_size=4)
    assert outcome(form, [b"ab;abcd"]).payloads == [b"ab", b"abcd"]
    assert outcome(form, [b"ab;abcde"]).error[0] is FrameTooLargeError


def test_a_bad_last_message_is_met_once():
    parser = FrameParser(DelimiterFormat(";", final=True))
    parser.feed(b"a;b")
    parser.finish()
    assert parser.take_payloads() == [b"a", b"b"]
    assert parser.batch_offset(2) == 3
    parser.rewind(2)
    assert parser.take_payloads() == []


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"delimiters": []}, "delimiters"),
        ({"delimiters": ""}, "delimiters"),
        ({"delimiters": ["a", ""]}, "delimiters"),
        ({"delimiters": ["a", b"a"]}, "delimiters"),
        ({"delimiters": ";", "write": ""}, "write"),
        ({"delimiters": ["\r", "\r\n"]}, "write"),
        ({"delimiters": ["b", "abc"], "write": "b"}, None),
        ({"delimiters": ";;", "max_frame_size": 1}, "max_frame_size"),
        ({"delimiters": ";", "write": "long", "max_frame_size": 3}, "max_frame_size"),
    ],
)
def test_what_cannot_work_is_refused_at_once(options, key):
    if key is None:  # a payload that ends with "a" is what cannot be written
        form = DelimiterFormat(**options)
        assert form.serialize(b"c") == b"cb"
        with pytest.raises(EncodeError):
            form.serialize(b"a")
        return
    with pytest.raises(DefinitionError) as caught:
        DelimiterFormat(**options)
    assert caught.value.key == key


@pytest.mark.parametrize(
    "options",
    [{"delimiters": 5}, {"delimiters": [5]}, {"delimiters": ";", "write": 5}, {"delimiters": ";", "keep": 1},
     {"delimiters": ";", "final": "yes"}, {"delimiters": ";", "max_frame_size": None}],
)  # fmt: skip
def test_options_of_a_wrong_type_are_a_bug(options):
    with pytest.raises(TypeError):
        DelimiterFormat(**options)


def test_a_line_ending_is_one_of_two():
    with pytest.raises(DefinitionError):
        LineFormat(write="\r")


def test_there_are_no_fields():
    with pytest.raises(EncodeError):
        LineFormat().serialize(b"", {"type": 1})


@pytest.mark.parametrize("form", FORMS, ids=repr)
def test_repr_makes_an_equal_format(form):
    names = {"DelimiterFormat": DelimiterFormat}
    if isinstance(form, LineFormat):
        assert "LineFormat" in repr(form)
    else:
        assert eval(repr(form), names) == form


@pytest.mark.parametrize("delimiters", [[";"], [";", "\r\n"]])
def test_nothing_is_no_frame_that_could_be_written(delimiters):
    form = DelimiterFormat(delimiters, keep=True)
    with pytest.raises(EncodeError, match="must end with its only delimiter"):
        form.serialize(b"")


def test_what_ends_a_frame_is_told_where_it_is_one_thing():
    assert DelimiterFormat(";;").ending() == (b";;", b"")
    assert LineFormat().ending() == (b"\n", b"\r")
    assert DelimiterFormat(["a", "b"]).ending() is DelimiterFormat("a", keep=True).ending() is None
    assert LineFormat(keep=True).ending() is None


@pytest.mark.parametrize(
    "delimiters", [("\r\n", "\n"), ("\r\n", "\n", "\r"), ("aa", "b"), ("aba", "a", "b"), (";", "\n")]
)
@pytest.mark.parametrize("max_frame_size", [5, 1000])
@given(
    pieces=st.lists(st.sampled_from([b"a", b"b", b"\r", b"\n", b"\r\n", b";", b"xx"]), min_size=60, max_size=90),
    cut=st.integers(0, 3),
)
@settings(max_examples=20)
def test_what_is_replaced_and_split_is_what_is_found(delimiters, max_frame_size, pieces, cut):
    form = DelimiterFormat(delimiters, max_frame_size=max_frame_size)
    data = b"".join(pieces)
    for limit in (40, 1 << 60):
        out, place = [], 0
        stop = form.scan(data, 0, len(data) - cut, limit, out)
        for payload in out:
            total = form.measure(data, place, len(data))
            assert total <= max_frame_size
            assert form.payload(data, place, place + total) == payload
            place += total
        assert place == stop
        assert len(out) <= limit
