"""Hot loops: many frames at once, each held equal by a test to the `measure` that is its specification.

loops.py        plain headers; compiled twins in `_frames.c`    choice_loop.py   runs of a choice's cases
decided.py      what the bytes of a header decided before       known.py         headers that come again
regions.py      and what is remembered of them                 masked.py        payloads xored with keys
scanning.py     which twin of a loop runs, compiled or Python   http1_loop.py    HTTP/1.1 messages
shapes.py       items that are built alike                      json_pieces.py   values divided where they seem to meet
cbor_shapes.py, resp_shapes.py                                  what shapes those items have
summed.py       plain headers with a checksum behind            numbers.py       lengths of variable width
fix_loop.py     windows of FIX messages                         http1_head.py    what an ordinary head says of the body
columns.py      a CRC of many blocks at once                    blocks.py        payloads in blocks with checksums
trailed.py      constants behind the payload                    atomic.py        groups that give nothing back
tables.py       what was met, within bounds
"""
