"""Conversation: phases followed, and what the two directions owe to each other. Spec: [F30] to [F34]."""

import pytest

from framing import (
    Conversation,
    DecodeError,
    Direction,
    EncodeError,
    HeaderError,
    Message,
    Phase,
    Protocol,
    Rule,
    TruncatedFrameError,
    WireFormat,
    get_codec,
    get_format,
    get_protocol,
)
from framing.testing import every_cut
from framing.toml import parse_protocol

RAW = get_codec("raw")
BYTES = WireFormat(get_format("u8"), RAW)
LINES = WireFormat(get_format("lines"), RAW)
GREETING = WireFormat(get_format("header", header="magic:bytes4=HELO", payload_size=0), RAW)

SSL_REQUEST = bytes.fromhex("00000008 04d2162f")
STARTUP = bytes.fromhex("00000010 00030000") + b"user\0p\0\0"
READY = b"Z\0\0\0\5I"
QUERY = b"Q\0\0\0\7sl\0"
RECORD = bytes.fromhex("1603010001 00")


def one_way(*phases, **options):
    return Protocol("test", Direction(phases, **options), Direction((Phase("frames", BYTES),)))


def frames(reader):
    taken = []
    while item := reader.next_item():
        taken.append((item[0].data, item[0].offset))
    return taken


def test_phases_by_count_at_any_cut():
    protocol = one_way(Phase("two", BYTES, after=(Rule({"client": "lines"}, frames=2),)), Phase("lines", LINES))
    stream = b"\1a\2bcone\ntwo\n"
    for chunks in every_cut(stream):
        conversation = Conversation(protocol)
        taken = []
        for chunk in chunks:
            conversation.client.feed(chunk)
            taken += frames(conversation.client)
        assert taken == [(b"\1a", 0), (b"\2bc", 2), (b"one\n", 5), (b"two\n", 9)]
        assert (conversation.client.offset, conversation.client.frame_count) == (len(stream), 4)
        assert (conversation.client.phase.name, conversation.client.wire) == ("lines", LINES)


def test_messages_stop_where_the_phase_may_change():
    protocol = one_way(Phase("one", BYTES, after=(Rule({"client": "lines"}),)), Phase("lines", LINES))
    conversation = Conversation(protocol)
    conversation.client.feed(b"\1aone\ntwo\n")
    assert conversation.client.take_messages() == [b"a"]
    assert conversation.client.take_messages() == [b"one", b"two"]
    assert conversation.client.take_messages() == []


@pytest.mark.parametrize("limit", [0, 1, 2])
def test_limits_hold_in_each_phase(limit):
    protocol = one_way(Phase("one", BYTES, after=(Rule({"client": "lines"}),)), Phase("lines", LINES))
    conversation = Conversation(protocol)
    conversation.client.feed(b"\1aone\ntwo\nthree\n")
    assert conversation.client.take_messages(limit) == [b"a"][:limit]


def test_a_bad_message_in_a_phase_with_rules_moves_on():
    wire = WireFormat(get_format("u8"), get_codec("msgpack"))
    conversation = Conversation(one_way(Phase("one", wire, after=(Rule({"client": "lines"}),)), Phase("lines", LINES)))
    conversation.client.feed(b"\1\xc1x\n")
    with pytest.raises(DecodeError) as caught:
        conversation.client.next_message()
    assert (caught.value.frame_number, caught.value.frame_offset) == (0, 0)
    assert conversation.client.next_message() == b"x"


