"""Frames between start and stop bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import DefinitionError, EncodeError, FrameParser, FrameTooLargeError, HeaderError, TruncatedFrameError
from framing.formats.enclosed import EnclosedFormat
from framing.testing import check_format, outcome

MLLP = EnclosedFormat(b"\x0b", b"\x1c\r")
FORMS = [
    MLLP,
    EnclosedFormat("\x02", "\x03"),
    EnclosedFormat("<", ">", start_inside=True),
    EnclosedFormat("~", "~"),
    EnclosedFormat("ab", "bc"),
    EnclosedFormat("<<", ">>"),
    EnclosedFormat("a", "ab", start_inside=True),
]


@pytest.mark.parametrize("form", FORMS, ids=repr)
def test_the_contract(form):
    check_format(form, [b"", b"q", b"hello", b"x" * 50])


def test_the_contract_of_many_frames():
    check_format(MLLP, [b"y", b""] * 20)


def cut_slowly(data, start, stop, start_inside):
    """Cut by the rule, spelled out, and tell the place of the error if there is one."""
    frames, begin = [], 0
    while begin < len(data):
        if not data.startswith(start, begin):
            return frames, begin if len(data) - begin >= len(start) else None
        place = data.find(stop, begin + len(start))
        inside = -1 if start_inside else data.find(start, begin + len(start))
        if inside >= 0 and (place < 0 or inside < place):
            return frames, inside
        if place < 0:
            return frames, None
        frames.append(data[begin : place + len(stop)])
        begin = place + len(stop)
    return frames, None


bounds = st.text("ab<", min_size=1, max_size=3).map(str.encode)


@given(
    st.text("ab<x", max_size=60).map(str.encode),
    bounds,
    bounds,
    st.booleans(),
    st.lists(st.integers(0, 60), max_size=4),
)
def test_the_rule_at_any_cut(data, start, stop, start_inside, places):
    try:
        form = EnclosedFormat(start, stop, start_inside=start_inside)
    except DefinitionError:
        assert start in stop or stop in start
        return
    frames, bad = cut_slowly(data, start, stop, start_inside or start == stop)
    places = sorted(min(place, len(data)) for place in places)
    chunks = [data[begin:end] for begin, end in zip([0, *places], [*places, len(data)], strict=True)]
    whole = outcome(form, chunks)
    assert [wire for _, wire in whole.frames] == frames
    if bad is not None:
        assert (whole.error[0], whole.error[2][0]) == (HeaderError, bad)
    elif whole.error:
        assert whole.error[0] is TruncatedFrameError


@given(st.lists(st.text("ab<x", max_size=6).map(str.encode), min_size=30, max_size=60), bounds, bounds, st.booleans())
def test_the_hot_loop_cuts_the_same(parts, start, stop, start_inside):
    try:
        form = EnclosedFormat(start, stop, start_inside=start_inside, max_frame_size=9)
    except DefinitionError:
        return
    data = b"".join(start + part + stop for part in parts)
    good = outcome(form, [data[place : place + 3] for place in range(0, len(data), 3)]).payloads
    parser, taken = FrameParser(form), []
    parser.feed(data)
    try:
        while some := parser.take_payloads():
            taken += some
    except (HeaderError, FrameTooLargeError):
        pass
    assert taken == good


@given(st.lists(st.binary(max_size=30), max_size=5), st.sampled_from(FORMS))
def test_what_is_written_is_read_or_refused(payloads, form):
    good, wires = [], []
    for payload in payloads:
        try:
            wires.append(form.serialize(payload))
        except EncodeError:
            assert {*payload} & {*b"\x0b\x1c\x02\x03<>~abc"}
        else:
            good.append(payload)
    assert outcome(form, wires).payloads == good


@pytest.mark.parametrize(
    ("data", "offset", "field", "text"),
    [(b"MSH|", 0, "start", "before the start"), (b"\x0bA\x1c\r\n\x0bB\x1c\r", 4, "start", "before the start"),
     (b"\x0bA\x0bB\x1c\r", 2, "stop", "inside a frame"), (b"\x0bA\x1c\x0b", 3, "stop", "inside a frame")],
)  # fmt: skip
def test_each_way_to_be_malformed_is_told(data, offset, field, text):
    kind, shown, facts = outcome(MLLP, [data]).error
    assert (kind, facts[0], facts[2]) == (HeaderError, offset, field)
    assert text in shown
    assert "expected" in shown
    assert "found" in shown
    for place in range(len(data)):
        assert outcome(MLLP, [data[:place], data[place:]]).error == (kind, shown, facts)


def test_a_start_inside_is_told_at_once():
    assert outcome(MLLP, [b"\x0bA\x0b"], finish=False).error[0] is HeaderError


def test_half_a_stop_is_payload():
    assert outcome(MLLP, [b"\x0bA\x1cB\r\x1c\r"]).payloads == [b"A\x1cB\r"]


def test_the_limit_counts_start_and_stop():
    form = MLLP.limited(5)
    assert outcome(form, [b"\x0bAB\x1c\r"]).payloads == [b"AB"]
    assert outcome(form, [b"\x0bABC"], finish=False).error is None
    assert outcome(form, [b"\x0bABC\x1c"]).error[0] is FrameTooLargeError
    with pytest.raises(FrameTooLargeError):
        form.serialize(b"ABC")


def test_a_long_window_of_frames():
    payloads = [b"%d" % (number * 10**40) for number in range(4000)]
    data = b"".join(map(MLLP.serialize, payloads))
    for limit in (1 << 62, 2500, 3):
        out = []
        stop = MLLP.scan(data, 0, len(data), limit, out)
        assert out == payloads[:limit]
        assert stop == sum(len(payload) + 3 for payload in out)


class Counted(bytearray):
    """Bytes that count how many of them `find` has looked at."""

    looked_size = 0

    def find(self, part, start=0, end=None):
        end = len(self) if end is None else end
        place = super().find(part, start, end)
        self.looked_size += (end if place < 0 else place + len(part)) - start
        return place


def test_a_stop_that_never_comes_is_sought_once():
    measure = MLLP.measurer()
    buffer = Counted(b"\x0b")
    for _ in range(4000):
        buffer += b"xy"
        assert measure(buffer, 0, len(buffer)) is None
    assert buffer.looked_size <= 4 * len(buffer)


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"start": "", "stop": "a"}, "start"),
        ({"start": "a", "stop": ""}, "stop"),
        ({"start": "a", "stop": "ba"}, "stop"),
        ({"start": "ab", "stop": "b"}, "stop"),
        ({"start": "a", "stop": "bc", "max_frame_size": 2}, "max_frame_size"),
    ],
)
def test_what_cannot_work_is_refused_at_once(options, key):
    with pytest.raises(DefinitionError) as caught:
        EnclosedFormat(**options)
    assert caught.value.key == key


@pytest.mark.parametrize("options", [{"start": 1}, {"stop": None}, {"start_inside": 1}, {"max_frame_size": "1"}])
def test_options_of_a_wrong_type_are_a_bug(options):
    with pytest.raises(TypeError):
        EnclosedFormat(**{"start": "a", "stop": "b"} | options)


def test_there_are_no_fields():
    with pytest.raises(EncodeError):
        MLLP.serialize(b"", {"type": 1})


@pytest.mark.parametrize("form", FORMS, ids=repr)
def test_repr_makes_an_equal_format(form):
    assert eval(repr(form), {"EnclosedFormat": EnclosedFormat}) == form
