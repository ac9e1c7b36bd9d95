"""Lines of headers, one of which says the payload's size: Content-Length, as in LSP, DAP, SIP, RTSP and HTTP.

    HeaderBlockFormat()                                    LSP, DAP

    +--------------------------------------------------------+---------+- - - - - - -+
    | Content-Length: 17 CR LF   Content-Type: … CR LF       |  CR LF  |   payload   |
    +--------------------------------------------------------+---------+- - - - - - -+

    HeaderBlockFormat(start_line=True, required=False)     RTSP, SIP over TCP: a request or status line comes first

Two peers that read one block differently are how requests are smuggled, so the block is read strictly: RFC 9112,
sections 2.2, 5 and 6, without what those allow for the sake of old peers. Spec: [F54] to [F56].
"""

import re
from collections.abc import Mapping
from typing import Any

from framing.errors import DefinitionError, EncodeError, FrameError, FrameTooLargeError
from framing.formats.header_lines import (
    checked_header,
    has_controls,
    header_error,
    header_line,
    is_token,
    read_length,
    text_line,
)
from framing.formats.scans.known import known_scans
from framing.frame import DEFAULT_MAX_FRAME_SIZE, Buffer, FrameFormat, Measure, check_limit, check_option
from framing.picture import Part

__all__ = ["HeaderBlockFormat"]

_END = b"\r\n\r\n"

# What nginx and Apache allow for one buffer or line.
_HEADER_SIZE = 8192

# It says the size in another way, and who obeys the other one of the two cuts elsewhere (RFC 9112, section 6.3).
_OTHER_LENGTH = "transfer-encoding"


# What else may be a length, or is none, is left to who says so.
_USUAL_LENGTH = re.compile(rb"[1-9][0-9]{0,8}").fullmatch


