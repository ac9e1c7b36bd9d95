"""One connection put together, from hand-made segments. [P13] to [P17], [P20]"""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing.capture.assembler import Assembler
from framing.capture.flow import Chunk, FlowEnd, Gap

FIN, SYN, RST, ACK = 1, 2, 4, 16
ISN, BACK = 1000, 5000


class Talk:
    """A connection of which packets are given to an assembler, numbers relative to the first byte of each side."""

    def __init__(self, wire, isn=ISN, back=BACK, **options):
        self.wire = wire
        self.first = {"client": isn + 1, "server": back + 1}
        self.assembler = Assembler(**options)
        self.events = []
        self.count = 0

    def open(self):
        self.client(-1, flags=SYN)
        self.server(-1, flags=SYN | ACK)
        return self

    def client(self, at=0, payload=b"", ack=0, flags=ACK, cut=0):
        return self.packet("client", "server", at, payload, ack, flags, cut)

    def server(self, at=0, payload=b"", ack=0, flags=ACK, cut=0):
        return self.packet("server", "client", at, payload, ack, flags, cut)

    def packet(self, side, other, at, payload, ack, flags, cut):
        self.count += 1
        ends = (self.wire.CLIENT, self.wire.SERVER) if side == "client" else (self.wire.SERVER, self.wire.CLIENT)
        number, acknowledged = self.first[side] + at, self.first[other] + ack
        packet = self.wire.segment(
            *ends, sequence=number, acknowledged=acknowledged, flags=flags, payload=payload, number=self.count, cut=cut
        )
        return self.take(self.assembler.add(packet))

    def finish(self):
        self.take(self.assembler.finish())
        return self

    def take(self, events):
        self.events += events
        return [brief(event) for event in events]

    def of(self, side="client"):
        """What is known of one side: bytes and gaps, joined."""
        told = []
        for event in self.events:
            if event.flow.direction != side or isinstance(event, FlowEnd):
                continue
            if isinstance(event, Chunk) and told and isinstance(told[-1], bytes):
                told[-1] += event.data
            else:
                told.append(event.data if isinstance(event, Chunk) else event.size)
        return told

    def flow(self, side="client"):
        return next(event.flow for event in self.events if event.flow.direction == side)


def brief(event):
    if isinstance(event, Chunk):
        return event.offset, event.data, event.packet_number
    if isinstance(event, Gap):
        return event.offset, event.size, event.reason
    return event.flow.direction, event.reason


@pytest.fixture
def talk(wire):
    return Talk(wire).open()


@pytest.fixture
def midstream(wire):
    return Talk(wire)


def test_bytes_in_order(talk):
    assert talk.client(0, b"abc") == [(0, b"abc", 3)]
    assert talk.server(0, b"xy", ack=3) == [(0, b"xy", 4)]
    assert talk.client(3, b"de", ack=2) == [(3, b"de", 5)]
    assert [brief(event) for event in talk.finish().events[3:]] == [("client", "capture"), ("server", "capture")]
    flow = talk.flow()
    assert (flow.name, flow.direction, flow.is_guessed) == ("10.0.0.5:51744>10.0.0.9:9092", "client", False)
    assert (flow.packet_count, flow.size, flow.offset, flow.gap_count, flow.end_reason) == (3, 5, 5, 0, "capture")
    assert talk.events[0].timestamp_ns == 3000


def test_segment_out_of_order_waits(talk):
    assert talk.client(3, b"def") == []
    assert talk.client(6, b"ghi") == []
    assert talk.client(0, b"abc") == [(0, b"abc", 5), (3, b"def", 3), (6, b"ghi", 4)]
    # [P21] each keeps the time of its own packet
    assert [event.timestamp_ns for event in talk.events] == [5000, 3000, 4000]
    assert talk.client(9, b"j") == [(9, b"j", 6)]


def test_retransmission_is_counted_and_left_out(talk):
    """[P15]"""
    talk.client(0, b"abcdef")
    assert talk.client(0, b"abcdef") == []
    assert talk.client(2, b"cd") == []
    assert (talk.flow().retransmitted_size, talk.flow().conflicting_size) == (8, 0)


def test_first_copy_wins_over_a_later_one(talk):
    """[P15]"""
    talk.client(0, b"abcdef")
    assert talk.client(3, b"dXXgh") == [(6, b"gh", 4)]
    assert (talk.flow().retransmitted_size, talk.flow().conflicting_size) == (3, 2)


