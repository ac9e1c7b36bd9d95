"""What COBS, SLIP and HDLC share: cutting, filler, limits, and time and memory counted in bytes."""

import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framing import EncodeError, FrameError, FrameParser, FrameTooLargeError, HeaderError
from framing.formats import stuffing
from framing.formats.cobs import CobsFormat
from framing.formats.hdlc import HdlcFormat
from framing.formats.slip import SlipFormat
from framing.testing import every_cut, outcome

FORMS = [
    CobsFormat(),
    CobsFormat(reduced=True),
    CobsFormat(skip_empty=True),
    SlipFormat(),
    SlipFormat(opening=True),
    HdlcFormat(),
    HdlcFormat(fcs=0),
    HdlcFormat(fcs=32, accm=0xFFFFFFFF),
    HdlcFormat(opening=False, accm=0x000A0000),
]
SKIPPING = [form for form in FORMS if form.skip]

forms = st.sampled_from(FORMS)
# Bytes that mean something to one of them come often, and so do runs at the edge of COBS's longest block.
special = st.lists(st.sampled_from([b"\0", b"\x7d", b"\x7e", b"\xc0", b"\xdb", b"\xdc", b"\xdd", b"\x5d", b"\x5e"]))
payloads = st.one_of(
    st.binary(min_size=1, max_size=40),
    special.map(b"".join).filter(bool),
    st.tuples(st.integers(252, 256), st.binary(max_size=3)).map(lambda pair: b"x" * pair[0] + pair[1]),
)


def taken(form, chunks):
    parser, batches = FrameParser(form), []
    for chunk in chunks:
        parser.feed(chunk)
        batches += parser.take_payloads()
    return batches


@given(forms, st.lists(payloads, max_size=6))
def test_what_is_written_is_read(form, payloads):
    wires = [form.serialize(payload) for payload in payloads]
    whole = outcome(form, wires)
    assert (whole.payloads, whole.error) == (payloads, None)
    assert [data for _, data in whole.frames] == wires


@given(forms, payloads)
def test_the_flag_stands_at_the_ends_alone(form, payload):
    wire = form.serialize(payload)
    inside = wire.removeprefix(form.opening)[:-1]
    assert form.flag not in inside
    assert wire == form.opening + inside + form.flag


@given(forms, st.lists(payloads, min_size=40, max_size=80))
def test_many_at_once_are_cut_like_one_after_the_other(form, payloads):
    stream = b"".join(map(form.serialize, payloads))
    assert taken(form, [stream]) == payloads
    out = []
    assert form.scan(stream, 0, len(stream), 1 << 62, out) == len(stream)
    assert out == payloads


@given(forms, st.binary(max_size=60), st.integers(0, 40))
def test_any_bytes_give_the_same_however_they_are_taken(form, data, count):
    stream = form.serialize(b"a") * count + data
    whole = outcome(form, [stream], finish=False)
    assert outcome(form, [stream[place : place + 1] for place in range(len(stream))], finish=False) == whole
    parser, payloads, error = FrameParser(form), [], None
    parser.feed(stream)
    try:
        while batch := parser.take_payloads():
            payloads += batch
    except FrameError as raised:
        error = raised
    assert payloads == whole.payloads
    assert (error and (type(error), error.offset)) == (whole.error and (whole.error[0], whole.error[2][0]))


def cut_carefully(form, stream):
    """Return the payloads before the first odd frame, and for each where its frame stops."""
    payloads, stops, start, end = [], [0], 0, len(stream)
    try:
        while start < end:
            start = form.skip(stream, start, end, False) if form.skip else start
            size = form.measure(stream, start, end)
            if size is None:
                break
            form.verify(stream, start, start + size)
            payloads.append(form.payload(stream, start, start + size))
            start += size
            stops.append(start)
    except FrameError:
        pass
    return payloads, stops


damages = st.tuples(
    st.integers(0, 1 << 16),
    st.integers(0, 2),
    st.sampled_from([b"", b"\0", b"\x7d", b"\x7e", b"\x7e\x7e", b"\xc0", b"\xdb", b"\xdb\xdc", b"\x5e", b"\x11", b"a"]),
)
# Of a scan: bytes at first, how many times as many next, the most, and of a content.
windows = st.tuples(st.integers(4, 64), st.integers(2, 4), st.integers(64, 1024), st.integers(1, 4))


