"""Where frames go on behind a gap: never where none begins, and how it is told."""

import importlib.util
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import get_format, get_protocol
from framing.capture.decoding import ConversationDecoder
from framing.capture.resync import HELD_SIZE, Held, Resync, Sample, Seen
from framing.toml import parse_protocol

ROOT = Path(__file__).parents[2]
OWN = ROOT / "tests/corpus"
CORPORA = [OWN] + ([Path(os.environ["FRAMING_CORPUS"])] if os.environ.get("FRAMING_CORPUS") else [])

_SPEC = importlib.util.spec_from_file_location("bench_resync", ROOT / "tests/bench/bench_resync.py")
bench = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(bench)

HEADER = 'header("type:u8=1|2|3 flags:u8 length:u16be", max_frame_size=4000)'


@pytest.mark.parametrize("corpus", CORPORA, ids=lambda path: path.name)
def test_no_hole_in_a_real_capture_is_resumed_wrongly(corpus):
    """Each flow with a packet taken out, compared with the flow as it was."""
    results, hows = bench.run(corpus, count=2)
    counts = sum(results.values(), start=type(hows)())
    print(bench.table(results, hows))
    assert counts["wrong"] == 0
    assert counts["right"] > 0.75 * counts.total() > 100
    assert {how for result, how in hows if result == "right"} == {"size", "chain", "delimiter"}


@pytest.mark.parametrize("corpus", CORPORA, ids=lambda path: path.name)
def test_nor_where_packets_end_anywhere(corpus):
    """The same bytes, cut anew: nearly every hole ends inside a frame."""
    results, hows = bench.run(corpus, sizes=(60, 536))
    counts = sum(results.values(), start=type(hows)())
    assert counts["wrong"] == 0
    assert counts["right"] > 0.3 * counts.total() > 30


def frame(kind, payload):
    return bytes((kind, 0)) + len(payload).to_bytes(2, "big") + payload


def frames(kind, payload, count):
    form = get_format(HEADER)
    return [form.frame(frame(kind, payload), 0)] * count


def decoder(protocol=HEADER + "/raw"):
    return ConversationDecoder(get_protocol(protocol), {"client": "c", "server": "s"})


def run(decoder, *parts):
    """Feed bytes, and gaps as numbers; return the records."""
    records, offset = [], 0
    for number, part in enumerate(parts, 1):
        if isinstance(part, int):
            records += decoder.gap("client", (offset, part, "acknowledged"), None, number)
            offset += part
        else:
            records += decoder.feed("client", part, 10 * number, number)
            offset += len(part)
    records += decoder.finish("client", "fin")
    return records


def shown(records):
    return [
        (one.type, one.offset, one.size, one.packet_number) if one.type == "frame" else (one.type, one.offset)
        for one in records
    ]


def test_the_size_of_the_torn_frame_tells_where_it_ends():
    subject = decoder()
    whole = frame(1, b"x" * 100)
    records = run(subject, frame(2, b"ab"), whole[:20], 50, whole[70:] + frame(3, b"c"))
    assert shown(records) == [("frame", 0, 6, 1), ("gap", 26), ("frame", 110, 5, 4)]
    gap = records[1]
    assert (gap.resumed_offset, gap.confirmed, gap.pending_size) == (110, "size", 20)
    summary = subject.summary("client")
    assert (summary.frame_count, summary.size, summary.skipped_size, summary.tail_size) == (2, 65, 54, 0)


def test_a_gap_that_ends_with_the_torn_frame():
    whole = frame(1, b"x" * 100)
    records = run(decoder(), whole[:20], 84, frame(3, b"c"))
    assert shown(records) == [("gap", 20), ("frame", 104, 5, 3)]
    assert records[0].confirmed == "size"


def test_a_torn_frame_that_ends_inside_the_gap_tells_nothing():
    whole = frame(1, b"x" * 30)
    records = run(decoder(), whole[:20], 84, b"\2\0\0")
    assert shown(records) == [("gap", 20)]
    assert records[0].resumed_offset is None


def test_the_next_delimiter_tells():
    records = run(decoder("lines/raw"), b"one\ntw", 10, b"ee\nfour\nfi", 3, b"x\nsix\n")
    assert [(one.type, one.message) for one in records if one.type == "frame"] == [
        ("frame", b"one"), ("frame", b"four"), ("frame", b"six"),
    ]  # fmt: skip
    gaps = [(one.offset, one.size, one.pending_size, one.resumed_offset, one.confirmed) for one in records if
            one.type == "gap"]  # fmt: skip
    assert gaps == [(6, 10, 2, 19, "delimiter"), (26, 3, 2, 31, "delimiter")]