def test_first_copy_wins_among_those_that_wait(talk):
    """[P15]"""
    talk.client(4, b"ef")
    talk.client(8, b"ij")
    assert talk.client(2, b"cdXXghXX") == []
    assert talk.client(0, b"ab") == [(0, b"ab", 6), (2, b"cd", 5), (4, b"ef", 3), (6, b"gh", 5), (8, b"ij", 4)]
    assert (talk.flow().retransmitted_size, talk.flow().conflicting_size) == (4, 4)


def test_conflicts_with_older_chunks_are_found(talk):
    """[P15]"""
    for at in range(0, 30, 3):
        talk.client(at, b"abc")
    talk.client(4, b"bcaXcab")
    assert (talk.flow().retransmitted_size, talk.flow().conflicting_size) == (7, 1)


def test_keepalive_is_no_retransmission(talk):
    """[P15]"""
    talk.client(0, b"abc")
    assert talk.client(2, b"\0") == []
    assert talk.client(2) == []
    assert (talk.flow().retransmitted_size, talk.flow().conflicting_size, talk.of()) == (0, 0, [b"abc"])


def test_keepalive_before_any_byte(talk):
    """[P15]"""
    talk.client(-1, b"\0")
    talk.client(0, b"abc")
    assert talk.of() == [b"abc"]
    assert talk.flow().stray_count == 0


def test_zero_window_probe_is_an_ordinary_byte(talk):
    talk.client(0, b"abc")
    assert talk.client(3, b"d") == [(3, b"d", 4)]
    assert talk.client(3, b"defg") == [(4, b"efg", 5)]
    assert talk.flow().conflicting_size == 0


@pytest.mark.parametrize("start", [2**32 - 1, 2**32 - 2, 2**32 - 5, 2**31 - 3, 0])
def test_numbers_wrap(wire, start):
    talk = Talk(wire, isn=start, back=start).open()
    assert talk.client(0, b"abc") == [(0, b"abc", 3)]
    assert talk.client(6, b"ghi") == []
    assert talk.client(3, b"def") == [(3, b"def", 5), (6, b"ghi", 4)]
    assert talk.client(1, b"bcdefghij") == [(9, b"j", 6)]
    assert talk.flow().retransmitted_size == 8


def test_offsets_pass_4_gib(wire):
    """Numbers wrap, offsets do not: gaps of nearly 1 GiB, with acknowledgements, take a flow over the edge."""
    talk = Talk(wire).open()
    step = 2**30 - 10
    for turn in range(1, 6):
        talk.client(turn * step, b"abc")
        for _ in range(8):
            talk.server(ack=turn * step + 3)
    assert talk.events[-1].offset == 5 * step > 2**32
    assert talk.flow().size == 15


def test_data_in_a_syn(wire):
    """[P13]"""
    talk = Talk(wire)
    assert talk.client(-1, b"abc", flags=SYN) == [(0, b"abc", 1)]
    assert talk.server(-1, b"xy", ack=3, flags=SYN | ACK) == [(0, b"xy", 2)]
    assert talk.client(0, b"abcdef") == [(3, b"def", 3)]


def test_syn_that_comes_again_changes_nothing(talk):
    talk.client(0, b"abc")
    talk.client(-1, flags=SYN)
    talk.server(-1, flags=SYN | ACK)
    assert talk.client(3, b"def") == [(3, b"def", 6)]
    assert talk.assembler.connection_count == 1


def test_fin_ends_a_flow_and_takes_a_number(talk):
    """[P13] [P20]"""
    assert talk.client(0, b"abc", flags=ACK | FIN) == [(0, b"abc", 3), ("client", "fin")]
    assert talk.server(0, b"xyz", ack=4) == [(0, b"xyz", 4)]
    assert talk.client(4, ack=3) == []
    assert talk.server(3, ack=4, flags=ACK | FIN) == [("server", "fin")]
    assert talk.client(4, ack=4) == []
    assert talk.finish().of() == [b"abc"]
    assert len(talk.events) == 4


def test_fin_before_the_last_bytes(talk):
    """[P13]"""
    assert talk.client(3, flags=ACK | FIN) == []
    assert talk.client(0, b"abc") == [(0, b"abc", 4), ("client", "fin")]


def test_nothing_comes_after_the_fin(talk):
    """[P16]"""
    talk.client(0, b"abc", flags=ACK | FIN)
    assert talk.client(3, b"X") == []
    assert talk.client(4, b"XYZ") == []
    assert talk.client(0, b"abc") == []
    assert (talk.flow().stray_count, talk.flow().retransmitted_size) == (2, 3)


