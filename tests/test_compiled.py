"""The compiled twins: there or not, and why; and nothing they are given brings them down."""

import sys
from itertools import product
from struct import pack

import pytest

from framing.capture.flow import Connection, Flow
from framing.capture.ordinary import Joining
from framing.compiled import TWINS, twins

needs_them = pytest.mark.skipif(not twins().modules, reason=twins().reason)


def test_all_or_none_and_a_reason(monkeypatch):
    there = twins()
    assert set(there.modules) in (set(TWINS), set())
    assert there.reason
    monkeypatch.setitem(sys.modules, TWINS[1], None)
    assert twins() == ({}, "it was built without a C compiler or Python's header files")


@pytest.mark.parametrize(("value", "is_pure"), [("1", True), ("yes", True), ("0", False), ("", False)])
def test_the_variable_asks_for_pure_python(value, is_pure, monkeypatch):
    monkeypatch.setenv("FRAMING_PURE", value)
    assert (twins() == ({}, "FRAMING_PURE is set")) == is_pure


def frames():
    return twins().modules["framing._frames"]


def packets():
    return twins().modules["framing.capture._packets"]


PLAIN = (0, 4, True, 4, 4, 4, 100, ())


@needs_them
@pytest.mark.parametrize(
    "change",
    [
        {0: -1},
        {0: 1},
        {0: 2**31 - 1},
        {1: 0},
        {1: 9},
        {3: 3},
        {3: 2**62},
        {4: 2**62},
        {4: -(2**62)},
        {5: -1},
        {6: 2**62},
        {6: 2**70},
        {7: ((0, ()),)},
        {7: ((0, (b"",)),)},
        {7: ((1, (b"abcd",)),)},
        {7: ((-1, (b"a",)),)},
        {7: ((0, (b"a", b"ab")),)},
        {7: ((0, (b"a", "b")),)},
        {7: ((0, (b"a",)),) * 65},
        {7: (5,)},
        {7: []},
    ],
)
def test_a_header_that_cannot_be_is_refused(change):
    given = [change.get(place, value) for place, value in enumerate(PLAIN)]
    with pytest.raises((ValueError, OverflowError, TypeError)):
        frames().Header(*given)


@needs_them
def test_places_outside_the_buffer_are_refused():
    header = frames().Header(*PLAIN)
    for start, end in ((-1, 4), (0, 9), (5, 4), (2**62, 2**62)):
        with pytest.raises(ValueError, match="places in the buffer"):
            header.scan(b"\0\0\0\0abcd", start, end, 5, [])
    with pytest.raises(TypeError):
        header.scan(bytearray(8), 0, 8, 5, [])
    with pytest.raises(TypeError):
        header.scan_frames(bytes(8), 0, 8, 5, [], 0, 7)
    with pytest.raises(OverflowError):
        header.scan_frames(bytes(8), 0, 8, 5, [], 2**63 - 4, object)


@needs_them
@pytest.mark.parametrize("size", range(1, 9))
@pytest.mark.parametrize("base", [-9, 0, 9, 2**61])
def test_lengths_near_the_largest_stop_the_scan(size, base):
    header = frames().Header(0, size, True, size, base, size, 2**61, ())
    for top, bottom in product((0xFF, 0x7F, 0x80), (0xFF, 0xFE, 0xF6, 0)):
        data = bytes((top,)) + b"\xff" * (size - 2) + bytes((bottom,)) * (size > 1)
        out = []
        stopped = header.scan(data, 0, len(data), 5, out)
        total = int.from_bytes(data, "big") + base
        assert (stopped, len(out)) == ((len(data), 1) if total == len(data) else (0, 0))


class Odd:
    """Stands where a flow should."""


def flow(**changed):
    one, other = Flow(b"abcd" * 3), Flow(b"cdab" * 3)
    one.reverse, other.reverse = other, one
    one.connection = other.connection = Connection(one, other, 1, is_guessed=False)
    one.next_sequence = 0
    for name, value in changed.items():
        setattr(one, name, value)
    return one


def packet(payload=b"hi", flags=b"\x10"):
    size = 40 + len(payload)
    ip = b"\x45\0" + size.to_bytes(2, "big") + bytes(5) + b"\6\0\0" + b"abcd" * 3
    return bytes(12) + b"\x08\0" + ip + bytes(8) + b"\x50" + flags + bytes(6) + payload


def record(data):
    return bytes(8) + len(data).to_bytes(4, "little") * 2 + data


LAYOUT = (False, 16, 1)


def leave(*_):
    """Begin no connection."""
    return False


def joining(*flows, begin=leave):
    return Joining({one.key: one for one in flows}, begin)


JOINING = joining()


@needs_them
def test_a_flow_is_read_and_written_back():
    one = flow()
    data = record(packet()) * 2
    position, number, chunks, ends = packets().scan_pcap(data, 0, 4, LAYOUT, joining(one))
    assert (position, number) == (len(record(packet())), 5)
    assert (chunks, ends) == ([(one, 0, 0, b"hi", 5, b"")], [])
    assert (one.next_sequence, one.offset, one.packet_count, one.last_number) == (2, 2, 1, 5)


@needs_them
@pytest.mark.parametrize(
    "changed", [{"offset": 2**62}, {"offset": 2**70}, {"pending": [1]}, {"next_sequence": -1}, {"next_sequence": 2**70}]
)
def test_flows_that_are_not_in_order_are_left(changed):
    one = flow(**changed)
    assert packets().scan_pcap(record(packet()), 0, 4, LAYOUT, joining(one)) == (0, 4, [], [])
    assert one.packet_count == 0


