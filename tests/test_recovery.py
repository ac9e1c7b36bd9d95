"""Recovery policies: what is delivered around damage, that every byte is accounted for, at any cut, in bounded room."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import (
    ChecksumError,
    Conversation,
    DefinitionError,
    FrameError,
    FrameFormat,
    FrameParser,
    HeaderError,
    MessageReader,
    WireFormat,
    get_codec,
    get_format,
    get_protocol,
)
from framing.formats.fields.checksums import CHECKSUMS, Checksum
from framing.join import Join
from framing.recovery import POLICY_NAMES, can_recover, check_recovery
from framing.testing import recovered
from framing.testing.observation import peak_memory
from framing.testing.recovery import check_accounts

MAGIC = get_format("header", header="magic:bytes2=MG length:u16be", trailer="sum:u16be=crc16_x25(header payload)")
PLAIN_MAGIC = get_format("header", header="magic:bytes2=MG length:u8 kind:u8=1|2")
LINES = get_format("lines", max_frame_size=30)
FORMS = {
    "skip": [MAGIC, get_format("u8", max_frame_size=9), get_format("netstring", max_frame_size=12)],
    "delimiter": [
        LINES,
        get_format("delimiter", delimiters=["\r\n", "\n", "\r\n\r\n"], write="\r\n\r\n", max_frame_size=20),
        get_format("cobs", max_frame_size=30),
        get_format("slip", max_frame_size=30),
        get_format("hdlc", max_frame_size=30),
        get_format("enclosed", start="<", stop=">", max_frame_size=30),
        get_format("enclosed", start="<<", stop="/>", start_inside=True, max_frame_size=30),
    ],
    "magic": [
        MAGIC,
        PLAIN_MAGIC,
        get_format("varint", header="magic:bytes2=MM length:varint2", max_frame_size=40),
        get_format("ber", tags=[0x30, 0x4D]),
        get_format("header", header="(version:4=5 kind:4):u8 length:u8", max_frame_size=12),
        get_format("choice", cases={"M": get_format("header", header="m:bytes1=M length:u8"), "\n": LINES}),
        get_format("header", header="order:u8=1|2 magic:u16=0x4d00 length:u16", byteorder={"field": "order", "big": 1}),
    ],
}
CASES = [(policy, form) for policy, forms in FORMS.items() for form in forms]

# Few different bytes, so that what looks like a header, a delimiter or a flag is everywhere.
noise = st.lists(st.sampled_from([b"M", b"G", b"\0", b"\1", b"\2", b"\n", b"\r", b"<", b">", b"/", b"\xc0", b"\xdb"]))
noises = noise.map(b"".join)


def cut(data, places):
    places = sorted(place % (len(data) + 1) for place in places)
    return [data[begin:end] for begin, end in zip([0, *places], [*places, len(data)], strict=True)]


@given(st.sampled_from(CASES), noises | st.binary(max_size=80), st.lists(st.integers(0, 1 << 16), max_size=12))
def test_any_cut_of_any_bytes_gives_the_same_and_all_bytes_are_accounted_for(case, data, places):
    policy, form = case
    whole = recovered(form, [data], policy)
    check_accounts(form, whole, len(data))
    assert recovered(form, cut(data, places), policy) == whole
    assert recovered(form, [data[at : at + 1] for at in range(len(data))], policy) == whole
    assert policy == "skip" or whole.error is None


def wires_of(form, count, source):
    payloads = [source.randbytes(source.randrange(1, 9)).translate(None, b"\n\r<>/MG\0") for _ in range(count)]
    return [form.serialize(b"#%d" % number + payload) for number, payload in enumerate(payloads)]


@given(st.sampled_from(FORMS["delimiter"]), st.integers(0, 1 << 32), st.integers(0, 1 << 16), st.binary(max_size=50))
def test_behind_a_delimiter_all_frames_but_the_damaged_ones_and_their_neighbour_come(form, seed, place, damage):
    wires = wires_of(form, 12, random.Random(seed))
    stream, place = b"".join(wires), place % len(b"".join(wires))
    bad = stream[:place] + damage + stream[place + len(damage) :]
    found = recovered(form, [bad], "delimiter")
    untouched = intact(wires, place, place + len(damage), neighbour=True)
    delivered = {(offset, data.strip(b"\x7e\xc0")) for offset, data in found.frames}
    at_flag = {(offset + 1, data) for offset, data in delivered}  # one flag may stand before or behind
    for offset, data in untouched:
        assert {(offset, data.strip(b"\x7e\xc0"))} & (delivered | at_flag), (offset, data, found)


@given(st.integers(0, 1 << 32), st.integers(0, 1 << 16), st.binary(min_size=1, max_size=40))
def test_magic_delivers_all_frames_that_no_damage_touches(seed, place, damage):
    wires = wires_of(MAGIC, 20, random.Random(seed))
    stream = b"".join(wires)
    place %= len(stream)
    bad = (stream[:place] + damage + stream[place + len(damage) :])[: max(len(stream), place + len(damage))]
    found = recovered(MAGIC, [bad], "magic")
    kept = intact(wires, place, place + len(damage), neighbour=False)
    # What is lost all the same: a damaged length that happens to end before another header has swallowed frames; and
    # the damage may be a header, which a true one confirms.
    ends = {offset + len(wire) for offset, wire in intact(wires, 0, 0, neighbour=False)}
    swallowed = [(at, at + size) for at, size, _ in found.regions if at + size in ends]
    if b"MG" not in damage and not damage.endswith(b"M"):
        missing = [one for one in kept if one not in found.frames]
        assert all(any(first <= one[0] < last for first, last in swallowed) for one in missing)
        assert not missing or found.facts[0][0] is ChecksumError


def intact(wires, first, last, *, neighbour):
    """Return offset and bytes of the frames that a damage leaves alone, without the one that begins behind it."""
    kept, offset, was_touched = [], 0, False
    for wire in wires:
        is_touched = offset < last and first < offset + len(wire)
        if not is_touched and not (neighbour and was_touched):
            kept.append((offset, wire))
        was_touched = is_touched
        offset += len(wire)
    return kept


@given(st.integers(0, 1 << 32), st.lists(st.integers(0, 19), min_size=1, max_size=4, unique=True))
def test_skip_loses_the_frames_whose_checksum_is_wrong_and_no_other(seed, numbers):
    wires = wires_of(MAGIC, 20, random.Random(seed))
    bad = [wire[:-1] + bytes((wire[-1] ^ 0x40,)) if number in numbers else wire for number, wire in enumerate(wires)]
    for policy in ("skip", "magic"):
        found = recovered(MAGIC, [b"".join(bad)], policy)
        assert [data for _, data in found.frames] == [
            wire for number, wire in enumerate(wires) if number not in numbers
        ]
        assert len(found.regions) == len(numbers)


def test_the_error_is_raised_once_behind_the_good_frames_and_tells_the_region():
    parser = FrameParser(LINES, recovery="delimiter")
    parser.feed(b"one\n" + b"x" * 40)
    assert [frame.payload for frame in parser.take_frames()] == [b"one"]
    assert parser.take_frames() == []  # its end has not come
    assert parser.error is not None
    assert (parser.needed_size, parser.pending_size) == (None, 0)
    parser.feed(b"yz\ntwo\n")
    with pytest.raises(FrameError) as caught:
        parser.take_payloads()
    facts = {name: getattr(caught.value, name) for name in ("offset", "frame_number", "region_offset", "region_size")}
    assert facts == {"offset": 4, "frame_number": 1, "region_offset": 4, "region_size": 43}
    assert caught.value.region_head == b"x" * 32
    assert parser.error is None
    assert parser.take_payloads() == [b"two"]
    assert (parser.frame_count, parser.offset) == (2, 51)


@pytest.mark.parametrize("pull", ["next_frame", "take_frames", "take_payloads", "take_views"])
def test_every_pull_goes_on(pull):
    parser = FrameParser(get_format("u8", max_frame_size=3), recovery="skip")
    parser.feed(b"\1a\5bbbbb\1c")
    parser.finish()
    got = []
    for _ in range(6):
        try:
            got.append(bool(getattr(parser, pull)()))
        except FrameError as error:
            got.append(error.region_size)
    assert got == [True, 6, True, False, False, False]


def test_put_back_frames_meet_the_region_again():
    parser = FrameParser(get_format("lines", max_frame_size=4), recovery="delimiter")
    parser.feed(b"a\nb\nthirteen\nc\n")
    assert parser.take_payloads() == [b"a", b"b"]
    parser.rewind(1)
    assert parser.error is None
    assert parser.take_payloads() == [b"b"]
    with pytest.raises(FrameError):
        parser.take_payloads()
    assert parser.take_payloads() == [b"c"]


@pytest.mark.parametrize(("policy", "form", "start", "filling"), [
    ("skip", get_format("u32be", max_frame_size=100), b"\x04\0\0\0", b"x" * 65536),
    ("delimiter", LINES, b"", b"x" * 65536),
    ("delimiter", get_format("enclosed", start="<", stop=">"), b"x", b"x" * 65536),
    ("magic", PLAIN_MAGIC, b"x", (b"MG\xff\1" + b"x" * 2000) * 32),
    ("magic", get_format("header", header="m:bytes1=M length:u16be"), b"x", (b"M\3\1" + b"x" * 2000) * 32),
])  # fmt: skip
def test_a_bad_region_is_not_kept(policy, form, start, filling):
    parser = FrameParser(form, recovery=policy)

    def run():
        parser.feed(start)
        for _ in range(100):
            parser.feed(filling)
            parser.take_frames()
            assert parser.pending_size <= form.max_frame_size + len(filling)

    assert peak_memory(run) < 10 * len(filling) + 4 * form.max_frame_size


def test_no_byte_is_summed_up_more_than_twice(monkeypatch):
    """[F104] Each frame's length points to nowhere and its checksum is wrong: frames in frames in frames."""
    summed = []
    compute = CHECKSUMS["sum8"].compute
    monkeypatch.setitem(CHECKSUMS, "sum8", Checksum(1, lambda data: summed.append(len(data)) or compute(data)))
    form = get_format("header", header="m:bytes1=M length:u16be", trailer="sum:u8=sum8(payload)", max_frame_size=2000)
    good = form.serialize(b"")
    stream = (good + b"M\x07\x77") * 3000
    found = recovered(form, [stream], "magic")
    check_accounts(form, found, len(stream))
    assert len(found.frames) > 10
    assert sum(summed) < 3 * len(stream)