class TestOptionalPhases:
    PROTOCOL = one_way(Phase("greeting", GREETING, first=b"HELO", otherwise="lines",
                             after=(Rule({"client": "lines"}),)), Phase("lines", LINES))  # fmt: skip

    @pytest.mark.parametrize(
        ("stream", "expected"),
        [
            (b"HELOa\n", [(b"HELO", 0), (b"a\n", 4)]),
            (b"HELLO\n", [(b"HELLO\n", 0)]),
            (b"\n", [(b"\n", 0)]),
            (b"H\nHELO\n", [(b"H\n", 0), (b"HELO\n", 2)]),
        ],
    )
    def test_the_bytes_decide_at_any_cut(self, stream, expected):
        for chunks in every_cut(stream):
            conversation = Conversation(self.PROTOCOL)
            taken = []
            for chunk in chunks:
                conversation.client.feed(chunk)
                taken += frames(conversation.client)
            assert taken == expected

    def test_the_end_decides(self):
        conversation = Conversation(self.PROTOCOL)
        conversation.client.feed(b"HE")
        assert conversation.client.next_frame() is None
        assert conversation.client.phase.name == "greeting"
        conversation.client.finish()
        with pytest.raises(TruncatedFrameError) as caught:
            conversation.client.next_frame()
        assert (caught.value.offset, caught.value.pending_size) == (0, 2)
        assert conversation.client.phase.name == "lines"

    def test_the_end_without_a_byte_is_clean(self):
        conversation = Conversation(self.PROTOCOL)
        conversation.client.finish()
        assert conversation.client.next_frame() is None

    def test_the_message_decides_what_is_sent(self):
        conversation = Conversation(self.PROTOCOL)
        assert conversation.encode("client", b"a") == b"a\n"
        assert conversation.client.phase.name == "lines"
        conversation = Conversation(self.PROTOCOL)
        assert conversation.encode("client", b"") == b"HELO"
        assert conversation.encode("client", b"") == b"\n"

    def test_a_chain_of_them_is_followed_in_both_directions(self):
        # direct TLS, else a start-up packet, else messages
        for stream, phase in ((RECORD, "direct_tls"), (STARTUP, "startup"), (QUERY, "messages")):
            conversation = Conversation(get_protocol("postgresql"), midstream=True)
            conversation.client.feed(stream[:1])
            assert conversation.client.next_frame() is None
            assert conversation.client.phase.name == phase
        conversation = Conversation(get_protocol("postgresql"))
        assert conversation.encode("client", Message(b"sl\0", type=0x51)) == QUERY
        assert conversation.client.phase.name == "messages"

    def test_a_chain_ends_with_what_its_last_phase_says(self):
        conversation = Conversation(get_protocol("postgresql"))
        with pytest.raises(EncodeError, match="type"):
            conversation.encode("client", Message(b"", color=1))
        assert conversation.client.phase.name == "direct_tls"
        assert conversation.encode("client", Message(b"user\0p\0\0", code=196608)) == STARTUP


class TestConversation:
    def test_one_side_may_move_the_other(self):
        conversation = Conversation(get_protocol("postgresql"))
        client, server = conversation.client, conversation.server
        client.feed(SSL_REQUEST)
        assert frames(client) == [(SSL_REQUEST, 0)]
        assert (client.phase.name, server.phase.name) == ("startup", "tls_answer")
        server.feed(b"N" + READY)
        assert frames(server) == [(b"N", 0), (READY, 1)]
        client.feed(STARTUP + QUERY)
        assert frames(client) == [(STARTUP, 8), (QUERY, 24)]

    def test_it_is_settled_once_no_frame_changes_anything(self):
        conversation = Conversation(get_protocol("postgresql"))
        client, server = conversation.client, conversation.server
        assert not client.is_settled
        client.feed(STARTUP + QUERY + QUERY)
        assert frames(client) == [(STARTUP, 0), (QUERY, 16), (QUERY, 24)]
        assert client.is_settled
        assert server.is_settled
        client.feed(QUERY + QUERY[:3])
        assert [(frame.data, frame.offset) for frame in client.parser.take_frames()] == [(QUERY, 32)]
        assert client.parser.take_frames() == []

    def test_both_into_tls(self):
        conversation = Conversation(get_protocol("postgresql"))
        conversation.client.feed(SSL_REQUEST)
        conversation.client.next_frame()
        conversation.server.feed(b"S" + RECORD)
        assert frames(conversation.server) == [(b"S", 0), (RECORD, 1)]
        conversation.client.feed(RECORD)
        assert frames(conversation.client) == [(RECORD, 8)]

    def test_sending_moves_what_is_received(self):
        conversation = Conversation(get_protocol("postgresql"))
        assert conversation.encode("client", Message(b"", code=80877103)) == SSL_REQUEST
        conversation.server.feed(b"N" + READY)
        assert conversation.server.next_message() == Message(b"", answer=ord("N"))
        assert conversation.encode("client", Message(b"user\0p\0\0", code=196608)) == STARTUP
        assert conversation.server.next_message() == Message(b"I", type=ord("Z"))
        assert conversation.encode("client", Message(b"sl\0", type=ord("Q"))) == QUERY

    def test_a_server_may_send_its_answer(self):
        for answer, phase in ((b"N", "messages"), (b"S", "tls")):
            conversation = Conversation(get_protocol("postgresql"))
            conversation.client.feed(SSL_REQUEST)
            conversation.client.next_frame()
            assert conversation.encode("server", Message(b"", answer=answer[0])) == answer
            assert conversation.server.phase.name == phase

    def test_a_frame_that_is_too_large_is_not_noted(self):
        conversation = Conversation(get_protocol("mysql"))
        with pytest.raises(EncodeError):
            conversation.encode("client", Message(b"x", sequence=256))
        assert conversation.client.phase.name == "login"
        conversation.encode("client", Message(bytes(32), sequence=1))
        assert (conversation.client.phase.name, conversation.server.phase.name) == ("tls", "tls")

    def test_a_bad_direction_is_not_made_good_by_another_phase(self):
        conversation = Conversation(get_protocol("postgresql"))
        conversation.server.feed(b"R\0\0\0\3")
        with pytest.raises(HeaderError) as first:
            conversation.server.next_frame()
        conversation.client.feed(SSL_REQUEST)
        assert conversation.client.next_frame().data == SSL_REQUEST
        conversation.server.feed(b"S")
        with pytest.raises(HeaderError) as second:
            conversation.server.next_frame()
        assert second.value is first.value

    def test_midstream(self):
        conversation = Conversation(get_protocol("mysql"), midstream=True)
        assert (conversation.client.phase.name, conversation.server.phase.name) == ("packets", "packets")
        assert conversation.reader("client") is conversation.client
        assert get_protocol("postgresql").client.wire.format.field_names == ("type",)

    def test_limited_holds_in_every_phase(self):
        protocol = get_protocol("postgresql").limited(100)
        for side in ("client", "server"):
            for phase in protocol.direction(side).phases.values():
                assert phase.wire.format.max_frame_size <= 100
        assert protocol.ports == (5432,)
        assert protocol.client.start == "direct_tls"

    def test_unread_and_the_sizes(self):
        conversation = Conversation(get_protocol("u8/raw"))
        reader = conversation.client
        reader.feed(b"\1a\3b")
        assert reader.take_messages() == [b"a"]
        assert (reader.pending_size, reader.needed_size, reader.finished) == (2, 2, False)
        assert reader.unread() == b"\3b"


