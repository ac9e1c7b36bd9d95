"""Messages of several frames: what joins is what the specifications say, by rules that look at the bytes alone.

`RULES` is a second opinion: of each protocol that joins, whether a frame is followed by more of its message, and what
of it is payload, read from the frame's bytes without any of the definition.
"""

import json

import agreement
import oracle
import proofs
import pytest

from framing import MORE, DecodeError, EncodeError, Message, MessageReader, get_protocol
from framing.capture import ErrorRecord, FrameRecord
from framing.testing import every_cut

ALONE = None


def record_marking(data):
    return not data[0] & 0x80, data[4:]


def tpkt(data):
    return (not data[6] & 0x80, data[7:]) if data[5] & 0xF0 == 0xF0 else (ALONE, data[6:])


def mysql(data):
    return data[:3] == b"\xff\xff\xff", data[4:]


def tds(data):
    return (ALONE, data[5:]) if 20 <= data[0] <= 23 else (not data[1] & 1, data[8:])


def opcua(data):
    if data[:3] == b"MSG":
        return data[3:4] == b"C", data[24:]
    return ALONE, data[{b"OPN": 12, b"CLO": 24}.get(data[:3], 8) :]


def giop(data):
    is_numbered = data[:4] == b"GIOP" and data[5] >= 2 and data[7] not in (5, 6)
    return bool(data[6] & 2), data[16:] if is_numbered else data[12:]


def pva(data):
    return (ALONE, b"") if data[2] & 1 else (data[2] >> 4 & 3 in (1, 3), data[8:])


def websocket(data):
    place = {126: 4, 127: 10}.get(data[1] & 0x7F, 2)
    key = data[place : place + 4] if data[1] & 0x80 else b""
    masked = data[place + len(key) :]
    payload = bytes(byte ^ key[at % 4] for at, byte in enumerate(masked)) if key else masked
    return ALONE if data[0] & 8 else not data[0] & 0x80, payload


def bolt(data):
    return len(data) > 2, data[2:]


def netconf(data):
    if data[:2] != b"\n#":
        return ALONE, data[: -len("]]>]]>")]
    return data[2:3] != b"#", data[data.index(b"\n", 2) + 1 :]


def dnp3(data):
    payload = b"".join(data[at : min(at + 16, len(data) - 2)] for at in range(10, len(data), 18))
    return (not payload[0] & 0x80, payload[1:]) if payload else (ALONE, b"")


RULES = {
    "bolt": bolt,
    "dnp3": dnp3,
    "epics_pva": pva,
    "giop": giop,
    "mms_tpkt": tpkt,
    "mysql": mysql,
    "ndmp": record_marking,
    "netconf": netconf,
    "opcua": opcua,
    "rpc_tcp": record_marking,
    "s7comm_tpkt": tpkt,
    "tds": tds,
    "websocket": websocket,
}
CASES = [case for case in agreement.all_cases() if case.proof.name in RULES]


def wires(name):
    protocol = get_protocol(name)
    return [phase.wire for side in (protocol.client, protocol.server) for phase in side.phases.values()]


def test_each_protocol_that_joins_has_a_second_opinion():
    joining = {name for name in proofs.definition_names() if any(wire.join for wire in wires(name))}
    assert joining == RULES.keys()


def value_of(message):
    return message.value if isinstance(message, Message) else message


def checked(case):
    """Compare each message of a capture with the payloads of its frames; return how many had several."""
    joining = [wire.format for wire in wires(case.proof.name) if wire.join]
    rule, unfinished, count = RULES[case.proof.name], {}, 0
    for record in agreement._records(case, get_protocol(case.proof.name)):
        if not isinstance(record, FrameRecord):
            assert not isinstance(record, ErrorRecord) or not isinstance(record.error, DecodeError), record.error
            continue
        if record.frame.format not in joining:
            continue
        goes_on, payload = rule(record.frame.data)
        pieces = [] if goes_on is ALONE else unfinished.setdefault(record.flow, [])
        pieces.append(payload)
        assert (record.message is MORE) == bool(goes_on)
        if not goes_on:
            assert value_of(record.message) == b"".join(pieces)
            count += len(pieces) > 1
            pieces.clear()
    return count


