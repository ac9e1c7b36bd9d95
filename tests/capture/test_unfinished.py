"""[P18] What is not whole in all directions together stays within a budget."""

from types import SimpleNamespace

import pytest

from framing.capture import ErrorRecord, FrameRecord, SummaryRecord, read
from framing.capture.unfinished import Unfinished
from framing.protocol import Protocol
from framing.toml import parse_protocol

JOINED = parse_protocol(
    """
    name = "joined"
    [both]
    header = "more:u8 length:u16be"
    join = { more = { more = 1 }, last = { more = 0 } }
    """,
    "joined.toml",
)


@pytest.fixture(autouse=True)
def small_budget(monkeypatch):
    monkeypatch.setattr(Unfinished.__init__, "__defaults__", (30_000,))


def spread(capture, parts, clients):
    """Send to each client the same parts, by turns."""
    for client in range(1, clients + 1):
        capture.opened(client=client)
    for part in parts:
        for client in range(1, clients + 1):
            capture.packet(part, client=client)


def outcome(capture, protocol):
    *records, total = read(capture.file(), protocol, every_flow=True)
    errors = [record for record in records if isinstance(record, ErrorRecord)]
    frames = [record.flow for record in records if isinstance(record, FrameRecord)]
    ends = {one.flow: one for one in records if isinstance(one, SummaryRecord) and one.direction == "client"}
    return errors, frames, ends, total


@pytest.mark.parametrize("protocol", ["u32be/raw", JOINED], ids=["a frame", "a message"])
def test_the_directions_that_hold_for_longest_are_given_up(capture, protocol):
    if isinstance(protocol, Protocol):
        parts = [b"\1\x03\xe8" + bytes(1000)] * 9
    else:
        parts = [(9001).to_bytes(4, "big"), *[bytes(1000)] * 9]
    spread(capture, parts, clients=6)
    capture.packet(b"\0\0\1!" if isinstance(protocol, Protocol) else b"!", client=4)

    errors, frames, ends, total = outcome(capture, protocol)

    given_up, unfinished_ones = errors[:2], errors[2:]
    assert [error.flow.partition(">")[0] for error in given_up] == ["10.0.0.5:1", "10.0.0.5:2"]
    for error in given_up:
        assert "all flows together held more than 30000" in str(error.error)
        assert "--port" in str(error.error)
        end = ends[error.flow]
        assert (end.error_count, end.skipped_size) == (1, end.size - 1003 * end.frame_count)
    assert [error.flow.partition(">")[0] for error in unfinished_ones] == ["10.0.0.5:3", "10.0.0.5:5", "10.0.0.5:6"]
    assert frames[-1].startswith("10.0.0.5:4>")
    assert total.error_count == 5


class Holding:
    """A direction that holds so much."""

    is_shown = True

    def __init__(self, size):
        self.held_size, self.reader = size, SimpleNamespace(offset=0)

    def stop(self, error):
        self.held_size = 0
        return self, str(error)


def test_what_is_whole_again_or_has_ended_counts_no_more():
    first, second, third = Holding(20_000), Holding(20_000), Holding(70_000)
    held = Unfinished(100_000)
    assert [*held.note(first), *held.note(second)] == []
    first.held_size = 100
    assert held.note(first) == ()
    assert held.note(third) == ()  # 90000
    held.forget(second)
    first.held_size = 25_000
    assert held.note(first) == ()  # 95000
    first.held_size = 35_000
    ((given_up, said),) = held.note(first)  # 105000, and the third began before the first one did so again
    assert given_up is third
    assert "70000 bytes were held" in said
    assert held.note(third) == ()
    assert held.note(Holding(4095)) == ()  # so little is not counted


def test_one_that_holds_more_than_all_may_is_given_up_itself():
    hidden, alone = Holding(9000), Holding(100_001)
    hidden.is_shown = False
    held = Unfinished(100_000)
    assert held.note(hidden) == ()
    ((given_up, _),) = held.note(alone)
    assert given_up is alone  # nobody has asked for the other one's records
    assert hidden.held_size == 0
