"""One kind of cut per file: frame formats, ordinary plug-ins with no privileges.

    header.py      named fields of fixed width; one of them says how long the frame is
    varint.py      the same with a length of variable width, as the header's last field
    delimiter.py   bytes that end a frame; lines
    digits.py      the length in ASCII digits: netstrings, octet counting, pkt-lines
    header_block.py  lines of headers, of which Content-Length says the payload's size
    enclosed.py    bytes that begin a frame and bytes that end it

Shared by the kinds that declare named fields: `notation.py` reads the declaration, `layout.py` the bytes.
A new kind is a new file with a subclass of `framing.frame.FrameFormat` and an entry point; nothing else changes.
"""