class HeaderBlockFormat(FrameFormat):
    """Frames that begin with a block of headers, of which Content-Length says the payload's size.

    >>> format = HeaderBlockFormat()
    >>> wire = format.serialize(b"{}", {"headers": {"Content-Type": "text/json"}})
    >>> wire
    b'Content-Length: 2\\r\\nContent-Type: text/json\\r\\n\\r\\n{}'
    >>> format.frame(wire).header
    {'length': 2, 'headers': {'content-type': 'text/json'}}

    The other headers are the application's: the field `headers`, a dict of names, in lower case, and values. It may be
    left out. Text is ISO 8859-1, so that any bytes come back.

    Args:
        length: the header that says the payload's size.
        short: another name of it that is read, too, as SIP's compact form is.
        start_line: whether a line that is no header comes first; it is the field `start`.
        required: whether a block without that header is refused; else its payload is empty. [F56]
        max_header_size: limit on the block with its empty line. [F54]
        max_frame_size: limit on the whole frame.
    """

    name = "header_block"
    payload_last = True
    size_first = True

    def __init__(
        self,
        *,
        length: str = "Content-Length",
        short: str = "",
        start_line: bool = False,
        required: bool = True,
        max_header_size: int = _HEADER_SIZE,
        max_frame_size: int = DEFAULT_MAX_FRAME_SIZE,
    ) -> None:
        for key, value in (("start_line", start_line), ("required", required)):
            check_option(key, value, bool)
        for key, name in (("length", length), ("short", short or length)):
            check_option(key, name, str)
            if not is_token(name):
                raise DefinitionError("no name of a header", key=key, found=name, allowed="such as Content-Length")
        self.length, self._short = length, short
        self._usual = b"%b: " % length.encode()
        self.length_keys = (length.lower(), short.lower())
        self.start_line, self.required = start_line, required
        least = (1 + len("\r\n")) * start_line + (len(length) + len(": 0\r\n")) * required + len("\r\n")
        check_option("max_header_size", max_header_size, int)
        if max_header_size < least:
            allowed = f"{least} or more bytes"
            raise DefinitionError("no block fits", key="max_header_size", found=max_header_size, allowed=allowed)
        self._least, self.max_header_size = least, max_header_size
        self.max_frame_size = max_frame_size
        start = ("start",) if start_line else ()
        self.field_names = (*start, "headers")
        self.header_names = (*start, "length", "headers")
        self._prepare()

    def _prepare(self) -> None:
        check_limit(self.name, self.max_frame_size, self._least)
        self.block_limit = min(self.max_header_size, self.max_frame_size)
        size_of = None if self.start_line else self._size_of
        self.scan, self.scan_frames = known_scans(self, self._header_end, ends=_END, size_of=size_of)

    def measure(self, buffer: Buffer, start: int, end: int) -> int | None:
        """Tell the total size once the block is whole; a bad line is told as soon as it is. [F54]"""
        return _Block(self).measure(buffer, start, end)

    def measurer(self) -> Measure:
        """Return a `measure` that goes on in the line where it stopped."""
        block = _Block(self)

        def measure(buffer: Buffer, start: int, end: int) -> int | None:
            nonlocal block
            total = block.measure(buffer, start, end)
            if total is not None:
                block = _Block(self)
            return total

        return measure

    def _header_end(self, buffer: Buffer, start: int, end: int) -> int:
        if buffer[start : start + 2] == b"\r\n":  # a block of no headers
            return start + 2
        place = buffer.find(_END, start, min(end, start + self.block_limit))
        return place + len(_END) if place >= 0 else -1

    def _size_of(self, header: bytes) -> int | None:
        """Return how many bytes follow a block that is its length alone, as most programs write it."""
        digits = header[len(self._usual) : -len(_END)]
        if not header.startswith(self._usual) or not _USUAL_LENGTH(digits):
            return None
        return int(digits)

    def bounds(self, buffer: Buffer, start: int, end: int) -> tuple[int, int]:
        """Tell where the payload lies: from the empty line to the end."""
        return self._header_end(buffer, start, end), end

    def header(self, data: bytes) -> dict[str, Any]:
        """Return the start line, the length and the other headers."""
        lines = data[: self._header_end(data, 0, len(data))].decode("latin-1").split("\r\n")
        fields: dict[str, Any] = {"start": lines.pop(0)} if self.start_line else {}
        headers: dict[str, str] = {}
        for line in filter(None, lines):
            name, _, value = line.partition(":")
            key, value = name.lower(), value.strip(" \t")
            # Repeated ones are one list (RFC 9110, section 5.3).
            headers[key] = f"{headers[key]}, {value}" if key in headers and key not in self.length_keys else value
        lengths = [headers.pop(key) for key in self.length_keys if key in headers]
        fields["length"] = int(lengths[0]) if lengths else 0
        return fields | {"headers": headers}

    def serialize(self, payload: bytes, fields: Mapping[str, Any] | None = None) -> bytes:
        """Return the whole frame: the start line, the length, the other headers in their order. [F55]"""
        values = dict(fields or ())
        lines = [text_line("start", values.pop("start", None))] if self.start_line else []
        headers = values.pop("headers", {})
        if values:
            raise EncodeError(
                f"this format has no field {', '.join(sorted(values))}", hint=f"it has {', '.join(self.field_names)}"
            )
        lines.append(b"%b: %d" % (self.length.encode(), len(payload)))
        lines += self._header_lines(headers)
        block = b"\r\n".join([*lines, b"", b""])
        self.check_size(len(block) + len(payload))
        if len(block) > self.max_header_size:
            hint = "raise max_header_size on both sides"
            raise EncodeError(f"headers of more than {self.max_header_size} bytes", path="headers", hint=hint)
        return block + payload

    def _header_lines(self, headers: object) -> list[bytes]:
        if not isinstance(headers, Mapping):
            raise EncodeError("headers are a dict of names and values", path="headers", found=headers)
        taken, lines = {*self.length_keys, _OTHER_LENGTH}, []
        for name, value in headers.items():
            line = header_line(name, value)
            if name.lower() in taken:
                raise EncodeError("this header is written by the format, or stands twice", path="headers", found=name)
            taken.add(name.lower())
            lines.append(line)
        return lines

    def layouts(self) -> dict[str, tuple[Part, ...]]:
        """Tell the lines in front of the payload."""
        start = (Part("start", None, "a line"),) if self.start_line else ()
        lines = Part("headers", None, f"lines, one of them {self.length}")
        return {"": (*start, lines, Part("empty line", 2, r"\r\n"), Part("payload"))}

    def __repr__(self) -> str:
        shown = [f"length={self.length!r}"] if self.length != "Content-Length" else []
        shown += [f"short={self._short!r}"] if self._short else []
        shown += ["start_line=True"] if self.start_line else []
        shown += [] if self.required else ["required=False"]
        shown += [f"max_header_size={self.max_header_size}"] if self.max_header_size != _HEADER_SIZE else []
        return f"HeaderBlockFormat({', '.join([*shown, f'max_frame_size={self.max_frame_size}'])})"


