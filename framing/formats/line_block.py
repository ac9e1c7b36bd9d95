"""Lines, some of which say in one of their words how many bytes follow: NATS, SMTP's BDAT, memcached's text protocol.

    LineBlockFormat(blocks={"PUB": -1, "HPUB": -1})                                          NATS

    +- - - - - - - - - - - - - -+----+----+- - - - - - -+----+----+
    |  line:  PUB greetings 5   | 0d | 0a |    hello    | 0d | 0a |        the last word says 5
    +- - - - - - - - - - - - - -+----+----+- - - - - - -+----+----+
    |  line:  PING   | 0d | 0a |                                           PING announces nothing
    +- - - - - - - - +----+----+

Spec: [F121] to [F123].
"""

from collections.abc import Mapping
from itertools import repeat
from typing import Any

from framing.errors import DefinitionError, EncodeError, FrameError, FrameTooLargeError, HeaderError
from framing.formats.fields.options import bytes_option
from framing.formats.scans.tables import remember
from framing.frame import DEFAULT_MAX_FRAME_SIZE, Buffer, FrameFormat, Measure, Scan, check_limit, check_option
from framing.picture import Part

__all__ = ["LineBlockFormat"]

_LINE_ENDS = (b"\n", b"\r\n")

# A number of more digits is larger than any limit.
_MAX_DIGIT_COUNT = 19

# The hot loop knows lines of so many bytes again.
_KNOWN_SIZE = 128


