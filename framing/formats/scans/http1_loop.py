"""The hot loop of HTTP/1.1 messages: heads that come again are known by their bytes, and so are the lines of chunks.

    +- - - - - - - - - - - -+---------+- - - - - - -+-------------+
    | head, CR LF CR LF     | 40 CRLF |  64 bytes   | 0 CRLF CRLF |
    +- - - - - - - - -+- - -+---------+- - - - - - -+-------------+
                      | CRLF 40 CRLF  | → 64        | CRLF 0 … the line ending before a size is part of what is known

Ordinary heads that are new are read by `http1_head.py`; what is odd, trailers and extensions too, the careful methods
read. Spec: [F130], [F132], [F133].
"""

import re
from collections.abc import Callable
from itertools import repeat

from framing.errors import FrameError
from framing.formats.scans.http1_head import CHUNKED, UNTIL_CLOSE, HeadReader
from framing.formats.scans.tables import remember
from framing.frame import Frame, FrameFormat, Scan, ScanFrames

__all__ = ["http1_scans"]

_END = b"\r\n0\r\n\r\n"

# A size as programs write it: up to 4 GiB, in a padded field or not.
_LINE = re.compile(rb"\r\n([0-9a-fA-F]{1,8})\r\n")

# How wide the line of a chunk of 16 to 255 bytes is: the first guess.
_WIDTH = len(b"\r\n40\r\n")

# In place of where a body ends, and of a size.
_ODD, _NONE = -1, -1 << 62

_Run = Callable[[bytes, int, int, bytes, int, list[bytes]], int]

# At most 512 KiB of heads for one format, and so many lines, whatever a peer sends.
_KNOWN_COUNT = 1024
_KNOWN_SIZE = 512
_LINE_COUNT = 4096


def http1_scans(form: FrameFormat, read_head: HeadReader) -> tuple[Scan, ScanFrames]:
    """Return `scan` and `scan_frames` for messages of a format, whose heads are read like this.

    Args:
        form: the format.
        read_head: it may raise `FrameError`. Whatever begins with the bytes of a whole head has that head.
    """
    heads, lines = _Heads(read_head), _Lines()
    return _payload_scan(form, heads, lines), _frame_scan(form, heads, lines)


class _Heads:
    """Heads that were met, and how large the bodies behind them are; forgotten when there are many."""

    __slots__ = ("_read", "sizes", "width")

    def __init__(self, read: HeadReader) -> None:
        self._read = read
        self.sizes: dict[bytes, int] = {}
        self.width = 0  # of the last one

    def learn(self, buffer: bytes, start: int, end: int) -> tuple[int, int] | None:
        """Do what the reader does, and remember it; `None`, too: the body goes on until the stream ends."""
        told = self._read(buffer, start, end)
        if told is None or told[1] == UNTIL_CLOSE:
            return None
        self.width = width = told[0] - start
        if width <= _KNOWN_SIZE:
            remember(self.sizes, buffer[start : told[0]], told[1], _KNOWN_COUNT)
        return told


class _Lines:
    """Lines of chunks that were met and the sizes that they say; forgotten when there are many.

    Attributes:
        first: by a first line.
        others: by another one, with the line ending before it; of the last line, 0 by as much as others have.
    """

    __slots__ = ("first", "others")

    def __init__(self) -> None:
        self.first: dict[bytes, int] = {}
        self.others: dict[bytes, int] = {}
        self._clear()

    def _clear(self) -> None:
        self.first.clear()
        self.others.clear()
        self.others.update({_END[:width]: 0 for width in (5, 6, 7)})

    def learn(self, buffer: bytes, line: int, end: int) -> tuple[int, int]:
        """Return where the chunk begins whose line, with the line ending before it, does at `line`, and its size.

        In place of the size, `_NONE`: the line is not whole, or the last one, or odd.
        """
        found = _LINE.match(buffer, line, end)
        size = 0 if found is None else int(found[1], 16)
        if found is None or not size:
            return line, _NONE
        if len(self.first) >= _LINE_COUNT:
            self._clear()
        self.first[found[0][2:]] = self.others[found[0]] = size
        return found.end(), size

    def chunks(self, buffer: bytes, line: int, end: int, parts: list[bytes]) -> int:
        """Append the chunks of a body of which one ends at `line`; return where something else begins, or `end` is."""
        get, append, width = self.others.get, parts.append, _WIDTH
        while line <= end:
            place = line + width
            size = get(buffer[line:place])
            if not size:
                if size is not None:
                    break
                place, size = self.learn(buffer, line, end)
                if size == _NONE:
                    break
                width = place - line
            line = place + size
            append(buffer[place:line])
        return line


