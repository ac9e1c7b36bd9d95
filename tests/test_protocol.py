"""Protocol: phases and rules, and what cannot work. Spec: [F30] to [F34]."""

import pytest

from framing import (
    DefinitionError,
    Direction,
    Phase,
    Protocol,
    Rule,
    WireFormat,
    get_codec,
    get_format,
)
from framing.protocol import other_side

RAW = get_codec("raw")
BYTES = WireFormat(get_format("u8"), RAW)
TYPED = WireFormat(get_format("header", header="type:u8 length:u8"), RAW)


def one_way(*phases, **options):
    return Protocol("test", Direction(phases, **options), Direction((Phase("frames", BYTES),)))


def test_both_ways():
    protocol = Protocol.both_ways("echo", BYTES, title="Echo", ports=(7,), udp_ports=(7, 8))
    assert (protocol.name, protocol.title, protocol.ports, protocol.udp_ports) == ("echo", "Echo", (7,), (7, 8))
    assert protocol.client.wire is protocol.server.wire is BYTES
    assert repr(protocol) == "<Protocol echo>"
    assert (other_side("client"), other_side("server")) == ("server", "client")


def test_a_rule_looks_at_count_payload_and_header():
    frame = TYPED.format.frame(b"\7\3abc")
    assert Rule({"client": "x"}).matches(frame, 1)
    assert not Rule({"client": "x"}, frames=2).matches(frame, 1)
    assert Rule({"client": "x"}, frames=2).matches(frame, 3)
    assert Rule({"client": "x"}, payload=b"ab").matches(frame, 1)
    assert not Rule({"client": "x"}, payload=b"b").matches(frame, 1)
    assert Rule({"client": "x"}, fields={"type": 7, "length": 3}).matches(frame, 1)
    assert not Rule({"client": "x"}, fields={"type": 7, "length": 4}).matches(frame, 1)


def test_a_rule_asks_for_one_of_several_values():
    frame = TYPED.format.frame(b"\7\3abc")
    assert Rule({"client": "x"}, fields={"type": [6, 7]}).matches(frame, 1)
    assert not Rule({"client": "x"}, fields={"type": [6, 8]}).matches(frame, 1)


def test_a_rule_asks_for_a_pattern():
    frame = TYPED.format.frame(b"\7\x09STARTTLS\xe9")
    assert Rule({"client": "x"}, pattern="(?i)^starttls\xe9$").matches(frame, 1)
    assert not Rule({"client": "x"}, pattern="^TLS").matches(frame, 1)
    block = get_format("header_block(start_line=true)").frame(b"HEAD / HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
    assert Rule({"client": "x"}, pattern={"start": "^HEAD "}).matches(block, 1)
    assert not Rule({"client": "x"}, pattern={"start": "^HEAD ", "payload": "."}).matches(block, 1)
    assert Rule({"client": "x"}, pattern={"type": "^[67]$"}).matches(frame, 1)  # a number, in decimal digits
    assert not Rule({"client": "x"}, pattern={"type": "^0"}).matches(frame, 1)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Direction(()), "one or more phases"),
        (lambda: Direction((Phase("a", BYTES), Phase("a", BYTES))), "different names"),
        (lambda: Direction((Phase("a", BYTES),), start="b"), "no phase is called b"),
        (lambda: Direction((Phase("a", BYTES),), midstream="b"), "no phase is called b"),
        (lambda: Direction((Phase("a", BYTES, first=b"x", otherwise="b"),)), "no phase is called b"),
        (lambda: Phase("a", BYTES, first=b"x"), "need each other"),
        (lambda: Phase("a", BYTES, otherwise="b"), "need each other"),
        (
            lambda: Direction(
                (Phase("a", BYTES, first=b"x", otherwise="b"), Phase("b", BYTES, first=b"y", otherwise="a"))
            ),
            "stand in for each other",
        ),
        (lambda: one_way(Phase("a", BYTES, after=(Rule({"client": "b"}),))), "no phase is called b"),
        (lambda: one_way(Phase("a", BYTES, after=(Rule({"peer": "b"}),))), "a rule moves a side"),
        (lambda: one_way(Phase("a", BYTES, after=(Rule({"client": "a"}, fields={"type": 1}),))), "have no field type"),
        (lambda: one_way(Phase("a", BYTES, after=(Rule({"client": "a"}, pattern={"x": "1"}),))), "have no field x"),
        (lambda: Rule(frames=2), "a rule that does nothing"),
        (lambda: one_way(Phase("a", BYTES, after=(Rule(owes={"server": "b"}),))), "no phase is called b"),
        (lambda: Rule({"client": "a"}, pattern="(?P<"), "no regular expression for payload"),
    ],
)
def test_what_cannot_work_is_refused_at_once(make, text):
    with pytest.raises(DefinitionError, match=text):
        make()


def test_another_limit_keeps_the_facts():
    protocol = Protocol.both_ways(
        "echo", BYTES, title="Echo", ports=(7,), udp_ports=(8,), source="RFC", not_covered="x", over="y"
    )
    limited = protocol.limited(9)
    assert limited.client.wire.format.max_frame_size == 9
    facts = ("name", "title", "ports", "udp_ports", "source", "not_covered", "over")
    assert [getattr(limited, name) for name in facts] == [getattr(protocol, name) for name in facts]