class LineBlockFormat(FrameFormat):
    """Frames that are a line and, where its first word is one of those that announce it, a block.

    >>> format = LineBlockFormat(blocks={"PUB": -1})
    >>> format.serialize(b"hello", {"line": "PUB greetings 5"})
    b'PUB greetings 5\\r\\nhello\\r\\n'
    >>> format.frame(b"PUB greetings 5\\r\\nhello\\r\\n").header
    {'line': 'PUB greetings 5', 'length': 5}

    The payload is the block. The line is the application's, the field `line`, as ISO 8859-1: any bytes come back.

    Args:
        blocks: for each first word that announces a block, which word of its line says the block's size: 1 is the one
            behind it, -1 the line's last. [F122]
        end: what ends a block, perhaps nothing.
        ignore_case: whether first words are compared without regard to case.
        write: the line ending that `serialize` writes, "\\n" or "\\r\\n".
        max_frame_size: limit on the whole frame.
    """

    name = "line_block"
    field_names = ("line",)
    header_names = ("line", "length")

    def __init__(
        self,
        *,
        blocks: Mapping[str, int],
        end: bytes | str = b"\r\n",
        ignore_case: bool = True,
        write: bytes | str = b"\r\n",
        max_frame_size: int = DEFAULT_MAX_FRAME_SIZE,
    ) -> None:
        check_option("blocks", blocks, dict)
        check_option("ignore_case", ignore_case, bool)
        self._blocks, self._ignore_case = dict(blocks), ignore_case
        self._places = {self._key(*item): item[1] for item in blocks.items()}
        if len(self._places) < len(blocks) or not blocks:
            allowed = "such as { PUB = -1 }, each word once"
            raise DefinitionError("no words that announce a block", key="blocks", found=tuple(blocks), allowed=allowed)
        self._end, self._write = bytes_option("end", end), bytes_option("write", write)
        if self._write not in _LINE_ENDS:
            raise DefinitionError("no line ending", key="write", found=write, allowed=r"\n or \r\n")
        self.max_frame_size = max_frame_size
        self._prepare()

    def _key(self, word: str, place: int) -> bytes:
        check_option("blocks", word, str)
        check_option("blocks", place, int)
        data = word.encode("latin-1", "replace")
        if data.split() != [data] or not place:
            allowed = "such as PUB = -1"
            reason = "a word announces a block in another word"
            raise DefinitionError(reason, key="blocks", found=(word, place), allowed=allowed)
        return data.upper() if self._ignore_case else data

    def _prepare(self) -> None:
        check_limit(self.name, self.max_frame_size, len(self._write))
        self.scan = self._make_scan()
        if self._end:
            self.verify = self._verify

    def measure(self, buffer: Buffer, start: int, end: int) -> int | None:
        """Tell the total size once the line is whole. [F121]"""
        return self.measure_from(buffer, start, end, start)

    def measure_from(self, buffer: Buffer, start: int, end: int, looked: int) -> int | None:
        """Do what `measure` does, knowing that the line does not end before `looked`."""
        limit = start + self.max_frame_size
        stop = buffer.find(b"\n", looked, min(end, limit))
        if stop >= 0:
            size = self._announced(bytes(buffer[start:stop]), start)
            return stop + 1 - start + (0 if size is None else size + len(self._end))
        if end >= limit:
            raise FrameTooLargeError(
                "no line ends within the limit",
                offset=start,
                max_frame_size=self.max_frame_size,
                hint="raise max_frame_size, or check that the peer speaks in lines",
            )
        return None

    def measurer(self) -> Measure:
        """Return a `measure` that goes on searching where it stopped."""
        looked_size = 0

        def measure(buffer: Buffer, start: int, end: int) -> int | None:
            nonlocal looked_size
            total = self.measure_from(buffer, start, end, start + looked_size)
            looked_size = end - start if total is None else 0
            return total

        return measure

    def _announced(self, line: bytes, offset: int) -> int | None:
        """Return the size of the block that a line announces, `None` if it announces none. [F122]"""
        words = line.split()
        place = self._places.get(words[0].upper() if self._ignore_case else words[0]) if words else None
        if place is None:
            return None
        word = words[place] if -len(words) < place < len(words) else b""
        if not word.isdigit():
            reason = "the line does not say the size of its block"
            raise HeaderError(reason, offset=offset, field="length", expected="digits", found=word)
        digits = word.lstrip(b"0")
        if len(digits) > _MAX_DIGIT_COUNT:
            raise FrameTooLargeError(
                f"a size of {len(digits)} digits", offset=offset, max_frame_size=self.max_frame_size
            )
        return int(digits or b"0")

    def _verify(self, buffer: Buffer, start: int, end: int) -> None:
        """Check what ends a block. [F123]"""
        place = end - len(self._end)
        if buffer.find(b"\n", start) + 1 < end and buffer[place:end] != self._end:
            raise HeaderError(
                "the block does not end where its line says",
                offset=place,
                field="end",
                expected=self._end,
                found=bytes(buffer[place:end]),
            )

    def _make_scan(self) -> Scan:
        """Make the hot loop, which knows lines again: those of one subject, with messages of one size, are the same."""
        tail, most, learn = self._end, self.max_frame_size, self._learn
        known: dict[bytes, int] = {}

        def scan(buffer: bytes, start: int, end: int, limit: int, out: list[bytes]) -> int:
            append, find, get, tail_size = out.append, buffer.find, known.get, len(tail)
            for _ in repeat(None, limit):
                first = find(b"\n", start, end) + 1
                if not first:
                    break
                line = buffer[start:first]
                size = get(line)
                if size is None:
                    size = learn(line, known)
                if size < 0:  # no block
                    last = stop = first
                else:
                    last = first + size
                    stop = last + tail_size
                if stop > end or stop - start > most or (size >= 0 and buffer[last:stop] != tail):
                    break
                append(buffer[first:last])
                start = stop
            return start

        return scan

    def _learn(self, line: bytes, known: dict[bytes, int]) -> int:
        """Return the size of the block that a line announces, -1 if none; one over the limit where the line is odd."""
        try:
            size = self._announced(line[:-1], 0)
        except FrameError:
            return self.max_frame_size
        found = -1 if size is None else size
        if len(line) <= _KNOWN_SIZE:
            remember(known, line, found)
        return found

    def bounds(self, buffer: Buffer, start: int, end: int) -> tuple[int, int]:
        """Tell where the block lies; behind the line, where there is none."""
        first = buffer.find(b"\n", start, end) + 1
        return first, end - len(self._end) if first < end else end

    def header(self, data: bytes) -> dict[str, Any]:
        """Return the line without its ending, and the size of its block."""
        line = data[: data.index(b"\n")].removesuffix(b"\r")
        return {"line": line.decode("latin-1"), "length": self._announced(line, 0)}

    def serialize(self, payload: bytes, fields: Mapping[str, Any] | None = None) -> bytes:
        """Return the line, and the block with what ends it if the line announces one.

        Raises:
            EncodeError: the line is missing or no line, or it says another size than the payload has.
        """
        values = dict(fields or ())
        line = self._line(values.pop("line", None))
        if values:
            raise EncodeError(f"this format has no field {', '.join(sorted(values))}", hint="it has line")
        try:
            size = self._announced(line, 0)
        except FrameError as error:
            raise EncodeError(error.reason, path="line", found=line) from error
        if (size or 0) != len(payload):
            said = "no block" if size is None else f"{size} bytes"
            raise EncodeError(f"the line announces {said}, and the payload has {len(payload)}", path="line", found=line)
        data = line + self._write + (b"" if size is None else payload + self._end)
        self.check_size(len(data))
        return data

    def _line(self, text: object) -> bytes:
        if not isinstance(text, str):
            raise EncodeError("the field line must be text", path="line", found=text)
        try:
            line = text.encode("latin-1")
        except UnicodeEncodeError as error:
            raise EncodeError("the field line must be ISO 8859-1", path="line", found=text) from error
        if b"\n" in line or line.endswith(b"\r"):
            raise EncodeError("the field line must be one line, without its ending", path="line", found=text)
        return line

    def layouts(self) -> dict[str, tuple[Part, ...]]:
        """Tell the parts of a line alone, and of one with a block."""
        line = (Part("line"), Part("", None, "LF or CR LF"))
        ends = (Part("", len(self._end), repr(self._end)[1:]),) if self._end else ()
        words = " ".join(self._blocks)
        return {"": line, words: (*line, Part("payload"), *ends)}

    def __repr__(self) -> str:
        shown = [f"blocks={self._blocks!r}"]
        if self._end != b"\r\n":
            shown.append(f"end={self._end!r}")
        if not self._ignore_case:
            shown.append("ignore_case=False")
        if self._write != b"\r\n":
            shown.append(f"write={self._write!r}")
        return f"LineBlockFormat({', '.join([*shown, f'max_frame_size={self.max_frame_size}'])})"
