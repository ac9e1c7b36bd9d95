"""FrameParser: any cut, any mix of pulls, limits, poison, and time and memory counted in bytes."""

import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framing import (
    FrameError,
    FrameFormat,
    FrameParser,
    FrameTooLargeError,
    HeaderError,
    TruncatedFrameError,
    get_format,
)
from framing.formats.delimiter import DelimiterFormat
from framing.testing import check_format, every_cut, outcome
from framing.testing.cuts import error_facts

NAMES = ["u8", "u16be", "u24le", "u32be", "varint", "netstring", "lines", 'delimiter(";;")']
FORMS = [
    *map(get_format, NAMES),
    get_format("delimiter", delimiters=["\r\n", "\n"]),
    get_format("header", header="length:u16be", trailer="end:u8=0xce"),
    get_format("header", header="(version:4=2 kind:4=1):u8 length:u24be", counts="frame"),
]

payloads = st.lists(st.binary(max_size=20).map(lambda data: data.translate(None, b"\r\n;")), max_size=8)
forms = st.sampled_from(FORMS)


def cut(data, places):
    places = sorted(place % (len(data) + 1) for place in places)
    return [data[begin:end] for begin, end in zip([0, *places], [*places, len(data)], strict=True)]


def counted(form, store):
    parser = FrameParser(form)
    parser._store = store
    return parser


@given(forms, payloads, st.lists(st.integers(0, 1 << 16), max_size=12))
def test_any_cut_gives_the_frames_that_were_serialized(form, payloads, places):
    wires = [form.serialize(payload) for payload in payloads]
    whole = outcome(form, [b"".join(wires)])
    assert (whole.payloads, whole.error, whole.rest) == (payloads, None, b"")
    assert [data for _, data in whole.frames] == wires
    assert outcome(form, cut(b"".join(wires), places)) == whole


@given(forms, st.binary(max_size=60), st.lists(st.integers(0, 1 << 16), max_size=12))
def test_any_cut_of_any_bytes_gives_the_same_frames_and_the_same_error(form, data, places):
    whole = outcome(form, [data])
    assert outcome(form, cut(data, places))[:3] == whole[:3]


def pulled(parser, how, limit):
    """Pull in one of the ways there are and return payloads."""
    if how == "frame":
        frame = parser.next_frame()
        return [] if frame is None else [frame.payload]
    if how == "frames":
        return [frame.payload for frame in parser.take_frames(limit)]
    if how == "views":
        return [bytes(view) for view in parser.take_views(limit)]
    if how == "unread":
        parser.feed(parser.unread())
        return []
    return parser.take_payloads(limit)


ways = st.lists(
    st.tuples(
        st.sampled_from(["frame", "frames", "payloads", "views", "unread"]), st.sampled_from([None, 0, 1, 2, 40])
    ),
    max_size=4,
)


@settings(max_examples=400)
@given(forms, payloads, st.lists(st.tuples(st.integers(0, 1 << 16), ways), max_size=10), st.binary(max_size=3))
def test_any_mix_of_pulls_gives_the_same_payloads(form, payloads, steps, damage):
    data = b"".join(map(form.serialize, payloads)) + damage
    whole = outcome(form, [data])
    steps = sorted(((place % (len(data) + 1), ways) for place, ways in steps), key=lambda step: step[0])
    parser, taken, begin = FrameParser(form), [], 0
    try:
        for place, how in [*steps, (len(data), [])]:
            parser.feed(data[begin:place])
            begin = place
            for way, limit in how:
                some = pulled(parser, way, limit)
                assert limit is None or way == "frame" or len(some) <= limit
                taken += some
                assert parser.frame_count == len(taken)
                assert parser.offset == sum(len(data) for _, data in whole.frames[: len(taken)])
        parser.finish()
        while some := parser.take_payloads(1):
            taken += some
        error = None
    except FrameError as raised:
        error = error_facts(raised)
    assert (taken, error) == (whole.payloads, whole.error)


@pytest.mark.parametrize("form", FORMS, ids=repr)
def test_a_small_frame_behind_a_large_one_is_not_held_back_by_a_limit(form):
    wires = [form.serialize(payload) for payload in (b"x" * 100, b"ab", b"cd")]
    data = b"".join(wires)
    parser = FrameParser(form)
    parser.feed(data[:50])
    assert parser.next_frame() is None
    parser.feed(data[50:])
    assert [parser.next_frame().payload for _ in wires] == [b"x" * 100, b"ab", b"cd"]
    assert parser.next_frame() is None