@given(forms, st.lists(payloads, min_size=1, max_size=12), st.lists(damages, max_size=3), st.data())
def test_a_scan_stops_where_the_careful_path_does_or_before(form, payloads, damages, data):
    """Good, damaged, spliced and truncated streams, in windows from a few bytes on."""
    form = form.limited(data.draw(st.sampled_from([40, 300, 1 << 20])))
    stream = b"".join(form.limited(1 << 20).serialize(payload) for payload in payloads)
    for place, removed, put in damages:
        place %= len(stream) + 1
        stream = stream[:place] + put + stream[place + removed :]
    stream = stream[: data.draw(st.integers(0, len(stream)) | st.just(len(stream)))]
    limit = data.draw(st.integers(32, 100) | st.just(1 << 62))
    names = ("_FIRST_SIZE", "_GROWTH", "_MOST_SIZE", "_CONTENT_SIZE")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in zip(names, data.draw(windows), strict=True):
            patch.setattr(stuffing, name, value)
        out = [b"before"]
        stop = form.scan(stream, 0, len(stream), limit, out)
    careful, stops = cut_carefully(form, stream)
    count = len(out) - 1
    assert out == [b"before", *careful[:count]]
    assert stop == stops[count]
    # Not before, but for a frame that is longer than the longest window, or as much filler.
    assert count == len(careful) or count == limit or stops[count + 1] - stops[count] > 16


def test_frames_behind_a_bad_one_are_not_split_again_and_again():
    """Bytes that a scan copies, by how many bad frames there are: in proportion, not by its square."""
    copied = 0

    class Counted(HdlcFormat):
        def unstuffed_many(self, contents, window):
            nonlocal copied
            copied += sum(map(len, contents))
            return super().unstuffed_many(contents, window)

    for count in (1000, 4000):
        parser, copied, error_count = FrameParser(Counted(), recovery="delimiter"), 0, 0
        parser.feed(b"ab\x7e" * count)
        while True:
            try:
                if not parser.take_payloads():
                    break
            except FrameError:
                error_count += 1
        assert error_count == count
        assert copied <= count * 2 * stuffing._FIRST_SIZE // stuffing._CONTENT_SIZE


@pytest.mark.parametrize("form", FORMS, ids=repr)
def test_views_are_of_the_payloads(form):
    payload = bytes(range(256))
    parser = FrameParser(form)
    parser.feed(form.serialize(payload) * 2)
    views = parser.take_views()
    assert [bytes(view) for view in views] == [payload, payload]
    assert all(view.readonly for view in views)


@pytest.mark.parametrize("form", FORMS, ids=repr)
def test_a_large_frame_in_chunks(form):
    payload = bytes(range(256)) * 1000
    wire = form.serialize(payload) + form.serialize(b"b")
    for size in (997, 70_000):
        assert taken(form, [wire[place : place + size] for place in range(0, len(wire), size)]) == [payload, b"b"]


@pytest.mark.parametrize("form", FORMS, ids=repr)
def test_a_batch_can_be_told_apart_and_put_back(form):
    wires = [form.serialize(payload) for payload in (b"a", b"bc", b"\0\x7e\xc0")]
    filler = form.flag * 3 if form.skip else b""
    stream = filler.join([b"", *wires])
    parser = FrameParser(form)
    parser.feed(stream)
    frames = parser.take_frames()
    assert [parser.batch_offset(index) for index in range(3)] == [frame.offset for frame in frames]
    assert parser.offset == len(stream)
    parser.rewind(1)
    assert parser.frame_count == 1
    assert parser.take_frames() == frames[1:]


@pytest.mark.parametrize("form", FORMS, ids=repr)
def test_one_at_a_time_from_a_backlog_with_filler(form):
    filler = form.flag * 3 if form.skip else b""
    parser = FrameParser(form)
    got = []
    for _ in range(20):
        parser.feed((form.serialize(b"a") + filler) * 2)
        got += parser.take_payloads(1)
    while batch := parser.take_payloads(1):
        got += batch
    assert got == [b"a"] * 40


@pytest.mark.parametrize("form", SKIPPING, ids=repr)
def test_filler_belongs_to_no_frame(form):
    flag = form.flag
    inside = form.serialize(b"a").removeprefix(flag)
    stream = flag * 5 + inside + flag * 3 + inside + flag * 4
    whole = outcome(form, [stream])
    assert whole.payloads == [b"a", b"a"]
    assert whole.frames == [(4, flag + inside), (4 + len(inside) + 3, flag + inside)]
    assert (whole.error, whole.rest) == (None, b"")
    for cut in every_cut(stream):
        assert outcome(form, cut) == whole
    out = []
    assert form.scan(stream * 20, 0, len(stream) * 20, 1 << 62, out) == len(stream) * 20 - 4
    assert out == [b"a"] * 40


