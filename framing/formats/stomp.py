"""STOMP frames: a command, headers, a body that ends with NUL, or has a size that a header says and then ends with NUL.

    SEND\\n                            command
    destination:/queue/a\\n            headers, each name:value
    content-length:5\\n
    \\n                                an empty line
    hello\\0                           body and NUL

Lines end with LF or CR LF. Line endings between frames belong to none: they are heart-beats. Spec: [F113] to [F115],
after STOMP 1.2.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from framing.errors import DefinitionError, EncodeError, FrameError, FrameTooLargeError, HeaderError
from framing.frame import DEFAULT_MAX_FRAME_SIZE, Buffer, FrameFormat, Measure, check_limit, check_option
from framing.picture import Part

__all__ = ["StompFormat"]

_LENGTH = "content-length"
_find_empty_line = re.compile(rb"\n\r?\n").search
_match_line_ends = re.compile(rb"[\r\n]*").match
_NUL = b"\0"


class StompFormat(FrameFormat):
    """STOMP frames; the payload is the body.

    >>> format = StompFormat()
    >>> format.serialize(b"hello", {"command": "SEND", "headers": {"destination": "/queue/a"}})
    b'SEND\\ndestination:/queue/a\\n\\nhello\\x00'

    The field `headers` is a dict of names and values as they stand on the wire, which is UTF-8: whether a backslash in
    them escapes something depends on the version and the command. `content-length` is one of them, and must be right;
    without it a body has no NUL.

    Args:
        max_header_size: limit on command, headers and the empty line. [F113]
        max_frame_size: limit on the whole frame.

    Raises:
        DefinitionError: an option is out of range.
    """

    name = "stomp"
    min_size = len(b"A\n\n\0")
    field_names = header_names = ("command", "headers")

    def __init__(self, *, max_header_size: int = 16384, max_frame_size: int = DEFAULT_MAX_FRAME_SIZE) -> None:
        check_option("max_header_size", max_header_size, int)
        if max_header_size < self.min_size:
            allowed = f"{self.min_size} or more"
            raise DefinitionError("no room for headers", key="max_header_size", found=max_header_size, allowed=allowed)
        self.max_header_size = max_header_size
        self.max_frame_size = max_frame_size
        self._prepare()

    def _prepare(self) -> None:
        check_limit(self.name, self.max_frame_size, self.min_size)
        self.skip = _skip_line_ends

    def measure(self, buffer: Buffer, start: int, end: int) -> int | None:
        """Tell the total size once the headers say it or the NUL is there. [F113]"""
        return self.measurer()(buffer, start, end)

    def measurer(self) -> Measure:
        """Return a `measure` that goes on searching where it stopped."""
        return _StompSearch(self)

    def header_end(self, buffer: Buffer, start: int, end: int, looked: int) -> int | None:
        """Tell where the body begins, knowing that no empty line begins in the first `looked` bytes.

        Raises:
            HeaderError, FrameTooLargeError: there is no empty line within the limit.
        """
        limit = start + min(self.max_header_size, self.max_frame_size)
        found = _find_empty_line(buffer, start + looked, min(end, limit))
        if found is not None:
            return found.end()
        if end < limit:
            return None
        if self.max_frame_size <= self.max_header_size:
            raise self.too_large(start)
        raise HeaderError(
            "the headers are too long",
            offset=start,
            expected=f"an empty line within {self.max_header_size} bytes",
            found=f"none within {self.max_header_size}",
        )

    def too_large(self, start: int, size: int | None = None) -> FrameTooLargeError:
        """Return the error for a frame that goes on behind the limit."""
        return FrameTooLargeError(
            "a frame of format stomp goes on behind the limit",
            offset=start,
            frame_size=size,
            max_frame_size=self.max_frame_size,
            hint="raise max_frame_size if the peer is to be trusted with as much memory",
        )

    def bounds(self, buffer: Buffer, start: int, end: int) -> tuple[int, int]:
        """Tell where the payload lies: between the empty line and the NUL."""
        found = _find_empty_line(buffer, start, end)
        return found.end() if found else end - 1, end - 1

    def header(self, data: bytes) -> dict[str, Any]:
        """Return the command and the headers; of one that stands there twice the first counts, as STOMP says."""
        command = ""
        headers: dict[str, str] = {}
        for number, (_, line) in enumerate(_lines(data, 0, self.bounds(data, 0, len(data))[0])):
            text = line.decode("utf-8", "surrogateescape")
            if number:
                name, _, value = text.partition(":")
                headers.setdefault(name, value)
            else:
                command = text
        return {"command": command, "headers": headers}

    def layouts(self) -> dict[str, tuple[Part, ...]]:
        """Tell the lines around the payload."""
        lines = Part("command", text="line"), Part("headers", text="lines"), Part("", text="empty line")
        return {"": (*lines, Part("payload"), Part("", 1, "NUL"))}

    def serialize(self, payload: bytes, fields: Mapping[str, Any] | None = None) -> bytes:
        """Return command, headers, an empty line, the payload and NUL. [F115]

        Raises:
            EncodeError: a field is missing or cannot stand in its line, or the payload does not end where it should.
            FrameTooLargeError: the frame would be larger than the limit.
        """
        given = dict(fields or {})
        lines = [_encoded("command", given.pop("command", None))]
        headers = given.pop("headers", None) or {}
        if not isinstance(headers, Mapping):
            raise EncodeError("headers are a dict of names and values", path="headers", found=headers)
        for name, value in headers.items():
            path = f"headers.{name}"
            if not isinstance(name, str) or ":" in name:
                raise EncodeError("a header's name is text without a colon", path=path, found=name)
            lines.append(_encoded(path, f"{name}:{value}"))
        if given:
            raise EncodeError(f"this format has no field {next(iter(given))}", hint="its fields are command, headers")
        data = b"".join((*(line + b"\n" for line in lines), b"\n", payload, _NUL))
        self.check_size(len(data))
        self._check_written(data, payload)
        return data

    def _check_written(self, data: bytes, payload: bytes) -> None:
        try:
            total = self.measure(data, 0, len(data))
        except FrameError as error:
            raise EncodeError(f"the frame could not be read again: {error.reason}", path="headers") from error
        if total != len(data) or self.payload(data, 0, total) != payload:
            reason = "the payload would end elsewhere: it has a NUL, or content-length is not its size"
            raise EncodeError(reason, path="headers")

    def __repr__(self) -> str:
        return f"StompFormat(max_header_size={self.max_header_size}, max_frame_size={self.max_frame_size})"


class _StompSearch:
    """A `measure` for one stream, which remembers in one unfinished frame where the body begins and how far it saw."""

    __slots__ = ("_body", "_format", "_looked", "_size")

    def __init__(self, format: StompFormat) -> None:
        self._format = format
        self._begin()

    def _begin(self) -> None:
        self._looked, self._body = 0, -1
        self._size: int | None = None

    def __call__(self, buffer: Buffer, start: int, end: int) -> int | None:
        try:
            total = self._total(buffer, start, end)
        except FrameError:
            self._begin()
            raise
        if total is not None:
            self._begin()
        return total

    def _total(self, buffer: Buffer, start: int, end: int) -> int | None:
        if self._body < 0:
            body = self._format.header_end(buffer, start, end, self._looked)
            if body is None:
                self._looked = max(0, end - start - 2)  # an empty line may have begun in the last bytes
                return None
            self._body = self._looked = body - start
            self._size = _content_length(buffer, start, body, self._format)
        return self._nul_found(buffer, start, end) if self._size is None else self._nul_counted(buffer, start, end)

    def _nul_found(self, buffer: Buffer, start: int, end: int) -> int | None:
        limit = start + self._format.max_frame_size
        place = buffer.find(_NUL, start + self._looked, min(end, limit))
        if place >= 0:
            return place + 1 - start
        if end >= limit:
            raise self._format.too_large(start)
        self._looked = end - start
        return None

    def _nul_counted(self, buffer: Buffer, start: int, end: int) -> int | None:
        total = self._body + (self._size or 0) + 1
        if total > self._format.max_frame_size:
            raise self._format.too_large(start, total)
        if end - start < total:
            return None
        last = start + total - 1
        if buffer[last] != 0:
            raise HeaderError(
                "no NUL behind the body",
                offset=last,
                field=_LENGTH,
                expected=_NUL,
                found=bytes(buffer[last : last + 1]),
            )
        return total


def _skip_line_ends(buffer: Buffer, start: int, end: int, ended: bool) -> int:  # noqa: ARG001 - the contract's
    """Tell where line endings stop. [F114]"""
    found = _match_line_ends(buffer, start, end)
    assert found is not None  # it matches nothing, too
    return found.end()


def _lines(buffer: Buffer, start: int, end: int) -> Iterator[tuple[int, bytes]]:
    """Yield place and text of each line up to the empty one."""
    while start < end:
        place = buffer.find(b"\n", start, end)
        line = bytes(buffer[start:place])
        if not line.rstrip(b"\r"):
            return
        yield start, line.removesuffix(b"\r")
        start = place + 1


def _content_length(buffer: Buffer, start: int, end: int, form: StompFormat) -> int | None:
    """Return what the header says about the body, `None` if nothing.

    Raises:
        HeaderError: a line has no colon, or the length is no number.
        FrameTooLargeError: it has more digits than the limit.
    """
    size = None
    for place, line in _lines(buffer, start, end):
        name, colon, value = line.partition(b":")
        if _NUL in line or (place != start and not (colon and name)):
            field, reason = ("headers", "no name and colon") if place != start else ("command", "no command")
            wanted = "name:value" if place != start else "a command without NUL"
            raise HeaderError(reason, offset=place, field=field, expected=wanted, found=line[:32])
        if place == start:
            continue
        if name == _LENGTH.encode() and size is None:
            if not value.isdigit():
                begin = place + len(name) + 1
                raise HeaderError("no decimal number", offset=begin, field=_LENGTH, expected="digits", found=value[:32])
            digits = value.lstrip(b"0") or b"0"
            if len(digits) > len(str(form.max_frame_size)):
                raise form.too_large(start)
            size = int(digits)
    return size


def _encoded(path: str, text: object) -> bytes:
    """Return a line without its ending.

    Raises:
        EncodeError: it would be another line, or several.
    """
    if not isinstance(text, str) or not text or text.startswith(":"):
        raise EncodeError("a line of text is needed", path=path, found=text)
    if not {"\n", "\r", "\0"}.isdisjoint(text):
        raise EncodeError("this does not stay in its line", path=path, found=text)
    return text.encode("utf-8", "surrogateescape")