@pytest.mark.parametrize("form", FORMS, ids=repr)
def test_payloads_one_at_a_time_are_all_payloads(form):
    parser = FrameParser(form)
    parser.feed(b"".join(map(form.serialize, (b"x" * 100, b"ab", b"cd"))))
    assert [parser.take_payloads(1) for _ in range(4)] == [[b"x" * 100], [b"ab"], [b"cd"], []]


def test_a_large_payload_counts_against_the_limit_of_its_batch():
    form = get_format("u16be")
    parser = FrameParser(form)
    parser.feed(form.serialize(b"x" * 3000)[:1500])
    assert parser.take_payloads() == []
    parser.feed(b"x" * 1000)
    parser.feed(b"x" * 502 + form.serialize(b"next"))
    assert parser.take_payloads(1) == [b"x" * 3000]
    assert parser.take_payloads(1) == [b"next"]


@pytest.mark.parametrize("limit", [1, 2, 3])
@pytest.mark.parametrize("form", FORMS, ids=repr)
def test_the_end_does_not_come_before_the_chunks_that_wait_behind_a_backlog(form, limit):
    wires = [form.serialize(payload) for payload in (b"", b"a", b"bc", b"def", b"", b"ghijk")]
    stream = b"".join(wires)
    for place in range(len(stream)):
        parser, taken = FrameParser(form), []
        parser.feed(stream[:place])
        taken += parser.take_payloads(limit)
        parser.feed(stream[place:])
        taken += parser.take_payloads(limit)
        parser.finish()
        while some := parser.take_payloads(limit):
            taken += some
        assert taken == [b"", b"a", b"bc", b"def", b"", b"ghijk"]


def test_a_search_that_was_finished_by_another_pull_starts_over():
    parser = FrameParser(get_format("lines"))
    parser.feed(b"hello")
    assert parser.take_payloads() == []
    parser.feed(b"\n")
    assert parser.take_payloads() == [b"hello"]
    parser.feed(b"x\nyyyyyy\n")
    assert [frame.payload for frame in parser.take_frames()] == [b"x", b"yyyyyy"]


class Masked(FrameFormat):
    """A length, and a payload whose bits are inverted on the wire: `payload` is overridden, `bounds` is not enough."""

    name = "masked"
    min_size = 2

    def measure(self, buffer, start, end):
        return 2 + int.from_bytes(buffer[start : start + 2], "big") if end - start >= 2 else None

    def bounds(self, buffer, start, end):
        return start + 2, end

    def payload(self, buffer, start, end):
        return bytes(byte ^ 0xFF for byte in buffer[start + 2 : end])

    def serialize(self, payload, fields=None):
        return len(payload).to_bytes(2, "big") + bytes(byte ^ 0xFF for byte in payload)


def test_a_payload_that_lies_changed_in_its_frame_is_the_same_at_any_cut():
    wire = Masked().serialize(b"hello, world")
    for chunks in every_cut(wire):
        parser, taken = FrameParser(Masked()), []
        for chunk in chunks:
            parser.feed(chunk)
            if len(chunks) < 4:
                taken += parser.take_payloads()
        assert taken + parser.take_payloads() == [b"hello, world"]


class Stuck(Masked):
    name = "stuck"

    def __init__(self, total):
        self.total = total

    def measure(self, buffer, start, end):
        return self.total


@pytest.mark.parametrize("total", [0, -1])
def test_a_format_that_makes_no_progress_is_an_error_not_a_loop(total):
    parser = FrameParser(Stuck(total))
    parser.feed(b"abc")
    with pytest.raises(HeaderError, match="would never end") as caught:
        parser.take_frames()
    assert (caught.value.offset, caught.value.frame_number) == (0, 0)


