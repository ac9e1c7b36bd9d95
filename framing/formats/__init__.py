"""One kind of cut per file: frame formats, ordinary plug-ins with no privileges.

    header.py      named fields of fixed width; one of them says how long the frame is
    varint.py      the same with numbers of variable width: LEB128, QUIC's, gob's
    conditional.py fields that are not always there, and a length that moves
    fixed.py       frames of one size
    delimiter.py   bytes that end a frame; lines
    cobs.py        COBS and COBS/R: bytes that count to the next zero
    slip.py        SLIP: two bytes escaped
    hdlc.py        HDLC and PPP on asynchronous lines: bytes escaped, and a check sequence
    digits.py      the length in ASCII digits: netstrings, octet counting, pkt-lines
    header_block.py  lines of headers, of which Content-Length says the payload's size
    http1.py       HTTP/1.1 messages: a first line, headers, and a body that may be chunked
    literal_lines.py  lines that a size in braces continues, as in IMAP
    checked_blocks.py  a checksum behind every so many bytes of the payload, as in DNP3
    enclosed.py    bytes that begin a frame and bytes that end it
    fix.py         FIX messages: a length and a checksum in digits
    stomp.py       STOMP: lines of headers, and a body that a NUL ends
    ber.py         tag, length and value of ASN.1
    msgpack_stream.py, cbor_stream.py, json_stream.py, xml_stream.py, thrift_stream.py, resp.py
                   payloads that show themselves where they end
    rtmp_chunks.py chunks that leave out what those before have said
    line_block.py  lines, some of which say how many bytes follow
    choice.py      the first bytes say which of several formats it is
    function.py    a function says how long the frame is
    segments.py    a table of sizes, and the segments that it counts
    opaque.py      bytes that are not cut

What kinds that declare named fields are made of is in `fields/`, the hot loops that several kinds have in `scans/`.
`stuffing.py` is what COBS, SLIP and HDLC share, `escapes.py` what the latter two do, `self_delimiting.py` what the
payloads that end themselves do; `header_lines.py` reads lines of headers, `body_framing.py` and `chunked.py` tell where
an HTTP body ends, `prefix.py` how a choice tells its cases.

A new kind is a new file with a subclass of `framing.frame.FrameFormat` and an entry point; nothing else changes.
"""
