"""Capture files: from a file or stdin to the bytes of every flow, in order, and to the frames in them.

    file | stdin ──> Packet ──> Segment ──> Chunk · Gap · FlowEnd ──> records
      source.py      pcap.py     segment.py     flow.py   what comes out      records.py     what they are
      files.py       pcapng.py   unpacking.py   key.py    what tells flows    decoding.py    one connection
                     packet.py                  tcp.py    one flow            track.py       one direction
                                                assembler.py   all flows      selection.py   which ones
                                                recent.py    what came last
                                                                              reading.py     all of it: read, read_raw
                                                                              overview.py    flows alone: survey
      notes.py  compressed.py                   alone.py   or nothing together    lines.py  jsonform.py   as JSON
                                                                              choosing.py    and as what
                                                                              way.py         and how, told once
                                                                              resync.py      on behind a gap
                                                                              unfinished.py  not all at once
    segment.py and ordinary.py, or its compiled twin (scanning.py), take the packets that nearly all are; unpacking.py
    the others, from layer to layer (layer.py, address.py):
      link.py  serial.py  wireless.py   links and tags          tunnel.py  fragments.py   packets inside packets
    what both ends of a connection said ──> write.py ──> a pcap file

    for record in framing.capture.read("capture.pcap", "kafka"):
        if isinstance(record, FrameRecord):
            print(record.flow, record.number, record.message)

Every step is a function or a plain object fed by its caller: no thread, no clock, and no file but in `files.py`.
The rules stand in `specs/capture.md`, as clauses [P1] and on; the code names the clause that it obeys. Those of records
stand in `specs/records.md`, as [R1] and on.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from framing.capture.files import read_notes
    from framing.capture.jsonform import from_json, to_json
    from framing.capture.lines import json_line, record_to_json
    from framing.capture.notes import Comment, Note, Secrets
    from framing.capture.overview import survey
    from framing.capture.reading import read, read_raw
    from framing.capture.records import ErrorRecord, FlowRecord, FrameRecord, GapRecord, Record, SummaryRecord
    from framing.capture.write import ConnectionWriter, PcapWriter

# Name → module, loaded when it is asked for (PEP 562), as in `framing` itself.
_EXPORTS = {
    "from_json": "jsonform",
    "to_json": "jsonform",
    "read_notes": "files",
    "json_line": "lines",
    "record_to_json": "lines",
    "Comment": "notes",
    "Note": "notes",
    "Secrets": "notes",
    "read": "reading",
    "read_raw": "reading",
    "ErrorRecord": "records",
    "FlowRecord": "records",
    "FrameRecord": "records",
    "GapRecord": "records",
    "Record": "records",
    "SummaryRecord": "records",
    "survey": "overview",
    "ConnectionWriter": "write",
    "PcapWriter": "write",
}

__all__ = [
    "Comment",
    "ConnectionWriter",
    "ErrorRecord",
    "FlowRecord",
    "FrameRecord",
    "GapRecord",
    "Note",
    "PcapWriter",
    "Record",
    "Secrets",
    "SummaryRecord",
    "from_json",
    "json_line",
    "read",
    "read_notes",
    "read_raw",
    "record_to_json",
    "survey",
    "to_json",
]


def __getattr__(name: str) -> Any:
    if name not in _EXPORTS:
        raise AttributeError(f"module 'framing.capture' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"framing.capture.{_EXPORTS[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_EXPORTS})