def test_measuring_is_linear_however_the_stream_is_cut():
    looked = []

    class Counted(type(PLAIN_MAGIC)):
        def measure(self, buffer, start, end):
            looked.append(1)
            return super().measure(buffer, start, end)

    form = Counted("magic:bytes2=MG length:u8 kind:u8=1|2")
    stream = b"x" + b"MG\xff\1" * 3000
    for size in (1, 7, 1000, len(stream)):
        looked.clear()
        recovered(form, [stream[at : at + size] for at in range(0, len(stream), size)], "magic")
        assert len(looked) < 4 * len(stream)


def test_a_case_whose_end_tells_its_size_is_not_sought_to_the_limit_at_every_place():
    """[F103] In a choice a case may be a line: each byte may begin one, and none of them ends."""
    looked = []

    class Counted(type(LINES)):
        def measure_from(self, buffer, start, end, first):
            looked.append(min(end, start + self.max_frame_size) - first)
            return super().measure_from(buffer, start, end, first)

    form = get_format("choice", cases={"M": Counted(max_frame_size=1 << 20), "0x00": get_format("u8")})
    stream = b"x" + b"M" * 6000
    for size in (1, 100, len(stream)):
        looked.clear()
        found = recovered(form, [stream[at : at + size] for at in range(0, len(stream), size)], "magic")
        assert found.regions == [(0, len(stream), 0)]
        assert sum(looked) < 2000 * len(stream)