@needs_them
def test_a_flow_begins_with_the_answer_to_a_syn_and_ends_with_a_fin():
    one = flow(next_sequence=-1)
    one.reverse.syn_sequence = 7
    answer, fin = record(packet(b"", b"\x12")), record(packet(b"", b"\x11"))
    assert packets().scan_pcap(answer + fin, 0, 4, LAYOUT, joining(one)) == (len(answer), 5, [], [])
    assert (one.syn_sequence, one.next_sequence, one.packet_count) == (0, 1, 1)
    one.next_sequence = 0
    found = packets().scan_pcap(fin, 0, 5, LAYOUT, joining(one))
    assert found == (len(fin), 6, [], [(one, 0, 6, 2)])
    assert (one.next_sequence, one.packet_count) == (-2, 2)
    assert packets().scan_pcap(answer, 0, 6, LAYOUT, joining(one)) == (0, 6, [], [])


@needs_them
@pytest.mark.parametrize(("said", "taken"), [(True, 1), (False, 0), (5, 1), (None, 0)])
def test_a_connection_is_asked_for_with_a_bare_syn(said, taken):
    asked = []

    def begin(*facts):
        asked.append(facts)
        return said

    syn = record(packet(b"", b"\x02"))
    found = packets().scan_pcap(syn, 0, 4, LAYOUT, joining(begin=begin))
    assert found == (taken * len(syn), 4 + taken, [], [])
    assert asked == [(b"abcd" * 3, 0, 5)]
    for other in (packet(b"x", b"\x02"), packet(b"", b"\x06"), packet(b"", b"\x03")):
        assert packets().scan_pcap(record(other), 0, 4, LAYOUT, joining(begin=begin)) == (0, 4, [], [])
    assert len(asked) == 1


@needs_them
def test_what_begins_a_connection_may_fail_and_may_change_the_flows():
    one, data = flow(), record(packet()) + record(packet(b"", b"\x02")) + record(packet())
    data = data.replace(b"abcd" * 3, b"abce" * 3)
    one.key = b"abce" * 3

    def fail(*_):
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        packets().scan_pcap(data, 0, 4, LAYOUT, joining(one, begin=fail))
    assert one.packet_count == 0
    with pytest.raises(TypeError):
        packets().scan_pcap(data, 0, 4, LAYOUT, joining(one, begin=5))
    both = joining(one, begin=lambda *_: both.flows.clear() or True)
    one.next_sequence = 0
    position, number, chunks, _ = packets().scan_pcap(data, 0, 4, LAYOUT, both)
    # The flow that was met before is known, and the third packet repeats what the first one brought.
    assert (position, number, len(chunks)) == (len(data) - len(record(packet())), 6, 1)


@needs_them
@pytest.mark.parametrize(("asked", "error"), [("x", TypeError), (-1, None), (2**70, None)])
def test_an_answer_to_no_syn_is_left(asked, error):
    one = flow(next_sequence=-1)
    one.reverse.syn_sequence = asked
    data = record(packet(b"", b"\x12"))
    if error is None:
        assert packets().scan_pcap(data, 0, 4, LAYOUT, joining(one)) == (0, 4, [], [])
    else:
        with pytest.raises(error):
            packets().scan_pcap(data, 0, 4, LAYOUT, joining(one))


@needs_them
def test_what_is_no_flow_is_an_exception():
    for wrong in (Odd(), 5, flow(offset="x"), flow(pending=5)):
        with pytest.raises((AttributeError, TypeError)):
            packets().scan_pcap(record(packet()), 0, 4, LAYOUT, Joining({b"abcd" * 3: wrong}, leave))


@needs_them
def test_arguments_that_cannot_be_are_refused():
    scan = packets().scan_pcap
    for given in (
        (b"", 1, 0, LAYOUT, JOINING),
        (b"", -1, 0, LAYOUT, JOINING),
        (b"", 0, -1, LAYOUT, JOINING),
        (b"", 0, 2**62, LAYOUT, JOINING),
        (b"", 0, 0, (False, 15, 1), JOINING),
        (b"", 0, 0, (False, 16, 0), JOINING),
        (bytearray(), 0, 0, LAYOUT, JOINING),
        (b"", 0, 0, LAYOUT, []),
        (b"", 0, 0, LAYOUT, ([], leave)),
    ):
        with pytest.raises((ValueError, TypeError)):
            scan(*given)


@needs_them
@pytest.mark.parametrize(
    ("clock", "told"),
    [
        ((1, 0), 5 << 32 | 7),
        ((10**9, 0), None),
        ((0, 0), None),
        ((-1, 0), None),
        ((1, 2**62), None),
        ((1, -(2**62)), (5 << 32 | 7) - 2**62),
        ((1, 2**70), None),
        ((2**70, 0), None),
    ],
)
def test_clocks_that_are_too_large_are_left(clock, told):
    one = flow()
    body = b"".join(part.to_bytes(4, "little") for part in (0, 5, 7, 56, 56)) + packet()
    size = (12 + len(body)).to_bytes(4, "little")
    block = (6).to_bytes(4, "little") + size + body + size
    position, number, chunks, _ = packets().scan_pcapng(block, 0, 0, (False, [clock]), joining(one))
    assert (position, number) == ((0, 0) if told is None else (len(block), 1))
    assert [chunk[1] for chunk in chunks] == ([] if told is None else [told])


@needs_them
@pytest.mark.parametrize("clock", [5, (), (1,), ("1", 0)])
def test_what_is_no_clock_is_an_exception(clock):
    block = pack("<8I", 6, 32, 0, 0, 0, 0, 0, 32)
    with pytest.raises((TypeError, IndexError)):
        packets().scan_pcapng(block, 0, 0, (False, [clock]), JOINING)