@pytest.mark.parametrize("form", SKIPPING, ids=repr)
def test_an_idle_line_takes_no_memory_and_no_limit(form):
    parser = FrameParser(form.limited(8))
    for _ in range(50):
        parser.feed(form.flag * 1000)
        assert parser.next_frame() is None
        assert parser.pending_size == 1
    parser.feed(form.serialize(b"a"))
    assert parser.next_frame().payload == b"a"
    assert parser.finish() is None
    assert parser.next_frame() is None


@pytest.mark.parametrize("form", SKIPPING, ids=repr)
def test_filler_is_skipped_to_the_same_place_however_it_comes(form):
    flag = form.flag
    for size in (0, 1, 2, 255, 256, 257, 511, 5000):
        kept = max(0, size - 1)
        assert form.skip(flag * size + b"a", 0, size + 1, False) == kept
        assert form.skip(b"a" + flag * size + b"a", 1, size + 1, False) == 1 + kept
        assert form.skip(flag * size, 0, size, True) == size
        assert form.skip(bytearray(flag * size + b"a"), 0, size + 1, True) == kept


def test_a_frame_between_two_flags_that_nobody_has_skipped():
    form = SlipFormat()
    with pytest.raises(HeaderError) as caught:
        form.payload(b"\xc0\xc0", 0, 2)
    assert (caught.value.offset, caught.value.field) == (1, "content")


@pytest.mark.parametrize("form", [HdlcFormat(fcs=0), SlipFormat()], ids=repr)
def test_an_empty_payload_that_would_get_lost_is_refused(form):
    with pytest.raises(EncodeError):
        form.serialize(b"")


@pytest.mark.parametrize("form", FORMS, ids=repr)
def test_payloads_of_other_types(form):
    assert form.serialize(bytearray(b"ab")) == form.serialize(memoryview(b"ab")) == form.serialize(b"ab")
    with pytest.raises(TypeError):
        form.serialize(5)
    with pytest.raises(TypeError):
        form.serialize("ab")


@pytest.mark.parametrize("form", FORMS, ids=repr)
def test_a_frame_that_does_not_end_is_refused_at_the_limit(form):
    small = form.limited(50)
    parser = FrameParser(small)
    for _ in range(49):
        parser.feed(b"\x01")
        assert parser.take_payloads() == []
    parser.feed(b"\x01")
    with pytest.raises(FrameTooLargeError) as caught:
        parser.take_payloads()
    assert (caught.value.offset, caught.value.frame_number, caught.value.max_frame_size) == (0, 0, 50)
    assert parser.pending_size <= 51


def test_many_at_once_stop_at_one_over_the_limit():
    form = SlipFormat(max_frame_size=20)
    for size, error in ((18, None), (19, None), (20, FrameTooLargeError)):
        stream = b"a\xc0" * 40 + b"b" * size + b"\xc0" + b"a\xc0" * 40
        whole = outcome(form, [stream], finish=False)
        parser = FrameParser(form)
        parser.feed(stream)
        assert parser.take_payloads() == whole.payloads
        assert (whole.error and whole.error[0]) == error


@pytest.mark.parametrize("form", [CobsFormat(), SlipFormat(), HdlcFormat()], ids=repr)
def test_an_unfinished_frame_is_searched_once(form):
    searched = 0

    class Buffer(bytearray):
        def find(self, what, begin, end):
            nonlocal searched
            searched += end - begin
            return super().find(what, begin, end)

    buffer, measure = Buffer(), form.measurer()
    for size in range(1, 3000):
        buffer += b"\x01"
        assert measure(buffer, 0, size) is None
    assert searched <= 3000
    buffer += form.flag
    assert measure(buffer, 0, len(buffer)) == 3000
    assert measure(b"\x01" + form.flag, 0, 2) == 2  # and it has forgotten the last one


@settings(max_examples=20)
@given(st.sampled_from([CobsFormat(), SlipFormat(), HdlcFormat(fcs=0)]), st.integers(1, 3))
def test_memory_follows_the_bytes(form, factor):
    wire = form.serialize(b"x" * 100_000 * factor)
    parser = FrameParser(form)
    tracemalloc.start()
    try:
        for place in range(0, len(wire), 1000):
            parser.feed(wire[place : place + 1000])
            parser.take_payloads()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 * len(wire)
