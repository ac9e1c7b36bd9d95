"""Lines with literals: a size in braces at a line's end says how many bytes follow, and then the line goes on.

    A1 LOGIN {3} CR LF  f o o  {3} CR LF  b a r  CR LF         one frame of IMAP, made of three lines and two literals
             |<-- announces -->|

Spec: [F135] and [F136], after RFC 9051, section 4.3.
"""

import re
from collections.abc import Mapping
from itertools import repeat
from typing import Any

from framing.errors import DefinitionError, EncodeError, FrameError, FrameTooLargeError
from framing.formats.fields.options import bytes_option
from framing.frame import DEFAULT_MAX_FRAME_SIZE, Buffer, FrameFormat, Measure, check_limit
from framing.picture import Part

__all__ = ["LiteralLineFormat"]

# What a line ends with that goes on: `{5}`, `{5+}`, of which the sender did not wait to be asked, `~{5}` for binary.
_LITERAL = re.compile(rb"\{([0-9]+)\+?\}\r?\n\Z")
_CR, _BRACE = b"\r}"


class LiteralLineFormat(FrameFormat):
    """Lines that end with LF or CR LF, which literals may continue; the last line ending is no part of the payload.

    >>> from framing import FrameParser
    >>> parser = FrameParser(LiteralLineFormat())
    >>> parser.feed(b"A1 LOGIN {3}\\r\\nfoo {3+}\\r\\na\\r\\n\\r\\nA2 NOOP\\r\\n")
    >>> parser.take_payloads()
    [b'A1 LOGIN {3}\\r\\nfoo {3+}\\r\\na\\r\\n', b'A2 NOOP']

    Args:
        write: the line ending that `serialize` writes, "\\n" or "\\r\\n".
        max_frame_size: limit on the whole frame, all of its lines and literals.
    """

    name = "literal_lines"

    def __init__(self, *, write: bytes | str = b"\r\n", max_frame_size: int = DEFAULT_MAX_FRAME_SIZE) -> None:
        self._written = bytes_option("write", write)
        if self._written not in (b"\n", b"\r\n"):
            raise DefinitionError("no line ending", key="write", found=write, allowed=r"\n or \r\n")
        self.max_frame_size = max_frame_size
        self._prepare()

    def _prepare(self) -> None:
        check_limit(self.name, self.max_frame_size, len(self._written))
        self.scan = self._scan  # bound to this object, whose limit it needs

    def measure(self, buffer: Buffer, start: int, end: int) -> int | None:
        """Tell the total size once a line has ended that announces no literal. [F135]"""
        return _Lines(self.max_frame_size).measure(buffer, start, end)

    def measurer(self) -> Measure:
        """Return a `measure` that goes on in the line where it stopped."""
        lines = _Lines(self.max_frame_size)

        def measure(buffer: Buffer, start: int, end: int) -> int | None:
            nonlocal lines
            total = lines.measure(buffer, start, end)
            if total is not None:
                lines = _Lines(self.max_frame_size)
            return total

        return measure

    def _scan(self, buffer: bytes, start: int, end: int, limit: int, out: list[bytes]) -> int:
        """Cut lines in a row, up to one that may announce a literal; the quick twin of `measure`."""
        append, find, most = out.append, buffer.find, self.max_frame_size
        for _ in repeat(None, limit):
            place = find(b"\n", start, end)
            if place < 0 or place - start >= most:
                break
            last = place - 1 if place > start and buffer[place - 1] == _CR else place
            if last > start and buffer[last - 1] == _BRACE:
                break
            append(buffer[start:last])
            start = place + 1
        return start

    def bounds(self, buffer: Buffer, start: int, end: int) -> tuple[int, int]:
        """Tell where the payload lies: up to the last line ending."""
        if not buffer.endswith(b"\r\n", start, end):
            return start, end - 1
        lines = _Lines(self.max_frame_size)
        lines.measure(buffer, start, end)
        # A CR that a literal ends with is none of the line ending.
        return start, max(end - 2, start + lines.line_start)

    def serialize(self, payload: bytes, fields: Mapping[str, Any] | None = None) -> bytes:
        """Return the payload and the line ending. [F136]"""
        if fields:
            raise EncodeError(f"this format has no field {', '.join(sorted(fields))}")
        frame = payload + self._written
        self.check_size(len(frame))
        try:
            total = self.measure(frame, 0, len(frame))
        except FrameError:  # a literal that would go on behind the limit
            total = None
        if total != len(frame) or self.payload(frame, 0, total) != payload:
            raise EncodeError(
                "this is not one line with its literals", found=payload, hint="a literal has as many bytes as it says"
            )
        return frame

    def layouts(self) -> dict[str, tuple[Part, ...]]:
        """Tell what a frame is made of."""
        return {"": (Part("payload", text="with literals"), Part("", len(self._written), repr(self._written)[1:]))}

    def __repr__(self) -> str:
        return f"LiteralLineFormat(write={self._written!r}, max_frame_size={self.max_frame_size})"


class _Lines:
    """One frame that is arriving: how far it was looked through.

    Attributes:
        line_start: where the line begins that is being read, counted from the frame's start.
    """

    __slots__ = ("_looked", "_max_frame_size", "line_start")

    def __init__(self, max_frame_size: int) -> None:
        self._max_frame_size = max_frame_size
        self.line_start = self._looked = 0

    def measure(self, buffer: Buffer, start: int, end: int) -> int | None:
        limit = start + self._max_frame_size
        while (place := buffer.find(b"\n", start + self._looked, min(end, limit))) >= 0:
            literal = _LITERAL.search(bytes(buffer[start + self.line_start : place + 1]))
            if literal is None:
                return place + 1 - start
            digits = literal[1].lstrip(b"0")
            size = int(digits or b"0") if len(digits) <= len(str(self._max_frame_size)) else self._max_frame_size
            self.line_start = self._looked = place + 1 - start + size
            # Behind the literal there is at least a line ending.
            if self.line_start >= self._max_frame_size:
                raise self._too_large("a literal is too large", start)
        if start + self._looked < end:
            self._looked = min(end, limit) - start
        if end >= limit:
            raise self._too_large("no end of the line within the limit", start)
        return None

    def _too_large(self, reason: str, start: int) -> FrameTooLargeError:
        hint = "raise max_frame_size if the peer is to be trusted with as much memory"
        return FrameTooLargeError(reason, offset=start, max_frame_size=self._max_frame_size, hint=hint)
