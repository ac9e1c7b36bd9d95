import random
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framing import (
    MORE,
    Conversation,
    DecodeError,
    DefinitionError,
    EncodeError,
    FrameTooLargeError,
    Join,
    Message,
    MessageReader,
    Protocol,
    TruncatedFrameError,
    WireFormat,
    get_codec,
    get_format,
    get_protocol,
)
from framing.testing import every_cut
from framing.toml import parse_protocol

RPC = get_format("header", header="(last:1 length:31):u32be", max_frame_size=1024)
WEB = get_format("header", header="(fin:1 opcode:7):u8 length:u8")
WEB_JOIN = Join(more={"fin": 0}, last={"fin": 1}, then={"opcode": 0}, alone={"opcode": [8, 9]}, payload_size=3)
TURNS = get_format("header", header="(more:1 stream:7):u8 length:u8")


def rpc(codec="raw", **options):
    return WireFormat(RPC, get_codec(codec), join=Join(more={"last": 0}, last={"last": 1}, **options))


def messages(wire, data):
    reader = MessageReader(wire)
    reader.feed(data)
    reader.finish()
    return reader.take_messages()


@given(st.lists(st.binary(max_size=40)), st.integers(1, 9), st.integers(0, 2**32))
def test_messages_come_back_however_they_are_cut_into_frames_and_chunks(sent, payload_size, seed):
    wire = rpc(payload_size=payload_size)
    data = b"".join(map(wire.encode, sent))
    chance, reader, received = random.Random(seed), MessageReader(wire), []
    while data:
        size = chance.randint(1, 12)
        reader.feed(data[:size])
        data = data[size:]
        received += reader.take_messages(chance.choice([None, 1, 2, 7]))
    reader.finish()
    while batch := reader.take_messages(1):
        received += batch
    assert received == sent


def test_a_message_of_several_frames_is_decoded_once_it_is_whole():
    wire = rpc("msgpack", payload_size=2)
    data = wire.encode({"a": [1, 2, 3]}) + wire.encode(None)
    assert data.count(b"\x00\x00\x00\x02") == 3
    for cut in every_cut(data):
        reader = MessageReader(wire)
        found = []
        for chunk in cut:
            reader.feed(chunk)
            found += reader.take_messages()
        assert found == [{"a": [1, 2, 3]}, None]


def test_the_fields_that_join_are_not_the_applications():
    assert rpc().bare
    web = WireFormat(WEB, get_codec("raw"), join=WEB_JOIN)
    assert (web.field_names, web.bare) == (("opcode",), False)
    assert messages(web, web.encode(Message(b"hello", opcode=1))) == [Message(b"hello", opcode=1)]
    with pytest.raises(EncodeError, match="fin says which frames join"):
        web.encode(Message(b"hello", opcode=1, fin=0))


def test_many_messages_are_encoded_like_each():
    wire = rpc(payload_size=2)
    sent = [b"abc", b"", b"d"]
    assert wire.encode_many(sent) == b"".join(map(wire.encode, sent))


def test_what_came_before_a_bad_message_comes_first_and_what_follows_is_fine():
    wire = rpc("msgpack", payload_size=1)
    good, bad = wire.encode([1]), RPC.serialize(b"\xc1", {"last": 1})
    reader = MessageReader(wire)
    reader.feed(good + bad + good)
    assert reader.take_messages() == [[1]]
    with pytest.raises(DecodeError) as caught:
        reader.take_messages()
    assert (caught.value.frame_number, caught.value.frame_offset) == (2, len(good))
    assert reader.take_messages() == [[1]]


def test_the_frames_error_comes_behind_the_messages_and_stays():
    reader = MessageReader(rpc())
    reader.feed(rpc().encode(b"x") + b"\xff\xff\xff\xff")
    assert reader.take_messages() == [b"x"]
    for _ in range(3):
        with pytest.raises(FrameTooLargeError):
            reader.take_messages()


def test_the_end_inside_a_message_is_an_error_every_time():
    reader = MessageReader(rpc())
    reader.feed(RPC.serialize(b"abc", {"last": 0}))
    reader.finish()
    for pull in (reader.take_messages, reader.next_message, reader.next_frame):
        with pytest.raises(TruncatedFrameError, match="inside a message") as caught:
            list(iter(pull, None))  # the frame itself comes first
        assert (caught.value.offset, caught.value.pending_size) == (0, 3)


def test_an_endless_message_takes_no_more_memory_than_it_may():
    wire = rpc(max_message_size=5000)
    reader, errors = MessageReader(wire), []
    frame = RPC.serialize(bytes(1000), {"last": 0})
    for _ in range(1000):
        reader.feed(frame)
        try:
            assert reader.take_messages() == []
        except DecodeError as error:
            errors.append(str(error))
        assert reader.decoder._gathering._size <= 5000
    assert len(errors) == 1
    assert "larger than 5000 bytes" in errors[0]
    reader.feed(RPC.serialize(b"", {"last": 1}) + RPC.serialize(b"fine", {"last": 1}))
    assert reader.take_messages() == [b"fine"]


