"""The scan that runs is the compiled one where there is one. What scans do is tested in `test_ordinary.py`."""

from framing.capture.flow import Chunk
from framing.capture.ordinary import Joining, PcapLayout, PcapngLayout, scan_pcap, scan_pcapng
from framing.capture.scanning import pcap_scan, pcapng_scan
from framing.compiled import twins

BIG, LITTLE = PcapLayout(True, 16, 1000), PcapLayout(False, 16, 1000)
NONE = Joining({}, lambda *_: False)


def test_which_one_runs(monkeypatch):
    assert (pcap_scan() is scan_pcap, pcapng_scan() is scan_pcapng) == (not twins().modules,) * 2
    monkeypatch.setenv("FRAMING_PURE", "1")
    assert (pcap_scan(), pcapng_scan()) == (scan_pcap, scan_pcapng)


def test_nothing_to_take():
    assert pcap_scan()(b"", 0, 7, BIG, NONE) == (0, 7, [], [])
    assert pcap_scan()(bytes(200), 16, 7, LITTLE, NONE) == (16, 7, [], [])
    assert pcapng_scan()(bytes(200), 4, 7, PcapngLayout(True, []), NONE) == (4, 7, [], [])


def test_chunks_are_chunks(wire):
    from framing.capture.assembler import Assembler

    assembler = Assembler()
    client, server = ("10.0.0.5", 51744), ("10.0.0.9", 9092)
    for number, flags in enumerate((2, 16), 1):
        events = assembler.add(wire.segment(client, server, sequence=number, flags=flags, payload=b"", number=number))
    packets = [wire.segment(client, server, sequence=2 + at, payload=b"ab").data for at in (0, 2)]
    data = wire.pcap(packets)
    (flow, *_) = assembler._flows.values()
    assembler.join(flow.connection)
    assert not events
    position, number, (chunk,), ends = pcap_scan()(data, 24, 2, LITTLE, assembler.joining)
    assert (position, number, type(chunk), ends) == (len(data), 4, Chunk, [])
    assert (chunk.data, chunk.offset, list(chunk.marks)) == (
        b"abab",
        0,
        [(2, 1_000_000_005_000, 3), (4, 1_001_000_005_000, 4)],
    )