def _body_end(buffer: bytes, line: int, end: int) -> int:
    """Return where a body ends behind the last of its chunks; 0: it is not whole; `_ODD`: it may be, and is odd."""
    stop = line + len(_END)
    if buffer[line:stop] == _END and stop <= end:
        return stop
    return 0 if buffer.find(b"\r\n", line + 2, end) < 0 else _ODD


def _payload_scan(form: FrameFormat, heads: _Heads, lines: _Lines) -> Scan:
    most, run = form.max_frame_size, _same_heads(form.max_frame_size, lines)

    def scan(buffer: bytes, start: int, end: int, limit: int, out: list[bytes]) -> int:
        append, recall, limit_size, width, room = out.append, heads.sizes.get, most, heads.width, len(out) + limit
        try:
            for _ in repeat(None, limit):
                first = start + width
                size = recall(buffer[start:first])
                if size is None or first > end:  # cut off by the end, a last head may look like a known one
                    learned = heads.learn(buffer, start, end)
                    if learned is None:
                        break
                    first, size = learned
                    width = first - start
                stop = first + size
                if size >= 0:
                    if stop > end or stop - start > limit_size:
                        break
                    append(buffer[first:stop])
                    start = stop
                    continue
                parts: list[bytes] = []
                stop = _body_end(buffer, lines.chunks(buffer, first - 2, min(end, start + limit_size), parts), end)
                if stop == _ODD:
                    stop = start + (form.measure(buffer, start, end) or 0)
                    parts = [form.payload(buffer, start, stop)] if start < stop <= end else []
                if not start < stop <= end or stop - start > limit_size:
                    break
                append(b"".join(parts))
                head, start = buffer[start:first], stop
                if buffer[start : start + width] == head and len(out) < room:
                    start = run(buffer, start, end, head, room, out)
                if len(out) == room:  # of which a run may have taken many
                    break
        except FrameError:  # the next `measure` raises it, when the messages before were delivered
            pass
        return start

    return scan


def _same_heads(most: int, lines: _Lines) -> _Run:
    """Return what cuts chunked messages behind each of which the same head follows, and returns where it stopped."""

    def run(buffer: bytes, start: int, end: int, head: bytes, room: int, out: list[bytes]) -> int:
        append, get, learn, chunks, join = out.append, lines.first.get, lines.learn, lines.chunks, b"".join
        # That the body ends here, and the next head is the same, is told by one comparison.
        follows, head_size, width, line_width = _END + head, len(head), len(_END) + len(head), _WIDTH - 2
        first, bound, is_one = start + head_size, min(end, start + most) - len(_END), True
        for _ in repeat(None, room - len(out)):
            place = first + line_width
            size = get(buffer[first:place])
            if size is None:
                place, size = learn(buffer, first - 2, end)
                if size == _NONE:
                    break
                line_width = place - first
            last = place + size
            # Most bodies are one chunk; but where the one before was not, this one is hardly, either.
            if is_one:
                after = last + width
                if last <= bound and buffer[last:after] == follows:
                    append(buffer[place:last])
                    first = after
                    continue
            parts = [buffer[place:last]]
            line = chunks(buffer, last, bound, parts)
            is_one, after = line == last, line + width
            if line > bound or buffer[line:after] != follows:
                break
            append(join(parts))
            first = after
        return first - head_size

    return run


def _frame_scan(form: FrameFormat, heads: _Heads, lines: _Lines) -> ScanFrames:
    def scan_frames(buffer: bytes, start: int, end: int, limit: int, out: list[Frame], base: int) -> int:
        append, recall, most, new_frame = out.append, heads.sizes.get, form.max_frame_size, form.frame_class
        width = heads.width
        try:
            for _ in repeat(None, limit):
                first = start + width
                told = recall(buffer[start:first])
                if told is None or first > end:  # as above
                    learned = heads.learn(buffer, start, end)
                    if learned is None:
                        break
                    first, told = learned
                    width = first - start
                stop = first + told
                if told == CHUNKED:
                    stop = _body_end(buffer, lines.chunks(buffer, first - 2, min(end, start + most), []), end)
                if stop == _ODD:
                    stop = start + (form.measure(buffer, start, end) or 0)
                if not start < stop <= end or stop - start > most:
                    break
                frame = new_frame()
                frame.data = buffer[start:stop]
                frame.offset = base + start
                append(frame)
                start = stop
        except FrameError:  # as above
            pass
        return start

    return scan_frames