def test_nearest_fin_is_the_end(talk):
    """[P13] [P16] One that stands further ahead was somebody else's."""
    talk.client(5000, b"XXX", flags=ACK | FIN)
    assert talk.client(0, b"abc", flags=ACK | FIN) == [(0, b"abc", 4), ("client", "fin")]
    assert talk.flow().stray_count == 1


def test_nothing_that_waits_behind_the_fin_is_delivered(talk):
    """[P13] [P16]"""
    talk.client(3, b"XXX")
    talk.client(3, flags=ACK | FIN)
    assert talk.client(0, b"abc") == [(0, b"abc", 5), ("client", "fin")]
    assert talk.flow().stray_count == 1


def test_fin_inside_bytes_that_came_before_it(talk):
    """[P13] [P15]"""
    talk.client(3, b"defghi", cut=2)
    talk.client(4, flags=ACK | FIN)
    assert talk.client(0, b"abc") == [(0, b"abc", 5), (3, b"defg", 3), ("client", "fin")]


def test_fin_that_comes_again_changes_nothing(talk):
    talk.client(0, b"abc", flags=ACK | FIN)
    assert talk.client(0, b"abc", flags=ACK | FIN) == []
    assert talk.client(3, flags=ACK | FIN) == []


def test_text_in_a_reset_is_no_part_of_the_stream(talk):
    """[P13]"""
    talk.client(0, b"abc")
    assert talk.server(0, b"go away", ack=3, flags=ACK | RST) == []
    assert [brief(event) for event in talk.finish().events[1:]] == [("client", "reset"), ("server", "reset")]
    assert talk.of("server") == []


def test_data_goes_on_after_a_forged_reset(talk):
    """[P13] A RST that the receiver refused must not cut the flow."""
    talk.client(0, flags=RST)
    assert talk.client(0, b"abc") == [(0, b"abc", 4)]


def test_hole_is_a_gap_once_it_was_acknowledged_often(talk):
    """[P17]"""
    talk.client(0, b"abc")
    talk.client(8, b"ijk")
    for _ in range(7):
        assert talk.server(ack=11) == []
    assert talk.server(ack=11) == [(3, 5, "acknowledged"), (8, b"ijk", 4)]
    assert (talk.flow().gap_count, talk.flow().missing_size, talk.flow().size, talk.flow().offset) == (1, 5, 6, 11)
    assert talk.client(3, b"defgh") == []
    assert talk.client(11, b"l") == [(11, b"l", 14)]


def test_acknowledgement_up_to_the_end_of_a_hole_covers_it(talk):
    """[P17]"""
    talk.client(0, b"abc")
    talk.client(8, b"ijk")
    told = [talk.server(ack=7) for _ in range(10)] + [talk.server(ack=8) for _ in range(8)]
    assert told == [[]] * 17 + [[(3, 5, "acknowledged"), (8, b"ijk", 4)]]


def test_acknowledgement_that_was_captured_too_early_is_no_gap(talk):
    """[P17]"""
    talk.client(0, b"abc")
    talk.client(6, b"ghi")
    talk.server(ack=9)
    talk.server(ack=9)
    assert talk.client(3, b"def") == [(3, b"def", 7), (6, b"ghi", 4)]
    assert talk.flow().gap_count == 0


def test_hole_that_is_not_acknowledged_stays_open(talk):
    """[P17]"""
    talk.client(3, b"def")
    for _ in range(50):
        assert talk.server(ack=0) == []
    assert talk.client(0, b"abc") == [(0, b"abc", 54), (3, b"def", 3)]


def test_only_acknowledged_holes_are_given_up(talk):
    """[P17]"""
    talk.client(1, b"b")
    talk.client(3, b"d")
    talk.client(5, b"f")
    told = [talk.server(ack=4) for _ in range(8)]
    assert told == [[]] * 7 + [[(0, 1, "acknowledged"), (1, b"b", 3), (2, 1, "acknowledged"), (3, b"d", 4)]]
    assert talk.client(4, b"e") == [(4, b"e", 14), (5, b"f", 5)]


def test_holes_at_the_end_are_gaps(talk):
    """[P20]"""
    talk.client(2, b"c")
    talk.client(4, b"e")
    assert talk.finish().of() == [2, b"c", 1, b"e"]