def test_a_chain_of_frames_like_those_before_tells_and_its_records_have_their_packets():
    sent = [frame(1 + number % 3, b"item %4d" % number + b"-" * (number % 5)) for number in range(40)]
    subject = decoder()
    records = run(subject, *sent[:12], len(sent[12]), *sent[13:])
    (gap,) = [one for one in records if one.type == "gap"]
    place = sum(map(len, sent[:13]))
    assert (gap.resumed_offset, gap.confirmed) == (place, "chain")
    frames = [one for one in records if one.type == "frame"]
    assert [one.frame.data for one in frames] == [*sent[:12], *sent[13:]]
    # The packet that completed each one, though some had to wait.
    assert [one.packet_number for one in frames] == [*range(1, 13), *range(14, 41)]
    assert [one.number for one in frames] == list(range(39))
    assert subject.summary("client").skipped_size == 0


def test_bytes_that_look_like_nothing_are_no_answer_and_all_are_accounted_for():
    subject = decoder()
    noise = [bytes((7 * number + at) % 251 for at in range(60)) for number in range(20)]
    records = run(subject, frame(1, b"a"), 10, *noise)
    assert shown(records) == [("frame", 0, 5, 1), ("gap", 5)]
    summary = subject.summary("client")
    assert (summary.size, summary.skipped_size, summary.tail_size) == (1205, 1200, 0)


def test_another_gap_before_the_answer_ends_the_search_of_the_first():
    records = run(decoder("lines/raw"), b"one\n", 5, b"no end", 7, b"x\nlast\n")
    assert [(one.type, getattr(one, "resumed_offset", None)) for one in records] == [
        ("frame", None), ("gap", None), ("gap", 24), ("frame", None),
    ]  # fmt: skip


def test_what_waits_is_bounded():
    resync = Resync(get_protocol("u32be(max_frame_size=1000000000)/raw").client.wire, 0, torn_end=None, is_torn=True,
                    heads=[])  # fmt: skip
    for number in range(40):
        assert not resync.add(Held(b"\0\x80\0\0" + b"\0" * 65532, None, number))
        assert len(resync._buffer) <= HELD_SIZE + 65536
    assert not resync.end(is_whole=True)


@given(st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=12), st.booleans(), st.booleans())
def test_whatever_comes_what_is_handed_out_is_what_came(chunks, is_torn, is_whole):
    sample = Sample()
    sample.add(frames(1, b"abc", 20))
    heads = sample.heads(sample.format)
    for name in (HEADER, "u8", "varint", "cobs", "netstring", "json_stream"):
        resync = Resync(get_protocol(f"{name}/raw").client.wire, 7, torn_end=None, is_torn=is_torn, heads=heads)
        found = any(resync.add(Held(chunk, None, number)) for number, chunk in enumerate(chunks))
        if found or resync.end(is_whole=is_whole):
            came = b"".join(chunks)
            taken = b"".join(held.data for held in resync.taken())
            assert came[resync.offset - 7 :].startswith(taken)
            assert taken or resync.offset - 7 <= len(came)


def test_a_byte_that_never_changed_is_taken_for_a_constant_only_after_many_frames():
    few, many = Sample(), Sample()
    few.add(frames(1, b"abc", 3))
    many.add(frames(1, b"abc", 20))
    form = few.format
    assert len(few.heads(form)) < 8 <= len(many.heads(many.format))
    assert form.min_size == 4


def test_what_other_directions_have_seen_counts_in_the_order_in_which_they_began():
    seen, form = Seen(), get_format(HEADER)
    late, early, silent = seen.begin(), seen.begin(), seen.begin()
    early.add(frames(2, b"", 9))
    late.add(frames(1, b"", 2))
    assert silent.heads(form) == [frame(1, b"")] * 2 + [frame(2, b"")] * 4
    assert late.heads(form) == [frame(1, b"")] * 4 + [frame(2, b"")] * 4
    assert silent.heads(get_format("u16be")) == []


def test_directions_without_frames_make_room_for_others():
    seen, form = Seen(), get_format(HEADER)
    silent = [seen.begin() for _ in range(20)]
    heard = seen.begin()
    heard.add(frames(1, b"", 1))
    assert silent[0].heads(form) == [frame(1, b"")]