TURNS = """
name = "turns"
[client.phases.requests]
format = "lines"
after = [
  { pattern = "^HEAD", owes = { server = "bare" } },
  { pattern = "^STOP", server = "body" },
  { owes = { server = "body" } },
]
[server.phases.body]
header = "status:u8 length:u8"
after = [{ fields = { status = [2, 4, 5] }, answers = true }]
[server.phases.bare]
header = "status:u8 length:u8"
payload_size = 0
after = [{ fields = { status = [2, 4, 5] }, answers = true }]
"""


def test_answers_come_in_the_phases_of_their_requests_however_many_are_sent_ahead():
    protocol = parse_protocol(TURNS, "turns.toml")
    answers = ["0202aabb", "0209", "0105cccccccccc", "0201dd", "0407", "0200"]
    for ahead in range(1, 6):
        conversation, requests, found = Conversation(protocol), ["GET", "HEAD", "GET", "HEAD", "GET"], []
        for _ in range(ahead):
            conversation.client.feed(requests.pop(0).encode() + b"\r\n")
        assert len(list(iter(conversation.client.next_item, None))) == ahead
        for answer in answers:
            conversation.server.feed(bytes.fromhex(answer))
            found += [frame.data.hex() for frame, _ in iter(conversation.server.next_item, None)]
            if requests and answer[:2] != "01":
                conversation.client.feed(requests.pop(0).encode() + b"\r\n")
                assert conversation.client.next_item()
        assert found == answers


def test_the_sending_side_is_moved_by_what_it_owes_too():
    conversation = Conversation(parse_protocol(TURNS, "turns.toml"))
    conversation.client.feed(b"HEAD\r\nGET\r\n")
    assert len(list(iter(conversation.client.next_item, None))) == 2
    sent = conversation.encode("server", Message(b"", status=2, length=9)) + conversation.encode(
        "server", Message(b"x", status=2)
    )
    assert sent == b"\x02\x09\x02\x01x"


def test_who_asks_on_and_on_fills_no_memory():
    conversation = Conversation(parse_protocol(TURNS, "turns.toml"))
    conversation.client.feed(b"GET\r\n" * 5000)
    assert len(list(iter(conversation.client.next_item, None))) == 5000
    assert len(conversation.server._owed) == 1024


def test_a_payload_that_stands_alone_begins_anew_in_the_same_phase():
    reader = Conversation(get_protocol("u8/raw")).client
    reader.feed(b"\1a\5left")
    assert reader.next_message() == b"a"
    reader.begin_again(20, reader.frame_count)
    assert (reader.offset, reader.pending_size, reader.frame_count) == (20, 0, 1)
    reader.feed(b"\1b")
    assert reader.next_frame().offset == 20
    reader.begin_again(30, reader.frame_count)
    reader.feed(b"\1")
    reader.finish()
    with pytest.raises(TruncatedFrameError):
        reader.next_frame()
    reader.begin_again(40, reader.frame_count)
    reader.feed(b"\1c")
    assert (reader.next_message(), reader.frame_count) == (b"c", 3)