def test_bytes_before_a_fin_that_never_came_are_a_gap(talk):
    """[P20]"""
    talk.client(0, b"abc")
    talk.client(10, flags=ACK | FIN)
    assert [brief(event) for event in talk.finish().events[1:3]] == [(3, 7, "end"), ("client", "fin")]


def test_bytes_that_were_acknowledged_but_never_seen_are_a_gap(talk):
    """[P20]"""
    talk.client(0, b"abc")
    talk.server(ack=3 + 7)
    assert talk.finish().of() == [b"abc", 7]


def test_number_of_a_fin_that_was_not_captured_is_no_gap(talk):
    """[P20]"""
    talk.client(0, b"abc")
    talk.server(ack=4)
    assert talk.finish().of() == [b"abc"]


def test_cut_bytes_are_a_gap_at_once(talk):
    """[P17]"""
    assert talk.client(0, b"abcdef", cut=4) == [(0, b"ab", 3), (2, 4, "cut")]
    assert talk.client(6, b"ghi") == [(6, b"ghi", 4)]
    assert talk.client(9, b"jkl", cut=3) == [(9, 3, "cut")]
    assert talk.client(12, b"mn", cut=1, flags=ACK | FIN) == [(12, b"m", 6), (13, 1, "cut"), ("client", "fin")]


def test_cut_bytes_behind_a_hole_wait_with_their_segment(talk):
    """[P17]"""
    assert talk.client(3, b"defg", cut=2) == []
    assert talk.client(6, b"g") == []
    assert talk.client(0, b"abc") == [(0, b"abc", 5), (3, b"de", 3), (5, 1, "cut"), (6, b"g", 4)]


def test_cut_bytes_that_another_copy_has_are_no_gap(talk):
    """[P15] [P17]"""
    talk.client(3, b"defg")
    talk.client(4, b"e", cut=1)
    talk.client(5, b"fgh", cut=3)
    assert talk.client(0, b"abc") == [(0, b"abc", 6), (3, b"defg", 3)]
    assert talk.client(7, b"h") == [(7, b"h", 7)]


def test_far_away_numbers_are_stray(talk):
    """[P16]"""
    talk.client(0, b"abc")
    assert talk.client(2**30 + 100, b"XXX") == []
    assert talk.client(-5000, b"XXX") == []
    assert talk.client(3, b"def") == [(3, b"def", 6)]
    assert talk.flow().stray_count == 2


def test_hole_wider_than_any_window_that_nobody_acknowledged_is_stray(talk):
    """[P16]"""
    talk.client(0, b"abc")
    talk.server(ack=3)
    talk.client(17 * 2**20, b"XXX")
    assert talk.finish().of() == [b"abc"]
    assert talk.flow().stray_count == 1


def test_flow_without_syn_starts_at_its_first_byte(midstream):
    """[P14]"""
    midstream.client(500, b"abc", ack=70)
    assert midstream.server(70, b"xyz", ack=503) == [(0, b"abc", 1), (0, b"xyz", 2)]
    assert midstream.client(503, b"def", ack=73) == [(3, b"def", 3)]
    assert midstream.flow().is_guessed is True


def test_flow_without_syn_may_start_out_of_order(midstream):
    """[P14]"""
    assert midstream.client(506, b"ghi") == []
    assert midstream.client(500, b"abc") == []
    assert midstream.client(503, b"def") == []
    assert midstream.server(0, ack=509) == [(0, b"abc", 2), (3, b"def", 3), (6, b"ghi", 1)]


def test_flow_without_syn_and_acknowledgements_starts_after_16_segments(midstream):
    """[P14]"""
    told = [midstream.client(500 + at, b"a") for at in range(20)]
    assert [len(events) for events in told] == [0] * 15 + [16, 1, 1, 1, 1]


def test_empty_keepalive_is_no_start(midstream):
    """[P14]"""
    midstream.client(499)
    midstream.client(500, b"abc")
    assert midstream.finish().of() == [b"abc"]


def test_keepalive_before_a_flow_without_syn_is_no_start(midstream):
    """[P15]"""
    midstream.client(500)
    midstream.client(499, b"\0")
    midstream.client(500, flags=ACK | FIN)
    midstream.client(499, b"\0")
    assert midstream.finish().of() == []


def test_byte_before_the_first_bytes_of_a_flow_without_syn_is_a_byte(midstream):
    """[P14] [P15]"""
    midstream.client(501, b"bc")
    midstream.client(500, b"a")
    assert midstream.finish().of() == [b"abc"]


