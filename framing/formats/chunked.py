"""Chunked transfer coding: a body in chunks, each behind its size, and trailer fields behind the last one.

    +-------------------+------+- - - - - - -+------+     +---------+- - - - - - - - - - -+------+
    | size in hex [;…]  | CRLF |    chunk    | CRLF |  …  | 0 CR LF | trailer fields CRLF | CRLF |
    +-------------------+------+- - - - - - -+------+     +---------+- - - - - - - - - - -+------+

Spec: [F133], after RFC 9112, section 7.1.
"""

from collections.abc import Sequence

from framing.errors import EncodeError, FrameTooLargeError, HeaderError
from framing.formats.header_lines import checked_header, has_controls, header_error, header_line, text_line
from framing.frame import Buffer

__all__ = ["Chunks", "chunk_lines", "chunk_size", "chunked_bytes", "pairs", "unchunked"]

_HEX = b"0123456789abcdefABCDEF"

# 64 bits; more digits are no size, but an attack on who computes with them.
_MAX_DIGIT_COUNT = 16


class Chunks:
    """One chunked body that is arriving, walked over once.

    Args:
        place: where it begins, counted from the frame's start.
        line_limit: bytes that a line may have, a chunk's size and extensions or a trailer field.
        max_frame_size: limit on the whole frame.
    """

    __slots__ = ("_is_last", "_line_limit", "_looked", "_max_frame_size", "_next")

    def __init__(self, place: int, line_limit: int, max_frame_size: int) -> None:
        self._next = self._looked = place
        self._line_limit, self._max_frame_size = line_limit, max_frame_size
        self._is_last = False

    def measure(self, buffer: Buffer, start: int, end: int) -> int | None:
        """Tell the size from the frame's start to the end of the body, once that is there.

        Raises:
            HeaderError: it is none.
            FrameTooLargeError: it has announced too much.
        """
        while (stop := self._line_end(buffer, start, end)) > 0:
            place = start + self._next
            line = bytes(buffer[place : stop - 2])
            if not self._is_last:
                if not self._pass_chunk(buffer, start, end, line, stop):
                    return None
            elif not line:
                return stop - start
            else:
                checked_header(line, place)
                self._next = self._looked = stop - start
        return None

    def _line_end(self, buffer: Buffer, start: int, end: int) -> int:
        """Return where the next line ends, 0 if that has not come."""
        first = start + self._next
        line_limit, limit = first + self._line_limit, start + self._max_frame_size
        place = buffer.find(b"\n", start + self._looked, min(end, line_limit, limit))
        if place >= 0:
            if place == first or buffer[place - 1 : place] != b"\r":
                raise header_error("a line ends with LF alone", place, "chunks", b"\r\n", b"\n")
            return place + 1
        self._looked = max(self._next, min(end, line_limit, limit) - start)
        if end >= limit and limit <= line_limit:
            raise self._too_large(start)
        if end >= line_limit:
            wanted = f"CR LF within {self._line_limit} bytes"
            raise header_error("a line of a chunked body does not end", first, "chunks", wanted, "none")
        return 0

    def _pass_chunk(self, buffer: Buffer, start: int, end: int, line: bytes, stop: int) -> bool:
        """Pass a chunk, if it is there with the line ending behind it."""
        size = chunk_size(line, start + self._next)
        last = stop + size
        if last + (2 if size else 0) - start > self._max_frame_size:
            raise self._too_large(start)
        if not size:
            self._is_last = True
        elif last + 2 > end:
            if last < end and buffer[last : last + 1] != b"\r":
                raise header_error(
                    "a chunk is not as long as it says", last, "chunks", b"\r\n", bytes(buffer[last:end])
                )
            self._looked = stop - 1 - start  # the line is read again when the chunk is there
            return False
        elif buffer[last : last + 2] != b"\r\n":
            found = bytes(buffer[last : last + (1 if buffer[last : last + 1] != b"\r" else 2)])
            raise header_error("a chunk is not as long as it says", last, "chunks", b"\r\n", found)
        self._next = self._looked = (last + 2 if size else stop) - start
        return True

    def _too_large(self, start: int) -> FrameTooLargeError:
        hint = "raise max_frame_size if the peer is to be trusted with as much memory"
        return FrameTooLargeError(
            "a chunked body is too large", offset=start, max_frame_size=self._max_frame_size, hint=hint
        )


def chunk_size(line: bytes, place: int) -> int:
    """Return the size that a chunk's first line says.

    Raises:
        HeaderError: it says none.
    """
    digits, semicolon, extensions = line.partition(b";")
    digits = digits.rstrip(b" \t") if semicolon else digits
    if not digits or digits.translate(None, _HEX) or len(digits) > _MAX_DIGIT_COUNT or has_controls(extensions):
        raise header_error("this is no size of a chunk", place, "chunks", "hex digits", line)
    return int(digits, 16)


def unchunked(data: bytes, place: int) -> tuple[bytes, list[str], list[list[str]]]:
    """Return a whole chunked body's content, the first lines of its chunks, and its trailer fields."""
    parts, lines, trailers = [], [], []
    while True:
        stop = data.index(b"\r\n", place)
        line = data[place:stop]
        size = chunk_size(line, place)
        lines.append(line.decode("latin-1"))
        place = stop + 2
        if not size:
            break
        parts.append(data[place : place + size])
        place += size + 2
    while (stop := data.index(b"\r\n", place)) > place:
        name, text, _ = checked_header(data[place:stop], place)
        trailers.append([name.decode(), text.decode("latin-1")])
        place = stop + 2
    return b"".join(parts), lines, trailers


def chunk_lines(payload: bytes) -> list[str]:
    """Return the first lines of chunks for a body: one chunk, and the last one."""
    return [*([f"{len(payload):x}"] if payload else []), "0"]


def chunked_bytes(payload: bytes, lines: object, trailers: object) -> bytes:
    """Return a body in chunks.

    Args:
        payload: the content.
        lines: the first line of each chunk, the last one of size 0.
        trailers: trailer fields, pairs of name and value.

    Raises:
        EncodeError: the sizes are not those of the content, or something is no line.
    """
    if not isinstance(lines, Sequence) or isinstance(lines, str | bytes) or not lines:
        raise EncodeError("chunks are a list of lines", path="chunks", found=lines)
    parts, place = [], 0
    for number, text in enumerate(lines):
        line = text_line("chunks", text)
        size = _written_size(line)
        if (size == 0) != (number == len(lines) - 1):
            raise EncodeError("the last chunk, and no other, has no bytes", path="chunks", found=text)
        parts += [line, b"\r\n", payload[place : place + size], b"\r\n" if size else b""]
        place += size
    if place != len(payload):
        raise EncodeError(f"the chunks have {place} bytes, the payload {len(payload)}", path="chunks", found=lines)
    parts += [header_line(name, value) + b"\r\n" for name, value in pairs("trailers", trailers)]
    return b"".join([*parts, b"\r\n"])


def _written_size(line: bytes) -> int:
    try:
        return chunk_size(line, 0)
    except HeaderError as error:
        raise EncodeError("this is no size of a chunk", path="chunks", found=line) from error


def pairs(path: str, value: object) -> list[tuple[object, object]]:
    """Return headers as pairs.

    Raises:
        EncodeError: they are none.
    """
    made = []
    for pair in value if isinstance(value, Sequence) and not isinstance(value, str | bytes) else (None,):
        if not isinstance(pair, Sequence) or isinstance(pair, str | bytes) or len(pair) != 2:
            raise EncodeError("these are no pairs of name and value", path=path, found=value)
        made.append((pair[0], pair[1]))
    return made
