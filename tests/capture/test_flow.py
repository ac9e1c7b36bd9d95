import pytest

from framing.capture.flow import Chunk, Connection, Flow, FlowEnd, Gap, pack_mark


@pytest.fixture
def pair(wire):
    addresses = wire.address("10.0.0.5"), wire.address("10.0.0.9")
    ports = (51744).to_bytes(2, "big"), (9092).to_bytes(2, "big")
    return Flow(b"".join(addresses + ports)), Flow(b"".join(addresses[::-1] + ports[::-1]))


def connect(pair, number=1, *, is_guessed=False):
    client, server = pair
    client.reverse, server.reverse = server, client
    client.connection = server.connection = Connection(client, server, number, is_guessed=is_guessed)
    return pair


def test_names_go_from_source_to_destination(pair):
    client, server = connect(pair)
    assert (client.name, server.name) == ("10.0.0.5:51744>10.0.0.9:9092", "10.0.0.9:9092>10.0.0.5:51744")
    assert (client.source, client.destination) == (("10.0.0.5", 51744), ("10.0.0.9", 9092))
    assert (client.direction, server.direction) == ("client", "server")
    assert (client.is_guessed, client.is_ended) == (False, False)


def test_second_connection_has_its_number_in_the_name(pair):
    """[P19]"""
    client, server = connect(pair, 2, is_guessed=True)
    assert (client.name, server.name) == ("10.0.0.5:51744>10.0.0.9:9092#2", "10.0.0.9:9092>10.0.0.5:51744#2")
    assert server.is_guessed is True


def test_ipv6_addresses_stand_in_brackets(wire):
    flow = Flow(wire.address("2001:db8::1") + wire.address("::1") + b"\x01\xbb\xc3\x50")
    flow.connection = Connection(flow, flow, 1, is_guessed=False)
    assert flow.name == "[2001:db8::1]:443>[::1]:50000"
    assert flow.source == ("2001:db8::1", 443)


def test_size_is_what_was_delivered(pair):
    """[P21]"""
    flow, _ = connect(pair)
    flow.offset, flow.missing_size = 100, 30
    assert flow.size == 70
    assert repr(flow) == "<Flow 10.0.0.5:51744>10.0.0.9:9092 70 bytes>"


def test_events_show_what_they_are(pair):
    flow, _ = connect(pair)
    name = "10.0.0.5:51744>10.0.0.9:9092"
    assert repr(Chunk(flow, 5, 10, b"abc", 7)) == f"<Chunk {name} offset 10, 3 bytes, packet 7>"
    assert repr(Gap(flow, 5, 10, 3, 7, "cut")) == f"<Gap {name} offset 10, 3 bytes, cut>"
    assert repr(FlowEnd(flow, "fin", 9, 4)) == f"<FlowEnd {name} fin>"


def test_what_newer_packets_brought_is_told_by_the_marks(pair):
    flow, _ = connect(pair)
    marks = b"".join(pack_mark(end, 1000 * number, number) for end, number in ((2, 7), (3, 9), (6, 12)))
    many, single = Chunk(flow, 12000, 10, b"abcdef", 12, marks), Chunk(flow, None, 10, b"abc", 7)
    assert [many.since(number) for number in (6, 7, 8, 9, 11, 12)] == [
        (10, b"abcdef"),
        (12, b"cdef"),
        (12, b"cdef"),
        (13, b"def"),
        (13, b"def"),
        (16, b""),
    ]
    assert list(many.marks) == [(2, 7000, 7), (3, 9000, 9), (6, 12000, 12)]
    assert (single.since(6), single.since(7)) == ((10, b"abc"), (13, b""))
    assert list(single.marks) == [(3, None, 7)]