def test_bytes_before_the_start_that_was_settled_are_stray(midstream):
    """[P14] [P16]"""
    midstream.client(500, b"abc")
    midstream.server(ack=503)
    assert midstream.client(490, b"XXX") == []
    assert midstream.flow().stray_count == 1


def test_syn_behind_the_first_bytes_settles_the_start(midstream):
    """[P13] [P14]"""
    assert midstream.client(3, b"def") == []
    midstream.client(-1, flags=SYN)
    assert midstream.client(0, b"abc") == [(0, b"abc", 3), (3, b"def", 1)]
    assert midstream.assembler.connection_count == 1
    assert midstream.flow().is_guessed is False


def cut_up(rng, data):
    """Segments of a stream: pieces in order, some of them twice or with bytes of their neighbours."""
    pieces, at = [], 0
    while at < len(data):
        end = min(len(data), at + rng.randint(1, 40))
        pieces += [
            (max(0, at - rng.choice((0, 0, 5))), min(len(data), end + rng.choice((0, 0, 7))))
            for _ in range(rng.choice((1, 1, 1, 2)))
        ]
        at = end
    return pieces


@given(
    data=st.binary(min_size=1, max_size=2000), isn=st.integers(0, 2**32 - 1), seed=st.integers(), known=st.booleans()
)
def test_any_order_of_the_segments_gives_the_stream(wire, data, isn, seed, known):
    """Cut, doubled, overlapping, shuffled within a window, with or without a SYN: the same bytes, and no gap."""
    rng = random.Random(seed)
    talk = Talk(wire, isn=isn)
    if known:
        talk.open()
    segments = [(place + rng.uniform(0, 10), start, end) for place, (start, end) in enumerate(cut_up(rng, data))]
    for _, start, end in sorted(segments):
        talk.client(start, data[start:end])
    talk.finish()
    assert talk.of() == [data]
    assert talk.flow().conflicting_size == 0
    again = sum(end - start for _, start, end in segments) - len(data)
    # A single old byte may pass for a keep-alive, which is not counted.
    single = sum(end - start == 1 for _, start, end in segments)
    assert again - single <= talk.flow().retransmitted_size <= again


@given(data=st.binary(min_size=1, max_size=500), isn=st.integers(0, 2**32 - 1), seed=st.integers())
def test_lost_segments_are_gaps_where_they_were(wire, data, isn, seed):
    """Bytes stay at their offsets, whatever is lost and whoever acknowledges."""
    rng = random.Random(seed)
    talk = Talk(wire, isn=isn).open()
    have = bytearray(len(data))
    for start, end in cut_up(rng, data):
        if rng.random() < 0.7:
            talk.client(start, data[start:end])
            have[start:end] = b"\1" * (end - start)
        if rng.random() < 0.5:
            talk.server(ack=end)
    talk.server(ack=len(data))
    talk.finish()
    at = 0
    for event in (
        event for event in talk.events if event.flow.direction == "client" and not isinstance(event, FlowEnd)
    ):
        assert event.offset == at
        size = len(event.data) if isinstance(event, Chunk) else event.size
        if isinstance(event, Chunk):
            assert event.data == data[at : at + size]
        at += size
    # A single byte at the end may be the number of a FIN.
    assert at in (len(data), len(data) - 1)
    assert talk.flow().size <= sum(have)


SEGMENTS = st.tuples(
    st.booleans(),
    st.integers(-5, 40),
    st.binary(max_size=8),
    st.integers(-5, 60),
    st.integers(0, 31),
    st.integers(0, 3),
)


@given(st.lists(SEGMENTS, max_size=60))
def test_any_segments_give_events_in_order(wire, segments):
    """Whatever is sent: offsets follow each other, and nothing follows an end."""
    talk = Talk(wire, isn=2**32 - 10, back=2**31 - 5)
    for is_client, at, payload, ack, flags, cut in segments:
        (talk.client if is_client else talk.server)(at, payload, ack, flags, min(cut, len(payload)))
    talk.finish()
    places = {}
    for event in talk.events:
        assert not isinstance(places.get(event.flow, 0), str)
        if isinstance(event, FlowEnd):
            places[event.flow] = "ended"
            continue
        assert event.offset == places.get(event.flow, 0)
        assert (len(event.data) if isinstance(event, Chunk) else event.size) > 0
        places[event.flow] = event.offset + (len(event.data) if isinstance(event, Chunk) else event.size)