def test_frames_before_a_bad_byte_come_first_and_then_always_the_same_error():
    form = get_format("netstring")
    for chunks in every_cut(b"1:a,2:bc,x3:def,"):
        parser = FrameParser(form)
        for chunk in chunks:
            parser.feed(chunk)
        assert parser.take_payloads() == [b"a", b"bc"]
        errors = []
        for pull in (parser.take_frames, parser.take_payloads, parser.next_frame, parser.take_views):
            with pytest.raises(HeaderError) as caught:
                pull()
            errors.append(caught.value)
        assert len({id(error) for error in errors}) == 1
        assert (errors[0].offset, errors[0].frame_number, errors[0].field, errors[0].found) == (9, 2, "length", b"x")


def test_bytes_behind_an_error_are_dropped():
    parser = FrameParser(get_format("netstring"))
    parser.feed(b"x0")
    with pytest.raises(HeaderError):
        parser.next_frame()
    kept = parser.pending_size
    for _ in range(100):
        parser.feed(bytes(1 << 16))
    assert parser.pending_size == kept
    assert parser.error is not None


def test_an_error_names_its_place_in_the_whole_stream():
    parser = FrameParser(get_format("netstring"), offset=1000, frame_count=7)
    parser.feed(b"1:a,")
    assert parser.next_frame().offset == 1000
    parser.feed(b"1:ab")
    with pytest.raises(HeaderError) as caught:
        parser.next_frame()
    assert (caught.value.offset, caught.value.frame_number, caught.value.field) == (1007, 8, "comma")


def test_the_end_inside_a_frame_says_how_much_came():
    parser = FrameParser(get_format("u32be"))
    parser.feed(bytes.fromhex("00000001 61 0000000a 6263"))
    parser.finish()
    assert parser.take_payloads() == [b"a"]
    with pytest.raises(TruncatedFrameError) as caught:
        parser.take_payloads()
    error = caught.value
    assert (error.offset, error.frame_number, error.pending_size, error.frame_size) == (5, 1, 6, 14)


def test_the_end_at_a_boundary_is_clean():
    parser = FrameParser(get_format("u8"))
    parser.feed(b"\x01a")
    parser.finish()
    assert parser.take_payloads() == [b"a"]
    assert parser.take_payloads() == []
    assert parser.finished
    with pytest.raises(RuntimeError):
        parser.feed(b"")


def test_a_callers_buffer_may_be_used_again():
    parser = FrameParser(get_format("u8"))
    buffer = bytearray(b"\x05hel")
    parser.feed(buffer)
    buffer[:] = b"lo\0"
    parser.feed(memoryview(buffer))
    buffer[:] = b"zzz"
    assert parser.take_payloads() == [b"hello", b""]


def test_needed_size_is_what_the_next_decision_waits_for():
    parser = FrameParser(get_format("u32be"))
    assert parser.needed_size == 4
    parser.feed(b"\0\0")
    assert parser.needed_size == 2
    parser.feed(b"\0\x05a")
    assert parser.next_frame() is None
    assert (parser.needed_size, parser.pending_size) == (4, 5)
    lines = FrameParser(get_format("lines"))
    lines.feed(b"abc")
    assert lines.next_frame() is None
    assert lines.needed_size is None


def test_unread_hands_on_what_is_no_frame_yet():
    parser = FrameParser(get_format("u8"), offset=10)
    parser.feed(b"\x01a\x05he")
    assert parser.take_payloads() == [b"a"]
    parser.feed(b"l")
    assert parser.peek(2) == b"\x05h"
    assert parser.peek(100) == b"\x05hel"
    assert (parser.unread(), parser.offset, parser.pending_size) == (b"\x05hel", 12, 0)
    parser.feed(b"\x01b")
    assert parser.next_frame().offset == 12


def test_views_are_read_only_and_copy_nothing():
    chunk = b"\x03abc\x02de"
    parser = FrameParser(get_format("u8"))
    parser.feed(chunk)
    views = parser.take_views()
    assert [bytes(view) for view in views] == [b"abc", b"de"]
    assert all(view.readonly and view.obj is chunk for view in views)


@pytest.mark.parametrize("chunk_size", [1, 2, 3, 100, 5000])
@pytest.mark.parametrize("form", FORMS, ids=repr)
def test_bytes_are_copied_a_few_times_whatever_the_chunks(form, chunk_size, counted_store):
    data = b"".join(form.serialize(b"x" * size) for size in (0, 1, 5, 80, 200, 30, 250) for _ in range(20))
    parser = counted(form, counted_store)
    for begin in range(0, len(data), chunk_size):
        parser.feed(data[begin : begin + chunk_size])
        parser.take_payloads()
    assert parser.offset == len(data)
    assert counted_store.copied_size <= 6 * len(data)


