"""Capture files: from a file or stdin to the bytes of every flow, in order.

    file | stdin ──> Packet ──> Segment ──> Chunk · Gap · FlowEnd
      source.py      pcap.py     link.py       flow.py   what comes out
      files.py       pcapng.py   segment.py    tcp.py    one flow put together
                     packet.py                 assembler.py   all of them, within a budget

Every step is a function or a plain object fed by its caller: no thread, no clock, and no file but in `files.py`.
The rules stand in `specs/capture.md`, as clauses [P1] and on; the code names the clause that it obeys.
"""