@pytest.mark.parametrize(("size", "count"), [(511, 2), (512, 0)])
def test_a_size_that_shows_late_confirms_nothing(size, count):
    """[F103] The line's ending is its 512th byte, or one behind."""
    form = get_format("choice", cases={"M": get_format("lines"), "0x00": get_format("u8")})
    stream = b"x" + (b"M" + b"." * (size - 1) + b"\n") * 2
    for step in (1, 500, len(stream)):
        found = recovered(form, [stream[at : at + step] for at in range(0, len(stream), step)], "magic")
        assert (len(found.frames), len(found.regions)) == (count, 1)


def test_a_resync_that_goes_nowhere_is_no_endless_loop():
    class Stuck(type(LINES)):
        def _prepare(self):
            super()._prepare()
            self.resync = lambda buffer, start, end, ended: (start - 5, False)

    form = Stuck(max_frame_size=4)
    parser = FrameParser(form, recovery="delimiter")
    for _ in range(5):
        parser.feed(b"abcdef")
        assert parser.take_frames() == []
    parser.finish()
    with pytest.raises(FrameError) as caught:
        parser.take_frames()
    assert caught.value.region_size == 30


def test_a_format_says_what_it_can():
    table = {name: [policy for policy in POLICY_NAMES if can_recover(policy, get_format(name))] for name in
             ("u8", "lines", "cobs", "fix", "json_stream", "header_block")}  # fmt: skip
    assert table == {
        "u8": ["poison", "skip"],
        "lines": ["poison", "delimiter"],
        "cobs": ["poison", "delimiter"],
        "fix": ["poison", "skip", "magic"],
        "json_stream": ["poison"],
        "header_block": ["poison", "skip"],
    }
    assert not can_recover("delimiter", get_format('enclosed("|", "|")'))