@pytest.mark.parametrize("chunk_size", [1, 7, 1 << 10])
@pytest.mark.parametrize("name", ["u32be", "netstring", "lines"])
def test_a_large_frame_is_copied_a_few_times_whatever_the_chunks(name, chunk_size, counted_store):
    data = get_format(name).serialize(b"x" * (1 << 17))
    parser = counted(get_format(name), counted_store)
    for begin in range(0, len(data), chunk_size):
        parser.feed(data[begin : begin + chunk_size])
        parser.take_frames()
    assert parser.frame_count == 1
    assert counted_store.copied_size <= 6 * len(data)


@pytest.mark.parametrize("form", FORMS, ids=repr)
def test_a_backlog_is_not_copied_for_each_frame_pulled(form, counted_store):
    # Three frames a chunk and one pull: what is left grows with the stream.
    parser = counted(form, counted_store)
    chunk = form.serialize(b"abcdef") * 3
    for _ in range(1000):
        parser.feed(chunk)
        assert parser.next_frame().payload == b"abcdef"
    while parser.next_frame():
        pass
    assert parser.frame_count == 3000
    assert counted_store.copied_size <= 6 * 1000 * len(chunk)


def test_a_backlog_is_not_copied_where_frames_depend_on_those_before(counted_store):
    form = get_format("rtmp_chunks")
    first = {"chunk_type": 0, "chunk_stream": 3, "timestamp": 0, "message_length": 4, "message_type": 8}
    parser = counted(form, counted_store)
    parser.feed(form.serialize(b"abcd", first | {"message_stream": 1}))
    assert parser.next_frame().payload == b"abcd"
    chunk = form.serialize(b"wxyz", {"chunk_type": 3, "chunk_stream": 3}) * 3
    for _ in range(1000):
        parser.feed(chunk)
        assert parser.next_frame().payload == b"wxyz"
    assert counted_store.copied_size <= 6 * 1000 * len(chunk)


@pytest.mark.parametrize("pull", [FrameParser.take_frames, FrameParser.take_payloads, FrameParser.take_views])
def test_nothing_is_taken_from_a_backlog_if_there_is_no_room(pull):
    parser = FrameParser(get_format("u8"))
    parser.feed(b"\1a\1b")
    assert len(pull(parser, 1)) == 1
    parser.feed(b"\1c")
    assert pull(parser, 0) == []
    assert len(pull(parser)) == 2


class Watched(DelimiterFormat):
    """Counts the bytes that were searched."""

    looked_size = 0

    def measure_from(self, buffer, start, end, looked):
        total = super().measure_from(buffer, start, end, looked)
        Watched.looked_size += (end if total is None else start + total) - min(looked, end)
        return total


def test_a_delimiter_is_sought_once_in_each_byte():
    Watched.looked_size = 0
    data = (b"x" * 5000 + b"\r\n") * 4
    parser = FrameParser(Watched([b"\r\n", b"boundary"]))
    for place in range(len(data)):
        parser.feed(data[place : place + 1])
        parser.take_frames()
    parser.finish()
    parser.take_frames()
    assert parser.frame_count == 4
    assert Watched.looked_size <= 16 * len(data)  # eight for the delimiter that may have begun, twice a frame


def peak_size(function):
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        function()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def test_announcing_4_gib_costs_nothing():
    parser = FrameParser(get_format("u32be"))

    def announce():
        parser.feed(b"\xff\xff\xff\xff" + b"x" * 1000)
        with pytest.raises(FrameTooLargeError) as caught:
            parser.take_payloads()
        assert caught.value.frame_size == (1 << 32) + 3

    assert peak_size(announce) < 64 * 1024


def test_an_accepted_announcement_costs_nothing_until_the_bytes_come():
    parser = FrameParser(get_format("u32be", max_frame_size=(1 << 32) + 3))

    def announce():
        parser.feed(b"\xff\xff\xff\xff" + b"x" * 1000)
        assert parser.take_payloads() == []

    assert peak_size(announce) < 64 * 1024