def test_unfinished_messages_are_counted():
    wire = WireFormat(
        get_format("header", header="(more:1 stream:15):u16be length:u8"),
        get_codec("raw"),
        join=Join(more={"more": 1}, last={"more": 0}, by="stream"),
    )
    reader, refused = MessageReader(wire), []
    for stream in range(400):
        reader.feed((0x8000 | stream).to_bytes(2, "big") + b"\x00")
        try:
            reader.take_messages()
        except DecodeError as error:
            refused.append(str(error))
    assert len(refused) == 400 - 128
    assert all("more than 128 messages are unfinished" in text for text in refused)
    assert len(reader.decoder._gathering._open) == 128
    # A message that was refused is over with its last frame, and is not given as if that were all of it.
    reader.feed(bytes.fromhex("018f 01 61018f 01 620000 01 63"))
    assert reader.take_messages() == [Message(b"b", stream=0x18F), Message(b"c", stream=0)]


def test_who_gives_up_message_after_message_fills_no_memory():
    wire = WireFormat(
        get_format("header", header="(more:1 stream:15):u16be length:u8"),
        get_codec("raw"),
        join=Join(more={"more": 1}, last={"more": 0}, by="stream"),
    )
    reader = MessageReader(wire)
    for stream in range(8000):
        reader.feed((0x8000 | stream).to_bytes(2, "big") + b"\x00")
        with suppress(DecodeError):
            reader.take_messages()
    assert len(reader.decoder._gathering._dropped) == 4096


@given(st.lists(st.tuples(st.integers(0, 3), st.binary(max_size=3), st.booleans()), max_size=40))
def test_frames_in_turns_make_the_messages_of_each_stream(frames):
    wire = WireFormat(TURNS, get_codec("raw"), join=Join(more={"more": 1}, last={"more": 0}, by="stream"))
    parts, expected, reader = {}, [], MessageReader(wire)
    for stream, payload, more in frames:
        reader.feed(TURNS.serialize(payload, {"stream": stream, "more": int(more)}))
        parts[stream] = parts.get(stream, b"") + payload
        if not more:
            expected.append(Message(parts.pop(stream), stream=stream))
    assert reader.take_messages() == expected


def test_both_ends_of_a_conversation_join():
    text = """
    name = "calls"
    [client.phases.hello]
    header = "magic:bytes2=HI length:u8"
    after = [{ client = "calls" }]
    [client.phases.calls]
    header = "(last:1 length:31):u32be"
    join = { more = { last = 0 }, last = { last = 1 }, payload_size = 4 }
    after = [{ pattern = "(?i)^bye", server = "over" }]
    [server.phases.calls]
    header = "length:u8"
    [server.phases.over]
    header = "length:u16be"
    """
    protocol = parse_protocol(text, "calls.toml")
    ours, theirs = Conversation(protocol), Conversation(protocol)
    sent = [b"", b"abcdefgh", b"BYE and thanks"]
    theirs.client.feed(b"".join(ours.encode("client", one) for one in sent))
    received = []
    while batch := theirs.client.take_messages():
        received += batch
    assert received == sent
    assert ours.encode("server", b"x") == theirs.encode("server", b"x") == b"\x00\x01x"


def test_a_capture_gets_more_until_the_last_frame():
    wire = rpc(payload_size=2)
    conversation = Conversation(Protocol.both_ways("calls", wire))
    conversation.client.feed(wire.encode(b"abcde"))
    found = []
    while item := conversation.client.next_item():
        frame, decoder = item
        found.append(decoder.decode(frame))
    assert found == [MORE, MORE, b"abcde"]
    assert repr(MORE) == "framing.MORE"


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"more": {}}, "join.more"),
        ({"more": {"last": 0}, "payload_size": 0}, "join.payload_size"),
        ({"more": {"last": 0}, "max_message_size": 0}, "join.max_message_size"),
        ({"more": {"last": 0}, "counter": {"field": "x"}}, "join.counter"),
        ({"more": {"last": 0}, "counter": {"field": "x", "modulo": 1}}, "join.counter"),
        ({"more": {"last": 0}}, "join.last"),
        ({"end": {"length": 0}, "last": {"last": 1}}, "join.last"),
        ({"end": {"length": 0}, "more": {"last": 0}}, "join.more"),
        ({"end": {"size": 0}}, "join.end"),
        ({"more": {"last": 0}, "last": {"last": 1}, "then": {"last": 0}}, "join.more"),
        ({"more": {"lost": 0}, "last": {"lost": 1}}, "join.more"),
        ({"more": {"last": 0}, "last": {"last": 1}, "by": "stream"}, "join.by"),
        ({"more": {"last": 0}, "last": {"last": 1}, "by": ["length", "stream"]}, "join.by"),
        ({"more": {"last": 0}, "last": {"last": 1}, "by": ["length", 2]}, "join.by"),
        ({"more": {"last": 0}, "last": {"last": 1}, "then": {"first": 0}}, "join.then"),
        ({"more": {"last": 0}, "last": {"last": 1}, "alone": {"last": []}}, "join.alone"),
    ],
)
def test_a_join_that_cannot_work_is_refused(options, key):
    with pytest.raises(DefinitionError) as caught:
        WireFormat(RPC, get_codec("raw"), join=Join(**options))
    assert caught.value.key == key


