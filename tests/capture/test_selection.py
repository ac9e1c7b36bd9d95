import pytest

from framing.capture.flow import Connection, Flow
from framing.capture.selection import FlowSelection


def connection(wire, client=("10.0.0.5", 51744), server=("10.0.0.9", 9092), number=1):
    ends = [wire.address(host) for host, _ in (client, server)]
    ports = [port.to_bytes(2, "big") for _, port in (client, server)]
    flows = Flow(ends[0] + ends[1] + ports[0] + ports[1]), Flow(ends[1] + ends[0] + ports[1] + ports[0])
    flows[0].reverse, flows[1].reverse = flows[1], flows[0]
    made = Connection(*flows, number, is_guessed=False)
    flows[0].connection = flows[1].connection = made
    return made


@pytest.mark.parametrize(
    ("ports", "taken"), [(None, True), ((9092,), True), ((1, 9092), True), ((51744,), False), ((), False)]
)
def test_ports_are_the_servers(wire, ports, taken):
    selection = FlowSelection(ports)

    assert selection.takes(connection(wire)) is taken
    assert selection.taken_count == taken
    assert dict(selection.left) == ({} if taken else {9092: 1})


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("10.0.0.5:51744>10.0.0.9:9092", ["client"]),
        ("10.0.0.9:9092>10.0.0.5:51744", ["server"]),
        ("10.0.0.5:51744", ["client", "server"]),
        ("10.0.0.9:9092", ["client", "server"]),
        ("10.0.0.9", ["client", "server"]),
        ("10.0.0.9:9093", []),
        ("10.0.0.5:51744>10.0.0.9:9092#2", []),
        ("10.0.0", []),
        ("", []),
    ],
)
def test_names_are_of_flows_or_of_their_ends(wire, name, shown):
    made = connection(wire)
    selection = FlowSelection(None, [name])

    assert selection.takes(made) is bool(shown)
    assert [flow.direction for flow in (made.client, made.server) if selection.shows(flow)] == shown


def test_a_name_without_a_number_is_every_connection_of_the_pair(wire):
    second = connection(wire, number=2)

    assert FlowSelection(None, ["10.0.0.5:51744>10.0.0.9:9092"]).takes(second)
    assert FlowSelection(None, ["10.0.0.5:51744>10.0.0.9:9092#2"]).takes(second)
    assert not FlowSelection(None, ["10.0.0.5:51744>10.0.0.9:9092#3"]).takes(second)


def test_names_win_over_ports(wire):
    assert FlowSelection([1], ["10.0.0.9"]).takes(connection(wire))


def test_addresses_of_version_6(wire):
    made = connection(wire, ("2001:db8::1", 5), ("::1", 6))

    for name in ("2001:db8::1", "[2001:db8::1]:5", "::1", "[::1]:6", "[2001:db8::1]:5>[::1]:6"):
        assert FlowSelection(None, [name]).takes(made)


def test_ports_that_were_left_are_listed_by_frequency(wire):
    selection = FlowSelection([1])
    for port in (80, 443, 443, *range(1000, 1020)):
        selection.takes(connection(wire, server=("10.0.0.9", port)))

    assert selection.ports_left().startswith("443 (2), 80, 1000, ")
    assert selection.ports_left().endswith(" and 10 more")