@pytest.mark.parametrize("pull", ["take_payloads", "take_frames"])
def test_a_64_mib_frame_costs_at_most_a_little_more_than_twice_its_size(pull):
    size = 64 << 20
    parser = FrameParser(get_format("u32be", max_frame_size=size + 4))

    def receive():
        taken = []
        parser.feed(size.to_bytes(4, "big"))
        for _ in range(size >> 14):
            parser.feed(bytes(1 << 14))
            taken += getattr(parser, pull)()
        assert len(taken) == 1

    assert peak_size(receive) <= 2.2 * size


@pytest.mark.parametrize("chunk_size", [1, 2, 100])
def test_small_chunks_of_a_large_frame_cost_no_more(chunk_size):
    size = 1 << 17
    parser = FrameParser(get_format("u32be", max_frame_size=size + 4))

    def receive():
        parser.feed(size.to_bytes(4, "big"))
        for place in range(0, size, chunk_size):
            parser.feed(bytes(min(chunk_size, size - place)))
            parser.next_frame()
        assert parser.frame_count == 1

    assert peak_size(receive) <= 2.5 * size


class Padded(FrameFormat):
    """A third party's: blanks between frames, and payloads written backwards."""

    name = "padded"

    def measure(self, buffer, start, end):
        return 1 + buffer[start] - 0x40

    def skip(self, buffer, start, end, ended):
        return start + len(buffer[start:end]) - len(buffer[start:end].lstrip(b" "))

    def bounds(self, buffer, start, end):
        return start + 1, end

    def payload(self, buffer, start, end):
        return bytes(buffer[start + 1 : end])[::-1]

    def serialize(self, payload, fields=None):
        data = bytes((0x40 + len(payload),)) + payload[::-1]
        self.check_size(len(data))
        return data


def test_what_is_between_frames_is_no_part_of_them():
    check_format(Padded(), [b"", b"a", b"hello"])
    stream = b"  Cabc   @ Bxy  "
    whole = outcome(Padded(), [stream])
    assert whole.frames == [(2, b"Cabc"), (9, b"@"), (11, b"Bxy")]
    assert (whole.error, whole.rest) == (None, b"")
    for chunks in every_cut(stream):
        assert outcome(Padded(), chunks) == whole
    parser = FrameParser(Padded())
    parser.feed(stream)
    assert parser.take_payloads(2) == [b"cba", b""]
    assert (parser.batch_offset(0), parser.batch_offset(1), parser.offset) == (2, 9, 10)
    parser.rewind(1)
    assert parser.take_payloads() == [b"", b"yx"]
    assert (parser.offset, parser.pending_size, parser.needed_size) == (16, 0, 1)


def test_what_is_between_frames_is_dropped_and_does_not_count():
    parser = FrameParser(Padded().limited(3))
    for _ in range(9):
        parser.feed(b" " * 100)
        assert parser.next_frame() is None
        assert parser.pending_size == 0
    parser.feed(b"Cabc")
    with pytest.raises(FrameTooLargeError) as caught:
        parser.next_frame()
    assert caught.value.offset == 900


def test_one_frame_at_a_time_with_something_between():
    parser, taken = FrameParser(Padded()), []
    for _ in range(9):
        parser.feed(b"Aa   Ab  ")
        taken += parser.take_payloads(1)
    parser.finish()
    while batch := parser.take_payloads(1):
        taken += batch
    assert taken == [b"a", b"b"] * 9


def test_views_of_payloads_that_are_no_part_of_the_frame():
    parser = FrameParser(Padded())
    parser.feed(b"Cabc Bxy")
    assert [bytes(view) for view in parser.take_views()] == [b"cba", b"yx"]


def test_after_an_error_nothing_is_known_of_a_size_that_was_told_before():
    # The first frame was announced and completed; what follows has no length, so its bounds must not be asked for.
    parser = FrameParser(get_format("octet_counting"))
    parser.feed(b"3 a")
    assert parser.take_payloads() == []
    parser.feed(b"bcx" + b"y" * 40)
    assert parser.take_payloads() == [b"abc"]
    for pull in (parser.take_payloads, parser.take_frames, parser.take_views):
        with pytest.raises(HeaderError):
            pull()
