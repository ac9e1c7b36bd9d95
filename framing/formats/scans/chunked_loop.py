"""The hot loop of messages with chunked bodies: what comes before the first chunk is known again by its bytes.

    +- - - - - - - - - - - -+---------+- - - - - - -+------+-------------+
    | head, CR LF CR LF     | 40 CRLF |  64 bytes   | CRLF | 0 CRLF CRLF |      most bodies are one chunk
    +- - - - - - - - - - - -+---------+- - - - - - -+------+-------------+

Several chunks are passed over in a loop; trailers, extensions and all that is odd the careful methods read.
Spec: [F133].
"""

from collections.abc import Callable
from itertools import repeat

from framing.errors import FrameError
from framing.formats.scans.known import HeaderEnd
from framing.frame import FrameFormat, Scan

__all__ = ["chunked_scan"]

_CRLF, _END = b"\r\n", b"\r\n0\r\n\r\n"

# Sizes that are read without a look at their digits, as programs write them.
_SIZES = {text % size: size for size in range(4096) for text in (b"%x", b"%X")}
_LINE_SIZE = len(b"fff\r\n")

# At most 512 KiB for one format, whatever a peer sends.
_KNOWN_COUNT = 1024
_KNOWN_SIZE = 512


def chunked_scan(form: FrameFormat, is_chunked: Callable[[bytes], bool], head_end: HeaderEnd) -> Scan:
    """Return `scan` for messages of a format that are chunked, up to one that is not.

    Args:
        form: the format.
        is_chunked: tells of a whole head whether the body is chunked; it may raise `FrameError`.
        head_end: `(buffer, start, end)` → where the head ends that begins at `start`, or -1. Whatever begins with the
            bytes of a whole head has that head.
    """
    known: dict[bytes, int] = {}
    heads: set[bytes] = set()
    widths: dict[int, None] = {}
    most = form.max_frame_size

    def learn(buffer: bytes, start: int, end: int) -> tuple[int, int] | None:
        """Return how much comes before the first chunk, and its size; `None`: there is no chunk, or it is odd."""
        for width in widths:
            if (size := known.get(buffer[start : start + width])) is not None:
                return width, size
        first = head_end(buffer, start, end)
        head = buffer[start : max(first, start)]
        if first < 0 or (head not in heads and not is_chunked(head)):
            return None
        stop = buffer.find(_CRLF, first, min(end, first + _LINE_SIZE)) + len(_CRLF)
        size = _SIZES.get(buffer[first : stop - len(_CRLF)], 0)
        if not size:
            return None
        if stop - start <= _KNOWN_SIZE and len(known) < _KNOWN_COUNT:
            heads.add(head)
            known[buffer[start:stop]] = size
            widths[stop - start] = None
        return stop - start, size

    def careful(buffer: bytes, start: int, end: int, out: list[bytes]) -> int:
        """Cut one message whose head, at least, is chunked; return `start`: that cannot be."""
        first = head_end(buffer, start, end)
        if first < 0 or not is_chunked(buffer[start:first]):
            return start
        total = form.measure(buffer, start, end)
        if total is None or total > most:
            return start
        out.append(form.payload(buffer, start, start + total))
        return start + total

    def scan(buffer: bytes, start: int, end: int, limit: int, out: list[bytes]) -> int:
        append, get, width, largest, begins = out.append, known.get, 0, most, buffer.startswith
        try:
            for _ in repeat(None, limit):
                first = start + width
                size = get(buffer[start:first])
                if size is None:
                    learned = learn(buffer, start, end)
                    if learned is None:
                        size = 0
                    else:
                        width, size = learned
                        first = start + width
                last = first + size
                stop = last + 7
                if size and stop <= end and begins(_END, last):
                    if stop - start > largest:
                        break
                    append(buffer[first:last])
                    start = stop
                    continue
                parts, stop = _chunks(buffer, first, end, size) if size else ([], 0)
                if not stop:
                    stop = careful(buffer, start, end, out)
                    if stop == start:
                        break
                elif stop - start > largest:
                    break
                else:
                    append(b"".join(parts))
                start = stop
        except FrameError:
            pass  # the next `measure` raises it, when the messages before were delivered
        return start

    return scan


def _chunks(buffer: bytes, place: int, end: int, size: int) -> tuple[list[bytes], int]:
    """Return the chunks from the first one on, which begins at `place`, and where the body ends, 0 if that is odd."""
    find = buffer.find
    parts: list[bytes] = []
    while size:
        last = place + size
        if last + 2 > end or buffer[last : last + 2] != _CRLF:
            return parts, 0
        parts.append(buffer[place:last])
        place = last + 2
        stop = find(_CRLF, place, min(end, place + _LINE_SIZE))
        known = _SIZES.get(buffer[place:stop]) if stop > 0 else None
        if known is None:
            return parts, 0
        size, place = known, stop + 2
    stop = place + len(_CRLF)
    return parts, stop if stop <= end and buffer[place:stop] == _CRLF else 0