def test_an_empty_list_says_that_a_field_is_not_there():
    form = get_format("conditional", header="(last:1 control:7):u8 length:u8 number:u8?control=0")
    join = Join(more={"last": 0}, last={"last": 1}, alone={"number": []}, payload_size=2)
    wire = WireFormat(form, get_codec("raw"), join=join)
    sent = [Message(b"abc", control=0, number=7), Message(b"ping", control=3, number=None)]
    first, second, ping = [*wire.encode_frames(sent[0]), *wire.encode_frames(sent[1])]
    assert ping.endswith(b"ping")
    reader = MessageReader(wire)
    reader.feed(first + ping + second)
    assert reader.take_messages() == sent[::-1]


@pytest.mark.parametrize("options", [{"more": 3}, {"more": {"last": 0}, "by": 3}, {"more": {"last": 0}, "counter": 3}])
def test_options_of_the_wrong_type_are_refused(options):
    with pytest.raises(TypeError):
        Join(**options)


@pytest.mark.parametrize(
    ("declared", "line", "text"),
    [
        ("join = { more = { last = 0 }, lsat = { last = 1 } }", 4, "did you mean last"),
        ("join = { last = { last = 1 } }", 4, "nothing tells that a message goes on"),
        ("join = { more = { last = 1.5 } }", 4, "an integer or text or an array"),
        ("join = { more = { last = [true] } }", 4, "an integer or text"),
        ("join = { more = { lost = 0 }, last = { last = 1 } }", 4, "no field lost"),
        ("jion = { more = { last = 0 } }", 4, "did you mean join"),
    ],
)
def test_a_mistake_in_a_file_is_told_with_its_line(declared, line, text):
    with pytest.raises(DefinitionError) as caught:
        parse_protocol(f'name = "x"\n[both]\nheader = "(last:1 length:31):u32be"\n{declared}\n', "x.toml")
    assert caught.value.line == line
    assert text in str(caught.value)


def test_messages_are_told_apart_by_several_fields():
    form = get_format("header", header="(more:1 kind:7):u8 request:u8 length:u8")
    join = Join(more={"more": 1}, last={"more": 0}, by=["request", "kind"])
    reader = MessageReader(WireFormat(form, get_codec("raw"), join=join))
    reader.feed(bytes.fromhex("81 01 01 61  82 01 01 62  81 02 01 63  02 01 01 64  01 01 01 65  01 02 00"))
    assert [(one.value, one.fields["request"], one.fields["kind"]) for one in reader.take_messages()] == [
        (b"bd", 1, 2),
        (b"ae", 1, 1),
        (b"c", 2, 1),
    ]
    assert "by=('request', 'kind')" in repr(join)
    assert repr(Join(end={"length": 0}, by="kind")) == "Join(end={'length': 0}, by='kind', max_message_size=1048576)"


def test_its_repr_says_what_was_declared():
    assert repr(Join(more={"fin": 0}, last={"fin": 1})) == (
        "Join(more={'fin': 0}, last={'fin': 1}, max_message_size=1048576)"
    )


def test_a_case_that_lacks_the_last_frames_field_is_written_without_it():
    tds = get_protocol("tds").client.wire
    record = bytes.fromhex("17 03 03 0002 9998")
    reader = MessageReader(tds)
    reader.feed(record)
    assert tds.encode(*reader.take_messages()) == record
    with pytest.raises(EncodeError, match="there is no such case"):
        tds.format.has_field("end_of_message", {"choice": b"\x01"})
    assert tds.format.has_field("end_of_message", {})


def test_a_message_may_be_ended_by_a_frame_of_its_own():
    wire = WireFormat(get_format("u8"), get_codec("msgpack"), join=Join(end={"length": 0}, payload_size=2))
    sent = [{"a": [1, 2, 3]}, None]
    data = b"".join(map(wire.encode, sent))
    for cut in every_cut(data):
        reader, received = MessageReader(wire), []
        for chunk in cut:
            reader.feed(chunk)
            received += reader.take_messages()
        assert received == sent