@pytest.mark.parametrize("case", CASES, ids=repr)
def test_messages_are_the_payloads_of_their_frames(case):
    checked(case)


def test_some_captures_have_messages_of_several_frames():
    if not oracle.IS_WHOLE:
        pytest.skip("those in the corpus that have are under licences that keep them out of the project")
    several = [case for case in CASES if case.corpus != oracle.OWN and case.proof.name in ("s7comm_tpkt", "tds")]
    counts = {case.file: checked(case) for case in several}
    assert counts["s7comm_tpkt/nDPI__s7comm.pcap"] == 16
    assert counts["tds/nDPI__mssql_tds.pcap"] == 1


TDS_LOGIN = bytes.fromhex("10 00 000c 0000 01 00") + b"abcd" + bytes.fromhex("10 01 000a 0000 02 00") + b"ef"
TLS_RECORD = bytes.fromhex("17 03 03 0002") + b"\x99\x98"
OPCUA_CHUNKS = bytes.fromhex(
    "4d534743 1b000000 01000000 01000000 02000000 02000000 616263"
    "4d534746 1b000000 01000000 01000000 03000000 02000000 646566"
)
OPCUA_HELLO = bytes.fromhex("48454c46 20000000 00000000 00000100 00000100 00000000 00000000 00000000")
# Two requests of GIOP 1.2, little-endian, whose fragments come in turns, then one of GIOP 1.1 in two.
GIOP_TURNS = bytes.fromhex(
    "47494f50 0102 03 00 0c000000 05000000 6162636465666768"
    "47494f50 0102 03 00 0c000000 07000000 4142434445464748"
    "47494f50 0102 01 07 06000000 05000000 696a"
    "47494f50 0102 01 07 04000000 07000000"
    "47494f50 0101 03 00 04000000 01020304"
    "47494f50 0101 01 07 02000000 0506"
)
PVA_SEGMENTS = bytes.fromhex(
    "ca02 10 0a 03000000 616263ca02 01 00 00100000ca02 30 0a 02000000 6465ca02 20 0a 01000000 66ca02 00 0a 01000000 67"
)
NETCONF = b"<hello/>]]>]]>" + b"\n#4\n<rpc\n#18\n message-id='102'/\n#1\n>\n##\n" + b"\n#4\n<ok>\n##\n"


@pytest.mark.parametrize(
    ("name", "sent", "values"),
    [
        ("tds", TDS_LOGIN + TLS_RECORD, [b"abcdef", b"\x99\x98"]),
        ("opcua", OPCUA_HELLO + OPCUA_CHUNKS, [OPCUA_HELLO[8:], b"abcdef"]),
        ("giop", GIOP_TURNS, [b"abcdefghij", b"ABCDEFGH", b"\1\2\3\4\5\6"]),
        ("epics_pva", PVA_SEGMENTS, [b"", b"abcdef", b"g"]),
        ("bolt", bytes.fromhex("0002 b101 0001 a0 0000 0000"), [b"\xb1\x01\xa0", b""]),
        ("netconf", NETCONF[14:], [b"<rpc message-id='102'/>", b"<ok>"]),
    ],
)
def test_messages_from_the_specifications(name, sent, values):
    client = get_protocol(name).client
    wire = client.phases[client.midstream or client.start].wire
    for cut in every_cut(sent):
        reader, messages = MessageReader(wire), []
        for chunk in cut:
            reader.feed(chunk)
            messages += reader.take_messages()
        reader.finish()
        assert [value_of(one) for one in messages + reader.take_messages()] == values
    # As one side writes them, the other reads them.
    reader = MessageReader(wire)
    reader.feed(b"".join(map(wire.encode, messages)))
    assert reader.take_messages() == messages


def frames_of(name, message):
    client = get_protocol(name).client
    return client.phases[client.midstream or client.start].wire.encode_frames(message)