def test_of_more_directions_than_are_kept_those_count_that_began_first_in_whatever_order_they_are_cut():
    samples, form = {}, get_format(HEADER)
    for turn in (1, -1):
        seen = Seen()
        begun = [seen.begin() for _ in range(12)]
        for number, sample in list(enumerate(begun))[::turn]:
            sample.add([form.frame(bytes((1, number, 0, 0)))])
        samples[turn] = seen.heads(form, begun[0])
    assert samples[1] == samples[-1] == [bytes((1, number, 0, 0)) for number in range(1, 8)]


def test_heads_of_few_frames_count_as_first_and_as_last_ones():
    one, form = Sample(), get_format(HEADER)
    for number in range(1, 31):
        one.add([form.frame(bytes((1, 0, 0, 1, number)))])
        heads = [head[-1] for head in one.heads(one.format)]
        assert heads == [*range(1, min(number, 12) + 1), *range(max(1, number - 3), number + 1)]


UNCERTAIN = parse_protocol(
    """
    name = "uncertain"
    [client.phases.greeting]
    format = "lines"
    after = [{ payload = "start", client = "frames" }]
    [client.phases.frames]
    header = "type:u8=1|2|3 flags:u8 length:u16be"
    [server]
    header = "length:u8"
    """,
    "uncertain.toml",
)


def test_in_a_phase_that_a_missing_frame_may_have_ended_the_mid_stream_one_is_sought():
    sent = [frame(1 + number % 3, b"item %4d" % number) for number in range(30)]
    subject = ConversationDecoder(UNCERTAIN, {"client": "c", "server": "s"})
    records = run(subject, b"hello\nst", 4, *sent)
    (gap,) = [one for one in records if one.type == "gap"]
    assert (gap.resumed_offset, gap.confirmed) == (12 + len(sent[0]), "chain")  # the first one could be luck
    assert [one.frame.data for one in records if one.type == "frame"] == [b"hello\n", *sent[1:]]


def test_a_region_that_a_recovery_policy_passes_over_ends_at_a_gap():
    records = run(decoder("lines(max_frame_size=8, recovery=delimiter)/raw"), b"one\n" + b"x" * 20, 5, b"y\ntwo\n")
    assert [one.type for one in records] == ["frame", "error", "gap", "frame"]
    assert (records[1].offset, records[1].error.region_size) == (4, 20)
    assert records[2].resumed_offset == 31


COMMANDS = parse_protocol(
    """
    name = "commands"
    [both]
    format = "choice"
    [both.cases.GET]
    format = "lines"
    [both.cases.0xa55a]
    header = "magic:bytes2=0xa55a kind:u8 length:u8"
    """,
    "commands.toml",
)


@pytest.mark.parametrize("torn", [b"", b"\xa5"])
def test_cases_that_all_have_constants_tell_even_if_one_ends_with_a_delimiter(torn):
    both = b"GET /a/b\r\n" + b"\xa5\x5a\x07\x05abcde"
    before, behind = both * 6, both * 4
    missing = 40 - len(torn)
    records = run(
        ConversationDecoder(COMMANDS, {"client": "c", "server": "s"}), before + torn, missing, behind, both, both
    )
    (gap,) = [one for one in records if one.type == "gap"]
    start = len(before) + 40
    assert gap.confirmed == "chain"
    assert gap.resumed_offset in (start, start + 10)  # where a frame was torn, the first one is left out
    assert records[-1].message.value == b"abcde"
    assert records[-1].offset + records[-1].size == start + 6 * len(both)


def test_what_does_not_tell_its_size_is_read_no_further_than_4096_bytes():
    line = b"GET " + b"x" * 5000 + b"\r\n"
    before = (b"GET /a/b\r\n" + b"\xa5\x5a\x07\x05abcde") * 6
    records = run(ConversationDecoder(COMMANDS, {"client": "c", "server": "s"}), before, 40, line * 20)
    (gap,) = [one for one in records if one.type == "gap"]
    assert gap.resumed_offset is None


def test_a_large_frame_in_small_packets_is_weighed_a_bounded_number_of_times(monkeypatch):
    weigh, sizes = Resync._weigh, []
    monkeypatch.setattr(Resync, "_weigh", lambda resync, *given: (sizes.append(1), weigh(resync, *given))[0])
    heads = [one.data for one in frames(1, b"abc", 4)]
    resync = Resync(get_protocol("u32be/raw").client.wire, 0, torn_end=None, is_torn=True, heads=heads)
    data = (3).to_bytes(4, "big") + b"abc" + (90_000).to_bytes(4, "big") + b"\xff" * 9000
    for number in range(len(data)):
        assert not resync.add(Held(data[number : number + 1], 0, number))
    assert 0 < len(sizes) <= 600