class _Block:
    """One block that is arriving: how far it was read, counted from the frame's start, and the length it said."""

    __slots__ = ("_form", "_length", "_line_start", "_looked")

    def __init__(self, form: HeaderBlockFormat) -> None:
        self._form = form
        self._line_start = self._looked = 0
        self._length: int | None = None

    def measure(self, buffer: Buffer, start: int, end: int) -> int | None:
        limit = start + self._form.block_limit
        while (place := buffer.find(b"\n", start + self._looked, min(end, limit))) >= 0:
            line_start = start + self._line_start
            line = bytes(buffer[line_start : place + 1])
            if not line.endswith(b"\r\n"):
                raise header_error("a line ends with LF alone", place, "headers", b"\r\n", line[-2:])
            first = not self._line_start
            self._line_start = self._looked = place + 1 - start
            if first and self._form.start_line:
                _check_start(line[:-2], line_start)
            elif line == b"\r\n":
                return place + 1 - start + self._payload_size(start)
            else:
                self._read(line[:-2], line_start, start)
        self._looked = min(end, limit) - start
        if end >= limit:
            raise self._too_large(start)
        return None

    def _payload_size(self, start: int) -> int:
        if self._length is None and self._form.required:
            raise header_error(f"there is no {self._form.length}", start, "length", self._form.length, "none")
        return self._length or 0

    def _read(self, line: bytes, place: int, start: int) -> None:
        """Check a header. [F54]"""
        name, text, place = checked_header(line, place)
        key = name.decode().lower()
        if key in self._form.length_keys:
            self._take_length(text, place, start)
        elif key == _OTHER_LENGTH:
            reason = f"{name.decode()} says the length in another way"
            raise header_error(reason, place, "headers", f"{self._form.length} alone", text)

    def _take_length(self, text: bytes, place: int, start: int) -> None:
        """Read the length. [F56]"""
        form = self._form
        length = read_length(form.length, text, place, start=start, limit=form.max_frame_size)
        if self._length not in (None, length):
            raise header_error(f"{form.length} stands twice and differs", place, "length", self._length, length)
        self._length = length

    def _too_large(self, start: int) -> FrameError:
        form = self._form
        if form.block_limit == form.max_frame_size:
            hint = "raise max_frame_size if the peer is to be trusted with as much memory"
            reason = "the headers alone are too large"
            return FrameTooLargeError(reason, offset=start, max_frame_size=form.max_frame_size, hint=hint)
        wanted = f"an empty line within {form.max_header_size} bytes, or a larger max_header_size"
        return header_error("the headers do not end", start, "headers", wanted, f"none within {form.max_header_size}")


def _check_start(line: bytes, place: int) -> None:
    if not line or has_controls(line):
        raise header_error("the first line is empty or has control characters", place, "start", "a line of text", line)
