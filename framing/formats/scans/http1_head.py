"""What decides the body of an ordinary HTTP/1.1 head, told by one regular expression.

    POST /readings HTTP/1.1 CR LF       a first line
    Host: localhost CR LF               headers that decide nothing
    Content-Length: 17 CR LF            at most one that does: a size, or Transfer-Encoding: chunked
    Accept: */* CR LF  CR LF            headers that decide nothing, and the empty line

It matches nothing that `Http1Format.read_head` refuses, and of what that takes only what can be read in one way: an
HTTP/1.0 message, a second Content-Length, even an equal one, another coding or a size of many digits is left to
`read_head`. No part of it can end at two places, so that it takes linear time. Spec: [F131], [F132].
"""

import re
from collections.abc import Callable

from framing.formats.body_framing import LENGTH_DIGITS
from framing.formats.scans.atomic import optional, repeated
from framing.frame import Buffer

__all__ = ["CHUNKED", "UNTIL_CLOSE", "HeadReader", "head_reader"]

# In place of a body's size, where the last chunk or the stream's end tells it.
CHUNKED, UNTIL_CLOSE = -1, -2

# `(buffer, start, end)` → where the head ends and how large the body is; `None`: not whole, or not ordinary.
HeadReader = Callable[[Buffer, int, int], "tuple[int, int] | None"]

_NAME = rb"[!#-'*+\-.^_`|~0-9A-Za-z]++"
_BLANKS = rb"[ \t]*+"
_TEXT = rb"[\t -~\x80-\xff]*+"

# One letter tells most others apart, before case is folded.
_OTHERS = repeated(rb"(?:(?![CcTt](?i:ontent-length|ransfer-encoding):)%b:%b\r\n)" % (_NAME, _TEXT))
_LENGTH = rb"(?i:content-length):%b(0|[1-9][0-9]{0,%d}+)%b\r\n" % (_BLANKS, LENGTH_DIGITS - 1, _BLANKS)
_CHUNKED = rb"(?i:transfer-encoding):%b((?i:chunked))%b\r\n" % (_BLANKS, _BLANKS)
_HEADERS = rb"%b%b%b\r\n" % (_OTHERS, optional(rb"(?>%b|%b)" % (_LENGTH, _CHUNKED)), _OTHERS)
_FIRST_LINES = {
    "request": rb"%b [!-~\x80-\xff]++ HTTP/1\.[1-9]\r\n" % _NAME,
    "response": rb"HTTP/1\.[1-9] [1-9][0-9]{2}%b\r\n" % optional(rb"(?: %b)" % _TEXT),
}

# The statuses of responses without a body, and how the others of them begin.
_BODILESS, _INTERIM = (b"204", b"304"), ord("1")


def head_reader(side: str, limit: int) -> HeadReader:
    """Return what reads the heads of requests or responses, none of which answers HEAD or CONNECT.

    Args:
        side: request or response.
        limit: the most bytes of a head.
    """
    match, is_request = re.compile(_FIRST_LINES[side] + _HEADERS).match, side == "request"
    before, behind = len("HTTP/1.1 "), len("HTTP/1.1 200")

    def read(buffer: Buffer, start: int, end: int) -> tuple[int, int] | None:
        last = start + limit
        found = match(buffer, start, last if last < end else end)
        if found is None:
            return None
        if not is_request:
            status = buffer[start + before : start + behind]
            if status[0] == _INTERIM or status in _BODILESS:
                return found.end(), 0
        told = found.lastindex
        if told is None:
            return found.end(), 0 if is_request else UNTIL_CLOSE
        return found.end(), int(found[1]) if told == 1 else CHUNKED

    return read