@pytest.mark.parametrize(("policy", "text"), [("magic", "lines cannot recover"), ("hope", "no such recovery policy")])
def test_what_cannot_be_is_refused_by_name(policy, text):
    with pytest.raises(DefinitionError, match=text) as caught:
        FrameParser(LINES, recovery=policy)
    assert (caught.value.key, caught.value.found, caught.value.allowed) == ("recovery", policy, "poison, delimiter")
    with pytest.raises(DefinitionError):
        check_recovery(policy, LINES)


def test_a_reader_goes_on_behind_a_bad_region_and_counts():
    reader = MessageReader(get_protocol("lines(max_frame_size=9, recovery=delimiter)/msgpack").client.wire)
    reader.feed(b"\x01\n" + b"x" * 20 + b"\n\xc1\n\x02\n")
    reader.finish()
    assert reader.take_messages() == [1]
    with pytest.raises(FrameError):
        reader.take_messages()
    with pytest.raises(Exception, match="msgpack") as caught:
        reader.take_messages()
    assert (caught.value.frame_number, caught.value.frame_offset) == (1, 23)
    assert reader.take_messages() == [2]
    assert reader.take_messages() == []


def test_a_direction_is_not_moved_while_its_region_is_open():
    """[F100] PostgreSQL's server, whose client asks for TLS in the middle of the server's bad region."""
    conversation = Conversation(get_protocol("postgresql").recovering("skip").limited(64), midstream=True)
    server = conversation.server
    server.feed(b"D\0\0\1\0" + b"x" * 100)
    assert server.next_frame() is None
    before = server.phase
    server.enter("tls")
    assert server.phase is before
    server.feed(b"x" * 152 + b"Z\0\0\0\5I")
    with pytest.raises(FrameError) as caught:
        server.next_frame()
    assert caught.value.region_size == 257
    assert server.next_frame().payload == b"I"
    server.enter("tls")
    assert server.phase.name == "tls"


def test_recovering_leaves_phases_that_cannot_as_they_are_and_refuses_where_none_can():
    recovering = get_protocol("postgresql").recovering("skip")
    policies = {phase.name: phase.wire.recovery for phase in recovering.server.phases.values()}
    assert policies["messages"] == "skip"
    with pytest.raises(DefinitionError, match="cannot recover like this"):
        get_protocol("lines/raw").recovering("magic")
    assert get_protocol("lines/raw").recovering("delimiter").limited(77).client.wire.recovery == "delimiter"


def test_a_size_of_nothing_is_passed_over_too():
    class Broken(FrameFormat):
        name = "broken"
        size_first = True

        def measure(self, buffer, start, end):
            return 0 if buffer[start] == 0 else 1

        def bounds(self, buffer, start, end):
            return start, end

        def serialize(self, payload, fields=None):
            return payload

    parser = FrameParser(Broken(), recovery="skip")
    parser.feed(b"a\0b")
    assert len(parser.take_frames()) == 1
    for _ in range(3):
        with pytest.raises(HeaderError, match="would never end"):
            parser.take_frames()


def test_messages_that_were_joining_are_given_up_with_a_region():
    """[F100] Frames of theirs may be among what was lost, and two halves of two messages are no message."""
    form = get_format("header", header="m:bytes1=M (last:1 length:7):u8", trailer="end:u8=0xce")
    wire = WireFormat(form, get_codec("raw"), join=Join(more={"last": 0}, last={"last": 1}), recovery="skip")
    first, bad, last, next_one = b"M\1a\xce", b"M\1b\xcf", b"M\x81c\xce", b"M\x81d\xce"
    for pull in (MessageReader.take_messages, MessageReader.next_message):
        reader = MessageReader(wire)
        reader.feed(first + bad + last + next_one)
        with pytest.raises(HeaderError):
            pull(reader)
        assert reader.take_messages() == [b"c", b"d"]
    reader = MessageReader(wire)
    reader.feed(first + bad + last)
    assert reader.decoder.decode(reader.next_frame()) is not None
    with pytest.raises(HeaderError):
        reader.next_frame()
    assert reader.decoder.decode(reader.next_frame()) == b"c"
