import io

import pytest

from framing import CaptureError, get_protocol
from framing.capture import FrameRecord, SummaryRecord, read, record_to_json
from framing.capture.choosing import ProtocolChoice
from framing.errors import FrameTooLargeError, UnknownNameError
from framing.facts import KnownPorts
from framing.protocol import Protocol

TCP = {9092: ("kafka",), 443: ("tls",), 80: ("kafka", "tls"), 7: ("no_such_protocol",)}
KNOWN = KnownPorts(TCP, {4739: ("ipfix",), 5: ("kafka", "tls")})
KAFKA_FRAME, TLS_FRAME = bytes.fromhex("0000000161"), bytes.fromhex("1603030001ff")


def speak(capture, server, client, payload=KAFKA_FRAME):
    capture.opened(client=client, server=server).packet(payload, client=client, server=server)


def test_what_was_said_is_spoken_on_every_port():
    said = ProtocolChoice("kafka")
    assert said.protocol(9092) is said.protocol(5)
    assert (said.name(5), said.known, said.server_ports, said.wanted_ports) == ("", None, {9092}, {9092})
    assert ProtocolChoice("u8/raw").wanted_ports is None


def test_a_name_that_was_said_must_exist():
    with pytest.raises(UnknownNameError):
        ProtocolChoice("no_such_protocol")


def test_a_port_tells_the_only_protocol_that_is_known_there():
    choice = ProtocolChoice(KNOWN)
    assert repr(choice.protocol(443)) == repr(get_protocol("tls"))
    assert choice.protocol(443) is choice.protocol(443)
    assert choice.name(443) == "tls"
    assert [choice.protocol(port) for port in (80, 7, 5)] == [None, None, None]
    assert choice.server_ports == TCP.keys()
    assert choice.wanted_ports == {9092, 443, 7}


def test_a_limit_is_that_of_each_protocol():
    protocol = ProtocolChoice(KNOWN, max_frame_size=100).protocol(9092)
    assert protocol is not None
    assert protocol.client.wire.format.max_frame_size == 100


def test_each_connection_of_a_capture_has_the_protocol_of_its_port(capture):
    speak(capture, 9092, 1)
    speak(capture, 443, 2, TLS_FRAME)
    for client, server in ((3, 80), (4, 7), (5, 5), (6, 5)):
        speak(capture, server, client)

    *found, total = read(capture.file(), KNOWN)

    frames = [(one.protocol, one.size) for one in found if isinstance(one, FrameRecord)]
    assert frames == [("kafka", 5), ("tls", 6)]
    assert {one.protocol for one in found if isinstance(one, SummaryRecord)} == {"kafka", "tls"}
    assert (total.protocol, total.left, total.flow_count) == ("", {5: 2, 80: 1, 7: 1}, 4)
    assert record_to_json(found[0])["protocol"] == "kafka"
    assert record_to_json(total)["left"] == {"5": 2, "80": 1, "7": 1}


def test_no_record_has_the_name_of_a_protocol_that_was_said(capture):
    speak(capture, 9092, 1)
    assert all("protocol" not in record_to_json(one) for one in read(capture.file(), "kafka"))


def test_ports_and_names_choose_among_those_that_are_known(capture):
    speak(capture, 9092, 1)
    speak(capture, 443, 2, TLS_FRAME)
    speak(capture, 80, 3)

    assert [one.protocol for one in read(capture.file(), KNOWN, ports=[443]) if one.type == "frame"] == ["tls"]
    flows = ["10.0.0.9"]
    assert [one.protocol for one in read(capture.file(), KNOWN, flows=flows) if one.type == "frame"] == ["kafka", "tls"]


def test_nothing_known_is_an_error_that_tells_what_is_in_question(capture):
    speak(capture, 80, 3)
    speak(capture, 5, 4)
    with pytest.raises(CaptureError, match=r"exactly one known protocol .*ports 80: kafka or tls, 5\)"):
        list(read(capture.file(), KNOWN))


def test_errors_have_the_protocol_too(capture):
    speak(capture, 9092, 1, bytes.fromhex("00ffffff"))
    [error] = [one for one in read(capture.file(), KNOWN, max_frame_size=99) if one.type == "error"]
    assert (type(error.error), error.protocol) == (FrameTooLargeError, "kafka")


@pytest.mark.parametrize(
    ("ports", "udp_ports", "transports", "wanted"),
    [
        ((5,), (), {"tcp"}, {5}),
        ((), (5,), {"udp"}, set()),
        ((5,), (6,), {"tcp", "udp"}, {5}),
        ((), (), {"tcp", "udp"}, None),
    ],
)
def test_ports_tell_what_carries_a_protocol(ports, udp_ports, transports, wanted):
    """[R8]"""
    wire = get_protocol("u8/raw").client.wire
    choice = ProtocolChoice(Protocol.both_ways("some", wire, ports=ports, udp_ports=udp_ports))
    assert (choice.transports, choice.wanted_ports, choice.datagram_ports) == (transports, wanted, frozenset(udp_ports))
    for transport in ("tcp", "udp"):
        assert (choice.protocol(5, transport) is not None) == (transport in transports)


def test_ports_of_tcp_say_nothing_about_datagrams():
    assert ProtocolChoice(KNOWN).protocol(9092, "udp") is None


def test_a_udp_port_tells_its_own_protocol():
    choice = ProtocolChoice(KNOWN)
    assert repr(choice.protocol(4739, "udp")) == repr(get_protocol("ipfix"))
    assert choice.name(4739, "udp") == "ipfix"
    assert [choice.protocol(port, "udp") for port in (5, 443)] == [None, None]
    assert choice.datagram_ports == {4739, 5}


def test_datagrams_of_a_capture_have_the_protocol_of_their_port(wire):
    message = bytes.fromhex("000a0010655000000000000000000001")
    datagrams = [wire.udp(40000, port, message) for port in (4739, 5, 6)]
    packets = [wire.ethernet(wire.ipv4("10.0.0.5", "10.0.0.9", one, protocol=17)) for one in datagrams]
    *found, total = read(io.BytesIO(wire.pcap(packets)), KNOWN)
    assert [(one.protocol, one.size) for one in found if one.type == "frame"] == [("ipfix", 16)]
    assert total.left == {5: 1}