def test_what_is_too_long_for_a_frame_is_written_in_several():
    fields = {"choice": b"", "type": 1, "reserved": 0, "spid": 0, "window": 0} | dict.fromkeys(
        ("reset_connection_skip_tran", "reset_connection", "event_notification", "ignore"), 0
    )
    packets = frames_of("tds", Message(bytes(5000), packet_id=255, **fields))
    assert [(len(one), one[1], one[6]) for one in packets] == [(4096, 0, 255), (920, 1, 0)]

    chunks = frames_of(
        "opcua",
        Message(bytes(20_000), type=b"MSG", secure_channel_id=1, token_id=1, sequence_number=2**32 - 1, request_id=9),
    )
    assert [(one[3:4], len(one), int.from_bytes(one[16:20], "little")) for one in chunks] == [
        (b"C", 8192, 2**32 - 1),
        (b"C", 8192, 0),
        (b"F", 3688, 1),
    ]
    assert frames_of("bolt", b"x" * 65_536) == [b"\xff\xff" + b"x" * 65_535, b"\x00\x01x", b"\0\0"]
    assert frames_of("netconf", Message(b"<ok/>", choice=b"\n#")) == [b"\n#5\n<ok/>", b"\n##\n"]
    assert frames_of("netconf", Message(b"<ok/>", choice=b"")) == [b"<ok/>]]>]]>"]
    with pytest.raises(EncodeError):
        frames_of("netconf", Message(b"", choice=b"\n#"))


def test_what_is_given_up_is_an_error_and_the_rest_is_fine():
    reader = MessageReader(get_protocol("opcua").client.wire)
    reader.feed(OPCUA_CHUNKS[:27] + OPCUA_CHUNKS[27:].replace(b"MSGF", b"MSGA") + OPCUA_CHUNKS)
    with pytest.raises(DecodeError, match="given this message up"):
        reader.take_messages()
    assert [one.value for one in reader.take_messages()] == [b"abcdef"]


def test_segments_of_two_dnp3_outstations_join_by_both_addresses():
    path = proofs.SPECS / "vectors" / "protocols" / "dnp3.json"
    vectors = {one["id"]: one["conversation"] for one in json.loads(path.read_text("utf-8"))["vectors"]}
    reader = MessageReader(get_protocol("dnp3").server.wire)
    reader.feed(bytes.fromhex(vectors["dnp3_segments"]["steps"][1]["server"]))
    status, first, second = reader.take_messages()
    assert (status.value, status.fields["transport_sequence"], status.fields["function_code"]) == (b"", None, 11)
    assert (first.fields["source"], first.value.hex()) == (4, "c181000001020000070181018101810181")
    assert (second.fields["source"], second.value.hex()) == (5, "c6810000")


def test_a_long_dnp3_fragment_is_written_in_segments_that_are_counted():
    wire = get_protocol("dnp3").server.wire
    fields = {"from_master": 0, "primary": 1, "frame_count": 0, "frame_count_valid": 0, "function_code": 4}
    fields |= {"destination": 3, "source": 4, "transport_sequence": 63}
    frames = wire.encode_frames(Message(bytes(600), **fields))
    assert [(len(one), one[10]) for one in frames] == [(292, 0x7F), (292, 0x00), (127, 0x81)]
    reader = MessageReader(wire)
    reader.feed(b"".join(frames))
    (message,) = reader.take_messages()
    assert (message.value, message.fields["transport_sequence"]) == (bytes(600), 63)


def test_a_dnp3_frame_without_user_data_is_written_as_it_came():
    wire = get_protocol("dnp3").client.wire
    data = bytes.fromhex("056405c904000300b620")
    reader = MessageReader(wire)
    reader.feed(data)
    (message,) = reader.take_messages()
    assert "choice" not in message.fields
    assert wire.encode(message) == data
    with pytest.raises(EncodeError, match="fin_fir, transport_sequence"):
        wire.encode(Message(b"user data", **message.fields))
